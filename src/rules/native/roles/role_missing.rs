//! Roles that Patroni is to log in as and that the server does not have: it makes them only with a new cluster
//! (`bootstrap.py:Bootstrap.post_bootstrap`).

use std::collections::BTreeSet;

use super::quoted;
use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::facts::running::speaker_of;
use crate::parse::patroni::Item;
use crate::rules::report::Report;

/// `role-superuser-missing`
pub(in crate::rules::native) fn superuser(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    find("superuser", facts, report);
    Ok(())
}

/// `role-replication-missing`
pub(in crate::rules::native) fn replication(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    find("replication", facts, report);
    Ok(())
}

/// `role-rewind-missing`
pub(in crate::rules::native) fn rewind(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    find("rewind", facts, report);
    Ok(())
}

fn find(section: &str, facts: &Facts, report: &mut Report) {
    let mut said = BTreeSet::new();
    for live in facts.live() {
        let Some(member) = report.known(live.member()) else { continue };
        let file = &facts.patroni[member.file];
        let Some(user) = file.config.get(&format!("postgresql.authentication.{section}.username")) else { continue };
        let (Some(name), Some(server)) = (user.as_str(), speaker_of(facts, member)) else { continue };
        if section == "rewind" && !file.is_on("use_pg_rewind") {
            continue;
        }
        let Some(rows) = report.known(server.rows("roles")) else { continue };
        let is_there = rows.iter().any(|row| row.get("rolname") == Some(name));
        if is_there || !said.insert((server.name.clone(), name.to_owned())) {
            continue;
        }
        report.add(
            report
                .problem(Item::key_or_value(user))
                .node(&member.name)
                .arg("member", &*server.name)
                .arg("role", name)
                .arg("quoted", quoted(name)),
        );
    }
}

/// `postgres-database-missing`: the database that Patroni connects to.
pub(in crate::rules::native) fn database(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for live in facts.live() {
        let Some(member) = report.known(live.member()) else { continue };
        let file = &facts.patroni[member.file];
        let Some(written) = report.known(file.known("postgresql.database")) else { continue };
        let name = written.and_then(Item::as_str).unwrap_or("postgres");
        let Some(rows) = report.known(live.node.rows("databases")) else { continue };
        let found = rows.iter().find(|row| row.get("datname") == Some(name));
        if found.is_some_and(|row| row.is("datallowconn")) {
            continue;
        }
        let at = written.map_or_else(|| file.place_of("postgresql.database"), Item::key_or_value);
        let mut problem = report
            .problem(at)
            .node(&member.name)
            .arg("member", &*member.name)
            .arg("database", name)
            .arg("quoted", quoted(name))
            .arg("fault", if found.is_some() { "takes no connections" } else { "does not exist" })
            .arg(
                "sql",
                match found {
                    Some(_) => format!("ALTER DATABASE {} ALLOW_CONNECTIONS true", quoted(name)),
                    None => format!("CREATE DATABASE {}", quoted(name)),
                },
            );
        if let Some(row) = found {
            problem = problem.label(row.at, "it takes no connections");
        }
        report.add(problem);
    }
    Ok(())
}

/// `role-connection-limit`: fewer connections than members need at once to rewind. Streams have no limit, nor have superusers.
pub(in crate::rules::native) fn limit(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    let mut said = BTreeSet::new();
    for live in facts.live() {
        let Some(member) = report.known(live.member()) else { continue };
        let file = &facts.patroni[member.file];
        let (Some(server), Some(cluster)) = (speaker_of(facts, member), facts.cluster_of(member.file)) else {
            continue;
        };
        let user = file.config.get("postgresql.authentication.rewind.username").filter(|_| file.is_on("use_pg_rewind"));
        let Some((user, name)) = user.and_then(|user| Some((user, user.as_str()?))) else { continue };
        let Some(rows) = report.known(server.rows("roles")) else { continue };
        let Some(row) = rows.iter().find(|row| row.get("rolname") == Some(name)) else { continue };
        let needed = i64::try_from(cluster.members.len()).unwrap_or(i64::MAX).saturating_sub(1).max(1);
        let limit = row.number("rolconnlimit").unwrap_or(-1);
        if limit < 0 || limit >= needed || row.is("rolsuper") || !said.insert(row.at) {
            continue;
        }
        report.add(
            report
                .problem(row.at)
                .node(&server.name)
                .arg("role", name)
                .arg("quoted", quoted(name))
                .arg("limit", limit.to_string())
                .arg("needed", needed.to_string())
                .label(user.span, "Patroni logs in as this role"),
        );
    }
    Ok(())
}
