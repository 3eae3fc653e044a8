//! `VALID UNTIL` for a role that Patroni logs in as.

use std::collections::BTreeSet;

use super::{USERS, quoted};
use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::facts::running::speaker_of;
use crate::parse::patroni::Item;
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    let mut said = BTreeSet::new();
    for member in facts.members() {
        let Some(users) = facts.patroni[member.file].config.get("postgresql.authentication") else { continue };
        for user in USERS.iter().filter_map(|section| users.get(section)?.get("username")) {
            let Some(name) = user.as_str() else { continue };
            if let Some(server) = speaker_of(facts, member) {
                let Some(rows) = report.known(server.rows("roles")) else { break };
                let row = rows.iter().find(|row| row.get("rolname") == Some(name));
                let until = row.and_then(|row| Some((row, row.get("rolvaliduntil").filter(|t| *t != "infinity")?)));
                let Some((row, until)) = until.filter(|(row, _)| said.insert(row.at)) else { continue };
                let problem = report.problem(row.at).node(&server.name).arg("role", name);
                let problem = problem.arg("quoted", quoted(name)).arg("until", until);
                report.add(problem.label(Item::key_or_value(user), "Patroni logs in as this role"));
                continue;
            }
            let of = |i: &usize| facts.sqls[*i].sql.roles().get(name)?.valid_until.as_ref();
            let Some(until) = member.sqls.iter().rev().find_map(of) else { continue };
            let forever = until.value.trim().eq_ignore_ascii_case("infinity");
            // What a variable stands for is not known.
            if forever || until.value.starts_with(':') || !said.insert(until.span) {
                continue;
            }
            report.add(
                report
                    .problem(until.span)
                    .arg("role", name)
                    .arg("quoted", quoted(name))
                    .arg("until", until.value.as_str())
                    .label(Item::key_or_value(user), "Patroni logs in as this role"),
            );
        }
    }
    Ok(())
}
