//! What is known about clusters and their members, drawn from what was collected and parsed. Read-only from here on.

pub mod asked;
mod build;
pub mod clamp;
pub mod conf_check;
mod conf_file;
pub mod connections;
mod dynamic;
pub mod endpoints;
pub mod enforced;
pub mod group;
pub mod hba_decision;
mod hba_file;
pub mod hba_shadow;
pub mod host_path;
pub mod ident_map;
pub mod included;
mod join;
pub mod kept;
pub mod layout;
mod member;
pub mod nodes;
mod part;
pub mod patroni_file;
pub mod patroni_keys;
mod read;
pub mod roles;
pub mod running;
pub mod scripts;
pub mod service;
pub mod settings;
pub mod slot_fate;
pub mod streaming;
pub mod surroundings;
pub mod take_over;
pub mod timeouts;
mod told;
pub mod topology;
mod unit_file;
pub mod upgrade;
pub mod written;

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

pub use crate::gap;
pub use build::{build, has_tls};
pub use conf_file::ConfFile;
pub use hba_file::HbaFile;
pub use included::Included;
pub use member::{Cluster, Member};
pub use patroni_file::{DynamicFrom, PatroniFile};
pub use unit_file::{UnitFile, is_postgresql_unit};

use gap::{Fact, Gap, GapReason};
use part::Part;
use written::Written;

use crate::bundle::dcs::Store;
use crate::bundle::upgrade::Upgrade;
use crate::knowledge::passwords;
use crate::knowledge::patroni::Version;
use crate::parse::boot::Directive;
use crate::parse::ident::Ident;
use crate::parse::sql::Sql;
use crate::problem::Problem;
use crate::secret::Secret;
use crate::source::{Source, SourceId, SourceMap, Span, Spanned};

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

/// User name maps from one file, or from a list in Patroni's configuration.
#[derive(Debug)]
pub struct IdentFile {
    /// The file that the lines stand in.
    pub source: Arc<Source>,
    /// The lines.
    pub ident: Ident,
}

/// An environment file of a unit.
#[derive(Debug)]
pub struct EnvironmentFile {
    /// Its text.
    pub source: Arc<Source>,
    /// Permission bits, where they count.
    pub mode: Option<u32>,
}

/// A `start.conf` of Debian's scripts.
#[derive(Debug)]
pub struct StartConf {
    /// Its text.
    pub source: Arc<Source>,
    /// What it says: `auto`, `manual` or `disabled`.
    pub start: Spanned<String>,
}

/// A preset file of systemd.
#[derive(Debug)]
pub struct Preset {
    /// Its text.
    pub source: Arc<Source>,
    /// Its lines.
    pub directives: Vec<Directive>,
}

/// SQL that sets up roles.
#[derive(Debug)]
pub struct SqlFile {
    /// Its text.
    pub source: Arc<Source>,
    /// What it does.
    pub sql: Sql,
}

/// Everything that is known.
#[derive(Debug, Default)]
pub struct Whole {
    /// Every text.
    pub sources: SourceMap,
    /// Patroni's configuration files, in order of their paths.
    pub patroni: Vec<PatroniFile>,
    /// PostgreSQL's.
    pub confs: Vec<ConfFile>,
    /// `pg_hba.conf` files, then lists of Patroni.
    pub hbas: Vec<HbaFile>,
    /// `pg_ident.conf` files, then lists of Patroni.
    pub idents: Vec<IdentFile>,
    /// Units and drop-ins.
    pub units: Vec<UnitFile>,
    /// Their environment files.
    pub environments: Vec<EnvironmentFile>,
    /// How Debian's scripts start clusters.
    pub start_confs: Vec<StartConf>,
    /// What systemd enables.
    pub presets: Vec<Preset>,
    /// Role SQL.
    pub sqls: Vec<SqlFile>,
    /// Members that belong together.
    pub clusters: Vec<Cluster>,
    /// Members as they run.
    pub nodes: Vec<nodes::Node>,
    /// The stores that keep the state of their clusters.
    pub stores: Vec<Written<Store>>,
    /// The major upgrade that is meant.
    pub upgrade: Option<Upgrade>,
    /// What was seen while reading.
    pub problems: Vec<Problem>,
    /// What could not be looked at while reading, each with the rule that would speak of it.
    pub gaps: Vec<(&'static str, Gap)>,
    /// The release of Patroni that is to take over where nothing else is said; see [`PatroniFile::version`].
    pub patroni_version: Version,
    /// Cluster and member of each file of Patroni.
    by_file: OnceLock<Vec<Option<(usize, usize)>>>,
    /// Each postgresql.conf by its path.
    by_path: OnceLock<HashMap<PathBuf, usize>>,
    secret_spans: Vec<Span>,
    hidden: Vec<Span>,
    secrets: Vec<(SourceId, Secret)>,
    /// In texts whose secrets were replaced: what stands there for a password that everybody knows.
    well_known: Option<BTreeSet<String>>,
}

impl Whole {
    /// Every member of every cluster.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.clusters.iter().flat_map(|c| &c.members)
    }

