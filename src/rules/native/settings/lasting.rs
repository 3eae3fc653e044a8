//! Directories that the server needs, as they are on the host: whether they are there, and whether they will be after a reboot.

use super::around_restart::DIRECTORIES;
use crate::facts::Facts;
use crate::facts::gap::Fact;
use crate::facts::host_path::{self, normal, parent};
use crate::rules::native::host::writable;
use crate::rules::native::on_host::OnHost;
use crate::rules::report::Report;
use crate::source::Span;

/// Filesystems that are empty after a reboot.
const GONE: [&str; 2] = ["tmpfs", "ramfs"];

/// What names a directory.
struct Named {
    value: String,
    at: Span,
    /// It stands among Patroni's own parameters: Patroni tries to make it.
    by_patroni: bool,
}

/// Looks at the directories of a member's server.
pub(super) fn look(facts: &Facts, on: &OnHost<'_>, report: &mut Report) -> Fact<()> {
    let major = on.member.postgresql.or_else(|| u16::try_from(on.node.version? / 10_000).ok());
    for (name, _, effect) in DIRECTORIES.iter().filter(|(_, last, _)| major.is_none_or(|v| v <= *last)) {
        let Some(named) = named(facts, on, name)? else { continue };
        let is_file = *name == "external_pid_file";
        let paths = named.value.split(',').map(|p| p.trim().trim_matches('"')).filter(|p| p.starts_with('/'));
        for path in paths {
            let dir = if is_file { parent(path) } else { path };
            let by_patroni = named.by_patroni && !is_file;
            let Some((fault, at)) = fault(facts, on, dir, by_patroni, name)? else { continue };
            let effect = if by_patroni { "Patroni tries to make it, may not, and ends" } else { *effect };
            let problem = report.problem(named.at).arg("name", *name).arg("dir", dir).arg("fault", fault);
            report.add(problem.arg("effect", effect).label(at, "what its host says"));
        }
    }
    Ok(())
}

/// What names the directories of a setting: Patroni's own parameters, else the server, else its files.
fn named(facts: &Facts, on: &OnHost<'_>, name: &str) -> Fact<Option<Named>> {
    let known = on.file.known_parameter(name).map_err(|gap| gap.on(&on.node.name))?;
    if let Some((item, text)) = known.and_then(|item| Some((item, item.as_str()?))) {
        return Ok(Some(Named { value: text.to_owned(), at: item.span, by_patroni: true }));
    }
    if known.is_some_and(|item| !item.is_known()) {
        return on.gap(format!("`{name}`"));
    }
    let told = on.node.setting(name);
    if let Ok(row) = told {
        // What a command line or an environment says of today's server goes with them.
        let row = row.filter(|row| !matches!(row.get("source"), Some("command line" | "environment variable")));
        return Ok(
            row.and_then(|row| Some(Named { value: row.get("setting")?.to_owned(), at: row.at, by_patroni: false }))
        );
    }
    let Ok(conf) = on.member.conf else { return told.map(|_| None) };
    let set = facts.confs[conf].conf.effective(name);
    Ok(set.map(|set| Named { value: set.set.value.value.clone(), at: set.set.value.span, by_patroni: false }))
}

/// What is wrong with a directory, and where the host says so.
fn fault(facts: &Facts, on: &OnHost<'_>, dir: &str, by_patroni: bool, name: &str) -> Fact<Option<(String, Span)>> {
    let host = format!("on the host of {}", on.member.name);
    if on.entry(dir)?.is_none() {
        // What of them Patroni makes, it makes; of sockets that it may not, another rule speaks.
        let is_said = by_patroni && (name == "unix_socket_directories" || writable::fault(on, dir, true)?.is_none());
        let is_fine = is_said || comes_back(facts, on, dir)?;
        return Ok((!is_fine).then(|| (format!("which is not there {host}"), on.host.at(&["paths", dir]))));
    }
    let what = format!("the filesystem of {dir}");
    let Some(filesystem) = on.host.value().filesystems.get(dir) else { return on.gap(what) };
    let filesystem = on.node.answer(&what, filesystem)?;
    let kind = on.node.answer(&what, &filesystem.kind)?;
    // What is mounted just there is mounted again, or leaves the directory itself behind.
    if !GONE.contains(&kind.as_str()) || filesystem.mounted == normal(dir) || comes_back(facts, on, dir)? {
        return Ok(None);
    }
    if by_patroni {
        // What stays, or is made anew, of what is above it.
        let mut above = parent(dir);
        while real(on, above)? != filesystem.mounted && above != "/" && !comes_back(facts, on, above)? {
            above = parent(above);
        }
        let (_, access) = on.access(above)?;
        if access.write && access.execute {
            return Ok(None);
        }
    }
    let kind = format!("which lies on a {kind} {host} and which nobody will make after a reboot");
    Ok(Some((kind, on.host.at(&["filesystems", dir]))))
}

/// A path without links.
fn real<'a>(on: &OnHost<'a>, path: &'a str) -> Fact<&'a str> {
    Ok(on.entry(path)?.and_then(|entry| entry.real.as_deref()).unwrap_or(path))
}

/// Whether a directory is made when the host or Patroni's service starts.
fn comes_back(facts: &Facts, on: &OnHost<'_>, dir: &str) -> Fact<bool> {
    let made = on.node.answer("what systemd-tmpfiles makes", &on.host.value().made_at_boot)?;
    if made.iter().any(|made| normal(made) == normal(dir)) {
        return Ok(true);
    }
    let Some(below) = host_path::below_run(dir) else { return Ok(false) };
    let own = |unit: &&crate::facts::UnitFile| {
        facts.node_at(unit.source.id()).is_none_or(|node| node.name == on.node.name) && unit.may_run_patroni()
    };
    let units = facts.units.iter().filter(own);
    Ok(super::around_restart::is_made(units, &below))
}
