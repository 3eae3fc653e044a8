//! A permanent logical slot with the name of a member's own slot (`dcs/__init__.py:Cluster._merge_permanent_slots`).

use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::facts::slot_fate::{is_logical, permanent};
use crate::knowledge::patroni::slot_name;
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for cluster in facts.clusters() {
        for member in &cluster.members {
            for (name, item) in permanent(&facts.patroni[member.file]).filter(|(_, item)| is_logical(item)) {
                let names = cluster.members.iter().filter_map(|m| facts.patroni[m.file].config.name());
                let Some(owner) = names.into_iter().find(|n| slot_name(n.value) == name) else { continue };
                let problem = report.problem(item.key_or_value()).arg("slot", name).arg("member", owner.value);
                report.add(problem.label(owner.span, "this member"));
            }
        }
    }
    Ok(())
}
