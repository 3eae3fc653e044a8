//! A member that may not stream and has no archive to read from.

use crate::facts::gap::Gap;
use crate::facts::take_over::later;
use crate::facts::{Facts, Member};
use crate::parse::patroni::Item;
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for member in facts.members() {
        let file = &facts.patroni[member.file];
        let Some(tag) = file.config.get("tags.nostream").filter(|t| t.as_bool() == Some(true)) else { continue };
        if restores(facts, member) {
            continue;
        }
        // The old postgresql.conf stays below what Patroni writes.
        if report.known(later(facts, member, "restore_command")).is_some_and(|r| r.is_none_or(|r| r.value.is_empty())) {
            report.add(report.problem(tag.key_or_value()).arg("member", member.name.as_str()));
        }
    }
    Ok(())
}

fn restores(facts: &Facts, member: &Member) -> bool {
    let file = &facts.patroni[member.file];
    let set = |section: Option<&Item>| section.and_then(|s| s.get("restore_command")).is_some_and(Item::is_true);
    set(file.postgresql("recovery_conf")) || set(file.dynamic("standby_cluster"))
}
