//! `replicatefrom` that leads nowhere or in a circle (`ha.py:Ha._get_node_to_follow`,
//! `dcs/__init__.py:Cluster.get_slot_name_on_primary`).

use std::collections::BTreeMap;

use super::nofailover;
use crate::facts::gap::{Gap, GapReason};
use crate::facts::{Cluster, Facts};
use crate::parse::patroni::Item;
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for cluster in facts.clusters() {
        let sources = sources(facts, cluster);
        let all_named = cluster.members.iter().all(|m| facts.patroni[m.file].config.name().is_some());
        for (member, (item, from)) in &sources {
            let known = cluster.members.iter().any(|m| m.name == *from);
            if from == member {
                continue;
            }
            let effect = if known {
                let Some(circle) = circle(&sources, member) else { continue };
                // Said once, at the first of them.
                if circle.iter().min() != Some(member) {
                    continue;
                }
                // Its tag does not count for the leader: a circle around it is fed.
                let mut others = cluster.members.iter().filter(|m| !circle.contains(&m.name.as_str()));
                if !others.any(|m| nofailover(&facts.patroni[m.file]) != Some(true)) {
                    if cluster.is_open || !all_named {
                        let what = format!("whether a member outside of the circle of {member} may lead");
                        report.known::<()>(Err(Gap::new(what, GapReason::NotGiven)));
                    }
                    continue;
                }
                let way = circle.join(" → ");
                format!("a member that in turn follows it ({way}); none of them is fed while another member leads")
            } else if cluster.members.len() > 1 && all_named && !cluster.is_open {
                let names: Vec<&str> = cluster.members.iter().map(|m| m.name.as_str()).collect();
                format!("none of the members here ({}); it follows the leader as without the tag", names.join(", "))
            } else {
                // Nobody has handed it over, or a template decides which file it is.
                let what = format!("the configuration of `{from}`, which {member} replicates from,");
                report.known::<()>(Err(Gap::new(what, GapReason::NotGiven)));
                continue;
            };
            report.add(report.problem(item.span).arg("member", *member).arg("from", *from).arg("effect", effect));
        }
    }
    Ok(())
}

/// `tag-replicatefrom-itself`
pub(in crate::rules::native) fn itself(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for cluster in facts.clusters() {
        for (member, (item, from)) in sources(facts, cluster) {
            if from == member {
                report.add(report.problem(item.span).arg("member", member));
            }
        }
    }
    Ok(())
}

/// Each member with the tag, and whom it names.
fn sources<'a>(facts: &'a Facts, cluster: &'a Cluster) -> BTreeMap<&'a str, (&'a Item, &'a str)> {
    let of = |member: &'a crate::facts::Member| {
        let item = facts.patroni[member.file].config.get("tags.replicatefrom")?;
        Some((member.name.as_str(), (item, item.as_str().filter(|t| !t.is_empty())?)))
    };
    cluster.members.iter().filter_map(of).collect()
}

/// The circle that a member stands in, itself at both ends.
fn circle<'a>(sources: &BTreeMap<&'a str, (&'a Item, &'a str)>, start: &'a str) -> Option<Vec<&'a str>> {
    let mut way = vec![start];
    let mut here = start;
    while let Some((_, next)) = sources.get(here) {
        way.push(next);
        if *next == start {
            return Some(way);
        }
        if way.len() > sources.len() {
            return None;
        }
        here = next;
    }
    None
}
