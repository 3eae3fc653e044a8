//! Exceptions and oddities to problems: which rule, where, with which words of PyYAML, and which bytes would mend it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::construct::is_too_large;
use super::document::Document;
use super::fault::Exception;
use super::mend::{self, Mender};
use super::recover::Reading;
use super::tree::{Node, NodeId, Tree, Value};
use crate::parse::template;
use crate::problem::{Parsed, Problem};
use crate::source::{Source, Span};

/// Most places that are shown besides the first when the same thing is wrong again and again.
const MOST_LABELS: usize = 5;

/// Most mistakes of one kind in one text that are told one by one; the last of them says how many more there are.
const MOST_TOLD: usize = 1000;

/// Where a line's key is looked for.
const LONGEST_KEY: usize = 200;

/// The tree of a reading, and its problems in the order of the text.
pub(super) fn parsed(source: &Source, reading: Reading) -> Parsed<Tree> {
    let Reading { mut document, raised, further, comments, surrogates, is_doubtful } = reading;
    let mut problems: Vec<Problem> = template::problem(source).into_iter().collect();
    let mut mender = Mender::new(source);
    // Edits for the first tab in indentation mend all of them.
    let mut tabs_mended = false;
    for fault in raised.iter().chain(&further).take(MOST_TOLD) {
        let tab = rule(source, fault) == "yaml-tab-indent" && mend::in_indentation(source, fault.at);
        if !(tab && tabs_mended) {
            let problem = problem(source, fault, &mut mender);
            tabs_mended |= tab && !problem.edits.is_empty();
            problems.push(problem);
        }
    }
    say_how_many_more(&mut problems, usize::from(raised.is_some()) + further.len());
    let mut complete = raised.is_none() && !is_doubtful;
    let (mut open, mut optional) = (BTreeSet::new(), BTreeSet::new());
    if let Some(document) = &mut document {
        open = std::mem::take(&mut document.doubts.open);
        optional = std::mem::take(&mut document.doubts.optional);
        complete &= !document.doubts.is_empty;
        complete &= document.cuts.recursive.is_empty() && document.cuts.large.is_empty();
        oddities(source, document, &mut mender, &mut problems);
    }
    problems.extend(surrogates_problem(source, &surrogates));
    problems.sort_by(|a, b| (a.at, &a.rule).cmp(&(b.at, &b.rule)));
    let (nodes, root) = match document {
        Some(document) => (document.composed.nodes, document.composed.root),
        None => (Vec::new(), None),
    };
    let tree = Tree {
        source: source.id(),
        nodes,
        root,
        complete,
        comments: comments.into_iter().map(|(start, end)| source.span(start, end)).collect(),
        exception: raised.map(Arc::new),
        open,
        optional,
    };
    Parsed { tree, problems }
}

/// Whether two values are the same: scalars, or lists of scalars; `None` when a template fills in a part of them.
fn is_same(nodes: &[Node], a: NodeId, b: NodeId) -> Option<bool> {
    let value = |id: NodeId| &nodes[id.index()].value;
    let same = |a: &Value, b: &Value| match (a, b) {
        (Value::Unknown, _) | (_, Value::Unknown) => None,
        (Value::Sequence(_) | Value::Mapping(_) | Value::Set(_) | Value::Pairs(_), _) => Some(false),
        _ => Some(a == b),
    };
    match (value(a), value(b)) {
        (Value::Sequence(a), Value::Sequence(b)) => {
            let parts = a.iter().zip(b).map(|(a, b)| same(value(*a), value(*b)));
            let parts: Option<Vec<bool>> = parts.collect();
            parts.map(|parts| a.len() == b.len() && !parts.contains(&false))
        }
        (a, b) => same(a, b),
    }
}

