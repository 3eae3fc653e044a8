//! The primary of today may not become leader again.

use super::nofailover;
use crate::facts::gap::Gap;
use crate::facts::streaming::{follows, follows_none};
use crate::facts::{Facts, PatroniFile};
use crate::rules::report::Report;
use crate::source::Span;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for cluster in facts.clusters() {
        for member in &cluster.members {
            let file = &facts.patroni[member.file];
            if nofailover(file) != Some(true) {
                continue;
            }
            if let Some(node) = facts.node_of(member) {
                let is_primary = report.known(node.is_standby()) == Some(false);
                let at = node.row("position").ok().flatten().map(|row| row.at);
                if let (Some(at), true) = (at, is_primary && cluster.members.len() > 1) {
                    let problem = report.problem(tag_of(file).unwrap_or(at)).node(&node.name);
                    report.add(problem.arg("member", member.name.as_str()).label(at, "it runs as a primary"));
                }
                continue;
            }
            if !follows_none(facts, member) {
                continue;
            }
            let mut standbys = cluster.members.iter().filter_map(|m| follows(facts, cluster, m));
            let Some((line, _)) = standbys.find(|(_, source)| source.file == member.file) else { continue };
            if let Some(tag) = tag_of(file) {
                let problem = report.problem(tag).arg("member", member.name.as_str());
                report.add(problem.label(line.set.span, "this standby streams from it"));
            }
        }
    }
    Ok(())
}

/// Where the tag stands.
fn tag_of(file: &PatroniFile) -> Option<Span> {
    let tags = file.config.get("tags")?;
    let tag = tags.get("nofailover").or_else(|| tags.get("failover_priority"))?;
    Some(tag.key_or_value())
}
