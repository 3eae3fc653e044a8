//! The files of a bundle: those of each member below a directory of its name, which stands for the root of its host.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::Door;
use super::kind::{By, Kind, guess, template_of};
use super::search::{Found, Gathered};
use crate::bundle::{Answer, Bundle, FileText, Redaction};
use crate::gap::GapReason;
use crate::source::path::normal;
use crate::source::{Origin, ReadError, Reader, Source, SourceMap};

/// The files of a bundle by their paths.
#[derive(Debug, Default)]
pub struct Recorded<'a> {
    files: BTreeMap<PathBuf, &'a Answer<FileText>>,
    redaction: Option<&'a Redaction>,
}

/// Where a file of a member stands in the tree of all of them.
#[must_use]
pub fn place(member: &str, path: &str) -> PathBuf {
    // A name may hold what a path may not.
    let root = member.replace('/', "_");
    normal(&Path::new(&root).join(path.trim_start_matches('/')))
}

impl<'a> Recorded<'a> {
    /// The files of all members.
    #[must_use]
    pub fn new(bundle: &'a Bundle) -> Self {
        let of_member = |(name, node): (&'a String, &'a crate::bundle::Node)| {
            node.files.iter().map(move |(path, answer)| (place(name, path), answer))
        };
        Self { files: bundle.nodes.iter().flat_map(of_member).collect(), redaction: bundle.redaction.as_ref() }
    }

    /// What each file is; one that could not be had is named as unread.
    #[must_use]
    pub fn gather(&self, sources: &SourceMap) -> Gathered {
        let well_known = self.redaction.map(|r| r.well_known.clone());
        let mut all = Gathered { well_known, ..Gathered::default() };
        for (path, answer) in &self.files {
            match answer {
                Answer::Got(file) => {
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
        let template = template_of(path, &bytes);
        sources.add_template(Origin::File(path.to_path_buf()), path.display().to_string(), bytes, template)
    }
}

impl Door for Recorded<'_> {
    fn reader<'s>(&'s self, sources: &'s SourceMap) -> Box<dyn Reader + 's> {
        Box::new(RecordedReader { recorded: self, sources })
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
            Some(Answer::Got(file)) => Ok(Recorded::add(self.sources, path, file)),
            Some(Answer::Missing(miss)) => Err(match miss.why {
                GapReason::Denied => ReadError::Denied,
                GapReason::NotGiven | GapReason::Unreachable | GapReason::TooOld | GapReason::TimedOut => {
                    ReadError::Outside
                }
                GapReason::Unreadable => ReadError::Other(miss.detail.clone()),
            }),
            None => Err(ReadError::Outside),
        }
    }

    fn list(&self, dir: &Path) -> Result<Vec<PathBuf>, ReadError> {
        let below = self.recorded.files.range(dir.to_path_buf()..).map(|(path, _)| path);
        let inside: Vec<PathBuf> =
            below.take_while(|p| p.starts_with(dir)).filter(|p| p.parent() == Some(dir)).cloned().collect();
        // A directory is collected with all that is read in it, or not at all.
        if inside.is_empty() { Err(ReadError::Outside) } else { Ok(inside) }
    }

    /// An absolute path belongs to the host of the file that names it.
    fn resolve(&self, written: &str, file: &Path) -> PathBuf {
        let root = file.components().next().filter(|c| matches!(c, Component::Normal(_)));
        match (written.strip_prefix('/'), root) {
            (Some(below), Some(root)) => normal(&Path::new(&root).join(below)),
            _ => normal(&file.parent().unwrap_or_else(|| Path::new("")).join(written)),
        }
    }

    fn is_executable(&self, path: &Path) -> Option<bool> {
        let mode = self.recorded.files.get(path)?.got()?.mode?;
        Some(mode & 0o111 != 0)
    }
}
