//! Recovery settings in postgresql.auto.conf, from where Patroni deletes them.

use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::rules::report::Report;

/// What `ConfigHandler._sanitize_auto_conf` takes out and Patroni does not set by itself (connection and slot it does) of the file (`available_parameters/0_postgres.yml`, `recovery_parameters`).
const RECOVERY: [&str; 16] = [
    "archive_cleanup_command",
    "pause_at_recovery_target",
    "promote_trigger_file",
    "recovery_end_command",
    "recovery_min_apply_delay",
    "recovery_target",
    "recovery_target_action",
    "recovery_target_inclusive",
    "recovery_target_lsn",
    "recovery_target_name",
    "recovery_target_time",
    "recovery_target_timeline",
    "recovery_target_xid",
    "restore_command",
    "standby_mode",
    "trigger_file",
];

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
            if !between.contains(&b'=') {
                continue;
            }
            let name = &name.value;
            let by_patroni = name == "recovery_target_timeline" && assignment.set.value.value == "latest";
            if RECOVERY.binary_search(&name.as_str()).is_ok() && !by_patroni {
                report.add(report.problem(assignment.set.name.span).arg("name", name));
            }
        }
    }
    Ok(())
}
