//! Which files make up a member, and which members a cluster.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use super::gap::Fact;
use super::group::{self, Places};
use super::included::Included;
use super::layout::{Home, Layout, NamedMember};
use super::member::{Cluster, Member};
use super::patroni_file::PatroniFile;
use super::read::{Content, Local, Seen};
use super::service::{HOMES, Services, root_of};
use super::{UnitFile, Whole, not_given};
use crate::collect::search::Found;
use crate::knowledge::guc::MAJORS;
use crate::parse::patroni::Type;
use crate::parse::unit::{dropin_dirs, merge, order_dropins};
use crate::parse::yaml::Tree;
use crate::source::Source;

/// Keys without which a file cannot be a member's whole configuration.
const WHOLE: [&str; 4] = ["name", "postgresql", "restapi", "scope"];

/// Directories whose path may name the major version.
pub(super) const VERSIONED: [&str; 3] = ["postgresql.bin_dir", "postgresql.data_dir", "postgresql.config_dir"];

/// What was found, by directories in order of their paths.
pub(super) fn by_directory(found: Vec<Found>) -> Vec<Vec<Found>> {
    let mut directories: Vec<(group::Key, Vec<Found>)> = Vec::new();
    let mut known: HashMap<group::Key, usize> = HashMap::new();
    for file in found {
        let key = group::Key::of_dir(file.source.path().unwrap_or(Path::new("")));
        let index = *known.entry(key).or_insert_with_key(|key| {
            directories.push((key.clone(), Vec::new()));
            directories.len() - 1
        });
        directories[index].1.push(file);
    }
    directories.par_sort_unstable_by(|a, b| a.0.cmp(&b.0));
    directories.into_iter().map(|(_, files)| files).collect()
}

/// Joins the files of a configuration directory, and the environment of its service to each configuration.
///
/// Files in a directory called `….d`, and files side by side of which none is whole but which together are, are taken for one
/// directory of Patroni. Without a unit that names the configuration, the only environment file beside it counts. What a pod
/// adds to a configuration in a manifest is not known.
pub(super) fn locals<'a>(seen: &'a [Seen], services: &'a Services<'_>) -> Vec<Local<'a>> {
    let tree = |file: &'a Seen| match &file.content {
        Content::Patroni(tree) => Some((file, tree)),
        _ => None,
    };
    let files: Vec<(&Seen, &Tree)> = seen.iter().filter_map(tree).collect();
    let Some((first, _)) = files.first() else { return Vec::new() };
    let home = dir(&first.source);
    if first.source.part().is_none() && is_directory(home, &files) {
        let environment = services.of(home).unwrap_or_else(|| services.beside(home));
        return vec![Local { files, environment, is_directory: true }];
    }
    let beside = if files.len() == 1 { services.beside(home) } else { &[] };
    let environment = |file: &Seen| match file.source.part() {
        Some(_) => services.unknown(),
        None => file.source.path().and_then(|path| services.of(path)).unwrap_or(beside),
    };
    files.iter().map(|f| Local { files: vec![*f], environment: environment(f.0), is_directory: false }).collect()
}

/// Each unit with the drop-ins that lie beside it, or elsewhere on its host, in systemd's order; a drop-in without its unit stays alone.
pub(super) fn units(files: Vec<UnitFile>) -> Vec<UnitFile> {
    let mut dropins: BTreeMap<PathBuf, UnitFile> = BTreeMap::new();
    let mut units = Vec::new();
    for file in files {
        match file.source.path().filter(|p| p.extension().is_some_and(|e| e == "conf")).map(Path::to_path_buf) {
            Some(path) => drop(dropins.insert(path, file)),
            None => units.push(file),
        }
    }
    for unit in &mut units {
        let Some(path) = unit.source.path() else { continue };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let homes = root_of(path).into_iter().flat_map(|root| HOMES.map(|home| root.join(home)));
        let homes: Vec<PathBuf> = homes.chain([dir(&unit.source).to_path_buf()]).collect();
        let dirs: Vec<PathBuf> =
            dropin_dirs(&name).iter().flat_map(|name| homes.iter().map(move |home| home.join(name))).collect();
        let own = dirs.iter().flat_map(|dir| dropins.keys().filter(move |p| p.parent() == Some(dir))).cloned();
        let own: Vec<PathBuf> = order_dropins(own);
        let mut parts = vec![std::mem::take(&mut unit.unit)];
        parts.extend(own.iter().filter_map(|p| dropins.remove(p)).map(|d| d.unit));
        unit.unit = merge(parts);
    }
    units.extend(dropins.into_values());
    units
}

