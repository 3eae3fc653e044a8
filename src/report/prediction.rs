//! What Patroni's take-over changes, on paper of several shapes.

mod alike;
mod columns;
mod danger;
pub mod json;
pub mod markdown;
pub(super) mod sheet;
pub mod text;
mod value;
mod verdict;
pub(super) mod words;

pub use verdict::{last_line, verdict};

use super::Page;
use crate::predict::Prediction;
use crate::source::Span;

/// What every shape is given.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// What the rules have found in the same facts, and what must not be seen of them.
    pub page: &'a Page<'a>,
    /// What will be.
    pub prediction: &'a Prediction,
    /// Also what does not change.
    pub all: bool,
}

impl Shown<'_> {
    /// Words of ours, on one line and without anything that is secret in any text.
    fn words(&self, text: &str) -> String {
        self.exact(text).replace('\n', "⏎").replace('\t', " ")
    }

    /// A text without anything that is secret in any text.
    fn exact(&self, text: &str) -> String {
        self.page.redactor.everywhere(text)
    }

    /// `pg1.yml:12`
    fn place(&self, at: Span) -> String {
        let source = self.page.sources.get(at.source);
        let (line, _) = source.position(at.start);
        self.words(&format!("{}:{line}", source.name()))
    }
}
