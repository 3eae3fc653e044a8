//! Lists of rules.

use std::fmt::Write as _;

use crate::rules::builtin::area;
use crate::rules::schema::{Rule, Status};

/// One line a rule: id, severity, what it looks at, summary.
#[must_use]
pub fn list(rules: &[&Rule]) -> String {
    let width = rules.iter().map(|r| r.id.len()).max().unwrap_or(0);
    let mut out = String::new();
    for rule in rules {
        let trial = if rule.status == Status::Trial { " (trial)" } else { "" };
        let _ = writeln!(out, "{:width$}  {:7}  {}{trial}", rule.id, rule.severity.word(), rule.summary);
    }
    out
}

/// A rule of a list.
#[derive(serde::Serialize)]
struct Row<'a> {
    id: &'a str,
    area: &'a str,
    severity: &'a str,
    trial: bool,
    summary: &'a str,
    kind: &'a str,
    looks_at: Vec<&'a str>,
}

/// The same for programs, as one JSON list.
///
/// # Panics
/// Never: plain data has a JSON form.
#[must_use]
pub fn list_json(rules: &[&Rule]) -> String {
    let rows: Vec<Row<'_>> = rules
        .iter()
        .map(|rule| Row {
            id: &rule.id,
            area: area(&rule.id).unwrap_or_default(),
            severity: rule.severity.word(),
            trial: rule.status == Status::Trial,
            summary: &rule.summary,
            kind: rule.check.kind(),
            looks_at: rule.needs.iter().map(|n| n.word()).collect(),
        })
        .collect();
    serde_json::to_string_pretty(&rows).expect("invariant: plain data has a JSON form") + "\n"
}
