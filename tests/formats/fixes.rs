//! A fix in SARIF does what our own edits do.

use std::collections::BTreeMap;

use patroni_preflight::cli::Format;
use patroni_preflight::finding::{Action, Finding};
use patroni_preflight::problem::Edit;
use patroni_preflight::rules::schema::Safety;
use patroni_preflight::source::SourceMap;
use serde_json::Value;

use super::places::range;
use super::{Shot, parsed, shots};

/// Replacements of bytes, from the last to the first; those at one place in the order in which they stand.
fn apply(text: &str, mut replacements: Vec<(usize, usize, String)>) -> String {
    let mut out = String::new();
    let mut at = 0;
    replacements.sort_by_key(|r| (r.0, r.1));
    for (from, to, new) in replacements {
        assert!(from >= at, "edits overlap");
        out.push_str(&text[at..from]);
        out.push_str(&new);
        at = to;
    }
    out + &text[at..]
}

fn edits(finding: &Finding) -> Vec<&Edit> {
    let Ok(fix) = &finding.fix else { return Vec::new() };
    let actions = fix.steps.iter().map(|s| &s.action);
    actions.filter_map(|a| if let Action::Edit(edits) = a { Some(edits) } else { None }).flatten().collect()
}

/// Every file after our own edits.
fn ours(sources: &SourceMap, finding: &Finding) -> BTreeMap<String, String> {
    let mut files: BTreeMap<_, Vec<&Edit>> = BTreeMap::new();
    for edit in edits(finding) {
        files.entry(edit.at.source).or_default().push(edit);
    }
    let done = files.into_iter().map(|(id, edits)| {
        let source = sources.get(id);
        let parts = edits.into_iter().map(|e| (e.at.start as usize, e.at.end as usize, e.text.clone())).collect();
        (source.name().to_owned(), apply(std::str::from_utf8(source.bytes()).unwrap(), parts))
    });
    done.collect()
}

/// Every file after the changes of a SARIF fix.
fn theirs(sources: &SourceMap, fix: &Value) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for change in fix["artifactChanges"].as_array().unwrap() {
        let uri = change["artifactLocation"]["uri"].as_str().unwrap();
        let source = sources.all().into_iter().find(|s| s.name() == uri).unwrap_or_else(|| panic!("no file {uri}"));
        let text = std::str::from_utf8(source.bytes()).unwrap();
        let parts = change["replacements"].as_array().unwrap().iter().map(|r| {
            let names = ["startLine", "startColumn", "endLine", "endColumn"];
            let (from, to) = range(text, &r["deletedRegion"], names).unwrap();
            (from, to, r["insertedContent"]["text"].as_str().unwrap().to_owned())
        });
        files.insert(uri.to_owned(), apply(text, parts.collect()));
    }
    files
}

/// Whether an edit rewrites a part of a secret, so that it cannot be shown.
fn repeats_secret(shot: &Shot, finding: &Finding) -> bool {
    let inside = |e: &&Edit| {
        let secrets = shot.linted.facts.secret_spans().iter();
        secrets.filter(|s| s.source == e.at.source).any(|s| s.start < e.at.end && s.end > e.at.start)
    };
    edits(finding).iter().any(inside)
}

#[test]
fn a_fix_in_sarif_does_what_our_edits_do() {
    let (mut applied, mut hidden) = (0, 0);
    let mut missing = Vec::new();
    for shot in shots() {
        let sources = &shot.linted.facts.sources;
        let document = parsed(&shot, Format::Sarif);
        for (i, finding) in shot.linted.outcome.findings.iter().enumerate() {
            let fixes = &document["runs"][0]["results"][i]["fixes"];
            let wanted = finding.fix.as_ref().is_ok_and(|f| f.safety > Safety::Manual) && !edits(finding).is_empty();
            if !wanted {
                assert!(fixes.is_null(), "{}: {} is for a person", shot.name, finding.rule);
            } else if fixes.is_null() && repeats_secret(&shot, finding) {
                hidden += 1;
            } else if fixes.is_null() {
                missing.push(format!("{}: {}", shot.name, finding.rule));
            } else {
                assert_eq!(ours(sources, finding), theirs(sources, &fixes[0]), "{}: {}", shot.name, finding.rule);
                applied += 1;
            }
        }
    }
    assert!(applied > 40 && (1..5).contains(&hidden), "{applied} applied, {hidden} hidden");
    assert!(missing.is_empty(), "without a fix, though it could be shown: {missing:#?}");
}
