//! `loop_wait + 2 * retry_timeout <= ttl` (`config.py:Config._validate_and_adjust_timeouts`).

use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::facts::timeouts::Timeouts;
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files() {
        let Some(dcs) = file.config.get("bootstrap.dcs") else { continue };
        let Some(given) = Timeouts::of(file) else { continue };
        let new = given.adjusted();
        if new == given {
            continue;
        }
        let first = ["ttl", "retry_timeout", "loop_wait"].iter().find_map(|k| dcs.get(k)).unwrap_or(dcs);
        let mut problem = report
            .problem(first.key_or_value())
            .arg("loop_wait", given.loop_wait.to_string())
            .arg("retry_timeout", given.retry_timeout.to_string())
            .arg("ttl", given.ttl.to_string())
            .arg("new_loop_wait", new.loop_wait.to_string())
            .arg("new_retry_timeout", new.retry_timeout.to_string())
            .arg("needed", (given.loop_wait + 2 * given.retry_timeout).to_string());
        for key in ["loop_wait", "retry_timeout"] {
            if let Some(item) = dcs.get(key).filter(|i| !std::ptr::eq(*i, first)) {
                problem = problem.label(item.key_or_value(), "");
            }
        }
        report.add(problem);
    }
    Ok(())
}
