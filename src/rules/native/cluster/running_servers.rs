//! Servers of a cluster against each other, and against what Patroni will make of them.

use crate::facts::enforced::enforced;
use crate::facts::gap::{Fact, Gap, GapReason};
use crate::facts::kept::{is_paused, kept, system_identifier};
use crate::facts::nodes::{Node, Row};
use crate::facts::running::{primary_of, received, written};
use crate::facts::{Facts, Member, PatroniFile, host_path};
use crate::knowledge::patroni::command_line_setting;
use crate::parse::patroni::{Item, parse_int};
use crate::rules::native::on_host::each_with;
use crate::rules::report::Report;
use crate::source::Span;

/// `standby-sysid-differs`: data of two clusters under one scope.
pub(in crate::rules::native) fn identifiers(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for cluster in facts.clusters() {
        let mut known = Vec::new();
        for member in &cluster.members {
            let Some(node) = facts.node_of(member) else { continue };
            let Some((identifier, at)) = report.known(system_identifier(facts, member, node)) else { continue };
            known.push((member, node, identifier, at));
        }
        let is_primary = |node: &Node| node.is_standby() == Ok(false);
        let first = known.iter().find(|(_, node, ..)| is_primary(node)).or(known.first());
        let Some((first, _, right, right_at)) = first else { continue };
        for (member, node, identifier, at) in &known {
            // Where the store knows the identifier, another rule speaks of the difference; a second primary has its own, too.
            let is_judged = kept(facts, member, node).is_ok_and(|kept| kept.initialize().is_some());
            if identifier == right || is_judged || is_paused(facts, member) || is_primary(node) {
                continue;
            }
            let problem = report
                .problem(*at)
                .node(&member.name)
                .arg("member", &*member.name)
                .arg("ours", &**identifier)
                .arg("other", &*first.name)
                .arg("theirs", &**right)
                .label(*right_at, format!("the data of {}", first.name))
                .label(facts.patroni[member.file].place_of("scope"), "both belong to this cluster");
            report.add(problem);
        }
    }
    Ok(())
}

/// `standby-lag-too-large`
pub(in crate::rules::native) fn lag(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    /// `global_config.py:GlobalConfig.maximum_lag_on_failover`
    const DEFAULT: u64 = 1_048_576;
    for live in facts.live() {
        let Some(member) = report.known(live.member()) else { continue };
        let Some(is_standby) = report.known(live.node.is_standby()) else { continue };
        let Some((_, primary)) = primary_of(facts, member).filter(|_| is_standby) else { continue };
        let (Some(ours), Some(theirs)) = (report.known(received(live.node)), report.known(written(primary))) else {
            continue;
        };
        let file = &facts.patroni[member.file];
        let limit = file.dynamic("maximum_lag_on_failover");
        let most = limit.and_then(Item::as_setting).and_then(|text| parse_int(&text, None));
        let most = most.and_then(|n| u64::try_from(n).ok()).unwrap_or(DEFAULT);
        let (Some(ours), Some(theirs)) = (ours, theirs) else { continue };
        let Some(lag) = theirs.checked_sub(ours).filter(|lag| *lag > most) else { continue };
        let Ok(Some(row)) = live.node.row("position") else { continue };
        let mut problem = report
            .problem(row.at)
            .node(&member.name)
            .arg("member", &*member.name)
            .arg("lag", size(lag))
            .arg("most", size(most));
        if let Some(limit) = limit {
            problem = problem.label(limit.key_or_value(), "no more is allowed");
        }
        report.add(problem);
    }
    Ok(())
}

