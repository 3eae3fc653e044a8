//! The rules that are compiled in, sorted by id.

use super::schema::{
    CheckSpec, FileOf, FileSpec, FixSpec, HbaSpec, Need, Nothing, Place, RowsSpec, Rule, Safety, SamePath, SameSpec,
    SettingSpec, Severity, Status, StepSpec, YamlKeySpec,
};
use std::borrow::Cow;

/// A case of a rule, in short.
#[derive(Debug)]
pub struct Example {
    /// Its file.
    pub file: &'static str,
    /// The line that the finding is about, with those around it.
    pub bad: &'static str,
    /// The finding.
    pub says: &'static str,
    /// The same place in a case where the rule is silent; empty when the two differ in more than that.
    pub good: &'static str,
}

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

/// An example of what a built-in rule finds, from its fixture.
#[must_use]
pub fn example(id: &str) -> Option<&'static Example> {
    BUILTIN.binary_search_by(|r| (*r.id).cmp(id)).ok().and_then(|i| EXAMPLES[i].as_ref())
}
