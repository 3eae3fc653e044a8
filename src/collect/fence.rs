//! Which files includes may lead to.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Door;
use super::disk::Disk;
use crate::source::path::normal;
use crate::source::{ReadError, Reader, Source, SourceMap};

/// Lets parsers follow includes only to files at or below the paths that were asked for: a repository is not checked against
/// the files of the machine that checks it.
#[derive(Debug)]
pub struct Fence {
    base: PathBuf,
    roots: Vec<PathBuf>,
}

impl Fence {
    /// Around these paths; a file stands for its directory.
    #[must_use]
    pub fn new(base: &Path, paths: &[PathBuf]) -> Self {
        let roots = paths.iter().map(|p| {
            let root = if base.join(p).is_dir() { p.as_path() } else { p.parent().unwrap_or(Path::new("")) };
            normal(root)
        });
        Self { base: base.to_path_buf(), roots: roots.collect() }
    }

    fn holds(&self, path: &Path) -> bool {
        let path = normal(path);
        self.roots.iter().any(|r| path.starts_with(r) && path.is_absolute() == r.is_absolute())
    }
}

impl Door for Fence {
    fn reader<'a>(&'a self, sources: &'a SourceMap) -> Box<dyn Reader + 'a> {
        Box::new(Fenced { fence: self, disk: Disk::new(sources, self.base.as_path()) })
    }
}

/// A reader behind a [`Fence`]. A directory that does not exist is outside of what was given too: a repository holds no empty
/// ones, and that the host lacks it cannot be known. So is a file in such a directory.
#[derive(Debug)]
pub struct Fenced<'a> {
    fence: &'a Fence,
    disk: Disk<'a>,
}

impl Reader for Fenced<'_> {
    fn read(&self, path: &Path) -> Result<Arc<Source>, ReadError> {
        if !self.fence.holds(path) {
            return Err(ReadError::Outside);
        }
        let path = normal(path);
        match self.disk.read(&path) {
            Err(ReadError::Missing) if path.parent().is_none_or(|dir| self.disk.list(dir).is_err()) => {
                Err(ReadError::Outside)
            }
            answer => answer,
        }
    }

    fn list(&self, dir: &Path) -> Result<Vec<PathBuf>, ReadError> {
        if !self.fence.holds(dir) {
            return Err(ReadError::Outside);
        }
        match self.disk.list(&normal(dir)) {
            Err(ReadError::Missing) => Err(ReadError::Outside),
            answer => answer,
        }
    }

    fn is_executable(&self, path: &Path) -> Option<bool> {
        if self.fence.holds(path) { self.disk.is_executable(&normal(path)) } else { None }
    }
}
