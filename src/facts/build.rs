//! From files that were found to facts: look into each, join, read what needed a version, note what must not be shown.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use super::conf_check::{check_assignment, check_for_all};
use super::gap::{Fact, Gap, GapReason};
use super::layout::Layout;
use super::member::Member;
use super::read::{Content, Directory, Seen, directory, read};
use super::service::{ByPath, Services, environment_of};
use super::{
    ConfFile, EnvironmentFile, Facts, HbaFile, IdentFile, Preset, SqlFile, StartConf, UnitFile, Whole, dynamic,
    included, join, nodes, told,
};
use crate::collect::Door;
use crate::collect::kind::Kind;
use crate::collect::search::{Found, Gathered};
use crate::parse::conf::{self, Conf};
use crate::parse::guc_value::parse_bool;
use crate::parse::hba::{self, Hba, Server};
use crate::parse::ident::{self, Ident};
use crate::parse::patroni::{Patroni, spans_in_text};
use crate::parse::service::Service;
use crate::parse::unit::Variable;
use crate::problem::{Parsed, Problem};
use crate::source::path::normal;
use crate::source::{Reader, Source, SourceMap};

/// Joins everything that was found into facts.
#[must_use]
pub fn build(
    sources: SourceMap,
    gathered: Gathered,
    collected: nodes::Collected,
    door: &dyn Door,
    layout: &Layout,
) -> Facts {
    let nodes::Collected { nodes, stores, upgrade } = collected;
    let Gathered { found, problems, unread, well_known } = gathered;
    let patroni_version = layout.options.patroni;
    let mut facts = Whole { nodes, stores, upgrade, problems, patroni_version, well_known, ..Whole::default() };
    facts.gaps = unread.into_iter().map(|what| ("unreadable-file", Gap::new(what, GapReason::Unreadable))).collect();
    let opened = door.reader(&sources);
    let reader = &*opened;
    let (of_services, found): (Vec<Found>, Vec<Found>) =
        found.into_iter().partition(|f| matches!(f.kind, Kind::Unit | Kind::Environment | Kind::Compose | Kind::Pod));
    let mut seen: Vec<Seen> = of_services.into_par_iter().map(read).collect();
    facts.units = join::units(take_units(&mut seen));
    let configs: Vec<&Path> =
        found.iter().filter(|f| f.kind == Kind::Patroni).filter_map(|f| f.source.path()).collect();
    let services = Services::new(&facts.units, &seen, &configs, &layout.homes);
    let directories: Vec<Directory> =
        join::by_directory(found).into_par_iter().map(|d| directory(d, &services, reader, layout)).collect();
    for directory in directories {
        for one in directory.loaded {
            facts.problems.extend(one.problems);
            facts.secret_spans.extend(one.secret_spans);
            facts.secrets.extend(one.secrets);
            facts.patroni.push(one.file);
        }
        seen.extend(directory.seen);
    }
    let of_dynamic = dynamic::apply(&mut facts.patroni, &facts.nodes, &facts.stores, &sources);
    facts.problems.extend(of_dynamic);
    let (later, Alone { variables, composed }) = sort_out(&mut facts, seen);
    let of_kind = |kind| later.iter().filter(|(_, k)| *k == kind).map(|(s, _)| Arc::clone(s)).collect::<Vec<_>>();
    let (confs, hbas, idents) = (of_kind(Kind::Conf), of_kind(Kind::Hba), of_kind(Kind::Ident));
    facts.problems.extend(environment_problems(&facts, variables, &composed, layout));
    facts.clusters = join::clusters(&facts, &confs, &hbas, &idents, layout);
    read_confs(&mut facts, confs, reader, layout);
    told::add(&mut facts, &sources);
    included::read(&mut facts, reader);
    read_hbas(&mut facts, hbas, reader, layout);
    read_hba_lists(&mut facts, reader);
    read_idents(&mut facts, idents, reader, layout);
    read_ident_lists(&mut facts, reader);
    facts.secret_spans.sort_unstable();
    facts.secret_spans.dedup();
    drop(opened);
    facts.sources = sources;
    Facts::from(facts)
}

