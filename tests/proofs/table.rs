//! Each rule and its proof.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use patroni_preflight::rules::builtin::{BUILTIN, area};
use patroni_preflight::rules::schema::Severity;

use crate::support::path;

/// Rules without a proof, and why.
const WITHOUT: &[(&str, &str)] = &[
    ("dcs-etcd-hosts-even", "advice: nothing happens until a server of etcd is lost"),
    ("dcs-k8s-basics", "the answer is that of Kubernetes' API server, which does not run here"),
    ("dcs-raft-deprecated", "advice: the raft of this release works, and later releases are not there yet"),
    ("key-needs-newer-patroni", "one release of Patroni runs here; what older ones read is known from their source"),
    ("pg-connect-address-is-pooler", "PgBouncer does not run here; what it refuses is known from its source"),
    (
        "standby-cluster-same-scope",
        "two running clusters are needed; what a member with this section does is read in the source",
    ),
    ("template-unbalanced", "what goes wrong is in our own files, or in no program"),
    ("unreadable-file", "what goes wrong is in our own files, or in no program"),
    ("weak-default-secrets", "advice: programs take any password"),
];

/// Areas whose warnings and notes have not been tried yet.
const STILL_OPEN: &[&str] = &["hba", "host", "roles", "scripts", "settings"];

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
    // Rules of the area `tool` are about our own files and options.
    let of_programs = || BUILTIN.iter().filter(|r| area(&r.id) != Some("tool") || r.severity == Severity::Error);
    let all: BTreeSet<&str> = of_programs().map(|r| &*r.id).collect();
    for rule in of_programs() {
        let reason = WITHOUT.iter().find(|(id, _)| *id == rule.id).map(|(_, why)| *why);
        if !rule.proof.is_empty() && !is_there(&rule.proof) {
            wrong.push(format!("{}: there is no test {}", rule.id, rule.proof));
        }
        let is_open = rule.severity != Severity::Error && area(&rule.id).is_some_and(|a| STILL_OPEN.contains(&a));
        match (rule.proof.is_empty(), reason) {
            (true, None) if !is_open => wrong.push(format!("{}: no proof, and no reason why", rule.id)),
            (false, Some(_)) => {
                wrong.push(format!("{}: has a proof and stands in the list of those without", rule.id));
            }
            _ => {}
        }
        writeln!(table, "{:40} {}", rule.id, reason.unwrap_or(&rule.proof)).unwrap();
    }
    for (id, why) in WITHOUT {
        if !all.contains(id) || why.is_empty() {
            wrong.push(format!("{id} is no rule about programs, or has no reason"));
        }
    }
    for open in STILL_OPEN {
        if !BUILTIN.iter().any(|r| area(&r.id) == Some(*open)) {
            wrong.push(format!("there is no area {open}"));
        }
    }
    print!("{table}");
    assert!(!is_there("tests/proofs::table::no_such_test") && !is_there("tests/proofs::table::is_there"));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
