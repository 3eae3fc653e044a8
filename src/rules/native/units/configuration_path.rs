//! The unit starts Patroni with a file that is not where the configuration is.

use std::path::Path;

use crate::facts::gap::Gap;
use crate::facts::service::{configuration_of, root_of};
use crate::facts::{Facts, PatroniFile};
use crate::parse::unit::expand;
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for unit in facts.units().iter().filter(|u| u.runs_patroni()) {
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
                .arg("actual", format!("/{}", actual.display()))
                .label(file.source.span(0, 0), "the configuration"),
        );
    }
    Ok(())
}
