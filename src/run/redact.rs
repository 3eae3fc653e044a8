//! Takes the secrets out of a bundle and puts words in their place, so that it can be handed to somebody else and still says all
//! that rules ask.
//!
//! A word is as long as its secret, has letters where that has letters and digits where that has digits; equal secrets have equal
//! words and different ones different words, under one [`Key`]. So files are read as before, and every finding stays where it is.
//! What rules ask of the text of a secret beyond that is whether everybody knows it: [`Redaction::well_known`] says that of words.

mod cipher;
mod file;
mod key;
mod nets;
mod spelling;
mod texts;

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value};

pub use key::Key;

use crate::bundle::{Answer, Bundle, FileText, Node, Redaction};
use crate::collect::host::mask::{ASSIGNED, OPTION};
use crate::collect::kind::{Kind, SCRIPT};
use crate::collect::recorded::{Recorded, place};
use crate::facts::layout::Layout;
use crate::facts::{self, Facts, nodes};
use crate::parse::patroni::spans_in_text;
use crate::source::template::Template;
use crate::source::{Source, SourceMap, Span};
use file::Input;
use texts::Worker;

/// The same bundle with words in the place of its secrets. One whose secrets were replaced already stays as it is.
///
/// # Panics
/// Never: a bundle whose texts were replaced is a bundle.
#[must_use]
pub fn redact(bundle: &Bundle, key: &Key) -> Bundle {
    if bundle.redaction.is_some() {
        return bundle.clone();
    }
    let inputs = inputs(bundle);
    let mut worker = Worker::new(key);
    let _ = pass(bundle, &inputs, &mut worker);
    worker.knows_all();
    let mut redacted = pass(bundle, &inputs, &mut worker);
    redacted.redaction = Some(Redaction { key: key.fingerprint().to_owned(), well_known: worker.well_known });
    redacted
}

/// Replaces what is known so far.
fn pass(bundle: &Bundle, inputs: &BTreeMap<(&str, &str), Input>, worker: &mut Worker<'_>) -> Bundle {
    let mut texts: BTreeMap<_, String> =
        inputs.iter().map(|(at, input)| (*at, file::replaced(worker, input))).collect();
    let mut nodes = BTreeMap::new();
    for (name, node) in &bundle.nodes {
        let mut files = node.files.clone();
        for (path, answer) in node.files.keys().zip(files.values_mut()) {
            match answer {
                Answer::Got(None) => {}
                Answer::Got(Some(file)) => {
                    let text = texts.remove(&(name.as_str(), path.as_str()));
                    file.text = text.expect("invariant: the text of every file is known");
                }
                Answer::Missing(miss) => put(&mut miss.detail, |detail| worker.answer(detail)),
            }
        }
        let others = Node { files: BTreeMap::new(), ..node.clone() };
        nodes.insert(name.clone(), Node { files, ..walked(&others, worker) });
    }
    let stores = walked(&bundle.stores, worker);
    Bundle { nodes, stores, ..bundle.clone() }
}

/// A value of a bundle with words for the secrets in all of its texts.
fn walked<T: serde::Serialize + serde::de::DeserializeOwned>(value: &T, worker: &mut Worker<'_>) -> T {
    let mut json = serde_json::to_value(value).expect("invariant: a bundle is JSON");
    walk(worker, &mut json);
    serde_json::from_value(json).expect("invariant: only free texts were replaced")
}

/// Fields with a word of a closed set, or with what is no text of anybody.
const CLOSED: [&str; 5] = ["why", "kind", "columns", "engine", "runs"];

fn walk(worker: &mut Worker<'_>, value: &mut Value) {
    match value {
        Value::String(text) => put(text, |text| worker.answer(text)),
        Value::Array(items) if items.iter().all(Value::is_string) => words(worker, items),
        Value::Array(items) => items.iter_mut().for_each(|item| walk(worker, item)),
        Value::Object(map) if map.contains_key("columns") && map.contains_key("rows") => table(worker, map),
        Value::Object(map) => object(worker, map),
        _ => {}
    }
}

fn object(worker: &mut Worker<'_>, map: &mut Map<String, Value>) {
    let name = map.get("name").and_then(Value::as_str).map(str::to_owned);
    for (key, value) in map.iter_mut().filter(|(key, _)| !CLOSED.contains(&key.as_str())) {
        match (&name, value) {
            (Some(name), Value::String(text)) if key == "value" => put(text, |text| worker.named(name, text)),
            (_, Value::String(text)) => put(text, |text| worker.named(key, text)),
            // What came of connections is a word of a closed set as well.
            (_, Value::Object(places)) if key == "reach" => {
                places.values_mut().filter_map(|answer| answer.get_mut("missing")).for_each(|miss| walk(worker, miss));
            }
            (_, value) => walk(worker, value),
        }
    }
}

/// Puts another text in the place of one, where there is another.
fn put(text: &mut String, other: impl FnOnce(&str) -> Option<String>) {
    if let Some(other) = other(text) {
        *text = other;
    }
}

/// A list of words, which may be a command.
fn words(worker: &mut Worker<'_>, items: &mut [Value]) {
    let mut after_option = false;
    for item in items {
        let Value::String(word) = item else { continue };
        let is_option = OPTION.is_match(word);
        let assigned = ASSIGNED.captures(word).and_then(|c| c.name("v")).map(|m| m.start());
        *word = match assigned {
            _ if after_option && !word.starts_with('-') => worker.whole(word),
            Some(at)
                if !word[..at].contains(char::is_whitespace)
                    && nets::is_name_of_secret(word[..at].trim_matches(['-', '='])) =>
            {
                let value = worker.whole(&word[at..]);
                format!("{}{value}", &word[..at])
            }
            _ => worker.answer(word).unwrap_or_else(|| word.clone()),
        };
        after_option = is_option;
    }
}

