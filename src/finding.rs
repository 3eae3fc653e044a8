//! What a user is shown: a problem with its words, its severity and the way out.

use crate::problem::{Edit, RuleId};
use crate::rules::schema::{Disruption, Safety, Severity};
use crate::source::{SourceId, Span};

/// One step of a fix. What is printed and what is applied is the same value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What is done.
    pub action: Action,
    /// The member it is done on; `None` for files of a repository and for the cluster as a whole.
    pub node: Option<String>,
    /// What must hold before it.
    pub precondition: Option<String>,
    /// What must hold after it.
    pub postcondition: Option<String>,
    /// How it is taken back.
    pub undo: Option<String>,
    /// What it does to those who use the database.
    pub disruption: Disruption,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Changes bytes of a file.
    Edit(Vec<Edit>),
    /// Sets a key of the dynamic configuration to a value written as YAML.
    SetDynamic {
        /// Path of the key.
        key: String,
        /// New value.
        value: String,
    },
    /// Runs a statement on the primary.
    Sql(String),
    /// Runs a command line on the member's host.
    Command(String),
    /// Reloads the configuration.
    Reload,
    /// Restarts PostgreSQL.
    Restart,
    /// Waits until something holds.
    Wait(String),
    /// Something that a person does.
    Human(String),
}

/// How to mend a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// Starts with a verb.
    pub title: String,
    /// Whether the tool may apply it.
    pub safety: Safety,
    /// Why it is not safe; empty if it is.
    pub because: String,
    /// In order.
    pub steps: Vec<Step>,
    /// Rules whose fixes come before this one.
    pub after: Vec<RuleId>,
}

/// A further place that belongs to a finding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Label {
    /// Where.
    pub at: Span,
    /// What it shows there; may be empty.
    pub text: String,
}

impl Finding {
    /// Every text that it speaks of.
    #[must_use]
    pub fn sources(&self) -> Vec<SourceId> {
        let mut all = vec![self.at.source];
        all.extend(self.labels.iter().map(|l| l.at.source));
        all
    }
}

/// One thing that is wrong, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule that was broken.
    pub rule: RuleId,
    /// From the rule and the configuration.
    pub severity: Severity,
    /// Where the user would change something.
    pub at: Span,
    /// One line, no period.
    pub message: String,
    /// Further places.
    pub labels: Vec<Label>,
    /// The members that it is about, where the places do not tell.
    pub nodes: Vec<String>,
    /// What will happen, and facts of this one case.
    pub notes: Vec<String>,
    /// The way out, or why there is none.
    pub fix: Result<Fix, String>,
}
