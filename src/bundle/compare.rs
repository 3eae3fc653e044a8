//! What changed between two moments.
//!
//! Each answer is taken apart into items (a setting, a slot, a unit) with fields; items are known by their names, and what always
//! moves (positions, counters, clocks) is left out. The tables say which is which.

mod lines;
mod tables;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

use super::rest::Rest;
use super::sql::{Session, Table};
use super::{Answer, Bundle, Miss, Node};
use tables::{By, Topic};

/// One thing that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// The member or the store.
    pub node: String,
    /// What: `setting work_mem`, `/etc/patroni/patroni.yml`.
    pub about: String,
    /// How it was and how it is.
    pub what: String,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.node, self.about, self.what)
    }
}

/// What changed, in order.
///
/// # Errors
/// When the secrets of the two were not replaced by the same words, so that they could not be compared, or would be shown.
pub fn compare(before: &Bundle, now: &Bundle) -> Result<Vec<Change>, String> {
    match (&before.redaction, &now.redaction) {
        (Some(one), Some(other)) if one.key == other.key => {}
        (Some(_), Some(_)) => {
            return Err(
                "the two bundles were collected with different keys, so every password would seem to have changed; \
                        collect the later one again with the key file of the first one"
                    .to_owned(),
            );
        }
        _ => {
            return Err(
                "the passwords in a bundle were not replaced, so they would be shown; collect it again".to_owned()
            );
        }
    }
    let mut changes = Vec::new();
    for name in before.nodes.keys().chain(now.nodes.keys()).collect::<BTreeSet<_>>() {
        match (before.nodes.get(name), now.nodes.get(name)) {
            (Some(one), Some(other)) => {
                files(name, one, other, &mut changes);
                for (one, other) in of_node(one).iter().zip(&of_node(other)) {
                    differences(name, one, other, &mut changes);
                }
            }
            (Some(_), None) => changes.push(change(name, "the member", "was collected then, and not now")),
            _ => changes.push(change(name, "the member", "is collected now, and was not then")),
        }
    }
    let (one, other) = (of_stores(before), of_stores(now));
    for store in one.keys().chain(other.keys()).collect::<BTreeSet<_>>() {
        match (one.get(store), other.get(store)) {
            (Some(one), Some(other)) => differences(store, one, other, &mut changes),
            (Some(_), None) => changes.push(change(store, "the store", "was asked then, and not now")),
            _ => changes.push(change(store, "the store", "is asked now, and was not then")),
        }
    }
    changes.sort();
    changes.dedup();
    Ok(changes)
}

fn change(node: &str, about: impl Into<String>, what: impl Into<String>) -> Change {
    // One line each, whatever stands in a value.
    let line = |text: String| text.replace(['\n', '\r'], " ");
    Change { node: node.to_owned(), about: line(about.into()), what: line(what.into()) }
}

fn files(name: &str, before: &Node, now: &Node, changes: &mut Vec<Change>) {
    for path in before.files.keys().chain(now.files.keys()).collect::<BTreeSet<_>>() {
        let what = match (before.files.get(path), now.files.get(path)) {
            (Some(Answer::Got(None)), Some(Answer::Got(Some(_)))) => vec!["did not exist then".to_owned()],
            (Some(Answer::Got(Some(_))), Some(Answer::Got(None))) => vec!["does not exist any more".to_owned()],
            (Some(Answer::Got(Some(one))), Some(Answer::Got(Some(other)))) => {
                let mut all = lines::differences(&one.text, &other.text);
                if let (Some(one), Some(other)) = (one.mode, other.mode)
                    && one != other
                {
                    all.push(format!("mode was {one:04o}, is {other:04o}"));
                }
                all
            }
            (Some(Answer::Got(_)), Some(Answer::Missing(miss))) => vec![lost(miss)],
            (Some(Answer::Missing(_)), Some(Answer::Got(_))) => vec![FOUND.to_owned()],
            (Some(Answer::Missing(one)), Some(Answer::Missing(other))) if one.why != other.why => {
                vec![format!("could not be read then ({}), nor now ({})", one.why.words(), other.why.words())]
            }
            (Some(_), None) => vec!["is gone, or was not collected".to_owned()],
            (None, Some(_)) => vec!["is new, or was not collected then".to_owned()],
            _ => Vec::new(),
        };
        changes.extend(what.into_iter().map(|what| change(name, path, what)));
    }
}

