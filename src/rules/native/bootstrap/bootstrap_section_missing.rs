//! No member of a cluster can make it.

use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for cluster in facts.clusters().iter().filter(|c| !c.is_open) {
        let files = || cluster.members.iter().map(|m| &facts.patroni[m.file]);
        // With `citus` Patroni adds the section by itself (`config.py:Config._build_effective_configuration`).
        if !files().all(|f| f.is_absent("bootstrap") && !f.is_misspelt("bootstrap") && f.config.get("citus").is_none())
        {
            continue;
        }
        if let Some(first) = files().next() {
            report.add(report.problem(first.place_of("bootstrap")));
        }
    }
    Ok(())
}
