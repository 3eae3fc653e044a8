//! The page of a rule.

use super::{Page, Subject};
use crate::rules::builtin::{area, example};
use crate::rules::schema::{Rule, Severity, Status, StepSpec};

/// Everything a rule says.
pub(super) fn page(rule: &'static Rule) -> Page {
    let mut page = Page::new(Subject::Rule, &*rule.id, &*rule.summary);
    page.fact("severity", effect(rule.severity));
    page.fact("happens", paragraphs(&rule.why));
    if let Some(example) = example(&rule.id) {
        page.fact("example", format!("{}\n{}", example.file, example.bad));
        page.fact("says", example.says);
        page.fact("silent on", example.good);
    }
    page.fact("fix", fix(rule));
    let needs: Vec<&str> = rule.needs.iter().map(|n| n.word()).collect();
    page.fact("looks at", needs.join(", "));
    page.fact("Patroni", &*rule.patroni);
    page.fact("PostgreSQL", &*rule.postgresql);
    page.fact("since", &*rule.since);
    if rule.status == Status::Trial {
        page.fact("on trial", "runs only with `--trial` or with a severity of your own in `preflight.toml`");
    }
    page.fact("kind", format!("{} ({})", rule.check.kind(), area(&rule.id).unwrap_or_default()));
    page.fact("accept", format!("# preflight: allow({}) and the reason why", rule.id));
    page.fact("see", rule.references.join("\n"));
    page
}

const fn effect(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error: fails or loses data",
        Severity::Warning => "warning: works, but is fragile",
        Severity::Note => "note: worth knowing",
    }
}

/// Lines of a rule file joined to paragraphs. Its placeholders, which only a finding fills, are shown as `…`.
fn paragraphs(text: &str) -> String {
    let joined: Vec<String> =
        text.trim().split("\n\n").map(|p| p.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    without_placeholders(&joined.join("\n"))
}

fn without_placeholders(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('{') {
        out.push_str(before);
        if let Some(literal) = behind.strip_prefix('{') {
            out.push('{');
            rest = literal;
        } else if let Some((_, after)) = behind.split_once('}') {
            out.push('…');
            rest = after;
        } else {
            rest = behind;
        }
    }
    out.push_str(rest);
    out.replace("}}", "}").replace("[[", "").replace("]]", "")
}

fn fix(rule: &Rule) -> String {
    let Some(fix) = &rule.fix else { return format!("none is ready: {}", without_placeholders(&rule.no_fix)) };
    let mut lines =
        vec![format!("{} ({})", without_placeholders(&fix.title), format!("{:?}", fix.safety).to_lowercase())];
    if !fix.because.is_empty() {
        lines.push(format!("because {}", without_placeholders(&fix.because)));
    }
    lines.extend(fix.steps.iter().map(|step| format!("- {}", without_placeholders(&describe(step)))));
    lines.join("\n")
}

fn describe(step: &StepSpec) -> String {
    match step {
        StepSpec::Edit(_) => "the file is changed as shown with the finding".to_owned(),
        StepSpec::SetDynamic { key, value } => format!("patronictl edit-config -s {key}={value}"),
        StepSpec::Sql(t) => format!("SQL: {t}"),
        StepSpec::Command(t) => format!("$ {t}"),
        StepSpec::Reload(_) => "reload the configuration".to_owned(),
        StepSpec::Restart(_) => "restart PostgreSQL: connections drop".to_owned(),
        StepSpec::Human(t) => t.split_whitespace().collect::<Vec<_>>().join(" "),
    }
}
