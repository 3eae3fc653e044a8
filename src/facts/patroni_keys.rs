//! The keys of a Patroni configuration against the table of those that Patroni reads.
//!
//! Patroni says nothing about a key that it does not know, so a slip of the pen counts for nothing and nobody hears of it. One
//! problem names one cause: what stands below an unknown section is not looked at. Sections whose keys a user chooses (tags,
//! PostgreSQL settings, methods that he has named) stay silent, and so do keys at the top that begin with `x-`, `.` or `_`,
//! which exist to hold anchors.
//!
//! Types are judged by what Patroni does with the value while it runs. What only `patroni --validate-config` objects to gets the rules
//! `validator-rejects-harmless-type` and `validator-requires-key`.

pub use types::{NEVER_NULL, bounds, expectation};
pub use walk::METHOD_KEYS;

mod meant;
mod old_names;
mod required;
mod stray;
mod suggest;
mod types;
mod walk;

use crate::knowledge::patroni::{self as known, Version};
use crate::parse::patroni::Patroni;
use crate::problem::Problem;

/// Everything that is wrong with the keys of a configuration and the types of their values, in the order of the text.
#[must_use]
pub fn check_keys(patroni: &Patroni) -> Vec<Problem> {
    let mut problems = walk::check(patroni);
    if patroni.is_complete() {
        required::check(patroni, &mut problems);
        meant::join(&mut problems);
    }
    problems.sort_by(|a, b| (a.at, &a.rule, &a.args).cmp(&(b.at, &b.rule, &b.args)));
    problems.dedup();
    problems
}

/// The key of a section that a misspelt one was probably meant to be.
#[must_use]
pub fn meant(section: &str, key: &str, version: Version) -> Option<&'static str> {
    if known::child(section, key).is_some() {
        return None;
    }
    suggest::sibling(section, key, version).map(|(name, _)| name)
}

#[cfg(test)]
mod tests;