/// What is wrong in a text that PyYAML accepts.
fn oddities(source: &Source, document: &Document, mender: &mut Mender<'_>, problems: &mut Vec<Problem>) {
    let nodes = &document.composed.nodes;
    let span = |id: NodeId| nodes[id.index()].span;
    let mut duplicates = Vec::new();
    for (first, later) in document.found.duplicates.iter().take(MOST_TOLD) {
        let name = match &nodes[later.key.index()].value {
            Value::Str(name) => name.to_string(),
            _ => source.text(span(later.key)).into_owned(),
        };
        let (a, b) = (span(first.key), span(later.key));
        let (rule, state) = match is_same(nodes, first.value, later.value) {
            Some(false) => ("yaml-duplicate-key", None),
            Some(true) => ("yaml-repeated-key", Some("with the same value")),
            None => ("yaml-repeated-key", Some("and only the last one counts")),
        };
        let problem = Problem::new(rule, b.max(a)).arg("key", name);
        let problem = state.into_iter().fold(problem, |p, state| p.arg("state", state));
        duplicates.push(problem.label(a.min(b), "first here"));
    }
    say_how_many_more(&mut duplicates, document.found.duplicates.len());
    problems.append(&mut duplicates);
    for id in &document.cuts.recursive {
        problems.push(Problem::new("yaml-recursive-alias", head(source, span(*id))));
    }
    for id in &document.cuts.large {
        let what = "aliases in it stand for more than a million values";
        problems.push(Problem::new("yaml-too-large-when-expanded", head(source, span(*id))).arg("problem", what));
    }
    for anchor in document.composed.anchors.iter().filter(|a| a.odd && !a.used) {
        let value = span(anchor.node);
        let at = source.span(anchor.mark, value.start as usize);
        let words = if value.start == value.end {
            "the word is read as an anchor and the value is null"
        } else {
            "the word is read as an anchor and the value is what follows"
        };
        let problem = Problem::new("yaml-unquoted-special", at).arg("character", "&").arg("problem", words);
        problems.push(mender.quoted(problem, anchor.mark));
    }
}

/// Tells with the last of many problems how many there are besides.
fn say_how_many_more(problems: &mut [Problem], all: usize) {
    if let (Some(last), more @ 1..) = (problems.last_mut(), all.saturating_sub(MOST_TOLD)) {
        last.notes.push(format!("{more} more mistakes of this kind in this file are not shown"));
    }
}

/// The first line of a span.
fn head(source: &Source, span: Span) -> Span {
    let bytes = &source.plain()[span.range()];
    let len = bytes.iter().position(|b| matches!(b, b'\n' | b'\r')).unwrap_or(bytes.len());
    source.span(span.start as usize, span.start as usize + len)
}

fn surrogates_problem(source: &Source, escapes: &[(usize, usize)]) -> Option<Problem> {
    let (start, end) = *escapes.first()?;
    let at = source.span(start, end);
    let mut problem = Problem::new("yaml-surrogate-escape", at).arg("escape", source.text(at));
    for (start, end) in escapes.iter().skip(1).take(MOST_LABELS) {
        problem = problem.label(source.span(*start, *end), "");
    }
    for pair in escapes.windows(2) {
        if let Some(text) = mend::joined(source, pair[0], pair[1]) {
            problem = problem.edit(source.span(pair[0].0, pair[1].1), text);
        }
    }
    Some(problem)
}

fn problem(source: &Source, fault: &Exception, mender: &mut Mender<'_>) -> Problem {
    let at = place(source, fault);
    let rule = rule(source, fault);
    let mut problem = Problem::new(rule, at).arg("problem", words(source, fault));
    if rule == "yaml-parse-error" || rule == "file-not-utf8" {
        problem = problem.arg("exception", fault.class);
    }
    if rule == "yaml-unquoted-special" {
        let character = source.text(source.span(special_at(fault), special_at(fault) + 1)).into_owned();
        problem = problem.arg("character", character);
    }
    if let Some((context, Some(since))) = &fault.context {
        let label = source.span(*since, *since);
        problem = problem.label(label, mask(source, *since, context));
    }
    match rule {
        "yaml-tab-indent" => mender.tabs(problem, fault.at),
        "yaml-unquoted-star" | "yaml-unquoted-special" => mender.quoted(problem, special_at(fault)),
        _ => problem,
    }
}

