//! From files that were found to facts: look into each, join, read what needed a version, note what must not be shown.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use super::conf_check::{check_assignment, check_for_all};
use super::read::{Content, Loaded, Seen, load, read};
use super::{ConfFile, EnvironmentFile, Facts, HbaFile, Options, SqlFile, UnitFile, join, nodes};
use crate::collect::files::{Fence, Found, Kind};
use crate::parse::conf::{self, Conf};
use crate::parse::hba::{self, Hba, Server};
use crate::parse::ident;
use crate::problem::{Parsed, Problem};
use crate::source::{Reader, Source, SourceMap};

/// Joins everything that was found into facts.
#[must_use]
pub fn build(
    sources: SourceMap,
    found: Vec<Found>,
    recording: nodes::Recording,
    problems: Vec<Problem>,
    fence: &Fence,
    options: Options,
) -> Facts {
    let nodes = nodes::place(recording, &sources);
    let mut facts = Facts { problems, nodes, patroni_version: options.patroni, ..Facts::default() };
    let reader = fence.reader(&sources);
    let seen: Vec<Seen> = found.into_par_iter().map(read).collect();
    let loaded: Vec<Option<Loaded>> = join::locals(&seen).par_iter().map(|l| load(l, &reader, options)).collect();
    for one in loaded.into_iter().flatten() {
        facts.problems.extend(one.problems);
        facts.secret_spans.extend(one.secret_spans);
        facts.secrets.extend(one.secrets);
        facts.patroni.push(one.file);
    }
    let later = sort_out(&mut facts, seen);
    let of_kind = |kind| later.iter().filter(|(_, k)| *k == kind).map(|(s, _)| Arc::clone(s)).collect::<Vec<_>>();
    let (confs, hbas, idents) = (of_kind(Kind::Conf), of_kind(Kind::Hba), of_kind(Kind::Ident));
    facts.clusters = join::clusters(&facts, &confs, &hbas, options);
    read_confs(&mut facts, confs, &reader, options);
    read_hbas(&mut facts, hbas, &reader, options);
    read_hba_lists(&mut facts, &reader);
    read_idents(&mut facts, &idents, &reader, options);
    facts.secret_spans.sort_unstable();
    facts.secret_spans.dedup();
    facts.sources = sources;
    facts
}

/// Files the rest by kind; returns those that are read later.
fn sort_out(facts: &mut Facts, seen: Vec<Seen>) -> Vec<(Arc<Source>, Kind)> {
    let mut later = Vec::new();
    for file in seen {
        facts.problems.extend(file.problems);
        facts.secret_spans.extend(file.secret_spans);
        facts.secrets.extend(file.secrets);
        let source = file.source;
        match file.content {
            Content::Unit(unit) => facts.units.push(UnitFile { source, unit }),
            Content::Environment(_) => facts.environments.push(EnvironmentFile { source, mode: file.mode }),
            Content::Sql(sql) => facts.sqls.push(SqlFile { source, sql: *sql }),
            Content::Later => later.push((source, file.kind)),
            Content::Patroni(_) | Content::Foreign => {}
        }
    }
    later
}

fn read_confs(facts: &mut Facts, sources: Vec<Arc<Source>>, reader: &dyn Reader, options: Options) {
    let versions = join::versions(facts, &sources, |m| m.conf.as_ref().ok().copied(), options);
    let read: Vec<(Parsed<Conf>, Vec<Problem>)> = sources
        .par_iter()
        .zip(&versions)
        .map(|(source, version)| {
            let path = source.path().unwrap_or(Path::new(""));
            let auto = path.parent().map(|d| d.join("postgresql.auto.conf")).filter(|a| a != path);
            let parsed = conf::load(reader, path, auto.as_deref());
            let checked = parsed.tree.assignments().iter().flat_map(|l| match version {
                Some(version) => check_assignment(&l.set, *version),
                None => check_for_all(&l.set),
            });
            let checked = checked.collect();
            (parsed, checked)
        })
        .collect();
    let parts: BTreeSet<_> = read.iter().flat_map(|(p, _)| p.tree.files().iter().skip(1).cloned()).collect();
    for (source, (parsed, checked)) in sources.into_iter().zip(read) {
        // What another file includes was read and judged there, under its version.
        if !source.path().is_some_and(|p| parts.contains(p)) {
            facts.problems.extend(parsed.problems);
            facts.problems.extend(checked);
        }
        facts.secret_spans.extend(parsed.tree.assignments().iter().flat_map(|l| l.set.secret_spans()));
        facts.confs.push(ConfFile { source, conf: parsed.tree });
    }
}

fn read_hbas(facts: &mut Facts, sources: Vec<Arc<Source>>, reader: &dyn Reader, options: Options) {
    let versions = join::versions(facts, &sources, |m| m.hba.as_ref().ok().copied(), options);
    let read: Vec<Parsed<Hba>> = sources
        .par_iter()
        .zip(&versions)
        .map(|(source, version)| match version {
            Some(version) => hba::parse(source, reader, *version),
            None => hba::parse_for_all(source, reader, &[]),
        })
        .collect();
    for (source, parsed) in sources.into_iter().zip(read) {
        add_hba(facts, source, parsed);
    }
}

/// A list in Patroni's configuration replaces the file of its member.
fn read_hba_lists(facts: &mut Facts, reader: &dyn Reader) {
    let mut clusters = std::mem::take(&mut facts.clusters);
    for member in clusters.iter_mut().flat_map(|c| &mut c.members) {
        let lines = facts.patroni[member.file].config.pg_hba();
        if lines.is_empty() {
            continue;
        }
        let source = Arc::clone(&facts.patroni[member.file].source);
        let server = Server::packaged(member.postgresql.unwrap_or(newest()));
        let parsed = hba::parse_lines(&lines, Path::new("pg_hba.conf"), reader, &server);
        member.hba = Ok(facts.hbas.len());
        add_hba(facts, source, parsed);
    }
    facts.clusters = clusters;
}

fn add_hba(facts: &mut Facts, source: Arc<Source>, parsed: Parsed<Hba>) {
    facts.problems.extend(parsed.problems);
    facts.secret_spans.extend(parsed.tree.secret_spans());
    facts.hbas.push(HbaFile { source, hba: parsed.tree });
}

fn read_idents(facts: &mut Facts, sources: &[Arc<Source>], reader: &dyn Reader, options: Options) {
    for source in sources {
        let version = source.path().and_then(|p| join::version_in_path(&p.to_string_lossy())).or(options.postgresql);
        facts.problems.extend(ident::parse(source, reader, version.unwrap_or(newest())).problems);
    }
}

fn newest() -> u16 {
    *hba::SUPPORTED.last().expect("invariant: some version is supported")
}
