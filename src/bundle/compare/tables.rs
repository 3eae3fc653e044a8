//! By what things are known, and what of them always moves.

/// By what items of one kind are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// By these columns or fields.
    Fields(&'static [&'static str]),
    /// There is one.
    Single,
    /// Rows by all that they say, the parts of a map by their keys.
    All,
}

/// A kind of items.
#[derive(Debug, Clone, Copy)]
pub(super) struct Topic {
    /// What one is called; empty: as the question.
    pub(super) word: &'static str,
    pub(super) by: By,
    /// What of it says nothing, beside what [`moves`].
    pub(super) ignored: &'static [&'static str],
}

impl Topic {
    pub(super) fn word(&self, question: &str) -> String {
        if self.word.is_empty() { question.to_owned() } else { self.word.to_owned() }
    }
}

const fn topic(word: &'static str, by: By, ignored: &'static [&'static str]) -> Topic {
    Topic { word, by, ignored }
}

/// The questions to servers of `knowledge::queries` whose rows have names.
const QUESTIONS: [(&str, Topic); 31] = [
    (
        "settings",
        topic(
            "setting",
            By::Fields(&["name"]),
            &["unit", "context", "vartype", "sourceline", "boot_val", "reset_val", "min_val", "max_val", "enumvals"],
        ),
    ),
    ("file_settings", topic("line of a file", By::All, &["sourceline", "seqno"])),
    ("hba_rules", topic("pg_hba rule", By::All, &["rule_number", "line_number"])),
    ("ident_mappings", topic("pg_ident mapping", By::All, &["map_number", "line_number"])),
    (
        "slots",
        topic("slot", By::Fields(&["slot_name"]), &["active_pid", "catalog_xmin", "safe_wal_size", "inactive_since"]),
    ),
    ("standbys", topic("standby", By::Fields(&["application_name"]), &["pid", "client_port", "backend_start"])),
    ("wal_receiver", topic("", By::Single, &["pid", "receive_start_lsn"])),
    ("position", topic("", By::Single, &["now", "replayed_until"])),
    ("server", topic("server", By::Single, &["client_addr", "configuration_loaded"])),
    ("control_system", topic("", By::Single, &["pg_control_last_modified"])),
    ("control_checkpoint", topic("", By::Single, &["redo_wal_file", "next_xid", "next_oid"])),
    ("control_recovery", topic("", By::Single, &["min_recovery_end_timeline"])),
    ("control_init", topic("", By::Single, &[])),
    ("roles", topic("role", By::Fields(&["rolname"]), &[])),
    ("role_members", topic("membership", By::Fields(&["role", "member"]), &[])),
    ("role_passwords", topic("password of", By::Fields(&["rolname"]), &[])),
    ("role_settings", topic("setting of a role or database", By::Fields(&["role", "database", "name"]), &[])),
    ("file_times", topic("file", By::Fields(&["path"]), &["modification"])),
    ("rewind_privileges", topic("privilege", By::Fields(&["rolname", "signature"]), &[])),
    ("databases", topic("database", By::Fields(&["datname"]), &[])),
    ("size", topic("size", By::Single, &["bytes"])),
    ("event_triggers", topic("event trigger", By::Fields(&["evtname"]), &[])),
    ("tablespaces", topic("tablespace", By::Fields(&["spcname"]), &[])),
    ("publications", topic("publication", By::Fields(&["pubname"]), &[])),
    ("subscriptions", topic("subscription", By::Fields(&["database", "subname"]), &[])),
    ("prepared_transactions", topic("prepared transaction", By::Fields(&["gid"]), &[])),
    ("extensions", topic("extension", By::Fields(&["extname"]), &[])),
    ("libraries", topic("library", By::Fields(&["library"]), &[])),
    ("upgrade_columns", topic("column", By::Fields(&["schema", "relation", "column"]), &[])),
    (
        "archiver",
        topic(
            "",
            By::Single,
            &["archived_count", "last_archived_wal", "failed_count", "last_failed_wal", "stats_reset"],
        ),
    ),
    ("own_tls", topic("", By::Single, &[])),
];

/// A question that is not in the table: a rule of an organisation.
const OTHER: Topic = topic("", By::All, &[]);

pub(super) fn question(name: &str) -> &'static Topic {
    QUESTIONS.iter().find(|(question, _)| *question == name).map_or(&OTHER, |(_, topic)| topic)
}

