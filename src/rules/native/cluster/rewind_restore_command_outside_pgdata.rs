//! `pg_rewind` of PostgreSQL 13 and 14 finds no `restore_command` outside of the data directory
//! (`postgresql/rewind.py:Rewind.pg_rewind`).

use crate::facts::gap::Gap;
use crate::facts::take_over::later;
use crate::facts::{Facts, Member};
use crate::parse::patroni::Item;
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for member in facts.members().filter(|m| matches!(m.postgresql, Some(13 | 14))) {
        let file = &facts.patroni[member.file];
        let rewinds = file.postgresql("use_pg_rewind").and_then(Item::as_bool) == Some(true);
        let (Some(data), Some(config)) = (file.config.data_dir(), file.config.config_dir()) else { continue };
        if !rewinds || config.value.trim_end_matches('/') == data.value.trim_end_matches('/') {
            continue;
        }
        if let Some(command) = restore_command(facts, member) {
            report.add(report.problem(config.span).arg("dir", config.value).label(command, "not used by pg_rewind"));
        }
    }
    Ok(())
}

/// Where a command to restore WAL is set; one in a file that was not given is not known.
fn restore_command(facts: &Facts, member: &Member) -> Option<crate::source::Span> {
    let file = &facts.patroni[member.file];
    let own = file.postgresql("recovery_conf").and_then(|r| r.get("restore_command")).filter(|i| i.is_true());
    own.map(Item::key_or_value).or_else(|| later(facts, member, "restore_command").ok()??.at)
}
