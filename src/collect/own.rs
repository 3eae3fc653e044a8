//! Files of our own: configuration, rules, baselines, and copies for cases that need modes.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::disk::{reason, slurp};
use crate::pattern::Root;
use crate::source::ReadError;
use crate::source::path::normal;

/// The text of a file of our own.
///
/// # Errors
/// When it cannot be read, or is no UTF-8.
pub fn text(path: &Path) -> Result<String, ReadError> {
    String::from_utf8(slurp(path)?).map_err(|_| ReadError::Other("it is not UTF-8".to_owned()))
}

/// Where paths of a run and of a file of ours start, both absolute.
#[must_use]
pub fn root(base: &Path, file: &Path) -> Root {
    let absolute = |path: &Path| std::path::absolute(path).map_or_else(|_| path.to_path_buf(), |p| normal(&p));
    let base = if base.as_os_str().is_empty() { absolute(Path::new(".")) } else { absolute(base) };
    let dir = normal(&base.join(file.parent().unwrap_or(Path::new(""))));
    Root { base, dir }
}

/// The nearest file of that name in a directory or in those above it, up to the root of the repository; outside of a
/// repository only the directory itself counts. Relative to the directory.
#[must_use]
pub fn upwards(base: &Path, name: &str) -> Option<PathBuf> {
    let start = root(base, Path::new("")).base;
    let depth = start.ancestors().position(|dir| dir.join(".git").exists()).unwrap_or(0);
    let ups = start.ancestors().take(depth + 1).enumerate();
    let level = ups.filter(|(_, dir)| dir.join(name).is_file()).map(|(level, _)| level).next()?;
    let mut path: PathBuf = std::iter::repeat_n("..", level).collect();
    path.push(name);
    Some(path)
}

/// Whether there is a file at a path.
#[must_use]
pub fn exists(path: &Path) -> bool {
    path.is_file()
}

/// The YAML files directly in a directory, with their texts, in order of their names.
///
/// # Errors
/// What cannot be read, and why.
pub fn yaml_files(dir: &Path) -> Result<Vec<(PathBuf, String)>, String> {
    let said = |path: &Path, why: &dyn std::fmt::Display| format!("{}: {why}", path.display());
    let entries = std::fs::read_dir(dir).map_err(|e| said(dir, &reason(&e)))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|e| e.path()).collect();
    paths.retain(|p| p.extension().is_some_and(|e| e == "yml" || e == "yaml"));
    paths.sort();
    paths.into_iter().map(|path| text(&path).map_err(|e| said(&path, &e)).map(|text| (path, text))).collect()
}

/// The directories directly in a directory, in order of their names; none when it cannot be read.
#[must_use]
pub fn directories(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).map(|e| e.flatten().map(|e| e.path()).collect::<Vec<_>>());
    let mut dirs = entries.unwrap_or_default();
    dirs.retain(|p| p.is_dir());
    dirs.sort();
    dirs
}

/// A copy of a directory that goes away with its owner.
#[derive(Debug)]
pub struct Scratch {
    /// Where it is.
    pub dir: PathBuf,
}

impl Scratch {
    /// Copies a directory, links as links, and sets the modes of files: lines of `octal path`.
    ///
    /// # Errors
    /// What cannot be done, and why.
    pub fn copy(from: &Path, modes: &str) -> Result<Self, String> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("patroni-preflight-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let scratch = Self { dir: std::env::temp_dir().join(name) };
        let said = |e: &std::io::Error| format!("{}: {}", from.display(), reason(e));
        copy_tree(from, &scratch.dir).map_err(|e| said(&e))?;
        for line in modes.lines() {
            let wrong = || format!("modes.txt: `{line}` is no mode and path");
            let (mode, file) = line.split_once(' ').ok_or_else(wrong)?;
            let mode = u32::from_str_radix(mode, 8).map_err(|_| wrong())?;
            let permissions = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(scratch.dir.join(file), permissions).map_err(|e| said(&e))?;
        }
        Ok(scratch)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

fn copy_tree(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_symlink() {
            std::os::unix::fs::symlink(std::fs::read_link(entry.path())?, target)?;
        } else if kind.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
