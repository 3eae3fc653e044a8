//! Every case of every rule, with all rules on.
//!
//! `fixtures/rules/<id>/<case>/` holds `input/`, what `--format short` must say of it in `expected.txt`, and where they matter
//! `nodes.yml` (answers of servers), `patroni.txt` (a release of Patroni other than the newest), `paths.txt` (paths to
//! name instead of the whole input) and `modes.txt` (lines of `octal path`; the input is then checked in a copy).

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use patroni_preflight::cli::Format;
use patroni_preflight::knowledge::patroni::Version;
use patroni_preflight::rules::builtin::{BUILTIN, find};

use crate::support::{TempDir, golden, lint_for, name, path, report, subdirs};

/// Rules whose subject stands in a list: the first item must not hide the second.
const LISTS: &[&str] = &[
    "basebackup-options",
    "cmdline-guc-below-runtime-minimum",
    "cmdline-guc-in-local-parameters",
    "cmdline-guc-not-carried-over",
    "create-replica-method-undefined",
    "dcs-etcd-hosts-format",
    "hba-invalid-line",
    "hba-trust-for-other-hosts",
    "initdb-options",
    "log-level-value",
    "restapi-allowlist-invalid",
    "slots-bad-value",
    "slots-invalid-name",
    "unknown-guc",
    "weak-default-secrets",
    "yaml-duplicate-key",
    "yaml-unknown-key",
];

fn cases() -> Vec<(String, PathBuf)> {
    let rules = subdirs(&path("fixtures/rules"));
    rules.iter().flat_map(|r| subdirs(r).into_iter().map(|c| (name(r), c))).collect()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn short(case: &Path) -> String {
    let input = case.join("input");
    let nodes = std::fs::read_to_string(case.join("nodes.yml")).ok();
    let release = std::fs::read_to_string(case.join("patroni.txt"));
    let release = release.map_or(Version::LATEST, |r| r.trim().parse().unwrap());
    let paths = std::fs::read_to_string(case.join("paths.txt")).unwrap_or_else(|_| ".".to_owned());
    let paths: Vec<PathBuf> = paths.lines().map(PathBuf::from).collect();
    let Ok(modes) = std::fs::read_to_string(case.join("modes.txt")) else {
        return report(&lint_for(&input, paths, nodes, release), Format::Short);
    };
    let temp = TempDir::new("modes");
    copy(&input, &temp.0);
    for line in modes.lines() {
        let (mode, file) = line.split_once(' ').unwrap();
        let mode = u32::from_str_radix(mode, 8).unwrap();
        std::fs::set_permissions(temp.0.join(file), std::fs::Permissions::from_mode(mode)).unwrap();
    }
    report(&lint_for(&temp.0, paths, nodes, release), Format::Short)
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
