//! The store runs on the same host, and nothing says which of the two starts first and stops last.

use std::net::IpAddr;

use crate::facts::Facts;
use crate::facts::endpoints::hosts;
use crate::facts::gap::{Gap, GapReason};
use crate::facts::service::configuration_for;
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for unit in facts.units().iter().filter(|u| u.runs_patroni()) {
        let Some(file) = configuration_for(unit, facts) else { continue };
        let Some((kind, section)) = file.config.dcs() else { continue };
        let Some(hosts) = hosts(&file.config) else { continue };
        let local = |host: &str| host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        if !hosts.iter().all(|(host, _)| local(host)) {
            continue;
        }
        let store = kind.trim_end_matches('3');
        if unit.unit.names("Unit", "After").iter().any(|name| name.value.contains(store)) {
            continue;
        }
        if unit.unit.is_open() || unit.unit.all("Unit", "After").iter().any(|value| value.is_unknown()) {
            let gap = Gap::new("`After=` (a template decides)", GapReason::Unreadable);
            report.known::<()>(Err(gap.on(unit.source.name())));
            continue;
        }
        let Some(start) = unit.unit.last("Service", "ExecStart") else { continue };
        let problem = report.problem(start.span).arg("store", store);
        report.add(problem.label(section.key_or_value(), "on the same host"));
    }
    Ok(())
}