    /// The member whose configuration a file is, if it is a whole one.
    #[must_use]
    pub fn member_of(&self, file: usize) -> Option<&Member> {
        let (cluster, member) = self.place_of(file)?;
        Some(&self.clusters[cluster].members[member])
    }

    /// The cluster of [`Self::member_of`].
    #[must_use]
    pub fn cluster_of(&self, file: usize) -> Option<&Cluster> {
        self.place_of(file).map(|(cluster, _)| &self.clusters[cluster])
    }

    fn place_of(&self, file: usize) -> Option<(usize, usize)> {
        let index = self.by_file.get_or_init(|| {
            let mut index = vec![None; self.patroni.len()];
            for (c, cluster) in self.clusters.iter().enumerate() {
                for (m, member) in cluster.members.iter().enumerate() {
                    index[member.file].get_or_insert((c, m));
                }
            }
            index
        });
        *index.get(file)?
    }

    /// A member as it runs; `None` where only files are looked at.
    #[must_use]
    pub fn node_of(&self, member: &Member) -> Option<&nodes::Node> {
        self.nodes.iter().find(|node| self.is_node(member, node))
    }

    /// The member that a text belongs to: a file of its host, or what its server or host has answered.
    #[must_use]
    pub fn node_at(&self, source: SourceId) -> Option<&nodes::Node> {
        let source = self.sources.get(source);
        self.nodes.iter().find(|node| match (source.path(), &node.root) {
            (Some(path), Some(root)) => path.starts_with(root),
            (Some(_), None) => false,
            (None, _) => source.name().strip_prefix(&*node.name).is_some_and(|rest| rest.starts_with(": ")),
        })
    }

    /// What a file is called where it is used: on its host, where it is that of a member; else as the user named it.
    #[must_use]
    pub fn name_on_host(&self, source: &Source) -> String {
        let path = source.path().filter(|path| source.name() == path.display().to_string());
        let root = self.node_at(source.id()).and_then(|node| node.root.as_ref());
        let below = path.zip(root).and_then(|(path, root)| path.strip_prefix(root).ok());
        below.map_or_else(|| source.name().to_owned(), |below| format!("/{}", below.display()))
    }

    fn is_node(&self, member: &Member, node: &nodes::Node) -> bool {
        match &node.root {
            Some(root) => self.patroni[member.file].source.path().is_some_and(|path| path.starts_with(root)),
            None => member.name == node.name,
        }
    }

    /// The postgresql.conf at a path.
    #[must_use]
    pub fn conf_at(&self, path: &Path) -> Option<&ConfFile> {
        let index = self.by_path.get_or_init(|| {
            let with_path = |(i, c): (usize, &ConfFile)| Some((c.source.path()?.to_path_buf(), i));
            self.confs.iter().enumerate().rev().filter_map(with_path).collect()
        });
        index.get(path).map(|i| &self.confs[*i])
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

    /// Whether a password is one that everybody knows, or stands in the place of one.
    #[must_use]
    pub fn is_well_known(&self, password: &str) -> bool {
        self.well_known.as_ref().map_or_else(|| passwords::is_well_known(password), |known| known.contains(password))
    }

    /// Whether a text holds a secret.
    #[must_use]
    pub fn holds_secrets(&self, source: SourceId) -> bool {
        let first = self.secret_spans.partition_point(|s| s.source < source);
        self.secret_spans[first..].iter().take_while(|s| s.source == source).any(|s| s.end > s.start)
    }
}

/// What rules look at: everything by its number, and a part of it one by one.
#[derive(Debug, Clone)]
pub struct Facts {
    whole: Arc<Whole>,
    part: Part,
}

impl std::ops::Deref for Facts {
    type Target = Whole;

