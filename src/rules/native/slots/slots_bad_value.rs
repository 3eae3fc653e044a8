//! A permanent slot that Patroni does not take (`dcs/__init__.py:Cluster._merge_permanent_slots`).

use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::parse::patroni::{Item, Type};
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files() {
        let Some(slots) = file.config.slots() else { continue };
        for pair in slots.pairs() {
            let Some(name) = pair.key.value.as_str() else { continue };
            if let Some(problem) = fault(&pair.item) {
                let at = pair.item.get("type").filter(|_| problem == UNKNOWN_TYPE).map_or(pair.key.span, |t| t.span);
                report.add(report.problem(at).arg("name", name).arg("problem", problem));
            }
        }
    }
    Ok(())
}

const UNKNOWN_TYPE: &str = "its type is neither `physical` nor `logical`";

/// An empty value stands for a physical slot.
fn fault(slot: &Item) -> Option<String> {
    match slot.kind() {
        Type::Null | Type::Unknown => return None,
        Type::Map if slot.pairs().is_empty() => return None,
        Type::Map => {}
        other => return Some(format!("its description is {}, not a map with `type`", other.name())),
    }
    // What a template fills in may be right.
    let filled = |key: &str| match slot.get(key) {
        Some(item) => item.kind() == Type::Unknown || item.as_str().is_some_and(|t| !t.is_empty()),
        None => slot.open,
    };
    let complete = filled("database") && filled("plugin");
    match slot.get("type").filter(|t| t.kind() != Type::Unknown).map(|t| t.as_str().unwrap_or_default()) {
        None | Some("physical") => None,
        Some("logical") if complete => None,
        Some("logical") => Some("a logical slot needs `database` and `plugin`".to_owned()),
        Some(_) => Some(UNKNOWN_TYPE.to_owned()),
    }
}
