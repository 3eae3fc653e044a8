//! Directories and files of the host that the configuration names.

use std::collections::BTreeMap;

use super::programs;
use crate::bundle::Answer;
use crate::bundle::host::{Address, Host};
use crate::facts::gap::Gap;
use crate::facts::patroni_file::is_placeholder;
use crate::facts::written::Written;
use crate::facts::{Facts, Member, PatroniFile, host_path};
use crate::parse::patroni::Item;
use crate::parse::unit::Variable;
use crate::rules::report::Report;
use crate::source::Span;

/// A path of the `postgresql` section that no template has still to fill in.
pub(super) fn path<'a>(file: &'a PatroniFile, key: &str) -> Option<(&'a Item, &'a str)> {
    let item = file.config.get("postgresql")?.get(key)?;
    let text = item.as_str().filter(|t| !t.is_empty() && !is_placeholder(t))?;
    Some((item, text))
}

/// `data-dir-relative`
pub(in crate::rules::native) fn relative(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files() {
        let Some((item, dir)) = path(file, "data_dir") else { continue };
        if dir == dir.trim() && !dir.starts_with(['~', '/']) {
            report.add(report.problem(item.span).arg("dir", dir));
        }
    }
    Ok(())
}

/// `data-dir-misread`
pub(in crate::rules::native) fn misread(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for (i, file) in facts.numbered_files() {
        let Some((item, dir)) = path(file, "data_dir") else { continue };
        // On a host that was looked at, a database in just that directory is the one that is meant.
        let node = facts.member_of(i).and_then(|member| facts.node_of(member));
        let host = node.and_then(|node| node.host().ok()).map(Written::value);
        if host.and_then(|host| host.data.get(dir)).is_some_and(|data| matches!(data.version, Answer::Got(Some(_)))) {
            continue;
        }
        let problem = if dir != dir.trim() {
            "has white space around it, which belongs to the name"
        } else if dir.starts_with('~') {
            "begins with `~`, which Patroni takes for the name of a directory"
        } else {
            continue;
        };
        report.add(report.problem(item.span).arg("dir", dir).arg("problem", problem));
    }
    Ok(())
}

/// The data directory of a member, and where it is.
struct Home<'a> {
    member: &'a Member,
    item: &'a Item,
    dir: String,
    /// What others are told of its host.
    address: String,
    /// What its host says: its name and addresses, and the directory without links.
    on_host: Option<(String, String)>,
}

impl<'a> Home<'a> {
    fn of(facts: &'a Facts, member: &'a Member) -> Option<Self> {
        let file = &facts.patroni[member.file];
        let (item, dir) = path(file, "data_dir").filter(|(_, dir)| dir.starts_with('/'))?;
        let address = file.config.connect_address()?.value.0.to_ascii_lowercase();
        let host = facts.node_of(member).and_then(|node| node.host().ok()).map(Written::value);
        let on_host = host.and_then(|host| {
            let own = |a: &&Address| !a.address.starts_with("127.") && a.address != "::1";
            let addresses: Vec<&str> = host.addresses.got()?.iter().filter(own).map(|a| a.address.as_str()).collect();
            let real = || host.data.get(dir)?.entry.got()?.as_ref()?.real.clone();
            let identity = format!("{} {}", host.name.got()?, addresses.join(" "));
            Some((identity, real().unwrap_or_else(|| host_path::normal(dir))))
        });
        let is_known = !is_placeholder(&address) && !address.is_empty();
        (is_known || on_host.is_some()).then(|| Self { member, item, dir: host_path::normal(dir), address, on_host })
    }

    /// Whether it is the same place; what hosts say goes before what the files say.
    fn is_same(&self, other: &Self) -> bool {
        match (&self.on_host, &other.on_host) {
            (Some(one), Some(other)) => one == other,
            _ => self.dir == other.dir && self.address == other.address && !is_placeholder(&self.address),
        }
    }
}

/// `data-dir-shared`: two members of one host in one directory.
pub(in crate::rules::native) fn shared(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    let homes: Vec<Home<'_>> = facts.members().filter_map(|member| Home::of(facts, member)).collect();
    for (i, home) in homes.iter().enumerate() {
        let Some(first) = homes[..i].iter().find(|first| first.is_same(home)) else { continue };
        if is_copy(facts, first.member, home.member) {
            continue;
        }
        report.add(
            report
                .problem(home.item.span)
                .arg("dir", home.dir.as_str())
                .arg("host", home.address.as_str())
                .arg("members", format!("`{}` and `{}`", first.member.name, home.member.name))
                .label(first.item.span, "here too"),
        );
    }
    Ok(())
}

/// Whether two files configure one member, an old and a new one, or may do so.
fn is_copy(facts: &Facts, a: &Member, b: &Member) -> bool {
    let of = |m: &Member| &facts.patroni[m.file].config;
    let port = |m: &Member| of(m).connect_address().map(|c| c.value.1);
    if ![a, b].iter().all(|m| of(m).is_decided("scope")) {
        return true;
    }
    a.name == b.name || (of(a).scope().map(|s| s.value) == of(b).scope().map(|s| s.value) && port(a) == port(b))
}

