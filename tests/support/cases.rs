//! The cases of the rules, and how each is checked.
//!
//! `fixtures/rules/<id>/<case>/` holds `input/`, what `--format short` must say of it in `expected.txt`, and where they matter
//! `nodes.yml` (answers of servers), `patroni.txt` (a release of Patroni other than the newest), `paths.txt` (paths to
//! name instead of the whole input) and `modes.txt` (lines of `octal path`; the input is then checked in a copy).

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use patroni_preflight::knowledge::patroni::Version;
use patroni_preflight::run::Linted;

use super::{TempDir, lint_for, name, path, subdirs};

/// Every case and the rule that it belongs to.
pub(crate) fn cases() -> Vec<(String, PathBuf)> {
    let rules = subdirs(&path("fixtures/rules"));
    rules.iter().flat_map(|r| subdirs(r).into_iter().map(|c| (name(r), c))).collect()
}

/// Copies a directory with all that is in it; links stay links.
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

/// Lints a case as its files say.
pub(crate) fn lint_case(case: &Path) -> Linted {
    let input = case.join("input");
    if !case.join("modes.txt").exists() {
        return lint_case_at(case, &input);
    }
    let temp = TempDir::new("modes");
    copy(&input, &temp.0);
    lint_case_at(case, &temp.0)
}

/// The same, with its input somewhere else.
pub(crate) fn lint_case_at(case: &Path, input: &Path) -> Linted {
    let nodes = std::fs::read_to_string(case.join("nodes.yml")).ok();
    let release = std::fs::read_to_string(case.join("patroni.txt"));
    let release = release.map_or(Version::LATEST, |r| r.trim().parse().unwrap());
    let paths = std::fs::read_to_string(case.join("paths.txt")).unwrap_or_else(|_| ".".to_owned());
    let paths: Vec<PathBuf> = paths.lines().map(PathBuf::from).collect();
    let modes = std::fs::read_to_string(case.join("modes.txt")).unwrap_or_default();
    for line in modes.lines() {
        let (mode, file) = line.split_once(' ').unwrap();
        let mode = u32::from_str_radix(mode, 8).unwrap();
        std::fs::set_permissions(input.join(file), std::fs::Permissions::from_mode(mode)).unwrap();
    }
    lint_for(input, paths, nodes, release)
}
