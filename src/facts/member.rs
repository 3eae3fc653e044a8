//! Members of a cluster and the files that belong to each.

use super::gap::Fact;

/// Members that share a scope, or were meant to.
#[derive(Debug)]
pub struct Cluster {
    /// The name that the caller gave it.
    pub name: Option<String>,
    /// In order of their files' paths.
    pub members: Vec<Member>,
}

/// A member and its files, as indices into the lists of [`super::Facts`].
#[derive(Debug)]
pub struct Member {
    /// Its name, or the path of its file when that says none.
    pub name: String,
    /// Patroni's configuration.
    pub file: usize,
    /// PostgreSQL's.
    pub conf: Fact<usize>,
    /// Who may connect, once Patroni has taken over: its own list, if it has one, else the file.
    pub hba: Fact<usize>,
    /// SQL that sets up roles of its cluster.
    pub sqls: Vec<usize>,
    /// Major version of PostgreSQL.
    pub postgresql: Option<u16>,
}