/// The units among what was seen.
fn take_units(seen: &mut [Seen]) -> Vec<UnitFile> {
    let mut units = Vec::new();
    for file in seen {
        if let Content::Unit(unit) = &mut file.content {
            units.push(UnitFile { source: Arc::clone(&file.source), unit: std::mem::take(unit) });
            file.content = Content::Foreign;
        }
    }
    units
}

/// A text and the variables that it sets.
type Variables = (Arc<Source>, Vec<Variable>);

/// What sets variables, beside units.
#[derive(Default)]
struct Alone {
    variables: Vec<Variables>,
    composed: Vec<(Arc<Source>, Service)>,
}

/// What Patroni makes of variables by themselves, wherever they stand. A file that a compose file names is a part of its services.
fn environment_problems(
    facts: &Whole,
    mut files: Vec<Variables>,
    composed: &[(Arc<Source>, Service)],
    layout: &Layout,
) -> Vec<Problem> {
    let units = facts.units.iter().filter(|u| u.runs_patroni());
    let units = units.map(|u| (Arc::clone(&u.source), u.unit.environment().tree));
    let by_path: ByPath<'_> = files.iter().filter_map(|(s, v)| Some((normal(s.path()?), v.as_slice()))).collect();
    let composed_variables: Vec<Variables> =
        composed.iter().map(|(source, service)| (Arc::clone(source), environment_of(service, &by_path))).collect();
    // Where a template decides which file is meant, none of those beside it is known to be all.
    let named: HashSet<&PathBuf> = composed.iter().flat_map(|(_, service)| &service.env_files).collect();
    let open = composed.iter().filter(|(_, service)| service.is_open());
    let homes: HashSet<&Path> = open.filter_map(|(source, _)| source.path()?.parent()).collect();
    let is_part = |path: &Path| named.contains(&normal(path)) || path.ancestors().any(|dir| homes.contains(dir));
    files.retain(|(source, _)| !source.path().is_some_and(is_part));
    let all: Vec<Variables> =
        files.into_iter().chain(composed_variables).chain(units.filter(|(_, v)| !v.is_empty())).collect();
    all.par_iter()
        .flat_map(|(source, variables)| {
            Patroni::load_environment(variables, layout.at(source.path()).patroni, source.span(0, 0)).problems
        })
        .collect()
}

/// Files the rest by kind; returns those that are read later, and the environment files.
fn sort_out(facts: &mut Whole, seen: Vec<Seen>) -> (Vec<(Arc<Source>, Kind)>, Alone) {
    let mut later = Vec::new();
    let mut alone = Alone::default();
    for file in seen {
        facts.problems.extend(file.problems);
        facts.secret_spans.extend(file.secret_spans);
        facts.hidden.extend(file.hidden);
        facts.secrets.extend(file.secrets);
        let source = file.source;
        match file.content {
            Content::Environment(list) => {
                alone.variables.push((Arc::clone(&source), list));
                facts.environments.push(EnvironmentFile { source, mode: file.mode });
            }
            Content::Services(services) => {
                alone.composed.extend(services.into_iter().map(|service| (Arc::clone(&source), service)));
            }
            Content::Sql(sql) => facts.sqls.push(SqlFile { source, sql: *sql }),
            Content::StartConf(Some(start)) => facts.start_confs.push(StartConf { source, start }),
            Content::Preset(directives) => facts.presets.push(Preset { source, directives }),
            Content::Later => later.push((source, file.kind)),
            Content::Patroni(_) | Content::Unit(_) | Content::StartConf(None) | Content::Foreign => {}
        }
    }
    (later, alone)
}

