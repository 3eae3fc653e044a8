//! From what was typed to a page, or to what was probably meant.

use std::collections::BTreeSet;

use super::{Page, key, rule, setting, variable};
use crate::knowledge::guc;
use crate::knowledge::patroni::{self as known, KeyFact};
use crate::rules::builtin::{self, BUILTIN};

/// What a name leads to.
#[derive(Debug)]
pub enum Found {
    /// Pages, and other names that it could stand for.
    Pages(Vec<Page>, Vec<String>),
    /// Several keys have that name.
    Several(Vec<String>),
    /// Nothing has; these are close.
    Nothing(Vec<String>),
}

/// Looks a name up among rules, keys, settings and variables.
#[must_use]
pub fn find(name: &str) -> Found {
    let name = name.trim().trim_matches('`');
    if let Some(found) = builtin::find(name) {
        return Found::Pages(vec![rule::page(found)], Vec::new());
    }
    let bare = name.strip_prefix(variable::PREFIX).unwrap_or(name);
    if let Some(row) = (bare == bare.to_uppercase()).then(|| variable::row(bare)).flatten() {
        let mut pages = vec![variable::page(bare, row)];
        pages.extend(known::key(&variable::concrete(bare, row)).map(key::page));
        return Found::Pages(pages, Vec::new());
    }
    let keys = keys(name);
    if let Some(page) = setting_name(name).and_then(setting::page) {
        let others = keys.iter().filter(|k| !k.path.contains(".parameters.")).map(|k| k.path.to_owned()).collect();
        return Found::Pages(vec![page], others);
    }
    let exact: Vec<&KeyFact> = keys.iter().copied().filter(|k| is_whole(k.path, name)).collect();
    match (exact.as_slice(), keys.as_slice()) {
        ([], []) => Found::Nothing(near(name)),
        ([], [one]) => Found::Pages(vec![key::page(one)], Vec::new()),
        ([], several) if same_key(several) => Found::Pages(several.iter().map(|k| key::page(k)).collect(), Vec::new()),
        ([], several) => Found::Several(several.iter().map(|k| k.path.to_owned()).collect()),
        (exact, _) => Found::Pages(exact.iter().map(|k| key::page(k)).collect(), Vec::new()),
    }
}

/// A setting by its name, or by its path in a configuration.
fn setting_name(name: &str) -> Option<&str> {
    let last = name.rsplit_once(".parameters.").map_or(name, |(_, last)| last);
    let last = last.strip_prefix("parameters.").unwrap_or(last);
    (!last.is_empty()).then_some(last)
}

/// Whether a name is a whole path, in a file or in the dynamic configuration.
fn is_whole(path: &str, name: &str) -> bool {
    path == name || path.strip_prefix("bootstrap.dcs.") == Some(name) || pattern(name).is_some_and(|p| p.path == path)
}

/// The row that a path with names of the user's own leads to: `bootstrap.dcs.slots.mine.type`.
fn pattern(path: &str) -> Option<&'static KeyFact> {
    let mut row: Option<&'static KeyFact> = None;
    for part in path.split('.') {
        let above = row.map_or("", |r| r.path);
        row = Some(known::child(above, part).or_else(|| known::list_item(above, part))?);
    }
    row
}

/// The keys whose path ends with what was typed.
fn keys(name: &str) -> Vec<&'static KeyFact> {
    let ends = |path: &str| path == name || path.strip_suffix(name).is_some_and(|before| before.ends_with(['.', ']']));
    let mut rows: Vec<&'static KeyFact> = known::keys().iter().filter(|r| ends(r.path) && !r.old_place).collect();
    if rows.is_empty() {
        rows.extend([name.to_owned(), format!("bootstrap.dcs.{name}")].iter().filter_map(|p| pattern(p)));
    }
    rows
}

/// Whether several rows are one key, in a file and in the dynamic configuration.
fn same_key(rows: &[&KeyFact]) -> bool {
    let names: BTreeSet<&str> = rows.iter().map(|r| r.path.strip_prefix("bootstrap.dcs.").unwrap_or(r.path)).collect();
    names.len() == 1
}

