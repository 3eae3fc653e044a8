//! Texts that can be shown: where every value comes from, in bytes.
//!
//! A [`Source`] is a file or a live answer rendered once as a small virtual text, so that every finding has a place.
//! Parsers return [`Spanned`] values, never bare ones. Nothing here reads a disk or prints: [`Reader`] is the door through
//! which parsers that follow includes ask for more text; `collect::disk` implements it.

pub mod path;
pub mod template;

use std::collections::HashMap;
use std::ffi::OsString;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, RwLock};

use template::Template;

/// A text in a [`SourceMap`]. Numbers follow the order of arrival and are never shown or sorted by: use names for that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(u32);

impl SourceId {
    /// An id outside any map, for parsing a lone text in a test or a fuzz target.
    #[must_use]
    pub const fn lone() -> Self {
        Self(u32::MAX)
    }
}

/// A range of bytes of one source, `start <= end <= length of the source`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The text the range lies in.
    pub source: SourceId,
    /// First byte.
    pub start: u32,
    /// Behind the last byte.
    pub end: u32,
}

impl Span {
    /// The empty range at the start of this one: "insert here".
    #[must_use]
    pub const fn at_start(self) -> Self {
        Self { end: self.start, ..self }
    }

    /// The empty range at the end of this one.
    #[must_use]
    pub const fn at_end(self) -> Self {
        Self { start: self.end, ..self }
    }

    /// The smallest range that covers both; `other` must lie in the same source.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        debug_assert_eq!(self.source, other.source);
        Self { source: self.source, start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// The range as indices into the source's bytes.
    #[must_use]
    pub const fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A value and the bytes it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spanned<T> {
    /// What was read.
    pub value: T,
    /// Where it stands.
    pub span: Span,
}

impl<T> Spanned<T> {
    /// Joins a value with its place.
    pub const fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }

    /// Keeps the place, changes the value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Spanned<U> {
        Spanned { value: f(self.value), span: self.span }
    }

    /// Borrows the value, keeps the place.
    pub const fn as_ref(&self) -> Spanned<&T> {
        Spanned { value: &self.value, span: self.span }
    }
}

/// What a source stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A file, by the path under which it was opened.
    File(PathBuf),
    /// A file that stands in another one, which is its directory.
    Part {
        /// The other one.
        file: PathBuf,
        /// The path of it and the name in it.
        path: PathBuf,
        /// The bytes that it takes.
        range: Range<usize>,
    },
    /// Standard input.
    Stdin,
    /// A text that we wrote ourselves about something that is no file; the name is what a user sees.
    Virtual(String),
}

/// One text with its bytes as they are on disk (nothing decoded, no line end changed) and its line starts.
#[derive(Debug)]
pub struct Source {
    id: SourceId,
    origin: Origin,
    name: String,
    bytes: Box<[u8]>,
    template: Option<Box<Template>>,
    line_starts: std::sync::OnceLock<Vec<u32>>,
}

impl Source {
    fn new(id: SourceId, origin: Origin, name: String, bytes: Vec<u8>) -> Self {
        debug_assert!(u32::try_from(bytes.len()).is_ok(), "invariant: readers refuse texts over 4 GiB");
        let line_starts = std::sync::OnceLock::new();
        Self { id, origin, name, bytes: bytes.into_boxed_slice(), template: None, line_starts }
    }

    /// A text that is in no map, for tests, benches and fuzz targets.
    #[must_use]
    pub fn lone(name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self::new(SourceId::lone(), Origin::Virtual(name.to_owned()), name.to_owned(), bytes.into())
    }

    /// The same text with what is not known of it.
    #[must_use]
    pub fn with_template(mut self, template: Option<Template>) -> Self {
        debug_assert!(
            template.as_ref().is_none_or(|t| t.text.len() == self.bytes.len()),
            "a template keeps all places"
        );
        self.template = template.map(Box::new);
        self
    }

    /// Its number in the map.
    #[must_use]
    pub const fn id(&self) -> SourceId {
        self.id
    }

