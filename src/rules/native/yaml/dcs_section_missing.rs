//! No store is configured.

use crate::facts::gap::{Gap, GapReason};
use crate::facts::{Facts, PatroniFile};
use crate::knowledge::patroni::DCS_SECTIONS;
use crate::parse::patroni::{Item, Type};
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files().iter().filter(|f| f.is_whole()) {
        if DCS_SECTIONS.iter().any(|s| file.config.get(s).is_some()) {
            continue;
        }
        if file.config.is_complete() && DCS_SECTIONS.iter().all(|s| file.is_absent(s)) {
            report.add(match indented(file) {
                Some((name, section)) => {
                    let note = format!("`{name}` stands inside another section; with less indentation it counts");
                    report.problem(section.key_or_value()).note(note)
                }
                None => report.problem(file.place_of("etcd3")),
            });
        } else {
            report.known::<()>(Err(Gap::new("the section of the store", GapReason::Unreadable).on(file.source.name())));
        }
    }
    Ok(())
}

/// A section of a store one level too deep, and its name.
fn indented(file: &PatroniFile) -> Option<(&str, &Item)> {
    let mut inner = file.config.root().pairs().iter().flat_map(|section| section.item.pairs());
    inner.find_map(|p| {
        let name = p.key.value.as_str().filter(|k| DCS_SECTIONS.contains(k))?;
        matches!(p.item.kind(), Type::Map | Type::Unknown).then_some((name, &p.item))
    })
}
