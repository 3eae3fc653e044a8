//! Values of PostgreSQL settings, compared as the server reads them.

use crate::knowledge::guc::{self, Guc, MAJORS};
use crate::parse::guc_value::parse_value;

/// The newest major that knows a setting, and its entry.
fn newest(name: &str) -> Option<(u16, &'static Guc)> {
    MAJORS.rev().find_map(|v| guc::find(name, v).map(|guc| (v, guc)))
}

/// Whether two texts are one value of a setting: `on` and `true`, `1GB` and `1024MB`, `hot_standby` and `replica`.
#[must_use]
pub fn equal(name: &str, a: &str, b: &str) -> bool {
    let Some((version, guc)) = newest(name) else { return a == b };
    match (parse_value(guc, a, version), parse_value(guc, b, version)) {
        (Ok(a), Ok(b)) => a == b,
        _ => a.eq_ignore_ascii_case(b),
    }
}

/// What a server has without any configuration, in the unit of the setting; `None` for a setting that it does not know.
/// Without a version the newest is asked.
#[must_use]
pub fn default_value(name: &str, version: Option<u16>) -> Option<String> {
    let guc = version.map_or_else(|| newest(name).map(|n| n.1), |v| guc::find(name, v))?;
    Some(guc.default.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_value_are_equal() {
        assert!(equal("wal_keep_size", "2GB", "2048MB") && equal("wal_keep_size", "128MB", "128"));
        assert!(equal("wal_level", "hot_standby", "replica") && equal("wal_log_hints", "on", "TRUE"));
        assert!(!equal("max_connections", "100", "200") && !equal("wal_level", "replica", "logical"));
    }

    #[test]
    fn defaults_are_those_of_the_server() {
        assert_eq!(default_value("max_connections", Some(15)).as_deref(), Some("100"));
        assert_eq!(default_value("wal_keep_segments", Some(15)), None);
    }
}
