//! What every member must be able to do on every other one, reported once per `pg_hba.conf`.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::{place, single};
use crate::facts::connections::{Admission, address_of, admission, known_login};
use crate::facts::gap::Gap;
use crate::facts::hba_decision::Database;
use crate::facts::{Cluster, Facts};
use crate::rules::report::Report;

/// A connection between members.
pub(super) struct Wanted<'a> {
    /// Section of `postgresql.authentication`.
    pub(super) role: &'a str,
    /// What it connects to.
    pub(super) database: Database,
    /// The word in the database column.
    pub(super) word: &'a str,
}

/// Members that one file keeps out.
struct KeptOut {
    user: String,
    targets: Vec<String>,
    peers: BTreeMap<String, IpAddr>,
}

/// Reports each file that keeps a member's login out.
pub(super) fn check(wanted: &Wanted<'_>, facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    if facts.clusters().iter().any(|c| c.members.len() > 1) {
        facts.any_given("`pg_hba.conf`", facts.hbas.len())?;
    }
    for cluster in facts.clusters().iter().filter(|c| c.members.len() > 1) {
        for (hba, kept_out) in look(wanted, facts, cluster, report) {
            let file = &facts.hbas[hba];
            let names: Vec<String> = kept_out.peers.iter().map(|(n, a)| format!("{n} ({a})")).collect();
            let lines: Vec<String> = kept_out
                .peers
                .values()
                .map(|a| format!("`host {} {} {} scram-sha-256`", wanted.word, kept_out.user, single(*a)))
                .collect();
            report.add(
                report
                    .problem(place(file))
                    .arg("member", kept_out.targets.join(", "))
                    .arg("user", kept_out.user)
                    .arg("peers", names.join(", "))
                    .arg("lines", lines.join(" and ")),
            );
        }
    }
    Ok(())
}

fn look(wanted: &Wanted<'_>, facts: &Facts, cluster: &Cluster, report: &mut Report) -> BTreeMap<usize, KeptOut> {
    let mut by_file: BTreeMap<usize, KeptOut> = BTreeMap::new();
    for target in &cluster.members {
        let Some(hba) = report.known(target.hba.clone()) else { continue };
        for peer in cluster.members.iter().filter(|m| m.file != target.file) {
            let login = report.known(known_login(&facts.patroni[peer.file], wanted.role, peer)).flatten();
            let Some(login) = login else { continue };
            let Some(address) = report.known(address_of(facts, peer)) else { continue };
            let outcome = admission(&facts.hbas[hba].hba, &login, Some(address), &wanted.database, &target.name);
            if report.known(outcome) != Some(Admission::NoLine) {
                continue;
            }
            let kept_out = by_file.entry(hba).or_insert_with(|| KeptOut {
                user: login.user,
                targets: Vec::new(),
                peers: BTreeMap::new(),
            });
            if !kept_out.targets.contains(&target.name) {
                kept_out.targets.push(target.name.clone());
            }
            kept_out.peers.insert(peer.name.clone(), address);
        }
    }
    by_file
}