    /// What it stands for.
    #[must_use]
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The path, for a file; for one in another file, that of a file in a directory.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match &self.origin {
            Origin::File(path) | Origin::Part { path, .. } => Some(path),
            Origin::Stdin | Origin::Virtual(_) => None,
        }
    }

    /// The path of the file that its bytes stand in.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match &self.origin {
            Origin::File(path) | Origin::Part { file: path, .. } => Some(path),
            Origin::Stdin | Origin::Virtual(_) => None,
        }
    }

    /// The bytes that it takes, for a file in another one.
    #[must_use]
    pub fn part(&self) -> Option<Range<usize>> {
        if let Origin::Part { range, .. } = &self.origin { Some(range.clone()) } else { None }
    }

    /// What a user sees in front of line and column.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text as it was read.
    #[must_use]
    pub const fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The text for parsers: as it was read, but in a template with words of `x` for values and blanks for statements.
    #[must_use]
    pub fn plain(&self) -> &[u8] {
        self.template.as_ref().map_or(&self.bytes, |t| &t.text)
    }

    /// What is unknown, if the text is a template.
    #[must_use]
    pub fn template(&self) -> Option<&Template> {
        self.template.as_deref()
    }

    /// Whether a value that only a template will fill in stands in a range.
    #[must_use]
    pub fn is_unknown(&self, span: Span) -> bool {
        self.template.as_ref().is_some_and(|t| t.hits(&span.range()))
    }

    /// A range of this text. Ends that lie outside are drawn back to the nearest byte, so that a span never points
    /// outside its source; that they do is a mistake of the caller and stops a debug build.
    #[must_use]
    pub fn span(&self, start: usize, end: usize) -> Span {
        debug_assert!(start <= end && end <= self.bytes.len(), "span {start}..{end} in {} bytes", self.bytes.len());
        let end = end.min(self.bytes.len());
        Span { source: self.id, start: as_u32(start.min(end)), end: as_u32(end) }
    }

    /// The whole text.
    #[must_use]
    pub fn whole(&self) -> Span {
        self.span(0, self.bytes.len())
    }

    /// The bytes of a range, as text; bytes that are no UTF-8 become U+FFFD.
    #[must_use]
    pub fn text(&self, span: Span) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(self.bytes.get(span.range()).unwrap_or_default())
    }

    fn line_starts(&self) -> &[u32] {
        self.line_starts.get_or_init(|| {
            std::iter::once(0)
                .chain(self.bytes.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(i, _)| as_u32(i + 1)))
                .collect()
        })
    }

    /// How many lines the text has; a final line end does not begin another.
    #[must_use]
    pub fn line_count(&self) -> usize {
        let starts = self.line_starts();
        let open_end = starts.last().is_some_and(|s| (*s as usize) < self.bytes.len());
        if open_end || starts.len() == 1 { starts.len() } else { starts.len() - 1 }
    }

    /// Line of a byte, counted from 0.
    #[must_use]
    pub fn line_index(&self, byte: u32) -> usize {
        self.line_starts().partition_point(|s| *s <= byte).saturating_sub(1)
    }

    /// The bytes of a line counted from 0, without its line end. `None` past the end.
    #[must_use]
    pub fn line_span(&self, index: usize) -> Option<Span> {
        let starts = self.line_starts();
        let start = *starts.get(index)? as usize;
        let next = starts.get(index + 1).map_or(self.bytes.len(), |s| *s as usize);
        let mut end = next;
        if end > start && self.bytes[end - 1] == b'\n' {
            end -= 1;
            if end > start && self.bytes[end - 1] == b'\r' {
                end -= 1;
            }
        }
        Some(self.span(start, end))
    }

    /// Line and column of a byte, both counted from 1, the column in characters.
    #[must_use]
    pub fn position(&self, byte: u32) -> (usize, usize) {
        let line = self.line_index(byte);
        let start = self.line_starts()[line] as usize;
        let before = &self.bytes[start..(byte as usize).min(self.bytes.len())];
        (line + 1, String::from_utf8_lossy(before).chars().count() + 1)
    }
}

fn as_u32(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// Every text of a run. Grows from several threads at once; a text never changes or leaves.
#[derive(Debug, Default)]
pub struct SourceMap {
    inner: RwLock<Inner>,
    count: Arc<AtomicUsize>,
}

#[derive(Debug, Default)]
struct Inner {
    sources: Vec<Arc<Source>>,
    /// Hashed by the bytes of the path: comparing paths part by part is what reading many files would spend its time on.
    by_path: HashMap<OsString, SourceId>,
}

impl SourceMap {
    /// Adds a text. A file that is already there under the same path keeps its first text and id.
    pub fn add(&self, origin: Origin, name: impl Into<String>, bytes: Vec<u8>) -> Arc<Source> {
        self.add_template(origin, name, bytes, None)
    }

    /// As [`Self::add`], for a text of which parts are unknown.
    pub fn add_template(
        &self,
        origin: Origin,
        name: impl Into<String>,
        bytes: Vec<u8>,
        template: Option<Template>,
    ) -> Arc<Source> {
        let mut inner = self.inner.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Origin::File(path) | Origin::Part { path, .. } = &origin
            && let Some(id) = inner.by_path.get(path.as_os_str())
        {
            return Arc::clone(&inner.sources[id.0 as usize]);
        }
        let id = SourceId(as_u32(inner.sources.len()));
        if let Origin::File(path) | Origin::Part { path, .. } = &origin {
            inner.by_path.insert(path.clone().into_os_string(), id);
        }
        let source = Arc::new(Source::new(id, origin, name.into(), bytes).with_template(template));
        inner.sources.push(Arc::clone(&source));
        self.count.store(inner.sources.len(), Ordering::Relaxed);
        source
    }

    /// How many texts there are, for somebody who watches from another thread.
    #[must_use]
    pub fn count(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.count)
    }

    /// The text of an id of this map.
    ///
    /// # Panics
    /// When the id belongs to another map.
    #[must_use]
    pub fn get(&self, id: SourceId) -> Arc<Source> {
        let inner = self.inner.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        Arc::clone(&inner.sources[id.0 as usize])
    }

    /// All texts, in the order of arrival.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Source>> {
        self.inner.read().unwrap_or_else(std::sync::PoisonError::into_inner).sources.clone()
    }

    /// The text of a file that was read before.
    #[must_use]
    pub fn by_path(&self, path: &Path) -> Option<Arc<Source>> {
        let inner = self.inner.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        inner.by_path.get(path.as_os_str()).map(|id| Arc::clone(&inner.sources[id.0 as usize]))
    }
}

