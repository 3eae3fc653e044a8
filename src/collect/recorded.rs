//! The files of a bundle: those of each member below a directory of its name, which stands for the root of its host.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::Door;
use super::kind::{By, Kind, SCRIPT, guess, template_of};
use super::search::{Found, Gathered};
use crate::bundle::{Answer, Bundle, FileText, Miss, Redaction};
use crate::gap::GapReason;
use crate::source::path::normal;
use crate::source::{Origin, ReadError, Reader, Source, SourceMap};

/// The files of a bundle by their paths.
#[derive(Debug, Default)]
pub struct Recorded<'a> {
    files: BTreeMap<PathBuf, &'a Answer<Option<FileText>>>,
    directories: BTreeMap<PathBuf, &'a Answer<Option<Vec<String>>>>,
    roots: Vec<PathBuf>,
    missed: Mutex<Missed>,
    redaction: Option<&'a Redaction>,
}

/// What was wanted of a bundle and is not in it: it was not asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Missed {
    /// Files.
    pub files: BTreeSet<PathBuf>,
    /// Names in directories.
    pub directories: BTreeSet<PathBuf>,
}

/// The directory that stands for the root of a member's host.
#[must_use]
pub fn root(member: &str) -> PathBuf {
    // A name may hold what the part of a path may not.
    member.split('/').map(|part| if matches!(part, "" | "." | "..") { "_" } else { part }).collect()
}

/// Where a file of a member stands in the tree of all of them.
#[must_use]
pub fn place(member: &str, path: &str) -> PathBuf {
    normal(&root(member).join(path.trim_start_matches('/')))
}

impl<'a> Recorded<'a> {
    /// The files of all members.
    #[must_use]
    pub fn new(bundle: &'a Bundle) -> Self {
        let files = |(name, node): (&'a String, &'a crate::bundle::Node)| {
            node.files.iter().map(move |(path, answer)| (place(name, path), answer))
        };
        let directories = |(name, node): (&'a String, &'a crate::bundle::Node)| {
            node.directories.iter().map(move |(path, answer)| (place(name, path), answer))
        };
        Self {
            files: bundle.nodes.iter().flat_map(files).collect(),
            directories: bundle.nodes.iter().flat_map(directories).collect(),
            roots: bundle.nodes.keys().map(|name| root(name)).collect(),
            missed: Mutex::default(),
            redaction: bundle.redaction.as_ref(),
        }
    }

    /// What was wanted so far and is not there.
    #[must_use]
    pub fn missed(&self) -> Missed {
        self.missed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn miss(&self, of: fn(&mut Missed) -> &mut BTreeSet<PathBuf>, path: &Path) -> ReadError {
        of(&mut self.missed.lock().unwrap_or_else(PoisonError::into_inner)).insert(path.to_path_buf());
        ReadError::Outside
    }

    /// What each file is; one that could not be had is named as unread.
    #[must_use]
    pub fn gather(&self, sources: &SourceMap) -> Gathered {
        let well_known = self.redaction.map(|r| r.well_known.clone());
        let mut all = Gathered { well_known, ..Gathered::default() };
        for (path, answer) in &self.files {
            match answer {
                Answer::Got(None) => {}
                Answer::Got(Some(file)) if file.kind.as_deref() == Some(SCRIPT) => {}
                Answer::Got(Some(file)) => {
                    let told = file.kind.as_deref().and_then(Kind::from_word).map(|kind| (kind, By::Caller));
                    let known = told.or_else(|| guess(path)?.confirm(file.text.as_bytes()));
                    let Some((kind, by)) = known else { continue };
                    let source = Self::add(sources, path, file);
                    all.found.push(Found { source, kind, by, mode: file.mode, named: true });
                }
                Answer::Missing(miss) => {
                    all.unread.push(format!("{} ({}: {})", path.display(), miss.why.words(), miss.detail));
                }
            }
        }
        all
    }

    fn add(sources: &SourceMap, path: &Path, file: &FileText) -> Arc<Source> {
        let bytes = file.text.clone().into_bytes();
        let template = if file.kind.as_deref() == Some(SCRIPT) { None } else { template_of(path, &bytes) };
        let name = file.given.clone().unwrap_or_else(|| path.display().to_string());
        sources.add_template(Origin::File(path.to_path_buf()), name, bytes, template)
    }
}

impl Door for Recorded<'_> {
    fn reader<'s>(&'s self, sources: &'s SourceMap) -> Box<dyn Reader + 's> {
        Box::new(RecordedReader { recorded: self, sources })
    }
}

/// What a reader says of a file that was asked for and not had.
fn read_error(miss: &Miss) -> ReadError {
    match miss.why {
        GapReason::Denied => ReadError::Denied,
        GapReason::NotGiven | GapReason::Unreachable | GapReason::Closed | GapReason::TooOld | GapReason::TimedOut => {
            ReadError::Outside
        }
        GapReason::Unreadable => ReadError::Other(miss.detail.clone()),
    }
}

/// A reader for the files of a bundle. What it does not hold was not collected: it may well be there.
struct RecordedReader<'a> {
    recorded: &'a Recorded<'a>,
    sources: &'a SourceMap,
}

impl Reader for RecordedReader<'_> {
    fn read(&self, path: &Path) -> Result<Arc<Source>, ReadError> {
        if let Some(known) = self.sources.by_path(path) {
            return Ok(known);
        }
        match self.recorded.files.get(path) {
            Some(Answer::Got(Some(file))) => Ok(Recorded::add(self.sources, path, file)),
            Some(Answer::Got(None)) => Err(ReadError::Missing),
            Some(Answer::Missing(miss)) => Err(read_error(miss)),
            None => Err(self.recorded.miss(|m| &mut m.files, path)),
        }
    }

    fn list(&self, dir: &Path) -> Result<Vec<PathBuf>, ReadError> {
        match self.recorded.directories.get(dir) {
            Some(Answer::Got(Some(names))) => Ok(names.iter().map(|name| dir.join(name)).collect()),
            Some(Answer::Got(None)) => Err(ReadError::Missing),
            Some(Answer::Missing(miss)) => Err(read_error(miss)),
            None => Err(self.recorded.miss(|m| &mut m.directories, dir)),
        }
    }

    /// An absolute path belongs to the host of the file that names it.
    fn resolve(&self, written: &str, file: &Path) -> PathBuf {
        let root = self.recorded.roots.iter().find(|root| file.starts_with(root));
        match (written.strip_prefix('/'), root) {
            (Some(below), Some(root)) => normal(&root.join(below)),
            _ => normal(&file.parent().unwrap_or_else(|| Path::new("")).join(written)),
        }
    }

    /// On a host it lies where its path says. It is read from the beginning, if it may be read at all.
    fn script(&self, path: &str, file: &Path, _: &mut dyn Iterator<Item = PathBuf>) -> Option<(Arc<Source>, PathBuf)> {
        let path = self.resolve(path, file);
        match self.recorded.files.get(&path)? {
            Answer::Got(Some(text)) if text.kind.as_deref() == Some(SCRIPT) => Some((self.read(&path).ok()?, path)),
            _ => None,
        }
    }

    fn is_executable(&self, path: &Path) -> Option<bool> {
        let mode = self.recorded.files.get(path)?.got()?.as_ref()?.mode?;
        Some(mode & 0o111 != 0)
    }
}