const FOUND: &str = "can be read now, and could not be read then";

fn lost(miss: &Miss) -> String {
    format!("could be read then, and not now: {} ({})", miss.why.words(), miss.detail)
}

/// What is known by one name: its fields, or why they are not known.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    Fields(BTreeMap<String, String>),
    Missing(Miss),
}

/// Items by the topic and their name.
type Items = BTreeMap<(String, String), Item>;

fn differences(node: &str, before: &Items, now: &Items, changes: &mut Vec<Change>) {
    // A topic that is missing as a whole stands under an empty name, and so do all of them.
    let missing = |items: &Items, topic: &str| {
        let is = |topic: &str| matches!(items.get(&(topic.to_owned(), String::new())), Some(Item::Missing(_)));
        is(topic) || ROOTS.iter().any(|root| is(root))
    };
    for key in before.keys().chain(now.keys()).collect::<BTreeSet<_>>() {
        let (topic, name) = key;
        let about = if name.is_empty() { topic.clone() } else { format!("{topic} {name}") };
        let mut say = |what: String| changes.push(change(node, about.clone(), what));
        match (before.get(key), now.get(key)) {
            (Some(Item::Fields(one)), Some(Item::Fields(other))) => fields(one, other, &mut say),
            (Some(Item::Missing(_)), Some(Item::Fields(_))) => say(FOUND.to_owned()),
            (Some(Item::Fields(_)), Some(Item::Missing(miss))) => say(lost(miss)),
            (Some(Item::Missing(one)), Some(Item::Missing(other))) if one.why != other.why => {
                say(format!("could not be read then ({}), nor now ({})", one.why.words(), other.why.words()));
            }
            (None, Some(Item::Missing(miss))) => {
                let any = before.keys().any(|(t, _)| t == topic);
                say(if any {
                    lost(miss)
                } else {
                    format!("was asked for now, and could not be read: {}", miss.why.words())
                });
            }
            (Some(Item::Missing(_)), None) if now.keys().any(|(t, _)| t == topic) => say(FOUND.to_owned()),
            (Some(Item::Fields(_)), None) if !missing(now, topic) => say("is gone".to_owned()),
            (None, Some(Item::Fields(_))) if !missing(before, topic) => say("is new".to_owned()),
            _ => {}
        }
    }
}

fn fields(before: &BTreeMap<String, String>, now: &BTreeMap<String, String>, say: &mut dyn FnMut(String)) {
    let mut restarted = false;
    for field in before.keys().chain(now.keys()).collect::<BTreeSet<_>>() {
        let (one, other) = (before.get(field), now.get(field));
        if one == other || tables::moves(field) {
            continue;
        }
        if tables::tells_restart(field) {
            restarted |= one.is_some() && other.is_some();
            continue;
        }
        let shown = |value: Option<&String>| value.map_or("nothing".to_owned(), |v| format!("`{v}`"));
        let name = if field.is_empty() { String::new() } else { format!("{field} ") };
        say(format!("{name}was {}, is {}", shown(one), shown(other)));
    }
    if restarted {
        say("restarted".to_owned());
    }
}

/// What stands for all answers of a server, a host, a REST API.
const ROOTS: [&str; 3] = ["the server", "the host", "the REST API"];

/// What was had of a member: of its server, its host, its REST API.
fn of_node(node: &Node) -> [Items; 3] {
    let mut all = [Items::new(), Items::new(), Items::new()];
    let root = |i: usize| (ROOTS[i].to_owned(), String::new());
    let [sql, host, rest] = &mut all;
    match &node.sql {
        Some(Answer::Got(session)) => of_session(session, root(0), sql),
        Some(Answer::Missing(miss)) => {
            sql.insert(root(0), Item::Missing(miss.clone()));
        }
        None => {}
    }
    for (section, answer) in &node.passwords {
        let item = match answer {
            Answer::Got(compared) => {
                let kind = serde_json::to_value(compared.kind).unwrap_or_default();
                Item::Fields([("compared".to_owned(), kind.as_str().unwrap_or_default().to_owned())].into())
            }
            Answer::Missing(miss) => Item::Missing(miss.clone()),
        };
        sql.insert(("the configured password of".to_owned(), section.clone()), item);
    }
    match &node.host {
        Some(Answer::Got(seen)) => {
            host.insert(root(1), Item::Fields(BTreeMap::new()));
            of_json(ROOTS[1], serde_json::to_value(seen).unwrap_or_default(), tables::HOST, host);
        }
        Some(Answer::Missing(miss)) => {
            host.insert(root(1), Item::Missing(miss.clone()));
        }
        None => {}
    }
    match &node.rest {
        Some(Answer::Got(api)) => of_rest(api, root(2), rest),
        Some(Answer::Missing(miss)) => {
            rest.insert(root(2), Item::Missing(miss.clone()));
        }
        None => {}
    }
    all
}

