//! Finding the row of a key while walking down a configuration.

use super::{KeyFact, keys};

/// The row whose path is `parent`, a dot and `name`; at the top, `parent` is empty.
fn joined(parent: &str, dot: &str, name: &str) -> Option<&'static KeyFact> {
    let wanted = || parent.bytes().chain(dot.bytes()).chain(name.bytes());
    let rows = keys();
    rows.binary_search_by(|row| row.path.bytes().cmp(wanted())).ok().map(|i| &rows[i])
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
