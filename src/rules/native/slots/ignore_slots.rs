//! `ignore_slots`, the slots that Patroni leaves alone (`postgresql/slots.py:SlotsHandler.ignore_replication_slot`).

use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::parse::patroni::{Item, Type};
use crate::rules::report::Report;

/// Something else than a list of maps.
pub(in crate::rules::native) fn not_list(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files() {
        let Some(item) = file.dynamic("ignore_slots").filter(|i| i.is_true() && i.kind() != Type::Unknown) else {
            continue;
        };
        let wrong = |i: &&Item| !matches!(i.kind(), Type::Map | Type::Unknown);
        let first = if item.kind() == Type::List { item.items().iter().find(wrong) } else { Some(item) };
        let Some(bad) = first else { continue };
        let problem = if bad.span == item.span { "is" } else { "has an item that is" };
        report.add(report.problem(bad.span).arg("problem", problem).arg("found", bad.kind().name()));
    }
    Ok(())
}

/// A map that names nothing to match.
pub(in crate::rules::native) fn matches_all(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files() {
        for item in file.dynamic("ignore_slots").map_or(&[][..], Item::items) {
            let unknown = item.open || item.pairs().iter().any(|p| p.item.kind() == Type::Unknown);
            if item.kind() != Type::Map || unknown {
                continue;
            }
            let by_name = item.get("name").is_some_and(|n| n.kind() != Type::Null);
            if !by_name && !["database", "plugin", "type"].iter().any(|key| item.get(key).is_some_and(Item::is_true)) {
                report.add(report.problem(item.span));
            }
        }
    }
    Ok(())
}
