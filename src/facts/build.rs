//! From files that were found to facts: parse, group, join.

use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use super::gap::{Gap, GapReason};
use super::member::{Cluster, Member};
use super::{ConfFile, EnvironmentFile, Facts, HbaFile, Options, PatroniFile, SqlFile, UnitFile, group, nodes, not_given};
use crate::collect::files::{Fence, Found, Kind};
use crate::facts::conf_check::{check_assignment, check_for_all};
use crate::parse::conf::{self, Conf};
use crate::parse::hba::{self, Hba, Server};
use crate::parse::patroni::{ItemValue, Patroni, looks_like_patroni, spans_in_text};
use crate::parse::sql::{self, Sql};
use crate::parse::unit::{self, Unit};
use crate::parse::{ident, yaml};
use crate::problem::{Parsed, Problem};
use crate::secret::Secret;
use crate::source::{Reader, Source, SourceMap, Span};

/// What one file gave, before files are joined.
enum Read {
    Patroni(Box<PatroniFile>),
    Unit(Unit),
    Environment(Option<u32>),
    Sql(Box<Sql>),
    /// Read later, when its member's version is known.
    Later(Kind),
    Foreign,
}

struct Seen {
    source: Arc<Source>,
    read: Read,
    problems: Vec<Problem>,
    secret_spans: Vec<Span>,
    secrets: Vec<Secret>,
}

/// Joins everything that was found into facts.
#[must_use]
pub fn build(
    sources: SourceMap,
    found: Vec<Found>,
    recording: nodes::Recording,
    problems: Vec<Problem>,
    fence: &Fence,
    options: &Options,
) -> Facts {
    let nodes = nodes::place(recording, &sources);
    let seen: Vec<Seen> = found.into_par_iter().map(|f| read(f, options)).collect();
    let mut facts = Facts { problems, nodes, patroni_version: options.patroni, ..Facts::default() };
    let mut confs = Vec::new();
    let mut hbas = Vec::new();
    let mut idents = Vec::new();
    for file in seen {
        facts.problems.extend(file.problems);
        facts.secret_spans.extend(file.secret_spans);
        facts.secrets.extend(file.secrets);
        let source = file.source;
        match file.read {
            Read::Patroni(patroni) => facts.patroni.push(*patroni),
            Read::Unit(unit) => facts.units.push(UnitFile { source, unit }),
            Read::Environment(mode) => facts.environments.push(EnvironmentFile { source, mode }),
            Read::Sql(sql) => facts.sqls.push(SqlFile { source, sql: *sql }),
            Read::Later(Kind::Conf) => confs.push(source),
            Read::Later(Kind::Hba) => hbas.push(source),
            Read::Later(_) => idents.push(source),
            Read::Foreign => {}
        }
    }
    facts.clusters = clusters(&facts, &confs, &hbas, options);
    let reader = fence.reader(&sources);
    read_confs(&mut facts, confs, &reader, options);
    read_hbas(&mut facts, hbas, &reader, options);
    read_idents(&mut facts, &idents, &reader, options);
    facts.sources = sources;
    facts
}

fn read(found: Found, options: &Options) -> Seen {
    let Found { source, kind, mode, named } = found;
    let mut seen = Seen { source, read: Read::Foreign, problems: Vec::new(), secret_spans: Vec::new(), secrets: Vec::new() };
    match kind {
        Kind::Patroni => read_patroni(&mut seen, mode, named, options),
        Kind::Unit => {
            let Parsed { tree, problems } = unit::parse(&seen.source);
            let environment = tree.environment();
            seen.problems = problems;
            seen.problems.extend(environment.problems);
            seen.problems.extend(tree.commands("ExecStart").problems);
            for variable in environment.tree.iter().filter(|v| crate::parse::patroni::names_a_secret(&v.name.value)) {
                seen.secret_spans.push(variable.value.span);
                seen.secrets.push(variable.value.value.clone());
            }
            seen.read = Read::Unit(tree);
        }
        Kind::Environment => {
            let Parsed { tree, problems } = unit::parse_env_file(&seen.source);
            seen.problems = problems;
            for variable in tree.iter().filter(|v| crate::parse::patroni::names_a_secret(&v.name.value)) {
                seen.secret_spans.push(variable.value.span);
                seen.secrets.push(variable.value.value.clone());
            }
            let variables: Vec<_> = tree
                .into_iter()
                .map(|v| crate::parse::patroni::Assignment { name: v.name, value: v.value })
                .collect();
            let environment = Patroni::load_environment(&variables, options.patroni, seen.source.span(0, 0));
            seen.problems.extend(environment.problems);
            seen.read = Read::Environment(mode);
        }
        Kind::Sql => {
            if sql::looks_like_role_sql(&String::from_utf8_lossy(seen.source.bytes())) {
                let Parsed { tree, problems } = sql::parse(&seen.source);
                seen.problems = problems;
                seen.secret_spans = tree.secret_spans();
                seen.read = Read::Sql(Box::new(tree));
            }
        }
        Kind::Conf | Kind::Hba | Kind::Ident => seen.read = Read::Later(kind),
    }
    seen
}

