//! GitLab's Code Quality report. <https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>
//!
//! It has no place for what was not checked; the exit code tells.

use serde::Serialize;

use super::{Page, fingerprint, place};
use crate::finding::Finding;
use crate::rules::schema::Severity;

#[derive(Serialize)]
struct Issue<'a> {
    description: String,
    check_name: &'a str,
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: usize,
    end: usize,
}

/// The whole report, with a line end.
///
/// # Panics
/// Never: plain data has a JSON form.
#[must_use]
pub fn render(page: &Page<'_>) -> String {
    let findings = &page.outcome.findings;
    let fingerprints = fingerprint::fingerprints(page.sources, page.redactor, findings);
    let issues: Vec<Issue<'_>> = findings.iter().zip(fingerprints).map(|(f, print)| issue(page, f, print)).collect();
    let mut text = serde_json::to_string_pretty(&issues).expect("invariant: plain data has a JSON form");
    text.push('\n');
    text
}

fn issue<'a>(page: &Page<'_>, finding: &'a Finding, fingerprint: String) -> Issue<'a> {
    let at = place::place(page, finding.at);
    Issue {
        description: page.message(finding),
        check_name: &finding.rule,
        fingerprint,
        severity: level(finding.severity),
        location: Location {
            // The path in the repository: GitLab finds no file called `./x`.
            path: at.file.strip_prefix("./").unwrap_or(&at.file).to_owned(),
            lines: Lines { begin: at.range.line, end: at.range.end_line },
        },
    }
}

/// GitLab knows info, minor, major, critical and blocker.
const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "critical",
        Severity::Warning => "major",
        Severity::Note => "info",
    }
}
