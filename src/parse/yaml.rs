//! YAML as Patroni reads it: PyYAML 6.0.3's pure-Python `safe_load` of a file opened as text, with spans.
//!
//! `text` decodes, `scanner` makes tokens, `parser` events, `composer` nodes, `construct` values; each does its work when
//! the next one asks, because the first mistake in that order is the one that PyYAML raises ([`Tree::exception`]).
//! `recover` blanks out what is broken and reads again, so that one mistake hides neither the rest of the file nor the
//! next mistake. `uncertain` marks what a template leaves open. `report` turns exceptions into problems.
//!
//! Differences from PyYAML, all of them deliberate:
//! - nesting ends at one limit (`composer::MAX_DEPTH`); Python's depends on what stands at the bottom, by a few levels;
//! - a lone surrogate from an escape (`"\ud800"`) is U+FFFD, with a problem, because UTF-8 cannot hold it;
//! - aliases that make a node contain itself or a walk endless are cut, with a problem;
//! - merge keys that copy more than a million pairs are refused.
#![expect(
    clippy::unnecessary_box_returns,
    reason = "mistakes travel boxed from where they are made, see `fault::Refused`"
)]

mod binary;
mod blame;
mod bound;
mod chars;
mod composer;
mod construct;
mod document;
mod fault;
mod key;
mod mend;
mod number;
mod parse_flow;
mod parser;
mod quote;
mod recover;
mod report;
mod scalar;
mod scan_block;
mod scan_property;
mod scan_scalar;
mod scanner;
mod tag;
#[cfg(test)]
mod tests;
mod text;
mod timestamp;
mod token;
mod tree;
mod uncertain;

pub use fault::Exception;
pub use quote::{needs_quotes, quote};
pub use tree::{Entry, Int, MOST_STEPS, Node, NodeId, Style, Tree, Value};

use crate::problem::Parsed;
use crate::source::Source;

/// Reads a text. Never fails: what PyYAML refuses is a problem, and what can be known of the rest is in the tree.
#[must_use]
pub fn parse(source: &Source) -> Parsed<Tree> {
    let reading = recover::read(source);
    report::parsed(source, reading)
}

/// What a plain scalar becomes in Python, in a word: `str`, `int`, `bool`, `NoneType`; `None` for one that ends the reading of its
/// file.
#[must_use]
pub fn kind_of_plain(text: &str) -> Option<&'static str> {
    scalar::kind_of_plain(text)
}
