//! Findings in words, on paper of several shapes. Pure: every format is a function from findings to text.

pub mod fingerprint;
pub mod full;
pub mod json;
pub mod listing;
pub mod page;
pub mod redact;
pub mod short;
mod snippet;
mod verdict;

pub use verdict::{Verdict, last_line, plural, verdict};

use crate::rules::engine::Outcome;
use crate::source::SourceMap;

/// What every format is given.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    /// The texts that findings point into.
    pub sources: &'a SourceMap,
    /// What was found.
    pub outcome: &'a Outcome,
    /// What must not be seen.
    pub redactor: &'a redact::Redactor,
    /// The exit code and its reason.
    pub verdict: &'a Verdict,
    /// How many files were read as configuration.
    pub files: usize,
}
