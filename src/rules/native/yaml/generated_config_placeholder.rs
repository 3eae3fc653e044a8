//! What `patroni --generate-config` leaves for a person to fill in (`config_generator.py:NO_VALUE_MSG`).

use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::rules::report::Report;

const PLACEHOLDER: &str = "#FIXME";

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files() {
        for left in file.holding(PLACEHOLDER) {
            report.add(report.problem(left.item.span).arg("path", left.path));
        }
    }
    Ok(())
}
