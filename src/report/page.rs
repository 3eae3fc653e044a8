//! What a rule says of itself.

use std::fmt::Write as _;

use crate::rules::schema::{Rule, Severity, Status, StepSpec};

/// One line a rule: id, severity, what it looks at, summary.
#[must_use]
pub fn list(rules: &[Rule]) -> String {
    let width = rules.iter().map(|r| r.id.len()).max().unwrap_or(0);
    let mut out = String::new();
    for rule in rules {
        let trial = if rule.status == Status::Trial { " (trial)" } else { "" };
        let _ = writeln!(out, "{:width$}  {:7}  {}{trial}", rule.id, rule.severity.word(), rule.summary);
    }
    out
}

/// Everything a rule says, for `explain`.
#[must_use]
pub fn rule(rule: &Rule) -> String {
    let mut out = format!("{}: {}\n", rule.id, rule.summary);
    let needs: Vec<&str> = rule.needs.iter().map(|n| n.word()).collect();
    let _ = writeln!(out, "{}; looks at {}; kind {}", effect(rule.severity), needs.join(", "), rule.check.kind());
    for (name, range) in [("Patroni", &rule.patroni), ("PostgreSQL", &rule.postgresql)] {
        if !range.is_empty() {
            let _ = writeln!(out, "{name} {range}");
        }
    }
    let _ = write!(out, "\n{}", rule.why);
    match &rule.fix {
        Some(fix) => {
            let _ = writeln!(out, "\nfix: {} ({:?})", fix.title, fix.safety);
            if !fix.because.is_empty() {
                let _ = writeln!(out, "  because {}", fix.because);
            }
            for step in fix.steps.iter() {
                let _ = writeln!(out, "  - {}", describe(step));
            }
        }
        None => {
            let _ = writeln!(out, "\nno ready fix: {}", rule.no_fix);
        }
    }
    let _ = writeln!(out, "\naccept it where it is meant: # preflight: allow({}) reason", rule.id);
    for reference in rule.references.iter() {
        let _ = writeln!(out, "see {reference}");
    }
    out
}

const fn effect(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error: fails or loses data",
        Severity::Warning => "warning: works, but is fragile",
        Severity::Note => "note: worth knowing",
    }
}

fn describe(step: &StepSpec) -> String {
    match step {
        StepSpec::Edit(_) => "the file is changed as shown with the finding".to_owned(),
        StepSpec::SetDynamic { key, value } => format!("patronictl edit-config -s {key}={value}"),
        StepSpec::Sql(t) => format!("SQL: {t}"),
        StepSpec::Command(t) => format!("$ {t}"),
        StepSpec::Reload(_) => "reload the configuration".to_owned(),
        StepSpec::Restart(_) => "restart PostgreSQL: connections drop".to_owned(),
        StepSpec::Human(t) => t.to_string(),
    }
}
