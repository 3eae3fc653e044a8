//! Each rule and its proof, and what the proofs have shown.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use patroni_preflight::rules::builtin::{BUILTIN, area};
use patroni_preflight::rules::schema::{Rule, Severity};

use crate::support::path;
use crate::support::record::{self, SOME, Stage};

/// Rules without a proof, and why.
const WITHOUT: &[(&str, &str)] = &[
    ("dcs-consul-ttl", "Consul does not run here; how Patroni adapts is read in its source"),
    ("dcs-etcd-version-old", "no etcd so old can be had; what Patroni refuses is read in its source"),
    ("dcs-k8s-basics", "the answer is that of Kubernetes' API server, which does not run here"),
    ("dcs-raft-deprecated", "advice: the raft of this release works, and later releases are not there yet"),
    (
        "standby-conninfo-change-restart",
        "PostgreSQL 13 is here with initdb, pg_ctl and postgres alone, and Patroni needs pg_controldata; read in the source",
    ),
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
    }
    for (id, why) in WITHOUT {
        if !asked.contains(id) || why.is_empty() {
            wrong.push(format!("{id} is not asked for a proof, or has no reason"));
        }
    }
    assert!(BUILTIN.iter().any(|r| area(&r.id) == Some(OURS)));
    assert!(!is_there("tests/proofs::table::no_such_test") && !is_there("tests/proofs::table::is_there"));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What a proof has shown of a rule.
#[derive(Debug, Default)]
struct Shown<'a> {
    said: Option<&'a str>,
    logs: Vec<&'a str>,
    fixes: Vec<&'a str>,
    gone: bool,
}

/// An event: its stage, the rule, its text.
type Event<'a> = (Stage, &'a str, &'a str);

/// The events of each test, in their order.
fn events(all_lines: &str) -> BTreeMap<&str, Vec<Event<'_>>> {
    let mut all: BTreeMap<&str, Vec<Event<'_>>> = BTreeMap::new();
    for line in all_lines.lines() {
        let columns: Vec<&str> = line.splitn(4, '\t').collect();
        let [test, stage, rule, words] = columns[..] else { panic!("no event: {line:?}") };
        let stage = Stage::ALL.into_iter().find(|(_, word)| *word == stage).expect("a stage").0;
        all.entry(test).or_default().push((stage, rule, words));
    }
    all
}

/// What stands in a proof of a rule. A log that names no rule belongs to those that were told of when it was written and are not gone, or to
/// the one that is told of next; never to a rule that others stand between.
fn shown<'a>(rule: &str, events: &[Event<'a>]) -> Shown<'a> {
    let mut shown = Shown::default();
    let (mut near, mut edits, mut before) = (Vec::new(), Vec::new(), Vec::new());
    for (stage, of, text) in events {
        let is_open = shown.said.is_some() && !shown.gone;
        match stage {
            Stage::Said if *of == rule => {
                shown.said = shown.said.or(Some(text));
                near.append(&mut before);
            }
            Stage::Gone if *of == rule => shown.gone |= shown.said.is_some(),
            Stage::Fix if *of == rule => shown.fixes.push(text),
            Stage::Fix if *of == SOME && is_open => edits.push(*text),
            Stage::Log if *of == rule => shown.logs.push(text),
            Stage::Log if *of == SOME && is_open => near.push(*text),
            Stage::Log if *of == SOME => before.push(*text),
            _ => {}
        }
        if matches!(stage, Stage::Said | Stage::Gone) {
            before.clear();
        }
    }
    if shown.fixes.is_empty() {
        shown.fixes = edits;
    }
    if shown.logs.is_empty() {
        shown.logs = near;
    }
    shown
}

/// The log that the rule itself quotes, where one of them is; a test may be about several rules.
fn quoted<'a>(rule: &Rule, logs: &[&'a str]) -> Option<&'a str> {
    let why: Vec<&str> = rule.why.split('`').skip(1).step_by(2).collect();
    let pieces = why.iter().flat_map(|words| words.split(['…', '{', '}'])).map(str::trim).filter(|p| p.len() > 5);
    let pieces: Vec<String> = pieces.map(|piece| piece.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let score = |log: &str| pieces.iter().filter(|piece| log.contains(&***piece)).map(String::len).max().unwrap_or(0);
    // Of equals the first one.
    logs.iter().rev().max_by_key(|log| score(log)).copied()
}

