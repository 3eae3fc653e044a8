//! Slots of a running server that Patroni does not know and therefore drops (`slots.py:SlotsHandler._drop_incorrect_slots`).

use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::facts::kept::is_paused;
use crate::facts::nodes::Row;
use crate::facts::slot_fate::Wanted;
use crate::knowledge::patroni::slot_name;
use crate::rules::report::Report;

/// `slots-undeclared-physical`
pub(in crate::rules::native) fn physical(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    find(facts, report, "physical");
    Ok(())
}

/// `slots-undeclared-logical`
pub(in crate::rules::native) fn logical(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    find(facts, report, "logical");
    Ok(())
}

fn find(facts: &Facts, report: &mut Report, kind: &str) {
    for live in facts.live() {
        let Some(member) = report.known(live.member()) else { continue };
        let Some(rows) = report.known(live.node.rows("slots")) else { continue };
        let of_kind: Vec<&Row> = rows.iter().filter(|row| row.get("slot_type") == Some(kind)).collect();
        let file = &facts.patroni[member.file];
        // That no slot is wanted at all has a finding of its own.
        if of_kind.is_empty() || !file.uses_slots() {
            continue;
        }
        let Some(wanted) = report.known(Wanted::of(facts, member, live.node)) else { continue };
        for row in of_kind.into_iter().filter(|row| !wanted.stays(row)) {
            let slot = row.get("slot_name").unwrap_or_default();
            let when = match (is_paused(facts, member), row.is("active")) {
                (true, _) => "once the pause ends",
                (_, true) => "as soon as its consumer disconnects",
                _ => "within seconds",
            };
            let get = |column: &str| row.get(column).unwrap_or_default();
            let mut problem = report
                .problem(row.at)
                .node(&member.name)
                .arg("member", &*member.name)
                .arg("slot", slot)
                .arg("when", when)
                .arg("database", get("database"))
                .arg("plugin", get("plugin"));
            problem = problem.label(file.place_of("bootstrap.dcs.slots"), "it is not declared here");
            if let Some(tag) = file.config.get("tags.nofailover").filter(|tag| tag.is_true()) {
                problem = problem.label(tag.key_or_value(), "a member with this tag gets no permanent slots");
            }
            if slot == slot_name(&member.name) {
                problem = problem.note(format!(
                    "it has the name of the slot of {} itself, which Patroni makes on other members and not here: declaring it does not help; give it another name",
                    member.name
                ));
            }
            report.add(problem);
        }
    }
}
