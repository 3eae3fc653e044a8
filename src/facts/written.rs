//! What was collected, written down as short texts, so that a finding can point at a part of it.
//!
//! Each part of a value becomes a text of its own (`pg1: units`), each thing in it a line:
//!
//! ```text
//! postgresql@15-main.service: load = loaded, active = active, enabled = disabled
//! ```

use std::collections::BTreeMap;
use std::ops::{Deref, Range};

use serde::Serialize;
use serde_json::Value;

use crate::source::{Origin, SourceMap, Span};

/// A value and where each part of it is written.
#[derive(Debug, Clone)]
pub struct Written<T> {
    value: T,
    places: BTreeMap<Vec<String>, Span>,
    whole: Span,
}

impl<T> Deref for Written<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: Serialize> Written<T> {
    /// Writes a value down; the texts are called `name: part`.
    #[must_use]
    pub fn new(name: &str, value: T, sources: &SourceMap) -> Self {
        let mut places = BTreeMap::new();
        let mut whole = None;
        let json = serde_json::to_value(&value).unwrap_or_default();
        if let Value::Object(parts) = &json {
            for (part, value) in parts {
                let mut page = Page::default();
                page.write(&mut vec![], value);
                let title = format!("{name}: {}", part.replace('_', " "));
                let source = sources.add(Origin::Virtual(title.clone()), title, page.text.into_bytes());
                let all =
                    source.span(0, source.bytes().iter().position(|b| *b == b'\n').unwrap_or(source.bytes().len()));
                whole.get_or_insert(all);
                places.insert(vec![part.clone()], all);
                for (mut path, range) in page.places {
                    path.insert(0, part.clone());
                    places.entry(path).or_insert_with(|| source.span(range.start, range.end));
                }
            }
        }
        let empty = || sources.add(Origin::Virtual(name.to_owned()), name.to_owned(), Vec::new()).span(0, 0);
        Self { value, places, whole: whole.unwrap_or_else(empty) }
    }
}

impl<T> Written<T> {
    /// The value itself.
    #[must_use]
    pub const fn value(&self) -> &T {
        &self.value
    }

    /// Where a part is written, by its way from the outside to the inside: `["units", "patroni.service", "enabled"]`. Items of lists
    /// go by their number. For what is not written, the nearest thing that holds it.
    #[must_use]
    pub fn at(&self, path: &[&str]) -> Span {
        let mut path: Vec<String> = path.iter().map(|p| (*p).to_owned()).collect();
        while !path.is_empty() {
            if let Some(span) = self.places.get(&path) {
                return *span;
            }
            path.pop();
        }
        self.whole
    }
}

/// A text that grows.
#[derive(Default)]
struct Page {
    text: String,
    places: Vec<(Vec<String>, Range<usize>)>,
}

impl Page {
    /// Writes a value: things of plain parts in one line, others with their parts in lines of their own.
    fn write(&mut self, path: &mut Vec<String>, value: &Value) {
        let value = plain(value);
        let start = self.text.len();
        match value {
            Value::Object(parts) if !parts.is_empty() => {
                let (flat, deep): (Vec<_>, Vec<_>) = parts.iter().partition(|(_, v)| word(plain(v)).is_some());
                if !flat.is_empty() {
                    self.head(path);
                    for (i, (key, value)) in flat.iter().enumerate() {
                        self.text.push_str(if i > 0 { ", " } else { "" });
                        let from = self.text.len();
                        self.text.push_str(key);
                        self.text.push_str(" = ");
                        self.text.push_str(&word(plain(value)).unwrap_or_default());
                        self.note(path, Some(key), from..self.text.len());
                    }
                    self.end(path, start);
                }
                for (key, value) in deep {
                    path.push(key.clone());
                    self.write(path, value);
                    path.pop();
                }
                self.note(path, None, start..self.text[start..].find('\n').map_or(self.text.len(), |n| start + n));
            }
            Value::Array(items) if word(value).is_none() => {
                for (i, item) in items.iter().enumerate() {
                    path.push(i.to_string());
                    self.write(path, item);
                    path.pop();
                }
                self.note(path, None, start..self.text[start..].find('\n').map_or(self.text.len(), |n| start + n));
            }
            other => {
                self.head(path);
                self.text.push_str(&word(other).unwrap_or_default());
                self.end(path, start);
            }
        }
    }

    fn head(&mut self, path: &[String]) {
        let names: Vec<&str> = path.iter().map(String::as_str).filter(|p| p.parse::<usize>().is_err()).collect();
        if !names.is_empty() {
            self.text.push_str(&names.join(" > "));
            self.text.push_str(": ");
        }
    }

    fn end(&mut self, path: &[String], start: usize) {
        self.note(path, None, start..self.text.len());
        self.text.push('\n');
    }

    fn note(&mut self, path: &[String], key: Option<&str>, range: Range<usize>) {
        let mut path = path.to_vec();
        path.extend(key.map(str::to_owned));
        self.places.push((path, range));
    }
}

/// What an answer holds; one that is missing says so in words.
fn plain(value: &Value) -> &Value {
    match value.as_object() {
        Some(map) if map.len() == 1 => map.get("got").map_or(value, plain),
        _ => value,
    }
}

/// A value in one line, if it is short enough for one.
fn word(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some("none".to_owned()),
        Value::Bool(yes) => Some(if *yes { "yes" } else { "no" }.to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(one_line(text)),
        Value::Array(items) if items.is_empty() => Some("none".to_owned()),
        Value::Array(items) => {
            let words: Vec<String> = items.iter().map(|i| i.as_str().map(one_line)).collect::<Option<_>>()?;
            Some(words.join(" "))
        }
        Value::Object(map) if map.is_empty() => Some("none".to_owned()),
        Value::Object(map) => {
            let miss = map.get("missing").filter(|_| map.len() == 1)?;
            let text = |key: &str| miss.get(key).and_then(Value::as_str).map(one_line).unwrap_or_default();
            Some(format!("not known ({}: {})", text("why"), text("detail")))
        }
    }
}

/// A text without line ends and of bearable length.
fn one_line(text: &str) -> String {
    const MOST: usize = 300;
    let flat: String = text.trim_end().chars().map(|c| if c.is_control() { ' ' } else { c }).take(MOST).collect();
    if text.chars().count() > MOST { flat + "…" } else { flat }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_part_is_found_where_it_is_written() {
        let sources = SourceMap::default();
        let value = json!({
            "units": {"got": {
                "a.service": {"got": {"load": {"got": "loaded"}, "user": {"got": null}, "exec_start": {"got": [["a", "b"]]}}},
                "b.service": {"missing": {"why": "denied", "detail": "no"}},
            }},
            "uid": {"got": 0},
        });
        let written = Written::new("pg1", value, &sources);
        let shown = |path: &[&str]| {
            let at = written.at(path);
            let source = sources.get(at.source);
            format!("{}|{}", source.name(), source.text(at))
        };
        assert_eq!(shown(&["units", "a.service", "load"]), "pg1: units|load = loaded");
        assert_eq!(shown(&["units", "a.service", "user"]), "pg1: units|user = none");
        assert_eq!(shown(&["units", "a.service"]), "pg1: units|a.service: load = loaded, user = none");
        assert_eq!(shown(&["units", "a.service", "exec_start", "0"]), "pg1: units|a.service > exec_start: a b");
        assert_eq!(shown(&["units", "b.service"]), "pg1: units|b.service = not known (denied: no)");
        assert_eq!(shown(&["uid"]), "pg1: uid|0");
        assert_eq!(shown(&["units", "c.service", "load"]), "pg1: units|b.service = not known (denied: no)");
    }
}
