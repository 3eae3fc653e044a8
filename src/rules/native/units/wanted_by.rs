//! `WantedBy=` names a target that does not exist.

use super::is_filled_in;
use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::rules::report::Report;

/// What the name of a unit can end in.
const SUFFIXES: [&str; 11] =
    ["automount", "device", "mount", "path", "scope", "service", "slice", "socket", "swap", "target", "timer"];

/// The targets that a service is wanted by (systemd.special(7)).
const TARGETS: [&str; 6] = [
    "basic.target",
    "default.target",
    "graphical.target",
    "multi-user.target",
    "network-online.target",
    "sysinit.target",
];

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for unit in facts.units().iter().filter(|u| u.runs_patroni()) {
        for name in ["WantedBy", "RequiredBy"].into_iter().flat_map(|key| unit.unit.names("Install", key)) {
            let text = name.value.as_str();
            if is_filled_in(facts, name.span) || text.contains(['%', '{', '$']) || TARGETS.contains(&text) {
                continue;
            }
            let suffix = text.rsplit_once('.').map_or("", |(_, suffix)| suffix);
            let near = TARGETS.iter().find(|t| strsim::damerau_levenshtein(t, text) <= 2);
            let problem = match (SUFFIXES.contains(&suffix), near) {
                (false, _) => "is no name of a unit, so `systemctl enable` refuses it",
                (true, Some(_)) => "is no target of systemd, so nothing starts the unit at boot",
                (true, None) => continue,
            };
            let mut found = report.problem(name.span).arg("name", text).arg("problem", problem);
            if let Some(target) = near {
                found = found.edit(name.span, *target);
            }
            report.add(found);
        }
    }
    Ok(())
}
