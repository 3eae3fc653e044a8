//! The verbs that only look things up: `explain`, `rules list`, `schema`.

use std::path::PathBuf;

use super::lint::{Lint, lint};
use super::said::{Linted, tell_settings};
use super::{Output, fault, said};
use crate::cli::{PageFormat, PredictFormat, SchemaCommand};
use crate::config;
use crate::explain::{self, Found, Subject};
use crate::knowledge::patroni::Version;
use crate::predict::{self, Prediction};
use crate::report;
use crate::report::prediction::text::{COLUMNS, Paper};
use crate::rules::builtin::{self, BUILTIN};
use crate::rules::schema::Severity;
use crate::terminal::Surroundings;

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

/// Says what is known of a name; of a setting also what it is and will be on some members, as their files tell it.
pub(super) fn explain(
    name: &str,
    members: &[PathBuf],
    format: PageFormat,
    around: &Surroundings,
) -> Result<Output, String> {
    let found = explain::find(name);
    let setting = match &found {
        Found::Pages(pages, _) => {
            pages.iter().find(|page| page.subject == Subject::Setting).map(|page| page.name.clone())
        }
        _ => None,
    };
    let on_members = match setting {
        _ if members.is_empty() => None,
        Some(setting) => Some(OnMembers::look(&setting, members)?),
        None => return Err(format!("`{name}` is no setting of PostgreSQL; only of a setting can members be told of")),
    };
    let told = |format| on_members.as_ref().map(|on| on.told(format, around));
    let text = match (found, format) {
        (Found::Nothing(near), _) => {
            let near: Vec<String> = near.iter().map(|n| format!("`{n}`")).collect();
            let hint = if near.is_empty() {
                "`patroni-preflight rules list` shows all rules".to_owned()
            } else {
                format!("did you mean {}?", near.join(", "))
            };
            return Err(format!("no rule, key, setting or variable is called `{name}`; {hint}"));
        }
        (Found::Pages(pages, others), PageFormat::Json) => {
            let mut value = serde_json::json!({"pages": pages, "others": others});
            if let Some(told) = told(PredictFormat::Json) {
                let told: serde_json::Value = serde_json::from_str(&told).map_err(|why| why.to_string())?;
                value["members"] = told["members"].clone();
            }
            json(&value)
        }
        (Found::Several(names), PageFormat::Json) => json(&serde_json::json!({"pages": [], "others": names})),
        (Found::Several(names), PageFormat::Text) => {
            format!("several keys are called so; name one of them:\n\n{}", bulleted(&names))
        }
        (Found::Pages(pages, others), PageFormat::Text) => {
            let mut text = pages.iter().map(explain::Page::text).collect::<Vec<_>>().join("\n");
            if let Some(told) = told(PredictFormat::Text) {
                text.push('\n');
                text.push_str(&told);
            }
            if !others.is_empty() {
                text.push_str("\nalso the name of:\n\n");
                text.push_str(&bulleted(&others));
            }
            text
        }
    };
    Ok(said(text))
}

/// A setting on members, as their files tell it.
struct OnMembers {
    linted: Linted,
    prediction: Prediction,
}

impl OnMembers {
    fn look(setting: &str, members: &[PathBuf]) -> Result<Self, String> {
        let linted = lint(&Lint { paths: members.to_vec(), ..Lint::default() })?;
        let mut prediction = predict::predict(&linted.facts);
        if prediction.members.is_empty() {
            return Err("no member was found in what was given".to_owned());
        }
        for member in &mut prediction.members {
            if let Ok(settings) = &mut member.settings {
                settings.retain(|row| row.name.eq_ignore_ascii_case(setting));
            }
            (member.slots, member.touched) = (Ok(Vec::new()), Ok(Vec::new()));
            member.connections.clear();
        }
        Ok(Self { linted, prediction })
    }

    fn told(&self, format: PredictFormat, around: &Surroundings) -> String {
        let paper = Paper { colour: false, columns: around.columns.map_or(COLUMNS, usize::from) };
        tell_settings(&self.linted, &self.prediction, format, paper)
    }
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
