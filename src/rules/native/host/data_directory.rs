//! The data directory of the configuration, as it is on the host.

use crate::bundle::host::{DataDir, Kind};
use crate::facts::gap::{Fact, Gap, GapReason};
use crate::facts::host_path;
use crate::facts::kept::kept;
use crate::facts::{Cluster, Facts};
use crate::parse::patroni::Item;
use crate::rules::native::on_host::{OnHost, each};
use crate::rules::report::Report;
use crate::source::{Span, Spanned};

/// Whether Patroni takes a directory with these names for empty (`utils.py:data_directory_is_empty`).
fn is_empty(names: &[String]) -> bool {
    names.iter().all(|name| name.starts_with('.') || name == "lost+found")
}

/// The data directory of the server that answers for a member, and where it is said; `None` when that is the one of the
/// configuration, or none answers.
fn other_server<'a>(on: &OnHost<'a>, dir: &str, data: &DataDir) -> Fact<Option<(&'a str, Span)>> {
    if on.server_in(data)?.is_some() {
        return Ok(None);
    }
    let real = data.entry.got().and_then(Option::as_ref).and_then(|e| e.real.as_deref()).unwrap_or(dir);
    let is_other = |path: &str| host_path::normal(path) != host_path::normal(real);
    if let Ok(Some(row)) = on.node.setting("data_directory")
        && let Some(path) = row.get("setting").filter(|path| is_other(path))
    {
        return Ok(Some((path, row.at)));
    }
    let Some(listen) = on.file.config.listen() else { return Ok(None) };
    let servers = on.servers()?;
    for (_, listener) in on.on_port(&listen.value.0, listen.value.1)? {
        let holders = on.holders(listener)?;
        let server = servers.iter().find(|(_, process)| holders.iter().any(|h| h.pid == process.pid));
        if let Some((n, server)) = server {
            let home = on.node.answer("the data directory of the server that listens", &server.directory)?;
            return Ok(Some((home.as_str(), on.host.at(&["processes", &n.to_string(), "directory"])))
                .filter(|o| is_other(o.0)));
        }
    }
    Ok(None)
}

/// `data-dir-not-the-running-one`
pub(in crate::rules::native) fn not_running_one(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    each(facts, report, |on, report| {
        let Some((dir, data)) = on.data()? else { return Ok(()) };
        let Some((other, at)) = other_server(on, dir.value, data)? else { return Ok(()) };
        let (state, effect) = match on.names(data)? {
            None => ("does not exist", EMPTY),
            Some(names) if is_empty(names) => ("is empty", EMPTY),
            Some(_) => ("holds another cluster", FULL),
        };
        report.add(
            report
                .problem(dir.span)
                .arg("member", on.member.name.as_str())
                .arg("dir", dir.value)
                .arg("other", other)
                .arg("state", state)
                .arg("effect", effect)
                .label(at, "the server runs here"),
        );
        Ok(())
    });
    Ok(())
}

const EMPTY: &str = "Patroni makes or clones a cluster there";
const FULL: &str = "Patroni starts that one, beside the server that runs";

/// `data-dir-empty-on-existing-node`: the member would make a new cluster although others hold the data.
pub(in crate::rules::native) fn empty(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    each(facts, report, |on, report| {
        let Some((dir, data)) = on.data()? else { return Ok(()) };
        if on.names(data)?.is_some_and(|names| !names.is_empty()) || !may_bootstrap(on) {
            return Ok(());
        }
        let Some(holder) = holder(on, facts) else { return Ok(()) };
        if other_server(on, dir.value, data)?.is_some() {
            return Ok(());
        }
        let kept = kept(facts, on.member, on.node)?;
        if kept.initialize().is_some() {
            return Ok(());
        }
        report.add(
            report
                .problem(dir.span)
                .arg("member", on.member.name.as_str())
                .arg("dir", dir.value)
                .arg("holder", holder)
                .label(kept.store.at(&["scopes", &kept.path]), "no key `initialize`: no member has taken over yet"),
        );
        Ok(())
    });
    Ok(())
}

