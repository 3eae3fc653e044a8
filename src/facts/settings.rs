//! Values of PostgreSQL settings, compared as the server reads them.

use crate::knowledge::guc::{self, Guc, MAJORS};
use crate::parse::guc_value::{GucValue, parse_value};

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

/// Whether a server that needs the first value of a setting suffers from the second: a smaller number, `off` for `on`, a
/// lower `wal_level`. Values that cannot be compared count as a loss.
#[must_use]
pub fn loses(name: &str, today: &str, later: &str) -> bool {
    let Some((version, guc)) = newest(name) else { return today != later };
    let rank = |value: &str| ["minimal", "replica", "logical"].iter().position(|w| equal("wal_level", w, value));
    match (parse_value(guc, today, version), parse_value(guc, later, version)) {
        (Ok(GucValue::Int(a)), Ok(GucValue::Int(b))) => b < a,
        (Ok(GucValue::Bool(a)), Ok(GucValue::Bool(b))) => a && !b,
        _ if name == "wal_level" => rank(later) < rank(today),
        _ => !equal(name, today, later),
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
    fn only_less_is_a_loss() {
        assert!(loses("max_connections", "200", "100") && !loses("max_connections", "5", "100"));
        assert!(loses("wal_level", "logical", "replica") && !loses("wal_level", "minimal", "replica"));
        assert!(loses("track_commit_timestamp", "on", "off") && !loses("wal_log_hints", "off", "on"));
    }

    #[test]
    fn defaults_are_those_of_the_server() {
        assert_eq!(default_value("max_connections", Some(15)).as_deref(), Some("100"));
        assert_eq!(default_value("wal_keep_segments", Some(15)), None);
    }
}
