//! PostgreSQL is started at boot without Patroni.

use std::path::Path;

use crate::facts::gap::Gap;
use crate::facts::{Facts, is_postgresql_unit};
use crate::rules::native::host::managers;
use crate::rules::report::Report;

/// By systemd: a preset enables its unit, or the unit lies among those that a target wants.
pub(in crate::rules::native) fn systemd(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    if facts.nodes().is_empty()
        && facts.patroni.is_empty()
        && !facts.units.iter().any(crate::facts::UnitFile::runs_patroni)
    {
        return Ok(());
    }
    for preset in facts.presets() {
        let mut off: Vec<&str> = Vec::new();
        for directive in &preset.directives {
            let pattern = directive.pattern.value.as_str();
            if !directive.enables {
                off.push(pattern);
            } else if is_postgresql_unit(&pattern.replace('*', "")) && !off.contains(&pattern) && !off.contains(&"*") {
                let problem = report.problem(directive.pattern.span).arg("unit", pattern);
                report.add(problem.arg("problem", "a preset enables it"));
            }
        }
    }
    for unit in facts.units() {
        let Some(path) = unit.source.path() else { continue };
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        let wanted = path.parent().and_then(Path::extension).is_some_and(|e| e == "wants" || e == "requires");
        if wanted && is_postgresql_unit(name) {
            report.add(report.problem(unit.source.span(0, 0)).arg("unit", name).arg("problem", "a target wants it"));
        }
    }
    managers::units(facts, report)
}

/// By Debian's scripts: `start.conf` says so, for a cluster that Patroni is to run.
pub(in crate::rules::native) fn debian(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for conf in facts.start_confs().iter().filter(|c| c.start.value == "auto") {
        let Some(dir) = conf.source.path().and_then(Path::parent) else { continue };
        let mut parts = dir.components().rev().filter_map(|c| c.as_os_str().to_str());
        let (Some(cluster), Some(version)) = (parts.next(), parts.next()) else { continue };
        let tail = Path::new(version).join(cluster);
        let is_its = |key: &str, file: &crate::facts::PatroniFile| {
            file.config.get(key).and_then(|i| i.as_str()).is_some_and(|p| Path::new(p).ends_with(&tail))
        };
        let Some(file) =
            facts.patroni.iter().find(|f| is_its("postgresql.config_dir", f) || is_its("postgresql.data_dir", f))
        else {
            continue;
        };
        let mut problem = report
            .problem(conf.start.span)
            .arg("cluster", format!("{version}/{cluster}"))
            .edit(conf.start.span, "manual");
        if let Some(item) = ["postgresql.config_dir", "postgresql.data_dir"].iter().find_map(|k| file.config.get(k)) {
            problem = problem.label(item.key_or_value(), "Patroni runs this cluster");
        }
        report.add(problem);
    }
    managers::start_conf(facts, report)
}