fn read_patroni(seen: &mut Seen, mode: Option<u32>, named: bool, options: &Options) {
    let source = Arc::clone(&seen.source);
    let yaml = yaml::parse(&source);
    let ours = if yaml.tree.is_complete() { looks_like_patroni(&yaml.tree) } else { true };
    if !ours {
        let name = source.name().rsplit('/').next().unwrap_or_default().to_owned();
        let empty = yaml.tree.root().is_none_or(|r| !matches!(yaml.tree.node(r).value, yaml::Value::Mapping(_) | yaml::Value::Sequence(_)));
        if named || (empty && (name == "patroni.yml" || name == "patroni.yaml")) {
            let problem = if empty {
                Problem::new("yaml-not-a-mapping", source.span(0, 0)).arg("found", "nothing that Patroni could use")
            } else {
                Problem::new("unrecognised-file", source.span(0, 0)).arg("file", source.name())
            };
            seen.problems.push(problem);
        }
        return;
    }
    let loaded = Patroni::load_file(&yaml.tree, &[], options.patroni);
    seen.problems = yaml.problems;
    seen.problems.extend(loaded.problems);
    seen.secret_spans = loaded.tree.secret_spans();
    if !loaded.tree.is_complete() {
        seen.secret_spans.extend(spans_in_text(&source));
    }
    let file = PatroniFile { source, config: loaded.tree, mode };
    for secret in file.secrets() {
        if let ItemValue::Secret(value, _) = &secret.item.value {
            seen.secrets.push(value.clone());
        }
    }
    seen.problems.extend(super::patroni_keys::check_keys(&file.config));
    seen.read = Read::Patroni(Box::new(file));
}

fn clusters(facts: &Facts, confs: &[Arc<Source>], hbas: &[Arc<Source>], options: &Options) -> Vec<Cluster> {
    let whole: Vec<usize> = (0..facts.patroni.len()).filter(|i| facts.patroni[*i].is_whole()).collect();
    let candidates: Vec<group::Candidate> = whole.iter().map(|i| candidate(&facts.patroni[*i])).collect();
    let owners: Vec<&Path> = candidates.iter().map(|c| c.path.as_path()).collect();
    let path = |s: &Arc<Source>| s.path().unwrap_or(Path::new("")).to_path_buf();
    let conf_paths: Vec<_> = confs.iter().map(path).collect();
    let hba_paths: Vec<_> = hbas.iter().map(path).collect();
    let sql_paths: Vec<_> = facts.sqls.iter().map(|s| path(&s.source)).collect();
    let as_paths = |v: &'_ Vec<std::path::PathBuf>| v.iter().map(|p| p.as_path().to_owned()).collect::<Vec<_>>();
    let (conf_paths, hba_paths, sql_paths) = (as_paths(&conf_paths), as_paths(&hba_paths), as_paths(&sql_paths));
    let refs = |v: &[std::path::PathBuf]| v.iter().map(std::path::PathBuf::as_path).map(Path::to_path_buf).collect::<Vec<_>>();
    let _ = refs;
    group::clusters(&candidates)
        .into_iter()
        .map(|cluster| {
            let near = |files: &[std::path::PathBuf]| {
                let files: Vec<&Path> = files.iter().map(std::path::PathBuf::as_path).collect();
                group::nearest(&owners, &cluster, &files)
            };
            let (near_confs, near_hbas, near_sqls) = (near(&conf_paths), near(&hba_paths), near(&sql_paths));
            let members = cluster.iter().enumerate().map(|(k, c)| {
                let file = whole[*c];
                let name = candidates[*c].name.clone().unwrap_or_else(|| facts.patroni[file].source.name().to_owned());
                let pick = |plain: &str, near: &[usize], files: &[std::path::PathBuf]| {
                    let files: Vec<&Path> = files.iter().map(std::path::PathBuf::as_path).collect();
                    group::choose(&name, plain, near, &files).ok_or_else(|| not_given(plain, &name))
                };
                let conf = pick("postgresql.conf", &near_confs[k], &conf_paths);
                let hba = pick("pg_hba.conf", &near_hbas[k], &hba_paths);
                let postgresql = version_of(&facts.patroni[file]).or(options.postgresql);
                Member { name, file, conf, hba, sqls: near_sqls[k].clone(), postgresql }
            });
            Cluster { members: members.collect() }
        })
        .collect()
}

fn candidate(file: &PatroniFile) -> group::Candidate {
    let config = &file.config;
    group::Candidate {
        path: file.source.path().unwrap_or(Path::new("")).to_path_buf(),
        scope: config.scope().map(|s| s.value.to_owned()),
        namespace: config.get("namespace").and_then(|n| n.as_str()).unwrap_or("/service").trim_matches('/').to_owned(),
        name: config.name().map(|n| n.value.to_owned()),
        store: config.dcs().map(|(kind, item)| format!("{kind} {}", item.comparable())).unwrap_or_default(),
    }
}

