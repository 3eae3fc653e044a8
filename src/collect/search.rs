//! Finds configuration files: walks a repository, and tells what each file is.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ignore::WalkState;
use rayon::prelude::*;

use super::disk::{Disk, mode};
use super::embedded;
use super::kind::{By, Guess, Kind, guess, looks_like};
use crate::parse::{compose, manifest};
use crate::pattern::Patterns;
use crate::problem::Problem;
use crate::source::{Origin, ReadError, Reader as _, Source, SourceMap};

/// What is looked for, and where.
#[derive(Clone, Copy)]
pub struct Search<'a> {
    /// Where relative paths start; found paths are relative to it too.
    pub base: &'a Path,
    /// Files and directories.
    pub paths: &'a [PathBuf],
    /// What is passed over below directories.
    pub exclude: &'a Patterns,
    /// What the caller says that a file is.
    pub kind: &'a (dyn Fn(&Path) -> Option<Kind> + Sync),
    /// A file whose text is not taken from the disk; it is in the map of sources already.
    pub given: Option<&'a Path>,
}

impl Search<'_> {
    fn guess(&self, path: &Path) -> Option<Guess> {
        (self.kind)(path).map(Guess::Sure).or_else(|| guess(path))
    }

    /// Every file below the paths whose name may be one of ours, sorted by path; a path that is a file itself is always
    /// there.
    ///
    /// Ignore files of version control are respected; links to directories are not followed.
    fn walk(&self) -> Vec<(PathBuf, Option<Guess>)> {
        let mut found = Vec::new();
        for path in self.paths {
            let root = self.base.join(path);
            if !root.is_dir() {
                found.push((path.clone(), self.guess(path)));
                continue;
            }
            let mut builder = ignore::WalkBuilder::new(&root);
            builder.hidden(false).require_git(false).filter_entry(|e| e.file_name() != ".git");
            let below = Mutex::new(Vec::new());
            builder.threads(rayon::current_num_threads()).build_parallel().run(|| {
                Box::new(|entry| {
                    if let Some(file) = entry.ok().and_then(|e| self.candidate(&e)) {
                        below.lock().unwrap_or_else(PoisonError::into_inner).push(file);
                    }
                    WalkState::Continue
                })
            });
            found.extend(below.into_inner().unwrap_or_else(PoisonError::into_inner));
        }
        found.par_sort_by(|a, b| a.0.cmp(&b.0));
        found.dedup_by(|a, b| a.0 == b.0);
        found
    }

    /// A file of a walk whose name may be one of ours.
    fn candidate(&self, entry: &ignore::DirEntry) -> Option<(PathBuf, Option<Guess>)> {
        let is_dir = entry.file_type().is_some_and(|t| t.is_dir());
        if is_dir || (entry.path_is_symlink() && entry.path().is_dir()) {
            return None;
        }
        let path = relative(self.base, entry.path());
        let guess = self.guess(&path)?;
        (!self.exclude.holds(&path)).then_some((path, Some(guess)))
    }

    /// Finds and reads the configuration files at and below the paths, in order of their paths; what cannot be read, or was
    /// named and is none of ours, becomes a problem.
    #[must_use]
    pub fn gather(&self, sources: &SourceMap) -> Gathered {
        let disk = Disk::new(sources, self.base);
        let versioned: Vec<bool> = self.paths.iter().map(|p| is_versioned(&self.base.join(p))).collect();
        let results: Vec<Seen> = self
            .walk()
            .into_par_iter()
            .flat_map_iter(|(path, guess)| {
                let root = self.paths.iter().position(|p| path.starts_with(relative(self.base, p))).unwrap_or(0);
                let show_mode = !versioned.get(root).copied().unwrap_or(true) && self.given != Some(&path);
                self.look(&disk, &path, guess, show_mode)
            })
            .collect();
        let mut all = Gathered::default();
        for result in results {
            match result {
                Ok(file) => all.found.push(file),
                Err(Missed::Wrong(problem)) => all.problems.push(*problem),
                Err(Missed::Unread(what)) => all.unread.push(what),
            }
        }
        all
    }

    /// What a file is, or what the files in it are.
    fn look(&self, disk: &Disk<'_>, path: &Path, guess: Option<Guess>, show_mode: bool) -> Vec<Seen> {
        let named = self.paths.iter().any(|p| p == path);
        if is_dependency(path) && matches!(guess, Some(Guess::Sure(Kind::Unit) | Guess::Maybe(Kind::Unit))) {
            if std::fs::symlink_metadata(disk.base.join(path)).is_ok_and(|m| m.is_symlink()) {
                let source = disk.sources.add(Origin::File(path.to_path_buf()), path.display().to_string(), Vec::new());
                return vec![Ok(Found { source, kind: Kind::Unit, by: By::Name, mode: None, named })];
            }
            if !named {
                return Vec::new();
            }
        }
        let source = match disk.read(path) {
            Ok(source) => source,
            Err(ReadError::NotAFile(_)) if !named && !matches!(guess, Some(Guess::Sure(_))) => return Vec::new(),
            Err(why) => return vec![Err(Missed::Wrong(Box::new(disk.unreadable(path, &why))))],
        };
        let said = (self.kind)(path).is_some();
        if !said && guess.is_some_and(|g| g.kind() == Kind::Patroni) && manifest::is_manifest(source.bytes()) {
            let parts = embedded::parts(disk.sources, &source, named);
            return if parts.is_empty() && named { vec![Err(unrecognised(&source))] } else { parts };
        }
        if !said && guess.is_some_and(|g| g.kind() == Kind::Patroni) && compose::is_compose(source.bytes()) {
            return vec![Ok(Found { source, kind: Kind::Compose, by: By::Text, mode: None, named })];
        }
        let kind = match guess {
            Some(Guess::Sure(kind)) if said => Some((kind, By::Caller)),
            Some(guess) => guess.confirm(source.bytes()),
            None => None,
        };
        let by_text = || (named && looks_like(Kind::Patroni, source.bytes())).then_some((Kind::Patroni, By::Text));
        match kind.or_else(by_text) {
            Some((kind, by)) => {
                let shown = show_mode && matches!(kind, Kind::Patroni | Kind::Environment);
                let mode = if shown { mode(&disk.base.join(path)) } else { None };
                vec![Ok(Found { source, kind, by, mode, named })]
            }
            None if named => vec![Err(unrecognised(&source))],
            None => Vec::new(),
        }
    }
}

