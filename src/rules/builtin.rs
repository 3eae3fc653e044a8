//! The rules that are compiled in, sorted by id.

use super::schema::{
    CheckSpec, FileOf, FileSpec, FixSpec, HbaSpec, Need, Nothing, Place, RowsSpec, Rule, Safety, SamePath, SameSpec,
    SettingSpec, Severity, Status, StepSpec, YamlKeySpec,
};
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