/// Why a text could not be had. The words are for a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadError {
    /// There is nothing at that path.
    Missing,
    /// It is there and may not be read.
    Denied,
    /// A directory, FIFO, socket or device.
    NotAFile(&'static str),
    /// Larger than a configuration file may be; sizes in bytes.
    TooLarge {
        /// Its size.
        size: u64,
        /// The largest size that is read.
        limit: u64,
    },
    /// It lies outside of what was asked for, so it was not looked at.
    Outside,
    /// Anything else the operating system said, a loop of symbolic links among them.
    Other(String),
}

impl std::fmt::Display for ReadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing => f.write_str("no such file"),
            Self::Denied => f.write_str("permission denied"),
            Self::Outside => f.write_str("it lies outside of the paths to check"),
            Self::NotAFile(kind) => write!(f, "it is a {kind}, not a file"),
            Self::TooLarge { size, limit } => {
                write!(f, "it has {size} bytes; more than {limit} are not read as configuration")
            }
            Self::Other(what) => f.write_str(what),
        }
    }
}

/// How parsers that follow includes get at other files.
pub trait Reader: Sync {
    /// The text of a file, read at most once per run.
    ///
    /// # Errors
    /// When it cannot be read as a text of bearable size.
    fn read(&self, path: &Path) -> Result<Arc<Source>, ReadError>;

    /// The names in a directory, sorted by their bytes.
    ///
    /// # Errors
    /// When the directory cannot be listed.
    fn list(&self, dir: &Path) -> Result<Vec<PathBuf>, ReadError>;

    /// What a path means that stands in a file. Relative to the directory of that file; an absolute one is what it is, unless the
    /// file belongs to a host whose root is a directory here.
    fn resolve(&self, written: &str, file: &Path) -> PathBuf {
        if written.starts_with('/') {
            return PathBuf::from(written);
        }
        path::normal(&file.parent().unwrap_or_else(|| Path::new("")).join(written))
    }

    /// The text of a script that a file of a host names by an absolute path, and where it is; `None` where it was not had. In a
    /// repository other files may stand for it, which `places` lists, the first one that is there counts.
    fn script(
        &self,
        _path: &str,
        _file: &Path,
        places: &mut dyn Iterator<Item = PathBuf>,
    ) -> Option<(Arc<Source>, PathBuf)> {
        for place in places {
            if let Ok(source) = self.read(&place) {
                return Some((source, place));
            }
        }
        None
    }

    /// Whether anybody may execute a file; `None` where that cannot be told.
    fn is_executable(&self, _path: &Path) -> Option<bool> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nothing;

    impl Reader for Nothing {
        fn read(&self, _: &Path) -> Result<Arc<Source>, ReadError> {
            Err(ReadError::Missing)
        }

        fn list(&self, _: &Path) -> Result<Vec<PathBuf>, ReadError> {
            Err(ReadError::Missing)
        }
    }

    #[test]
    fn paths_are_relative_to_the_file_that_names_them() {
        let shown = |written| Nothing.resolve(written, Path::new("/etc/pg/pg_hba.conf")).display().to_string();
        assert_eq!(["x/../y", "../y", "/a/../b"].map(shown), ["/etc/pg/y", "/etc/y", "/a/../b"]);
    }

    #[test]
    fn lines_and_columns_count_characters_from_one() {
        let s = Source::lone("x", "a\nbé=ü\r\n\n");
        assert_eq!(s.position(0), (1, 1));
        assert_eq!(s.position(2), (2, 1));
        assert_eq!(s.position(5), (2, 3));
        assert_eq!(s.line_count(), 3);
        assert_eq!(s.text(s.line_span(1).expect("line 2")), "bé=ü");
        assert_eq!(s.line_span(2).map(Span::range), Some(10..10));
    }

    #[test]
    fn a_file_is_kept_once() {
        let map = SourceMap::default();
        let a = map.add(Origin::File("p".into()), "p", b"one".to_vec());
        let b = map.add(Origin::File("p".into()), "p", b"two".to_vec());
        assert_eq!(a.id(), b.id());
        assert_eq!(b.bytes(), b"one");
        assert!(map.by_path(Path::new("p")).is_some() && map.by_path(Path::new("q")).is_none());
    }
}
