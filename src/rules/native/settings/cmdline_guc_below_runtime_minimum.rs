//! A command-line setting in the dynamic configuration that Patroni does not accept.

use crate::facts::Facts;
use crate::facts::enforced::{accepts, default_of, floor_of};
use crate::facts::gap::Gap;
use crate::knowledge::patroni::{Accepts, command_line_setting};
use crate::parse::patroni::Type;
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files() {
        for (name, item) in file.dynamic_parameters() {
            let Some(setting) = command_line_setting(name, file.version) else { continue };
            if setting.default.is_none() || matches!(item.kind(), Type::Unknown | Type::Null) || accepts(setting, item)
            {
                continue;
            }
            let value = item.as_setting().unwrap_or_default();
            let mut problem = report
                .problem(item.span)
                .arg("name", setting.name)
                .arg("value", value)
                .arg("floor", floor_of(setting))
                .arg("default", default_of(setting));
            if setting.accepts == Accepts::Never {
                problem = problem.note(format!("Patroni {} sets it by itself", file.version));
            }
            report.add(problem);
        }
    }
    Ok(())
}
