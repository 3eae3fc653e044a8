//! Paths by their words.

use std::path::{Component, Path, PathBuf};

/// A path without `.`, repeated slashes and `..` that can be taken back, by its text alone, as PostgreSQL does it too
/// (`canonicalize_path` in `src/port/path.c`).
#[must_use]
pub fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(out.components().next_back(), Some(Component::Normal(_))) => {
                out.pop();
            }
            Component::ParentDir if out.has_root() => {}
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::normal;
    use std::path::Path;

    #[test]
    fn words_are_taken_back_as_far_as_there_are_any() {
        for (path, wanted) in [("a/./b//c", "a/b/c"), ("a/../../b", "../b"), ("/../a/b/..", "/a"), ("./", "")] {
            assert_eq!(normal(Path::new(path)), Path::new(wanted), "{path}");
        }
    }
}
