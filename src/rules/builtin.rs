//! The rules that are compiled in, sorted by id.

#[allow(clippy::wildcard_imports, reason = "the generated table names every type of the schema")]
use super::schema::*;
use std::borrow::Cow;

include!(concat!(env!("OUT_DIR"), "/rules.rs"));

/// The built-in rule of that id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Rule> {
    BUILTIN.binary_search_by(|r| (*r.id).cmp(id)).ok().map(|i| &BUILTIN[i])
}

/// The folder that a built-in rule's file lies in.
#[must_use]
pub fn area(id: &str) -> Option<&'static str> {
    BUILTIN.binary_search_by(|r| (*r.id).cmp(id)).ok().map(|i| AREAS[i])
}