    fn deref(&self) -> &Whole {
        &self.whole
    }
}

impl From<Whole> for Facts {
    fn from(whole: Whole) -> Self {
        Self { part: Part::only(&whole), whole: Arc::new(whole) }
    }
}

impl Facts {
    /// The same in parts that are small enough for a processor's nearest memory; rules that look at one after the other, each
    /// time all of them, are quicker than each rule looking at thousands of files.
    #[must_use]
    pub fn parts(&self) -> Vec<Self> {
        Part::all(&self.whole).into_iter().map(|part| Self { whole: Arc::clone(&self.whole), part }).collect()
    }

    /// Patroni's configuration files of this part.
    #[must_use]
    pub fn files(&self) -> &[PatroniFile] {
        &self.whole.patroni[self.part.patroni.clone()]
    }

    /// The same, each with its number.
    pub fn numbered_files(&self) -> impl Iterator<Item = (usize, &PatroniFile)> {
        self.part.patroni.clone().zip(self.files())
    }

    /// The clusters of this part.
    #[must_use]
    pub fn clusters(&self) -> &[Cluster] {
        &self.whole.clusters[self.part.clusters.clone()]
    }

    /// Every member of every cluster of this part.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.clusters().iter().flat_map(|c| &c.members)
    }

    /// The `postgresql.conf` files of this part.
    #[must_use]
    pub fn confs(&self) -> &[ConfFile] {
        &self.whole.confs[self.part.confs.clone()]
    }

    /// The `pg_hba.conf` files and lists of this part.
    #[must_use]
    pub fn hbas(&self) -> &[HbaFile] {
        &self.whole.hbas[self.part.hbas.clone()]
    }

    /// The same, each with its number.
    pub fn numbered_hbas(&self) -> impl Iterator<Item = (usize, &HbaFile)> {
        self.part.hbas.clone().zip(self.hbas())
    }

    /// Whether what belongs to no member is looked at with this part.
    #[must_use]
    pub const fn is_first(&self) -> bool {
        self.part.is_first
    }

    fn once<'a, T>(&self, all: &'a [T]) -> &'a [T] {
        if self.part.is_first { all } else { &[] }
    }

    /// All units and drop-ins in the first part, none in the others.
    #[must_use]
    pub fn units(&self) -> &[UnitFile] {
        self.once(&self.whole.units)
    }

    /// All environment files in the first part, none in the others.
    #[must_use]
    pub fn environments(&self) -> &[EnvironmentFile] {
        self.once(&self.whole.environments)
    }

    /// All `start.conf` files in the first part, none in the others.
    #[must_use]
    pub fn start_confs(&self) -> &[StartConf] {
        self.once(&self.whole.start_confs)
    }

    /// All preset files in the first part, none in the others.
    #[must_use]
    pub fn presets(&self) -> &[Preset] {
        self.once(&self.whole.presets)
    }

    /// All members as they run in the first part, none in the others.
    #[must_use]
    pub fn nodes(&self) -> &[nodes::Node] {
        self.once(&self.whole.nodes)
    }

    /// The same, each with its configuration.
    pub fn live(&self) -> impl Iterator<Item = LiveMember<'_>> {
        self.nodes()
            .iter()
            .map(|node| LiveMember { node, member: self.whole.members().find(|m| self.is_node(m, node)) })
    }

    /// All stores in the first part, none in the others.
    #[must_use]
    pub fn stores(&self) -> &[Written<Store>] {
        self.once(&self.whole.stores)
    }
}

/// A member as it runs, and its configuration.
#[derive(Debug, Clone, Copy)]
pub struct LiveMember<'a> {
    /// What was answered.
    pub node: &'a nodes::Node,
    /// Its configuration, if there is one.
    pub member: Option<&'a Member>,
}

impl<'a> LiveMember<'a> {
    /// Its configuration.
    ///
    /// # Errors
    /// When there is none.
    pub fn member(&self) -> Fact<&'a Member> {
        self.member.ok_or_else(|| not_given("Patroni's configuration", &self.node.name))
    }
}

/// A file that nobody handed over, of a member.
fn not_given(what: &str, member: &str) -> Gap {
    Gap::new(what, GapReason::NotGiven).on(member)
}
