//! Every case of every rule, with all rules on; `selftest` says what a case is made of.

use std::collections::BTreeSet;

use patroni_preflight::rules::builtin::{BUILTIN, find};
use patroni_preflight::selftest;

use crate::support::cases::cases;
use crate::support::{golden, name};

/// Rules whose subject stands in a list: the first item must not hide the second.
const LISTS: &[&str] = &[
    "auto-conf-overrides-patroni",
    "basebackup-options",
    "basebackup-waldir-relative",
    "cmdline-guc-below-runtime-minimum",
    "cmdline-guc-in-local-parameters",
    "cmdline-guc-not-carried-over",
    "create-replica-method-undefined",
    "dcs-etcd-hosts-format",
    "duplicate-connect-address",
    "external-pid-or-stats-dir-on-tmpfs",
    "generated-config-placeholder",
    "guc-boolean-for-enum",
    "guc-unknown-to-patroni",
    "guc-value-refused-by-patroni",
    "hba-invalid-line",
    "hba-item-not-text",
    "hba-line-unreachable",
    "hba-mask-zero-with-address",
    "hba-method-needs-scram-secret",
    "hba-trust-for-other-hosts",
    "hba-yaml-replaces-file",
    "ignore-slots-matches-all",
    "ignore-slots-not-list",
    "initdb-options",
    "listen-multiple-ports",
    "log-level-value",
    "recovery-target-ignored",
    "remove-data-dir-options",
    "restapi-allowlist-invalid",
    "role-password-mismatch",
    "slots-bad-value",
    "slots-definition-differs",
    "slots-invalid-name",
    "socket-dir-in-data-dir",
    "tag-contradiction",
    "unix-socket-dir-unusable",
    "unknown-guc",
    "upgrade-yaml-not-updated",
    "weak-default-secrets",
    "yaml-duplicate-key",
    "yaml-implicit-null",
    "yaml-unknown-key",
];

#[test]
fn every_case_says_what_is_expected() {
    let mut wrong = Vec::new();
    for (rule, case) in cases() {
        let actual = selftest::short(&case, BUILTIN).unwrap_or_else(|e| panic!("{}: {e}", case.display()));
        wrong.extend(selftest::judge(&rule, &case, &actual).err());
        wrong.extend(golden(&case.join("expected.txt"), &actual).err());
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