/// Whether Patroni may make a cluster on a member (`ha.py:Ha.bootstrap`).
fn may_bootstrap(on: &OnHost<'_>) -> bool {
    let nofailover = on.file.config.get("tags.nofailover").is_some_and(Item::is_true);
    on.file.config.get("bootstrap").is_some() && !nofailover
}

/// Another member of the cluster whose data is there.
fn holder<'a>(on: &OnHost<'a>, facts: &'a Facts) -> Option<&'a str> {
    let is_own = |cluster: &&Cluster| cluster.members.iter().any(|m| m.file == on.member.file);
    let others = facts.clusters().iter().find(is_own)?.members.iter().filter(|m| m.file != on.member.file);
    let has_data = |name: &str| {
        facts.nodes().iter().any(|node| {
            node.name == name
                && (node.version.is_some()
                    || node.host().is_ok_and(|h| h.data.values().any(|d| matches!(d.version.got(), Some(Some(_))))))
        })
    };
    others.map(|m| m.name.as_str()).find(|name| has_data(name))
}

/// A data directory as the configuration names it, what is known of it, and the names in it.
type Filled<'a> = (Spanned<&'a str>, &'a DataDir, &'a [String]);

/// A data directory with something in it.
fn filled<'a>(on: &OnHost<'a>) -> Fact<Option<Filled<'a>>> {
    let Some((dir, data)) = on.data()? else { return Ok(None) };
    Ok(on.names(data)?.filter(|names| !is_empty(names)).map(|names| (dir, data, names)))
}

/// `data-dir-invalid`
pub(in crate::rules::native) fn invalid(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    each(facts, report, |on, report| {
        let Some((dir, _, names)) = filled(on)? else { return Ok(()) };
        let missing: Vec<&str> =
            ["PG_VERSION", "global"].into_iter().filter(|n| !names.iter().any(|m| m == n)).collect();
        if !missing.is_empty() {
            let problem = report.problem(dir.span).arg("member", on.member.name.as_str()).arg("dir", dir.value);
            let problem = problem.arg("missing", missing.join(" and no "));
            report.add(problem.label(on.data_at(dir.value, "names"), "what is there"));
        }
        Ok(())
    });
    Ok(())
}

/// `data-dir-mountpoint`: empty for Patroni, and not for `initdb` and `pg_basebackup`.
pub(in crate::rules::native) fn mountpoint(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    each(facts, report, |on, report| {
        let Some((dir, data)) = on.data()? else { return Ok(()) };
        let Some(names) = on.names(data)?.filter(|names| !names.is_empty() && is_empty(names)) else { return Ok(()) };
        if other_server(on, dir.value, data)?.is_none() {
            let problem = report.problem(dir.span).arg("member", on.member.name.as_str()).arg("dir", dir.value);
            let problem = problem.arg("names", names.join(", "));
            report.add(problem.label(on.data_at(dir.value, "names"), "what is there"));
        }
        Ok(())
    });
    Ok(())
}

/// `data-dir-permissions`: what PostgreSQL refuses (`miscinit.c:checkDataDir`).
pub(in crate::rules::native) fn permissions(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    each(facts, report, |on, report| {
        let Some((dir, data, _)) = filled(on)? else { return Ok(()) };
        let Some(entry) = on.node.answer("the data directory", &data.entry)? else { return Ok(()) };
        if entry.kind == Kind::Directory && entry.mode & 0o027 != 0 {
            report.add(
                report
                    .problem(on.data_at(dir.value, "entry"))
                    .arg("member", on.member.name.as_str())
                    .arg("dir", dir.value)
                    .arg("mode", format!("{:04o}", entry.mode & 0o7777))
                    .label(dir.span, "the data directory"),
            );
        }
        Ok(())
    });
    Ok(())
}

/// `data-dir-owner`
pub(in crate::rules::native) fn owner(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    each(facts, report, |on, report| {
        let Some((dir, data, _)) = filled(on)? else { return Ok(()) };
        let Some(entry) = on.node.answer("the data directory", &data.entry)? else { return Ok(()) };
        let user = on.user()?;
        let owner = entry.owner.clone().unwrap_or_else(|| format!("number {}", entry.uid));
        // Patroni as root is a matter of its unit.
        if owner != user && user != "root" {
            report.add(
                report
                    .problem(on.data_at(dir.value, "entry"))
                    .arg("member", on.member.name.as_str())
                    .arg("dir", dir.value)
                    .arg("owner", owner)
                    .arg("user", user)
                    .label(dir.span, "the data directory"),
            );
        }
        Ok(())
    });
    Ok(())
}

