//! Two passwords for one role of Patroni: in two files, or in a file and in the server.

use std::collections::{BTreeMap, BTreeSet};

use super::USERS;
use crate::bundle::sql::Agreement;
use crate::facts::gap::Gap;
use crate::facts::{Facts, Member, asked};
use crate::parse::hba::Method;
use crate::parse::patroni::{Item, ItemValue};
use crate::problem::Problem;
use crate::rules::report::Report;
use crate::source::Span;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    let mut said = of_servers(facts, report);
    for cluster in facts.clusters() {
        for section in USERS {
            let mut seen: BTreeMap<&str, (&Member, Credentials<'_>)> = BTreeMap::new();
            for member in &cluster.members {
                let Some(own) = credentials(facts, member, section) else { continue };
                if let Some(literal) = of_sql(facts, member, &own) {
                    if said.insert(literal) {
                        let found = problem(report, &own, &member.name, "the SQL that makes it");
                        report.add(found.label(literal, "another one"));
                    }
                    continue;
                }
                let Some((other, first)) = seen.get(own.user) else {
                    seen.insert(own.user, (member, own));
                    continue;
                };
                // Two files with one name are one member, written twice.
                let told = said.contains(&first.at) || said.contains(&own.at);
                if other.name != member.name && first.password != own.password && !told && said.insert(own.at) {
                    let found = problem(report, &own, &member.name, &other.name);
                    report.add(found.label(first.at, format!("as in {}", other.name)));
                }
            }
        }
    }
    Ok(())
}

/// What servers keep, where a line of `pg_hba.conf` asks for the password. The places of passwords that are told of.
fn of_servers(facts: &Facts, report: &mut Report) -> BTreeSet<Span> {
    let mut said = BTreeSet::new();
    let mut asked_for = BTreeSet::new();
    let wanted = [Method::Scram, Method::Md5, Method::Password];
    for asked in asked::all(facts, |rule| wanted.contains(&rule.method.value)) {
        let authentication = facts.patroni[asked.client.file].config.get("postgresql.authentication");
        let section = match asked.section {
            "rewind" if authentication.is_none_or(|all| all.get("rewind").is_none()) => "superuser",
            other => other,
        };
        let (Some(node), Some(own)) = (facts.node_of(asked.client), credentials(facts, asked.client, section)) else {
            continue;
        };
        if !asked_for.insert((asked.client.file, section)) {
            continue;
        }
        let there = match report.known(node.password(section)) {
            Some(Agreement::Different) => "the server",
            Some(Agreement::NoPassword) => "the server, which keeps none",
            // A role that is not there has a rule of its own.
            Some(Agreement::Same | Agreement::NoRole) | None => continue,
        };
        if said.insert(own.at) {
            let found = problem(report, &own, &asked.client.name, there).node(&node.name);
            report.add(found.label(asked.rule(facts).method.span, "this line asks for it"));
        }
    }
    said
}

struct Credentials<'a> {
    user: &'a str,
    password: &'a str,
    at: Span,
}

fn credentials<'a>(facts: &'a Facts, member: &Member, section: &str) -> Option<Credentials<'a>> {
    let section = facts.patroni[member.file].config.get("postgresql.authentication")?.get(section)?;
    let item = section.get("password")?;
    let ItemValue::Secret(password, _) = &item.value else { return None };
    Some(Credentials {
        user: section.get("username").and_then(Item::as_str)?,
        password: password.reveal(),
        at: item.span,
    })
}

/// Where the SQL gives the role another password. What is hashed or a variable is not known.
fn of_sql(facts: &Facts, member: &Member, own: &Credentials<'_>) -> Option<Span> {
    let of = |i: &usize| facts.sqls[*i].sql.roles().get(own.user)?.password.as_ref();
    let set = member.sqls.iter().rev().find_map(of)?;
    let text = set.value.as_ref()?.reveal();
    let unknown = text.starts_with("SCRAM-SHA-256$")
        || (text.len() == 35 && text.starts_with("md5"))
        || text.starts_with(':')
        || text.contains(['{', '$', '<']);
    (!unknown && text != own.password).then_some(set.span)
}

fn problem(report: &Report, own: &Credentials<'_>, here: &str, there: &str) -> Problem {
    report.problem(own.at).arg("role", own.user).arg("here", here).arg("there", there)
}
