//! One copy of every name that Patroni or PostgreSQL knows, for configurations that repeat them thousands of times.

use std::sync::OnceLock;

use rustc_hash::FxHashSet;

use super::{guc, patroni};

/// The name itself, if it is that of a key of Patroni or of a setting of PostgreSQL; exactly as it is written.
#[must_use]
pub fn shared(name: &str) -> Option<&'static str> {
    static NAMES: OnceLock<FxHashSet<&'static str>> = OnceLock::new();
    let names = NAMES.get_or_init(|| {
        let keys = patroni::keys().iter().flat_map(|row| row.path.split('.'));
        keys.chain(guc::names()).collect()
    });
    names.get(name).copied()
}

#[cfg(test)]
mod tests {
    use super::shared;

    #[test]
    fn names_of_both_programs_are_known() {
        assert_eq!(shared("connect_address"), Some("connect_address"));
        assert_eq!(shared("DateStyle"), Some("DateStyle"));
        assert_eq!(shared("no_such_name"), None);
    }
}
