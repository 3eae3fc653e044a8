//! Logical slots under a `wal_level` that does not feed them.

use crate::facts::enforced::enforced;
use crate::facts::gap::Gap;
use crate::facts::nodes::{Node, Row};
use crate::facts::patroni_file::is_placeholder;
use crate::facts::settings::equal;
use crate::facts::slot_fate::{is_logical, permanent};
use crate::facts::{Facts, Member};
use crate::knowledge::patroni::command_line_setting;
use crate::parse::patroni::Item;
use crate::rules::report::Report;
use crate::source::Span;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    let Some(setting) = command_line_setting("wal_level", facts.patroni_version) else { return Ok(()) };
    for member in facts.members() {
        let file = &facts.patroni[member.file];
        // Citus clusters always get `logical` (`postgresql/mpp/citus.py`).
        let Some(used) = enforced(file, setting).filter(|_| file.is_absent("citus")) else { continue };
        if equal("wal_level", &used.value, "logical") {
            continue;
        }
        let node = facts.node_of(member);
        let Some((name, slot)) = logical_slot(facts, member).or_else(|| of_server(node?, report)) else { continue };
        let section = file.place_of("bootstrap.dcs.postgresql.parameters");
        // Where the running server has it, that line is what is lost.
        let today = member.conf.as_ref().ok().and_then(|c| facts.confs[*c].conf.effective("wal_level"));
        let today = today.filter(|l| equal("wal_level", &l.set.value.value, "logical")).map(|l| l.set.value.span);
        let running = node.and_then(|node| node.setting("wal_level").ok().flatten());
        let running = running.filter(|row| row.get("setting") == Some("logical")).map(|row| row.at);
        let today = running.or(today);
        let mut problem =
            report.problem(today.or(used.at).unwrap_or(slot)).arg("slot", name).arg("value", used.value.as_str());
        if problem.at != slot {
            problem = problem.label(slot, "this slot needs `logical`");
        }
        match used.at {
            Some(at) if at != problem.at => problem = problem.label(at, "Patroni will use this"),
            Some(_) => {}
            None => problem = problem.label(section, "`wal_level` is not set here"),
        }
        report.add(problem);
    }
    Ok(())
}

/// A logical slot that the server has.
fn of_server(node: &Node, report: &mut Report) -> Option<(String, Span)> {
    let rows = report.known(node.rows("slots"))?;
    let is_logical = |row: &&Row| row.get("slot_type") == Some("logical") && !row.is("temporary");
    rows.iter().find(is_logical).and_then(|row| Some((row.get("slot_name")?.to_owned(), row.at)))
}

/// A permanent slot that is logical (`dcs/__init__.py:Cluster.is_logical_slot`), one that is named as not to be dropped, or one
/// that the SQL makes.
fn logical_slot(facts: &Facts, member: &Member) -> Option<(String, Span)> {
    let mut declared = permanent(&facts.patroni[member.file]).filter(|(_, slot)| is_logical(slot));
    if let Some((name, slot)) = declared.next() {
        return Some((name.to_owned(), slot.key_or_value()));
    }
    for item in facts.patroni[member.file].dynamic("ignore_slots").map_or(&[][..], Item::items) {
        let name = item.get("name").and_then(Item::as_str).filter(|n| !is_placeholder(n));
        if let Some(name) = name.filter(|_| item.get("type").and_then(Item::as_str) == Some("logical")) {
            return Some((name.to_owned(), item.span));
        }
    }
    let made = member.sqls.iter().flat_map(|i| &facts.sqls[*i].sql.slots).find(|s| s.plugin.is_some())?;
    Some((made.name.value.clone(), made.name.span))
}
