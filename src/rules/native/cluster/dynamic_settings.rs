//! The dynamic configuration that counts: what of it takes effect, and what of it hurts.

use std::collections::BTreeSet;

use crate::facts::gap::Gap;
use crate::facts::patroni_file::is_placeholder;
use crate::facts::{DynamicFrom, Facts, Member, PatroniFile};
use crate::parse::patroni::Item;
use crate::rules::report::Report;
use crate::source::Span;

/// How many keys a message names.
const SHOWN: usize = 6;

/// Members that run, each with its file; one of those that share a dynamic configuration.
fn running(facts: &Facts) -> impl Iterator<Item = (&Member, &PatroniFile)> {
    let mut seen = BTreeSet::new();
    facts.live().filter_map(move |live| {
        let member = live.member?;
        let file = &facts.patroni[member.file];
        let place = file.config.bootstrap_dcs().map(|item| item.span);
        (file.dynamic_from != DynamicFrom::Store || seen.insert(place)).then_some((member, file))
    })
}

fn place(file: &PatroniFile, path: &str) -> Span {
    file.dynamic(path).map_or_else(|| file.place_of("bootstrap.dcs"), Item::key_or_value)
}

/// The store has a configuration, and the file asks for another one.
pub(in crate::rules::native) fn without_effect(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for live in facts.live() {
        let Some(member) = report.known(live.member()) else { continue };
        let file = &facts.patroni[member.file];
        let (DynamicFrom::Store, Some(written)) = (file.dynamic_from, &file.written_dynamic) else { continue };
        let mut differing: Vec<(String, Span)> = Vec::new();
        differences(written, file.config.bootstrap_dcs(), "", &mut differing);
        let Some((first, at)) = differing.first() else { continue };
        let mut keys: Vec<String> = differing.iter().take(SHOWN).map(|(key, _)| format!("`{key}`")).collect();
        if differing.len() > SHOWN {
            keys.push(format!("{} more", differing.len() - SHOWN));
        }
        let problem = report
            .problem(*at)
            .arg("member", &*member.name)
            .arg("keys", keys.join(", "))
            .label(place(file, first), "this counts");
        report.add(problem);
    }
    Ok(())
}

/// What a file sets and the store has otherwise, by the path of the key.
fn differences(written: &Item, counts: Option<&Item>, path: &str, all: &mut Vec<(String, Span)>) {
    for pair in written.pairs() {
        let Some(key) = pair.key.value.as_str() else { continue };
        let path = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        let other = counts.and_then(|item| item.get(key));
        if !pair.item.pairs().is_empty() && other.is_some_and(|o| !o.pairs().is_empty()) {
            differences(&pair.item, other, &path, all);
        } else if pair.item.is_known() && !is_equal(&pair.item, other) {
            all.push((path, pair.item.key_or_value()));
        }
    }
}

/// Patroni writes numbers and booleans of a file as such; `on` and `true` are one to it.
fn is_equal(one: &Item, other: Option<&Item>) -> bool {
    match other {
        Some(other) => {
            one.comparable() == other.comparable() || one.as_setting().is_some_and(|s| Some(s) == other.as_setting())
        }
        None => matches!(one.value, crate::parse::patroni::ItemValue::Null),
    }
}

/// The cluster is paused, and nobody said so in the file that seeds it.
pub(in crate::rules::native) fn paused(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for (member, file) in running(facts) {
        if file.dynamic_from == DynamicFrom::File || !file.dynamic("pause").is_some_and(Item::is_true) {
            continue;
        }
        let scope = file.config.scope().map(|s| s.value.to_owned()).unwrap_or_default();
        report.add(report.problem(place(file, "pause")).arg("scope", scope).arg("member", &*member.name));
    }
    Ok(())
}

/// Without it a store that cannot be reached makes the leader read-only.
pub(in crate::rules::native) fn failsafe(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    let mut seen = BTreeSet::new();
    for (_, file) in running(facts) {
        let Ok(mode) = file.known("bootstrap.dcs.failsafe_mode") else { continue };
        // Whose it is, a template decides.
        if file.config.scope().is_none_or(|scope| is_placeholder(scope.value)) {
            continue;
        }
        if mode.is_some_and(|m| m.as_bool() == Some(true)) || !seen.insert(file.config.dcs_path()) {
            continue;
        }
        report.add(report.problem(place(file, "failsafe_mode")));
    }
    Ok(())
}

/// A crash fails over at once.
pub(in crate::rules::native) fn start_timeout(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    zero(facts, report, &["primary_start_timeout", "master_start_timeout"])
}

/// A member's slot goes with its key.
pub(in crate::rules::native) fn slots_ttl(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    zero(facts, report, &["member_slots_ttl"])
}

/// The first of these keys is there, and zero.
fn zero(facts: &Facts, report: &mut Report, keys: &[&str]) -> Result<(), Gap> {
    let mut seen = BTreeSet::new();
    for file in facts.files() {
        let Some((key, item)) = keys.iter().find_map(|key| Some((*key, file.dynamic(key)?))) else { continue };
        let is_zero =
            item.as_setting().is_some_and(|value| crate::parse::patroni::parse_int(&value, Some("s")) == Some(0));
        if is_zero && seen.insert(item.span) {
            report.add(report.problem(item.key_or_value()).arg("key", key));
        }
    }
    Ok(())
}
