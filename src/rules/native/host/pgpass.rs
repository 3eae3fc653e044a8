//! The password file that Patroni writes.

use super::directories::path;
use super::writable;
use crate::bundle::host::{Entry, Kind};
use crate::facts::gap::{Fact, Gap};
use crate::facts::host_path::parent;
use crate::facts::patroni_file::is_placeholder;
use crate::facts::{Facts, PatroniFile, host_path};
use crate::parse::patroni::{Item, Layer};
use crate::problem::Problem;
use crate::rules::native::on_host::{OnHost, each_with};
use crate::rules::report::Report;

fn is_named(file: &PatroniFile) -> bool {
    file.config.get("postgresql.pgpass").is_some()
}

/// `pgpass-not-file`
pub(in crate::rules::native) fn not_file(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    let mut seen = Vec::new();
    each_with(facts, report, is_named, |on, report| {
        let Some(path) = on.path("postgresql.pgpass")? else { return Ok(()) };
        let Some(entry) = on.entry(path.value)? else { return Ok(()) };
        seen.push(on.member.file);
        if let Some(fault) = fault(on, path.value, entry)? {
            report.add(
                report
                    .problem(path.span)
                    .arg("path", path.value)
                    .arg("fault", fault)
                    .label(on.host.at(&["paths", path.value]), "what is there"),
            );
        }
        Ok(())
    });
    // Where there is nothing yet, what lies below it makes it a directory.
    for (i, file) in facts.numbered_files().filter(|(i, _)| !seen.contains(i)) {
        let Some((item, pgpass)) = path(file, "pgpass").filter(|(_, p)| p.starts_with('/')) else { continue };
        let below = ["data_dir", "config_dir", "bin_dir"].into_iter().find_map(|key| {
            let (other, dir) = path(file, key)?;
            host_path::is_below(dir, pgpass).then_some((key, other))
        });
        if let Some((key, other)) = below {
            let fault = format!("which is a directory, as `{key}` tells");
            let problem = report.problem(item.span).arg("path", pgpass).arg("fault", fault);
            let member = facts.member_of(i).and_then(|member| facts.node_of(member));
            let problem = problem.label(other.span, "");
            report.add(match member {
                Some(node) => problem.node(&node.name),
                None => problem,
            });
        }
    }
    Ok(())
}

/// Why Patroni cannot write a file that is there. It opens it for writing and then sets its mode, which only the owner may
/// (`config.py:ConfigHandler.write_pgpass`).
fn fault(on: &OnHost<'_>, path: &str, entry: &Entry) -> Fact<Option<String>> {
    let host = format!("on the host of {}", on.member.name);
    match entry.kind {
        Kind::File => {}
        Kind::DeadLink => return Ok(None),
        Kind::Directory => return Ok(Some(format!("which is a directory {host}"))),
        Kind::Fifo | Kind::Socket | Kind::Device => return Ok(Some(format!("which is no regular file {host}"))),
    }
    // About the directory another rule speaks. With Kerberos the file is not written.
    if on.file.config.get("postgresql.krbsrvname").is_some() || writable::fault(on, parent(path), true)?.is_some() {
        return Ok(None);
    }
    let (user, access) = on.access(path)?;
    let owner = entry.owner.clone().unwrap_or_else(|| entry.uid.to_string());
    Ok(match () {
        () if user == "root" || (access.write && owner == user) => None,
        () if !access.write => Some(format!("to which user {user} may not write {host}")),
        () => Some(format!("which belongs to {owner} {host}: user {user} may write to it, but not set its mode")),
    })
}

/// `pgpass-is-user-file`
pub(in crate::rules::native) fn of_a_user(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for (i, file) in facts.numbered_files() {
        // The host of a member, where it was looked at, tells what is in the file.
        let node = facts.member_of(i).and_then(|member| facts.node_of(member));
        if node.is_some_and(|node| node.host().is_ok()) {
            continue;
        }
        let Some((item, path)) = path(file, "pgpass") else { continue };
        if path.rsplit('/').next() == Some(".pgpass") {
            let mut problem = user_file(report, item, path, "the file that libpq reads for that user".to_owned());
            problem.nodes.extend(node.map(|node| node.name.clone()));
            report.add(problem);
        }
    }
    each_with(facts, report, is_named, |on, report| {
        let Some(path) = on.path("postgresql.pgpass")? else { return Ok(()) };
        let Some(entry) = on.entry(path.value)?.filter(|entry| entry.kind == Kind::File) else { return Ok(()) };
        // What Patroni cannot write to it does not overwrite.
        if matches!(fault(on, path.value, entry), Ok(Some(_))) {
            return Ok(());
        }
        let what = format!("the entries of {}", path.value);
        let Some(entries) = on.host.value().password_files.get(path.value) else { return on.gap(what) };
        let entries = on.node.answer(&what, entries)?.as_deref().unwrap_or_default();
        let foreign: Vec<&String> = entries.iter().filter(|entry| !is_of_patroni(on.file, entry)).collect();
        let (Some(first), Ok(item)) = (foreign.first(), on.file.known("postgresql.pgpass")) else { return Ok(()) };
        let Some(item) = item else { return Ok(()) };
        let more = match foreign.len() {
            1 => String::new(),
            n => format!(" and {} more", n - 1),
        };
        let what = format!("which has other passwords on the host of {}: `{first}`{more}", on.member.name);
        let problem = user_file(report, item, path.value, what);
        report.add(problem.label(on.host.at(&["password_files", path.value]), "what is in it"));
        Ok(())
    });
    Ok(())
}

fn user_file(report: &Report, item: &Item, path: &str, what: String) -> Problem {
    let new = format!("{path}_patroni");
    let problem = report.problem(item.span).arg("path", path).arg("what", what).arg("new", new.as_str());
    if item.layer == Layer::File { problem.edit(item.span, new) } else { problem }
}

/// Whether Patroni may have written an entry: it leaves lines for its own roles, each for all databases of one server
/// (`config.py:ConfigHandler._pgpass_content`).
fn is_of_patroni(file: &PatroniFile, entry: &str) -> bool {
    let role = |role: &str| {
        let name = file.config.get(&format!("postgresql.authentication.{role}.username"))?.as_str()?;
        Some(format!(":*:{}", name.replace('\\', "\\\\").replace(':', "\\:"))).filter(|_| !is_placeholder(name))
    };
    ["superuser", "replication", "rewind"].into_iter().filter_map(role).any(|end| entry.ends_with(&end))
}
