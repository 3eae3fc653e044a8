//! Every case of every rule, with all rules on.
//!
//! `fixtures/rules/<id>/<case>/` holds `input/`, what `--format short` must say of it in `expected.txt`, and where they matter
//! `nodes.yml` (answers of servers), `patroni.txt` (a release of Patroni other than the newest), `paths.txt` (paths to
//! name instead of the whole input) and `modes.txt` (lines of `octal path`; the input is then checked in a copy).

use std::collections::BTreeSet;
use std::path::Path;

use patroni_preflight::cli::Format;
use patroni_preflight::rules::builtin::{BUILTIN, find};

use crate::support::cases::{cases, lint_case};
use crate::support::{golden, name, report};

/// Rules whose subject stands in a list: the first item must not hide the second.
const LISTS: &[&str] = &[
    "auto-conf-overrides-patroni",
    "cmdline-guc-below-runtime-minimum",
    "cmdline-guc-in-local-parameters",
    "cmdline-guc-not-carried-over",
    "duplicate-connect-address",
    "generated-config-placeholder",
    "guc-boolean-for-enum",
    "guc-unknown-to-patroni",
    "guc-value-refused-by-patroni",
    "hba-invalid-line",
    "hba-trust-for-other-hosts",
    "ignore-slots-matches-all",
    "ignore-slots-not-list",
    "recovery-target-ignored",
    "remove-data-dir-options",
    "role-password-mismatch",
    "slots-bad-value",
    "slots-definition-differs",
    "slots-invalid-name",
    "tag-contradiction",
    "unknown-guc",
    "yaml-duplicate-key",
    "yaml-implicit-null",
    "yaml-unknown-key",
];

fn short(case: &Path) -> String {
    report(&lint_case(case, &case.join("input")), Format::Short)
}

#[test]
fn every_case_says_what_is_expected() {
    let mut wrong = Vec::new();
    for (rule, case) in cases() {
        let actual = short(&case);
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
