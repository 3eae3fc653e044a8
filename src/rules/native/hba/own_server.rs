//! Log-ins of Patroni to the server on its own host that matter less than that of the superuser.

use std::net::{IpAddr, Ipv6Addr};

use super::{place, single};
use crate::facts::connections::{Admission, LocalEnd, admission, local_end, login, own_address};
use crate::facts::gap::{Fact, Gap};
use crate::facts::hba_decision::Database;
use crate::facts::nodes::Node;
use crate::facts::{Facts, Member};
use crate::rules::report::Report;
use crate::source::Span;

/// `hba-replication-local-missing`
pub(in crate::rules::native) fn replication(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for_each(facts, report, replication_of)
}

/// `hba-ipv6-localhost`
pub(in crate::rules::native) fn ipv6(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for_each(facts, report, ipv6_of)
}

/// Looks at each member with a `pg_hba.conf`. That there is none for another one the rule about the superuser notes.
fn for_each(
    facts: &Facts,
    report: &mut Report,
    look: fn(&Facts, &Member, usize, &mut Report) -> Result<(), Gap>,
) -> Result<(), Gap> {
    for member in facts.members() {
        let Ok(hba) = member.hba else { continue };
        let _ = look(facts, member, hba, report).map_err(|gap| report.known::<()>(Err(gap)));
    }
    Ok(())
}

fn replication_of(facts: &Facts, member: &Member, hba: usize, report: &mut Report) -> Result<(), Gap> {
    let Some(login) = login(&facts.patroni[member.file], "replication") else { return Ok(()) };
    let from = own_address(facts, member, "use_unix_socket_repl")?;
    let file = &facts.hbas[hba];
    if admission(&file.hba, &login, from, &Database::PhysicalReplication, &member.name)? != Admission::NoLine {
        return Ok(());
    }
    let line = match from {
        Some(address) => format!("host replication {} {} scram-sha-256", login.user, single(address)),
        None => format!("local replication {} scram-sha-256", login.user),
    };
    let from = from.map_or_else(|| "the unix socket".to_owned(), |a| a.to_string());
    report.add(
        report
            .problem(place(file))
            .arg("member", member.name.as_str())
            .arg("user", login.user)
            .arg("from", from)
            .arg("line", line),
    );
    Ok(())
}

fn ipv6_of(facts: &Facts, member: &Member, hba: usize, report: &mut Report) -> Result<(), Gap> {
    let patroni = &facts.patroni[member.file];
    let Some(login) = login(patroni, "superuser") else { return Ok(()) };
    let listens = patroni.config.listen().is_some_and(|l| {
        let hosts = l.value.0.to_ascii_lowercase();
        hosts.split(',').any(|h| ["*", "::", "::1", "localhost"].contains(&h.trim().trim_matches(['[', ']'])))
    });
    if !listens || local_end(facts, member, "use_unix_socket")? != LocalEnd::Localhost {
        return Ok(());
    }
    let database = patroni.config.get("postgresql.database").and_then(|d| d.as_str()).unwrap_or("postgres");
    let database = Database::Named(database.to_owned());
    let file = &facts.hbas[hba];
    let from = |address: IpAddr| admission(&file.hba, &login, Some(address), &database, &member.name);
    let own = own_address(facts, member, "use_unix_socket")?;
    let local = IpAddr::V6(Ipv6Addr::LOCALHOST);
    let by_ipv6 = from(local)?;
    // Where IPv4 is kept out too, another rule speaks.
    if by_ipv6.is_open() || !own.map(from).transpose()?.is_some_and(Admission::is_open) {
        return Ok(());
    }
    // On a host that was not looked at it may be either of the two, as in files alone.
    let resolved = facts.node_of(member).and_then(|node| report.known(localhost(node)));
    if resolved.as_ref().is_some_and(|(_, first)| first.is_none_or(|first| first != local)) {
        return Ok(());
    }
    let (at, decided) = match by_ipv6 {
        Admission::Refused(rule) => (file.hba.rules[rule].span, "; this line refuses it"),
        _ => (place(file), "; no line fits, and a new one goes above this one"),
    };
    let mut problem = report
        .problem(at)
        .arg("member", member.name.as_str())
        .arg("user", login.user.as_str())
        .arg("decided", decided)
        .arg("line", format!("host all {} {} scram-sha-256", login.user, single(local)));
    if let Some((at, _)) = resolved {
        problem = problem.label(at, "`localhost` there").node(&member.name);
    }
    report.add(problem);
    Ok(())
}

/// The first address that `localhost` stands for on the host of a member, and where that says so.
fn localhost(node: &Node) -> Fact<(Span, Option<IpAddr>)> {
    let (host, what) = (node.host()?, "the address of `localhost`");
    let found = host.value().names.get("localhost").ok_or_else(|| node.not_asked(what))?;
    let first = node.answer(what, found)?.first().and_then(|address| address.parse().ok());
    Ok((host.at(&["names", "localhost"]), first))
}
