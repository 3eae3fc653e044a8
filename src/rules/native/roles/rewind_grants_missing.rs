//! The rewind role without the right to call what `pg_rewind` calls (`bootstrap.py:Bootstrap.post_bootstrap`).

use std::collections::BTreeSet;

use super::quoted;
use crate::facts::Facts;
use crate::facts::gap::{Gap, GapReason};
use crate::parse::sql::{Attribute, Sql};
use crate::rules::report::Report;

/// What `pg_rewind` calls on the source server since PostgreSQL 11.
const FUNCTIONS: [&str; 4] = [
    "pg_ls_dir(text, boolean, boolean)",
    "pg_stat_file(text, boolean)",
    "pg_read_binary_file(text)",
    "pg_read_binary_file(text, bigint, bigint, boolean)",
];

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    let mut said = BTreeSet::new();
    for member in facts.members() {
        let Some(user) = facts.patroni[member.file].config.get("postgresql.authentication.rewind.username") else {
            continue;
        };
        let Some(name) = user.as_str() else { continue };
        let sqls = || member.sqls.iter().map(|i| &facts.sqls[*i].sql);
        let Some(role) = sqls().find_map(|s| s.roles().get(name)).filter(|r| r.created.is_some()) else { continue };
        if role.has(Attribute::Superuser) {
            continue;
        }
        let missing: Vec<&str> =
            FUNCTIONS.iter().copied().filter(|f| !sqls().any(|s| s.execute_grant(name, f).is_some())).collect();
        if !missing.is_empty() && sqls().any(Sql::is_open) {
            let what = format!("grants to role `{name}` in the SQL files");
            report.known::<()>(Err(Gap::new(what, GapReason::Unreadable).on(&member.name)));
            continue;
        }
        if missing.is_empty() || !said.insert(role.named) {
            continue;
        }
        let grants: Vec<String> =
            missing.iter().map(|f| format!("GRANT EXECUTE ON FUNCTION pg_catalog.{f} TO {};", quoted(name))).collect();
        let functions: Vec<String> = missing.iter().map(|f| format!("`{f}`")).collect();
        report.add(
            report
                .problem(role.named)
                .arg("role", name)
                .arg("functions", functions.join(", "))
                .arg("grants", grants.join(" "))
                .label(user.span, "used here"),
        );
    }
    Ok(())
}
