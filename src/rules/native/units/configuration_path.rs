//! The unit starts Patroni with a file that is not where the configuration is.

use std::path::Path;

use super::{of_texts_alone, there};
use crate::bundle::host::{Kind, Unit};
use crate::facts::gap::{Fact, Gap};
use crate::facts::service::{configuration_of, root_of};
use crate::facts::{Facts, PatroniFile};
use crate::parse::unit::expand;
use crate::rules::native::on_host::OnHost;
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for unit in of_texts_alone(facts) {
        let Some(here) = unit.source.path() else { continue };
        let Some(wanted) = unit.patroni_configuration().and_then(|text| expand(&text, here)) else { continue };
        let Some(root) = root_of(here).filter(|_| wanted.starts_with('/')) else { continue };
        if configuration_of(unit, facts).is_some() {
            continue;
        }
        let below = |file: &&PatroniFile| {
            let path = file.source.path();
            file.is_whole()
                && path.is_some_and(|p| {
                    p.strip_prefix(root)
                        .is_ok_and(|p| p.starts_with("etc") || p.starts_with("opt") || p.starts_with("var"))
                })
        };
        let mut files = facts.files().iter().filter(below);
        // With several it cannot be told which one was meant.
        let (Some(file), None) = (files.next(), files.next()) else { continue };
        let Some(start) = unit.unit.last("Service", "ExecStart").filter(|v| !v.is_unknown()) else { continue };
        let path = file.source.path().unwrap_or(Path::new(""));
        let actual = path.strip_prefix(root).unwrap_or(path);
        report.add(
            report
                .problem(start.span)
                .arg("wanted", wanted)
                .arg("fault", format!("and the configuration is /{}", actual.display()))
                .label(file.source.span(0, 0), "the configuration"),
        );
    }
    there::each_unit(facts, report, |on, name, unit, report| {
        if let Some((path, fault)) = fault_there(on, unit)? {
            let keys = ("Service", &["ExecStart"] as &[_]);
            let problem = there::found(facts, on, (name, unit), "exec_start", keys, report);
            report.add(problem.arg("wanted", path).arg("fault", fault));
        }
        Ok(())
    })
}

/// Why Patroni does not find what a unit of a host hands to it.
fn fault_there<'a>(on: &OnHost<'_>, unit: &'a Unit) -> Fact<Option<(&'a str, String)>> {
    let _ = on.node.answer("what the unit starts", &unit.exec_start)?;
    let Some(path) = unit.patroni_configuration() else { return Ok(None) };
    let environment = on.node.answer("the environment of the unit", &unit.environment)?;
    // Without a file that variable is the configuration (`config.py:Config.__init__`).
    if environment.iter().any(|variable| variable.name == "PATRONI_CONFIGURATION") {
        return Ok(None);
    }
    let host = format!("on the host of {}", on.member.name);
    let fault = match on.entry(path)? {
        None => Some(format!("which does not exist {host}")),
        Some(entry) if entry.kind == Kind::DeadLink => Some(format!("which is a link to nothing {host}")),
        Some(_) => {
            let (user, access) = on.access(path)?;
            (!access.read).then(|| format!("which user {user} may not read {host}"))
        }
    };
    Ok(fault.map(|fault| (path, fault)))
}
