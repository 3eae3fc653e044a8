//! What a YAML file says, as PyYAML's `safe_load` constructs it, with the place of every value.
//!
//! Nodes live in one arena. An alias is a second reference to the same node, never a copy, so a tree is never larger than
//! its text. References that make a node contain itself, or that make a walk through all of the tree take more steps than
//! [`MOST_STEPS`], are cut (a problem says so), so that whoever walks a tree comes to an end.

use std::collections::BTreeSet;
use std::sync::Arc;

pub use super::bound::MOST_STEPS;
use super::fault::Exception;
use crate::source::{Source, SourceId, Span};

/// A node of a [`Tree`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(super) u32);

impl NodeId {
    /// The id of the node at an index below [`Tree::len`].
    pub(in crate::parse) fn at(index: usize) -> Self {
        Self(super::composer::offset(index))
    }

    /// Where the node lies among all those of its tree.
    pub(in crate::parse) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// How a scalar or collection was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// An unquoted scalar; an absent value is a plain scalar of no bytes.
    Plain,
    /// `'…'`
    SingleQuoted,
    /// `"…"`
    DoubleQuoted,
    /// `|` or `>`
    Block,
    /// A collection by indentation.
    BlockCollection,
    /// `[…]` or `{…}`
    FlowCollection,
}

/// A whole number of any size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Int {
    /// One that fits.
    Small(i64),
    /// One that does not, in decimal digits with its sign; in hexadecimal ones after `0x` when it is written in base 2, 8
    /// or 16 and has so many digits that Python refuses to show it in decimal.
    Big(Box<str>),
}

/// What a node is in Python after `safe_load`.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `None`
    Null,
    /// `bool`
    Bool(bool),
    /// `int`
    Int(Int),
    /// `float`
    Float(f64),
    /// `str`; what is made of a tree may share it.
    Str(Arc<str>),
    /// `bytes`, from `!!binary`
    Binary(Box<[u8]>),
    /// `datetime.date` or `datetime.datetime`, as Python's `isoformat()` writes it.
    Timestamp(Box<str>),
    /// `list`
    Sequence(Vec<NodeId>),
    /// `dict`: what remains after merge keys and after the last of equal keys won, in Python's order.
    Mapping(Vec<Entry>),
    /// `set`
    Set(Vec<NodeId>),
    /// `list` of pairs, from `!!omap` or `!!pairs`
    Pairs(Vec<Entry>),
    /// The file is broken here (a problem says how), or a template fills it in; what stands here is not known.
    Unknown,
}

/// A key and its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Any node; mostly a string.
    pub key: NodeId,
    /// Its value.
    pub value: NodeId,
    /// Whether the pair came in through `<<`.
    pub merged: bool,
}

/// A value and its place. The span of a scalar is what was written, quotes included; that of an absent value is empty.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What it is.
    pub value: Value,
    /// Where it stands, without anchor and tag.
    pub span: Span,
    /// How it was written.
    pub style: Style,
}

/// A parsed text.
#[derive(Debug, Clone)]
pub struct Tree {
    pub(super) source: SourceId,
    pub(super) nodes: Vec<Node>,
    pub(super) root: Option<NodeId>,
    pub(super) complete: bool,
    pub(super) comments: Vec<Span>,
    pub(super) exception: Option<Arc<Exception>>,
    pub(super) open: BTreeSet<NodeId>,
    pub(super) optional: BTreeSet<NodeId>,
}

impl Tree {
    /// The text it was read from.
    #[must_use]
    pub const fn source(&self) -> SourceId {
        self.source
    }

    /// The top of the only document; `None` for an empty text or one of which nothing could be read.
    #[must_use]
    pub const fn root(&self) -> Option<NodeId> {
        self.root
    }

    /// Whether the tree holds all that `safe_load` makes of the text. If not, the text was refused or references were cut:
    /// parts of the tree are missing or [`Value::Unknown`], and what is absent from it may stand in the file.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.complete
    }

    /// Whether a collection may hold more or less than is known, because a template decides it.
    #[must_use]
    pub fn is_open(&self, id: NodeId) -> bool {
        self.open.contains(&id)
    }

    /// Whether a value may be absent although what holds it is there, because a template decides it.
    #[must_use]
    pub fn is_optional(&self, id: NodeId) -> bool {
        self.optional.contains(&id)
    }

    /// What `safe_load` raises for the text. It may quote the text, secrets included.
    #[must_use]
    pub fn exception(&self) -> Option<&Exception> {
        self.exception.as_deref()
    }

    /// Where comments stand, from `#` to the end of the line, in the order of the text.
    #[must_use]
    pub fn comments(&self) -> &[Span] {
        &self.comments
    }

    /// The comment behind a value on the line where the value ends, with nothing but spaces between them.
    #[must_use]
    pub fn comment_after(&self, source: &Source, value: Span) -> Option<Span> {
        let next = self.comments.partition_point(|c| c.start < value.end);
        let comment = *self.comments.get(next)?;
        let between = source.bytes().get(value.end as usize..comment.start as usize)?;
        between.iter().all(|b| *b == b' ').then_some(comment)
    }

    /// A node of this tree.
    ///
    /// # Panics
    /// When the id belongs to another tree.
    #[must_use]
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// How many nodes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The pairs of a mapping; none for anything else.
    #[must_use]
    pub fn entries(&self, id: NodeId) -> &[Entry] {
        match &self.node(id).value {
            Value::Mapping(entries) => entries,
            _ => &[],
        }
    }

    /// The text of a string node.
    #[must_use]
    pub fn as_str(&self, id: NodeId) -> Option<&str> {
        match &self.node(id).value {
            Value::Str(s) => Some(s),
            _ => None,
        }
    }

    /// The pair with that string key in a mapping.
    #[must_use]
    pub fn get(&self, id: NodeId, key: &str) -> Option<Entry> {
        self.entries(id).iter().copied().find(|e| self.as_str(e.key) == Some(key))
    }

    /// Follows string keys from the root through mappings.
    #[must_use]
    pub fn at(&self, path: &[&str]) -> Option<Entry> {
        let mut here = self.root?;
        let mut found = None;
        for key in path {
            let entry = self.get(here, key)?;
            here = entry.value;
            found = Some(entry);
        }
        found
    }
}
