//! `synchronous_standby_names` that no member answers to: under Patroni a standby's `application_name` is its member's name
//! (`postgresql/config.py:ConfigHandler.primary_conninfo_params`).

use std::collections::BTreeSet;

use crate::facts::gap::Gap;
use crate::facts::take_over::later;
use crate::facts::{Cluster, Facts};
use crate::parse::standby_names::parse_standby_names;
use crate::rules::report::Report;

const SETTING: &str = "synchronous_standby_names";

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    let mut said = BTreeSet::new();
    for cluster in facts.clusters().iter().filter(|c| c.members.len() > 1) {
        let Some(members) = names(facts, cluster) else { continue };
        for member in &cluster.members {
            let file = &facts.patroni[member.file];
            let auto = member.conf.as_ref().ok().and_then(|c| facts.confs[*c].conf.effective(SETTING));
            // Patroni manages it, and has rules of its own for the places where it does not count.
            if file.is_synchronous() && (auto.is_some_and(|l| l.auto) || file.written_parameter(SETTING).is_some()) {
                continue;
            }
            // Where no postgresql.conf was given, nothing is known to be set.
            let Ok(Some(used)) = later(facts, member, SETTING) else { continue };
            let (Some(at), Ok(Some(wanted))) = (used.at, parse_standby_names(&used.value)) else { continue };
            // The member itself is no standby of its own.
            let answering = members.iter().filter(|n| **n != member.name && wanted.holds(n)).count();
            let receiver = |n: &String| ["receivewal", "receivexlog", "barman"].iter().any(|w| n.contains(w));
            if answering >= wanted.count || wanted.names.iter().any(receiver) || !said.insert(at) {
                continue;
            }
            report.add(
                report
                    .problem(at)
                    .arg("value", used.value)
                    .arg("count", wanted.count.to_string())
                    .arg("answering", answering.to_string())
                    .arg("members", members.join(", ")),
            );
        }
    }
    Ok(())
}

/// The names of all members; `None` when one of them is not known.
fn names<'a>(facts: &'a Facts, cluster: &Cluster) -> Option<Vec<&'a str>> {
    cluster.members.iter().map(|m| facts.patroni[m.file].config.name().map(|n| n.value)).collect()
}
