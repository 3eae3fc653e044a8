//! `listen_addresses`, `port` or `cluster_name` among the parameters.

use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::rules::report::Report;

const MANAGED: [(&str, &str); 3] =
    [("cluster_name", "scope"), ("listen_addresses", "postgresql.listen"), ("port", "postgresql.listen")];

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files() {
        for (name, item) in file.local_parameters().chain(file.dynamic_parameters()) {
            let Some((name, target)) = MANAGED.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)) else { continue };
            let mut problem = report
                .problem(item.key_or_value())
                .arg("name", *name)
                .arg("value", item.as_setting().unwrap_or_default())
                .arg("target", *target);
            if let Some(there) = file.config.get(target) {
                problem = problem.label(there.key_or_value(), "this counts");
            }
            report.add(problem);
        }
    }
    Ok(())
}
