//! `loop_wait + 2 * retry_timeout <= ttl` (`config.py:Config._validate_and_adjust_timeouts`).

use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::parse::patroni::{Item, parse_int};
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in &facts.patroni {
        let Some(dcs) = file.config.get("bootstrap.dcs") else { continue };
        let read = |key: &str, default: i64, least: i64| -> Option<i64> {
            match dcs.get(key) {
                None => file.is_absent(&format!("bootstrap.dcs.{key}")).then_some(default),
                Some(item) if item.optional => None,
                Some(item) => number(item).map(|n| n.max(least)),
            }
        };
        let (Some(loop_wait), Some(retry_timeout), Some(ttl)) =
            (read("loop_wait", 10, 1), read("retry_timeout", 10, 3), read("ttl", 30, 20))
        else {
            continue;
        };
        let (new_loop_wait, new_retry_timeout) = if 1 + 2 * retry_timeout > ttl {
            (1, (ttl - 1) / 2)
        } else if loop_wait + 2 * retry_timeout > ttl {
            (ttl - 2 * retry_timeout, retry_timeout)
        } else {
            continue;
        };
        let first = ["ttl", "retry_timeout", "loop_wait"].iter().find_map(|k| dcs.get(k)).unwrap_or(dcs);
        let mut problem = report
            .problem(first.key_or_value())
            .arg("loop_wait", loop_wait.to_string())
            .arg("retry_timeout", retry_timeout.to_string())
            .arg("ttl", ttl.to_string())
            .arg("new_loop_wait", new_loop_wait.to_string())
            .arg("new_retry_timeout", new_retry_timeout.to_string())
            .arg("needed", (loop_wait + 2 * retry_timeout).to_string());
        for key in ["loop_wait", "retry_timeout"] {
            if let Some(item) = dcs.get(key).filter(|i| !std::ptr::eq(*i, first)) {
                problem = problem.label(item.key_or_value(), "");
            }
        }
        report.add(problem);
    }
    Ok(())
}

fn number(item: &Item) -> Option<i64> {
    parse_int(&item.as_setting()?, None)
}
