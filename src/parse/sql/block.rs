//! Statements inside of `DO` blocks.

use pg_query::NodeEnum;
use pg_query::protobuf::DoStmt;
use serde_json::Value;

use super::read::{Reader, Statement, constant, def_elem, index, text_of};

/// Blocks in strings in blocks are followed this far.
const DEPTH_MAX: usize = 8;

/// Takes in the statements of a PL/pgSQL block, in the order of the text.
pub(super) fn run(reader: &mut Reader, s: &Statement<'_>, stmt: &DoStmt) {
    let option = |name: &str| stmt.args.iter().filter_map(def_elem).find(|o| o.defname == name);
    let language = option("language").and_then(|o| o.arg.as_deref()).and_then(text_of);
    let Some(code) = option("as") else { return };
    let Some(body) = code.arg.as_deref().and_then(text_of) else { return };
    if language.is_some_and(|l| !l.eq_ignore_ascii_case("plpgsql")) || reader.depth >= DEPTH_MAX {
        return;
    }
    let tag = "$preflight$";
    // The function around it gives the body the delimiters that its own text cannot contain.
    if body.contains(tag) {
        return;
    }
    let Ok(tree) = pg_query::parse_plpgsql(&format!("DO {tag}{body}{tag}")) else { return };
    let mut queries = Vec::new();
    collect(&tree, &mut queries);
    let mut placed = place(&body, queries);
    placed.sort_by_key(|(at, _)| *at);
    let literal = index(code.arg_location);
    let verbatim = s.text.get(literal..).and_then(|t| t.find(body.as_str())).map(|n| literal + n);
    reader.depth += 1;
    for (at, query) in placed {
        let text = &body[at..at + query.text.len()];
        let inner = match verbatim {
            Some(base) => s.place.inner(base + at),
            None => s.place.within_part(0, s.text.len()),
        };
        match query.kind {
            Kind::Static => reader.statement(text, &inner),
            Kind::Perform => reader.statement(&format!("SELECT {text}"), &inner.within_part(0, text.len())),
            Kind::Dynamic => {
                if let Some(sql) = constant_string(text) {
                    reader.statement(&sql, &inner.within_part(0, text.len()));
                }
            }
        }
    }
    reader.depth -= 1;
}

#[derive(Clone, Copy)]
enum Kind {
    Static,
    Perform,
    Dynamic,
}

struct Query {
    kind: Kind,
    text: String,
}

/// The statements in a block's tree.
fn collect(tree: &Value, out: &mut Vec<Query>) {
    let query = |node: &Value, key: &str| {
        let text = node.get(key)?.get("PLpgSQL_expr")?.get("query")?.as_str()?;
        Some(text.to_owned())
    };
    match tree {
        Value::Array(all) => all.iter().for_each(|v| collect(v, out)),
        Value::Object(map) => {
            for (key, node) in map {
                let found = match key.as_str() {
                    "PLpgSQL_stmt_execsql" => query(node, "sqlstmt").map(|text| Query { kind: Kind::Static, text }),
                    "PLpgSQL_stmt_dynexecute" => query(node, "query").map(|text| Query { kind: Kind::Dynamic, text }),
                    "PLpgSQL_stmt_perform" => query(node, "expr").map(|text| {
                        let text = text.strip_prefix("SELECT").unwrap_or(&text).trim_start().to_owned();
                        Query { kind: Kind::Perform, text }
                    }),
                    _ => None,
                };
                out.extend(found);
                collect(node, out);
            }
        }
        _ => {}
    }
}

/// Where each one stands in the body; equal ones take their places in turn.
fn place(body: &str, queries: Vec<Query>) -> Vec<(usize, Query)> {
    let mut taken = std::collections::BTreeMap::<String, usize>::new();
    queries
        .into_iter()
        .filter_map(|query| {
            let from = taken.get(&query.text).copied().unwrap_or(0);
            let at = from + body.get(from..)?.find(&query.text)?;
            taken.insert(query.text.clone(), at + query.text.len());
            Some((at, query))
        })
        .collect()
}

/// The value of an expression that is just a string.
fn constant_string(expression: &str) -> Option<String> {
    let parsed = pg_query::parse(&format!("SELECT {expression}"), 0).ok()?;
    let NodeEnum::SelectStmt(select) = parsed.protobuf.stmts.first()?.stmt.as_ref()?.node.as_ref()? else {
        return None;
    };
    let NodeEnum::ResTarget(target) = select.target_list.first()?.node.as_ref()? else { return None };
    constant(target.val.as_deref()?).map(|(text, _)| text)
}
