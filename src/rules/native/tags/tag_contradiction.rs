//! A tag and the priority that says the opposite (`config.py:Config._validate_contradictory_tags`).

use super::priority;
use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::knowledge::patroni;
use crate::parse::patroni::Type;
use crate::rules::report::Report;

const PAIRS: [(&str, &str); 2] = [("nofailover", "failover_priority"), ("nosync", "sync_priority")];

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files() {
        for (flag, number) in PAIRS {
            let known =
                patroni::key(&format!("tags.{number}")).is_some_and(|row| row.lifetime.covers(facts.patroni_version));
            let tag = |name: &str| file.config.get(&format!("tags.{name}")).filter(|i| i.kind() != Type::Unknown);
            let (true, Some(on), Some(item)) = (known, tag(flag), tag(number)) else { continue };
            let Some(value) = priority(item) else { continue };
            if on.is_true() != (value > 0) {
                continue;
            }
            report.add(
                report
                    .problem(on.key_or_value())
                    .arg("flag", flag)
                    .arg("priority", number)
                    .arg("value", value.to_string())
                    .arg("state", if on.is_true() { "on" } else { "off" })
                    .label(item.key_or_value(), "this does not count"),
            );
        }
    }
    Ok(())
}
