//! SARIF 2.1.0, which code scanning of GitHub, Azure DevOps and editors read.
//! <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>
//!
//! Columns count Unicode code points from 1 and ends are exclusive, as everywhere in this program (`columnKind`). A fix is
//! given when its edits may be applied by a tool and can be shown exactly: one that would show a secret is left out.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::place::{self, Range};
use super::style::uri_path;
use super::{Page, edits, fingerprint, is_open};
use crate::finding::{Finding, Fix};
use crate::rules::builtin;
use crate::rules::schema::{Rule, Safety, Severity};
use crate::source::{Source, Span};

/// Where the schema of the format lies.
const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// The name of the directory that relative paths start at.
const ROOT: &str = "%SRCROOT%";
const BOM: &[u8] = b"\xef\xbb\xbf";

/// The whole report, with a line end.
///
/// # Panics
/// Never: plain data has a JSON form.
#[must_use]
pub fn render(page: &Page<'_>) -> String {
    let rules = Rules::new(page);
    let findings = &page.outcome.findings;
    let fingerprints = fingerprint::fingerprints(page.sources, page.redactor, findings);
    let results: Vec<Value> =
        findings.iter().zip(fingerprints).map(|(f, print)| result(page, &rules, f, &print)).collect();
    let document = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": env!("CARGO_PKG_NAME"),
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.0.iter().map(|id| descriptor(page, id)).collect::<Vec<_>>(),
                "notifications": [
                    {"id": "not-checked", "shortDescription": {"text": "a check that could not be made"}},
                    {"id": "fault", "shortDescription": {"text": "a fault of this program"}},
                ],
            }},
            "automationDetails": {"id": concat!(env!("CARGO_PKG_NAME"), "/")},
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": {
                ROOT: {"description": {"text": "the directory that the program was started in"}},
            },
            "invocations": [invocation(page, &rules)],
            "results": results,
        }],
    });
    let mut text = serde_json::to_string_pretty(&document).expect("invariant: plain data has a JSON form");
    text.push('\n');
    text
}

/// The rules that the report speaks of, by id.
struct Rules<'a>(Vec<&'a str>);

impl<'a> Rules<'a> {
    fn new(page: &Page<'a>) -> Self {
        let outcome = page.outcome;
        let found = outcome.findings.iter().map(|f| &*f.rule);
        let open = outcome.gaps.iter().map(|(rule, _)| rule.as_str());
        let broken = outcome.broken.iter().map(|b| b.rule.as_str());
        let ids: BTreeSet<&str> = found.chain(open).chain(broken).collect();
        Self(ids.into_iter().collect())
    }

    fn index(&self, id: &str) -> usize {
        self.0.partition_point(|known| *known < id)
    }

    fn reference(&self, id: &str) -> Value {
        json!({"id": id, "index": self.index(id)})
    }
}

fn descriptor(page: &Page<'_>, id: &str) -> Value {
    let Some(rule) = page.rule(id) else { return json!({"id": id}) };
    let mut value = json!({
        "id": id,
        "shortDescription": {"text": &*rule.summary},
        "fullDescription": {"text": words(&rule.why)},
        "help": {"text": help(rule, ""), "markdown": help(rule, "**")},
        "defaultConfiguration": {"level": level(rule.severity)},
        "properties": {
            "tags": tags(rule),
            "precision": "high",
            "problem.severity": match rule.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Note => "recommendation",
            },
        },
    });
    if let Some(url) = rule.references.first() {
        value["helpUri"] = json!(url);
    }
    value
}

fn tags(rule: &Rule) -> Vec<String> {
    let mut tags = vec!["patroni".to_owned(), "postgresql".to_owned()];
    tags.extend(builtin::area(&rule.id).map(ToOwned::to_owned));
    tags
}

/// The page of a rule; `strong` stands around headings.
fn help(rule: &Rule, strong: &str) -> String {
    let mut parts = vec![words(&rule.why)];
    parts.push(match &rule.fix {
        Some(fix) if fix.because.is_empty() => format!("{strong}Fix:{strong} {}", words(&fix.title)),
        Some(fix) => format!("{strong}Fix:{strong} {} ({})", words(&fix.title), words(&fix.because)),
        None => format!("{strong}No ready fix:{strong} {}", words(&rule.no_fix)),
    });
    parts.push(format!("Accept it where it is meant: `# preflight: allow({}) reason`", rule.id));
    parts.extend(rule.references.iter().map(|url| format!("{strong}See:{strong} {url}")));
    parts.join("\n\n")
}

/// A paragraph of a rule file as one line.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

const fn level(severity: Severity) -> &'static str {
    severity.word()
}

