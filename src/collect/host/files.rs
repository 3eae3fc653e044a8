//! Texts of files and names in directories, as a host has them.

use std::collections::{BTreeMap, BTreeSet};

use super::eye::{Ask, Eye, Reply};
use super::wire;
use super::{Limits, Manifest, Way, is_plain};
use crate::bundle::{Answer, FileText, Miss};
use crate::gap::GapReason;

/// Files and directories that are wanted, as absolute paths.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Files.
    pub files: BTreeSet<String>,
    /// Directories, for the names in them.
    pub directories: BTreeSet<String>,
}

impl Wanted {
    /// Whether nothing is wanted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.directories.is_empty()
    }
}

/// What was had of that. `None` is what does not exist.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Texts {
    /// Texts by path.
    pub files: BTreeMap<String, Answer<Option<FileText>>>,
    /// Names by directory.
    pub directories: BTreeMap<String, Answer<Option<Vec<String>>>>,
}

/// Reads files of a host.
pub async fn read(way: &Way, wanted: &Wanted, limits: Limits) -> (Texts, Manifest) {
    let mut eye = Eye { way, limits, manifest: Manifest::default(), clock: None };
    let mut ask = Ask::default();
    let plain = |path: &&String| is_plain(path);
    let files: Vec<(&String, usize, usize)> =
        wanted.files.iter().filter(plain).map(|p| (p, ask.stat(p), ask.read(p))).collect();
    let directories: Vec<(&String, usize)> =
        wanted.directories.iter().filter(plain).map(|p| (p, ask.list(p))).collect();
    let count = ask.len();
    let replies = eye.ask(ask).await.unwrap_or_else(|miss| vec![Err(miss); count]);
    let file = |stat: &Reply, text: &Reply| -> Answer<Option<FileText>> {
        let mode = wire::entry(stat).got().and_then(Option::as_ref).map(|entry| entry.mode);
        text_of(wire::bytes(text), mode)
    };
    let mut texts = Texts::default();
    texts.files.extend(files.iter().map(|(p, s, t)| ((*p).clone(), file(&replies[*s], &replies[*t]))));
    texts.directories.extend(directories.iter().map(|(p, at)| ((*p).clone(), wire::names(&replies[*at]).into())));
    let refused = |p: &String| (p.clone(), Answer::missing(GapReason::Unreadable, "not an absolute path"));
    texts.files.extend(wanted.files.iter().filter(|p| !is_plain(p)).map(refused));
    (texts, eye.manifest)
}

/// A text out of the bytes of a file.
pub(in crate::collect) fn text_of(bytes: Result<Option<Vec<u8>>, Miss>, mode: Option<u32>) -> Answer<Option<FileText>> {
    let text = bytes.and_then(|bytes| {
        let Some(bytes) = bytes else { return Ok(None) };
        let broken = |_| Miss { why: GapReason::Unreadable, detail: "it is not UTF-8".to_owned() };
        let text = String::from_utf8(bytes).map_err(broken)?;
        Ok(Some(FileText { text, kind: None, given: None, mode }))
    });
    text.into()
}
