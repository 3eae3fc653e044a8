//! One reading of one text, from bytes to values, up to the first mistake that ends it.

use super::bound::{self, Cuts};
use super::composer::{self, Composed};
use super::construct::{self, Found};
use super::fault::Exception;
use super::parser::Parser;
use super::uncertain::{Doubts, Outline};
use crate::source::SourceId;

/// A text that was read to its end.
pub(super) struct Document {
    pub(super) composed: Composed,
    pub(super) found: Found,
    pub(super) cuts: Cuts,
    pub(super) doubts: Doubts,
}

/// What a reading leaves, whether it came to the end or not.
pub(super) struct Attempt {
    pub(super) outcome: Result<Document, Box<Exception>>,
    pub(super) comments: Vec<(usize, usize)>,
    /// Escapes of lone surrogates.
    pub(super) surrogates: Vec<(usize, usize)>,
    /// Whether anything looked at the end of the text.
    pub(super) end_seen: bool,
}

/// Reads a text that was decoded, and was made of a template or not.
pub(super) fn attempt(text: &str, source: SourceId, outline: Option<Outline<'_>>) -> Attempt {
    let mut parser = Parser::new(text);
    let outcome = composer::compose(&mut parser, source, outline.is_some()).map(|mut composed| {
        let doubts = outline.map(|o| o.mark(&mut composed, text)).unwrap_or_default();
        let found = construct::construct(&mut composed);
        let cuts = match composed.root {
            Some(root) if composed.has_alias => bound::bound(&mut composed.nodes, root),
            _ => Cuts::default(),
        };
        Document { composed, found, cuts, doubts }
    });
    let scanner = parser.scanner;
    let end_seen = scanner.end_seen();
    Attempt { outcome, comments: scanner.comments, surrogates: scanner.surrogates, end_seen }
}
