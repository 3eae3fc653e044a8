//! Members that would start one cluster with different settings (`__main__.py:Patroni.apply_dynamic_configuration`).

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::gap::Gap;
use crate::facts::{Cluster, DynamicFrom, Facts, PatroniFile};
use crate::parse::patroni::{Item, ItemValue};
use crate::rules::report::Report;

/// How many keys a message names.
const SHOWN: usize = 5;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for cluster in facts.clusters() {
        let files = distinct(facts, cluster);
        let texts: Vec<String> = files.iter().map(|(_, f)| text(f)).collect();
        let Some(common) = most_common(&texts) else { continue };
        let (first_name, first) = files[common];
        for ((name, file), text) in files.iter().zip(&texts) {
            // Two files with one name are one member, written twice.
            if *name == first_name || *text == texts[common] {
                continue;
            }
            let (own, other) = (leaves(file), leaves(first));
            let keys: BTreeSet<&String> = own.keys().chain(other.keys()).collect();
            let value = |of: &BTreeMap<String, &Item>, key: &String| of.get(key).map(|i| i.comparable());
            let unknown = |key: &String| {
                [(&own, *file), (&other, first)].iter().any(|(of, file)| match of.get(key) {
                    Some(item) => !item.is_known() || !file.config.is_decided(&format!("bootstrap.dcs.{key}")),
                    None => is_open_above(file, key),
                })
            };
            let differing: Vec<&String> =
                keys.into_iter().filter(|k| !unknown(k) && value(&own, k) != value(&other, k)).collect();
            let Some(key) = differing.first() else { continue };
            let more = differing.len().saturating_sub(SHOWN);
            let mut shown: Vec<String> = differing.iter().take(SHOWN).map(|k| format!("`{k}`")).collect();
            if more > 0 {
                shown.push(format!("{more} more"));
            }
            let place = |file: &PatroniFile, of: &BTreeMap<String, &Item>| {
                of.get(*key).map_or_else(|| file.place_of(&format!("bootstrap.dcs.{key}")), |i| i.key_or_value())
            };
            report.add(
                report
                    .problem(place(file, &own))
                    .arg("member", *name)
                    .arg("other", first_name)
                    .arg("keys", shown.join(", "))
                    .label(place(first, &other), format!("in {first_name}")),
            );
        }
    }
    Ok(())
}

/// The members that have the section. One that has none never starts a cluster, and where there is one already no section counts.
fn distinct<'a>(facts: &'a Facts, cluster: &'a Cluster) -> Vec<(&'a str, &'a PatroniFile)> {
    let files = cluster.members.iter().map(|m| (m.name.as_str(), &facts.patroni[m.file]));
    let counts = |f: &PatroniFile| f.dynamic_from == DynamicFrom::File && f.config.is_complete();
    files.filter(|(_, f)| counts(f) && f.config.bootstrap_dcs().is_some()).collect()
}

fn text(file: &PatroniFile) -> String {
    file.config.bootstrap_dcs().map(Item::comparable).unwrap_or_default()
}

/// The first of those that most are equal to.
fn most_common(texts: &[String]) -> Option<usize> {
    let count = |i: &usize| texts.iter().filter(|t| **t == texts[*i]).count();
    (0..texts.len()).rev().max_by_key(count)
}

/// Whether a template decides what the section holds at a path that is not there.
fn is_open_above(file: &PatroniFile, path: &str) -> bool {
    let Some(mut here) = file.config.bootstrap_dcs() else { return true };
    for key in path.split('.') {
        match here.get(key) {
            Some(next) => here = next,
            None => break,
        }
    }
    here.open || here.optional || matches!(here.value, ItemValue::Unknown)
}

/// Every value that is no map, by its path below `bootstrap.dcs`.
fn leaves(file: &PatroniFile) -> BTreeMap<String, &Item> {
    let mut found = BTreeMap::new();
    let mut open: Vec<(String, &Item)> = file.config.bootstrap_dcs().map(|i| (String::new(), i)).into_iter().collect();
    while let Some((path, item)) = open.pop() {
        if item.pairs().is_empty() {
            found.insert(path, item);
            continue;
        }
        for pair in item.pairs() {
            let name = pair.key.value.as_str().unwrap_or("?");
            let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
            open.push((path, &pair.item));
        }
    }
    found
}
