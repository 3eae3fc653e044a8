//! systemd unit files, drop-ins and environment files, as systemd reads them.
//!
//! Sources: `src/shared/conf-parser.c` (lines, sections), `src/basic/extract-word.c` and `escape.c` (words),
//! `src/core/load-fragment.c` (`Environment=`, `ExecStart=`), `src/basic/env-file.c` of systemd 252, and systemd.syntax(7).
//! Lines, words, names and environment files are compared with the functions of systemd's own library (tests/unit.rs).
//! The order of drop-ins and the specifiers follow systemd.unit(5).
//!
//! Where the program and its manual differ, the program is followed:
//! * a backslash continues a line only as its very last byte; with a blank behind it, it is part of the value;
//! * CR, NUL and LF all end a line, and a run of different ones ends it once;
//! * a malformed section header and a line that is no UTF-8 make systemd refuse the whole file, although it says of the
//!   latter that it ignores the assignment; any other mistake costs one line.

mod env;
mod exec;
mod lines;
mod name;
mod time;
mod words;

pub use env::{Variable, common, overlay, parse_env_file};
pub use exec::{Command, EnvironmentFile};
pub use name::{dropin_dirs, expand, order_dropins};
pub use time::{TimeSpan, parse_time_span};
pub use words::{Word, split_words};

use crate::parse::template;
use crate::problem::{Parsed, Problem};
use crate::source::{Source, SourceId, Span, Spanned};

/// The text of an assignment, and where each part of it stands: continuation lines are joined by a blank.
#[derive(Clone, PartialEq, Eq)]
pub struct Value {
    /// What is assigned, with neither specifiers nor escapes resolved.
    pub text: String,
    /// From the first byte to the last, over all lines.
    pub span: Span,
    /// Pairs of an offset in `text` and the byte of the source that stands there; between them both count alike.
    pieces: Vec<(u32, u32)>,
    /// Bytes of the source that a template fills in.
    holes: Vec<Span>,
}

/// Values may hold passwords, so that only their places are shown.
impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Value({:?})", self.span.range())
    }
}

impl Value {
    /// Whether a template fills in a part of it.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        !self.holes.is_empty()
    }

    /// Whether a template fills in something of a part of it.
    fn is_unknown_at(&self, part: Span) -> bool {
        self.holes.iter().any(|h| h.start < part.end && part.start < h.end)
    }

    /// The place of a part of the text.
    fn place(&self, start: usize, end: usize) -> Span {
        let last = self.at(end.saturating_sub(1).max(start)) + u32::from(end > start);
        Span { source: self.span.source, start: self.at(start), end: last.clamp(self.at(start), self.span.end) }
    }

    fn at(&self, offset: usize) -> u32 {
        let offset = u32::try_from(offset).unwrap_or(u32::MAX);
        let next = self.pieces.partition_point(|(o, _)| *o <= offset);
        let (text, source) = self.pieces[next.saturating_sub(1)];
        (source + (offset - text)).min(self.span.end)
    }
}

/// One `key=value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The section it stands in.
    pub section: String,
    /// The key.
    pub key: Spanned<String>,
    /// The value; an empty one takes back what was said before.
    pub value: Value,
}

/// A unit file, or one with its drop-ins.
#[derive(Debug, Clone, Default)]
pub struct Unit {
    assignments: Vec<Assignment>,
    refused: bool,
    /// The last place where a template puts what we do not see.
    open: Option<Span>,
}

/// Reads a unit file or a drop-in. Sections that systemd does not know are kept: whoever asks for a section names it.
#[must_use]
pub fn parse(source: &Source) -> Parsed<Unit> {
    let mut parsed = lines::parse(source);
    // What a template fills in is no mistake; what it puts in front may be the header of a section.
    let insertions = source.template().map_or(&[][..], |t| &t.insertions);
    let is_behind = |at: Span| insertions.first().is_some_and(|i| i.range.start < at.range().start);
    let is_open = |p: &Problem| template::decides_line(source, p.at) || (is_outside(p) && is_behind(p.at));
    parsed.problems.retain(|p| !is_open(p));
    parsed.problems.extend(template::problem(source));
    let lines = insertions.iter().map(|i| source.span(i.range.start, i.range.end));
    let keys = parsed.tree.assignments.iter().map(|a| a.key.span).filter(|at| source.is_unknown(*at));
    parsed.tree.open = lines.chain(keys).max();
    parsed
}

