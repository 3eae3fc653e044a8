//! A permanent slot with a name that PostgreSQL does not allow (`dcs/__init__.py:slot_name_re`).

use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::facts::slot_fate::is_slot_name;
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files() {
        let Some(slots) = file.config.slots() else { continue };
        for pair in slots.pairs() {
            let Some(name) = pair.key.value.as_str() else { continue };
            if !is_slot_name(name) {
                report.add(report.problem(pair.key.span).arg("name", name));
            }
        }
    }
    Ok(())
}
