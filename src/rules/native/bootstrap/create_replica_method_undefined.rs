//! A method for new replicas without a section of its own (`Bootstrap.create_replica`).

use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::facts::patroni_file::is_placeholder;
use crate::facts::scripts::replica_methods;
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files().iter().filter(|f| f.config.is_complete()) {
        for item in replica_methods(&file.config) {
            let Some(method) = item.as_str().filter(|m| *m != "basebackup" && !is_placeholder(m)) else { continue };
            let Ok(section) = file.known_postgresql(method) else { continue };
            if section.is_some_and(|s| s.open || s.get("command").is_some()) {
                continue;
            }
            let mut problem = report.problem(item.span).arg("method", method);
            if let Some(section) = section {
                problem = problem.label(section.key_or_value(), "names no `command`");
            }
            report.add(problem);
        }
    }
    Ok(())
}
