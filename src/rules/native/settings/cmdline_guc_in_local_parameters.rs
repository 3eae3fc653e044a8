//! A command-line setting in the local file, where it does not count.

use crate::facts::Facts;
use crate::facts::enforced::enforced;
use crate::facts::gap::Gap;
use crate::facts::settings::equal;
use crate::knowledge::patroni::command_line_setting;
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files() {
        for (name, item) in file.local_parameters() {
            let Some(setting) = command_line_setting(name, file.version) else { continue };
            let (Some(value), Some(used)) = (item.as_setting(), enforced(file, setting)) else { continue };
            if equal(setting.name, &value, &used.value) {
                continue;
            }
            let instead = match used.at {
                Some(_) => format!("{} from `bootstrap.dcs`", used.value),
                None => format!("Patroni's default, {}", used.value),
            };
            let mut problem = report
                .problem(item.key_or_value())
                .arg("name", setting.name)
                .arg("value", value)
                .arg("instead", instead);
            if let Some(at) = used.at {
                problem = problem.label(at, "this one counts");
            }
            report.add(problem);
        }
    }
    Ok(())
}
