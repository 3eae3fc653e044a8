//! The lines that decide the log-ins of Patroni, for rules about what those lines ask for and whom they keep out.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::connections::{Admission, Login, address_of, admission, login, own_address};
use super::hba_decision::Database;
use super::{Cluster, Facts, HbaFile, Member};
use crate::parse::hba::{HbaRule, Method};

/// A log-in of Patroni and the line that decides it.
#[derive(Debug)]
pub struct Asked<'a> {
    /// Whose server it is.
    pub target: &'a Member,
    /// Whose Patroni logs in.
    pub client: &'a Member,
    /// Section of `postgresql.authentication`; for `rewind` that of the superuser when there is none.
    pub section: &'static str,
    /// As whom.
    pub login: Login,
    /// From where; `None` for the unix socket.
    pub from: Option<IpAddr>,
    /// To what.
    pub database: Database,
    /// The file of the line.
    pub hba: usize,
    /// The line.
    pub index: usize,
    /// What the line does.
    pub outcome: Admission,
}

impl Asked<'_> {
    /// The line.
    #[must_use]
    pub fn rule<'f>(&self, facts: &'f Facts) -> &'f HbaRule {
        &facts.hbas[self.hba].hba.rules[self.index]
    }

    /// Whether Patroni connects to the server on its own host.
    #[must_use]
    pub fn is_own(&self) -> bool {
        std::ptr::eq(self.target, self.client)
    }
}

/// Every log-in that gets as far as a wanted line of the target's file, once for each file, line and role. What is not known is noted by
/// the rules that ask whether the log-in gets in.
#[must_use]
pub fn all(facts: &Facts, wanted: impl Fn(&HbaRule) -> bool) -> Vec<Asked<'_>> {
    let mut found: Vec<Asked<'_>> = Vec::new();
    for cluster in facts.clusters() {
        // Clusters hardly share a file, and if they do the same finding twice is one.
        let first = found.len();
        for target in &cluster.members {
            let Some(hba) = with_line(facts, target, &wanted) else { continue };
            let asked = of_target(facts, cluster, target, hba).into_iter();
            for asked in asked.filter(|a| a.outcome.is_open() && wanted(a.rule(facts))) {
                let known = |a: &Asked<'_>| {
                    (a.hba, a.index, a.section, a.is_own()) == (asked.hba, asked.index, asked.section, asked.is_own())
                        && a.login == asked.login
                };
                if !found[first..].iter().any(known) {
                    found.push(asked);
                }
            }
        }
    }
    found
}

/// The log-ins that a line keeps out, by the file and index of the line: one that rejects, or one for TLS connections while the server has
/// TLS off.
#[must_use]
pub fn kept_out(facts: &Facts) -> BTreeMap<(usize, usize), Vec<Asked<'_>>> {
    let may_keep_out = |rule: &HbaRule| rule.method.value == Method::Reject || rule.warning.is_some();
    let mut lines: BTreeMap<_, Vec<Asked<'_>>> = BTreeMap::new();
    for cluster in facts.clusters() {
        for target in &cluster.members {
            let Some(hba) = with_line(facts, target, &may_keep_out) else { continue };
            for asked in of_target(facts, cluster, target, hba) {
                if !asked.outcome.is_open() {
                    lines.entry((asked.hba, asked.index)).or_default().push(asked);
                }
            }
        }
    }
    lines
}

/// A member's file, if there is a wanted line in it.
fn with_line(facts: &Facts, target: &Member, wanted: &impl Fn(&HbaRule) -> bool) -> Option<usize> {
    let hba = *target.hba.as_ref().ok()?;
    facts.hbas[hba].hba.rules.iter().any(wanted).then_some(hba)
}

/// The log-ins to one member that a line decides.
fn of_target<'a>(facts: &'a Facts, cluster: &'a Cluster, target: &'a Member, hba: usize) -> Vec<Asked<'a>> {
    let mut found = Vec::new();
    let file = &facts.hbas[hba];
    for (section, switch) in [("superuser", "use_unix_socket"), ("replication", "use_unix_socket_repl")] {
        let from = own_address(facts, target, switch);
        found.extend(from.ok().and_then(|from| try_one(facts, file, (target, hba), target, section, from)));
    }
    for client in cluster.members.iter().filter(|m| m.file != target.file) {
        let Ok(from) = address_of(facts, client) else { continue };
        for section in ["replication", "rewind"] {
            if section == "replication" || rewinds(facts, client) {
                found.extend(try_one(facts, file, (target, hba), client, section, Some(from)));
            }
        }
    }
    found
}

fn try_one<'a>(
    facts: &Facts,
    file: &HbaFile,
    (target, hba): (&'a Member, usize),
    client: &'a Member,
    section: &'static str,
    from: Option<IpAddr>,
) -> Option<Asked<'a>> {
    let login = login(&facts.patroni[client.file], section)?;
    let database = database(facts, client, section);
    let outcome = admission(&file.hba, &login, from, &database, &target.name).ok()?;
    let (Admission::Asked(index) | Admission::Refused(index) | Admission::NeedsTls(index)) = outcome else {
        return None;
    };
    Some(Asked { target, client, section, login, from, database, hba, index, outcome })
}

/// What a log-in of that section connects to.
fn database(facts: &Facts, client: &Member, section: &str) -> Database {
    let own = facts.patroni[client.file].config.get("postgresql.database").and_then(|d| d.as_str());
    match section {
        "replication" => Database::PhysicalReplication,
        _ => Database::Named(own.unwrap_or("postgres").to_owned()),
    }
}

fn rewinds(facts: &Facts, member: &Member) -> bool {
    facts.patroni[member.file].is_on("use_pg_rewind")
}