/// The offending token's bytes on its first line.
fn place(source: &Source, fault: &Exception) -> Span {
    let len = source.plain().len();
    let start = fault.at.min(len);
    let mut end = fault.end.clamp(start, len);
    while end < len && source.plain()[end] & 0xC0 == 0x80 {
        end += 1;
    }
    head(source, source.span(start, end))
}

/// Where the value begins that should have been quoted.
fn special_at(fault: &Exception) -> usize {
    match &fault.context {
        Some((context, Some(since))) if context != "while parsing a node" => *since,
        _ => fault.at,
    }
}

fn rule(source: &Source, fault: &Exception) -> &'static str {
    let context = fault.context.as_ref().map_or("", |(context, _)| context.as_ref());
    match fault.class {
        _ if is_too_large(fault) => return "yaml-too-large-when-expanded",
        "UnicodeDecodeError" => return "file-not-utf8",
        "RecursionError" => return "yaml-too-deep",
        _ => {}
    }
    if context == "while scanning for the next token" {
        return match source.plain().get(fault.at) {
            Some(b'\t') => "yaml-tab-indent",
            Some(b'@' | b'%' | b'`') => "yaml-unquoted-special",
            _ => "yaml-parse-error",
        };
    }
    let is_tag = matches!(context, "while scanning a tag" | "while parsing a tag" | "while parsing a node")
        || fault.problem.starts_with("could not determine a constructor for the tag");
    if context == "while scanning an alias" {
        return "yaml-unquoted-star";
    }
    let at = special_at(fault);
    let special = context == "while scanning an anchor" || (is_tag && is_local_tag(source, at));
    let bracket =
        context.contains("flow") && mend::is_value_start(source, at) && !closes(source, at) && !is_list(source, at);
    if special || bracket { "yaml-unquoted-special" } else { "yaml-parse-error" }
}

/// A `!` that does not begin `!!name` or `!<…>`.
fn is_local_tag(source: &Source, at: usize) -> bool {
    let rest = source.plain().get(at..).unwrap_or_default();
    rest.first() == Some(&b'!') && !matches!(rest.get(1), Some(b'!' | b'<'))
}

/// Whether what stands behind a bracket looks like items rather than like the rest of a word.
fn is_list(source: &Source, at: usize) -> bool {
    let rest = source.plain().get(at + 1..).unwrap_or_default();
    let line = rest.split(|b| matches!(b, b'\n' | b'\r')).next().unwrap_or_default().trim_ascii();
    line.is_empty() || line.iter().any(|b| matches!(b, b',' | b'"' | b'\'' | b':'))
}

/// Whether a bracket has its counterpart on the same line.
fn closes(source: &Source, at: usize) -> bool {
    let bytes = source.plain();
    let close = match bytes.get(at) {
        Some(b'[') => b']',
        Some(b'{') => b'}',
        _ => return true,
    };
    let line_end = bytes[at..].iter().position(|b| matches!(b, b'\n' | b'\r')).map_or(bytes.len(), |i| at + i);
    bytes[at..line_end].contains(&close)
}

fn words(source: &Source, fault: &Exception) -> String {
    mask(source, fault.at, &fault.problem)
}

/// PyYAML's words; on a line whose key tells of a secret, without what they quote of it.
fn mask(source: &Source, at: usize, words: &str) -> String {
    let bytes = &source.plain()[..at.min(source.plain().len())];
    let start = bytes.iter().rposition(|b| matches!(b, b'\n' | b'\r')).map_or(0, |i| i + 1);
    let head = &bytes[start..bytes.len().min(start + LONGEST_KEY)];
    let text = String::from_utf8_lossy(head).to_lowercase();
    let secret = !words.contains("codec can't decode")
        && ["pass", "secret", "token", "credential", "private"].iter().any(|word| text.contains(word));
    let quoted = words.find(['\'', '"']).zip(words.rfind(['\'', '"']));
    match quoted {
        // One character, or the name of a token, tells nothing.
        Some((first, last))
            if secret && last > first + 2 && !words.contains("but found") && !words.contains("but got") =>
        {
            format!("{}***{}", &words[..=first], &words[last..])
        }
        _ => words.to_owned(),
    }
}
