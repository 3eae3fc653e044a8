//! Slots while Patroni is told to use none (`dcs/__init__.py:Cluster._get_permanent_slots`, `_get_members_slots`).

use std::collections::BTreeSet;

use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::facts::slot_fate::left_alone;
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for (number, file) in facts.numbered_files() {
        let Ok(Some(switch)) = file.known("bootstrap.dcs.postgresql.use_slots") else { continue };
        if switch.as_bool() != Some(false) {
            continue;
        }
        let declared = file.config.slots();
        let mut names: BTreeSet<&str> =
            declared.iter().flat_map(|slots| slots.pairs()).filter_map(|p| p.key.value.as_str()).collect();
        let node = facts.member_of(number).and_then(|member| facts.node_of(member));
        let rows = node.and_then(|node| report.known(node.rows("slots"))).unwrap_or_default();
        let is_leader = node.is_none_or(|node| node.is_standby() != Ok(true));
        let there: Vec<_> = rows.iter().filter(|row| left_alone(file, is_leader, row).is_none()).collect();
        names.extend(there.iter().filter_map(|row| row.get("slot_name")));
        if names.is_empty() {
            continue;
        }
        let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
        let mut problem = report.problem(switch.key_or_value()).arg("slots", names.join(", "));
        if let Some(slots) = declared {
            problem = problem.label(slots.key_or_value(), "none of these is made or kept");
        }
        for row in there {
            problem = problem.label(row.at, "dropped as soon as nobody reads from it");
        }
        report.add(problem);
    }
    Ok(())
}