fn is_directory(dir: &Path, files: &[(&Seen, &Tree)]) -> bool {
    if dir.extension().is_some_and(|e| e == "d") {
        return true;
    }
    let keys = |tree: &Tree| -> BTreeSet<&str> { WHOLE.into_iter().filter(|k| tree.at(&[k]).is_some()).collect() };
    let each: Vec<BTreeSet<&str>> = files.iter().map(|(_, tree)| keys(tree)).collect();
    let all: BTreeSet<&str> = each.iter().flatten().copied().collect();
    files.len() > 1
        && files.iter().all(|(_, tree)| tree.is_complete())
        && each.iter().all(|k| k.len() < 3)
        && all.len() == WHOLE.len()
}

fn dir(source: &Source) -> &Path {
    source.path().and_then(Path::parent).unwrap_or(Path::new(""))
}

/// The clusters of all whole configurations, and the other files of each member.
pub(super) fn clusters(
    facts: &Whole,
    confs: &[Arc<Source>],
    hbas: &[Arc<Source>],
    idents: &[Arc<Source>],
    layout: &Layout,
) -> Vec<Cluster> {
    let named = |i: usize| facts.patroni[i].source.path().and_then(|path| layout.member(path));
    // Each is far from the others in memory: looked at by all cores.
    let candidates: Vec<(usize, group::Candidate, Option<u16>)> = (0..facts.patroni.len())
        .into_par_iter()
        .filter(|i| facts.patroni[*i].is_whole() || named(*i).is_some())
        .map(|i| (i, candidate(&facts.patroni[i], layout), version_of(&facts.patroni[i])))
        .collect();
    let versions: Vec<Option<u16>> = candidates.iter().map(|(.., version)| *version).collect();
    let (whole, candidates): (Vec<usize>, Vec<group::Candidate>) =
        candidates.into_iter().map(|(i, candidate, _)| (i, candidate)).unzip();
    let neighbours = group::has_uncertain_neighbour(&candidates);
    let owners = Places::new(candidates.iter().map(|c| c.path.as_path()).collect());
    let sqls: Vec<Arc<Source>> = facts.sqls.iter().map(|s| Arc::clone(&s.source)).collect();
    let (near_confs, near_hbas, near_idents, sqls) = (places(confs), places(hbas), places(idents), places(&sqls));
    let mut clusters = Vec::new();
    for (cluster_name, cluster) in grouped(&candidates, layout) {
        let near_confs = (near_confs.nearest(&owners, &cluster), &near_confs);
        let near_hbas = (near_hbas.nearest(&owners, &cluster), &near_hbas);
        let near_idents = (near_idents.nearest(&owners, &cluster), &near_idents);
        let mut near_sqls = sqls.nearest(&owners, &cluster);
        let mut members = Vec::new();
        for (k, candidate) in cluster.iter().enumerate() {
            let file = whole[*candidate];
            let source = &facts.patroni[file].source;
            let says: Option<&NamedMember> = named(file).map(|(_, member)| member);
            let name = candidates[*candidate].name.clone().or_else(|| says.and_then(|s| s.name.clone()));
            let name = name.unwrap_or_else(|| source.name().to_owned());
            let home = source.path().and_then(|path| layout.home(path));
            let pick = |plain: &str,
                        wanted: Option<&PathBuf>,
                        own: fn(&Home) -> Option<&PathBuf>,
                        files: &[Arc<Source>],
                        near: &(Vec<Vec<usize>>, &Places<'_>)| {
                let found = match (home, wanted) {
                    (Some(home), _) => own(home).and_then(|own| files.iter().position(|f| f.path() == Some(own))),
                    (None, Some(wanted)) => files.iter().position(|f| layout.is(f.path(), wanted)),
                    (None, None) => near.1.choose(&name, plain, &near.0[k]),
                };
                found.ok_or_else(|| not_given(&format!("`{plain}`"), &name))
            };
            let conf: Fact<usize> = {
                let wanted = says.and_then(|s| s.conf.as_ref());
                pick("postgresql.conf", wanted, |h| h.conf.as_ref(), confs, &near_confs)
            };
            let hba_file: Fact<usize> = {
                let wanted = says.and_then(|s| s.hba.as_ref());
                pick("pg_hba.conf", wanted, |h| h.hba.as_ref(), hbas, &near_hbas)
            };
            let ident: Fact<usize> = pick("pg_ident.conf", None, |h| h.ident.as_ref(), idents, &near_idents);
            let reads = Reads { patroni: &facts.patroni[file], home, name: &name };
            let hba = match says.and_then(|s| s.hba.as_ref()) {
                Some(_) => hba_file.clone(),
                None => reads.later(("hba_file", "pg_hba.conf"), &hba_file, hbas, (&near_hbas.0[k], near_hbas.1)),
            };
            let near_idents = (near_idents.0[k].as_slice(), near_idents.1);
            let ident = reads.later(("ident_file", "pg_ident.conf"), &ident, idents, near_idents);
            let runs = home.and_then(|h| h.postgresql);
            let postgresql = runs.or(versions[*candidate]).or(layout.at(source.path()).postgresql);
            let sqls = std::mem::take(&mut near_sqls[k]);
            let included = Ok(Included::Today);
            members.push(Member { name, file, conf, included, hba, hba_file, ident, sqls, postgresql });
        }
        let is_open = cluster_name.is_none() && cluster.iter().any(|c| neighbours[*c]);
        clusters.push(Cluster { name: cluster_name, members, is_open });
    }
    clusters
}

