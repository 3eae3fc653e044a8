//! The watchdog that resets a host whose Patroni hangs (`watchdog/base.py`).

use crate::facts::gap::{Gap, GapReason};
use crate::facts::patroni_file::is_placeholder;
use crate::facts::timeouts::Timeouts;
use crate::facts::{Facts, PatroniFile};
use crate::parse::patroni::{Item, ItemValue};
use crate::parse::yaml::Int;
use crate::rules::report::Report;

/// What Patroni makes of `watchdog.mode` (`parse_mode`).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::rules::native) enum Mode {
    Off,
    Automatic,
    Required,
    /// Not known to Patroni, which then switches the watchdog off.
    Unknown,
}

/// What Patroni makes of a configuration; `None` when that is not certain.
pub(in crate::rules::native) fn mode(file: &PatroniFile) -> Option<Mode> {
    file.known("watchdog.mode").ok()?.map_or(Some(Mode::Automatic), mode_of)
}

/// What Patroni makes of a value; `None` when a template fills it in.
fn mode_of(item: &Item) -> Option<Mode> {
    let word = match &item.value {
        ItemValue::Bool(false) => return Some(Mode::Off),
        ItemValue::Str(text) if is_placeholder(text) => return None,
        ItemValue::Str(text) => text.to_lowercase(),
        // A template without quotes is a map; what is no single value has a finding of its own.
        ItemValue::Unknown | ItemValue::Map(_) | ItemValue::List(_) => return None,
        _ => return Some(Mode::Unknown),
    };
    Some(match word.as_str() {
        "require" | "required" => Mode::Required,
        "auto" | "automatic" => Mode::Automatic,
        "off" | "disable" | "disabled" => Mode::Off,
        _ => Mode::Unknown,
    })
}

/// `mode` is a word that Patroni does not know.
pub(in crate::rules::native) fn mode_value(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files() {
        let Some(item) = file.config.get("watchdog.mode") else { continue };
        if mode_of(item) != Some(Mode::Unknown) {
            continue;
        }
        let shown = match &item.value {
            ItemValue::Null => "none".to_owned(),
            ItemValue::Bool(_) => "true".to_owned(),
            _ => item.as_setting().unwrap_or_default().to_lowercase(),
        };
        let mut problem = report.problem(item.span).arg("mode", shown);
        if matches!(item.value, ItemValue::Bool(true)) {
            problem = problem.note("YAML reads `on`, `yes` and `true` as a boolean");
        }
        report.add(problem);
    }
    Ok(())
}

/// The watchdog would fire later than the leader lock runs out.
pub(in crate::rules::native) fn timing(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files() {
        let Some(section) = file.config.get("watchdog") else { continue };
        let Some(times) = Timeouts::of(file).map(Timeouts::adjusted) else { continue };
        let (at, margin) = match section.get("safety_margin").map(|i| (i, &i.value)) {
            None if section.open => continue,
            None => (section.key_or_value(), 5),
            Some((item, ItemValue::Int(Int::Small(n)))) => (item.key_or_value(), *n),
            Some(_) => continue,
        };
        let required = match mode(file) {
            Some(Mode::Required) => true,
            Some(Mode::Automatic) => false,
            _ => continue,
        };
        let timeout = if margin == -1 { times.ttl / 2 } else { times.ttl.saturating_sub(margin) };
        if timeout >= times.loop_wait {
            continue;
        }
        let effect = if required { "no member can become leader" } else { "Patroni runs without one" };
        report.add(
            report
                .problem(at)
                .arg("ttl", times.ttl.to_string())
                .arg("loop_wait", times.loop_wait.to_string())
                .arg("timeout", timeout.to_string())
                .arg("effect", effect),
        );
    }
    Ok(())
}

/// `mode: required`, and nothing among the files makes the device.
pub(in crate::rules::native) fn required(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    let prepared = facts.units.iter().any(|unit| {
        ["ExecStartPre", "ExecStart"].iter().any(|key| {
            let values = unit.unit.all("Service", key);
            values
                .iter()
                .any(|v| v.text.contains("watchdog") || v.text.contains("softdog") || v.text.contains("WATCHDOG"))
        })
    });
    if !prepared && facts.units.iter().any(|u| u.unit.is_open()) {
        return Err(Gap::new("what the unit starts first (a template decides)", GapReason::Unreadable));
    }
    // Of a member whose host was looked at, the device itself tells.
    let is_looked_at =
        |i: usize| facts.member_of(i).and_then(|m| facts.node_of(m)).is_some_and(|node| node.host().is_ok());
    for (i, file) in facts.numbered_files().filter(|_| !prepared) {
        if is_looked_at(i) {
            continue;
        }
        let Some(item) = file.config.get("watchdog.mode") else { continue };
        if mode(file) == Some(Mode::Required) {
            let device = file.config.get("watchdog.device").and_then(|d| d.as_str()).unwrap_or("/dev/watchdog");
            report.add(report.problem(item.key_or_value()).arg("device", device));
        }
    }
    Ok(())
}
