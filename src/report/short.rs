//! One line a finding: `file:line:column: severity[rule]: message`.

use std::fmt::Write as _;

use super::{Page, last_line};

/// The whole report.
#[must_use]
pub fn render(page: &Page<'_>) -> String {
    let mut out = String::new();
    for finding in &page.outcome.findings {
        let source = page.sources.get(finding.at.source);
        let (line, column) = source.position(finding.at.start);
        let message = page.redactor.words(&finding.sources(), &finding.message);
        let _ = writeln!(
            out,
            "{}:{line}:{column}: {}[{}]: {message}",
            source.name(),
            finding.severity.word(),
            finding.rule
        );
    }
    for (rule, gap) in &page.outcome.gaps {
        let _ = writeln!(out, "not checked[{rule}]: {gap}");
    }
    for broken in &page.outcome.broken {
        let _ = writeln!(out, "fault of this program[{}]: {}", broken.rule, page.redactor.words(&[], &broken.message));
    }
    let _ = writeln!(out, "{}", last_line(page));
    out
}
