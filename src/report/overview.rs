//! All findings on a few lines, the worst first: what to look at, and where.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Page;
use crate::finding::Finding;
use crate::rules::schema::Severity;
use crate::source::SourceId;

/// Places that are named for each rule.
const PLACES: usize = 3;
/// With so few findings there is nothing to sum up.
pub(super) const FEW: usize = 4;

/// The findings of one rule.
pub(super) struct Group<'a> {
    pub(super) severity: Severity,
    pub(super) rule: &'a str,
    pub(super) findings: Vec<&'a Finding>,
}

/// The findings by rule: errors first, then those with the most findings.
pub(super) fn groups<'a>(page: &Page<'a>) -> Vec<Group<'a>> {
    let mut by_rule: BTreeMap<(Reverse<Severity>, &str), Vec<&Finding>> = BTreeMap::new();
    for finding in &page.outcome.findings {
        by_rule.entry((Reverse(finding.severity), &finding.rule)).or_default().push(finding);
    }
    let mut groups: Vec<Group<'_>> =
        by_rule.into_iter().map(|((Reverse(severity), rule), findings)| Group { severity, rule, findings }).collect();
    groups.sort_by_key(|g| (Reverse(g.severity), Reverse(g.findings.len())));
    groups
}

/// The table at the end of the report for people; empty when a look at the findings is as quick.
pub(super) fn table(page: &Page<'_>) -> String {
    if page.outcome.findings.len() < FEW {
        return String::new();
    }
    let groups = groups(page);
    let width = groups.iter().map(|g| g.rule.len()).max().unwrap_or(0);
    let digits = groups.iter().map(|g| g.findings.len().to_string().len()).max().unwrap_or(1);
    let mut out = "in short, the worst first:\n".to_owned();
    for Group { severity, rule, findings } in &groups {
        let count = findings.len();
        let _ = writeln!(out, "  {:7}  {count:digits$} × {rule:width$}  {}", severity.word(), places(page, findings));
    }
    out.push('\n');
    out
}

/// `pg1/patroni.yml:19, :56, pg2/patroni.yml:3 and 2 more`
fn places(page: &Page<'_>, findings: &[&Finding]) -> String {
    let lines = findings.iter().map(|f| (f.at.source, page.sources.get(f.at.source).line_index(f.at.start) + 1));
    let mut lines: Vec<(SourceId, usize)> = lines.collect();
    lines.dedup();
    let mut out = String::new();
    let mut file = None;
    for (source, line) in lines.iter().take(PLACES) {
        let comma = if out.is_empty() { "" } else { ", " };
        let name = if file == Some(source) { String::new() } else { page.name(&page.sources.get(*source)) };
        let _ = write!(out, "{comma}{name}:{line}");
        file = Some(source);
    }
    if lines.len() > PLACES {
        let _ = write!(out, " and {} more", lines.len() - PLACES);
    }
    out
}
