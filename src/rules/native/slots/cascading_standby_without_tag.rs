//! A standby of a standby that Patroni will let follow the leader (`ha.py:Ha._get_node_to_follow`).

use crate::facts::gap::Gap;
use crate::facts::nodes::Row;
use crate::facts::running::primary_of;
use crate::facts::streaming::{follows, follows_none};
use crate::facts::{Cluster, Facts, Member};
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for cluster in facts.clusters() {
        for member in &cluster.members {
            if !facts.patroni[member.file].is_absent("tags.replicatefrom") {
                continue;
            }
            if let Some(node) = facts.node_of(member) {
                let Some(Some(row)) = report.known(node.row("wal_receiver")) else { continue };
                let Some(source) = streams_from(facts, cluster, member, row) else { continue };
                let Some(of_source) = facts.node_of(source) else { continue };
                let Some(is_standby) = report.known(of_source.is_standby()) else { continue };
                if is_standby {
                    let leader = primary_of(facts, member).map_or("the leader", |(leader, _)| leader.name.as_str());
                    let tags = facts.patroni[member.file].place_of("tags");
                    let problem = report.problem(row.at).node(&member.name).arg("member", member.name.as_str());
                    let problem = problem.arg("source", source.name.as_str()).arg("leader", leader);
                    report.add(problem.label(tags, "no `replicatefrom` here"));
                }
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

/// The member that another one receives WAL from.
fn streams_from<'a>(facts: &Facts, cluster: &'a Cluster, member: &Member, row: &Row) -> Option<&'a Member> {
    let (host, port) = (row.get("sender_host")?, row.number("sender_port")?);
    cluster.members.iter().filter(|other| other.file != member.file).find(|other| {
        let address = facts.patroni[other.file].config.connect_address();
        address.is_some_and(|a| a.value.1 == port && a.value.0.eq_ignore_ascii_case(host))
    })
}
