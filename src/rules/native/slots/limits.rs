//! Limits that are too low for the members and the permanent slots that the files name.

use std::collections::BTreeSet;

use super::permanent;
use crate::facts::enforced::enforced;
use crate::facts::gap::Gap;
use crate::facts::{Cluster, Facts, PatroniFile};
use crate::knowledge::patroni::{command_line_setting, slot_name};
use crate::parse::patroni::Item;
use crate::rules::report::Report;

/// `max_replication_slots` against one slot for each other member and the permanent ones.
pub(in crate::rules::native) fn slots(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    compare("max_replication_slots", facts, report, |cluster, file| {
        let (members, more) = consumers(facts, cluster, file);
        let members = if file.uses_slots() { members } else { 0 };
        (members + more, words(members, more))
    });
    Ok(())
}

/// `max_wal_senders` against one connection for each other member and each permanent slot; a member that is cloned needs
/// two, one for the files and one for the WAL meanwhile.
pub(in crate::rules::native) fn senders(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    compare("max_wal_senders", facts, report, |cluster, file| match consumers(facts, cluster, file) {
        (0, more) => (more, words(0, more)),
        (members, more) => {
            (members + more + 1, format!("{}, and one more while a member is cloned,", words(members, more)))
        }
    });
    Ok(())
}

/// How many other members stream, and how many permanent slots there are that belong to none of them.
fn consumers(facts: &Facts, cluster: &Cluster, own: &PatroniFile) -> (usize, usize) {
    let others = cluster.members.iter().map(|m| &facts.patroni[m.file]).filter(|f| !std::ptr::eq(*f, own));
    let streaming = others.filter(|f| f.config.get("tags.nostream").and_then(Item::as_bool) != Some(true));
    let names: BTreeSet<String> = streaming.filter_map(|f| f.config.name()).map(|n| slot_name(n.value)).collect();
    (names.len(), permanent(own).filter(|(name, _)| !names.contains(*name)).count())
}

fn words(members: usize, more: usize) -> String {
    let count = |(n, what): (usize, &str)| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let both = [(members, "other member"), (more, "permanent slot")];
    both.into_iter().filter(|(n, _)| *n > 0).map(count).collect::<Vec<_>>().join(" and ")
}

/// Reports each file that sets the limit too low, and of a cluster the first one that leaves it to a default which is too low.
fn compare(
    name: &'static str,
    facts: &Facts,
    report: &mut Report,
    needed: impl Fn(&Cluster, &PatroniFile) -> (usize, String),
) {
    let Some(setting) = command_line_setting(name, facts.patroni_version) else { return };
    for cluster in facts.clusters() {
        let mut default_said = false;
        for member in &cluster.members {
            let file = &facts.patroni[member.file];
            let Some(used) = enforced(file, setting) else { continue };
            let (needed, consumers) = needed(cluster, file);
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
