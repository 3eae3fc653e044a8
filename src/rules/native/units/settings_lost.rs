//! Limits and variables that PostgreSQL's own unit sets and Patroni's does not.

use std::collections::BTreeMap;
use std::path::Path;

use crate::facts::gap::{Gap, GapReason};
use crate::facts::service::root_of;
use crate::facts::{Facts, UnitFile};
use crate::rules::report::Report;
use crate::source::Span;

/// Keys of `[Service]` that a server inherits from whatever starts it.
const INHERITED: [&str; 9] = [
    "CPUAffinity",
    "CPUSchedulingPolicy",
    "IOSchedulingClass",
    "LimitAS",
    "LimitCORE",
    "LimitMEMLOCK",
    "LimitNOFILE",
    "LimitNPROC",
    "OOMScoreAdjust",
];

/// Variables that only tell PostgreSQL's scripts where the server is; Patroni has settings for that.
const OF_SCRIPTS: [&str; 6] = ["PGDATA", "PGHOST", "PGLOG", "PGPORT", "PGROOT", "PGUSER"];

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for patroni in facts.units().iter().filter(|u| u.runs_patroni()) {
        if patroni.unit.is_open() || has_unknown_variable(patroni) {
            let gap = Gap::new("the unit (a template decides what it sets)", GapReason::Unreadable);
            report.known::<()>(Err(gap.on(patroni.source.name())));
            continue;
        }
        let mut lost: BTreeMap<String, Span> = BTreeMap::new();
        for unit in facts.units.iter().filter(|u| !u.runs_patroni() && u.runs_postgresql() && same_host(u, patroni)) {
            for key in INHERITED {
                let own = patroni.unit.last("Service", key);
                if let Some(value) = unit.unit.last("Service", key).filter(|v| own.is_none() && !v.is_unknown()) {
                    lost.entry(format!("{key}={}", value.text.trim())).or_insert(value.span);
                }
            }
            let own = patroni.unit.environment().tree;
            for variable in unit.unit.environment().tree {
                let name = &variable.name.value;
                if !name.is_empty() && !OF_SCRIPTS.contains(&name.as_str()) && own.iter().all(|v| v.name.value != *name)
                {
                    // Its value may be a secret.
                    lost.entry(format!("the variable {name}")).or_insert(variable.name.span);
                }
            }
        }
        let Some(start) = patroni.unit.last("Service", "ExecStart").filter(|_| !lost.is_empty()) else { continue };
        let names: Vec<&str> = lost.keys().map(String::as_str).collect();
        let mut problem = report.problem(start.span).arg("lost", names.join(", "));
        for at in lost.values() {
            problem = problem.label(*at, "set for PostgreSQL");
        }
        report.add(problem);
    }
    Ok(())
}

/// Whether a template fills in the name of a variable.
fn has_unknown_variable(unit: &UnitFile) -> bool {
    unit.unit.environment().tree.iter().any(|v| v.name.value.is_empty())
}

/// Whether two units lie below the same root, or side by side.
fn same_host(one: &UnitFile, other: &UnitFile) -> bool {
    let (Some(one), Some(other)) = (one.source.path(), other.source.path()) else { return false };
    // A drop-in lies in a directory of its own.
    let dir = |path: &Path| {
        let parent = path.parent().unwrap_or(Path::new("")).to_path_buf();
        if parent.extension().is_some_and(|e| e == "d") {
            parent.parent().map(Path::to_path_buf).unwrap_or_default()
        } else {
            parent
        }
    };
    dir(one) == dir(other) || root_of(one).is_some_and(|root| root_of(other) == Some(root))
}
