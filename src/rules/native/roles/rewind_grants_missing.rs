//! The rewind role without the right to call what `pg_rewind` calls (`bootstrap.py:Bootstrap.post_bootstrap`).

use std::collections::BTreeSet;

use super::quoted;
use crate::facts::gap::{Gap, GapReason};
use crate::facts::nodes::{Node, Row};
use crate::facts::running::speaker_of;
use crate::facts::{Facts, Member};
use crate::parse::patroni::Item;
use crate::parse::sql::{Attribute, Sql};
use crate::problem::Problem;
use crate::rules::report::Report;
use crate::source::Span;

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
        if let Some(server) = speaker_of(facts, member) {
            of_server(facts, member, server, (user, name), &mut said, report);
            continue;
        }
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
        report.add(problem(report, role.named, user, name, &missing));
    }
    Ok(())
}

fn problem(report: &Report, at: Span, user: &Item, name: &str, missing: &[&str]) -> Problem {
    let grants: Vec<String> =
        missing.iter().map(|f| format!("GRANT EXECUTE ON FUNCTION pg_catalog.{f} TO {};", quoted(name))).collect();
    let functions: Vec<String> = missing.iter().map(|f| format!("`{f}`")).collect();
    report
        .problem(at)
        .arg("role", name)
        .arg("functions", functions.join(", "))
        .arg("grants", grants.join(" "))
        .label(user.span, "used here")
}

/// The same on a running server. Rights belong to a database, so it must have been asked in the one that Patroni uses.
fn of_server(
    facts: &Facts,
    member: &Member,
    server: &Node,
    (user, name): (&Item, &str),
    said: &mut BTreeSet<Span>,
    report: &mut Report,
) {
    let file = &facts.patroni[member.file];
    let database = file.config.get("postgresql.database").and_then(Item::as_str).unwrap_or("postgres");
    let Some(rows) = report.known(server.rows("rewind_privileges")) else { return };
    if rows.first().and_then(|row| row.get("database")).is_some_and(|asked| asked != database) {
        let gap = server.not_asked(&format!("what role `{name}` may execute in database {database}"));
        report.known::<()>(Err(gap));
        return;
    }
    let plain = |text: &str| text.trim_start_matches("pg_catalog.").replace(' ', "");
    let row_of = |function: &str| {
        let is_it = |row: &&Row| {
            row.get("rolname") == Some(name) && row.get("signature").is_some_and(|s| plain(s) == plain(function))
        };
        rows.iter().find(is_it).filter(|row| !row.is("allowed"))
    };
    let missing: Vec<(&str, Span)> = FUNCTIONS.iter().filter_map(|f| Some((*f, row_of(f)?.at))).collect();
    let Some((_, at)) = missing.first() else { return };
    if said.insert(*at) {
        let functions: Vec<&str> = missing.iter().map(|(function, _)| *function).collect();
        report.add(problem(report, *at, user, name, &functions).node(&server.name));
    }
}
