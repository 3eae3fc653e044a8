//! The cases of rules below `fixtures/rules`.

use std::path::{Path, PathBuf};

use patroni_preflight::rules::builtin::BUILTIN;
use patroni_preflight::run::Linted;
use patroni_preflight::selftest;

use super::{name, path, subdirs};

/// Every case with the rule that it is about.
pub(crate) fn cases() -> Vec<(String, PathBuf)> {
    let rules = subdirs(&path("fixtures/rules"));
    rules.iter().flat_map(|r| subdirs(r).into_iter().map(|c| (name(r), c))).collect()
}

/// Copies a directory and what is below it, links as links.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_symlink() {
            std::os::unix::fs::symlink(std::fs::read_link(entry.path()).unwrap(), target).unwrap();
        } else if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Lints the files of a case as those beside them say.
pub(crate) fn lint_case(case: &Path) -> Linted {
    lint_case_at(case, &case.join("input"))
}

/// The same for another version of its files.
pub(crate) fn lint_case_at(case: &Path, input: &Path) -> Linted {
    selftest::lint(case, input, BUILTIN).unwrap_or_else(|e| panic!("{}: {e}", case.display()))
}