fn read_confs(facts: &mut Whole, sources: Vec<Arc<Source>>, reader: &dyn Reader, layout: &Layout) {
    let versions = join::versions(facts, &sources, |m| m.conf.as_ref().ok().copied(), layout);
    let read: Vec<(Parsed<Conf>, Vec<Problem>)> = sources
        .par_iter()
        .zip(&versions)
        .map(|(source, version)| {
            let path = source.path().unwrap_or(Path::new(""));
            let home = layout.home(path).filter(|h| h.conf.as_deref() == Some(path)).and_then(|h| h.auto_conf.clone());
            let beside = || path.parent().map(|d| d.join("postgresql.auto.conf"));
            let auto = home.or_else(beside).filter(|a| a != path);
            let parsed = conf::load(reader, path, auto.as_deref());
            let checked = parsed.tree.assignments().iter().flat_map(|l| match version {
                Some(version) => check_assignment(&l.set, *version),
                None => check_for_all(&l.set),
            });
            let checked = checked.collect();
            (parsed, checked)
        })
        .collect();
    let parts = parts(&read);
    for (source, (parsed, checked)) in sources.into_iter().zip(read) {
        // What stands in a line that cannot be read is known by the look of it alone.
        if parsed.problems.iter().any(|p| p.rule == "conf-syntax-error" && p.at.source == source.id()) {
            facts.secret_spans.extend(spans_in_text(&source));
        }
        // What another file includes was read and judged there, under its version.
        if !source.path().is_some_and(|p| parts.contains(p)) {
            facts.problems.extend(parsed.problems);
            facts.problems.extend(checked);
        }
        facts.secret_spans.extend(parsed.tree.assignments().iter().flat_map(|l| l.set.secret_spans()));
        facts.confs.push(ConfFile::read(source, parsed.tree));
    }
}

/// Files that another one includes. Of files that include each other one stays whole, `postgresql.conf` before others.
fn parts(read: &[(Parsed<Conf>, Vec<Problem>)]) -> BTreeSet<PathBuf> {
    let mut mains: Vec<&[PathBuf]> = read.iter().map(|(p, _)| p.tree.files()).collect();
    mains.sort_by_key(|files| files.first().is_none_or(|f| f.file_name().is_none_or(|n| n != "postgresql.conf")));
    let mut parts = BTreeSet::new();
    for files in mains {
        if let [main, others @ ..] = files
            && !parts.contains(main)
        {
            parts.extend(others.iter().filter(|o| *o != main).cloned());
        }
    }
    parts
}

fn read_hbas(facts: &mut Whole, sources: Vec<Arc<Source>>, reader: &dyn Reader, layout: &Layout) {
    let of = |m: &Member| -> Vec<usize> {
        [&m.hba, &m.hba_file].into_iter().filter_map(|f| f.as_ref().ok().copied()).collect()
    };
    let versions = join::versions(facts, &sources, of, layout);
    let mut tls: Vec<Option<bool>> = vec![None; sources.len()];
    for member in facts.members() {
        for hba in of(member) {
            tls[hba] = tls[hba].or(has_tls(facts, member));
        }
    }
    let servers: Vec<Option<(u16, Option<bool>)>> = versions.iter().zip(tls).map(|(v, t)| v.map(|v| (v, t))).collect();
    let read: Vec<Parsed<Hba>> = sources
        .par_iter()
        .zip(&servers)
        .map(|(source, server)| match server {
            Some((version, ssl)) => hba::parse_for(source, reader, &Server { ssl: *ssl, ..Server::packaged(*version) }),
            None => hba::parse_for_all(source, reader, &[]),
        })
        .collect();
    for (source, parsed) in sources.into_iter().zip(read) {
        add_hba(facts, source, parsed);
    }
}

/// Whether a member's server offers TLS, as far as its files tell.
#[must_use]
pub fn has_tls(facts: &Whole, member: &Member) -> Option<bool> {
    let file = &facts.patroni[member.file];
    if let Some(item) = file.written_parameter("ssl") {
        return parse_bool(&item.as_setting()?);
    }
    let conf = &facts.confs[*member.conf.as_ref().ok()?].conf;
    match conf.effective("ssl") {
        _ if conf.is_unknown("ssl") || conf.is_open() => None,
        Some(set) => parse_bool(&set.set.value.value),
        None => (conf.outside().is_empty() && conf.errors().is_empty()).then_some(false),
    }
}

