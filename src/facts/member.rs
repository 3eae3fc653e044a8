//! Members of a cluster and the files that belong to each.

use std::collections::BTreeSet;

use super::Whole;
use super::gap::Fact;
use super::included::Included;
use super::patroni_file::is_placeholder;

/// Members that share a scope, or were meant to.
#[derive(Debug)]
pub struct Cluster {
    /// The name that the caller gave it.
    pub name: Option<String>,
    /// In order of their files' paths.
    pub members: Vec<Member>,
    /// A file beside them may be of the same cluster: a template fills in what tells.
    pub is_open: bool,
}

impl Cluster {
    /// Whether every member has a name of its own. Files that share one are variants of one member, and files whose name a
    /// template fills in are no members; both may differ.
    #[must_use]
    pub fn has_own_names(&self, facts: &Whole) -> bool {
        let name =
            |m: &Member| facts.patroni[m.file].config.name().map(|n| n.value.to_owned()).filter(|n| !is_placeholder(n));
        let names: BTreeSet<String> = self.members.iter().filter_map(name).collect();
        names.len() == self.members.len()
    }
}

/// A member and its files, as indices into the lists of [`super::Whole`].
#[derive(Debug)]
pub struct Member {
    /// Its name, or the path of its file when that says none.
    pub name: String,
    /// Patroni's configuration.
    pub file: usize,
    /// PostgreSQL's.
    pub conf: Fact<usize>,
    /// What Patroni's `postgresql.conf` will include; of no meaning where today's is not known.
    pub included: Fact<Included>,
    /// Who may connect, once Patroni has taken over: the file that its `hba_file` names, else its own list, else the file of today.
    pub hba: Fact<usize>,
    /// The `pg_hba.conf` of today, whatever list Patroni has.
    pub hba_file: Fact<usize>,
    /// User name maps, as an index of [`super::Whole::idents`]: as with those.
    pub ident: Fact<usize>,
    /// SQL that sets up roles of its cluster.
    pub sqls: Vec<usize>,
    /// Major version of PostgreSQL.
    pub postgresql: Option<u16>,
}
