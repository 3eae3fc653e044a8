//! Units of PostgreSQL that Patroni's unit starts or stops.

use super::{of_texts_alone, there};
use crate::facts::gap::Gap;
use crate::facts::{Facts, is_postgresql_unit};
use crate::rules::report::Report;

pub(in crate::rules::native) fn requires(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    find(&["BindsTo", "Requires", "Requisite", "Upholds", "Wants"], facts, report);
    there::requires(facts, report)
}

pub(in crate::rules::native) fn conflicts(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    find(&["Conflicts"], facts, report);
    there::conflicts(facts, report)
}

fn find(keys: &[&str], facts: &Facts, report: &mut Report) {
    for unit in of_texts_alone(facts) {
        for key in keys {
            for name in unit.unit.names("Unit", key).into_iter().filter(|n| is_postgresql_unit(&n.value)) {
                report.add(report.problem(name.span).arg("key", *key).arg("name", name.value));
            }
        }
    }
}
