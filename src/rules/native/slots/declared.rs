//! Declared slots against the server that is to have them.

use std::collections::BTreeSet;

use crate::facts::enforced::enforced;
use crate::facts::gap::{Gap, GapReason};
use crate::facts::kept::kept;
use crate::facts::running::{bytes, is_auto, speaker_of};
use crate::facts::settings::equal;
use crate::facts::slot_fate::{Wanted, is_logical, permanent};
use crate::facts::{Facts, LiveMember, Member, PatroniFile};
use crate::knowledge::patroni::{command_line_setting, slot_name};
use crate::parse::patroni::Item;
use crate::parse::standby_names::parse_standby_names;
use crate::rules::report::Report;
use crate::source::Span;

/// A member that runs, its file, and the logical slots that are declared for it.
type Logical<'a> = (LiveMember<'a>, &'a Member, &'a PatroniFile, Vec<(&'a str, &'a Item)>);

/// Each member that runs with its declared logical slots, where it has some.
fn with_logical<'a>(facts: &'a Facts, report: &mut Report) -> Vec<Logical<'a>> {
    let mut all = Vec::new();
    for live in facts.live() {
        let Some(member) = report.known(live.member()) else { continue };
        let file = &facts.patroni[member.file];
        let slots: Vec<(&str, &Item)> = permanent(file).filter(|(_, slot)| is_logical(slot)).collect();
        if !slots.is_empty() {
            all.push((live, member, file, slots));
        }
    }
    all
}

/// `slots-logical-database-missing`
pub(in crate::rules::native) fn database_missing(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    let mut said: BTreeSet<Span> = BTreeSet::new();
    for (_, member, _, slots) in with_logical(facts, report) {
        let Some(node) = speaker_of(facts, member) else { continue };
        let Some(rows) = report.known(node.rows("databases")) else { continue };
        for (name, slot) in slots {
            let Some(database) = slot.get("database") else { continue };
            let Some(wanted) = database.as_str() else { continue };
            let found = rows.iter().find(|row| row.get("datname") == Some(wanted));
            if found.is_some_and(|row| row.is("datallowconn")) || !said.insert(database.span) {
                continue;
            }
            let fault = if found.is_some() { "takes no connections" } else { "does not exist" };
            let mut problem =
                report.problem(database.span).arg("slot", name).arg("database", wanted).arg("fault", fault);
            problem = match found {
                Some(row) => problem.label(row.at, "it takes no connections"),
                None => problem.node(&member.name),
            };
            report.add(problem);
        }
    }
    Ok(())
}

/// `slots-logical-wal-level`: Patroni will start the server with enough, and until then the slot cannot be made.
pub(in crate::rules::native) fn wal_level(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    let Some(setting) = command_line_setting("wal_level", facts.patroni_version) else { return Ok(()) };
    for (live, member, file, slots) in with_logical(facts, report) {
        let Some(is_standby) = report.known(live.node.is_standby()) else { continue };
        let Some(Some(row)) = report.known(live.node.setting("wal_level")) else { continue };
        let Some(used) = enforced(file, setting) else { continue };
        let is_enough = row.get("setting") == Some("logical");
        // Too little in the dynamic configuration is the matter of another rule.
        let is_wanted = equal("wal_level", &used.value, "logical") || !file.is_absent("citus");
        if is_standby || is_enough || !is_wanted {
            continue;
        }
        let Some((name, slot)) = slots.first() else { continue };
        let mut problem = report
            .problem(row.at)
            .node(&member.name)
            .arg("member", &*member.name)
            .arg("scope", file.config.scope().map(|s| s.value).unwrap_or_default())
            .arg("slot", *name)
            .arg("value", row.get("setting").unwrap_or_default())
            .label(slot.key_or_value(), "declared here");
        if let Some(at) = used.at {
            problem = problem.label(at, "counts from the next restart on");
        }
        report.add(problem);
    }
    Ok(())
}

/// `logical-slots-need-hsf`: a standby whose `hot_standby_feedback` stays off whatever Patroni writes.
pub(in crate::rules::native) fn feedback(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for (live, member, _, slots) in with_logical(facts, report) {
        let Some(row) = report.known(live.node.setting("hot_standby_feedback")) else { continue };
        let Some(row) = row.filter(|row| row.get("setting") == Some("off") && is_auto(row)) else { continue };
        let Some((name, slot)) = slots.first() else { continue };
        report.add(
            report
                .problem(row.at)
                .node(&member.name)
                .arg("member", &*member.name)
                .arg("slot", *name)
                .label(slot.key_or_value(), "this slot is to outlive a failover"),
        );
    }
    Ok(())
}

