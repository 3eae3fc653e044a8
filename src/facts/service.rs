//! What the service of a member sets in Patroni's environment, as far as the files given tell.
//!
//! A unit says which configuration it starts Patroni with and which variables it sets. Its paths are those of a host; in a
//! repository the files lie below some directory that stands for the host's root. Without a unit, an environment file that
//! lies alone beside a configuration is taken for that of its service. A service of a compose file says by what it mounts which
//! configuration is its.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use super::layout::Home;
use super::read::{Content, Seen};
use super::{Facts, PatroniFile, UnitFile};
use crate::parse::service::Service;
use crate::parse::unit::{Variable, common, expand, overlay};
use crate::source::path::normal;
use crate::source::{Source, SourceId};

/// The environments of services, by the path of the configuration (a file or a directory) and by the directory they lie in.
#[derive(Default)]
pub(super) struct Services<'a> {
    by_config: HashMap<PathBuf, Vec<Variable>>,
    beside: HashMap<&'a Path, Vec<&'a [Variable]>>,
    anything: Vec<Variable>,
}

impl<'a> Services<'a> {
    /// Of units with their drop-ins and of environment files, for these configuration files. The only configuration of a member that was
    /// asked is that of its unit, wherever it lies yet.
    pub(super) fn new(units: &[UnitFile], seen: &'a [Seen], configs: &[&Path], homes: &[Home]) -> Self {
        let mut files: Vec<(&Path, &[Variable])> = Vec::new();
        for file in seen {
            if let (Content::Environment(variables), Some(path)) = (&file.content, file.source.path()) {
                files.push((path, variables));
            }
        }
        let mut services = Self { anything: vec![Variable::anything(SourceId::lone())], ..Self::default() };
        for (path, variables) in &files {
            services.beside.entry(path.parent().unwrap_or(Path::new(""))).or_default().push(variables);
        }
        let places: Vec<&Path> = configs.iter().flat_map(|c| std::iter::once(*c).chain(c.parent())).collect();
        let paths: Vec<&Path> = files.iter().map(|(path, _)| *path).collect();
        for unit in units.iter().filter(|u| !u.unit.is_refused()) {
            let Some(here) = unit.source.path() else { continue };
            let at = |text: &str, among: &[&'_ Path]| locate(Path::new(&expand(text, here)?), here, among);
            let of_member =
                || homes.iter().find(|h| here.starts_with(&h.root)).and_then(|h| only_below(&h.root, configs));
            let Some(config) = unit.patroni_configuration().and_then(|text| at(&text, &places).or_else(of_member))
            else {
                continue;
            };
            let named = unit.unit.environment_files();
            let found = named.iter().filter_map(|file| at(&file.path.value, &paths));
            let found = found.filter_map(|path| files.iter().find(|(p, _)| *p == path).map(|(_, v)| *v));
            let own = unit.unit.environment().tree;
            let all = overlay(std::iter::once(own.as_slice()).chain(found));
            services.by_config.insert(config, all);
        }
        let files: ByPath<'_> = files.into_iter().map(|(path, variables)| (normal(path), variables)).collect();
        services.of_compose(seen, &files, configs);
        services
    }

    /// Services of compose files, by the configuration that they mount.
    fn of_compose(&mut self, seen: &[Seen], files: &ByPath<'_>, configs: &[&Path]) {
        // In the order of their paths those below a directory stand together.
        let by_path: BTreeMap<PathBuf, &Path> = configs.iter().map(|c| (normal(c), *c)).collect();
        let below = |dir: &Path| {
            let dir = normal(dir);
            by_path.range(dir.clone()..).take_while(move |(path, _)| path.starts_with(&dir)).map(|(_, config)| *config)
        };
        let mut mounted: BTreeMap<&Path, Vec<Vec<Variable>>> = BTreeMap::new();
        for (source, service) in seen.iter().flat_map(composed) {
            let seen: BTreeSet<&Path> = service.mounts.iter().flat_map(|m| below(m)).collect();
            for config in &seen {
                mounted.entry(config).or_default().push(environment_of(service, files));
            }
            if service.mounts_more {
                let home = source.path().and_then(Path::parent).unwrap_or(Path::new(""));
                for config in below(home).filter(|config| !seen.contains(config)) {
                    mounted.entry(config).or_default().push(self.anything.clone());
                }
            }
        }
        for (config, environments) in mounted {
            self.by_config.entry(config.to_path_buf()).or_insert_with(|| common(&environments));
        }
    }

    /// The environment of the service that is started with a configuration, if a unit names it.
    pub(super) fn of(&self, config: &Path) -> Option<&[Variable]> {
        self.by_config.get(config).map(Vec::as_slice)
    }

    /// An environment of which nothing is known: that of a pod whose specification is not given.
    pub(super) fn unknown(&self) -> &[Variable] {
        &self.anything
    }

    /// The only environment file in a directory.
    pub(super) fn beside(&self, dir: &Path) -> &'a [Variable] {
        match self.beside.get(dir).map(Vec::as_slice) {
            Some([one]) => one,
            _ => &[],
        }
    }
}

