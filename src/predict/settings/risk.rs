//! What is dangerous about the changes of a setting.

use super::wants::Patroni;
use super::{By, Risk, Setting, State, Value};
use crate::facts::gap::Fact;
use crate::facts::running::primary_of;
use crate::facts::settings::loses;
use crate::facts::{Facts, Member};
use crate::parse::patroni::parse_int;
use crate::parse::standby_names::{StandbyNames, parse_standby_names};
use crate::predict::role_of;
use crate::predict::slots::{self, Fate};

/// Settings that a standby may not have less of than its primary (`CheckRequiredParameterValues` in `xlogrecovery.c`).
const NOT_BELOW: [&str; 5] = [
    "max_connections",
    "max_prepared_transactions",
    "max_locks_per_transaction",
    "max_worker_processes",
    "max_wal_senders",
];

/// The dangers, worst first.
pub(super) fn of(facts: &Facts, patroni: &Patroni<'_>, is_standby: bool, setting: &Setting) -> Vec<Risk> {
    let mut risks = Vec::new();
    if does_not_start(facts, patroni.member, is_standby, setting) {
        risks.push(Risk::DoesNotStart);
    }
    if !is_standby && hangs(facts, patroni.member, setting) {
        risks.push(Risk::HangsCommits);
    }
    if is_standby && is_below(facts, patroni.member, setting) {
        risks.push(Risk::StandbyBelowPrimary);
    }
    if is_lost(setting) {
        risks.push(Risk::Lost);
    }
    if setting.attached.as_ref().is_ok_and(|state| state.pending) {
        risks.push(Risk::NeedsRestart);
    }
    risks
}

fn value(state: &Fact<State>) -> Option<&str> {
    match &state.as_ref().ok()?.value {
        Value::Is(value) => Some(value),
        Value::Computed | Value::Hidden => None,
    }
}

fn number(state: &Fact<State>) -> Option<i64> {
    value(state)?.parse().ok()
}

/// What somebody has set and will not have any more.
fn is_lost(setting: &Setting) -> bool {
    let Ok(now) = &setting.now else { return false };
    let is_set = matches!(now.by, By::OldFiles | By::AutoConf | By::CommandLine | By::CustomConf | By::Environment);
    let (Some(today), true) = (value(&setting.now), is_set) else { return false };
    let later = [&setting.attached, &setting.restarted, &setting.started];
    let replaced = |state: &Fact<State>| {
        let by_patroni = state.as_ref().is_ok_and(|s| matches!(s.by, By::PatroniDefault | By::Patroni | By::Server));
        by_patroni && value(state).is_some_and(|later| later != today && loses(&setting.name, today, later))
    };
    later.into_iter().any(replaced) && !is_of_its_place(&setting.name)
}

/// Settings that say where a server is and whom it follows: that they change is what a take-over is.
fn is_of_its_place(name: &str) -> bool {
    const NAMES: [&str; 12] = [
        "cluster_name",
        "config_file",
        "hba_file",
        "ident_file",
        "listen_addresses",
        "port",
        "primary_conninfo",
        "primary_slot_name",
        "recovery_target_timeline",
        "shared_memory_size",
        "shared_memory_size_in_huge_pages",
        "wal_buffers",
    ];
    NAMES.contains(&name)
}

/// A restart that ends before the server is up.
fn does_not_start(facts: &Facts, member: &Member, is_standby: bool, setting: &Setting) -> bool {
    let later = [&setting.restarted, &setting.started];
    let is_less = |than: usize| {
        later.iter().any(|state| number(state).is_some_and(|n| usize::try_from(n).is_ok_and(|n| n < than)))
    };
    // Those that are there when the server starts: one that is in use is dropped behind that only.
    let there = || {
        let slots = slots::of_member(facts, member).unwrap_or_default();
        slots.into_iter().filter(|slot| {
            slot.active == Some(true) || !matches!(slot.fate, Fate::Dropped | Fate::NotMade | Fate::Wanted)
        })
    };
    match &*setting.name {
        "wal_level" if !is_standby => {
            let is_lower = later.iter().any(|state| value(state).is_some_and(|level| level != "logical"));
            is_lower && there().any(|slot| slot.logical.is_some())
        }
        "max_replication_slots" => is_less(there().count()),
        "max_prepared_transactions" => {
            let prepared = facts.node_of(member).and_then(|node| node.rows("prepared_transactions").ok());
            is_less(prepared.map_or(0, <[_]>::len))
        }
        _ => false,
    }
}

/// Commits that wait for a name under which no member streams.
fn hangs(facts: &Facts, member: &Member, setting: &Setting) -> bool {
    if setting.name != "synchronous_standby_names" {
        return false;
    }
    let names: Vec<&str> = facts
        .cluster_of(member.file)
        .map_or(&[][..], |cluster| &cluster.members)
        .iter()
        .filter(|m| m.file != member.file)
        .map(|m| m.name.as_str())
        .collect();
    let waits = |text: &str| match parse_standby_names(text) {
        Ok(Some(wanted)) => !is_met(&wanted, &names),
        _ => false,
    };
    [&setting.attached, &setting.restarted].into_iter().any(|state| value(state).is_some_and(waits))
}

fn is_met(wanted: &StandbyNames, members: &[&str]) -> bool {
    let there = |name: &String| members.iter().any(|member| member.eq_ignore_ascii_case(name));
    let any = wanted.names.iter().any(|name| name == "*");
    let count = if any { members.len() } else { wanted.names.iter().filter(|name| there(name)).count() };
    count >= wanted.count
}

/// Less than the primary has, or will have behind its own restart: a standby goes on with what it had when Patroni found it.
fn is_below(facts: &Facts, member: &Member, setting: &Setting) -> bool {
    if !NOT_BELOW.contains(&&*setting.name) {
        return false;
    }
    let row = primary_of(facts, member).and_then(|(_, node)| node.setting(&setting.name).ok().flatten());
    let today = row.and_then(|row| row.number("setting"));
    let most = today.max(wanted_of_primary(facts, member, &setting.name));
    number(&setting.restarted).zip(most).is_some_and(|(own, most)| own < most)
}

/// What Patroni will start the primary with.
fn wanted_of_primary(facts: &Facts, member: &Member, name: &str) -> Option<i64> {
    let members = &facts.cluster_of(member.file)?.members;
    let primary = members.iter().find(|m| m.file != member.file && !role_of(facts, m).is_standby())?;
    let parameters = Patroni::of(facts, primary).ok()?.parameters();
    parse_int(&parameters.get(name)?.as_ref().ok()?.text, None)
}