fn is_outside(problem: &Problem) -> bool {
    problem.args.iter().any(|(_, text)| text == OUTSIDE)
}

/// What systemd says of an assignment in front of the first section.
const OUTSIDE: &str = "Assignment outside of section. Ignoring.";

/// The unit that results from a file and its drop-ins, given in systemd's order (see [`order_dropins`]).
#[must_use]
pub fn merge(parts: Vec<Unit>) -> Unit {
    parts.into_iter().fold(Unit::default(), |mut all, part| {
        all.assignments.extend(part.assignments);
        all.refused |= part.refused;
        all.open = part.open.or(all.open);
        all
    })
}

/// Keys of `[Unit]` that name other units: an empty value does not take the earlier ones back (systemd.unit(5)).
const DEPENDENCIES: [&str; 18] = [
    "After",
    "Before",
    "BindTo",
    "BindsTo",
    "Conflicts",
    "JoinsNamespaceOf",
    "OnFailure",
    "OnSuccess",
    "PartOf",
    "PropagatesReloadTo",
    "PropagatesStopTo",
    "ReloadPropagatedFrom",
    "Requires",
    "RequiresMountsFor",
    "Requisite",
    "StopPropagatedFrom",
    "Upholds",
    "Wants",
];

impl Unit {
    /// Every assignment, in order, resets among them.
    #[must_use]
    pub fn assignments(&self) -> &[Assignment] {
        &self.assignments
    }

    /// Whether systemd refuses the file, so that what was read of it does not count.
    #[must_use]
    pub const fn is_refused(&self) -> bool {
        self.refused
    }

    /// Whether a template puts lines into it that we do not see.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Whether such lines stand behind a place, where they may take back what it says.
    #[must_use]
    pub fn is_open_behind(&self, at: Span) -> bool {
        self.open.is_some_and(|open| open.source != at.source || open.start > at.start)
    }

    /// What holds of a key that may be given several times: all values since the last empty one.
    #[must_use]
    pub fn all(&self, section: &str, key: &str) -> Vec<&Value> {
        let resets = section != "Unit" || DEPENDENCIES.binary_search(&key).is_err();
        let mut values = Vec::new();
        for a in self.assignments.iter().filter(|a| a.section == section && a.key.value == key) {
            if !a.value.text.is_empty() {
                values.push(&a.value);
            } else if resets {
                values.clear();
            }
        }
        values
    }

    /// The names of units in a list such as `After=`, over all its lines, each with its place.
    #[must_use]
    pub fn names(&self, section: &str, key: &str) -> Vec<Spanned<String>> {
        let words = self.all(section, key).into_iter().flat_map(|value| split_words(value).0);
        words.map(|w| Spanned::new(String::from_utf8_lossy(&w.bytes).into_owned(), w.span)).collect()
    }

    /// What holds of a key that has one value; `None` when it is absent or was taken back.
    #[must_use]
    pub fn last(&self, section: &str, key: &str) -> Option<&Value> {
        self.all(section, key).last().copied()
    }
}

/// A unit that systemd refuses, or a section or command that it passes over.
const SYNTAX: &str = "unit-syntax-error";
/// A line that systemd passes over.
const IGNORED: &str = "unit-line-ignored";

fn syntax(source: SourceId, start: u32, end: u32, problem: impl Into<String>) -> Problem {
    Problem::new(SYNTAX, Span { source, start, end }).arg("problem", problem)
}

fn ignored(at: Span, problem: &str) -> Problem {
    Problem::new(IGNORED, at).arg("problem", problem)
}
