//! Limits that are too low for the members, the permanent slots and the consumers that there are.

use std::collections::BTreeSet;

use crate::facts::enforced::enforced;
use crate::facts::gap::Gap;
use crate::facts::nodes::{Node, Row};
use crate::facts::slot_fate::{Wanted, permanent};
use crate::facts::{Cluster, Facts, Member, PatroniFile};
use crate::knowledge::patroni::{command_line_setting, slot_name};
use crate::parse::patroni::Item;
use crate::rules::report::Report;

/// `max_replication_slots` against one slot for each other member, the permanent ones, and what else is on disk and stays.
pub(in crate::rules::native) fn slots(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    compare("max_replication_slots", facts, report, |cluster, member, report| {
        let file = &facts.patroni[member.file];
        let (members, permanent) = consumers(facts, cluster, file);
        let members = if file.uses_slots() { members } else { 0 };
        let more = facts.node_of(member).map_or(0, |node| further_slots(facts, member, node, report));
        (
            members + permanent + more,
            words(&[(members, "other member"), (permanent, "permanent slot"), (more, "further slot")]),
        )
    });
    Ok(())
}

/// Slots on disk that are neither of members nor declared, and that Patroni does not drop: it leaves them alone, or somebody reads.
fn further_slots(facts: &Facts, member: &Member, node: &Node, report: &mut Report) -> usize {
    let Some(rows) = report.known(node.rows("slots")) else { return 0 };
    let Some(wanted) = report.known(Wanted::of(facts, member, node)) else { return 0 };
    let name = |row: &Row| row.get("slot_name").unwrap_or_default().to_owned();
    let is_counted = |row: &Row| wanted.is_of_member(&name(row)) || wanted.declared(&name(row)).is_some();
    let stays = |row: &Row| !row.is("temporary") && (row.is("active") || wanted.stays(row));
    rows.iter().filter(|row| stays(row) && !is_counted(row)).count()
}

/// `max_wal_senders` against one connection for each other member and each permanent slot, and what else streams today; a member that is
/// cloned needs two, one for the files and one for the WAL meanwhile.
pub(in crate::rules::native) fn senders(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    compare("max_wal_senders", facts, report, |cluster, member, report| {
        let (members, permanent) = consumers(facts, cluster, &facts.patroni[member.file]);
        let more = facts.node_of(member).map_or(0, |node| further_consumers(facts, cluster, member, node, report));
        let said = words(&[(members, "other member"), (permanent, "permanent slot"), (more, "further consumer")]);
        match members {
            0 => (permanent + more, said),
            _ => (members + permanent + more + 1, format!("{said}, and one more while a member is cloned,")),
        }
    });
    Ok(())
}

/// Who streams today without being a member, through no slot that is declared.
fn further_consumers(facts: &Facts, cluster: &Cluster, member: &Member, node: &Node, report: &mut Report) -> usize {
    let Some(rows) = report.known(node.rows("standbys")) else { return 0 };
    let declared: BTreeSet<&str> = permanent(&facts.patroni[member.file]).map(|(name, _)| name).collect();
    let address = |m: &Member| facts.patroni[m.file].config.connect_address().map(|a| a.value.0);
    let addresses: BTreeSet<String> = cluster.members.iter().filter_map(address).collect();
    let is_other = |row: &&Row| {
        !row.get("client_addr").is_some_and(|a| addresses.contains(a))
            && !row.get("slot_name").is_some_and(|slot| declared.contains(slot))
            && row.get("state") != Some("backup")
    };
    rows.iter().filter(is_other).count()
}

/// How many other members stream, and how many permanent slots there are that belong to none of them.
fn consumers(facts: &Facts, cluster: &Cluster, own: &PatroniFile) -> (usize, usize) {
    let others = cluster.members.iter().map(|m| &facts.patroni[m.file]).filter(|f| !std::ptr::eq(*f, own));
    let streaming = others.filter(|f| f.config.get("tags.nostream").and_then(Item::as_bool) != Some(true));
    let names: BTreeSet<String> = streaming.filter_map(|f| f.config.name()).map(|n| slot_name(n.value)).collect();
    (names.len(), permanent(own).filter(|(name, _)| !names.contains(*name)).count())
}

fn words(counts: &[(usize, &str)]) -> String {
    let count = |(n, what): &(usize, &str)| format!("{n} {what}{}", if *n == 1 { "" } else { "s" });
    let said: Vec<String> = counts.iter().filter(|(n, _)| *n > 0).map(count).collect();
    match &said[..] {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        all => all.concat(),
    }
}

/// Reports each file that sets the limit too low, and of a cluster the first one that leaves it to a default which is too low.
fn compare(
    name: &'static str,
    facts: &Facts,
    report: &mut Report,
    needed: impl Fn(&Cluster, &Member, &mut Report) -> (usize, String),
) {
    let Some(setting) = command_line_setting(name, facts.patroni_version) else { return };
    for cluster in facts.clusters() {
        let mut default_said = false;
        for member in &cluster.members {
            let file = &facts.patroni[member.file];
            let Some(used) = enforced(file, setting) else { continue };
            let (needed, consumers) = needed(cluster, member, report);
            let too_low = used.value.parse::<usize>().is_ok_and(|limit| limit < needed);
            if !too_low || (used.at.is_none() && std::mem::replace(&mut default_said, true)) {
                continue;
            }
            let at = used.at.unwrap_or_else(|| file.place_of("bootstrap.dcs.postgresql.parameters"));
            report.add(
                report
                    .problem(at)
                    .arg("value", used.value)
                    .arg("origin", if used.at.is_some() { "" } else { ", Patroni's default" })
                    .arg("needed", needed.to_string())
                    .arg("consumers", consumers),
            );
        }
    }
}