/// The major version that a directory of the configuration names: `/usr/lib/postgresql/15/bin`, `/usr/pgsql-15/bin`.
fn version_of(file: &PatroniFile) -> Option<u16> {
    ["bin_dir", "data_dir", "config_dir"].iter().find_map(|key| {
        let item = file.config.get(&format!("postgresql.{key}"))?;
        version_in_path(item.as_str()?)
    })
}

/// The major version that a path names.
fn version_in_path(path: &str) -> Option<u16> {
    path.split('/').find_map(|part| {
        let digits = ["pgsql-", "postgresql-", "postgresql", "postgres", "pg", ""].iter().find_map(|p| part.strip_prefix(p))?;
        digits.parse::<u16>().ok().filter(|v| crate::knowledge::guc::MAJORS.contains(v))
    })
}

fn read_confs(facts: &mut Facts, sources: Vec<Arc<Source>>, reader: &dyn Reader, options: &Options) {
    let versions = versions(facts, sources.len(), |m| m.conf.as_ref().ok().copied(), &sources, options);
    let read: Vec<(Parsed<Conf>, Vec<Problem>)> = sources
        .par_iter()
        .zip(&versions)
        .map(|(source, version)| {
            let auto = source.path().and_then(Path::parent).map(|d| d.join("postgresql.auto.conf"));
            let auto = auto.filter(|a| source.path() != Some(a) && reader.read(a).is_ok());
            let path = source.path().unwrap_or(Path::new("")).to_path_buf();
            let parsed = conf::load(reader, &path, auto.as_deref());
            let checked = parsed.tree.assignments().iter().flat_map(|l| match version {
                Some(version) => check_assignment(&l.set, *version),
                None => check_for_all(&l.set),
            });
            let checked = checked.collect();
            (parsed, checked)
        })
        .collect();
    let included: Vec<std::path::PathBuf> = read
        .iter()
        .flat_map(|(p, _)| p.tree.files().iter().skip(1).cloned())
        .collect();
    for (source, (parsed, checked)) in sources.into_iter().zip(read) {
        let is_part = source.path().is_some_and(|p| included.iter().any(|i| i == p));
        if !is_part {
            facts.problems.extend(parsed.problems);
            facts.problems.extend(checked);
        }
        for located in parsed.tree.assignments() {
            facts.secret_spans.extend(located.set.secret_spans());
        }
        facts.confs.push(ConfFile { source, conf: parsed.tree });
    }
}

fn read_hbas(facts: &mut Facts, sources: Vec<Arc<Source>>, reader: &dyn Reader, options: &Options) {
    let versions = versions(facts, sources.len(), |m| m.hba.as_ref().ok().copied(), &sources, options);
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
    read_hba_lists(facts, reader);
}

/// A list in Patroni's configuration replaces the file of its member.
fn read_hba_lists(facts: &mut Facts, reader: &dyn Reader) {
    let newest = *hba::SUPPORTED.last().expect("invariant: some version is supported");
    let mut clusters = std::mem::take(&mut facts.clusters);
    for member in clusters.iter_mut().flat_map(|c| &mut c.members) {
        let lines = facts.patroni[member.file].config.pg_hba();
        if lines.is_empty() {
            continue;
        }
        let source = Arc::clone(&facts.patroni[member.file].source);
        let server = Server::packaged(member.postgresql.unwrap_or(newest));
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

fn read_idents(facts: &mut Facts, sources: &[Arc<Source>], reader: &dyn Reader, options: &Options) {
    let newest = *hba::SUPPORTED.last().expect("invariant: some version is supported");
    for source in sources {
        let version = source.path().and_then(|p| version_in_path(&p.to_string_lossy())).or(options.postgresql);
        facts.problems.extend(ident::parse(source, reader, version.unwrap_or(newest)).problems);
    }
}

/// The version to read each file for: that of the member it belongs to, else what its own path or the caller says.
fn versions(
    facts: &Facts,
    files: usize,
    of: impl Fn(&Member) -> Option<usize>,
    sources: &[Arc<Source>],
    options: &Options,
) -> Vec<Option<u16>> {
    let mut versions: Vec<Option<u16>> = vec![None; files];
    for member in facts.members() {
        if let Some(file) = of(member) {
            versions[file] = versions[file].or(member.postgresql);
        }
    }
    for (version, source) in versions.iter_mut().zip(sources) {
        let own = || source.path().and_then(|p| version_in_path(&p.to_string_lossy()));
        *version = version.or_else(own).or(options.postgresql);
    }
    versions
}

/// A gap for each include that leads out of the files that were given.
#[must_use]
pub fn outside(conf: &Conf) -> Vec<Gap> {
    conf.outside().iter().map(|o| Gap::new(format!("`{}`", o.value), GapReason::NotGiven)).collect()
}
