//! Findings in words, on paper of several shapes. Pure: every format is a function from findings to text.

pub mod checkstyle;
mod edits;
pub mod fingerprint;
pub mod full;
pub mod gate;
pub mod github;
pub mod gitlab;
pub mod html;
pub mod json;
pub mod jsonl;
pub mod junit;
pub mod listing;
pub mod markdown;
mod members;
mod overview;
pub mod page;
mod place;
pub mod prediction;
pub mod redact;
pub mod sarif;
pub mod short;
mod snippet;
pub mod style;
mod verdict;
mod xml;

pub use style::{Links, Style};
pub use verdict::{Question, Verdict, last_line, plural, verdict};

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::facts::gap::{Gap, GapReason};
use crate::facts::topology::Seen;
use crate::finding::Finding;
use crate::predict::Prediction;
use crate::rules::engine::Outcome;
use crate::rules::schema::{Rule, Severity};
use crate::source::{Source, SourceId, SourceMap};

/// What every format is given.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    /// The texts that findings point into.
    pub sources: &'a SourceMap,
    /// What was found.
    pub outcome: &'a Outcome,
    /// Rules that findings may name.
    pub rules: &'a [Rule],
    /// What must not be seen.
    pub redactor: &'a redact::Redactor,
    /// The exit code and its reason.
    pub verdict: &'a Verdict,
    /// The least severity that makes the exit code 1.
    pub fail_on: Severity,
    /// What was read as configuration, in order of the names.
    pub files: &'a [SourceId],
    /// What has changed since another moment, if that was asked.
    pub changes: Option<&'a Changes>,
    /// The members as their servers say it; none in a run over files.
    pub members: &'a [Seen],
    /// What the run was asked to look at.
    pub question: Question,
    /// What Patroni's take-over will change, for the formats that tell it.
    pub prediction: Option<&'a Prediction>,
}

/// What has changed between two moments.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Changes {
    /// The earlier moment, in UTC.
    pub since: String,
    /// One line each.
    pub lines: Vec<String>,
}

impl<'a> Page<'a> {
    /// A name as people may see it: nothing in it drives the terminal.
    fn name(&self, source: &Source) -> String {
        self.redactor.words(&[], source.name())
    }

    /// The message of a finding as it may be seen.
    fn message(&self, finding: &Finding) -> String {
        self.redactor.words(&finding.sources(), &finding.message)
    }

    /// What a rule says of itself.
    fn rule(&self, id: &str) -> Option<&'a Rule> {
        self.rules.iter().find(|r| r.id == id)
    }

    /// Errors before warnings before notes, and those in the order of the files.
    fn worst_first(&self) -> Vec<&'a Finding> {
        let mut findings: Vec<&Finding> = self.outcome.findings.iter().collect();
        findings.sort_by_key(|f| Reverse(f.severity));
        findings
    }

    /// Findings by the name of their file; files without any are there too.
    fn by_file(&self) -> BTreeMap<String, Vec<&'a Finding>> {
        let mut files: BTreeMap<String, Vec<&Finding>> = BTreeMap::new();
        for id in self.files {
            files.entry(self.sources.get(*id).name().to_owned()).or_default();
        }
        for finding in &self.outcome.findings {
            files.entry(self.sources.get(finding.at.source).name().to_owned()).or_default().push(finding);
        }
        files
    }

    /// What was not checked: each cause once, with the rules that it stopped, and whether it makes the run incomplete.
    fn not_checked(&self) -> Vec<NotChecked<'a>> {
        let mut causes: BTreeMap<String, NotChecked<'a>> = BTreeMap::new();
        for (rule, gap) in &self.outcome.gaps {
            let cause = self.redactor.words(&[], &gap.to_string());
            let entry =
                causes.entry(cause.clone()).or_insert_with(|| NotChecked { cause, rules: Vec::new(), open: false });
            entry.rules.push(rule);
            entry.open |= is_open(gap);
        }
        causes.into_values().collect()
    }
}

/// One cause for which rules could not be checked.
struct NotChecked<'a> {
    cause: String,
    rules: Vec<&'a str>,
    /// It makes the run incomplete: something was handed over and could not be used.
    open: bool,
}

/// Whether a gap makes a run incomplete. A kind of file that nobody handed over does not.
fn is_open(gap: &Gap) -> bool {
    gap.why != GapReason::NotGiven
}
