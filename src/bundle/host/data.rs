//! Data directories.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Entry;
use crate::bundle::Answer;

/// A data directory of PostgreSQL, or what stands in its place. `None` is what does not exist.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataDir {
    /// The directory itself.
    pub entry: Answer<Option<Entry>>,
    /// The names in it, hidden ones too, sorted: signal files, `recovery.conf`, `backup_label` and all others.
    pub names: Answer<Vec<String>>,
    /// What `PG_VERSION` says: `15`.
    pub version: Answer<Option<String>>,
    /// `postmaster.pid`.
    pub pid_file: Answer<Option<PidFile>>,
    /// The text of `backup_label`.
    pub backup_label: Answer<Option<String>>,
    /// `patroni.dynamic.json`, secrets replaced.
    pub dynamic: Answer<Option<String>>,
    /// What `pg_controldata` says, by the label: `Database system identifier`.
    pub control: Answer<BTreeMap<String, String>>,
    /// `pg_wal`.
    pub wal: Answer<Option<Entry>>,
    /// Where tablespaces lie, by the name of the link.
    pub tablespaces: Answer<BTreeMap<String, String>>,
}

/// What a server has written down while it runs, or when it was killed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PidFile {
    /// Its process.
    pub pid: u32,
    /// Its data directory.
    pub data_dir: String,
    /// When it was started, in seconds since 1970.
    pub started: u64,
    /// Its port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The first directory for sockets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub socket_dir: Option<String>,
    /// The first address that it listens on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listen: Option<String>,
    /// `ready`, `standby`, `starting`, `stopping`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The name of the process that has the number today; `None` when there is none.
    pub alive: Answer<Option<String>>,
}
