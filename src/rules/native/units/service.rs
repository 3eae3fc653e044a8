//! Settings of section `[Service]` that do not fit to Patroni.

use std::time::Duration;

use super::{of_texts_alone, there};
use crate::facts::gap::{Gap, GapReason};
use crate::facts::{Facts, UnitFile};
use crate::knowledge::patroni::Version;
use crate::parse::unit::{TimeSpan, Value, parse_time_span};
use crate::rules::report::Report;

/// The units that start Patroni itself, and not a container that holds it.
fn of_patroni(facts: &Facts) -> impl Iterator<Item = &UnitFile> {
    facts.units().iter().filter(|u| u.runs_patroni())
}

/// The last value of one of several keys that write to the same setting.
fn last<'a>(unit: &'a UnitFile, keys: &[&str]) -> Option<&'a Value> {
    let all = unit.unit.assignments().iter();
    let mut found = all.filter(|a| a.section == "Service" && keys.contains(&a.key.value.as_str())).map(|a| &a.value);
    found.rfind(|v| !v.text.is_empty()).filter(|v| !v.is_unknown())
}

/// systemd kills Patroni before PostgreSQL can have stopped.
pub(in crate::rules::native) fn timeout_stop(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    // What Patroni's own sample unit gives.
    const LEAST: Duration = Duration::from_secs(30);
    for unit in of_texts_alone(facts) {
        let Some(value) = last(unit, &["TimeoutSec", "TimeoutStopSec"]) else { continue };
        if unit.unit.is_open_behind(value.span) {
            let gap = Gap::new("`TimeoutStopSec=` (a template may give another one)", GapReason::Unreadable);
            report.known::<()>(Err(gap.on(unit.source.name())));
            continue;
        }
        // Zero stands for no limit.
        let Some(TimeSpan::For(limit)) = parse_time_span(&value.text) else { continue };
        if !limit.is_zero() && limit < LEAST {
            report.add(report.problem(value.span).arg("limit", limit.as_secs().to_string()));
        }
    }
    there::timeout_stop(facts, report)
}

/// systemd starts Patroni again and again.
pub(in crate::rules::native) fn restart_policy(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for unit in of_patroni(facts) {
        let Some(value) = unit.unit.last("Service", "Restart") else { continue };
        let policy = value.text.trim();
        if ["always", "on-failure"].contains(&policy) {
            report.add(report.problem(value.span).arg("policy", policy).edit(value.span, "no"));
        }
    }
    Ok(())
}

/// A type of unit that waits for what Patroni never does.
pub(in crate::rules::native) fn wrong_type(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for unit in of_patroni(facts) {
        let Some(value) = unit.unit.last("Service", "Type") else { continue };
        let kind = value.text.trim();
        let problem = match kind {
            "notify" | "notify-reload" if facts.patroni_version < Version::new(4, 1, 0) => {
                "Patroni tells systemd that it is ready since 4.1.0 only"
            }
            "forking" => "Patroni stays in the foreground, and systemd waits for it to end",
            "dbus" => "Patroni takes no name on the bus",
            _ => continue,
        };
        report.add(report.problem(value.span).arg("type", kind).arg("problem", problem).edit(value.span, "simple"));
    }
    Ok(())
}

/// A type of unit for which Patroni needs a Python module.
pub(in crate::rules::native) fn notify(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for unit in of_texts_alone(facts) {
        if let Some(value) = unit.unit.last("Service", "Type")
            && ["notify", "notify-reload"].contains(&value.text.trim())
        {
            report.add(report.problem(value.span).arg("type", value.text.trim()));
        }
    }
    there::notify(facts, report)
}