fn of_session(session: &Session, root: (String, String), items: &mut Items) {
    let about = [("address", &session.address), ("user", &session.user), ("database", &session.database)];
    let mut fields: BTreeMap<String, String> = about.map(|(k, v)| (k.to_owned(), v.clone())).into();
    fields.insert("version".to_owned(), session.version.to_string());
    items.insert(root, Item::Fields(fields));
    for (question, answer) in &session.answers {
        let topic = tables::question(question);
        match answer {
            Answer::Got(table) => of_table(question, topic, table, items),
            Answer::Missing(miss) => {
                items.insert((topic.word(question), String::new()), Item::Missing(miss.clone()));
            }
        }
    }
}

fn of_rest(rest: &Rest, root: (String, String), items: &mut Items) {
    let mut fields = BTreeMap::from([("url".to_owned(), rest.url.clone())]);
    flatten("listens", &serde_json::to_value(&rest.listens).unwrap_or_default(), &mut fields);
    fields.extend(rest.untrusted.clone().map(|why| ("not trusted because".to_owned(), why)));
    items.insert(root, Item::Fields(fields));
    for (path, answer) in &rest.answers {
        let item = match answer {
            Answer::Got(response) => {
                let body = serde_json::from_str(&response.body).unwrap_or(Value::String(response.body.clone()));
                let mut fields = BTreeMap::from([("status".to_owned(), response.status.to_string())]);
                flatten("", &body, &mut fields);
                Item::Fields(fields)
            }
            Answer::Missing(miss) => Item::Missing(miss.clone()),
        };
        items.insert((format!("REST API {path}"), String::new()), item);
    }
}

/// The rows of an answer, by their key columns; without any, one row is a single item and several are known by all they say.
fn of_table(question: &str, topic: &Topic, table: &Table, items: &mut Items) {
    let word = topic.word(question);
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for row in &table.rows {
        let mut fields = BTreeMap::new();
        let mut key = Vec::new();
        for (column, value) in table.columns.iter().zip(row) {
            let Some(value) = value else { continue };
            match topic.by {
                By::Fields(columns) if columns.contains(&column.as_str()) => key.push(value.clone()),
                By::Fields(_) | By::Single if !topic.ignored.contains(&column.as_str()) => {
                    fields.insert(column.clone(), value.clone());
                }
                By::All if !topic.ignored.contains(&column.as_str()) => key.push(format!("{column}={value}")),
                _ => {}
            }
        }
        items.insert((word.clone(), numbered(&mut seen, key.join(" "))), Item::Fields(fields));
    }
}

/// The second one of a name has a number.
fn numbered(seen: &mut BTreeMap<String, usize>, name: String) -> String {
    let count = seen.entry(name.clone()).or_default();
    *count += 1;
    if *count == 1 { name } else { format!("{name} ({count})") }
}

