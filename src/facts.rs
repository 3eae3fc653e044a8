//! What is known about clusters and their members, drawn from what was collected and parsed. Read-only from here on.

mod build;
pub mod conf_check;
pub mod connections;
pub mod enforced;
pub mod gap;
pub mod group;
pub mod hba_decision;
pub mod hba_shadow;
pub mod ident_map;
mod join;
mod member;
pub mod nodes;
pub mod patroni_file;
pub mod patroni_keys;
mod read;
pub mod roles;
mod service;
pub mod settings;

use std::sync::Arc;

pub use build::build;
pub use member::{Cluster, Member};
pub use patroni_file::PatroniFile;

use gap::{Fact, Gap, GapReason};

use crate::knowledge::patroni::Version;
use crate::parse::conf::Conf;
use crate::parse::hba::Hba;
use crate::parse::sql::Sql;
use crate::parse::unit::Unit;
use crate::problem::Problem;
use crate::secret::Secret;
use crate::source::{Source, SourceId, SourceMap, Span};

/// Versions, where files do not tell them.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Major version of PostgreSQL.
    pub postgresql: Option<u16>,
    /// Release of Patroni.
    pub patroni: Version,
}

impl Default for Options {
    fn default() -> Self {
        Self { postgresql: None, patroni: Version::LATEST }
    }
}

/// PostgreSQL's configuration from one main file.
#[derive(Debug)]
pub struct ConfFile {
    /// The main file.
    pub source: Arc<Source>,
    /// With all that it includes.
    pub conf: Conf,
}

/// Host-based authentication from one file, or from a list in Patroni's configuration.
#[derive(Debug)]
pub struct HbaFile {
    /// The file that the lines stand in.
    pub source: Arc<Source>,
    /// The lines, for the version of the member that they belong to, or the newest.
    pub hba: Hba,
}

/// A systemd unit or drop-in.
#[derive(Debug)]
pub struct UnitFile {
    /// Its text.
    pub source: Arc<Source>,
    /// What it says.
    pub unit: Unit,
}

impl UnitFile {
    /// Whether it starts Patroni.
    #[must_use]
    pub fn runs_patroni(&self) -> bool {
        self.patroni_arguments().is_some()
    }

    /// The file or directory that it starts Patroni with, specifiers as they stand.
    #[must_use]
    pub fn patroni_configuration(&self) -> Option<String> {
        self.patroni_arguments()?.into_iter().find(|word| !word.starts_with('-'))
    }

    /// What stands behind the name of the program, when that is Patroni.
    fn patroni_arguments(&self) -> Option<Vec<String>> {
        let is_patroni =
            |word: &str| word.rsplit('/').next().is_some_and(|name| name == "patroni" || name == "patroni.py");
        self.unit.commands("ExecStart").tree.into_iter().find_map(|command| {
            let mut words = std::iter::once(command.path).chain(command.args).map(|word| word.value);
            words.find(|word| is_patroni(word))?;
            Some(words.collect())
        })
    }
}

/// An environment file of a unit.
#[derive(Debug)]
pub struct EnvironmentFile {
    /// Its text.
    pub source: Arc<Source>,
    /// Permission bits, where they count.
    pub mode: Option<u32>,
}

/// SQL that sets up roles.
#[derive(Debug)]
pub struct SqlFile {
    /// Its text.
    pub source: Arc<Source>,
    /// What it does.
    pub sql: Sql,
}

/// Everything that rules may look at.
#[derive(Debug, Default)]
pub struct Facts {
    /// Every text.
    pub sources: SourceMap,
    /// Patroni's configuration files, in order of their paths.
    pub patroni: Vec<PatroniFile>,
    /// PostgreSQL's.
    pub confs: Vec<ConfFile>,
    /// `pg_hba.conf` files, then lists of Patroni.
    pub hbas: Vec<HbaFile>,
    /// Units and drop-ins.
    pub units: Vec<UnitFile>,
    /// Their environment files.
    pub environments: Vec<EnvironmentFile>,
    /// Role SQL.
    pub sqls: Vec<SqlFile>,
    /// Members that belong together.
    pub clusters: Vec<Cluster>,
    /// Answers of running servers.
    pub nodes: Vec<nodes::Node>,
    /// What was seen while reading.
    pub problems: Vec<Problem>,
    /// The release of Patroni that is to take over.
    pub patroni_version: Version,
    secret_spans: Vec<Span>,
    hidden: Vec<Span>,
    secrets: Vec<(SourceId, Secret)>,
}

impl Facts {
    /// Every member of every cluster.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.clusters.iter().flat_map(|c| &c.members)
    }

    /// Nothing when there are files of a kind, or no member that would need one; else the one gap that stands for all members.
    ///
    /// # Errors
    /// When members were handed over, and no file of that kind.
    pub fn any_given(&self, what: &str, files: usize) -> Fact<()> {
        let asked = files == 0 && self.members().next().is_some();
        if asked { Err(Gap::new(what, GapReason::NotGiven)) } else { Ok(()) }
    }

    /// The bytes that must not be shown: those of secrets.
    #[must_use]
    pub fn secret_spans(&self) -> &[Span] {
        &self.secret_spans
    }

    /// Further bytes that must not be shown, because they may be a secret: values of templates.
    #[must_use]
    pub fn hidden(&self) -> &[Span] {
        &self.hidden
    }

    /// The secrets themselves and the text that each stands in, where it must not be shown in another place either.
    #[must_use]
    pub fn secrets(&self) -> &[(SourceId, Secret)] {
        &self.secrets
    }

    /// Whether a text holds a secret.
    #[must_use]
    pub fn holds_secrets(&self, source: SourceId) -> bool {
        let first = self.secret_spans.partition_point(|s| s.source < source);
        self.secret_spans[first..].iter().take_while(|s| s.source == source).any(|s| s.end > s.start)
    }
}

/// A file that nobody handed over, of a member.
fn not_given(what: &str, member: &str) -> Gap {
    Gap::new(what, GapReason::NotGiven).on(member)
}