/// A member whose Patroni may make its server read other files than today.
struct Reads<'a> {
    patroni: &'a PatroniFile,
    home: Option<&'a Home>,
    name: &'a str,
}

impl Reads<'_> {
    /// The file that a parameter of Patroni names in place of the one called `plain`, else that of today. `near` are the files of its kind
    /// that lie near the member.
    fn later(
        &self,
        (parameter, plain): (&str, &str),
        today: &Fact<usize>,
        files: &[Arc<Source>],
        near: (&[usize], &Places<'_>),
    ) -> Fact<usize> {
        let Some(path) = self.patroni.redirected_to(parameter, plain) else {
            // Where there are several, a template may name any of them.
            let known = if near.0.len() > 1 { self.patroni.knows_file(parameter) } else { Ok(()) };
            return known.map_err(|gap| gap.on(self.name)).and(today.clone());
        };
        let found = match self.home {
            Some(home) => {
                let path = home.root.join(path.trim_start_matches('/'));
                files.iter().position(|f| f.path() == Some(&path))
            }
            None => near.1.choose_called(self.name, path.rsplit('/').next().unwrap_or(&path), near.0),
        };
        found.ok_or_else(|| not_given(&format!("`{path}`, which the server will read,"), self.name))
    }
}

/// Clusters as lists of candidates: those that the caller has named, then the rest by their places.
fn grouped(candidates: &[group::Candidate], layout: &Layout) -> Vec<(Option<String>, Vec<usize>)> {
    let mut named: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut rest = Vec::new();
    for (i, candidate) in candidates.iter().enumerate() {
        match layout.member(&candidate.path) {
            Some((cluster, _)) => named.entry(cluster).or_default().push(i),
            None => rest.push(i),
        }
    }
    if named.is_empty() {
        return group::clusters(candidates).into_iter().map(|c| (None, c)).collect();
    }
    let others: Vec<group::Candidate> = rest.iter().map(|i| candidates[*i].clone()).collect();
    let others = group::clusters(&others).into_iter().map(|c| (None, c.into_iter().map(|i| rest[i]).collect()));
    let named = named.into_iter().map(|(c, members)| (Some(layout.clusters[c].name.clone()), members));
    named.chain(others).collect()
}

