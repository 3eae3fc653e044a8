//! Keys that must be there.

use std::collections::BTreeMap;

use crate::knowledge::patroni::{KeyFact, Need, keys, variables};
use crate::parse::patroni::{Item, Layer, Patroni, Type};
use crate::problem::Problem;
use crate::source::Span;
use crate::words::join;

/// Keys that only one of several ways to write a section needs, or that are judged elsewhere.
const ALTERNATIVES: [&[&str]; 3] = [
    &["consul.host", "consul.url"],
    &["etcd.host", "etcd.hosts", "etcd.srv", "etcd.url", "etcd.proxy"],
    &["etcd3.host", "etcd3.hosts", "etcd3.srv", "etcd3.url", "etcd3.proxy"],
];

/// Patroni does not start.
pub(super) const MISSING: &str = "yaml-required-key-missing";
/// Patroni starts, and its validator complains.
pub(super) const VALIDATOR: &str = "validator-requires-key";
/// Patroni does not start either, unless a variable says it.
pub(super) const NAME_LEFT_OUT: &str = "name-left-to-environment";

pub(super) fn check(patroni: &Patroni, problems: &mut Vec<Problem>) {
    let top = patroni.root();
    // All that one section lacks is one slip.
    let mut fatal: BTreeMap<Span, Vec<&'static KeyFact>> = BTreeMap::new();
    for row in keys().iter().filter(|r| (r.required || r.need == Need::Always) && r.lifetime.covers(patroni.version()))
    {
        let (parent, key) = row.path.rsplit_once('.').unwrap_or(("", row.path));
        if let Some(list) = parent.strip_suffix("[]") {
            let items = patroni.get(list).map_or(&[][..], Item::items).iter().enumerate();
            for (i, item) in items.filter(|(_, item)| item.kind() == Type::Map && item.get(key).is_none()) {
                problems.push(missing(VALIDATOR, &format!("{list}[{i}].{key}"), key, item.span.at_start()));
            }
            continue;
        }
        if patroni.get(row.path).is_some() {
            continue;
        }
        let Some(section) = section(top, parent) else { continue };
        if section.kind() != Type::Map || section.open || has_old_place(patroni, row) {
            continue;
        }
        // `config.py:Config._build_effective_configuration` formats both keys of the section at once.
        let formatted = ["ctl.authentication", "restapi.authentication"].contains(&parent);
        if row.required || formatted {
            fatal.entry(place(section)).or_default().push(row);
        } else {
            problems.push(missing(VALIDATOR, row.path, key, place(section)));
        }
    }
    let has_environment = top.pairs().iter().any(|p| p.item.layer == Layer::Environment);
    problems.extend(fatal.iter().map(|(at, rows)| {
        // One file for all members leaves the name to the environment of each.
        let rule = match rows[..] {
            [KeyFact { path: "name", .. }] if !has_environment => NAME_LEFT_OUT,
            _ => MISSING,
        };
        all_missing(rule, rows, *at)
    }));
    for choice in ALTERNATIVES {
        let parent = choice[0].split('.').next().unwrap_or_default();
        let Some(section) = top.get(parent).filter(|s| s.kind() == Type::Map && !s.open) else { continue };
        let old = ["discovery_srv", "srv_domain"].iter().any(|k| section.get(k).is_some());
        if !old && choice.iter().all(|path| patroni.get(path).is_none()) {
            let key = choice[0].rsplit('.').next().unwrap_or_default();
            let problem = if parent == "consul" {
                missing(VALIDATOR, choice[0], key, place(section))
            } else {
                is_not_set(missing(MISSING, choice[0], key, place(section)), choice[0])
            };
            problems.push(problem.arg("alternatives", choice.join(", ")));
        }
    }
    for (flag, priority) in [("nofailover", "failover_priority"), ("nosync", "sync_priority")] {
        let tag = |name: &str| patroni.get(&format!("tags.{name}")).filter(|item| !item.optional);
        if let (Some(a), Some(b)) = (tag(flag), tag(priority)) {
            problems.push(
                Problem::new("generated-config-tags-conflict", a.key_span.unwrap_or(a.span))
                    .arg("first", flag)
                    .arg("second", priority)
                    .label(b.key_span.unwrap_or(b.span), ""),
            );
        }
    }
}

fn section<'a>(top: &'a Item, path: &str) -> Option<&'a Item> {
    if path.is_empty() { Some(top) } else { top.at(path) }
}

/// Where the missing key would stand: at the name of its section, or at the beginning of the text.
fn place(section: &Item) -> Span {
    section.key_span.unwrap_or_else(|| section.span.at_start())
}

/// Whether an old layout says the same.
fn has_old_place(patroni: &Patroni, row: &KeyFact) -> bool {
    match row.path {
        "name" => patroni.get("postgresql.name").is_some(),
        "postgresql.authentication" => patroni.get("postgresql.replication").is_some(),
        "zookeeper.hosts" => patroni.get("zookeeper.exhibitor").is_some(),
        "postgresql.authentication.superuser" => patroni.get("postgresql.pg_rewind").is_some(),
        _ => false,
    }
}

fn missing(rule: &'static str, path: &str, key: &str, at: Span) -> Problem {
    let problem = Problem::new(rule, at).arg("key", key).arg("path", path);
    match variable(path) {
        Some(variable) => problem.arg("variable", variable),
        None => problem,
    }
}

/// What a section lacks that Patroni does not start without.
fn all_missing(rule: &'static str, rows: &[&KeyFact], at: Span) -> Problem {
    let paths: Vec<&str> = rows.iter().map(|row| row.path).collect();
    let key = paths[0].rsplit('.').next().unwrap_or_default();
    let set = if paths.len() == 1 { "is not set" } else { "are not set" };
    let problem = Problem::new(rule, at)
        .arg("key", key)
        .arg("path", paths.join(", "))
        .arg("paths", join(&paths))
        .arg("state", set);
    let variables: Vec<String> = paths.iter().filter_map(|path| variable(path)).collect();
    // What leaves it to the variable names it.
    if variables.is_empty() || rule == NAME_LEFT_OUT { problem } else { problem.arg("variable", variables.join(", ")) }
}

/// The words of a single required key.
pub(super) fn is_not_set(problem: Problem, path: &str) -> Problem {
    problem.arg("paths", join(&[path])).arg("state", "is not set")
}

/// The variable that sets a key.
fn variable(path: &str) -> Option<String> {
    let known = variables().iter().find(|v| v.path == path && v.renamed.is_none())?;
    Some(format!("PATRONI_{}", known.name))
}
