//! What Patroni's take-over changes, on paper of several shapes.

pub mod json;
pub mod text;

use super::redact::Redactor;
use crate::predict::Prediction;
use crate::rules::engine::Outcome;
use crate::source::SourceMap;

/// What every shape is given.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// What will be.
    pub prediction: &'a Prediction,
    /// What the rules have found in the same facts.
    pub outcome: &'a Outcome,
    /// The texts that it points into.
    pub sources: &'a SourceMap,
    /// What must not be seen.
    pub redactor: &'a Redactor,
    /// Also what does not change.
    pub all: bool,
}
