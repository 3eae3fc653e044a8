//! Everything that was collected, as one value: what a live run looks at, and what a file of `collect` holds.
//!
//! A run always goes from the world to a bundle and from the bundle to facts, so that the same bundle gives the same findings
//! on any machine. Each answer stands by itself: one that is missing says why, and never reads as "fine".

pub mod compare;
pub mod dcs;
pub mod host;
mod join;
pub mod rest;
pub mod sql;
pub mod upgrade;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::gap::GapReason;

/// The number of the form that this program writes; another one is refused.
pub const FORMAT: u32 = 1;

/// What was collected in one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// [`FORMAT`].
    pub format: u32,
    /// The version of the program that wrote it.
    pub program: String,
    /// When, in UTC (`2026-01-31T12:00:00Z`).
    pub taken: String,
    /// What belongs to one member, by its name.
    pub nodes: BTreeMap<String, Node>,
    /// The stores that keep the state of clusters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stores: Vec<dcs::Store>,
    /// The major upgrade that is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upgrade: Option<upgrade::Upgrade>,
    /// How its secrets were replaced; absent while they stand there as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redaction: Option<Redaction>,
}

/// How the secrets of a bundle were replaced.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redaction {
    /// The fingerprint of the key: two bundles with the same one have the same words for the same secrets.
    pub key: String,
    /// The words that stand for passwords that everybody knows.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub well_known: BTreeSet<String>,
}

impl Bundle {
    /// Nothing but what was collected about members.
    #[must_use]
    pub fn of_nodes(nodes: BTreeMap<String, Node>) -> Self {
        let program = env!("CARGO_PKG_VERSION").to_owned();
        Self {
            format: FORMAT,
            program,
            taken: String::new(),
            nodes,
            stores: Vec::new(),
            upgrade: None,
            redaction: None,
        }
    }
}

/// What was collected about a member. What was not asked for is absent; what was asked for and not had says why.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// Texts of configuration files, by their path on that host; `None` for one that does not exist.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, Answer<Option<FileText>>>,
    /// The names in directories that configuration files name; `None` for one that does not exist.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub directories: BTreeMap<String, Answer<Option<Vec<String>>>>,
    /// What its server answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sql: Option<Answer<sql::Session>>,
    /// Whether the passwords of its configuration are those that its server keeps, by section of `postgresql.authentication`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub passwords: BTreeMap<String, Answer<sql::Compared>>,
    /// What its host says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<Answer<host::Host>>,
    /// What Patroni's REST API answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rest: Option<Answer<rest::Rest>>,
    /// What it has for the major upgrade that is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upgrade: Option<upgrade::Ready>,
}

/// The text of a configuration file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileText {
    /// Its text; secrets are replaced by words of the same length.
    pub text: String,
    /// What the one who collected it knows it to be, in the words of `--list-files`: the server said that it reads it as
    /// `pg_hba.conf`. Without it the name and the text tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// What it is called where it was handed over, if that is not where it was found: a path of the one who ran the program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given: Option<String>,
    /// Permission bits, where they could be had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<u32>,
}

/// An answer, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer<T> {
    /// It was had.
    Got(T),
    /// It was asked for and not had.
    Missing(Miss),
}

/// Why an answer is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Miss {
    /// In a word.
    pub why: GapReason,
    /// What was said, without secrets: the server's message, the error of the connection.
    pub detail: String,
}

impl<T> Answer<T> {
    /// An answer that is missing.
    #[must_use]
    pub fn missing(why: GapReason, detail: impl Into<String>) -> Self {
        Self::Missing(Miss { why, detail: detail.into() })
    }

    /// The answer, if it was had.
    #[must_use]
    pub const fn got(&self) -> Option<&T> {
        match self {
            Self::Got(value) => Some(value),
            Self::Missing(_) => None,
        }
    }

    /// As a result.
    ///
    /// # Errors
    /// Why it is missing.
    pub const fn as_result(&self) -> Result<&T, &Miss> {
        match self {
            Self::Got(value) => Ok(value),
            Self::Missing(miss) => Err(miss),
        }
    }
}

/// What a recording leaves out was not asked for.
impl<T> Default for Answer<T> {
    fn default() -> Self {
        Self::missing(GapReason::NotGiven, "not asked for")
    }
}

impl<T> From<Result<T, Miss>> for Answer<T> {
    fn from(result: Result<T, Miss>) -> Self {
        match result {
            Ok(value) => Self::Got(value),
            Err(miss) => Self::Missing(miss),
        }
    }
}