fn places(sources: &[Arc<Source>]) -> Places<'_> {
    Places::new(sources.iter().map(|s| s.path().unwrap_or(Path::new(""))).collect())
}

fn candidate(file: &PatroniFile, layout: &Layout) -> group::Candidate {
    let config = &file.config;
    let path = file.source.path().unwrap_or(Path::new(""));
    // Members that were asked together stand side by side, wherever their files are.
    let together = layout.home(path).map(|home| Path::new("members").join(home.root.with_added_extension("yml")));
    group::Candidate {
        path: together.unwrap_or_else(|| path.to_path_buf()),
        scope: config.scope().map(|s| s.value.to_owned()),
        is_certain: ["scope", "namespace"].into_iter().all(|path| match config.get(path) {
            Some(item) => !item.optional && item.kind() != Type::Unknown,
            // Members of one scope side by side are hardly told apart by a namespace that is not written there.
            None => path == "namespace" || !config.root().open,
        }),
        namespace: config.get("namespace").and_then(|n| n.as_str()).unwrap_or("/service").trim_matches('/').to_owned(),
        name: config.name().map(|n| n.value.to_owned()),
        store: config.dcs().map(|(kind, item)| format!("{kind} {}", item.comparable())).unwrap_or_default(),
    }
}

/// The major version that a directory of the configuration names: `/usr/lib/postgresql/15/bin`, `/usr/pgsql-15/bin`.
fn version_of(file: &PatroniFile) -> Option<u16> {
    VERSIONED.iter().find_map(|path| version_in_path(file.config.get(path)?.as_str()?))
}

/// The major version that a path names.
pub(super) fn version_in_path(path: &str) -> Option<u16> {
    const BEFORE: [&str; 6] = ["postgresql-", "postgresql", "postgres", "pgsql-", "pg", ""];
    path.split('/').find_map(|part| {
        let digits =
            BEFORE.iter().find_map(|p| part.strip_prefix(p).filter(|d| d.bytes().all(|b| b.is_ascii_digit())))?;
        digits.parse().ok().filter(|v| MAJORS.contains(v))
    })
}

/// The version to read each file for: that of a member it belongs to, else what its own path or the caller says.
pub(super) fn versions<I: IntoIterator<Item = usize>>(
    facts: &Whole,
    sources: &[Arc<Source>],
    of: impl Fn(&Member) -> I,
    layout: &Layout,
) -> Vec<Option<u16>> {
    let mut versions: Vec<Option<u16>> = vec![None; sources.len()];
    for member in facts.members() {
        for file in of(member) {
            versions[file] = versions[file].or(member.postgresql);
        }
    }
    for (version, source) in versions.iter_mut().zip(sources) {
        let own = || source.path().and_then(|p| version_in_path(&p.to_string_lossy()));
        *version = version.or_else(own).or(layout.at(source.path()).postgresql);
    }
    versions
}

#[cfg(test)]
mod tests {
    use super::version_in_path;

    #[test]
    fn paths_of_packages_name_their_version() {
        for path in [
            "/usr/lib/postgresql/15/bin",
            "/usr/pgsql-15/bin",
            "/opt/postgres15/bin",
            "etc/postgresql/15/main/x",
            "/data/pg15",
        ] {
            assert_eq!(version_in_path(path), Some(15), "{path}");
        }
        for path in ["/data/pgdata", "/srv/19/x", "/var/lib/postgresql/data", "/data/pg1"] {
            assert_eq!(version_in_path(path), None, "{path}");
        }
    }
}