/// Columns with the value of the setting that the row is about, whose name is in the column `name`.
const VALUES: [&str; 3] = ["setting", "boot_val", "reset_val"];

fn table(worker: &mut Worker<'_>, map: &mut Map<String, Value>) {
    let list = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
    let columns: Vec<String> =
        list(map.get("columns")).iter().map(|c| c.as_str().unwrap_or_default().to_owned()).collect();
    let name_at = columns.iter().position(|c| c == "name");
    let Some(rows) = map.get_mut("rows").and_then(Value::as_array_mut) else { return };
    for row in rows.iter_mut().filter_map(Value::as_array_mut) {
        let setting = name_at.and_then(|i| row.get(i)?.as_str().map(str::to_owned)).unwrap_or_default();
        for (column, value) in columns.iter().zip(row) {
            let Value::String(text) = value else { continue };
            let name = if VALUES.contains(&column.as_str()) { &setting } else { column };
            put(text, |text| worker.named(name, text));
        }
    }
}

/// The files of a bundle with what parsers know of their secrets.
fn inputs(bundle: &Bundle) -> BTreeMap<(&str, &str), Input> {
    let sources = SourceMap::default();
    let recorded = Recorded::new(bundle);
    let gathered = recorded.gather(&sources);
    let kinds: BTreeMap<PathBuf, Kind> =
        gathered.found.iter().filter_map(|f| Some((f.source.path()?.to_path_buf(), f.kind))).collect();
    let nodes = nodes::of_bundle(bundle, &sources);
    let facts = facts::build(sources, gathered, nodes, &recorded, &Layout::default());
    let mut inputs = BTreeMap::new();
    for (member, node) in &bundle.nodes {
        for (path, answer) in &node.files {
            let Answer::Got(Some(file)) = answer else { continue };
            let at = place(member, path);
            let is_script = file.kind.as_deref() == Some(SCRIPT);
            let mut input = match facts.sources.by_path(&at).filter(|_| !is_script) {
                Some(source) => {
                    // What another file includes is read as that is.
                    let kind = kinds.get(&at).copied().unwrap_or(Kind::Conf);
                    input(&facts, &source, kind)
                }
                None => unread(file),
            };
            input.text.clone_from(&file.text);
            input.name.clone_from(path);
            inputs.insert((member.as_str(), path.as_str()), input);
        }
    }
    inputs
}

fn input(facts: &Facts, source: &Source, kind: Kind) -> Input {
    let of_source = |s: &&Span| s.source == source.id() && s.end > s.start;
    let marked = facts.secret_spans().iter().filter(of_source).copied().map(Span::range);
    let hidden: Vec<_> = facts.hidden().iter().filter(of_source).copied().map(Span::range).collect();
    let mut spans: Vec<_> = marked.collect();
    let guessed: Vec<_> = spans_in_text(source).into_iter().map(Span::range).filter(|r| !r.is_empty()).collect();
    // Parsers mark what only looks like a secret in a file that they cannot read, and then all of it.
    let wrong = facts.problems.iter().filter(|p| p.rule.ends_with("-syntax-error"));
    let places = wrong.flat_map(|p| p.labels.iter().map(|(at, _)| *at).chain([p.at]));
    let broken: Vec<_> = places.filter(|at| at.source == source.id()).map(Span::range).collect();
    let is_unreadable = facts.patroni.iter().any(|f| !f.config.is_complete()) || !broken.is_empty();
    let marks: HashSet<&Range<usize>> = spans.iter().collect();
    let is_broken = is_unreadable && guessed.iter().all(|g| marks.contains(g));
    let mut loose: HashSet<_> = if is_broken { guessed.into_iter().collect() } else { HashSet::new() };
    loose.extend(hidden.iter().cloned());
    spans.extend(hidden);
    let holes = source.template().map(|t| holes(source.bytes(), t)).unwrap_or_default();
    Input { kind: Some(kind), spans, loose, broken, holes, ..Input::default() }
}

/// What belongs to a template engine, and not to the file: from left to right, none touches another.
fn holes(bytes: &[u8], template: &Template) -> Vec<Range<usize>> {
    static MARKS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?s)\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}|<%.*?%>|[$%]\{[^}\n]*\}").expect("invariant: a valid pattern")
    });
    let mut holes = template.holes.clone();
    if let Ok(text) = std::str::from_utf8(bytes) {
        holes.extend(MARKS.find_iter(text).map(|m| m.range()));
    }
    holes.extend(template.insertions.iter().map(|i| i.range.clone()));
    holes.sort_by_key(|h| (h.start, h.end));
    let mut apart: Vec<Range<usize>> = Vec::new();
    for hole in holes {
        match apart.last_mut().filter(|last| last.end >= hole.start) {
            Some(last) => last.end = last.end.max(hole.end),
            None => apart.push(hole),
        }
    }
    apart
}

/// A file that no parser reads.
fn unread(file: &FileText) -> Input {
    let source = Source::lone("file", file.text.clone());
    let spans: Vec<_> = spans_in_text(&source).into_iter().map(Span::range).filter(|r| !r.is_empty()).collect();
    Input { loose: spans.iter().cloned().collect(), spans, ..Input::default() }
}
