//! `slots` that is a list or a text.

use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::facts::slot_fate::NAMES;
use crate::parse::patroni::Type;
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files() {
        for name in NAMES {
            let path = format!("bootstrap.dcs.{name}");
            let Some(item) = file.config.get(&path) else { continue };
            if !matches!(item.kind(), Type::Map | Type::Null | Type::Unknown) {
                report.add(report.problem(item.span).arg("path", path).arg("found", item.kind().name()));
            }
        }
    }
    Ok(())
}