/// `standby-wal-gap-at-slot-switch`: the standby gets another slot, and what it still needs may be gone when it has it.
pub(in crate::rules::native) fn wal_gap(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    let Some(setting) = command_line_setting("wal_keep_size", facts.patroni_version) else { return Ok(()) };
    for live in facts.live() {
        let Some(member) = report.known(live.member()) else { continue };
        let Some(is_standby) = report.known(live.node.is_standby()) else { continue };
        let Some((_, primary)) = primary_of(facts, member).filter(|_| is_standby) else { continue };
        let Some(restore) = report.known(live.node.setting("restore_command")) else { continue };
        let has_archive = restore.and_then(|row| row.get("setting")).is_some_and(|command| !command.is_empty());
        let file = &facts.patroni[member.file];
        let Some(receiver) = report.known(live.node.row("wal_receiver")) else { continue };
        let old = receiver.and_then(|row| row.get("slot_name")).filter(|slot| !slot.is_empty());
        let is_declared = old.is_some_and(|old| file.config.slots().is_some_and(|slots| slots.get(old).is_some()));
        let is_own = old.is_some_and(|old| old == crate::knowledge::patroni::slot_name(&member.name));
        if has_archive || is_declared || is_own {
            continue;
        }
        let (Some(ours), Some(theirs)) = (report.known(received(live.node)), report.known(written(primary))) else {
            continue;
        };
        let (Some(ours), Some(theirs), Some(keep)) = (ours, theirs, enforced(file, setting)) else { continue };
        let Some(megabytes) = parse_int(&keep.value, Some("MB")).and_then(|n| u64::try_from(n).ok()) else { continue };
        let Some(lag) = theirs.checked_sub(ours).filter(|lag| *lag > megabytes << 20) else { continue };
        let Ok(Some(row)) = live.node.row("position") else { continue };
        let at = keep.at.unwrap_or_else(|| file.place_of("bootstrap.dcs.postgresql.parameters"));
        report.add(
            report
                .problem(row.at)
                .node(&member.name)
                .arg("member", &*member.name)
                .arg("lag", size(lag))
                .arg("keep", keep.value)
                .label(at, "so much is kept"),
        );
    }
    Ok(())
}

/// `max-prepared-transactions-lowered`: more transactions are prepared than the server will have room for.
pub(in crate::rules::native) fn prepared(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    let Some(setting) = command_line_setting("max_prepared_transactions", facts.patroni_version) else { return Ok(()) };
    for live in facts.live() {
        let Some(member) = report.known(live.member()) else { continue };
        let Some(is_standby) = report.known(live.node.is_standby()) else { continue };
        let Some(rows) = report.known(live.node.rows("prepared_transactions")) else { continue };
        let file = &facts.patroni[member.file];
        let Some(used) = enforced(file, setting) else { continue };
        let Some(first) = rows.first().filter(|_| !is_standby) else { continue };
        if used.value.parse::<usize>().is_ok_and(|most| rows.len() <= most) {
            continue;
        }
        let row = live.node.setting(setting.name).ok().flatten();
        let today = row.and_then(|row| row.get("setting")).map_or_else(|| rows.len().to_string(), str::to_owned);
        let mut problem = report
            .problem(row.map_or(first.at, |row| row.at))
            .node(&member.name)
            .arg("member", &*member.name)
            .arg("count", rows.len().to_string())
            .arg("enforced", used.value)
            .arg("value", today)
            .label(first.at, "prepared");
        problem = match used.at {
            Some(at) => problem.label(at, "Patroni will use this"),
            None => problem.label(file.place_of("bootstrap.dcs.postgresql.parameters"), "it is not set here"),
        };
        report.add(problem);
    }
    Ok(())
}

/// `sync-strict-without-standby`: commits wait for a standby, and there is none (`ha.py:Ha._process_multisync_replication`).
pub(in crate::rules::native) fn strict(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for live in facts.live() {
        let Some(member) = report.known(live.member()) else { continue };
        let file = &facts.patroni[member.file];
        let strict = file.dynamic("synchronous_mode_strict").filter(|i| i.as_bool() == Some(true));
        let Some(strict) = strict.filter(|_| file.is_synchronous()) else { continue };
        let Some(is_standby) = report.known(live.node.is_standby()) else { continue };
        let Some(rows) = report.known(live.node.rows("standbys")) else { continue };
        if is_standby || rows.iter().any(|row| row.get("state") == Some("streaming")) {
            continue;
        }
        let mut problem = report.problem(strict.key_or_value()).node(&member.name).arg("member", &*member.name);
        if let Ok(Some(row)) = live.node.row("position") {
            problem = problem.label(row.at, "the primary, and nobody streams from it");
        }
        report.add(problem);
    }
    Ok(())
}

