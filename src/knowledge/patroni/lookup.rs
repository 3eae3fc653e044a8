//! Finding the row of a key while walking down a configuration.

use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use super::{KeyFact, keys};

/// Rows by the name of their last part.
type Names = FxHashMap<&'static str, &'static KeyFact>;

/// Rows by the path above them; for those below items of a list, by the path of the list.
#[derive(Default)]
struct Index {
    sections: FxHashMap<&'static str, Names>,
    lists: FxHashMap<&'static str, Names>,
}

/// Hashed, because every key of every file is looked up several times.
fn index() -> &'static Index {
    static INDEX: OnceLock<Index> = OnceLock::new();
    INDEX.get_or_init(|| {
        let mut index = Index::default();
        for row in keys() {
            let (parent, name) = row.path.rsplit_once('.').unwrap_or(("", row.path));
            let names = match parent.strip_suffix("[]") {
                Some(list) => index.lists.entry(list),
                None => index.sections.entry(parent),
            };
            names.or_default().insert(name, row);
        }
        index
    })
}

/// The row of a name below a path.
fn joined(parent: &str, dot: &str, name: &str) -> Option<&'static KeyFact> {
    let index = index();
    let names = if dot == "[]." { &index.lists } else { &index.sections };
    names.get(parent)?.get(name).copied()
}

/// The row of a key below a row's path: its own, or that of `*`. Sections that a user has named are not found here.
#[must_use]
pub fn child(parent: &str, name: &str) -> Option<&'static KeyFact> {
    let dot = if parent.is_empty() { "" } else { "." };
    // Names in patterns are no names of keys.
    let own = if name.contains(['.', '*', '@', '[']) { None } else { joined(parent, dot, name) };
    own.or_else(|| joined(parent, dot, "*"))
}

/// The row for the items of a list of sections.
#[must_use]
pub fn list_item(parent: &str, name: &str) -> Option<&'static KeyFact> {
    let own = if name.contains(['.', '*', '@', '[']) { None } else { joined(parent, "[].", name) };
    own.or_else(|| joined(parent, "[].", "*"))
}

/// The row of a section that a user has named: a bootstrap method or a method to create replicas.
#[must_use]
pub fn method_section(parent: &str) -> Option<&'static KeyFact> {
    match parent.rsplit('.').next() {
        Some("bootstrap") => joined(parent, ".", "@method"),
        Some("postgresql") => joined(parent, ".", "@replica_method"),
        _ => None,
    }
}

/// Order of two paths, as the table is sorted.
#[cfg(test)]
fn in_order(a: &str, b: &str) -> bool {
    a.as_bytes() < b.as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_step_by_step() {
        let path = |parent, name| child(parent, name).map(|row| row.path);
        assert_eq!(path("", "scope"), Some("scope"));
        assert_eq!(path("bootstrap.dcs.slots", "anything"), Some("bootstrap.dcs.slots.*"));
        assert_eq!(path("bootstrap.dcs.slots.*", "type"), Some("bootstrap.dcs.slots.*.type"));
        assert_eq!(path("restapi", "listn"), None);
        assert_eq!(path("", "log.type"), None);
        assert_eq!(list_item("kubernetes.ports", "port").map(|r| r.path), Some("kubernetes.ports[].port"));
        assert_eq!(
            method_section("bootstrap.dcs.postgresql").map(|r| r.path),
            Some("bootstrap.dcs.postgresql.@replica_method")
        );
    }

    #[test]
    fn the_table_is_sorted_by_bytes() {
        assert!(keys().windows(2).all(|w| in_order(w[0].path, w[1].path)));
    }
}