fn invocation(page: &Page<'_>, rules: &Rules<'_>) -> Value {
    let outcome = page.outcome;
    let gaps = outcome.gaps.iter().map(|(rule, gap)| {
        json!({
            "level": if is_open(gap) { "warning" } else { "note" },
            "message": {"text": format!("not checked: {}", page.redactor.words(&[], &gap.to_string()))},
            "descriptor": {"id": "not-checked", "index": 0},
            "associatedRule": rules.reference(rule),
        })
    });
    let faults = outcome.broken.iter().map(|broken| {
        json!({
            "level": "error",
            "message": {"text": page.redactor.words(&[], &broken.message)},
            "descriptor": {"id": "fault", "index": 1},
            "associatedRule": rules.reference(&broken.rule),
        })
    });
    json!({
        "executionSuccessful": outcome.broken.is_empty(),
        "exitCode": page.verdict.code,
        "exitCodeDescription": page.verdict.reason,
        "toolExecutionNotifications": gaps.chain(faults).collect::<Vec<_>>(),
    })
}

fn result(page: &Page<'_>, rules: &Rules<'_>, finding: &Finding, print: &str) -> Value {
    let about = finding.sources();
    let mut value = json!({
        "ruleId": &*finding.rule,
        "ruleIndex": rules.index(&finding.rule),
        "level": level(finding.severity),
        "message": {"text": message(page, finding)},
        "locations": [{"physicalLocation": physical(page, finding.at)}],
        "partialFingerprints": {format!("patroniPreflight/{}", fingerprint::VERSION): print},
    });
    if !finding.labels.is_empty() {
        let related = finding.labels.iter().enumerate().map(|(i, label)| {
            let mut place = json!({"id": i + 1, "physicalLocation": physical(page, label.at)});
            if !label.text.is_empty() {
                place["message"] = json!({"text": page.redactor.words(&about, &label.text)});
            }
            place
        });
        value["relatedLocations"] = related.collect();
    }
    if let Some(fix) = finding.fix.as_ref().ok().and_then(|f| changes(page, &about, f)) {
        value["fixes"] = json!([fix]);
    }
    value
}

/// The message, what will happen, and the way out, as paragraphs.
fn message(page: &Page<'_>, finding: &Finding) -> String {
    let about = finding.sources();
    let mut text = page.message(finding);
    for note in &finding.notes {
        text.push_str("\n\n");
        text.push_str(&page.redactor.words(&about, note));
    }
    let way_out = match &finding.fix {
        Ok(fix) => format!("\n\nFix: {}", fix.title),
        Err(reason) => format!("\n\nNo ready fix: {reason}"),
    };
    text.push_str(&page.redactor.words(&about, &way_out));
    text
}

fn artifact(source: &Source) -> Value {
    let name = source.name();
    match source.file() {
        Some(path) if path.is_absolute() => json!({"uri": format!("file://{}", uri_path(name))}),
        _ => json!({"uri": uri_path(name.strip_prefix("./").unwrap_or(name)), "uriBaseId": ROOT}),
    }
}

fn physical(page: &Page<'_>, span: Span) -> Value {
    let source = page.sources.get(span.source);
    json!({"artifactLocation": artifact(&source), "region": region(&source, span)})
}

fn region(source: &Source, span: Span) -> Value {
    let Range { line, column, end_line, end_column } = place::range(source, span);
    // A byte order mark is no character of the text.
    let shift = |line: usize, column: usize| {
        if line == 1 && source.bytes().starts_with(BOM) { column.saturating_sub(1).max(1) } else { column }
    };
    json!({
        "startLine": line,
        "startColumn": shift(line, column),
        "endLine": end_line,
        "endColumn": shift(end_line, end_column),
    })
}

/// A fix that a tool may apply.
fn changes(page: &Page<'_>, about: &[crate::source::SourceId], fix: &Fix) -> Option<Value> {
    if fix.safety == Safety::Manual {
        return None;
    }
    let mut by_file: BTreeMap<String, (Value, Vec<Value>)> = BTreeMap::new();
    for edit in edits::exact(page, fix)? {
        let source = page.sources.get(edit.at.source);
        if !countable(&source, edit.at) {
            return None;
        }
        let replacement = json!({"deletedRegion": region(&source, edit.at), "insertedContent": {"text": edit.text}});
        let entry = by_file.entry(source.name().to_owned()).or_insert_with(|| (artifact(&source), Vec::new()));
        entry.1.push(replacement);
    }
    let because = if fix.because.is_empty() { String::new() } else { format!(" ({})", fix.because) };
    let changes = by_file.into_values().map(|(at, all)| json!({"artifactLocation": at, "replacements": all}));
    Some(json!({
        "description": {"text": page.redactor.words(about, &format!("{}{because}", fix.title))},
        "artifactChanges": changes.collect::<Vec<_>>(),
    }))
}

/// Whether every reader counts the same characters up to a place: bytes that are no UTF-8 and byte order marks are counted
/// differently.
fn countable(source: &Source, at: Span) -> bool {
    std::str::from_utf8(source.bytes()).is_ok() && !(source.bytes().starts_with(BOM) && (at.start as usize) < BOM.len())
}
