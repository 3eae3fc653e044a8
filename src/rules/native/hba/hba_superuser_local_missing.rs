//! Patroni's superuser cannot log in to its own server.

use super::{place, single};
use crate::facts::connections::{Admission, admission, known_login, own_address};
use crate::facts::gap::{Gap, GapReason};
use crate::facts::hba_decision::Database;
use crate::facts::{Facts, Member};
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    facts.any_given("`pg_hba.conf`", facts.hbas.len())?;
    for member in facts.members() {
        let Some(hba) = report.known(member.hba.clone()) else { continue };
        let _ = report_member(facts, member, hba, report).map_err(|gap| report.known::<()>(Err(gap)));
    }
    Ok(())
}

fn report_member(facts: &Facts, member: &Member, hba: usize, report: &mut Report) -> Result<(), Gap> {
    let patroni = &facts.patroni[member.file];
    let Some(login) = known_login(patroni, "superuser", member)? else { return Ok(()) };
    let database = patroni.config.get("postgresql.database");
    if database.is_some_and(|d| !d.is_known()) {
        return Err(Gap::new("`postgresql.database`", GapReason::Unreadable).on(&member.name));
    }
    let database = database.and_then(|d| d.as_str()).unwrap_or("postgres");
    let from = own_address(facts, member, "use_unix_socket")?;
    let file = &facts.hbas[hba];
    let database_asked = Database::Named(database.to_owned());
    if admission(&file.hba, &login, from, &database_asked, &member.name)? != Admission::NoLine {
        return Ok(());
    }
    let line = match from {
        Some(address) => format!("host {database} {} {} scram-sha-256", login.user, single(address)),
        None => format!("local {database} {} peer", login.user),
    };
    let mut problem = report
        .problem(place(file))
        .arg("member", member.name.as_str())
        .arg("user", login.user)
        .arg("database", database)
        .arg("from", from.map_or_else(|| "the unix socket".to_owned(), |a| a.to_string()))
        .arg("line", line);
    if let Some(user) = patroni.config.get("postgresql.authentication.superuser.username") {
        problem = problem.label(user.span, "Patroni logs in as this role");
    }
    report.add(problem);
    Ok(())
}