/// The list that Patroni writes to `pg_hba.conf`.
const HBA_LIST: &str = "postgresql.pg_hba";

/// What a member's configuration has of it.
enum HbaList {
    None,
    /// A template decides whether there is one.
    Unknown,
    /// Its lines, and whether they are those of the server.
    There(Box<Parsed<Hba>>, Fact<()>),
}

/// A list in Patroni's configuration replaces the file of its member.
fn read_hba_lists(facts: &mut Whole, reader: &dyn Reader) {
    let members: Vec<&Member> = facts.members().collect();
    let read: Vec<HbaList> = members
        .par_iter()
        .map(|member| {
            let file = &facts.patroni[member.file];
            let lines = file.hba_lines();
            if !lines.is_empty() {
                let ssl = has_tls(facts, member);
                let server = Server { ssl, ..Server::packaged(member.postgresql.unwrap_or(newest())) };
                let parsed = hba::parse_list(&lines, Path::new("pg_hba.conf"), reader, &server);
                // A `hba_file` of its own would put both aside.
                HbaList::There(Box::new(parsed), file.knows_file("hba_file"))
            } else if file.config.is_complete() && file.config.get(HBA_LIST).is_none() && !file.is_absent(HBA_LIST) {
                HbaList::Unknown
            } else {
                HbaList::None
            }
        })
        .collect();
    let mut clusters = std::mem::take(&mut facts.clusters);
    for (member, list) in clusters.iter_mut().flat_map(|c| &mut c.members).zip(read) {
        match list {
            HbaList::None => {}
            HbaList::Unknown => {
                let gap = Gap::new("`pg_hba.conf` (a template may put a list in its place)", GapReason::Unreadable);
                member.hba = Err(gap.on(&member.name));
            }
            HbaList::There(parsed, known) => {
                let source = Arc::clone(&facts.patroni[member.file].source);
                let list = facts.hbas.len();
                member.hba = known.map(|()| list).map_err(|gap| gap.on(&member.name));
                add_hba(facts, source, *parsed);
            }
        }
    }
    facts.clusters = clusters;
}

fn add_hba(facts: &mut Whole, source: Arc<Source>, parsed: Parsed<Hba>) {
    facts.problems.extend(parsed.problems);
    facts.secret_spans.extend(parsed.tree.secret_spans());
    facts.hbas.push(HbaFile::new(source, parsed.tree));
}

fn read_idents(facts: &mut Whole, sources: Vec<Arc<Source>>, reader: &dyn Reader, layout: &Layout) {
    let versions = join::versions(facts, &sources, |m| m.ident.as_ref().ok().copied(), layout);
    for (source, version) in sources.into_iter().zip(versions) {
        let parsed = ident::parse(&source, reader, version.unwrap_or(newest()));
        facts.problems.extend(parsed.problems);
        facts.idents.push(IdentFile { source, ident: parsed.tree });
    }
}

/// A list in Patroni's configuration replaces the file of its member.
fn read_ident_lists(facts: &mut Whole, reader: &dyn Reader) {
    let members: Vec<&Member> = facts.members().collect();
    let read: Vec<Option<Parsed<Ident>>> = members
        .par_iter()
        .map(|member| {
            let lines = facts.patroni[member.file].ident_lines();
            let version = member.postgresql.unwrap_or(newest());
            (!lines.is_empty()).then(|| ident::parse_lines(&lines, Path::new("pg_ident.conf"), reader, version))
        })
        .collect();
    let mut clusters = std::mem::take(&mut facts.clusters);
    for (member, parsed) in clusters.iter_mut().flat_map(|c| &mut c.members).zip(read) {
        let Some(parsed) = parsed else { continue };
        let source = Arc::clone(&facts.patroni[member.file].source);
        member.ident = Ok(facts.idents.len());
        facts.problems.extend(parsed.problems);
        facts.idents.push(IdentFile { source, ident: parsed.tree });
    }
    facts.clusters = clusters;
}

fn newest() -> u16 {
    *hba::SUPPORTED.last().expect("invariant: some version is supported")
}
