//! `setting`: a PostgreSQL setting with a bad value, wherever it can be written.

use crate::facts::Facts;
use crate::facts::gap::{Gap, GapReason};
use crate::parse::patroni::Type;
use crate::rules::report::Report;
use crate::rules::schema::{Place, SettingSpec};

/// Reports the setting wherever it holds a bad value; of several lines of a file only the one that counts.
///
/// # Errors
/// Never: a value that PostgreSQL would refuse has a finding of its own.
pub fn check(spec: &SettingSpec, facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for place in spec.places.iter() {
        match place {
            Place::Conf => {
                for file in facts.confs() {
                    // What an include sets that leads out of the files given is not known.
                    for include in file.conf.outside() {
                        let what = format!("`{}`, included by {}", include.value, file.source.name());
                        report.known::<()>(Err(Gap::new(what, GapReason::NotGiven)));
                    }
                    let assignment = file.conf.effective(&spec.name).filter(|_| !file.conf.is_open());
                    let Some(assignment) = assignment else {
                        if file.conf.is_unknown(&spec.name) || file.conf.is_open() {
                            let what = format!("`{}` in {}", spec.name, file.source.name());
                            report.known::<()>(Err(Gap::new(what, GapReason::Unreadable)));
                        }
                        continue;
                    };
                    if is_bad(spec, &assignment.set.value.value) {
                        report.add(
                            report.problem(assignment.set.value.span).arg("value", assignment.set.value.value.as_str()),
                        );
                    }
                }
            }
            Place::Local | Place::Dcs => {
                let section = if *place == Place::Local {
                    "postgresql.parameters"
                } else {
                    "bootstrap.dcs.postgresql.parameters"
                };
                for file in facts.files() {
                    let Some(item) = file.config.get(section).and_then(|s| s.get(&spec.name)) else { continue };
                    if item.kind() == Type::Unknown {
                        let what = format!("`{section}.{}`", spec.name);
                        report.known::<()>(Err(Gap::new(what, GapReason::Unreadable).on(file.source.name())));
                    }
                    let value = item.as_setting();
                    if value.as_deref().is_some_and(|v| is_bad(spec, v)) {
                        report.add(report.problem(item.span).arg("value", value.unwrap_or_default()));
                    }
                }
            }
        }
    }
    Ok(())
}

/// Compares as PostgreSQL reads them: `off`, `no`, `0` and `fa` are one value of a boolean.
fn is_bad(spec: &SettingSpec, value: &str) -> bool {
    spec.bad.iter().any(|bad| crate::facts::settings::equal(&spec.name, value, bad))
}
