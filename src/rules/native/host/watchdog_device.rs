//! The watchdog device, as it is on the host.

use super::managers::feeds;
use crate::bundle::host::Kind;
use crate::facts::gap::{Fact, Gap};
use crate::facts::{Facts, PatroniFile};
use crate::rules::native::cluster::watchdog::{Mode, mode};
use crate::rules::native::on_host::{OnHost, each_with, is_patroni};
use crate::rules::report::Report;

/// The device of a member.
fn device<'a>(on: &OnHost<'a>) -> &'a str {
    on.file.config.get("watchdog.device").and_then(|d| d.as_str()).unwrap_or("/dev/watchdog")
}

/// Whether the unit makes the device ready before it starts Patroni.
fn is_prepared(on: &OnHost<'_>) -> bool {
    let units = on.patroni_units().unwrap_or_default();
    let mut before = units.iter().filter_map(|(_, unit)| unit.exec_start_pre.got()).flatten().flatten();
    before.any(|word| word.contains("watchdog") || word.contains("softdog"))
}

/// Why Patroni cannot open the device; `None` when it can.
fn unusable(on: &OnHost<'_>, device: &str) -> Fact<Option<String>> {
    let Some(entry) = on.entry(device)? else { return Ok(Some("does not exist".to_owned())) };
    if entry.kind != Kind::Device {
        return Ok(Some("is no device".to_owned()));
    }
    if let Some(by) = held(on, device)? {
        return Ok(Some(format!("is held by {by}")));
    }
    let (user, access) = on.access(device)?;
    Ok((!access.write).then(|| format!("cannot be written by user {user}")))
}

/// Who else has the device open.
fn held(on: &OnHost<'_>, device: &str) -> Fact<Option<String>> {
    if feeds(on, device)? {
        return Ok(Some("systemd (`RuntimeWatchdogSec=`)".to_owned()));
    }
    let Some(holders) = on.host.value().watchdogs.get(device) else { return on.gap(format!("who holds {device}")) };
    let holders = on.node.answer(&format!("who holds {device}"), holders)?;
    let processes = on.processes()?;
    let is_ours = |pid: u32| processes.iter().any(|p| p.pid == pid && is_patroni(p));
    let other = holders.iter().find(|h| !is_ours(h.pid));
    Ok(other.map(|h| format!("`{}` (process {})", h.name, h.pid)))
}

/// `watchdog-device-unusable`
pub(in crate::rules::native) fn required(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    let is_required = |file: &PatroniFile| mode(file) == Some(Mode::Required);
    each_with(facts, report, is_required, |on, report| {
        let Some(item) = on.file.config.get("watchdog.mode") else { return Ok(()) };
        if is_prepared(on) {
            return Ok(());
        }
        let device = device(on);
        if let Some(fault) = unusable(on, device)? {
            report.add(
                report
                    .problem(item.key_or_value())
                    .arg("member", on.member.name.as_str())
                    .arg("device", device)
                    .arg("fault", fault)
                    .arg("user", on.user().unwrap_or("postgres")),
            );
        }
        Ok(())
    });
    Ok(())
}

/// `watchdog-device-shared`
pub(in crate::rules::native) fn shared(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    each_with(
        facts,
        report,
        |file| mode(file) == Some(Mode::Automatic),
        |on, report| {
            let device = device(on);
            if on.entry(device)?.is_none() {
                return Ok(());
            }
            if let Some(by) = held(on, device)? {
                let problem =
                    report.problem(on.file.place_of("watchdog.device")).arg("member", on.member.name.as_str());
                report.add(problem.arg("device", device).arg("by", by));
            }
            Ok(())
        },
    );
    Ok(())
}
