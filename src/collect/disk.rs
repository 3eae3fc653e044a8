//! Reads files of this machine, safely: no FIFO is opened, no giant is swallowed, no link is followed in a circle.

use std::fs::Metadata;
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::kind::template_of;
use crate::problem::Problem;
use crate::source::{Origin, ReadError, Reader, Source, SourceMap};

/// Largest file that is read as configuration, in bytes: a `pg_hba.conf` of half a million lines fits.
pub const LIMIT: u64 = 32 << 20;

/// `ELOOP` of Linux; its `ErrorKind` is not stable yet.
const ELOOP: i32 = 40;

/// Reads files of this machine into a [`SourceMap`], each at most once.
#[derive(Debug)]
pub struct Disk<'a> {
    pub(super) sources: &'a SourceMap,
    pub(super) base: &'a Path,
}

impl<'a> Disk<'a> {
    /// A reader that adds to that map. Relative paths start at `base`, and are shown without it.
    #[must_use]
    pub const fn new(sources: &'a SourceMap, base: &'a Path) -> Self {
        Self { sources, base }
    }

    pub(super) fn unreadable(&self, path: &Path, why: &ReadError) -> Problem {
        let name = path.display().to_string();
        let empty = self.sources.add(Origin::Virtual(name.clone()), name.clone(), Vec::new());
        Problem::new("unreadable-file", empty.span(0, 0)).arg("file", name).arg("problem", why.to_string())
    }
}

impl Reader for Disk<'_> {
    fn read(&self, path: &Path) -> Result<Arc<Source>, ReadError> {
        if let Some(known) = self.sources.by_path(path) {
            return Ok(known);
        }
        let bytes = slurp(&self.base.join(path))?;
        let template = template_of(path, &bytes);
        Ok(self.sources.add_template(Origin::File(path.to_path_buf()), path.display().to_string(), bytes, template))
    }

    fn list(&self, dir: &Path) -> Result<Vec<PathBuf>, ReadError> {
        let entries = std::fs::read_dir(self.base.join(dir)).map_err(|e| reason(&e))?;
        let mut paths: Vec<PathBuf> = entries.flatten().map(|e| dir.join(e.file_name())).collect();
        paths.sort();
        Ok(paths)
    }

    fn is_executable(&self, path: &Path) -> Option<bool> {
        mode(&self.base.join(path)).map(|mode| mode & 0o111 != 0)
    }
}

/// Permission bits of a file, `None` where they cannot be had.
#[must_use]
pub fn mode(path: &Path) -> Option<u32> {
    std::fs::metadata(path).ok().map(|m| m.permissions().mode() & 0o7777)
}

pub(super) fn slurp(path: &Path) -> Result<Vec<u8>, ReadError> {
    let metadata = std::fs::metadata(path).map_err(|e| reason(&e))?;
    if let Some(kind) = not_a_file(&metadata) {
        return Err(ReadError::NotAFile(kind));
    }
    if metadata.len() > LIMIT {
        return Err(ReadError::TooLarge { size: metadata.len(), limit: LIMIT });
    }
    let file = std::fs::File::open(path).map_err(|e| reason(&e))?;
    drain(file, usize::try_from(metadata.len()).unwrap_or(0))
}

/// Standard input, to its end.
///
/// # Errors
/// When it cannot be read, or is longer than a configuration file may be.
pub fn stdin() -> Result<Vec<u8>, ReadError> {
    drain(std::io::stdin().lock(), 0)
}

fn drain(from: impl std::io::Read, size: usize) -> Result<Vec<u8>, ReadError> {
    let mut bytes = Vec::with_capacity(size);
    from.take(LIMIT + 1).read_to_end(&mut bytes).map_err(|e| reason(&e))?;
    if bytes.len() as u64 > LIMIT {
        return Err(ReadError::TooLarge { size: bytes.len() as u64, limit: LIMIT });
    }
    Ok(bytes)
}

fn not_a_file(metadata: &Metadata) -> Option<&'static str> {
    let kind = metadata.file_type();
    if kind.is_file() {
        None
    } else if kind.is_dir() {
        Some("directory")
    } else if kind.is_fifo() {
        Some("FIFO")
    } else if kind.is_socket() {
        Some("socket")
    } else {
        Some("device")
    }
}

pub(super) fn reason(error: &std::io::Error) -> ReadError {
    match error.kind() {
        ErrorKind::NotFound => ReadError::Missing,
        ErrorKind::PermissionDenied => ReadError::Denied,
        _ if error.raw_os_error() == Some(ELOOP) => ReadError::Other("its symbolic links form a circle".to_owned()),
        _ => ReadError::Other(error.to_string()),
    }
}
