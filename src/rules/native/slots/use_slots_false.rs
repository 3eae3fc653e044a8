//! Permanent slots while Patroni is told to use none (`dcs/__init__.py:Cluster._get_permanent_slots`).

use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files() {
        let Ok(Some(switch)) = file.known("bootstrap.dcs.postgresql.use_slots") else { continue };
        let Some(slots) = file.config.slots().filter(|_| switch.as_bool() == Some(false)) else { continue };
        let names: Vec<String> =
            slots.pairs().iter().filter_map(|p| Some(format!("`{}`", p.key.value.as_str()?))).collect();
        if !names.is_empty() {
            let problem = report.problem(switch.key_or_value()).arg("slots", names.join(", "));
            report.add(problem.label(slots.key_or_value(), "none of these is made or kept"));
        }
    }
    Ok(())
}