/// `rewind-impossible-no-checksums-or-hints`: a member cannot be rewound by what its data holds (`rewind.py:Rewind.can_rewind`).
pub(in crate::rules::native) fn rewind(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    let hints = command_line_setting("wal_log_hints", facts.patroni_version);
    for live in facts.live() {
        let Some(member) = report.known(live.member()) else { continue };
        let file = &facts.patroni[member.file];
        // With hints off in the dynamic configuration it stays so, of which another rule speaks.
        let will_log = hints
            .and_then(|hints| enforced(file, hints))
            .is_some_and(|used| used.value == "on" || used.value == "true");
        if !file.is_on("use_pg_rewind") || !will_log {
            continue;
        }
        let Some(data) = report.known(live.node.row("control_init")) else { continue };
        if data.and_then(|row| row.get("data_page_checksum_version")) != Some("0") {
            continue;
        }
        let Some(is_standby) = report.known(live.node.is_standby()) else { continue };
        let at = if is_standby {
            // What a standby may do with its data is what its primary has told it by the WAL, whatever it runs with itself.
            if primary_of(facts, member).is_some() {
                continue;
            }
            let Some((is_on, at)) = report.known(hints_of_data(file, live.node)) else { continue };
            (!is_on).then_some(at)
        } else {
            let Some(row) = report.known(live.node.setting("wal_log_hints")) else { continue };
            row.filter(|row| row.get("setting") == Some("off")).map(|row| row.at)
        };
        let Some(at) = at else { continue };
        let scope = file.config.scope().map(|s| s.value).unwrap_or_default();
        let mut problem = report.problem(at).arg("member", &*member.name).arg("scope", scope);
        let cluster = facts.cluster_of(member.file);
        for other in cluster.into_iter().flat_map(|cluster| &cluster.members) {
            problem = problem.node(&other.name);
        }
        if let Some(row) = data {
            problem = problem.label(row.at, "no checksums either");
        }
        report.add(problem);
    }
    Ok(())
}

/// Whether `pg_control` says that hints are logged.
fn hints_of_data(file: &PatroniFile, node: &Node) -> Fact<(bool, Span)> {
    const LABEL: &str = "wal_log_hints setting";
    let missing = || node.not_asked("what pg_controldata says");
    let data_dir = file.config.data_dir().ok_or_else(missing)?;
    let host = node.host()?;
    let data = host.value().data.get(data_dir.value).ok_or_else(missing)?;
    let value = node.answer("what pg_controldata says", &data.control)?.get(LABEL).ok_or_else(missing)?;
    Ok((value == "on", host.at(&["data", data_dir.value, "control", LABEL])))
}

/// `standby-conninfo-change-restart`: PostgreSQL 13 takes another `restore_command` only at a start
/// (`postgresql/config.py:ConfigHandler._read_recovery_params`).
pub(in crate::rules::native) fn restarts(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for live in facts.live() {
        let Some(member) = report.known(live.member()) else { continue };
        if live.node.version.is_some_and(|version| version >= 140_000) {
            continue;
        }
        let Some(is_standby) = report.known(live.node.is_standby()) else { continue };
        let Some(row) = report.known(live.node.setting("restore_command")) else { continue };
        let file = &facts.patroni[member.file];
        let wanted = file
            .written_parameter("restore_command")
            .or_else(|| file.postgresql("recovery_conf")?.get("restore_command"))
            .and_then(Item::as_str)
            .unwrap_or_default();
        let today = row.and_then(|row| row.get("setting")).unwrap_or_default();
        let Some(row) = row.filter(|_| is_standby && today != wanted) else { continue };
        report.add(
            report
                .problem(row.at)
                .node(&member.name)
                .arg("member", &*member.name)
                .arg("wanted", if wanted.is_empty() { "none".to_owned() } else { format!("`{wanted}`") })
                .label(file.place_of("postgresql.recovery_conf.restore_command"), "Patroni goes by this"),
        );
    }
    Ok(())
}

/// `leader-in-recovery`: the store says that a member leads, and its server is a standby.
pub(in crate::rules::native) fn leader(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for live in facts.live() {
        let Some(member) = report.known(live.member()) else { continue };
        if facts.patroni[member.file].is_standby_cluster() {
            continue;
        }
        let Some(kept) = report.known(kept(facts, member, live.node)) else { continue };
        if kept.leader() != Some(&*member.name) {
            continue;
        }
        let Some(Some(row)) = report.known(live.node.row("position")) else { continue };
        if row.is("in_recovery") {
            let problem = report.problem(row.at).node(&member.name).arg("member", &*member.name);
            report.add(problem.arg("path", &*kept.path).label(kept.at("leader"), "it leads the cluster"));
        }
    }
    Ok(())
}

