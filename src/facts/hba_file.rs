//! Host-based authentication of a file or a list, and which of its lines decide.

use std::sync::{Arc, OnceLock};

use super::gap::{Fact, Gap, GapReason};
use super::hba_shadow;
use crate::parse::hba::Hba;
use crate::source::Source;

/// Host-based authentication from one file, or from a list in Patroni's configuration.
#[derive(Debug)]
pub struct HbaFile {
    /// The file that the lines stand in.
    pub source: Arc<Source>,
    /// The lines, for the version of the member that they belong to, or the newest.
    pub hba: Hba,
    hidden: OnceLock<Vec<Option<usize>>>,
}

impl HbaFile {
    pub(super) fn new(source: Arc<Source>, hba: Hba) -> Self {
        Self { source, hba, hidden: OnceLock::new() }
    }

    /// Whether a rule decides some connection: no earlier rule alone decides all that it would.
    ///
    /// # Errors
    /// When a template decides whether the rule is there, or what stands in front of it.
    pub fn decides(&self, index: usize) -> Fact<bool> {
        if self.hidden_by(index).is_some() {
            return Ok(false);
        }
        let rule = &self.hba.rules[index];
        let mut optional = self.hba.rules[..index].iter().filter(|r| r.optional && r.warning.is_none());
        let mut parts = self.hba.perhaps.iter().filter(|p| p.before <= index);
        if rule.optional
            || optional.any(|r| hba_shadow::catches_all(r, rule))
            || parts.any(|p| hba_shadow::may_catch_all(p, rule))
        {
            let what = format!("what line {} of {} lets in (a template decides)", rule.line, self.source.name());
            return Err(Gap::new(what, GapReason::Unreadable));
        }
        Ok(true)
    }

    /// The earlier rule that alone decides every connection that a rule would, if there is one.
    #[must_use]
    pub fn hidden_by(&self, index: usize) -> Option<usize> {
        self.hidden.get_or_init(|| hba_shadow::all_hidden(&self.hba)).get(index).copied().flatten()
    }
}
