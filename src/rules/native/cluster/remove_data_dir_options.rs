//! Options with which Patroni deletes the data of a member by itself (`postgresql/rewind.py`).

use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::rules::report::Report;

const OPTIONS: [(&str, &str); 2] = [
    ("remove_data_directory_on_diverged_timelines", "its timeline has diverged and pg_rewind is not used"),
    ("remove_data_directory_on_rewind_failure", "pg_rewind fails"),
];

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files() {
        for section in ["postgresql", "bootstrap.dcs.postgresql"] {
            for (option, when) in OPTIONS {
                let Some(item) = file.config.get(&format!("{section}.{option}")).filter(|i| i.is_true()) else {
                    continue;
                };
                if item.as_setting().is_some() {
                    report.add(report.problem(item.key_or_value()).arg("option", option).arg("when", when));
                }
            }
        }
    }
    Ok(())
}
