//! Real files, as they are: against PyYAML now, and against what was recorded about them.

use std::path::PathBuf;

use patroni_preflight::parse::yaml::{NodeId, Tree, Value, parse};
use patroni_preflight::problem::Parsed;
use patroni_preflight::source::Source;
use serde_json::Value as Json;

use super::peer::{Peer, corpus};

/// Files that are meant to be YAML, by path below the corpus.
pub(super) fn files() -> Vec<(String, Vec<u8>)> {
    let Some(root) = corpus() else { return Vec::new() };
    let mut files = Vec::new();
    for folder in ["patroni", "templates"] {
        let mut paths: Vec<PathBuf> = std::fs::read_dir(root.join(folder))
            .map(|entries| entries.filter_map(|e| e.ok().map(|e| e.path())).collect())
            .unwrap_or_default();
        paths.sort();
        for path in paths {
            let name = format!("{folder}/{}", path.file_name().unwrap_or_default().to_string_lossy());
            files.push((name, std::fs::read(&path).expect("a readable file")));
        }
    }
    files
}

#[test]
fn real_files_read_as_pyyaml_reads_them() {
    let files = files();
    if files.is_empty() {
        println!("corpus not found: skipped");
        return;
    }
    let mut peer = Peer::start();
    let mut differ = Vec::new();
    for (name, bytes) in &files {
        if let Err(answers) = super::compare(&mut peer, bytes, &mut std::collections::BTreeMap::new()) {
            differ.push(format!("{name}\n{answers}"));
        }
    }
    println!("{} files", files.len());
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

#[test]
fn real_files_hold_what_was_recorded() {
    let Some(root) = corpus() else {
        println!("corpus not found: skipped");
        return;
    };
    let records = std::fs::read_to_string(root.join("oracle/pyyaml.jsonl")).expect("the recorded answers");
    let (mut files, mut facts) = (0, 0);
    for line in records.lines() {
        let record: Json = serde_json::from_str(line).expect("JSON");
        let name = record["file"].as_str().expect("a name");
        let bytes = std::fs::read(root.join(name)).expect("a file");
        let source = Source::lone(name, bytes);
        let parsed = parse(&source);
        files += 1;
        facts += check_error(name, &source, &parsed, &record["error"]);
        facts += check_duplicates(name, &source, &parsed, &record);
        for surprise in record["surprises"].as_array().into_iter().flatten() {
            check_surprise(name, &source, &parsed.tree, surprise);
            facts += 1;
        }
    }
    println!("{files} files, {facts} recorded facts");
    assert!(files > 0 && facts > 0, "nothing was recorded");
}

fn number(json: &Json) -> usize {
    usize::try_from(json.as_u64().expect("a number")).expect("a small number")
}

fn check_error(name: &str, source: &Source, parsed: &Parsed<Tree>, error: &Json) -> usize {
    let Some(raised) = parsed.tree.exception() else {
        assert!(error.is_null(), "{name}: accepted, but {error}");
        return 1;
    };
    assert_eq!(error["type"], raised.class, "{name}");
    assert_eq!(error["problem"], raised.problem.as_ref(), "{name}");
    let at = u32::try_from(raised.at).expect("a small file");
    assert_eq!((number(&error["line"]), number(&error["column"])), source.position(at), "{name}");
    assert!(parsed.problems.iter().any(|p| p.at.start == at), "{name}: no problem there");
    1
}

fn check_duplicates(name: &str, source: &Source, parsed: &Parsed<Tree>, record: &Json) -> usize {
    let mut ours: Vec<(usize, usize, String)> = parsed
        .problems
        .iter()
        .filter(|p| ["yaml-duplicate-key", "yaml-repeated-key"].contains(&&*p.rule))
        .map(|p| (source.position(p.at.start).0, source.position(p.labels[0].0.start).0, p.args[0].1.clone()))
        .collect();
    let mut theirs: Vec<(usize, usize, String)> = record["duplicates"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|d| {
            let key = d["path"].as_str().and_then(|p| p.rsplit('.').next()).unwrap_or_default();
            (number(&d["line"]), number(&d["first"]), key.to_owned())
        })
        .collect();
    ours.sort();
    theirs.sort();
    assert_eq!(ours, theirs, "{name}");
    theirs.len()
}

/// Follows a path with dots between its keys; a key may hold dots itself.
fn find(tree: &Tree, here: NodeId, path: &str) -> Option<NodeId> {
    let ends = path.match_indices('.').map(|(at, _)| (at, at + 1)).chain([(path.len(), path.len())]);
    for (end, rest) in ends {
        let step = &path[..end];
        let child = match &tree.node(here).value {
            Value::Sequence(items) => {
                step.trim_matches(['[', ']']).parse().ok().and_then(|i: usize| items.get(i).copied())
            }
            _ => tree.get(here, step).map(|entry| entry.value),
        };
        match child {
            Some(child) if rest == end => return Some(child),
            Some(child) => {
                if let Some(found) = find(tree, child, &path[rest..]) {
                    return Some(found);
                }
            }
            None => {}
        }
    }
    None
}

fn check_surprise(name: &str, source: &Source, tree: &Tree, surprise: &Json) {
    let path = surprise["path"].as_str().expect("a path");
    let id = tree.root().and_then(|root| find(tree, root, path)).unwrap_or_else(|| panic!("{name}: no {path}"));
    let node = tree.node(id);
    let place = source.position(node.span.start);
    assert_eq!(place, (number(&surprise["line"]), number(&surprise["column"])), "{name}: {path}");
    let same = match &node.value {
        Value::Bool(b) => surprise["value"] == *b,
        Value::Str(text) => surprise["value"] == text.as_ref(),
        Value::Int(_) => surprise["value"].is_number(),
        // What is said of collections is that they are none of another kind.
        _ => surprise["value"].is_null(),
    };
    assert!(same, "{name}: {path} is {:?}, not {}", node.value, surprise["value"]);
}
