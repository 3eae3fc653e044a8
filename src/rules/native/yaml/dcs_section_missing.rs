//! No store is configured.

use crate::facts::Facts;
use crate::facts::gap::{Gap, GapReason};
use crate::knowledge::patroni::DCS_SECTIONS;
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.patroni.iter().filter(|f| f.is_whole()) {
        if DCS_SECTIONS.iter().any(|s| file.config.get(s).is_some()) {
            continue;
        }
        if DCS_SECTIONS.iter().all(|s| file.is_absent(s)) {
            report.add(report.problem(file.place_of("etcd3")));
        } else {
            report.known::<()>(Err(Gap::new("the section of the store", GapReason::Unreadable).on(file.source.name())));
        }
    }
    Ok(())
}
