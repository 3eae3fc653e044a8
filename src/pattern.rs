//! Patterns of paths, as a configuration writes them: relative to its own directory.

use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::source::path::normal;

/// Where the paths of a run start, and where those of a configuration do. Both absolute.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Root {
    /// The directory of the run.
    pub base: PathBuf,
    /// The directory of the configuration.
    pub dir: PathBuf,
}

impl Root {
    /// A path of the run as the configuration would write it; `None` for one that lies elsewhere.
    #[must_use]
    pub fn of(&self, path: &Path) -> Option<PathBuf> {
        normal(&self.base.join(path)).strip_prefix(&self.dir).ok().map(Path::to_path_buf)
    }
}

/// Paths that are meant. `*` and `?` stop at slashes, `**` does not; a directory stands for all below it.
#[derive(Debug, Clone, Default)]
pub struct Patterns {
    root: Root,
    set: GlobSet,
}

impl Patterns {
    /// From the texts of a configuration.
    ///
    /// # Errors
    /// The number of the pattern that cannot be read, and why.
    pub fn new<'t>(root: &Root, texts: impl IntoIterator<Item = &'t str>) -> Result<Self, (usize, String)> {
        let mut set = GlobSetBuilder::new();
        for (i, text) in texts.into_iter().enumerate() {
            let plain = text.strip_prefix("./").unwrap_or(text).trim_end_matches('/');
            if plain.is_empty() || plain.starts_with('/') || plain.split('/').any(|p| p == "..") {
                let why =
                    "a pattern is relative to the directory of the file it stands in, and does not lead out of it";
                return Err((i, why.to_owned()));
            }
            for glob in [plain.to_owned(), format!("{plain}/**")] {
                let glob = GlobBuilder::new(&glob).literal_separator(true).build();
                set.add(glob.map_err(|e| (i, e.kind().to_string()))?);
            }
        }
        let set = set.build().map_err(|e| (0, e.to_string()))?;
        Ok(Self { root: root.clone(), set })
    }

    /// Whether a path of the run is meant.
    #[must_use]
    pub fn holds(&self, path: &Path) -> bool {
        !self.set.is_empty() && self.root.of(path).is_some_and(|p| self.set.is_match(p))
    }

    /// Whether there is no pattern at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.set.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_relative_to_their_file_and_hold_what_lies_below() {
        let root = Root { base: "/r/prod".into(), dir: "/r".into() };
        let set = |texts: &[&str]| Patterns::new(&root, texts.iter().copied()).expect("patterns");
        assert!(set(&["prod"]).holds(Path::new("pg1/patroni.yml")));
        assert!(set(&["prod/*/patroni.yml"]).holds(Path::new("./pg1/patroni.yml")));
        assert!(set(&["**/*.yml"]).holds(Path::new("pg1/patroni.yml")));
        assert!(set(&["dev/**", "./dev/"]).holds(Path::new("../dev/x.yml")));
        assert!(!set(&["*.yml"]).holds(Path::new("pg1/patroni.yml")));
        assert!(!set(&["pro"]).holds(Path::new("x")) && !set(&[]).holds(Path::new("x")));
        assert!(!set(&["**"]).holds(Path::new("/elsewhere/x")));
    }

    #[test]
    fn what_cannot_be_a_pattern_is_refused() {
        let root = Root::default();
        for wrong in ["", "/etc", "../x", "a/[", "{a"] {
            assert_eq!(Patterns::new(&root, ["ok", wrong]).expect_err(wrong).0, 1, "{wrong}");
        }
    }
}