/// A cell of the table.
fn cell(text: &str) -> String {
    let short: String = text.chars().take(160).collect();
    let more = if short.len() < text.len() { " …" } else { "" };
    format!("{short}{more}").replace('|', "\\|")
}

fn fix(rule: &Rule, shown: &Shown<'_>) -> String {
    let printed = rule.fix.as_ref().map_or_else(|| rule.no_fix.to_string(), |fix| fix.title.to_string());
    match shown.fixes.first() {
        Some(done) => format!("{printed}: `{}`", cell(done)),
        None => printed,
    }
}

/// Run by `make test` behind all other tests, of which `target/proofs.tsv` tells: makes `target/proofs.md` of it.
#[test]
#[ignore = "needs what a whole run of the proofs has written down"]
fn what_the_run_has_shown() {
    let written = std::fs::read_to_string(record::events()).expect("the proofs have run");
    let events = events(&written);
    assert!(
        !events.contains_key("main"),
        "tests on a single thread have no names: RUST_TEST_THREADS must be more than 1"
    );
    let mut table = String::from(
        "| rule | severity | proof | what the programs said | the fix | gone |\n|---|---|---|---|---|---|\n",
    );
    let (mut wrong, mut proven) = (Vec::new(), 0);
    for rule in BUILTIN.iter().filter(|rule| area(&rule.id) != Some(OURS)) {
        let severity = rule.severity.word();
        let Some(test) = rule.proof.strip_prefix("tests/") else {
            let why = WITHOUT.iter().find(|(id, _)| *id == rule.id).map_or("", |(_, why)| *why);
            writeln!(table, "| {} | {severity} | none: {} | | | |", rule.id, cell(why)).unwrap();
            continue;
        };
        let shown = shown(&rule.id, events.get(test).map_or(&[][..], Vec::as_slice));
        let log = quoted(rule, &shown.logs).map(|log| format!("`{}`", cell(log))).unwrap_or_default();
        let gone = if shown.gone { "yes" } else { "" };
        writeln!(table, "| {} | {severity} | {test} | {log} | {} | {gone} |", rule.id, fix(rule, &shown)).unwrap();
        if rule.severity != Severity::Error {
            continue;
        }
        proven += 1;
        for (is_there, what) in [
            (shown.said.is_some(), "told of it"),
            (!shown.logs.is_empty(), "seen the failure"),
            (shown.gone, "seen it gone"),
        ] {
            if !is_there {
                wrong.push(format!("{}: {test} has not {what}", rule.id));
            }
        }
    }
    std::fs::write(path("target/proofs.md"), &table).expect("the table is written");
    print!("{table}");
    assert!(wrong.is_empty() && proven > 100, "{proven} of severity error\n{}", wrong.join("\n"));
}

#[test]
fn events_belong_to_the_rules_that_are_open() {
    let all = "t\tsaid\ta\tA\nt\tlog\t-\tfirst\nt\tgone\ta\t\nt\tsaid\tb\tB\nt\tlog\t-\tsecond\nt\tlog\tc\tthird\nu\tlog\t-\tother\n";
    let all = events(all);
    let of = |rule| shown(rule, &all["t"]);
    assert_eq!((of("a").logs, of("a").gone), (vec!["first"], true));
    assert_eq!((of("b").logs, of("b").gone), (vec!["second"], false));
    let early = events("t\tgone\ta\t\nt\tlog\t-\tbefore\nt\tsaid\ta\tA\nt\tsaid\tb\tB\n");
    let (a, b) = (shown("a", &early["t"]), shown("b", &early["t"]));
    assert_eq!((a.logs, a.gone, b.logs.len()), (vec!["before"], false, 0));
    assert_eq!((of("c").logs, of("c").said), (vec!["third"], None));
}