/// `permanent-slot-left-after-conversion`: nobody reads from a declared slot, and the members have slots of their own.
pub(in crate::rules::native) fn left(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for live in facts.live() {
        let Some(member) = report.known(live.member()) else { continue };
        let file = &facts.patroni[member.file];
        if permanent(file).next().is_none() {
            continue;
        }
        let Some(kept) = report.known(kept(facts, member, live.node)) else { continue };
        let Some(rows) = report.known(live.node.rows("slots")) else { continue };
        if kept.leader() != Some(&*member.name) {
            continue;
        }
        let others: BTreeSet<String> =
            kept.members().keys().filter(|name| **name != member.name).map(|name| slot_name(name)).collect();
        let place = |name: &str| {
            let row = rows.iter().find(|row| row.get("slot_name") == Some(name) && row.is("active"))?;
            bytes(row.get("restart_lsn")?)
        };
        let Some(places) = others.iter().map(|name| place(name)).collect::<Option<Vec<u64>>>() else { continue };
        for row in rows {
            let (Some(name), Some(at)) = (row.get("slot_name"), row.get("restart_lsn").and_then(bytes)) else {
                continue;
            };
            let Some((_, slot)) = permanent(file).find(|(declared, slot)| *declared == name && !is_logical(slot))
            else {
                continue;
            };
            // Members that have come this far need the old slot no more.
            if row.is("active") || others.contains(name) || places.is_empty() || places.iter().any(|p| *p < at) {
                continue;
            }
            report.add(
                report
                    .problem(slot.key_or_value())
                    .node(&member.name)
                    .arg("member", &*member.name)
                    .arg("slot", name)
                    .label(row.at, "nobody reads from it"),
            );
        }
    }
    Ok(())
}

/// `slot-without-restart-lsn`: on a standby Patroni cannot advance it, and makes it anew (`slots.py:SlotsHandler._ensure_physical_slots`).
pub(in crate::rules::native) fn without_lsn(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for live in facts.live() {
        let Some(member) = report.known(live.member()) else { continue };
        let Some(is_standby) = report.known(live.node.is_standby()) else { continue };
        let Some(rows) = report.known(live.node.rows("slots")) else { continue };
        let is_empty = |row: &&crate::facts::nodes::Row| {
            row.get("slot_type") == Some("physical")
                && row.get("restart_lsn").is_none()
                && row.get("xmin").is_none()
                && !row.is("temporary")
        };
        let empty: Vec<_> = rows.iter().filter(is_empty).collect();
        // Where its consumer is expected, on the leader, Patroni leaves it as it is.
        if !is_standby || empty.is_empty() {
            continue;
        }
        let Some(wanted) = report.known(Wanted::of(facts, member, live.node)) else { continue };
        for row in empty {
            let name = row.get("slot_name").unwrap_or_default();
            let declared = wanted.declared(name);
            if declared.is_none() && !wanted.is_of_member(name) {
                continue;
            }
            let mut problem = report.problem(row.at).node(&member.name).arg("member", &*member.name).arg("slot", name);
            if let Some(item) = declared {
                problem = problem.label(item.key_or_value(), "declared here");
            }
            report.add(problem);
        }
    }
    Ok(())
}

/// `failover-slots-pg17`: slots that PostgreSQL itself keeps on standbys, and what Patroni does beside that.
pub(in crate::rules::native) fn failover(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for live in facts.live() {
        let Some(member) = report.known(live.member()) else { continue };
        if live.node.version.is_some_and(|version| version < 170_000) {
            continue;
        }
        let Some(rows) = report.known(live.node.rows("slots")) else { continue };
        let own: Vec<_> = rows.iter().filter(|row| row.is("failover")).collect();
        if own.is_empty() {
            continue;
        }
        let file = &facts.patroni[member.file];
        let Some(wanted) = report.known(Wanted::of(facts, member, live.node)) else { continue };
        for row in &own {
            let name = row.get("slot_name").unwrap_or_default();
            if let Some(item) = permanent(file).find(|(declared, _)| *declared == name).map(|(_, item)| item) {
                let problem = report.problem(item.key_or_value()).node(&member.name);
                report.add(problem.arg("problem", format!("slot `{name}` of {} is kept on standbys by PostgreSQL, and Patroni is told to keep it too", member.name)).label(row.at, "`failover` is on"));
            }
        }
        let Some(setting) = report.known(live.node.setting("synchronized_standby_slots")) else { continue };
        let Some(setting) = setting else { continue };
        let listed = match parse_standby_names(setting.get("setting").unwrap_or_default()) {
            Ok(Some(list)) => list.names,
            Ok(None) => continue,
            Err(_) => {
                let gap = Gap::new("`synchronized_standby_slots`", GapReason::Unreadable).on(&member.name);
                report.known::<()>(Err(gap));
                continue;
            }
        };
        for slot in listed.iter().filter(|slot| !wanted.is_of_member(slot) && wanted.declared(slot).is_none()) {
            let problem = report.problem(setting.at).node(&member.name);
            let said = format!(
                "logical slots of {} wait for slot `{slot}`, which Patroni drops as soon as its standby has a slot of its own",
                member.name
            );
            report.add(problem.arg("problem", said));
        }
    }
    Ok(())
}
