//! Processes and what they hold.

use serde::{Deserialize, Serialize};

use crate::bundle::Answer;

/// A process.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// Its parent's.
    pub ppid: u32,
    /// The user that it runs as.
    pub uid: u32,
    /// The kernel's name for it, at most 15 bytes.
    pub name: String,
    /// When it was started, in seconds since 1970.
    pub started: u64,
    /// Its command line, secrets replaced.
    pub command: Vec<String>,
    /// Where systemd or a container has put it: `/system.slice/patroni.service`.
    pub cgroup: Answer<String>,
    /// Its working directory; of a server, the data directory.
    pub directory: Answer<String>,
}

/// Something that listens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listener {
    /// Where.
    pub at: Place,
    /// Who holds the socket.
    pub holders: Answer<Vec<Holder>>,
}

/// Where something listens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// `0.0.0.0` and `::` are all addresses.
    Tcp {
        /// The address.
        address: String,
        /// The port.
        port: u16,
    },
    /// A path.
    Unix(String),
}

/// A process that holds something open.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holder {
    /// Its number.
    pub pid: u32,
    /// Its name.
    pub name: String,
}
