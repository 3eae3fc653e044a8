//! What became of settings between majors. Comings and goings follow from the tables of [`super::guc`]; only renames are
//! written by hand, each with its source.

use super::guc;

/// A setting that has another name since a major.
#[derive(Debug, PartialEq, Eq)]
pub struct Rename {
    /// The former name.
    pub old: &'static str,
    /// The name since then. Its values may be written differently: see `note`.
    pub new: &'static str,
    /// The major that renamed it. Majors before 10 had two parts and count as 9.
    pub since: u16,
    /// What to mind when the value is carried over; empty when it can be kept.
    pub note: &'static str,
    /// Where this is said.
    pub source: &'static str,
}

/// Renames, newest first.
pub const RENAMES: &[Rename] = &[
    Rename {
        old: "ssl_ecdh_curve",
        new: "ssl_groups",
        since: 18,
        note: "the old name is still accepted",
        source: "https://www.postgresql.org/docs/release/18.0/",
    },
    Rename {
        old: "force_parallel_mode",
        new: "debug_parallel_query",
        since: 16,
        note: "",
        source: "https://www.postgresql.org/docs/release/16.0/",
    },
    Rename {
        old: "wal_keep_segments",
        new: "wal_keep_size",
        since: 13,
        note: "it counts megabytes: segments times the segment size, usually 16MB",
        source: "https://www.postgresql.org/docs/release/13.0/",
    },
    Rename {
        old: "unix_socket_directory",
        new: "unix_socket_directories",
        since: 9,
        note: "",
        source: "https://www.postgresql.org/docs/release/9.3.0/",
    },
    Rename {
        old: "replication_timeout",
        new: "wal_sender_timeout",
        since: 9,
        note: "",
        source: "https://www.postgresql.org/docs/release/9.3.0/",
    },
    Rename {
        old: "checkpoint_segments",
        new: "max_wal_size",
        since: 9,
        note: "it is a size: about three times the segments times 16MB",
        source: "https://www.postgresql.org/docs/release/9.5.0/",
    },
];

/// The rename of a name that a major no longer knows as its own.
#[must_use]
pub fn renamed(old: &str, version: u16) -> Option<&'static Rename> {
    RENAMES.iter().find(|r| r.old.eq_ignore_ascii_case(old) && r.since <= version)
}

/// The first major of the tables that no longer knows a name, counting only names that an earlier one knows.
#[must_use]
pub fn removed_in(name: &str) -> Option<u16> {
    let last = *guc::versions(name).last()?;
    (last < *guc::MAJORS.end() && guc::build_dependent(name).is_none()).then_some(last + 1)
}

/// The first major of the tables that knows a name; `None` when the oldest does already, or none does.
#[must_use]
pub fn added_in(name: &str) -> Option<u16> {
    let first = *guc::versions(name).first()?;
    (first > *guc::MAJORS.start() && guc::build_dependent(name).is_none()).then_some(first)
}

/// The names that `from` accepts and `to` refuses, sorted.
#[must_use]
pub fn removed_between(from: u16, to: u16) -> Vec<&'static str> {
    let gone = |n: &str| guc::find(n, to).is_none() && guc::build_dependent(n).is_none();
    guc::all(from).map(|g| g.name).filter(|n| gone(n)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removals_follow_from_the_tables() {
        assert_eq!(removed_in("vacuum_defer_cleanup_age"), Some(16));
        assert_eq!(removed_in("ssl_ecdh_curve"), None, "18 still accepts it");
        assert_eq!(added_in("wal_keep_size"), None);
        assert_eq!(added_in("summarize_wal"), Some(17));
        assert_eq!(removed_between(17, 18), Vec::<&str>::new());
        assert_eq!(removed_between(16, 17), ["db_user_namespace", "old_snapshot_threshold", "trace_recovery_messages"]);
    }

    #[test]
    fn renames_lead_to_names_that_exist() {
        for r in RENAMES {
            assert!(guc::find(r.new, 18).is_some(), "{}", r.new);
        }
    }
}
