//! A member that may not stream and has no archive to read from.

use crate::facts::gap::{Fact, Gap};
use crate::facts::take_over::later;
use crate::facts::{Facts, Member};
use crate::parse::patroni::Item;
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for member in facts.members() {
        let file = &facts.patroni[member.file];
        let Some(tag) = file.config.get("tags.nostream").filter(|t| t.as_bool() == Some(true)) else { continue };
        if report.known(restores(facts, member)).is_none_or(|r| r) {
            continue;
        }
        // The old postgresql.conf stays below what Patroni writes.
        if report.known(later(facts, member, "restore_command")).is_some_and(|r| r.is_none_or(|r| r.value.is_empty())) {
            report.add(report.problem(tag.key_or_value()).arg("member", member.name.as_str()));
        }
    }
    Ok(())
}

fn restores(facts: &Facts, member: &Member) -> Fact<bool> {
    let file = &facts.patroni[member.file];
    let set = |item: Option<&Item>| item.is_some_and(Item::is_true);
    let section = file.known_postgresql("recovery_conf")?;
    let open = section.is_some_and(|s| s.open && s.get("restore_command").is_none());
    Ok(open
        || set(section.and_then(|s| s.get("restore_command")))
        || set(file.known("bootstrap.dcs.standby_cluster.restore_command")?))
}
