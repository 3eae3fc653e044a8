//! Queries of rules: exactly one `SELECT` that changes nothing.

use pg_query::NodeEnum;

/// Functions that change something, wait, or read files; by the beginnings of their names.
const HARMFUL: [&str; 49] = [
    "binary_upgrade",
    "cursor_to_xml",
    "database_to_xml",
    "dblink",
    "lo_",
    "nextval",
    "pg_advisory",
    "pg_backup_",
    "pg_cancel_backend",
    "pg_clear_",
    "pg_copy_",
    "pg_create_",
    "pg_current_xact_id",
    "pg_drop_",
    "pg_export_snapshot",
    "pg_extension_config_dump",
    "pg_file_read",
    "pg_file_rename",
    "pg_file_sync",
    "pg_file_unlink",
    "pg_file_write",
    "pg_import",
    "pg_log",
    "pg_ls_",
    "pg_notify",
    "pg_promote",
    "pg_read_",
    "pg_reload_conf",
    "pg_replication_origin_",
    "pg_replication_slot_advance",
    "pg_restore_",
    "pg_rotate_logfile",
    "pg_set_",
    "pg_sleep",
    "pg_start_backup",
    "pg_stat_reset",
    "pg_stop_backup",
    "pg_switch_wal",
    "pg_sync_replication_slots",
    "pg_terminate_backend",
    "pg_try_advisory",
    "pg_wal_replay_",
    "query_to_xml",
    "schema_to_xml",
    "set_config",
    "setval",
    "table_to_xml",
    "ts_stat",
    "txid_current",
];

/// Functions that only begin like a harmful one.
const HARMLESS: [&str; 3] = ["pg_current_xact_id_if_assigned", "txid_current_if_assigned", "txid_current_snapshot"];

/// Whether a query may be sent to a production server.
///
/// # Errors
/// Why not.
pub fn is_harmless(query: &str) -> Result<(), String> {
    let parsed = pg_query::parse(query, 0).map_err(|e| e.to_string())?;
    let [statement] = &parsed.protobuf.stmts[..] else { return Err("it is not exactly one statement".to_owned()) };
    let node = statement.stmt.as_ref().and_then(|s| s.node.as_ref());
    if !matches!(node, Some(NodeEnum::SelectStmt(s)) if s.into_clause.is_none() && s.locking_clause.is_empty()) {
        return Err("it is not a plain SELECT".to_owned());
    }
    for (node, ..) in parsed.protobuf.nodes() {
        let kind = format!("{node:?}");
        if ["InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt", "LockingClause"].iter().any(|k| kind.starts_with(k))
        {
            return Err("it changes or locks rows".to_owned());
        }
    }
    let bad = |f: &String| {
        let name = f.rsplit('.').next().unwrap_or_default();
        !HARMLESS.contains(&name) && HARMFUL.iter().any(|h| name.starts_with(h))
    };
    match parsed.functions().iter().find(|f| bad(f)) {
        Some(function) => Err(format!("it calls {function}")),
        None => Ok(()),
    }
}

/// The names of the columns of a query.
///
/// # Errors
/// When it cannot be parsed, or a column has no name of its own.
pub fn columns(query: &str) -> Result<Vec<String>, String> {
    let parsed = pg_query::parse(query, 0).map_err(|e| e.to_string())?;
    let node = parsed.protobuf.stmts.first().and_then(|s| s.stmt.as_ref()).and_then(|s| s.node.as_ref());
    let Some(NodeEnum::SelectStmt(select)) = node else { return Err("it is not a plain SELECT".to_owned()) };
    // A UNION has the names of its first part.
    let mut select = select;
    while let Some(left) = &select.larg {
        select = left;
    }
    let name = |target: &pg_query::protobuf::Node| match target.node.as_ref() {
        Some(NodeEnum::ResTarget(t)) if !t.name.is_empty() => Some(t.name.clone()),
        Some(NodeEnum::ResTarget(t)) => match t.val.as_ref().and_then(|v| v.node.as_ref()) {
            Some(NodeEnum::ColumnRef(column)) => match column.fields.last().and_then(|f| f.node.as_ref()) {
                Some(NodeEnum::String(s)) => Some(s.sval.clone()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    };
    let unnamed = || "each column needs a name: write `AS name` behind it, and no `*`".to_owned();
    select.target_list.iter().map(|t| name(t).ok_or_else(unnamed)).collect()
}

#[cfg(test)]
mod tests {
    use super::{columns, is_harmless};

    #[test]
    fn columns_have_names() {
        let names = |query: &str| columns(query).map(|c| c.join(" "));
        assert_eq!(names("SELECT s.slot_name, count(*) AS n FROM s UNION SELECT 1, 2"), Ok("slot_name n".to_owned()));
        assert!(names("SELECT * FROM t").is_err() && names("SELECT count(*) FROM t").is_err() && names("x").is_err());
    }

    #[test]
    fn only_plain_selects_pass() {
        assert_eq!(is_harmless("SELECT slot_name FROM pg_replication_slots"), Ok(()));
        for bad in [
            "SELECT 1; SELECT 2",
            "DELETE FROM t",
            "SELECT * FROM t FOR UPDATE",
            "SELECT 1 INTO t",
            "WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d",
            "SELECT pg_catalog.pg_sleep(1)",
            "SELECT pg_drop_replication_slot('a')",
            "SELECT * FROM pg_logical_slot_get_changes('a', NULL, NULL)",
            "SELECT 1 FROM pg_try_advisory_lock(1)",
            "SELECT query_to_xml('DELETE FROM t', true, true, '')",
            "SELECT txid_current()",
            "SELECT a FROM (SELECT pg_wal_replay_pause()) AS p(a)",
            "SELECT",
            "nonsense",
        ] {
            assert!(is_harmless(bad).is_err() || bad == "SELECT", "{bad}");
        }
    }
}
