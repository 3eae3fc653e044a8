//! Lines of `pg_hba.conf` that keep Patroni out: one finding for the line, whoever it is that it keeps out.

use std::collections::BTreeSet;

use super::single;
use crate::facts::Facts;
use crate::facts::asked::{self, Asked};
use crate::facts::connections::Admission;
use crate::facts::gap::Gap;
use crate::facts::hba_decision::Database;
use crate::parse::hba::{ConnType, HbaRule};
use crate::problem::Problem;
use crate::rules::report::Report;

/// `hba-line-refuses-patroni`
pub(in crate::rules::native) fn rejected(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for ((hba, index), kept_out) in asked::kept_out(facts) {
        if matches!(kept_out[0].outcome, Admission::Refused(_)) {
            let rule = &facts.hbas[hba].hba.rules[index];
            report.add(about(report.problem(rule.span), &kept_out));
        }
    }
    Ok(())
}

/// `hba-tls-line-without-tls`: once for a file, at its first line for TLS connections.
pub(in crate::rules::native) fn without_tls(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    let mut files: Vec<(usize, Vec<Asked<'_>>)> = Vec::new();
    for ((hba, _), kept_out) in asked::kept_out(facts) {
        if !matches!(kept_out[0].outcome, Admission::NeedsTls(_)) {
            continue;
        }
        match files.last_mut().filter(|(file, _)| *file == hba) {
            Some((_, all)) => all.extend(kept_out),
            None => files.push((hba, kept_out)),
        }
    }
    for (hba, kept_out) in files {
        let passed_over = |r: &&HbaRule| r.kind.value == ConnType::HostSsl && r.warning.is_some();
        let mut lines = facts.hbas[hba].hba.rules.iter().filter(passed_over);
        let Some(first) = lines.next() else { continue };
        let mut problem = about(report.problem(first.kind.span), &kept_out);
        for line in lines.take(20) {
            problem = problem.label(line.kind.span, "");
        }
        let member = kept_out[0].target;
        if let Some(ssl) = facts.patroni[member.file].written_parameter("ssl") {
            problem = problem.label(ssl.key_or_value(), "TLS is off");
        } else if let Some(set) = member.conf.as_ref().ok().and_then(|c| facts.confs[*c].conf.effective("ssl")) {
            problem = problem.label(set.set.span, "TLS is off");
        }
        report.add(problem);
    }
    Ok(())
}

/// Who is kept out, and the lines that would let them in.
fn about(problem: Problem, kept_out: &[Asked<'_>]) -> Problem {
    let (mut who, mut lines, mut members) = (Vec::new(), BTreeSet::new(), Vec::new());
    for asked in kept_out {
        let (user, database) = match &asked.database {
            Database::PhysicalReplication => (format!("`{}` for replication", asked.login.user), "replication"),
            Database::Named(name) => (format!("`{}`", asked.login.user), &**name),
        };
        let from = asked.from.map_or_else(|| "the unix socket".to_owned(), |a| a.to_string());
        let from = if asked.is_own() { from } else { format!("{} ({from})", asked.client.name) };
        let client = format!("{user} from {from}");
        if !who.contains(&client) {
            who.push(client);
        }
        if !members.contains(&asked.target.name) {
            members.push(asked.target.name.clone());
        }
        let user = &asked.login.user;
        lines.insert(match asked.from {
            Some(address) => format!("`host {database} {user} {} scram-sha-256`", single(address)),
            None => format!("`local {database} {user} peer`"),
        });
    }
    problem
        .arg("member", members.join(", "))
        .arg("who", who.join(", "))
        .arg("lines", lines.into_iter().collect::<Vec<_>>().join(" and "))
}
