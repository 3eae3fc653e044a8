//! Members whose names become one slot name.

use std::collections::BTreeMap;

use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::knowledge::patroni::slot_name;
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for cluster in facts.clusters() {
        let mut by_slot: BTreeMap<String, BTreeMap<&str, _>> = BTreeMap::new();
        for member in &cluster.members {
            let file = &facts.patroni[member.file];
            let Some(item) = file.config.get("name") else { continue };
            let Some(name) = item.as_str() else { continue };
            by_slot.entry(slot_name(name)).or_default().entry(name).or_insert(item.span);
        }
        for (slot, members) in by_slot.iter().filter(|(_, m)| m.len() > 1) {
            let names: Vec<String> = members.keys().map(|n| format!("`{n}`")).collect();
            let mut spans = members.iter().rev();
            let Some((_, at)) = spans.next() else { continue };
            let mut problem = report.problem(*at).arg("slot", slot.as_str()).arg("members", names.join(", "));
            for (_, other) in spans.rev() {
                problem = problem.label(*other, "gets the same slot");
            }
            report.add(problem);
        }
    }
    Ok(())
}
