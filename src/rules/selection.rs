//! Which rules run, where, and how bad each is there. Severity never comes from code.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::schema::{Rule, Severity, Status};
use crate::date::Date;
use crate::pattern::Patterns;

/// How bad rules are, by their ids; `None` switches a rule off.
pub type Severities = BTreeMap<String, Option<Severity>>;

/// Severities for some paths only.
#[derive(Debug, Clone, Default)]
pub struct Scoped {
    /// Where.
    pub paths: Patterns,
    /// What.
    pub severities: Severities,
}

/// Findings that a configuration accepts.
#[derive(Debug, Clone)]
pub struct Ignore {
    /// The rules, each with the bytes of the configuration where it stands.
    pub rules: Vec<(String, Range<usize>)>,
    /// Where.
    pub paths: Patterns,
    /// The last day, and where it stands.
    pub until: Option<(Date, Range<usize>)>,
}

/// What a run is asked to look for.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// For every path.
    pub severities: Severities,
    /// For some paths; the last one that names a rule counts.
    pub scoped: Vec<Scoped>,
    /// Also run rules on trial.
    pub trial: bool,
    /// What is accepted.
    pub ignores: Vec<Ignore>,
    /// The file that ignores stand in, by the path of its text.
    pub config: Option<PathBuf>,
    /// Whether everything was looked at that the configuration speaks of, so that what did not occur does not exist.
    pub whole: bool,
    /// The day of the run; without it nothing expires.
    pub today: Option<Date>,
}

impl Selection {
    /// How bad a rule is where nothing else is said; `None` when it is off.
    #[must_use]
    pub fn severity(&self, rule: &Rule) -> Option<Severity> {
        match self.severities.get(&*rule.id) {
            Some(chosen) => *chosen,
            None if rule.status == Status::Trial && !self.trial => None,
            None => Some(rule.severity),
        }
    }

    /// Whether a rule is on anywhere.
    #[must_use]
    pub fn runs(&self, rule: &Rule) -> bool {
        let somewhere = |s: &Scoped| s.severities.get(&*rule.id).is_some_and(Option::is_some);
        self.severity(rule).is_some() || self.scoped.iter().any(somewhere)
    }

    /// How bad a rule is at a path.
    #[must_use]
    pub fn severity_at(&self, rule: &Rule, path: Option<&Path>) -> Option<Severity> {
        let here = |s: &&Scoped| s.severities.contains_key(&*rule.id) && path.is_some_and(|p| s.paths.holds(p));
        self.scoped.iter().rev().find(here).map_or_else(|| self.severity(rule), |s| s.severities[&*rule.id])
    }
}
