//! A role of Patroni that lacks an attribute, on the server, or in the SQL that makes it.

use std::collections::BTreeSet;

use super::quoted;
use crate::facts::gap::{Gap, GapReason};
use crate::facts::nodes::Row;
use crate::facts::running::speaker_of;
use crate::facts::{Facts, Member};
use crate::parse::sql::{Attribute, RoleFacts};
use crate::rules::report::Report;

pub(in crate::rules::native) fn replication(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    let wanted = [(Attribute::Replication, "REPLICATION"), (Attribute::Login, "LOGIN")];
    find("postgresql.authentication.replication.username", &wanted, facts, report);
    Ok(())
}

pub(in crate::rules::native) fn superuser(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    let wanted = [(Attribute::Superuser, "SUPERUSER"), (Attribute::Login, "LOGIN")];
    find("postgresql.authentication.superuser.username", &wanted, facts, report);
    Ok(())
}

fn find(path: &str, wanted: &[(Attribute, &str)], facts: &Facts, report: &mut Report) {
    let mut said = BTreeSet::new();
    for member in facts.members() {
        let Some(user) = facts.patroni[member.file].config.get(path) else { continue };
        let Some(name) = user.as_str() else { continue };
        if let Some(server) = speaker_of(facts, member) {
            let Some(rows) = report.known(server.rows("roles")) else { continue };
            // One that is not there has a finding of its own.
            let Some(row) = rows.iter().find(|row| row.get("rolname") == Some(name)) else { continue };
            let missing = wanted.iter().find(|(attribute, _)| !has(row, *attribute));
            if let Some((_, word)) = missing.filter(|_| said.insert(row.at)) {
                let problem = report.problem(row.at).node(&server.name).arg("role", name);
                let problem = problem.arg("quoted", quoted(name)).arg("attribute", *word);
                report.add(problem.label(user.span, "used here"));
            }
            continue;
        }
        if member.sqls.is_empty() {
            continue;
        }
        let Some(role) = role(facts, member, name) else {
            let what = format!("role `{name}` in the SQL files");
            report.known::<()>(Err(Gap::new(what, GapReason::NotGiven).on(&member.name)));
            continue;
        };
        let is_superuser = role.has(Attribute::Superuser);
        let missing = wanted.iter().find(|(a, _)| !role.has(*a) && (!is_superuser || *a != Attribute::Replication));
        if let Some((attribute, word)) = missing {
            if member.sqls.iter().any(|i| facts.sqls[*i].sql.is_open()) {
                let what = format!("attributes of role `{name}` in the SQL files");
                report.known::<()>(Err(Gap::new(what, GapReason::Unreadable).on(&member.name)));
                continue;
            }
            let at = role.attributes.get(attribute).map_or(role.named, |a| a.span);
            if !said.insert(at) {
                continue;
            }
            report.add(
                report
                    .problem(at)
                    .arg("role", name)
                    .arg("quoted", quoted(name))
                    .arg("attribute", *word)
                    .label(user.span, "used here"),
            );
        }
    }
}

/// Whether a role of a running server has an attribute. A superuser may replicate.
fn has(row: &Row, attribute: Attribute) -> bool {
    match attribute {
        Attribute::Superuser => row.is("rolsuper"),
        Attribute::Replication => row.is("rolreplication") || row.is("rolsuper"),
        Attribute::Login => row.is("rolcanlogin"),
        _ => true,
    }
}

/// What the SQL of a member's cluster says of a role that it makes; what it only alters may have more attributes.
fn role<'a>(facts: &'a Facts, member: &Member, name: &str) -> Option<&'a RoleFacts> {
    member.sqls.iter().find_map(|i| facts.sqls[*i].sql.roles().get(name)).filter(|r| r.created.is_some())
}
