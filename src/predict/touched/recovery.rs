//! Settings of recovery: what Patroni takes out of `postgresql.auto.conf`, and what makes it change a standby.

use super::Plan;
use crate::facts::clamp::{is_recovery, recovery_settings};
use crate::facts::connections::login;
use crate::facts::gap::{Fact, Gap, GapReason};
use crate::facts::nodes::{Node, Row};
use crate::facts::running::{is_auto, primary_of};
use crate::facts::{Facts, Member};
use crate::knowledge::patroni::slot_name;
use crate::parse::conninfo::parse_conninfo;
use crate::parse::patroni::{Item, parse_int};

/// What Patroni does not compare (`ConfigHandler._recovery_parameters_to_compare`).
const NOT_COMPARED: [&str; 5] =
    ["pause_at_recovery_target", "recovery_target_inclusive", "recovery_target_action", "standby_mode", "trigger_file"];

/// What an included file may say without Patroni's minding (`ConfigHandler.check_recovery_conf`).
const FROM_INCLUDED: [&str; 5] = [
    "archive_cleanup_command",
    "promote_trigger_file",
    "recovery_end_command",
    "recovery_min_apply_delay",
    "restore_command",
];

/// The settings of recovery in `postgresql.auto.conf`, each once.
pub(super) fn in_auto_conf(facts: &Facts, member: &Member) -> Fact<Vec<String>> {
    let mut found = Vec::new();
    let mut add = |name: &str| {
        if is_recovery(name) && !found.iter().any(|known| known == name) {
            found.push(name.to_owned());
        }
    };
    let rows = facts.node_of(member).and_then(|node| node.rows("settings").ok()).unwrap_or_default();
    rows.iter().filter(|row| is_auto(row)).filter_map(|row| row.get("name")).for_each(&mut add);
    match &member.conf {
        Ok(conf) => {
            let conf = &facts.confs[*conf];
            for located in conf.conf.assignments() {
                if facts.sources.get(located.set.span.source).name().ends_with(".auto.conf") {
                    add(&located.set.name.value);
                }
            }
            if let (true, Some(gap)) = (found.is_empty() && rows.is_empty(), conf.unread()) {
                return Err(gap.clone());
            }
        }
        Err(gap) if rows.is_empty() => return Err(gap.clone()),
        Err(_) => {}
    }
    Ok(found)
}

/// What Patroni has to change of a standby that it finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// Its files are written and read again; why.
    Reload(String),
    /// It is restarted; why.
    Restart(String),
}

/// `ConfigHandler.check_recovery_conf`
///
/// # Errors
/// When the server was not asked; or when all that is known of it is as Patroni wants it, which is not all that counts.
pub(super) fn change(plan: &Plan<'_>) -> Fact<Change> {
    let node =
        plan.node.ok_or_else(|| Gap::new("how the standby streams now", GapReason::NotGiven).on(&plan.member.name))?;
    let signal = format!("{}/standby.signal", plan.paths.data);
    if plan.exists(&signal) == Ok(false) {
        return Ok(Change::Restart("there is no standby.signal".to_owned()));
    }
    let mut reload = None;
    for name in recovery_settings().filter(|name| !NOT_COMPARED.contains(name)) {
        let Some(row) = node.setting(name)? else { continue };
        let Some(why) = difference(plan, node, name, row) else { continue };
        if row.get("context") == Some("postmaster") {
            return Ok(Change::Restart(why));
        }
        reload.get_or_insert(why);
    }
    match reload {
        Some(why) => Ok(Change::Reload(why)),
        None if plan.file.version < super::LOOKS_FIRST => Ok(Change::Reload("Patroni always does at first".to_owned())),
        None => match conninfo(plan, node)? {
            Some(why) => Ok(Change::Reload(why)),
            None => {
                Err(Gap::new("whether the standby connects in every detail as Patroni wants it", GapReason::NotGiven)
                    .on(&plan.member.name))
            }
        },
    }
}