fn unrecognised(source: &Source) -> Missed {
    Missed::Wrong(Box::new(Problem::new("unrecognised-file", source.span(0, 0)).arg("file", source.name())))
}

/// Whether a path lies where systemd keeps what a unit wants or requires: it goes by the name of a link there, reads the unit
/// from its own place, and passes over what is no link.
fn is_dependency(path: &Path) -> bool {
    path.parent().and_then(Path::extension).is_some_and(|e| e == "wants" || e == "requires")
}

fn relative(base: &Path, path: &Path) -> PathBuf {
    let path = path.strip_prefix(base).unwrap_or(path);
    path.strip_prefix(".").unwrap_or(path).to_path_buf()
}

/// What a search brings.
#[derive(Debug, Default)]
pub struct Gathered {
    /// In order of their paths.
    pub found: Vec<Found>,
    /// Files that cannot be read, or were named and are none of ours.
    pub problems: Vec<Problem>,
    /// Files in other ones, in words, that are there and that this program cannot look into.
    pub unread: Vec<String>,
    /// In texts whose secrets were replaced: what stands there for a password that everybody knows.
    pub well_known: Option<BTreeSet<String>>,
}

/// Why a file is not among those found.
#[derive(Debug)]
pub(super) enum Missed {
    Wrong(Box<Problem>),
    Unread(String),
}

/// A file that was recognised, or why it is left out.
pub(super) type Seen = Result<Found, Missed>;

/// A file that was recognised and read.
#[derive(Debug)]
pub struct Found {
    /// Its text.
    pub source: Arc<Source>,
    /// What it is taken for.
    pub kind: Kind,
    /// What told so.
    pub by: By,
    /// Permission bits, where they say something about a server: not in a work tree of version control.
    pub mode: Option<u32>,
    /// Whether it was asked for by name, and not found below a directory.
    pub named: bool,
}

/// Whether a path lies in a work tree of version control, where the mode of a file says nothing about a server.
fn is_versioned(path: &Path) -> bool {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    absolute.ancestors().any(|dir| dir.join(".git").exists())
}
