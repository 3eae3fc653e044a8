//! Every edit that a rule offers, applied: the text is exactly the one recorded, and the finding is gone.
//!
//! `fixtures/rules/<id>/<bad-case>/fixed/` holds the files that change, and `fixed.txt` beside it what is said afterwards.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use patroni_preflight::cli::Format;
use patroni_preflight::finding::Finding;
use patroni_preflight::remedy::edit;
use patroni_preflight::rules::builtin::BUILTIN;
use patroni_preflight::rules::schema::{Rule, StepSpec};
use patroni_preflight::run::Linted;

use crate::support::cases::{cases, copy, lint_case, lint_case_at};
use crate::support::{TempDir, golden, golden_bytes, report};

/// The findings of a rule that offer edits.
fn offers<'a>(linted: &'a Linted, rule: &str) -> Vec<&'a Finding> {
    linted.outcome.findings.iter().filter(|f| f.rule == rule && edit::edits(f).next().is_some()).collect()
}

/// Applies what a rule offers to the files of a case, as often as edits had to wait for others; the files that changed.
fn mend(case: &Path, rule: &str, copy_of_input: &Path) -> BTreeSet<PathBuf> {
    let mut changed = BTreeSet::new();
    for _ in 0..5 {
        let linted = lint_case_at(case, copy_of_input);
        let together = edit::together(offers(&linted, rule));
        if together.is_empty() {
            break;
        }
        for (source, edits) in together {
            let source = linted.facts.sources.get(source);
            let file = source.file().expect("a file is edited").to_path_buf();
            std::fs::write(copy_of_input.join(&file), edit::apply(source.bytes(), &edits)).unwrap();
            changed.insert(file);
        }
    }
    changed
}

fn files_below(dir: &Path, base: &Path, out: &mut BTreeSet<PathBuf>) {
    for entry in std::fs::read_dir(dir).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_below(&path, base, out);
        } else {
            out.insert(path.strip_prefix(base).unwrap().to_path_buf());
        }
    }
}

/// What is wrong with the edits of a rule in one case.
fn check(case: &Path, rule: &str) -> Result<bool, String> {
    let linted = lint_case(case);
    let before = offers(&linted, rule).len();
    let temp = TempDir::new("fix");
    copy(&case.join("input"), &temp.0);
    // A work tree of version control, like the original: the modes of the copy say nothing.
    std::fs::create_dir(temp.0.join(".git")).unwrap();
    let changed = mend(case, rule, &temp.0);
    let after = lint_case_at(case, &temp.0);
    if !offers(&after, rule).is_empty() {
        return Err(format!("{}: the edits do not mend it:\n{}", case.display(), report(&after, Format::Full)));
    }
    let recorded = case.join("fixed");
    let mut known = BTreeSet::new();
    files_below(&recorded, &recorded, &mut known);
    if let Some(stale) = known.difference(&changed).next() {
        return Err(format!("{}: nothing changes {}", recorded.display(), stale.display()));
    }
    for file in &changed {
        golden_bytes(&recorded.join(file), &std::fs::read(temp.0.join(file)).unwrap())?;
    }
    if before > 0 {
        golden(&case.join("fixed.txt"), &report(&after, Format::Short))?;
    }
    Ok(before > 0)
}

#[test]
fn every_edit_is_exact_and_mends_its_finding() {
    let mut wrong = Vec::new();
    let mut checked = 0;
    for (rule, case) in cases() {
        match check(&case, &rule) {
            Ok(edited) => checked += usize::from(edited),
            Err(why) => wrong.push(why),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(checked > 20, "only {checked} cases offer edits");
}

#[test]
fn what_a_rule_promises_to_edit_it_edits_in_a_case() {
    let steps = |rule: &Rule| rule.fix.iter().flat_map(|f| f.steps.iter()).any(|s| matches!(s, StepSpec::Edit(_)));
    let shown: BTreeSet<String> =
        cases().into_iter().filter(|(_, c)| c.join("fixed").is_dir()).map(|(r, _)| r).collect();
    for rule in BUILTIN {
        assert_eq!(steps(rule), shown.contains(&*rule.id), "{}: a step `edit`, and a case with `fixed`", rule.id);
    }
}