/// `pg-wal-or-tablespace-symlinks`: a clone does not put the WAL where it is today.
pub(in crate::rules::native) fn links(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    each(facts, report, |on, report| {
        let Some((dir, data, _)) = filled(on)? else { return Ok(()) };
        let Some(wal) = on.node.answer("pg_wal", &data.wal)?.as_ref().filter(|e| e.is_link) else { return Ok(()) };
        let options = on.file.known_postgresql("basebackup").map_err(|gap| gap.on(&on.node.name))?;
        let has = |item: &Item| item.get("waldir").is_some() || item.as_str().is_some_and(|t| t.contains("waldir"));
        if options.is_some_and(|o| o.open || has(o) || o.items().iter().any(has)) {
            return Ok(());
        }
        report.add(
            report
                .problem(on.data_at(dir.value, "wal"))
                .arg("member", on.member.name.as_str())
                .arg("dir", dir.value)
                .arg("target", wal.real.as_deref().unwrap_or("another place"))
                .label(dir.span, "the data directory"),
        );
        Ok(())
    });
    Ok(())
}

/// Files that make a server begin as a standby, or as one that was restored.
const SIGNALS: [&str; 5] = ["backup_label", "recovery.conf", "recovery.signal", "standby.signal", "tablespace_map"];

/// `leftover-recovery-files`
pub(in crate::rules::native) fn leftovers(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    each(facts, report, |on, report| {
        let Some((dir, data, names)) = filled(on)? else { return Ok(()) };
        let found: Vec<&str> = SIGNALS.into_iter().filter(|s| names.iter().any(|n| n == s)).collect();
        if found.is_empty() || is_standby(on, data)? {
            return Ok(());
        }
        report.add(
            report
                .problem(on.data_at(dir.value, "names"))
                .arg("member", on.member.name.as_str())
                .arg("dir", dir.value)
                .arg("files", found.join(", "))
                .arg("paths", found.iter().map(|f| format!("{}/{f}", dir.value)).collect::<Vec<_>>().join(" "))
                .label(dir.span, "the data directory"),
        );
        Ok(())
    });
    Ok(())
}

/// `standby-signal-missing`
pub(in crate::rules::native) fn signal(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    each(facts, report, |on, report| {
        let Some((dir, data, names)) = filled(on)? else { return Ok(()) };
        let has = |name: &str| names.iter().any(|n| n == name);
        let major = on.node.answer("the version of the data", &data.version)?.as_deref().and_then(|v| v.parse().ok());
        if has("standby.signal") || major.is_none_or(|major: u16| major < 12) || !is_standby(on, data)? {
            return Ok(());
        }
        report.add(
            report
                .problem(on.data_at(dir.value, "names"))
                .arg("member", on.member.name.as_str())
                .arg("dir", dir.value)
                .arg("user", on.user()?)
                .arg("instead", if has("recovery.signal") { "only recovery.signal" } else { "no signal file" })
                .label(dir.span, "the data directory"),
        );
        Ok(())
    });
    Ok(())
}

/// Whether the server of a member is a standby, by its own answer or by what `pg_controldata` says of it.
fn is_standby(on: &OnHost<'_>, data: &DataDir) -> Fact<bool> {
    if let Ok(is) = on.node.is_standby() {
        return Ok(is);
    }
    let control = on.node.answer("what pg_controldata says", &data.control)?;
    match control.get("Database cluster state").map(String::as_str) {
        Some("in production" | "shut down" | "shutting down" | "in crash recovery") => Ok(false),
        Some("in archive recovery" | "shut down in recovery") => Ok(true),
        _ => Err(Gap::new("whether the server is a standby", GapReason::Unreadable).on(&on.node.name)),
    }
}
