//! Which files were found, what each was taken for, and which member and cluster it belongs to.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use super::plural;
use crate::collect::kind::{By, Kind};
use crate::facts::{Cluster, Facts, Member};
use crate::parse::patroni::Item;
use crate::source::{Source, SourceId};

/// A file that was found.
#[derive(Debug, Clone)]
pub struct Listed {
    /// Its text.
    pub source: Arc<Source>,
    /// What it is taken for.
    pub kind: Kind,
    /// What told so.
    pub by: By,
}

/// One line a file: its path, what it is taken for and why, and where it belongs.
#[must_use]
pub fn render(facts: &Facts, files: &[Listed]) -> String {
    let owners = owners(facts);
    let mut lines = included(facts);
    for file in files {
        let why = match file.by {
            By::Caller => "preflight.toml says so",
            By::Name => "its name says so",
            By::Text => "its text looks so",
        };
        let title = title(&file.source);
        let belongs = match owners.get(&file.source.id()) {
            Some(members) => members.iter().cloned().collect::<Vec<_>>().join(", "),
            None if lines.contains_key(&title) => continue,
            None => alone(facts, file).to_owned(),
        };
        lines.insert(title, format!("{} ({why}); {belongs}", file.kind.word()));
    }
    let mut out = String::new();
    for (name, line) in &lines {
        let _ = writeln!(out, "{name}: {line}");
    }
    let members = facts.members().count();
    let count = |n: usize, word: &str| format!("{n} {}", plural(n, word));
    let (files, members, clusters) =
        (count(lines.len(), "file"), count(members, "member"), count(facts.clusters.len(), "cluster"));
    let _ = writeln!(out, "{files}, {members}, {clusters}");
    out
}

/// What a file is called; one in another file as if that were its directory.
fn title(source: &Source) -> String {
    source.path().map_or_else(|| source.name().to_owned(), |path| path.display().to_string())
}

/// The members of each text, in words.
fn owners(facts: &Facts) -> BTreeMap<SourceId, BTreeSet<String>> {
    let mut owners: BTreeMap<SourceId, BTreeSet<String>> = BTreeMap::new();
    for cluster in &facts.clusters {
        let label = label(facts, cluster);
        for member in &cluster.members {
            let words = format!("member {} of {label}", member.name);
            for source in texts(facts, member) {
                owners.entry(source).or_default().insert(words.clone());
            }
            for sql in &member.sqls {
                owners.entry(facts.sqls[*sql].source.id()).or_default().insert(format!("for {label}"));
            }
        }
    }
    owners
}

fn label(facts: &Facts, cluster: &Cluster) -> String {
    let scope = || cluster.members.iter().find_map(|m| facts.patroni[m.file].config.scope());
    match (&cluster.name, scope()) {
        (Some(name), _) => format!("cluster {name}, named in preflight.toml"),
        (None, Some(scope)) => format!("cluster {}", scope.value),
        (None, None) => "a cluster without a scope".to_owned(),
    }
}

fn texts(facts: &Facts, member: &Member) -> BTreeSet<SourceId> {
    let file = &facts.patroni[member.file];
    let mut sources = BTreeSet::from([file.source.id()]);
    collect(file.config.root(), &mut sources);
    sources.extend(member.conf.as_ref().ok().map(|conf| facts.confs[*conf].source.id()));
    sources.extend(member.hba.as_ref().ok().map(|hba| facts.hbas[*hba].source.id()));
    sources
}

/// The texts that a configuration was joined from.
fn collect(item: &Item, sources: &mut BTreeSet<SourceId>) {
    sources.insert(item.span.source);
    item.pairs().iter().for_each(|p| collect(&p.item, sources));
    item.items().iter().for_each(|i| collect(i, sources));
}

/// Files that another one includes, and which.
fn included(facts: &Facts) -> BTreeMap<String, String> {
    let mut included = BTreeMap::new();
    for conf in &facts.confs {
        for part in conf.conf.files().iter().filter(|p| Some(p.as_path()) != conf.source.path()) {
            let words = || format!("{} ({} includes it)", Kind::Conf.word(), conf.source.name());
            included.entry(part.display().to_string()).or_insert_with(words);
        }
    }
    included
}

/// What a file is that belongs to no member.
fn alone(facts: &Facts, file: &Listed) -> &'static str {
    let id = file.source.id();
    match file.kind {
        Kind::Patroni if facts.patroni.iter().any(|f| f.source.id() == id) => "no whole configuration of a member",
        Kind::Patroni => "not Patroni's after a closer look, so nothing in it is checked",
        Kind::Unit if facts.units.iter().any(|u| u.source.id() == id && u.runs_patroni()) => "starts Patroni",
        Kind::Unit => "does not start Patroni by itself",
        Kind::Sql if !facts.sqls.iter().any(|s| s.source.id() == id) => "sets up no roles, so nothing in it is checked",
        Kind::Compose => "read for the variables of its services",
        Kind::Pod => "read for the variables of its containers",
        Kind::Environment => "read with the unit or configuration that it stands beside",
        Kind::StartConf => "says whether Debian starts PostgreSQL at boot",
        Kind::Preset => "says which units systemd enables",
        Kind::Conf | Kind::Hba | Kind::Ident | Kind::Sql => "of no member",
    }
}