/// What a host says, by the field.
pub(super) const HOST: &[(&str, Topic)] = &[
    ("clock", topic("clock", By::Single, &["there", "here"])),
    ("addresses", topic("address", By::Fields(&["interface", "address"]), &[])),
    ("names", topic("name", By::All, &[])),
    ("reverse", topic("name of", By::All, &[])),
    ("systemd", topic("systemd", By::Single, &[])),
    ("units", topic("unit", By::All, &[])),
    ("clusters", topic("cluster of Debian's packages", By::Fields(&["version", "name"]), &[])),
    ("processes", topic("process", By::Fields(&["name", "command"]), &["ppid"])),
    ("listeners", topic("listener", By::Fields(&["at"]), &[])),
    ("paths", topic("path", By::All, &["size"])),
    ("data", topic("data directory", By::All, &["entry.size", "wal.size"])),
    ("filesystems", topic("filesystem", By::All, &["free"])),
    ("made_at_boot", topic("directory made at boot", By::All, &[])),
    ("password_files", topic("password file", By::All, &[])),
    ("programs", topic("programs in", By::All, &[])),
    ("patroni", topic("Patroni at", By::All, &[])),
    ("watchdogs", topic("watchdog", By::All, &[])),
    ("reach", topic("connection to", By::All, &[])),
    ("access", topic("access of", By::All, &[])),
];

/// Endings of fields that are another value each time one looks.
const MOVING: [&str; 21] = [
    "lsn",
    "lag",
    "xmin",
    "xlog",
    "_time",
    "location",
    "timestamp",
    "dcs_last_seen",
    "receive_lsn",
    "replay_lsn",
    "alive",
    "holders",
    "status_age",
    "latest checkpoint location",
    "pg_control last modified",
    "Latest checkpoint's REDO location",
    "Latest checkpoint's REDO WAL file",
    "Latest checkpoint's NextXID",
    "Latest checkpoint's NextOID",
    "Time of latest checkpoint",
    "Minimum recovery ending location",
];
/// Fields that are others once something was restarted, and only then.
const RESTARTS: [&str; 6] = ["started", "postmaster_start_time", "pid", "main_pid", "pid_file.pid", "pid_file.started"];

/// Whether a field is another one each time one looks.
pub(super) fn moves(field: &str) -> bool {
    if tells_restart(field) {
        return false;
    }
    let field = field.to_lowercase();
    MOVING.iter().any(|end| field.ends_with(&end.to_lowercase()))
        || field.contains("checkpoint's old")
        || field.contains("checkpoint's next")
}

/// Whether a field that is another one says that something was restarted.
pub(super) fn tells_restart(field: &str) -> bool {
    let is_last = |name: &str| field == name || field.strip_suffix(name).is_some_and(|f| f.ends_with('.'));
    RESTARTS.into_iter().any(is_last)
}

/// Whether a key of a scope holds nothing but positions.
pub(super) fn is_moving_key(key: &str) -> bool {
    matches!(key, "status" | "optime/leader" | "optime")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::queries::questions;

    #[test]
    fn every_question_is_in_the_table() {
        for question in questions() {
            assert!(QUESTIONS.iter().any(|(name, _)| *name == question.name), "{}", question.name);
        }
    }

    #[test]
    fn positions_move_and_starts_tell() {
        for field in ["restart_lsn", "replay_lag", "members.pg1.lag", "control.Latest checkpoint's REDO location"] {
            assert!(moves(field), "{field}");
        }
        for field in ["setting", "wal_status", "timeline", "state", "active"] {
            assert!(!moves(field), "{field}");
        }
        assert!(tells_restart("pid_file.started") && tells_restart("postmaster_start_time") && !tells_restart("state"));
    }
}
