//! What a check writes its findings and gaps into.

use crate::facts::gap::{Fact, Gap};
use crate::problem::Problem;
use crate::source::Span;

/// Collects what one rule found and what it could not look at.
#[derive(Debug, Default)]
pub struct Report {
    rule: String,
    pub(super) problems: Vec<Problem>,
    pub(super) gaps: Vec<Gap>,
}

impl Report {
    /// An empty one for a rule.
    #[must_use]
    pub fn new(rule: &str) -> Self {
        Self { rule: rule.to_owned(), problems: Vec::new(), gaps: Vec::new() }
    }

    /// A problem of this rule at a place; hand it to [`Report::add`].
    #[must_use]
    pub fn problem(&self, at: Span) -> Problem {
        Problem::new(self.rule.clone(), at)
    }

    /// Adds a problem. The order does not matter.
    pub fn add(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// Adds what the same rule found elsewhere.
    pub(super) fn append(&mut self, mut other: Self) {
        self.problems.append(&mut other.problems);
        self.gaps.append(&mut other.gaps);
    }

    /// Takes a fact, or notes that it is missing so that a loop can go on to the next member.
    pub fn known<T>(&mut self, fact: Fact<T>) -> Option<T> {
        match fact {
            Ok(value) => Some(value),
            Err(gap) => {
                self.gaps.push(gap);
                None
            }
        }
    }
}
