//! One line a finding: `file:line:column: severity[rule]: message`.

use std::fmt::Write as _;

use super::style::link;
use super::{Page, Style, last_line, place};
use crate::finding::Finding;
use crate::rules::schema::Severity;

/// The whole report, in the order of the files.
#[must_use]
pub fn render(page: &Page<'_>, style: &Style) -> String {
    let mut out = String::new();
    for finding in &page.outcome.findings {
        let _ = writeln!(
            out,
            "{}: {}[{}]: {}",
            place(page, finding, style),
            severity(finding.severity, style),
            rule(page, finding, style),
            page.message(finding)
        );
    }
    for (rule, gap) in &page.outcome.gaps {
        let _ = writeln!(out, "not checked[{rule}]: {}", page.redactor.words(&[], &gap.to_string()));
    }
    for broken in &page.outcome.broken {
        let _ = writeln!(out, "fault of this program[{}]: {}", broken.rule, page.redactor.words(&[], &broken.message));
    }
    let _ = writeln!(out, "{}", last_line(page));
    out
}

fn place(page: &Page<'_>, finding: &Finding, style: &Style) -> String {
    let source = page.sources.get(finding.at.source);
    let range = place::range(&source, finding.at);
    let text = format!("{}:{}:{}", page.name(&source), range.line, range.column);
    match &style.links {
        Some(links) if source.path().is_some() => link(&links.file(source.name()), &text),
        _ => text,
    }
}

fn severity(severity: Severity, style: &Style) -> String {
    let colour = match severity {
        Severity::Error => 31,
        Severity::Warning => 33,
        Severity::Note => 32,
    };
    let word = severity.word();
    if style.colour { format!("\u{1b}[1;{colour}m{word}\u{1b}[0m") } else { word.to_owned() }
}

fn rule(page: &Page<'_>, finding: &Finding, style: &Style) -> String {
    let url = page.rule(&finding.rule).and_then(|r| r.references.first());
    match (&style.links, url) {
        (Some(_), Some(url)) => link(url, &finding.rule),
        _ => finding.rule.to_string(),
    }
}
