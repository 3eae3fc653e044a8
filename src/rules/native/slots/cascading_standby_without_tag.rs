//! A standby of a standby that Patroni will let follow the leader (`ha.py:Ha._get_node_to_follow`).

use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::facts::streaming::{follows, follows_none};
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for cluster in facts.clusters() {
        for member in &cluster.members {
            if !facts.patroni[member.file].is_absent("tags.replicatefrom") {
                continue;
            }
            let Some((line, source)) = follows(facts, cluster, member) else { continue };
            // Leftovers of earlier roles stay in postgresql.auto.conf: the source is a standby for certain only when it follows
            // a member that follows none.
            let Some((_, top)) = follows(facts, cluster, source) else { continue };
            if !follows_none(facts, top) {
                continue;
            }
            report.add(
                report
                    .problem(line.set.span)
                    .arg("member", member.name.as_str())
                    .arg("source", source.name.as_str())
                    .arg("leader", top.name.as_str())
                    .label(facts.patroni[member.file].place_of("tags"), "no `replicatefrom` here"),
            );
        }
    }
    Ok(())
}
