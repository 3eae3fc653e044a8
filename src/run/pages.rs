//! The verbs that only look things up: `explain`, `rules list`, `schema`.

use super::{Output, fault, said};
use crate::cli::{PageFormat, SchemaCommand};
use crate::config;
use crate::explain::{self, Found};
use crate::knowledge::patroni::Version;
use crate::report;
use crate::rules::builtin::{self, BUILTIN};
use crate::rules::schema::Severity;

/// Prints a JSON Schema.
pub(super) fn schema(what: &SchemaCommand) -> Output {
    match what {
        SchemaCommand::Config => said(config::SCHEMA.to_owned()),
        SchemaCommand::Report => said(report::json::SCHEMA.to_owned()),
        SchemaCommand::Prediction => said(report::prediction::json::SCHEMA.to_owned()),
        SchemaCommand::Patroni { patroni } => match patroni.as_deref().map_or(Ok(Version::LATEST), config::release) {
            Ok(version) => said(json(&crate::schema::patroni(version))),
            Err(wrong) => fault(&format!("--patroni {wrong}")),
        },
    }
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).expect("invariant: plain data has a JSON form") + "\n"
}

/// Says what is known of a name.
pub(super) fn explain(name: &str, format: PageFormat) -> Output {
    let text = match (explain::find(name), format) {
        (Found::Nothing(near), _) => {
            let near: Vec<String> = near.iter().map(|n| format!("`{n}`")).collect();
            let hint = if near.is_empty() {
                "`patroni-preflight rules list` shows all rules".to_owned()
            } else {
                format!("did you mean {}?", near.join(", "))
            };
            return fault(&format!("no rule, key, setting or variable is called `{name}`; {hint}"));
        }
        (Found::Pages(pages, others), PageFormat::Json) => json(&serde_json::json!({"pages": pages, "others": others})),
        (Found::Several(names), PageFormat::Json) => json(&serde_json::json!({"pages": [], "others": names})),
        (Found::Several(names), PageFormat::Text) => {
            format!("several keys are called so; name one of them:\n\n{}", bulleted(&names))
        }
        (Found::Pages(pages, others), PageFormat::Text) => {
            let mut text = pages.iter().map(explain::Page::text).collect::<Vec<_>>().join("\n");
            if !others.is_empty() {
                text.push_str("\nalso the name of:\n\n");
                text.push_str(&bulleted(&others));
            }
            text
        }
    };
    said(text)
}

fn bulleted(names: &[String]) -> String {
    names.iter().flat_map(|name| ["  ", name, "\n"]).collect()
}

/// Lists the built-in rules.
pub(super) fn list(area: Option<&str>, severity: Option<Severity>, format: PageFormat) -> Output {
    if let Some(wanted) = area
        && !builtin::AREAS.contains(&wanted)
    {
        let mut areas = builtin::AREAS.to_vec();
        areas.sort_unstable();
        areas.dedup();
        return fault(&format!("there is no area `{wanted}`; there are {}", areas.join(", ")));
    }
    let rules: Vec<_> = BUILTIN
        .iter()
        .filter(|r| area.is_none_or(|a| builtin::area(&r.id) == Some(a)) && severity.is_none_or(|s| r.severity == s))
        .collect();
    let stdout = match format {
        PageFormat::Text => report::page::list(&rules),
        PageFormat::Json => report::page::list_json(&rules),
    };
    said(stdout)
}
