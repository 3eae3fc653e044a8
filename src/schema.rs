//! A JSON Schema (draft 7) for Patroni's configuration, made of the table of its keys: for editors and `check-jsonschema`.
//!
//! It takes what Patroni takes, so a word that Patroni reads as a boolean is fine as a text. Tools that read YAML 1.2 see `on` and `off` as
//! texts where Patroni sees booleans; such words are never refused where a boolean is wanted.

use serde_json::{Map, Value as Json, json};

use crate::explain::{describe_key, value_of};
use crate::facts::patroni_keys::{METHOD_KEYS, NEVER_NULL};
use crate::knowledge::patroni::{KeyFact, Kind, Version, key, keys};

/// What `parse_bool` reads, in any case.
const BOOLEAN_WORDS: [&str; 8] = ["on", "off", "yes", "no", "true", "false", "1", "0"];

/// What `parse_int` reads without a unit.
const INTEGER: &str = r"^\s*[-+]?(0[xX][0-9a-fA-F]+|[0-9][0-9_]*(\.[0-9]*)?([eE][-+]?[0-9]+)?)\s*$";

/// The same with a unit of time or memory.
const WITH_UNIT: &str = r"^\s*[-+]?[0-9]+(\.[0-9]*)?\s*(us|ms|s|min|h|d|B|kB|MB|GB|TB)?\s*$";

/// The schema of what a release of Patroni reads.
#[must_use]
pub fn patroni(version: Version) -> Json {
    let mut schema = section("", version);
    let top = object(&mut schema);
    // Sections for anchors, which Patroni ignores.
    top.insert("patternProperties".to_owned(), json!({"^(x-|[._])": true}));
    top.insert("$schema".to_owned(), json!("http://json-schema.org/draft-07/schema#"));
    top.insert("title".to_owned(), json!(format!("Configuration of Patroni {version}")));
    schema
}

fn object(value: &mut Json) -> &mut Map<String, Json> {
    value.as_object_mut().expect("invariant: every schema here is an object")
}

/// The rows right below a path.
fn children(parent: &str, version: Version) -> impl Iterator<Item = (&'static str, &'static KeyFact)> {
    keys().iter().filter(move |row| row.lifetime.covers(version)).filter_map(move |row| {
        let (above, name) = row.path.rsplit_once('.').unwrap_or(("", row.path));
        (above == parent).then_some((name, row))
    })
}

/// A section with its keys. It is closed unless the user chooses names.
fn section(path: &str, version: Version) -> Json {
    let open = key(path).is_some_and(|row| row.kind == Kind::Free);
    let (mut properties, mut required, mut others) = (Map::new(), Vec::new(), json!(open));
    for (name, row) in children(path, version) {
        match name {
            "*" => others = value(row, version),
            "@method" | "@replica_method" => {
                others = section(row.path, version);
                let any: Vec<Json> = METHOD_KEYS.iter().map(|key| json!({"required": [key]})).collect();
                let fields = object(&mut others);
                fields.insert("anyOf".to_owned(), json!(any));
                fields.insert("title".to_owned(), json!("a method of your own"));
            }
            _ => {
                properties.insert(name.to_owned(), value(row, version));
                if row.required {
                    required.push(json!(name));
                }
            }
        }
    }
    let mut schema = json!({"type": "object", "properties": properties, "additionalProperties": others});
    if !required.is_empty() {
        object(&mut schema).insert("required".to_owned(), json!(required));
    }
    schema
}

/// What may stand at a key, and what is known of it.
fn value(row: &'static KeyFact, version: Version) -> Json {
    let mut schema = shape(row, version);
    if !row.required && !NEVER_NULL.contains(&row.path) {
        schema = or_null(schema);
    }
    let Some(fields) = schema.as_object_mut() else { return schema };
    if !row.path.ends_with('*') {
        fields.insert("description".to_owned(), json!(format!("{}. {}", value_of(row), describe_key(row))));
    }
    if row.deprecated {
        let now = row.renamed.map(|new| format!("; now {new}")).unwrap_or_default();
        fields.insert("deprecated".to_owned(), json!(true));
        fields.insert("deprecationMessage".to_owned(), json!(format!("an old name{now}")));
    }
    schema
}

