//! Where something stands, as programs read it.

use serde::Serialize;

use super::Page;
use crate::source::{Source, Span};

/// Lines and columns count from 1, columns in characters, ends are exclusive.
#[derive(Serialize, Clone)]
pub(super) struct Place {
    pub(super) file: String,
    #[serde(flatten)]
    pub(super) range: Range,
}

/// A range of a text.
#[derive(Serialize, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) end_line: usize,
    pub(super) end_column: usize,
}

/// A span in words.
pub(super) fn place(page: &Page<'_>, span: Span) -> Place {
    let source = page.sources.get(span.source);
    Place { file: source.name().to_owned(), range: range(&source, span) }
}

/// A span in lines and columns.
pub(super) fn range(source: &Source, span: Span) -> Range {
    let (line, column) = source.position(span.start);
    let (end_line, end_column) = source.position(span.end);
    Range { line, column, end_line, end_column }
}
