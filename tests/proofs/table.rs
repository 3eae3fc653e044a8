//! Each error rule and its proof.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use patroni_preflight::rules::builtin::BUILTIN;
use patroni_preflight::rules::schema::Severity;

use crate::support::path;

/// Error rules without a proof, and why.
const WITHOUT: &[(&str, &str)] = &[
    ("dcs-k8s-basics", "the answer is that of Kubernetes' API server, which does not run here"),
    (
        "standby-cluster-same-scope",
        "two running clusters are needed; what a member with this section does is read in the source",
    ),
    ("template-unbalanced", "what goes wrong is in our own files, or in no program"),
    ("unreadable-file", "what goes wrong is in our own files, or in no program"),
];

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
fn every_error_rule_has_a_proof_or_a_reason() {
    let mut table = String::new();
    let mut wrong = Vec::new();
    let errors: BTreeSet<&str> = BUILTIN.iter().filter(|r| r.severity == Severity::Error).map(|r| &*r.id).collect();
    for rule in BUILTIN {
        let reason = WITHOUT.iter().find(|(id, _)| *id == rule.id).map(|(_, why)| *why);
        if !rule.proof.is_empty() && !is_there(&rule.proof) {
            wrong.push(format!("{}: there is no test {}", rule.id, rule.proof));
        }
        if errors.contains(&*rule.id) {
            match (rule.proof.is_empty(), reason) {
                (true, None) => wrong.push(format!("{}: no proof, and no reason why", rule.id)),
                (false, Some(_)) => {
                    wrong.push(format!("{}: has a proof and stands in the list of those without", rule.id));
                }
                _ => {}
            }
            writeln!(table, "{:40} {}", rule.id, reason.unwrap_or(&rule.proof)).unwrap();
        }
    }
    for (id, why) in WITHOUT {
        if !errors.contains(id) || why.is_empty() {
            wrong.push(format!("{id} is no error rule, or has no reason"));
        }
    }
    print!("{table}");
    assert!(!is_there("tests/proofs::table::no_such_test") && !is_there("tests/proofs::table::is_there"));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