fn or_null(mut schema: Json) -> Json {
    let Some(fields) = schema.as_object_mut() else { return schema };
    let typed = fields.contains_key("type");
    if let Some(choices) = fields.get_mut("anyOf").filter(|_| !typed).and_then(Json::as_array_mut) {
        choices.push(json!({"type": "null"}));
    } else if let Some(words) = fields.get_mut("enum").and_then(Json::as_array_mut) {
        words.push(Json::Null);
    } else if let Some(kind) = fields.get("type").cloned() {
        let mut kinds = kind.as_array().cloned().unwrap_or_else(|| vec![kind]);
        kinds.push(json!("null"));
        fields.insert("type".to_owned(), json!(kinds));
    }
    schema
}

fn shape(row: &'static KeyFact, version: Version) -> Json {
    let strings = json!({"type": "array", "items": {"type": "string"}});
    match row.kind {
        Kind::Any => json!({}),
        Kind::Str | Kind::Address => json!({"type": "string"}),
        Kind::Text => json!({"type": ["string", "number", "boolean"]}),
        Kind::Bool | Kind::Truth => boolean(row),
        Kind::Int => integer(row),
        Kind::PyInt => number(row),
        Kind::Strs => strings,
        Kind::StrsCsv => json!({"anyOf": [{"type": "string"}, strings]}),
        Kind::IntsCsv => json!({"anyOf": [
            {"type": "integer"},
            {"type": "string", "pattern": r"^\s*[0-9]+\s*(,\s*[0-9]+\s*)*$"},
            {"type": "array", "items": {"anyOf": [{"type": "integer"}, {"type": "string", "pattern": INTEGER}]}},
        ]}),
        Kind::Map | Kind::Free => section(row.path, version),
        Kind::Maps => json!({"type": "array", "items": section(&format!("{}[]", row.path), version)}),
        Kind::Enum => words(row),
        Kind::ExactEnum => json!({"enum": row.words}),
        Kind::Format => json!({"type": ["string", "array"]}),
        Kind::Options => {
            json!({"anyOf": [{"type": "object"}, {"type": "array", "items": {"type": ["string", "object"]}}]})
        }
    }
}

/// A word in any case, without a flag that not every tool knows: `[Oo][Nn]`.
fn any_case(word: &str) -> String {
    word.chars()
        .map(|c| {
            if c.is_ascii_alphabetic() {
                format!("[{}{}]", c.to_ascii_uppercase(), c.to_ascii_lowercase())
            } else {
                c.to_string()
            }
        })
        .collect()
}

fn one_of(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| any_case(word)).collect();
    format!("^({})$", words.join("|"))
}

fn boolean(row: &KeyFact) -> Json {
    let words: Vec<&str> = BOOLEAN_WORDS.iter().chain(row.words).copied().collect();
    json!({"anyOf": [{"type": "boolean"}, {"enum": [0, 1]}, {"type": "string", "pattern": one_of(&words)}]})
}

fn words(row: &KeyFact) -> Json {
    // An unquoted `off` is false to Patroni.
    if row.words.contains(&"off") {
        return json!({"anyOf": [{"enum": [false]}, {"type": "string", "pattern": one_of(row.words)}]});
    }
    json!({"type": "string", "pattern": one_of(row.words)})
}

fn number(row: &KeyFact) -> Json {
    let mut schema = json!({"type": "integer"});
    // Tools that read YAML 1.2 see the mode 0640 as the number 640.
    let high = if row.path == "log.mode" { Some(777) } else { row.high };
    for (name, bound) in [("minimum", row.low), ("maximum", high)] {
        if let Some(bound) = bound {
            object(&mut schema).insert(name.to_owned(), json!(bound));
        }
    }
    schema
}

fn integer(row: &KeyFact) -> Json {
    let with_unit = matches!(row.path, "thread_stack_size" | "bootstrap.dcs.member_slots_ttl");
    let pattern = if with_unit { WITH_UNIT } else { INTEGER };
    json!({"anyOf": [number(row), {"type": "string", "pattern": pattern}]})
}
