//! What our parser says of a document, in the form that `tests/oracle/pyyaml.py` answers in.

use std::fmt::Write as _;

use patroni_preflight::parse::yaml::{Int, NodeId, Tree, Value};
use patroni_preflight::problem::Parsed;
use serde_json::{Value as Json, json};

pub(super) fn answer(bytes: &[u8], parsed: &Parsed<Tree>) -> Json {
    let tree = &parsed.tree;
    if let Some(e) = tree.exception() {
        let mark = |at: usize| place(bytes, at);
        let (line, column) = match e.class {
            "ReaderError" => (Json::Null, json!(characters(&bytes[..e.at]))),
            _ if e.is_python() => (Json::Null, Json::Null),
            _ => pair(mark(e.at)),
        };
        let (context, since) = match &e.context {
            None => (Json::Null, (Json::Null, Json::Null)),
            Some((words, None)) => (json!(words), (Json::Null, Json::Null)),
            Some((words, Some(at))) => (json!(words), pair(mark(*at))),
        };
        return json!(["error", e.class, context, since.0, since.1, e.problem, line, column]);
    }
    if parsed.problems.iter().any(|p| p.rule == "yaml-recursive-alias") {
        return json!(["cyclic"]);
    }
    let mut out = String::new();
    match tree.root() {
        None => out.push_str("null"),
        Some(root) => write(tree, root, &mut out),
    }
    json!(["ok", out])
}

fn pair((line, column): (usize, usize)) -> (Json, Json) {
    (json!(line), json!(column))
}

fn decoded(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace("\r\n", "\n").replace('\r', "\n")
}

fn characters(bytes: &[u8]) -> usize {
    decoded(bytes).chars().count()
}

/// Line and column as PyYAML counts them, from 0.
pub(super) fn place(bytes: &[u8], at: usize) -> (usize, usize) {
    let text = decoded(&bytes[..at]);
    let (mut line, mut column) = (0, 0);
    for c in text.chars() {
        match c {
            '\n' | '\u{85}' | '\u{2028}' | '\u{2029}' => (line, column) = (line + 1, 0),
            '\u{feff}' => {}
            _ => column += 1,
        }
    }
    (line, column)
}

fn list(tree: &Tree, ids: &[NodeId], out: &mut String) {
    for (i, id) in ids.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        write(tree, *id, out);
    }
}

pub(super) fn write(tree: &Tree, id: NodeId, out: &mut String) {
    match &tree.node(id).value {
        Value::Null => out.push_str("null"),
        Value::Bool(b) => write!(out, "{b}").expect("a string"),
        Value::Int(Int::Small(n)) => write!(out, "i{n}").expect("a string"),
        Value::Int(Int::Big(digits)) => write!(out, "i{digits}").expect("a string"),
        Value::Float(x) if x.is_nan() => out.push_str("nan"),
        Value::Float(x) => write!(out, "f{:016x}", x.to_bits()).expect("a string"),
        Value::Str(text) => out.push_str(&serde_json::to_string(&**text).expect("JSON")),
        Value::Binary(bytes) => {
            out.push('b');
            bytes.iter().for_each(|b| write!(out, "{b:02x}").expect("a string"));
        }
        Value::Timestamp(iso) => write!(out, "t{iso}").expect("a string"),
        Value::Sequence(items) => {
            out.push('[');
            list(tree, items, out);
            out.push(']');
        }
        Value::Mapping(entries) => {
            out.push('{');
            for (i, entry) in entries.iter().enumerate() {
                out.push_str(if i > 0 { "," } else { "" });
                write(tree, entry.key, out);
                out.push(':');
                write(tree, entry.value, out);
            }
            out.push('}');
        }
        Value::Set(items) => {
            let mut parts: Vec<String> = items
                .iter()
                .map(|id| {
                    let mut part = String::new();
                    write(tree, *id, &mut part);
                    part
                })
                .collect();
            parts.sort();
            write!(out, "s{{{}}}", parts.join(",")).expect("a string");
        }
        Value::Pairs(entries) => {
            out.push('[');
            for (i, entry) in entries.iter().enumerate() {
                out.push_str(if i > 0 { ",(" } else { "(" });
                list(tree, &[entry.key, entry.value], out);
                out.push(')');
            }
            out.push(']');
        }
        Value::Unknown => out.push_str("unknown"),
    }
}
