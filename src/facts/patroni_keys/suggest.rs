//! What was probably meant.

use crate::knowledge::patroni::{self as known, KeyFact, Version};

fn plain(row: &KeyFact, version: Version) -> bool {
    row.lifetime.covers(version) && !row.deprecated && !row.old_place && !row.path.contains(['*', '@', '['])
}

/// The key below the same section that looks most like `key`, and whether it can hardly be another one.
pub(super) fn sibling(pattern: &str, key: &str, version: Version) -> Option<(&'static str, bool)> {
    let lower = key.to_lowercase().replace('-', "_");
    let mut found: Vec<(usize, &'static str)> = Vec::new();
    for row in known::keys().iter().filter(|r| plain(r, version)) {
        let (parent, name) = row.path.rsplit_once('.').unwrap_or(("", row.path));
        if parent != pattern {
            continue;
        }
        let distance = strsim::damerau_levenshtein(&lower, name);
        let near = distance <= limit(name) && distance < lower.chars().count();
        if near || extends(&lower, name) || extends(name, &lower) {
            found.push((distance, name));
        }
    }
    found.sort_unstable();
    let (distance, name) = *found.first()?;
    let alone = found.iter().filter(|(d, _)| *d <= distance + 1).count() == 1;
    Some((name, alone && distance <= 2 && key.len() > 4))
}

/// Whether a name is another one with a word in front, or `file` behind: `certfile` and `cert`, `use_pg_rewind` and `pg_rewind`.
fn extends(long: &str, short: &str) -> bool {
    let behind = long.strip_prefix(short).is_some_and(|rest| matches!(rest, "file" | "_file"));
    short.len() >= 3 && (behind || long.strip_suffix(short).is_some_and(|rest| rest.ends_with('_')))
}

/// The names of the keys that Patroni reads in a section.
pub(super) fn names(pattern: &str, version: Version) -> Vec<&'static str> {
    let rows = known::keys().iter().filter(|r| plain(r, version));
    rows.filter_map(|r| {
        let (parent, name) = r.path.rsplit_once('.').unwrap_or(("", r.path));
        (parent == pattern).then_some(name)
    })
    .collect()
}

/// The tag that Patroni acts on and that one of the user's own is so much like that it was meant: `no_failover`.
pub(super) fn tag(key: &str, version: Version) -> Option<&'static str> {
    let letters = |text: &str| text.to_lowercase().replace(['-', '_'], "");
    let near = |name: &&str| name.len() >= 6 && strsim::damerau_levenshtein(&letters(key), &letters(name)) <= 1;
    names("tags", version).into_iter().find(near)
}

/// How many slips a name may hold.
const fn limit(name: &str) -> usize {
    match name.len() {
        0..=3 => 1,
        4..=7 => 2,
        _ => 3,
    }
}

/// The one other place where a key of this name belongs. A setting of PostgreSQL belongs below `parameters`.
pub(super) fn other_place(pattern: &str, key: &str, version: Version) -> Option<String> {
    let dynamic = pattern.starts_with("bootstrap.dcs");
    let near_postgresql = matches!(pattern, "" | "postgresql" | "bootstrap.dcs" | "bootstrap.dcs.postgresql");
    if near_postgresql
        && !key.is_empty()
        && let Some(setting) = known::setting(key).next()
    {
        let section = if setting.recovery { "recovery_conf" } else { "parameters" };
        let only_there = known::command_line_setting(key, version).is_some();
        let prefix = if dynamic || only_there { "bootstrap.dcs.postgresql" } else { "postgresql" };
        return Some(format!("{prefix}.{section}.{key}"));
    }
    let places: Vec<&'static str> = known::keys()
        .iter()
        .filter(|r| plain(r, version) && r.path.rsplit('.').next() == Some(key) && !r.path.contains(".bin_name."))
        .map(|r| r.path)
        .collect();
    let is_dynamic = |p: &&&str| p.starts_with("bootstrap.dcs.");
    let preferred: Vec<&str> = places.iter().filter(|p| is_dynamic(p) == dynamic).copied().collect();
    let below_postgresql = preferred.iter().find(|p| p.strip_prefix("postgresql.") == Some(key));
    match (preferred.as_slice(), places.as_slice()) {
        ([one], _) | ([], [one]) => Some((*one).to_owned()),
        _ if pattern.is_empty() || pattern == "bootstrap" => below_postgresql.map(|p| (*p).to_owned()),
        _ => None,
    }
}
