//! What holds for every tree and every problem, whatever the text.

use patroni_preflight::parse::yaml::{NodeId, Style, Tree, Value, parse};
use patroni_preflight::problem::Parsed;
use patroni_preflight::source::{Source, Span};

/// Rules of what `safe_load` accepts.
const ACCEPTED: &[&str] = &[
    "yaml-duplicate-key",
    "yaml-repeated-key",
    "yaml-surrogate-escape",
    "yaml-recursive-alias",
    "yaml-too-large-when-expanded",
    "yaml-unquoted-special",
];

pub(super) fn check(source: &Source, parsed: &Parsed<Tree>, accepted: bool) -> Result<(), String> {
    let tree = &parsed.tree;
    for problem in &parsed.problems {
        let labels = problem.labels.iter().map(|l| l.0);
        for span in labels.chain([problem.at]).chain(problem.edits.iter().map(|e| e.at)) {
            check_span(source, span, &problem.rule)?;
        }
    }
    let errors = parsed.problems.iter().filter(|p| !ACCEPTED.contains(&p.rule.as_ref())).count();
    if accepted && (tree.exception().is_some() || errors > 0) {
        return Err(format!("accepted, but {:?}", parsed.problems));
    }
    if !accepted && (tree.is_complete() || parsed.problems.is_empty()) {
        return Err("refused, but complete or without a problem".to_owned());
    }
    if parsed.problems.windows(2).any(|pair| pair[0].at > pair[1].at) {
        return Err("problems out of order".to_owned());
    }
    for span in tree.comments() {
        check_span(source, *span, "comment")?;
        if source.bytes().get(span.start as usize) != Some(&b'#') {
            return Err(format!("no comment at {span:?}"));
        }
    }
    if let Some(root) = tree.root() {
        walk(source, tree, root, 0, &mut 0)?;
    }
    Ok(())
}

fn check_span(source: &Source, span: Span, what: &str) -> Result<(), String> {
    let bytes = source.bytes();
    let inside = span.start <= span.end && span.end as usize <= bytes.len();
    let boundary = |at: u32| bytes.get(at as usize).is_none_or(|b| b & 0xC0 != 0x80);
    let valid = std::str::from_utf8(bytes).is_err() || (boundary(span.start) && boundary(span.end));
    if inside && valid { Ok(()) } else { Err(format!("bad span {span:?} of {what}")) }
}

fn walk(source: &Source, tree: &Tree, id: NodeId, depth: usize, steps: &mut usize) -> Result<(), String> {
    *steps += 1;
    if depth > 600 || *steps > 2_000_000 {
        return Err("a walk that does not end".to_owned());
    }
    let node = tree.node(id);
    check_span(source, node.span, "node")?;
    match &node.value {
        Value::Sequence(items) | Value::Set(items) => {
            items.iter().try_for_each(|item| walk(source, tree, *item, depth + 1, steps))
        }
        Value::Mapping(entries) | Value::Pairs(entries) => entries.iter().try_for_each(|entry| {
            walk(source, tree, entry.key, depth + 1, steps)?;
            walk(source, tree, entry.value, depth + 1, steps)
        }),
        Value::Unknown if tree.is_complete() => Err("an unknown value in a complete tree".to_owned()),
        _ if tree.is_complete() => reads_again(source, node.span, node.style, &node.value),
        _ => Ok(()),
    }
}

/// The bytes of a scalar alone mean the same scalar.
fn reads_again(source: &Source, span: Span, style: Style, value: &Value) -> Result<(), String> {
    let text = source.text(span);
    let elsewhere = ["---", "...", "\u{feff}", "<<", "="].iter().any(|start| text.starts_with(start))
        || text.ends_with(':')
        || text == "-"
        || text == "?";
    let counted =
        style == Style::Block && text.lines().next().is_some_and(|l| l.contains(|c: char| c.is_ascii_digit()));
    let tagged = source.bytes().contains(&b'!');
    if elsewhere || counted || tagged || matches!(value, Value::Float(x) if x.is_nan()) {
        return Ok(());
    }
    let again = parse(&Source::lone("scalar", text.as_bytes()));
    let read = again.tree.root().map_or(&Value::Null, |root| &again.tree.node(root).value);
    if read == value { Ok(()) } else { Err(format!("{text:?} alone reads as {read:?}, not {value:?}")) }
}
