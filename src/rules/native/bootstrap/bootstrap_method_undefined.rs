//! `bootstrap.method` names something that is not there, and Patroni takes `initdb` (`Bootstrap.bootstrap`).

use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::facts::patroni_file::is_placeholder;
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files() {
        let Some(item) = file.config.get("bootstrap.method") else { continue };
        let Some(method) = item.as_str().filter(|m| !m.is_empty() && *m != "initdb" && !is_placeholder(m)) else {
            continue;
        };
        let path = format!("bootstrap.{method}");
        let problem = match file.config.get(&path) {
            None if !file.is_absent(&path) => continue,
            None => "is not there",
            Some(section) if section.get("command").is_none() && file.is_absent(&format!("{path}.command")) => {
                "has no `command`"
            }
            Some(_) => continue,
        };
        let mut found = report.problem(item.span).arg("method", method).arg("problem", problem);
        if let Some(section) = file.config.get(&path) {
            found = found.label(section.key_or_value(), "");
        }
        report.add(found);
    }
    Ok(())
}
