//! Programs and their versions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Entry;
use crate::bundle::Answer;

/// A directory of PostgreSQL's programs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Programs {
    /// What there is under the names that Patroni and upgrades need; `None` for what does not exist.
    pub files: BTreeMap<String, Answer<Option<Entry>>>,
    /// What `postgres -V` says: `postgres (PostgreSQL) 15.10`.
    pub version: Answer<String>,
    /// The libraries that its server finds by a plain name (`$libdir`), without their ending: `pg_stat_statements`.
    pub libraries: Answer<Vec<String>>,
}

/// An installation of Patroni.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Patroni {
    /// What `--version` says: `4.1.0`.
    pub version: Answer<String>,
    /// The interpreter that its first line names.
    pub interpreter: Answer<String>,
    /// The version of that: `3.11.2`.
    pub python: Answer<String>,
    /// What is installed for it, of the packages that Patroni may use, with the versions.
    pub packages: Answer<BTreeMap<String, String>>,
    /// The modules that it could import, of those that Patroni may use: `psycopg2`, `systemd`.
    pub modules: Answer<Vec<String>>,
}
