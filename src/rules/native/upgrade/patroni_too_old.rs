//! Releases of Patroni that do not know a major yet.

use crate::config::release;
use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::rules::native::upgrade::each;
use crate::rules::report::Report;

/// The first release of Patroni that says that it knows a major (its release notes).
const FIRST: [(u16, &str); 3] = [(16, "3.0.3"), (17, "4.0.0"), (18, "4.0.7")];

/// `upgrade-patroni-too-old`
pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    each(facts, report, |on, report| {
        let Some((_, first)) = FIRST.iter().find(|(major, _)| *major == on.to) else { return Ok(()) };
        let Ok(needed) = release(first) else { return Ok(()) };
        let host = on.node.host()?;
        for (path, patroni) in on.node.answer("the installations of Patroni", &host.value().patroni)? {
            let said = on.node.answer(&format!("the version of {path}"), &patroni.version)?;
            let Ok(version) = release(said) else {
                return Err(on.node.not_asked(&format!("the version of {path}")));
            };
            if version < needed {
                report.add(
                    report
                        .problem(host.at(&["patroni", path, "version"]))
                        .arg("member", &*on.node.name)
                        .arg("version", &**said)
                        .arg("path", &**path)
                        .arg("to", on.to.to_string())
                        .arg("first", *first),
                );
            }
        }
        if host.value().patroni.got().is_some_and(std::collections::BTreeMap::is_empty) {
            return Err(on.node.not_asked("an installation of Patroni"));
        }
        Ok(())
    });
    Ok(())
}
