//! A standby of a standby that Patroni will let follow the leader (`ha.py:Ha._get_node_to_follow`).

use crate::facts::gap::Gap;
use crate::facts::{Cluster, Facts, Member};
use crate::parse::conf::Located;
use crate::parse::conninfo::parse_conninfo;
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for cluster in &facts.clusters {
        for member in &cluster.members {
            if !facts.patroni[member.file].is_absent("tags.replicatefrom") {
                continue;
            }
            let Some((line, source)) = follows(facts, cluster, member) else { continue };
            // Leftovers of earlier roles stay in postgresql.auto.conf: the source is a standby for certain only when it follows
            // a member that follows none.
            let Some((_, top)) = follows(facts, cluster, source) else { continue };
            let decided = |conf: &usize| facts.confs[*conf].conf.is_decided("primary_conninfo");
            if !top.conf.as_ref().is_ok_and(decided) || primary_conninfo(facts, top).is_some() {
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

fn primary_conninfo<'a>(facts: &'a Facts, member: &Member) -> Option<&'a Located> {
    let conf = &facts.confs[*member.conf.as_ref().ok()?].conf;
    conf.effective("primary_conninfo").filter(|l| !l.set.value.value.is_empty())
}

/// The member that another one streams from today, and the line that says so.
fn follows<'a>(facts: &'a Facts, cluster: &'a Cluster, member: &Member) -> Option<(&'a Located, &'a Member)> {
    let line = primary_conninfo(facts, member)?;
    let parts = parse_conninfo(&line.set.value.value);
    let value = |key: &str| parts.iter().rev().find(|(k, _)| k.text == key).map(|(_, v)| v.text.as_str());
    let host = value("hostaddr").or_else(|| value("host"))?;
    let port: i64 = value("port").map_or(Some(5432), |p| p.parse().ok())?;
    let mut others = cluster.members.iter().filter(|m| m.file != member.file);
    let source = others.find(|m| {
        let address = facts.patroni[m.file].config.connect_address();
        address.is_some_and(|a| a.value.1 == port && a.value.0.eq_ignore_ascii_case(host))
    });
    source.map(|s| (line, s))
}
