//! Prepared transactions and logical slots, of which `pg_upgrade` refuses some and forgets others.

use crate::facts::Facts;
use crate::facts::gap::{Fact, Gap};
use crate::facts::nodes::Row;
use crate::rules::native::upgrade::carried::Settings;
use crate::rules::native::upgrade::{Upgraded, each_primary, listed};
use crate::rules::report::Report;

/// The first major whose logical slots `pg_upgrade` takes along.
const KEEPS_SLOTS: u16 = 17;

/// `upgrade-prepared-transactions`
pub(in crate::rules::native) fn prepared(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    each_primary(facts, report, |on, report| {
        let rows = on.node.rows("prepared_transactions")?;
        let Some(first) = rows.first() else { return Ok(()) };
        let text = |row: &Row, column: &str| row.get(column).unwrap_or_default().to_owned();
        let all: Vec<String> = rows.iter().map(|row| format!("`{}`", text(row, "gid"))).collect();
        report.add(
            report
                .problem(first.at)
                .arg("member", &*on.node.name)
                .arg("all", listed(&all))
                .arg("count", rows.len().to_string())
                .arg("gid", text(first, "gid").replace('\'', "''"))
                .arg("database", text(first, "database")),
        );
        Ok(())
    });
    Ok(())
}

/// `upgrade-logical-slots`
pub(in crate::rules::native) fn logical(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    each_primary(facts, report, |on, report| {
        let is_kept = |row: &&Row| row.get("slot_type") == Some("logical") && !row.is("temporary");
        let slots: Vec<&Row> = on.node.rows("slots")?.iter().filter(is_kept).collect();
        let Some(first) = slots.first() else { return Ok(()) };
        let names: Vec<String> =
            slots.iter().filter_map(|row| row.get("slot_name")).map(|name| format!("`{name}`")).collect();
        let mut add = |what: String, todo: &str| {
            let problem = report.problem(first.at).arg("member", &*on.node.name);
            report.add(problem.arg("what", what).arg("slots", listed(&names)).arg("todo", todo));
        };
        if on.major()? < KEEPS_SLOTS {
            let what = format!("pg_upgrade of a server before {KEEPS_SLOTS} leaves them behind without a word");
            add(
                what,
                "let their readers catch up and stop, and make the slots, and what reads them, anew behind the upgrade",
            );
            return Ok(());
        }
        if let Some(lost) = slots.iter().find(|row| is_invalid(row)) {
            let name = lost.get("slot_name").unwrap_or_default();
            add(
                format!("`{name}` is invalid, and pg_upgrade refuses the cluster"),
                "drop it: `SELECT pg_drop_replication_slot(…)`",
            );
        }
        for what in new_settings(on, slots.len())? {
            add(what, "set it in the new cluster's postgresql.conf before pg_upgrade");
        }
        Ok(())
    });
    Ok(())
}

fn is_invalid(row: &Row) -> bool {
    row.get("wal_status") == Some("lost") || row.get("invalidation_reason").is_some() || row.is("conflicting")
}

/// What the new cluster must be set to so that slots can be made in it.
fn new_settings(on: &Upgraded<'_>, count: usize) -> Fact<Vec<String>> {
    let (_, server) = on.made_data()?;
    let settings = Settings::of(on, server)?;
    let mut wrong = Vec::new();
    let level = settings.value("wal_level").unwrap_or("replica");
    if level != "logical" {
        wrong.push(format!("`wal_level` of the new cluster is {level}, and must be logical for them"));
    }
    let most = settings.value("max_replication_slots").unwrap_or("10");
    if most.parse::<usize>().is_ok_and(|most| most < count) {
        wrong.push(format!("`max_replication_slots` of the new cluster is {most}, and there are {count}"));
    }
    Ok(wrong)
}