/// `standby-cluster-slot`: the slot that a standby cluster is to stream through is not there.
pub(in crate::rules::native) fn remote_slot(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for live in facts.live() {
        let Some(member) = report.known(live.member()) else { continue };
        let file = &facts.patroni[member.file];
        let Some(section) = file.dynamic("standby_cluster").filter(|_| file.is_standby_cluster()) else { continue };
        let text = |key: &str| section.get(key).and_then(Item::as_setting);
        let Some((slot, name)) = section.get("primary_slot_name").and_then(|s| Some((s, s.as_str()?))) else {
            continue;
        };
        let (Some(hosts), port) = (text("host"), text("port").unwrap_or_else(|| "5432".to_owned())) else { continue };
        let remote = remote(facts, &hosts, &port);
        let Some((other, remote)) = remote else {
            let gap = Gap::new(format!("slots of the server at {hosts}:{port}"), GapReason::NotGiven).on(&member.name);
            report.known::<()>(Err(gap));
            continue;
        };
        let Some(rows) = report.known(remote.rows("slots")) else { continue };
        if rows.iter().any(|row| row.get("slot_name") == Some(name)) {
            continue;
        }
        report.add(
            report
                .problem(slot.key_or_value())
                .node(&member.name)
                .arg("member", &*member.name)
                .arg("slot", name)
                .arg("remote", &*other.name),
        );
    }
    Ok(())
}

/// `standby-cluster-conf-missing-in-pgdata`: a clone of the remote server comes without `postgresql.conf`.
pub(in crate::rules::native) fn remote_files(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    each_with(facts, report, PatroniFile::is_standby_cluster, |on, report| {
        let Some(section) = on.file.dynamic("standby_cluster") else { return Ok(()) };
        let text = |key: &str| section.get(key).and_then(Item::as_setting);
        let (Some(hosts), port) = (text("host"), text("port").unwrap_or_else(|| "5432".to_owned())) else {
            return Ok(());
        };
        // Another method brings what it brings, and files in another place are there already or missed by another rule.
        let own = (on.file.config.config_dir(), on.file.config.data_dir());
        let (Some(config_dir), Some(data_dir)) = own else { return Ok(()) };
        let is_apart = host_path::normal(config_dir.value) != host_path::normal(data_dir.value);
        if section.get("create_replica_methods").is_some() || is_apart {
            return Ok(());
        }
        let Some((_, data)) = on.data()? else { return Ok(()) };
        if on.names(data)?.is_some_and(|names| !names.is_empty()) {
            return Ok(());
        }
        let Some((other, remote)) = remote(facts, &hosts, &port) else {
            return on.gap(format!("where the server at {hosts}:{port} keeps its configuration"));
        };
        let value = |name: &str| -> Fact<Option<&Row>> { remote.setting(name) };
        let (Some(file), Some(dir)) = (value("config_file")?, value("data_directory")?) else { return Ok(()) };
        let (file_name, dir_name) = (file.get("setting").unwrap_or_default(), dir.get("setting").unwrap_or_default());
        if host_path::parent(file_name) == host_path::normal(dir_name) {
            return Ok(());
        }
        // Patroni there keeps a copy beside the data, and here puts that in its place.
        let host = remote.host()?;
        let there =
            host.data.get(dir_name).ok_or_else(|| remote.not_asked(&format!("the data directory {dir_name}")))?;
        let names = remote.answer("what is in the data directory", &there.names)?;
        if names.iter().any(|name| matches!(name.as_str(), "postgresql.conf" | "postgresql.conf.backup")) {
            return Ok(());
        }
        let problem = report.problem(section.key_or_value());
        let problem = problem.arg("member", &*on.member.name).arg("remote", &*other.name).arg("file", file_name);
        report.add(
            problem.label(file.at, "it is kept apart from the data").label(data_dir.span, "Patroni looks for it here"),
        );
        Ok(())
    });
    Ok(())
}

/// The member at one of some addresses, among all that were asked.
fn remote<'a>(facts: &'a Facts, hosts: &str, port: &str) -> Option<(&'a Member, &'a Node)> {
    let is_remote = |other: &&Member| {
        let address = facts.patroni[other.file].config.connect_address().map(|a| a.value);
        address.is_some_and(|(host, own)| own.to_string() == port && hosts.split(',').any(|h| h.trim() == host))
    };
    facts.members().find(is_remote).and_then(|other| Some((other, facts.node_of(other)?)))
}

/// A number of bytes for people.
fn size(bytes: u64) -> String {
    match bytes {
        n if n >= 1 << 30 => format!("{} GB", n >> 30),
        n if n >= 1 << 20 => format!("{} MB", n >> 20),
        n => format!("{} kB", n >> 10),
    }
}
