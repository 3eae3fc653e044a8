//! `postgresql.conf` against the real servers: what they read (`pg_file_settings`, `postgres -C`), which settings they
//! know (`pg_settings`), which values they take (`ALTER SYSTEM`).

mod files;
mod generate;
mod startup;
mod tables;
mod values;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use patroni_preflight::source::{Origin, ReadError, Reader, Source, SourceMap};

use crate::support::pg::env;

/// How many cases a test makes, with a small default for everyday runs.
pub(crate) fn size(default: usize) -> usize {
    env("PREFLIGHT_ORACLE_N").and_then(|n| n.parse().ok()).unwrap_or(default)
}

/// Tells the person who runs the tests.
#[expect(clippy::print_stdout, reason = "figures of a test run")]
pub(crate) fn say(text: &str) {
    println!("{text}");
}

/// The seed of a test; printed, so that a failure can be repeated.
pub(crate) fn seed(test: &str) -> u64 {
    let seed = env("PREFLIGHT_SEED").and_then(|n| n.parse().ok()).unwrap_or(20_240_917);
    say(&format!("{test}: PREFLIGHT_SEED={seed}"));
    seed
}

/// Reads the disk, afresh for each case.
#[derive(Default)]
pub(crate) struct Disk(SourceMap);

impl Reader for Disk {
    fn read(&self, path: &Path) -> Result<Arc<Source>, ReadError> {
        if let Some(source) = self.0.by_path(path) {
            return Ok(source);
        }
        if path.is_dir() {
            return Err(ReadError::NotAFile("directory"));
        }
        let bytes = std::fs::read(path).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => ReadError::Missing,
            std::io::ErrorKind::PermissionDenied => ReadError::Denied,
            _ => ReadError::Other(e.to_string()),
        })?;
        Ok(self.0.add(Origin::File(path.into()), path.display().to_string(), bytes))
    }

    fn list(&self, dir: &Path) -> Result<Vec<PathBuf>, ReadError> {
        let entries = std::fs::read_dir(dir).map_err(|e| ReadError::Other(e.to_string()))?;
        let mut names: Vec<PathBuf> = entries.filter_map(|e| e.ok().map(|e| e.path())).collect();
        names.sort();
        Ok(names)
    }
}
