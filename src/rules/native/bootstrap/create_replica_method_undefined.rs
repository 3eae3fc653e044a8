//! A method for new replicas without a section of its own (`Bootstrap.create_replica`).

use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::facts::patroni_file::is_template;
use crate::facts::scripts::{local_or_dynamic, replica_methods};
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files().iter().filter(|f| f.config.is_complete()) {
        for item in replica_methods(&file.config) {
            let Some(method) = item.as_str().filter(|m| *m != "basebackup" && !is_template(m)) else { continue };
            let section = local_or_dynamic(&file.config, method);
            if section.is_some_and(|s| s.get("command").is_some()) {
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
