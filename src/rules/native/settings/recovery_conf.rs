//! `recovery_conf` and recovery settings among the parameters (`postgresql/config.py`).

use crate::facts::clamp::is_recovery;
use crate::facts::gap::Gap;
use crate::facts::{Facts, PatroniFile};
use crate::parse::patroni::{Item, ItemValue, Pair};
use crate::rules::report::Report;

/// `recovery_conf` is replaced by what stands among the parameters (`ConfigHandler._adjust_recovery_parameters`).
pub(in crate::rules::native) fn two_places(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files() {
        let Some(section) = file.postgresql("recovery_conf") else { continue };
        let parameters: Vec<(&str, &Item)> =
            file.local_parameters().chain(file.dynamic_parameters()).filter(|(n, _)| is_recovery(n)).collect();
        let Some((first, at)) = parameters.first() else { continue };
        let same = |name: &str, item: &Item| {
            let there = parameters.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
            there.is_some_and(|(_, other)| {
                !other.is_known() || !item.is_known() || other.comparable() == item.comparable()
            })
        };
        let lost: Vec<&str> =
            set(section).filter(|(name, item)| !is_ignored(name) && !same(name, item)).map(|(name, _)| name).collect();
        if lost.is_empty() {
            continue;
        }
        report.add(
            report
                .problem(section.key_or_value())
                .arg("lost", lost.join("`, `"))
                .arg("parameter", *first)
                .label(at.key_or_value(), "because of this"),
        );
    }
    Ok(())
}

/// What Patroni writes by itself (`ConfigHandler.build_recovery_params`).
pub(in crate::rules::native) fn ignored(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files() {
        for (name, item) in everywhere(file).filter(|(name, _)| is_ignored(name)) {
            let latest = name.eq_ignore_ascii_case("recovery_target_timeline") && item.as_str() == Some("latest");
            // An empty target is none, which is what Patroni writes too.
            if latest || !item.is_true() || matches!(item.value, ItemValue::Unknown) {
                continue;
            }
            report.add(report.problem(item.key_or_value()).arg("name", name));
        }
    }
    Ok(())
}

fn everywhere(file: &PatroniFile) -> impl Iterator<Item = (&str, &Item)> {
    let local = file.config.get("postgresql.recovery_conf");
    let dynamic = file.dynamic("postgresql.recovery_conf");
    let sections = [local, dynamic].into_iter().flatten().flat_map(set);
    sections.chain(file.local_parameters()).chain(file.dynamic_parameters())
}

fn set(section: &Item) -> impl Iterator<Item = (&str, &Item)> {
    let named = |p: &'_ Pair| matches!(p.item.value, ItemValue::Unknown);
    section.pairs().iter().filter(move |p| !named(p)).filter_map(|p| Some((p.key.value.as_str()?, &p.item)))
}

fn is_ignored(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    lower.starts_with("recovery_target") || ["primary_conninfo", "primary_slot_name"].contains(&lower.as_str())
}
