//! Each rule and its proof.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use patroni_preflight::rules::builtin::{BUILTIN, area};

use crate::support::path;

/// Rules without a proof, and why.
const WITHOUT: &[(&str, &str)] = &[
    ("dcs-consul-ttl", "Consul does not run here; how Patroni adapts is read in its source"),
    ("dcs-etcd-version-old", "no etcd so old can be had; what Patroni refuses is read in its source"),
    ("dcs-k8s-basics", "the answer is that of Kubernetes' API server, which does not run here"),
    ("dcs-raft-deprecated", "advice: the raft of this release works, and later releases are not there yet"),
    ("standby-conninfo-change-restart", "PostgreSQL 13 runs here without psql, so without a site; read in the source"),
    ("watchdog-device-shared", "there is no watchdog here that another program could hold"),
    ("weak-default-secrets", "advice: programs take any password"),
];

/// The area of rules about our own files: what goes wrong is in them, or in no program.
const OURS: &str = "tool";

/// Whether a `proof`, `tests/<module>::<function>`, names a test that is there.
fn is_there(proof: &str) -> bool {
    let Some((module, function)) = proof.strip_prefix("tests/").and_then(|p| p.rsplit_once("::")) else { return false };
    let file = path("tests").join(module.replace("::", "/")).with_extension("rs");
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let head = format!("fn {function}()");
    lines
        .iter()
        .position(|l| l.starts_with(&head))
        .is_some_and(|at| lines[..at].iter().rev().take_while(|l| l.starts_with("#[")).any(|l| *l == "#[test]"))
}

#[test]
fn every_rule_has_a_proof_or_a_reason() {
    let mut table = String::new();
    let mut wrong = Vec::new();
    let mut asked: BTreeSet<&str> = BTreeSet::new();
    for rule in BUILTIN {
        if !rule.proof.is_empty() && !is_there(&rule.proof) {
            wrong.push(format!("{}: there is no test {}", rule.id, rule.proof));
        }
        if area(&rule.id) == Some(OURS) {
            continue;
        }
        asked.insert(&rule.id);
        let reason = WITHOUT.iter().find(|(id, _)| *id == rule.id).map(|(_, why)| *why);
        match (rule.proof.is_empty(), reason) {
            (true, None) => wrong.push(format!("{}: no proof, and no reason why", rule.id)),
            (false, Some(_)) => wrong.push(format!("{}: has a proof and stands in the list of those without", rule.id)),
            _ => {}
        }
        writeln!(table, "{:40} {}", rule.id, reason.unwrap_or(&rule.proof)).unwrap();
    }
    for (id, why) in WITHOUT {
        if !asked.contains(id) || why.is_empty() {
            wrong.push(format!("{id} is not asked for a proof, or has no reason"));
        }
    }
    assert!(BUILTIN.iter().any(|r| area(&r.id) == Some(OURS)));
    print!("{table}");
    assert!(!is_there("tests/proofs::table::no_such_test") && !is_there("tests/proofs::table::is_there"));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