/// In what a setting is not as Patroni wants it; the connection itself left out.
fn difference(plan: &Plan<'_>, node: &Node, name: &str, row: &Row) -> Option<String> {
    let now = row.get("setting").unwrap_or_default();
    let own = recovery_conf(plan, name);
    if FROM_INCLUDED.contains(&name) && own.is_none() {
        let place = row.get("sourcefile");
        let auto = format!("{}/postgresql.auto.conf", plan.paths.data);
        if !place.is_some_and(|place| place == plan.paths.conf || place == auto) {
            return None;
        }
    }
    match name {
        "primary_conninfo" => None,
        "primary_slot_name" => {
            let received = node.row("wal_receiver").ok().flatten();
            let now = received.map_or(now, |row| row.get("slot_name").unwrap_or_default());
            let wanted = if plan.file.uses_slots() { slot_name(&plan.member.name) } else { String::new() };
            (now != wanted && !is_without_stream(plan))
                .then(|| format!("it streams by slot `{now}`, and is to by `{wanted}`"))
        }
        "recovery_min_apply_delay" => {
            let wanted = own.and_then(|text| parse_int(&text, Some("ms"))).unwrap_or(0);
            (now.parse() != Ok(wanted)).then(|| format!("`{name}` is {now} ms"))
        }
        "recovery_target_timeline" => (now != "latest").then(|| format!("`{name}` is `{now}`")),
        _ if name.starts_with("recovery_target") => (!now.is_empty()).then(|| format!("`{name}` is set")),
        _ => (now != own.unwrap_or_default()).then(|| format!("`{name}` is not what Patroni has for it")),
    }
}

/// `postgresql.recovery_conf`, in whose place settings of recovery among the parameters count (`ConfigHandler._adjust_recovery_parameters`).
fn recovery_conf(plan: &Plan<'_>, name: &str) -> Option<String> {
    let file = plan.file;
    let in_parameters = recovery_settings().any(|name| file.written_parameter(name).is_some());
    let item = if in_parameters {
        file.written_parameter(name)
    } else {
        file.postgresql("recovery_conf").and_then(|section| section.get(name))
    };
    item.and_then(Item::as_setting)
}

fn is_without_stream(plan: &Plan<'_>) -> bool {
    plan.file.config.get("tags.nostream").and_then(Item::as_bool) == Some(true)
}

/// In what the connection is not the one that Patroni wants (`ConfigHandler._check_primary_conninfo`); `None` when what is looked at is.
fn conninfo(plan: &Plan<'_>, node: &Node) -> Fact<Option<String>> {
    let received = node.row("wal_receiver")?.and_then(|row| row.get("conninfo"));
    let set = node.setting("primary_conninfo")?.and_then(|row| row.get("setting"));
    let Some(text) = received.or(set).filter(|text| !text.is_empty()) else {
        return Ok((!is_without_stream(plan)).then(|| "it streams from nobody".to_owned()));
    };
    let parts = parse_conninfo(text);
    let value = |key: &str| parts.iter().rev().find(|(k, _)| k.text == key).map(|(_, v)| v.text.as_str());
    if value("application_name") != Some(&*plan.member.name) {
        return Ok(Some(format!("its `application_name` is to be {}", plan.member.name)));
    }
    let user = login(plan.file, "replication").map(|login| login.user);
    if user.is_some() && value("user") != user.as_deref() {
        return Ok(Some("it is to stream as the role of Patroni's for replication".to_owned()));
    }
    let leader = primary_of(plan.facts, plan.member)
        .and_then(|(leader, _)| plan.facts.patroni[leader.file].config.connect_address());
    if let Some(address) = leader
        && (value("host") != Some(&*address.value.0)
            || value("port").and_then(|p| p.parse().ok()) != Some(address.value.1))
    {
        return Ok(Some(format!("it is to stream from {}:{}", address.value.0, address.value.1)));
    }
    Ok(None)
}
