//! Findings that are known and hidden, so that only new ones show.
//!
//! A baseline holds fingerprints, rules and paths; no text of any file.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::finding::Finding;
use crate::problem::Problem;
use crate::report::fingerprint;
use crate::rules::engine::{Broken, Outcome, sort, word};
use crate::rules::schema::Rule;
use crate::rules::selection::Selection;
use crate::source::path::normal;
use crate::source::{Source, SourceMap};

/// The rule that speaks of entries without a finding.
const STALE: &str = "stale-baseline-entry";

/// Changes when an older program could misread the file.
const VERSION: u32 = 1;

/// A finding that is known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The path of the file.
    pub file: String,
    /// The rule.
    pub rule: String,
    /// What makes it this one.
    pub fingerprint: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    fingerprints: String,
    findings: Vec<Entry>,
}

/// Reads a baseline.
///
/// # Errors
/// What is wrong with it, with line and column.
pub fn parse(name: &str, text: &str) -> Result<Vec<Entry>, String> {
    let file: File = serde_json::from_str(text).map_err(|e| {
        let message = e.to_string();
        let what = message.rsplit_once(" at line ").map_or(message.as_str(), |(what, _)| what);
        format!("{name}:{}:{}: {what}", e.line(), e.column())
    })?;
    if (file.version, file.fingerprints.as_str()) != (VERSION, fingerprint::VERSION) {
        return Err(format!("{name}: it was written by another release; write it anew with --write-baseline"));
    }
    Ok(file.findings)
}

/// A baseline as a text: sorted, one line a finding, so that versions of it can be compared and merged.
///
/// # Panics
/// Never: texts have a JSON form.
#[must_use]
pub fn write(mut entries: Vec<Entry>) -> String {
    entries.sort();
    entries.dedup();
    let line = |e: &Entry| format!("    {}", serde_json::to_string(e).expect("invariant: texts have a JSON form"));
    let lines: Vec<String> = entries.iter().map(line).collect();
    let body = if lines.is_empty() { String::new() } else { format!("\n{}\n  ", lines.join(",\n")) };
    format!(
        "{{\n  \"version\": {VERSION},\n  \"fingerprints\": \"{}\",\n  \"findings\": [{body}]\n}}\n",
        fingerprint::VERSION
    )
}

/// What a run has found, as entries; `prints` are the fingerprints of its findings.
#[must_use]
pub fn entries(sources: &SourceMap, findings: &[Finding], prints: Vec<String>) -> Vec<Entry> {
    let entry = |(finding, fingerprint): (&Finding, String)| Entry {
        file: fingerprint::path(sources.get(finding.at.source).name()),
        rule: finding.rule.to_string(),
        fingerprint,
    };
    findings.iter().zip(prints).map(entry).collect()
}

/// What a run would have found again.
#[derive(Clone, Copy)]
pub struct Reach<'a> {
    /// The rules of the run.
    pub rules: &'a [Rule],
    /// Which of them ran.
    pub selection: &'a Selection,
    /// Whether a path was looked at, if there is a file.
    pub looked: &'a dyn Fn(&str) -> bool,
}

impl Reach<'_> {
    /// Whether an entry would have been found again if it were still there.
    #[must_use]
    pub fn covers(&self, entry: &Entry, outcome: &Outcome) -> bool {
        let rule = self.rules.iter().find(|r| r.id == entry.rule);
        let ran = rule.is_none_or(|r| self.selection.runs(r));
        let open = outcome.gaps.iter().any(|(rule, _)| *rule == entry.rule)
            || outcome.broken.iter().any(|b| b.rule == entry.rule);
        ran && !open && (self.looked)(&entry.file)
    }
}

/// Hides what is known, and says which entries are stale. `file` is the text of the baseline.
pub fn hide(
    outcome: &mut Outcome,
    sources: &SourceMap,
    prints: &[String],
    known: &[Entry],
    file: &Arc<Source>,
    reach: Reach<'_>,
) {
    let hidden: BTreeSet<&str> = known.iter().map(|e| e.fingerprint.as_str()).collect();
    let found: BTreeSet<&str> = prints.iter().map(String::as_str).collect();
    let all = std::mem::take(&mut outcome.findings);
    let before = all.len();
    let new = all.into_iter().zip(prints).filter(|(_, print)| !hidden.contains(print.as_str()));
    outcome.findings = new.map(|(finding, _)| finding).collect();
    outcome.known = before - outcome.findings.len();
    let Some(rule) = reach.rules.iter().find(|r| r.id == STALE) else { return };
    let Some(severity) = reach.selection.severity_at(rule, file.path()) else { return };
    let is_gone = |e: &&Entry| !found.contains(e.fingerprint.as_str()) && reach.covers(e, outcome);
    let stale: Vec<&Entry> = known.iter().filter(is_gone).collect();
    for entry in stale {
        let at = memchr::memmem::find(file.bytes(), entry.fingerprint.as_bytes()).unwrap_or(0);
        let end = (at + entry.fingerprint.len()).min(file.bytes().len());
        let problem = Problem::new(STALE, file.span(at, end)).arg("id", &*entry.rule).arg("file", &*entry.file);
        match word(rule, severity, problem) {
            Ok(finding) => outcome.findings.push(finding),
            Err(name) => outcome.broken.push(Broken { rule: STALE.to_owned(), message: name }),
        }
    }
    sort(sources, outcome);
}

/// Whether a path lies at or below one of some paths, by their words.
#[must_use]
pub fn below(file: &str, paths: &[std::path::PathBuf]) -> bool {
    let file = normal(Path::new(file));
    paths.iter().any(|p| file.starts_with(normal(p)) && file.is_absolute() == p.is_absolute())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_read_as_it_is_written() {
        let entry = |file: &str| Entry { file: file.into(), rule: "r".into(), fingerprint: "00".into() };
        let text = write(vec![entry("b"), entry("a"), entry("b")]);
        assert_eq!(parse("x", &text), Ok(vec![entry("a"), entry("b")]));
        assert_eq!(parse("x", &write(Vec::new())), Ok(Vec::new()));
        assert_eq!(
            parse("x", "{\n  \"version\": 1, \"z\": 2}"),
            Err("x:2:19: unknown field `z`, expected one of `version`, `fingerprints`, `findings`".to_owned())
        );
        assert!(parse("x", &text.replace("v1", "v0")).is_err());
    }

    #[test]
    fn the_current_directory_holds_all_relative_paths() {
        assert!(below("a/b", &[".".into()]) && below("./a/b", &["a".into()]) && !below("ab", &["a".into()]));
        assert!(!below("/a", &[".".into()]));
    }
}
