//! Recovery settings in postgresql.auto.conf, from where Patroni deletes them.

use crate::facts::Facts;
use crate::facts::clamp::is_recovery;
use crate::facts::gap::Gap;
use crate::rules::report::Report;

/// Patroni takes these out too (`ConfigHandler._sanitize_auto_conf`), and sets them by itself.
const ITS_OWN: [&str; 2] = ["primary_conninfo", "primary_slot_name"];

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.confs() {
        for assignment in file.conf.assignments() {
            let source = facts.sources.get(assignment.set.span.source);
            if !source.name().ends_with(".auto.conf") || assignment.set.value.value.is_empty() {
                continue;
            }
            // `PARAMETER_RE`: small letters, and a sign of equality behind them. Whatever is spelt otherwise stays.
            let (name, value) = (&assignment.set.name, &assignment.set.value);
            let between = source.bytes().get(name.span.end as usize..value.span.start as usize).unwrap_or_default();
            let name = &name.value;
            if !between.contains(&b'=') || name.bytes().any(|b| b.is_ascii_uppercase()) {
                continue;
            }
            let by_patroni = name == "recovery_target_timeline" && assignment.set.value.value == "latest";
            if is_recovery(name) && !ITS_OWN.contains(&name.as_str()) && !by_patroni {
                report.add(report.problem(assignment.set.name.span).arg("name", name));
            }
        }
    }
    Ok(())
}
