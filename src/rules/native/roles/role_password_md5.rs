//! Passwords of Patroni's roles that are kept as MD5 hashes, which PostgreSQL has been giving up since 18.

use std::collections::BTreeSet;

use super::USERS;
use crate::facts::gap::Gap;
use crate::facts::running::speaker_of;
use crate::facts::{Facts, asked};
use crate::parse::hba::Method;
use crate::parse::patroni::Item;
use crate::rules::report::Report;

/// The first major that warns.
const WARNS: u16 = 18;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    let to = facts.upgrade.as_ref().map(|upgrade| upgrade.to);
    // Where a line wants SCRAM, such a password does not get in at all, which has a rule of its own.
    let refused = asked::all(facts, |rule| rule.method.value == Method::Scram);
    let refused: BTreeSet<&str> = refused.iter().map(|asked| asked.login.user.as_str()).collect();
    for cluster in facts.clusters() {
        let mut said = BTreeSet::new();
        for member in &cluster.members {
            let Some(server) = speaker_of(facts, member) else { continue };
            let now = server.version.and_then(|version| u16::try_from(version / 10_000).ok());
            let Some(major) = to.max(now).filter(|major| *major >= WARNS) else { continue };
            let Some(rows) = report.known(server.rows("role_passwords")) else { continue };
            for section in USERS {
                let path = format!("postgresql.authentication.{section}.username");
                let Some(item) = facts.patroni[member.file].config.get(&path) else { continue };
                let Some(role) = Item::as_str(item).filter(|role| !refused.contains(role)) else { continue };
                let row = rows.iter().find(|row| row.get("rolname") == Some(role) && row.get("kind") == Some("md5"));
                let Some(row) = row.filter(|_| said.insert(role)) else { continue };
                let problem = report.problem(row.at).node(&server.name).arg("role", role);
                report.add(problem.arg("major", major.to_string()).label(item.span, "Patroni logs in as this one"));
            }
        }
    }
    Ok(())
}
