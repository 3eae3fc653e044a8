//! A cluster in which no member may become leader.

use super::nofailover;
use crate::facts::Facts;
use crate::facts::gap::{Gap, GapReason};
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for cluster in facts.clusters().iter().filter(|c| c.members.len() > 1) {
        let tagged: Vec<Option<bool>> = cluster.members.iter().map(|m| nofailover(&facts.patroni[m.file])).collect();
        if tagged.contains(&Some(false)) {
            continue;
        }
        let mut barred = Vec::new();
        for (member, tagged) in cluster.members.iter().zip(&tagged) {
            let tags = facts.patroni[member.file].config.get("tags");
            let item = tags.and_then(|t| t.get("nofailover").or_else(|| t.get("failover_priority")));
            if let Some(item) = item.filter(|_| tagged.is_some()) {
                barred.push((member.name.as_str(), item.key_or_value()));
            } else {
                let gap = Gap::new("`tags.nofailover`", GapReason::Unreadable).on(&member.name);
                report.known::<()>(Err(gap));
            }
        }
        if barred.len() < cluster.members.len() {
            continue;
        }
        let names: Vec<&str> = barred.iter().map(|(name, _)| *name).collect();
        let mut problem = report.problem(barred[0].1).arg("members", names.join(", "));
        for (_, at) in &barred[1..] {
            problem = problem.label(*at, "and here");
        }
        report.add(problem);
    }
    Ok(())
}