/// What is written much like it, best first.
fn near(name: &str) -> Vec<String> {
    let lower = name.to_lowercase();
    let last = |text: &str| text.rsplit('.').next().unwrap_or(text).to_lowercase();
    let allowed = (lower.chars().count() / 3).clamp(1, 4);
    let mut found: BTreeSet<(usize, String)> = BTreeSet::new();
    let mut add = |candidate: &str, whole: &str| {
        let compared = if lower.contains('.') { whole.to_lowercase() } else { last(candidate) };
        let distance = strsim::damerau_levenshtein(&lower, &compared);
        if distance <= allowed
            || compared.len() > 5 && lower.len() > 5 && (compared.contains(&lower) || lower.contains(&compared))
        {
            found.insert((distance, whole.to_owned()));
        }
    };
    for rule in BUILTIN {
        add(&rule.id, &rule.id);
    }
    for row in known::keys().iter().filter(|r| !r.old_place && !r.path.ends_with('*')) {
        add(row.path, row.path);
    }
    for setting in guc::names() {
        add(setting, setting);
    }
    let whole =
        if name.starts_with(variable::PREFIX) { name.to_owned() } else { format!("{}{name}", variable::PREFIX) };
    let best = found.first().map_or(usize::MAX, |f| f.0);
    let mut names: Vec<String> = found.into_iter().filter(|f| f.0 <= best + 1).map(|f| f.1).collect();
    let mut variables: Vec<(usize, String)> = variable::names()
        .map(|v| (strsim::damerau_levenshtein(&whole.to_uppercase(), &v), v))
        .filter(|(d, _)| *d <= 2)
        .collect();
    variables.sort();
    names.extend(variables.into_iter().map(|v| v.1));
    names.dedup();
    names.truncate(5);
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages(name: &str) -> Vec<String> {
        match find(name) {
            Found::Pages(pages, _) => pages.into_iter().map(|p| p.name).collect(),
            other => panic!("{name}: {other:?}"),
        }
    }

    #[test]
    fn names_lead_to_their_pages() {
        assert_eq!(pages("timeouts-rule"), ["timeouts-rule"]);
        assert_eq!(pages("ttl"), ["bootstrap.dcs.ttl"]);
        assert_eq!(pages("postgresql.use_slots"), ["bootstrap.dcs.postgresql.use_slots"]);
        assert_eq!(pages("bootstrap.dcs.slots.mine.type"), ["bootstrap.dcs.slots.*.type"]);
        assert_eq!(pages("postgresql.pg_hba"), ["bootstrap.dcs.postgresql.pg_hba", "postgresql.pg_hba"]);
        assert_eq!(pages("max_connections"), ["max_connections"]);
        assert_eq!(pages("SORT_MEM"), ["work_mem"]);
        assert_eq!(pages("wal_keep_segments"), ["wal_keep_segments"]);
        assert_eq!(pages("PATRONI_SCOPE"), ["PATRONI_SCOPE", "scope"]);
        assert_eq!(pages("PATRONI_ETCD3_HOSTS"), ["PATRONI_ETCD3_HOSTS", "etcd3.hosts"]);
    }

    #[test]
    fn a_short_name_of_several_keys_lists_them_and_a_slip_is_recognised() {
        assert!(matches!(find("username"), Found::Several(names) if names.len() > 5));
        for (slip, meant) in [
            ("timeout-rule", "timeouts-rule"),
            ("use_slot", "bootstrap.dcs.postgresql.use_slots"),
            ("max_conections", "max_connections"),
            ("PATRONI_SCOP", "PATRONI_SCOPE"),
        ] {
            assert!(
                matches!(find(slip), Found::Nothing(near) if near.iter().any(|n| n == meant)),
                "{slip}: {:?}",
                find(slip)
            );
        }
        assert!(matches!(find("frobnicate-the-zorp"), Found::Nothing(near) if near.is_empty()));
    }
}
