//! `fixtures/coverage.tsv`: what is known to go wrong, and the rules that tell it from files.

use std::collections::BTreeSet;

use patroni_preflight::rules::builtin::find;

use crate::support::cases::cases;
use crate::support::{name, path};

#[test]
fn everything_that_files_can_tell_has_a_rule_with_a_case() {
    let text = std::fs::read_to_string(path("fixtures/coverage.tsv")).unwrap();
    let bad: BTreeSet<String> =
        cases().into_iter().filter(|(_, case)| name(case).starts_with("bad-")).map(|(rule, _)| rule).collect();
    let mut seen = BTreeSet::new();
    let mut reasons = 0;
    for line in text.lines().filter(|l| !l.starts_with('#')) {
        let (what, told) = line.split_once('\t').unwrap_or_else(|| panic!("no tab in {line:?}"));
        assert!(seen.insert(what), "{what} stands twice");
        if let Some(reason) = told.strip_prefix('!') {
            assert!(!reason.trim().is_empty(), "{what}: no reason");
            reasons += 1;
            continue;
        }
        for rule in told.split(", ") {
            assert!(find(rule).is_some(), "{what}: there is no rule {rule}");
            assert!(bad.contains(rule), "{what}: {rule} has no bad case");
        }
    }
    assert!(seen.len() >= 190 && reasons < 20, "{} entries, {reasons} without a rule", seen.len());
}
