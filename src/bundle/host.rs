//! What a host says of itself.

mod data;
mod path;
mod process;
mod program;
mod reach;
mod unit;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Answer;
pub use data::{DataDir, PidFile};
pub use path::{Access, Entry, Filesystem, Kind};
pub use process::{Holder, Listener, Place, Process};
pub use program::{Patroni, Programs};
pub use reach::{Reach, place};
pub use unit::{
    Container, DebianCluster, Engine, EnvironmentFile, Launcher, Launchers, Runs, Systemd, Unit, Unread, Variable,
};

/// A host, or the tree of one that does not run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Host {
    /// Whether it was looked at while it ran; a tree below some directory has no processes and no sockets.
    pub running: bool,
    /// The user that looked, by number: what others own may be hidden from all but root.
    pub uid: Answer<u32>,
    /// Its name.
    pub name: Answer<String>,
    /// Kernel, its release and the machine: `Linux 6.1.0-18-amd64 x86_64`.
    pub kernel: Answer<String>,
    /// Its time.
    pub clock: Answer<Clock>,
    /// Whether something keeps its time right.
    pub synchronised: Answer<bool>,
    /// The addresses of its interfaces, in the order of `ip`.
    pub addresses: Answer<Vec<Address>>,
    /// What the names that were asked for stand for there; none for a name that does not resolve.
    pub names: BTreeMap<String, Answer<Vec<String>>>,
    /// The names of its own addresses.
    pub reverse: BTreeMap<String, Answer<Vec<String>>>,
    /// What belongs to systemd itself.
    pub systemd: Answer<Systemd>,
    /// The units that start PostgreSQL, Patroni or another manager of them.
    pub units: Answer<BTreeMap<String, Answer<Unit>>>,
    /// The clusters of Debian's and Ubuntu's packages, below `/etc/postgresql`.
    pub clusters: Answer<Vec<DebianCluster>>,
    /// Other texts that start, stop or promote PostgreSQL.
    pub launchers: Answer<Launchers>,
    /// The processes of PostgreSQL, Patroni and other managers; of a server only the first one.
    pub processes: Answer<Vec<Process>>,
    /// What listens: TCP, and the Unix sockets of PostgreSQL.
    pub listeners: Answer<Vec<Listener>>,
    /// Files and directories that were asked for; `None` for one that does not exist.
    pub paths: BTreeMap<String, Answer<Option<Entry>>>,
    /// Data directories.
    pub data: BTreeMap<String, DataDir>,
    /// The filesystems of data, WAL, configuration and of other directories, by the path that was asked for; of one that does not exist,
    /// the one that it would lie on.
    pub filesystems: BTreeMap<String, Answer<Filesystem>>,
    /// Those of the directories that were asked for that systemd-tmpfiles makes when the host starts.
    pub made_at_boot: Answer<Vec<String>>,
    /// The entries of password files, each without its password: `db1:5432:app:reporter`; none for a file that does not exist.
    pub password_files: BTreeMap<String, Answer<Option<Vec<String>>>>,
    /// PostgreSQL's programs, by their directory.
    pub programs: BTreeMap<String, Programs>,
    /// Installations of Patroni, by the path of the program.
    pub patroni: Answer<BTreeMap<String, Patroni>>,
    /// Who holds a watchdog device open; what it is stands in `paths`.
    pub watchdogs: BTreeMap<String, Answer<Vec<Holder>>>,
    /// What came of TCP connections from there, each closed at once, by `HOST:PORT`.
    pub reach: BTreeMap<String, Answer<Reach>>,
    /// What the users of Patroni's units may do with the paths that were asked for and exist: user, then path.
    pub access: BTreeMap<String, Answer<BTreeMap<String, Answer<Access>>>>,
}

/// The time of a host, and when it was seen here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clock {
    /// Its time in milliseconds since 1970.
    pub there: i64,
    /// The time of the machine that asked, when the answer came; later by what the way takes.
    pub here: i64,
}

/// An address of an interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// `eth0`.
    pub interface: String,
    /// `192.0.2.11`.
    pub address: String,
    /// The length of the network's part.
    pub prefix: u8,
}
