//! The primary of today may not become leader again.

use super::nofailover;
use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::facts::streaming::{follows, follows_none};
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for cluster in facts.clusters() {
        for member in &cluster.members {
            let file = &facts.patroni[member.file];
            if nofailover(file) != Some(true) || !follows_none(facts, member) {
                continue;
            }
            let mut standbys = cluster.members.iter().filter_map(|m| follows(facts, cluster, m));
            let Some((line, _)) = standbys.find(|(_, source)| source.file == member.file) else { continue };
            let tags = file.config.get("tags");
            let tag = tags.and_then(|t| t.get("nofailover").or_else(|| t.get("failover_priority")));
            if let Some(tag) = tag {
                let problem = report.problem(tag.key_or_value()).arg("member", member.name.as_str());
                report.add(problem.label(line.set.span, "this standby streams from it"));
            }
        }
    }
    Ok(())
}