/// An answer in JSON, `{"got": …}` or `{"missing": …}`, with items in some of its fields.
fn of_json(word: &str, answer: Value, topics: &[(&str, Topic)], items: &mut Items) {
    let map = match opened(answer) {
        Ok(Value::Object(map)) => map,
        Ok(_) => return,
        Err(miss) => {
            items.insert((word.to_owned(), String::new()), Item::Missing(miss));
            return;
        }
    };
    for (field, value) in map {
        let Some((_, topic)) = topics.iter().find(|(name, _)| *name == field) else {
            let mut fields = BTreeMap::new();
            flatten("", &value, &mut fields);
            items.insert((word.to_owned(), field), Item::Fields(fields));
            continue;
        };
        let mut add = |name: String, value: Value| {
            let item = match opened(value) {
                Ok(value) => {
                    let mut fields = BTreeMap::new();
                    flatten("", &value, &mut fields);
                    fields.retain(|field, _| !topic.ignored.contains(&field.as_str()));
                    Item::Fields(fields)
                }
                Err(miss) => Item::Missing(miss),
            };
            items.insert((topic.word.to_owned(), name), item);
        };
        match (opened(value), topic.by) {
            (Ok(Value::Object(map)), By::All) => map.into_iter().for_each(|(name, value)| add(name, value)),
            (Ok(Value::Array(list)), By::Fields(keys)) => {
                let mut seen = BTreeMap::new();
                for value in list {
                    let mut fields = BTreeMap::new();
                    flatten("", &value, &mut fields);
                    let of_key = |key: &&str| {
                        let inner = format!("{key}.");
                        fields
                            .iter()
                            .filter(|(f, _)| f == key || f.starts_with(&inner))
                            .map(|(_, v)| v.clone())
                            .collect::<Vec<_>>()
                            .join(":")
                    };
                    let name: Vec<String> = keys.iter().map(of_key).collect();
                    add(numbered(&mut seen, name.join(" ")), value);
                }
            }
            (Ok(value), _) => add(String::new(), value),
            (Err(miss), _) => {
                items.insert((topic.word.to_owned(), String::new()), Item::Missing(miss));
            }
        }
    }
}

/// What was had, or why not.
fn opened(value: Value) -> Result<Value, Miss> {
    match value {
        Value::Object(mut map) if map.len() == 1 && map.contains_key("got") => {
            opened(map.remove("got").unwrap_or_default())
        }
        Value::Object(mut map) if map.len() == 1 && map.contains_key("missing") => {
            let miss = map.remove("missing").unwrap_or_default();
            serde_json::from_value(miss.clone()).map_or(Ok(miss), Err)
        }
        other => Ok(other),
    }
}

/// Every single value with the path that leads to it.
fn flatten(path: &str, value: &Value, fields: &mut BTreeMap<String, String>) {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match opened(value.clone()) {
        Err(miss) => {
            fields.insert(path.to_owned(), format!("not read: {}", miss.why.words()));
        }
        Ok(Value::Object(map)) => map.iter().for_each(|(key, value)| flatten(&below(key), value, fields)),
        Ok(Value::Array(list)) if list.iter().any(Value::is_object) => {
            for (i, item) in list.iter().enumerate() {
                let name = item.get("name").and_then(Value::as_str).map_or_else(|| i.to_string(), str::to_owned);
                flatten(&below(&name), item, fields);
            }
        }
        Ok(Value::Array(list)) => {
            fields.insert(path.to_owned(), list.iter().map(text).collect::<Vec<_>>().join(" "));
        }
        Ok(Value::Null) => {}
        Ok(value) => {
            fields.insert(path.to_owned(), text(&value));
        }
    }
}

/// The items of each store, by its kind and servers.
fn of_stores(bundle: &Bundle) -> BTreeMap<String, Items> {
    let mut stores = BTreeMap::new();
    for store in &bundle.stores {
        let mut urls: Vec<&str> = store.endpoints.iter().filter(|e| e.configured).map(|e| e.url.as_str()).collect();
        urls.sort_unstable();
        let items: &mut Items =
            stores.entry(format!("{} {}", store.kind, urls.join(",")).trim().to_owned()).or_default();
        for endpoint in &store.endpoints {
            let mut fields = BTreeMap::new();
            flatten("", &serde_json::to_value(endpoint).unwrap_or_default(), &mut fields);
            items.insert(("server".to_owned(), endpoint.url.clone()), Item::Fields(fields));
        }
        for (path, scope) in &store.scopes {
            let topic = format!("keys of {path}");
            match scope {
                Answer::Missing(miss) => {
                    items.insert((topic, String::new()), Item::Missing(miss.clone()));
                }
                Answer::Got(scope) => {
                    for (key, value) in scope.keys.iter().filter(|(key, _)| !tables::is_moving_key(key)) {
                        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.clone()));
                        let mut fields = BTreeMap::new();
                        flatten("", &value, &mut fields);
                        items.insert((topic.clone(), key.clone()), Item::Fields(fields));
                    }
                }
            }
        }
    }
    stores
}
