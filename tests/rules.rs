//! Every case of every rule, with all rules on; `support::cases` says what a case is made of.

use std::collections::BTreeSet;

use patroni_preflight::cli::Format;
use patroni_preflight::rules::builtin::{BUILTIN, find};

use crate::support::cases::{cases, lint_case};
use crate::support::{golden, name, report};

/// Rules whose subject stands in a list: the first item must not hide the second.
const LISTS: &[&str] = &[
    "cmdline-guc-below-runtime-minimum",
    "cmdline-guc-in-local-parameters",
    "cmdline-guc-not-carried-over",
    "hba-invalid-line",
    "hba-trust-for-other-hosts",
    "slots-bad-value",
    "slots-invalid-name",
    "unknown-guc",
    "yaml-duplicate-key",
    "yaml-unknown-key",
];

#[test]
fn every_case_says_what_is_expected() {
    let mut wrong = Vec::new();
    for (rule, case) in cases() {
        let actual = report(&lint_case(&case), Format::Short);
        let hit = ["error", "warning", "note"].iter().any(|s| actual.contains(&format!(": {s}[{rule}]: ")));
        let case_name = name(&case);
        match case_name.split('-').next() {
            Some("bad") if !hit => wrong.push(format!("{}: the rule is silent:\n{actual}", case.display())),
            Some("good") if hit => wrong.push(format!("{}: the rule fires:\n{actual}", case.display())),
            Some("bad" | "good") => {}
            _ => wrong.push(format!("{}: neither bad- nor good-", case.display())),
        }
        if let Err(difference) = golden(&case.join("expected.txt"), &actual) {
            wrong.push(difference);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn every_rule_has_a_bad_and_a_good_case() {
    let cases: Vec<(String, String)> = cases().into_iter().map(|(r, c)| (r, name(&c))).collect();
    let has = |rule: &str, start: &str| cases.iter().any(|(r, c)| r == rule && c.starts_with(start));
    let mut missing: BTreeSet<String> = BTreeSet::new();
    for rule in BUILTIN {
        for start in ["bad-", "good-"] {
            if !has(&rule.id, start) {
                missing.insert(format!("{}/{start}", rule.id));
            }
        }
    }
    for rule in LISTS {
        if !has(rule, "bad-second-") {
            missing.insert(format!("{rule}/bad-second-"));
        }
    }
    let strangers: Vec<&String> = cases.iter().map(|(r, _)| r).filter(|r| find(r).is_none()).collect();
    assert!(missing.is_empty() && strangers.is_empty(), "no case: {missing:#?}\nno such rule: {strangers:?}");
}
