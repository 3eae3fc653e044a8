//! What the caller says about files that the files do not say themselves: versions, and which of them belong together.

use std::path::{Path, PathBuf};

use super::Options;
use crate::collect::kind::Kind;
use crate::knowledge::patroni::Version;
use crate::pattern::{Patterns, Root};

/// Versions for some paths.
#[derive(Debug, Clone, Default)]
pub struct Target {
    /// Where.
    pub paths: Patterns,
    /// Major version of PostgreSQL.
    pub postgresql: Option<u16>,
    /// Release of Patroni.
    pub patroni: Option<Version>,
}

/// A member that the configuration names.
#[derive(Debug, Clone, Default)]
pub struct NamedMember {
    /// Its Patroni file, or those of several members.
    pub file: Patterns,
    /// Its name, where the file does not tell it.
    pub name: Option<String>,
    /// Its `postgresql.conf`, relative to the configuration.
    pub conf: Option<PathBuf>,
    /// Its `pg_hba.conf`, relative to the configuration.
    pub hba: Option<PathBuf>,
}

/// A cluster that the configuration names.
#[derive(Debug, Clone, Default)]
pub struct NamedCluster {
    /// Its name.
    pub name: String,
    /// Its members.
    pub members: Vec<NamedMember>,
    /// Major version of PostgreSQL.
    pub postgresql: Option<u16>,
    /// Release of Patroni.
    pub patroni: Option<Version>,
}

/// A member whose host was looked at: everything below a directory is its own.
#[derive(Debug, Clone, Default)]
pub struct Home {
    /// The directory that stands for the root of its host.
    pub root: PathBuf,
    /// The file that its server reads first.
    pub conf: Option<PathBuf>,
    /// `postgresql.auto.conf`.
    pub auto_conf: Option<PathBuf>,
    /// Host-based authentication.
    pub hba: Option<PathBuf>,
    /// User name maps.
    pub ident: Option<PathBuf>,
    /// Major version of its server.
    pub postgresql: Option<u16>,
    /// Release of its Patroni.
    pub patroni: Option<Version>,
}

/// Versions and clusters by path.
#[derive(Debug, Clone, Default)]
pub struct Layout {
    /// For every path.
    pub options: Options,
    /// For some paths; the last one that speaks of a version counts.
    pub targets: Vec<Target>,
    /// Clusters; a file belongs to the first one that names it.
    pub clusters: Vec<NamedCluster>,
    /// Where the paths of clusters start.
    pub root: Root,
    /// Members whose hosts were looked at.
    pub homes: Vec<Home>,
}

impl Layout {
    /// The versions to read a file for, where the file does not tell them.
    #[must_use]
    pub fn at(&self, path: Option<&Path>) -> Options {
        let mut options = self.options;
        let Some(path) = path.filter(|_| !self.is_empty()) else { return options };
        if let Some(home) = self.home(path) {
            options.postgresql = home.postgresql.or(options.postgresql);
            options.patroni = home.patroni.unwrap_or(options.patroni);
        }
        for target in self.targets.iter().filter(|t| t.paths.holds(path)) {
            options.postgresql = target.postgresql.or(options.postgresql);
            options.patroni = target.patroni.unwrap_or(options.patroni);
        }
        let own = self.root.of(path);
        let here = |m: &NamedMember| m.file.holds(path) || (own.is_some() && (m.conf == own || m.hba == own));
        if let Some(cluster) = self.clusters.iter().find(|c| c.members.iter().any(here)) {
            options.postgresql = cluster.postgresql.or(options.postgresql);
            options.patroni = cluster.patroni.unwrap_or(options.patroni);
        }
        options
    }

    fn is_empty(&self) -> bool {
        self.targets.is_empty() && self.clusters.is_empty() && self.homes.is_empty()
    }

    /// The member whose host a file is on.
    #[must_use]
    pub fn home(&self, path: &Path) -> Option<&Home> {
        self.homes.iter().find(|home| path.starts_with(&home.root))
    }

    /// The cluster and member that a Patroni file is named as.
    #[must_use]
    pub fn member(&self, path: &Path) -> Option<(usize, &NamedMember)> {
        let member = |c: &'_ NamedCluster| c.members.iter().position(|m| m.file.holds(path));
        let (i, m) = self.clusters.iter().enumerate().find_map(|(i, c)| Some((i, member(c)?)))?;
        Some((i, &self.clusters[i].members[m]))
    }

    /// What a file is named as.
    #[must_use]
    pub fn kind(&self, path: &Path) -> Option<Kind> {
        if self.clusters.is_empty() {
            return None;
        }
        if self.member(path).is_some() {
            return Some(Kind::Patroni);
        }
        let own = self.root.of(path)?;
        let members = || self.clusters.iter().flat_map(|c| &c.members);
        let is = |of: fn(&NamedMember) -> Option<&PathBuf>| members().any(|m| of(m) == Some(&own));
        if is(|m| m.conf.as_ref()) {
            return Some(Kind::Conf);
        }
        is(|m| m.hba.as_ref()).then_some(Kind::Hba)
    }

    /// Whether a file is the one that the configuration names so.
    #[must_use]
    pub fn is(&self, path: Option<&Path>, named: &Path) -> bool {
        path.and_then(|p| self.root.of(p)).is_some_and(|p| p == named)
    }
}
