//! A major upgrade that is meant, and what a member has for it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Answer;
use super::host::{DataDir, Entry, Programs};
use super::sql::Session;

/// A major upgrade that is meant, as the user says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upgrade {
    /// The major that servers are to have: `--upgrade-to`.
    pub to: u16,
    /// Where its programs are on every member: `--new-bindir`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bin_dir: Option<String>,
    /// Where its data will be on every member: `--new-datadir`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<String>,
}

/// What a member has for the new major.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ready {
    /// The directory of its programs, as it was said or as the layout tells.
    pub bin_dir: Answer<String>,
    /// Its data directory.
    pub data_dir: Answer<String>,
    /// The directory of its `postgresql.conf` and `pg_hba.conf`.
    pub config_dir: Answer<String>,
    /// What lies there; absent when there was no way to the host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<Answer<NewServer>>,
    /// What each database of the old server answers, where that is a primary and one may connect to it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub databases: BTreeMap<String, Answer<Session>>,
}

/// What there is of the new major on a host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewServer {
    /// Its programs.
    pub programs: Programs,
    /// Its directory of libraries, `$libdir`: the names in it.
    pub libraries: Answer<Vec<String>>,
    /// Its data directory.
    pub data: DataDir,
    /// The lines of its configuration files that say something, by path, secrets replaced; `None` for a file that does not exist.
    pub files: BTreeMap<String, Answer<Option<String>>>,
    /// `patroni.dynamic.json` in the places where data of older majors lie, as far as they are known.
    pub before: BTreeMap<String, Answer<Option<Entry>>>,
}
