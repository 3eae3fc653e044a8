//! `slots` that is a list or a text.

use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::parse::patroni::Type;
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in &facts.patroni {
        let path = "bootstrap.dcs.slots";
        let Some(item) = file.config.get(path) else { continue };
        if !matches!(item.kind(), Type::Map | Type::Null | Type::Unknown) {
            report.add(report.problem(item.key_or_value()).arg("path", path).arg("found", item.kind().name()));
        }
    }
    Ok(())
}