/// The variables of environment files, by their normal paths.
pub(super) type ByPath<'a> = HashMap<PathBuf, &'a [Variable]>;

/// What a file starts.
fn composed(seen: &Seen) -> impl Iterator<Item = (&Source, &Service)> {
    let services = if let Content::Services(services) = &seen.content { &services[..] } else { &[] };
    services.iter().map(|service| (&*seen.source, service))
}

/// What a service of a compose file is started with; a file that is not given may set anything.
pub(super) fn environment_of(service: &Service, files: &ByPath<'_>) -> Vec<Variable> {
    let anything = [Variable::anything(SourceId::lone())];
    let of = |path| files.get(path).copied().unwrap_or(&anything);
    let named: Vec<&[Variable]> = service.env_files.iter().map(of).collect();
    overlay(named.into_iter().chain([service.variables.as_slice()]))
}

/// The configuration that a unit starts Patroni with, if it is among those given.
#[must_use]
pub fn configuration_of<'a>(unit: &UnitFile, facts: &'a Facts) -> Option<&'a PatroniFile> {
    let here = unit.source.path()?;
    let wanted = expand(&unit.patroni_configuration()?, here)?;
    let paths: Vec<&Path> = facts.patroni.iter().filter_map(|f| f.source.path()).collect();
    let places: Vec<&Path> = paths.iter().flat_map(|c| std::iter::once(*c).chain(c.parent())).collect();
    let found = locate(Path::new(&wanted), here, &places)?;
    facts.patroni.iter().find(|f| f.source.path().is_some_and(|p| p == found || p.parent() == Some(&found)))
}

/// Where units lie below the root of a host, the first ones winning (systemd.unit(5)).
pub(super) const HOMES: [&str; 6] = [
    "etc/systemd/system",
    "run/systemd/system",
    "run/systemd/generator",
    "usr/local/lib/systemd/system",
    "usr/lib/systemd/system",
    "lib/systemd/system",
];

/// The same, or the only configuration of the member whose unit it is: what is checked may not lie yet where it will.
#[must_use]
pub fn configuration_for<'a>(unit: &UnitFile, facts: &'a Facts) -> Option<&'a PatroniFile> {
    configuration_of(unit, facts).or_else(|| {
        unit.patroni_configuration()?;
        let root = facts.node_at(unit.source.id())?.root.as_ref()?;
        let paths: Vec<&Path> = facts.patroni.iter().filter_map(|f| f.source.path()).collect();
        let only = only_below(root, &paths)?;
        facts.patroni.iter().find(|f| f.source.path() == Some(&only))
    })
}

/// The only one of some paths that lies below a directory.
fn only_below(root: &Path, paths: &[&Path]) -> Option<PathBuf> {
    let mut below = paths.iter().filter(|path| path.starts_with(root));
    let first = below.next()?;
    below.next().is_none().then(|| first.to_path_buf())
}

/// The directory that stands for the root of a unit's host: the one above `etc/systemd/system` and the like.
#[must_use]
pub fn root_of(unit: &Path) -> Option<&Path> {
    // A drop-in lies one directory deeper.
    let mut dirs = unit.ancestors().skip(1).take(2);
    let home = |dir: &Path| HOMES.iter().filter(|h| dir.ends_with(h)).map(|h| Path::new(h).components().count()).max();
    dirs.find_map(|dir| dir.ancestors().nth(home(dir)?))
}

/// The one among some paths that a path of a host stands for: the same path below the directory that also holds the unit, the
/// nearest one; else the only one with that name in the directory of the unit.
fn locate(wanted: &Path, unit: &Path, among: &[&Path]) -> Option<PathBuf> {
    let below = wanted.strip_prefix("/").ok()?;
    let root_of = |path: &Path| {
        let depth = path.components().count().checked_sub(below.components().count())?;
        let root: PathBuf = path.components().take(depth).collect();
        (path.ends_with(below) && unit.starts_with(&root)).then_some(depth)
    };
    let nearest = among.iter().filter_map(|p| Some((root_of(p)?, *p))).max();
    let sibling = || {
        let mut same = among.iter().filter(|p| p.parent() == unit.parent() && p.file_name() == wanted.file_name());
        same.next().filter(|one| same.all(|other| other == *one)).copied()
    };
    nearest.map(|(_, path)| path).or_else(sibling).map(Path::to_path_buf)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_a_host_are_found_below_the_directory_that_holds_the_unit() {
        let among = ["hosts/a/etc/patroni.yml", "hosts/b/etc/patroni.yml", "flat/patroni.yml", "/etc/patroni.yml"];
        let among = among.map(Path::new);
        let find = |unit: &str| locate(Path::new("/etc/patroni.yml"), Path::new(unit), &among);
        assert_eq!(find("hosts/b/etc/systemd/system/patroni.service"), Some("hosts/b/etc/patroni.yml".into()));
        assert_eq!(find("/lib/systemd/system/patroni.service"), Some("/etc/patroni.yml".into()));
        assert_eq!(find("flat/patroni.service"), Some("flat/patroni.yml".into()));
        assert_eq!(find("hosts/c/patroni.service"), None);
    }
}
