//! Permanent slots without a limit for the WAL that they hold back.

use crate::facts::gap::Gap;
use crate::facts::slot_fate::permanent;
use crate::facts::take_over::later;
use crate::facts::{Cluster, Facts};
use crate::parse::patroni::parse_int;
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for cluster in facts.clusters() {
        look(facts, cluster, report);
    }
    Ok(())
}

/// The members of a cluster have the same slots: one finding is enough.
fn look(facts: &Facts, cluster: &Cluster, report: &mut Report) {
    for member in &cluster.members {
        let file = &facts.patroni[member.file];
        let Some((name, slot)) = permanent(file).next() else { continue };
        let Some(limit) = report.known(later(facts, member, "max_slot_wal_keep_size")) else { continue };
        // Without a limit it is -1.
        if limit.as_ref().is_some_and(|l| parse_int(&l.value, Some("MB")).is_none_or(|n| n >= 0)) {
            continue;
        }
        let mut problem = report.problem(slot.key_or_value()).arg("slot", name);
        if let Some(at) = limit.and_then(|l| l.at) {
            problem = problem.label(at, "no limit");
        }
        return report.add(problem);
    }
}