/// `bin-dir-unset`: packages with several majors side by side put no program of the server into `PATH`.
pub(in crate::rules::native) fn bin_unset(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    let path_is_set = facts.units.iter().filter(|u| u.may_run_patroni()).any(|u| {
        let sets = |v: &Variable| ["", "PATH"].contains(&v.name.value.as_str());
        u.unit.is_open() || !u.runs_patroni() || u.unit.environment().tree.iter().any(sets)
    });
    for member in facts.members().filter(|_| !path_is_set) {
        let file = &facts.patroni[member.file];
        if !matches!(file.known("postgresql.bin_dir"), Ok(set) if set.is_none_or(|i| i.as_str() == Some(""))) {
            continue;
        }
        let packaged = ["data_dir", "config_dir"].into_iter().find_map(|key| {
            let (item, dir) = path(file, key)?;
            host_path::packaged_version(dir).map(|version| (item, dir, version))
        });
        let on_path = facts.node_of(member).and_then(|node| node.host().ok()).map(|host| in_path(host.value()));
        if on_path == Some(true) {
            continue;
        }
        let Some((item, dir, version)) = packaged else { continue };
        let bin = if dir.contains("/pgsql/") || dir.contains("/pgsql-") {
            format!("/usr/pgsql-{version}/bin")
        } else {
            format!("/usr/lib/postgresql/{version}/bin")
        };
        report.add(report.problem(item.key_or_value()).arg("member", member.name.as_str()).arg("bin", bin));
    }
    Ok(())
}

/// Whether a host has what Patroni needs to start a server where programs are looked for, or a unit looks elsewhere.
fn in_path(host: &Host) -> bool {
    let units = host.units.got().into_iter().flat_map(|units| units.values()).filter_map(Answer::got);
    if units.filter_map(|u| u.environment.got()).flatten().any(|variable| variable.name == "PATH") {
        return true;
    }
    ["pg_controldata", "pg_ctl", "postgres"].iter().all(|name| {
        host_path::PATH.iter().any(|dir| matches!(host.paths.get(&format!("{dir}/{name}")), Some(Answer::Got(Some(_)))))
    })
}

/// `bin-dir-version-mismatch`
pub(in crate::rules::native) fn bin_version(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for (i, file) in facts.numbered_files() {
        let Some((bin, bin_dir)) = path(file, "bin_dir") else { continue };
        let Some(version) = host_path::packaged_version(bin_dir) else { continue };
        for key in ["data_dir", "config_dir"] {
            let Some((item, dir)) = path(file, key) else { continue };
            let Some(other) = host_path::packaged_version(dir).filter(|o| *o != version) else { continue };
            // Of a member whose host was looked at, programs and data tell themselves.
            let node = facts.member_of(i).and_then(|member| facts.node_of(member));
            if key == "data_dir" && node.is_some_and(|node| node.host().is_ok()) {
                continue;
            }
            report.add(
                report
                    .problem(bin.span)
                    .arg("bin", version.to_string())
                    .arg("key", key)
                    .arg("other", other.to_string())
                    .label(item.span, format!("PostgreSQL {other}")),
            );
            break;
        }
    }
    programs::version(facts, report)
}

/// `upgrade-yaml-not-updated`: members of one cluster with programs of several majors.
pub(in crate::rules::native) fn upgrade(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for cluster in facts.clusters() {
        let mut by_version: BTreeMap<u16, Vec<(&Member, Span)>> = BTreeMap::new();
        for member in &cluster.members {
            let file = &facts.patroni[member.file];
            let data_dir = || path(file, "data_dir").filter(|_| file.config.is_decided("postgresql.bin_dir"));
            let Some((item, dir)) = path(file, "bin_dir").or_else(data_dir) else { continue };
            if let Some(version) = host_path::packaged_version(dir) {
                by_version.entry(version).or_default().push((member, item.span));
            }
        }
        let newest = by_version.pop_last();
        let Some((version, members)) = newest else { continue };
        for (old, behind) in by_version {
            for (member, at) in behind {
                report.add(
                    report
                        .problem(at)
                        .arg("member", member.name.as_str())
                        .arg("old", old.to_string())
                        .arg("new", version.to_string())
                        .arg("other", members[0].0.name.as_str())
                        .label(members[0].1, format!("PostgreSQL {version}")),
                );
            }
        }
    }
    Ok(())
}

/// `basebackup-waldir-relative`
pub(in crate::rules::native) fn waldir(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files() {
        let Some(options) = file.postgresql("basebackup") else { continue };
        // A map of options, or a list of options and of maps with one option each (`Bootstrap.process_user_options`).
        let own = options.get("waldir").into_iter();
        for item in own.chain(options.items().iter().filter_map(|i| i.get("waldir"))) {
            let Some(dir) = item.as_str().filter(|d| !d.is_empty() && !is_placeholder(d)) else { continue };
            if !dir.starts_with('/') {
                report.add(report.problem(item.span).arg("dir", dir));
            }
        }
    }
    Ok(())
}
