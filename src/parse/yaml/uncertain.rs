//! What a template leaves open in a document: values that are not known, collections that may hold more or less than is written.
//!
//! This runs between composing and constructing, on nodes as they were written. A scalar in which a placeholder stands is
//! [`Value::Unknown`]. A collection is *open* when something in it stands under a condition or in a loop, when a placeholder is a
//! key of it, or when a template puts lines of its own in it: what is absent from it may be there. Keys that are equal but
//! stand in different branches are no duplicates: their maps and lists are joined, other values are unknown unless they are equal.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use super::composer::{Composed, Kind};
use super::fault::Exception;
use super::tag::Tag;
use super::tree::{Entry, NodeId, Style, Value};
use crate::source::template::{Insertion, Template};

/// What was found besides unknown values.
#[derive(Debug, Default)]
pub(super) struct Doubts {
    /// Collections that may hold more or less.
    pub(super) open: BTreeSet<NodeId>,
    /// Values that may be absent although what holds them is there.
    pub(super) optional: BTreeSet<NodeId>,
    /// Something hangs on a collection of another branch: the text must be read branch by branch.
    pub(super) has_strays: bool,
    /// Nothing is written, and something may be put there.
    pub(super) is_empty: bool,
}

/// How the branches of a template are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// All of them, one behind the other.
    All,
    /// Only the first alternative of each block.
    First,
}

/// A template and how it is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outline<'t> {
    pub(super) template: &'t Template,
    pub(super) reading: Reading,
}

impl Outline<'_> {
    /// Marks everything in a document that is not certain.
    pub(super) fn mark(&self, doc: &mut Composed, text: &str) -> Doubts {
        let insertions = self.insertions();
        let mut marker = Marker {
            shape: Shape::new(doc, text),
            template: self.template,
            insertions: &insertions,
            doc,
            doubts: Doubts::default(),
        };
        marker.scalars();
        marker.branches();
        marker.fill_in();
        marker.join();
        marker.doubts
    }

    /// Where something may be put, alternatives that are not read among it.
    fn insertions(&self) -> Vec<Insertion> {
        let mut all = self.template.insertions.clone();
        if self.reading == Reading::First {
            let others = self.template.branches.iter().filter(|b| b.is_other);
            all.extend(others.map(|b| Insertion { range: b.range.clone(), indent: None }));
            all.sort_by_key(|i| i.range.start);
        }
        all
    }

    /// Whether a mistake stands for certain in what comes of the template: not where it puts something on the same line, nor
    /// behind a place where it may put lines.
    pub(super) fn is_certain(&self, fault: &Exception, text: &str) -> bool {
        let bytes = text.as_bytes();
        let line_of = |at: usize| {
            let at = at.min(bytes.len());
            let start = memchr::memrchr(b'\n', &bytes[..at]).map_or(0, |n| n + 1);
            let end = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |n| at + n);
            start..end
        };
        let line = line_of(fault.at);
        let before = bytes[..line.start].trim_ascii_end().len();
        let near = line_of(before).start..line.end;
        let touched = |range: &Range<usize>| self.template.hits(range) || self.template.has_insertion(range);
        let begun = match &fault.context {
            Some((context, Some(since))) if context.contains("quoted") => touched(&(*since..fault.at.max(since + 1))),
            _ => false,
        };
        let branches = self.template.has_border(&near) || self.template.is_optional(fault.at);
        let structural = fault.class == "ParserError" || fault.problem.contains("not allowed here");
        let filled_in = self.template.hits(&line) || self.template.has_insertion(&near);
        !(fault.class == "ComposerError" || begun || filled_in || structural && branches)
    }
}

/// How the nodes of a document lie in its text.
struct Shape {
    /// The first byte of what a node hangs on: its key, or itself in a list.
    owner: Vec<usize>,
    parent: Vec<Option<usize>>,
    /// How far the children of a collection are indented.
    column: Vec<usize>,
    /// First bytes of lines.
    lines: Vec<usize>,
}

impl Shape {
    fn new(doc: &Composed, text: &str) -> Self {
        let count = doc.nodes.len();
        let lines = std::iter::once(0).chain(memchr::memchr_iter(b'\n', text.as_bytes()).map(|n| n + 1)).collect();
        let mut shape = Self { owner: vec![0; count], parent: vec![None; count], column: vec![0; count], lines };
        for index in 0..count {
            let start = |id: NodeId| doc.nodes[id.index()].span.start as usize;
            let mut first = None;
            let mut hang = |child: NodeId, owner: usize| {
                // An alias leads back to what was written before.
                if child.index() > index {
                    shape.parent[child.index()] = Some(index);
                    shape.owner[child.index()] = owner;
                    first.get_or_insert(owner);
                }
            };
            match &doc.nodes[index].value {
                Value::Sequence(items) => items.iter().for_each(|item| hang(*item, start(*item))),
                Value::Mapping(entries) => {
                    for entry in entries {
                        hang(entry.key, start(entry.key));
                        hang(entry.value, start(entry.key));
                    }
                }
                _ => {}
            }
            if let Some(first) = first {
                shape.column[index] = shape.column_of(first.min(start(NodeId::at(index))));
            }
        }
        shape
    }

    fn column_of(&self, at: usize) -> usize {
        at - self.lines[self.lines.partition_point(|l| *l <= at).saturating_sub(1)]
    }
}

struct Marker<'a> {
    doc: &'a mut Composed,
    shape: Shape,
    template: &'a Template,
    insertions: &'a [Insertion],
    doubts: Doubts,
}

impl Marker<'_> {
    fn start(&self, index: usize) -> usize {
        self.doc.nodes[index].span.start as usize
    }

    fn forget(&mut self, id: NodeId) {
        self.doc.nodes[id.index()].value = Value::Unknown;
        let meta = &mut self.doc.metas[id.index()];
        meta.kind = Kind::Scalar;
        meta.tag = Tag::Str;
        self.doc.failed.remove(&id);
    }

    fn open(&mut self, index: usize) {
        self.doubts.open.insert(NodeId::at(index));
    }

    /// Values, keys and items of lists that a placeholder is part of.
    fn scalars(&mut self) {
        for index in 0..self.doc.nodes.len() {
            if self.doc.metas[index].kind != Kind::Scalar {
                continue;
            }
            let span = self.doc.nodes[index].span.range();
            let crossed = span.len() > 1 && self.template.has_border(&span);
            let inserted = || {
                let next = self.insertions.partition_point(|i| i.range.start < span.start);
                self.insertions.get(next).is_some_and(|i| i.range.start < span.end)
            };
            if self.template.hits(&span) || crossed || (span.len() > 1 && self.spans_lines(&span) && inserted()) {
                self.forget(NodeId::at(index));
            }
        }
        for index in 0..self.doc.nodes.len() {
            let unknown = |id: &NodeId| self.doc.nodes[id.index()].value == Value::Unknown;
            let open = match &self.doc.nodes[index].value {
                Value::Mapping(entries) => entries
                    .iter()
                    .any(|e| unknown(&e.key) || (unknown(&e.value) && self.doc.metas[e.key.index()].tag == Tag::Merge)),
                Value::Sequence(items) => {
                    self.doc.nodes[index].style == Style::FlowCollection && items.iter().any(unknown)
                }
                _ => false,
            };
            if open {
                self.open(index);
            }
        }
    }

    fn spans_lines(&self, span: &Range<usize>) -> bool {
        let next = self.shape.lines.partition_point(|l| *l <= span.start);
        self.shape.lines.get(next).is_some_and(|l| *l < span.end)
    }

    /// Collections of which something stands in a branch that they do not stand in themselves.
    fn branches(&mut self) {
        if self.template.branches.is_empty() {
            return;
        }
        for index in 0..self.doc.nodes.len() {
            let Some(parent) = self.shape.parent[index] else { continue };
            let at = self.shape.owner[index];
            let root = self.shape.parent[parent].is_none();
            let home = if root { None } else { self.template.innermost(self.shape.owner[parent]) };
            let here = self.template.innermost(at);
            if here == home {
                continue;
            }
            if home.is_some_and(|b| self.template.branches[b].range.end <= at) {
                self.doubts.has_strays = true;
                self.forget(NodeId::at(parent));
            }
            self.open(parent);
            self.doubts.optional.insert(NodeId::at(index));
            // What hangs on the wrong collection is missing in one above it.
            if self.doubts.has_strays {
                let mut above = self.shape.parent[parent];
                while let Some(one) = above {
                    self.open(one);
                    above = self.shape.parent[one];
                }
            }
        }
    }

    /// Collections that lines may be put into, and keys without a value in front of such lines.
    fn fill_in(&mut self) {
        let insertions = self.insertions;
        self.doubts.is_empty = self.doc.root.is_none() && !insertions.is_empty();
        let starts: Vec<usize> = (0..self.doc.nodes.len()).map(|i| self.start(i)).collect();
        for insertion in insertions {
            let at = insertion.range.start;
            let next = starts.partition_point(|s| *s <= at);
            if let Some(last) = next.checked_sub(1) {
                let taken = self.value_below(last);
                self.open_around(last, insertion, taken, |_, _| true);
            }
            if next < starts.len() {
                // What begins behind the place and hangs on something in front of it begins with it.
                self.open_around(next, insertion, false, |start, owner| owner <= at && at <= start);
            }
        }
    }

    /// Whether the value of a key is absent, so that what follows may be it.
    fn value_below(&mut self, last: usize) -> bool {
        let node = &self.doc.nodes[last];
        let absent = node.value == Value::Null && node.span.start == node.span.end;
        if absent {
            self.forget(NodeId::at(last));
        }
        absent
    }

    /// Opens a node and those above it that hold a place by their start and their owner's, as far as what is put there may reach.
    /// `exact` says that it has a home already, so that no collection further out is meant.
    fn open_around(
        &mut self,
        from: usize,
        insertion: &Insertion,
        mut exact: bool,
        holds: impl Fn(usize, usize) -> bool,
    ) {
        let mut here = Some(from);
        while let Some(index) = here {
            here = self.shape.parent[index];
            let node = &self.doc.nodes[index];
            let flow = node.style == Style::FlowCollection;
            let ended = flow && node.span.end as usize <= insertion.range.start;
            if self.doc.metas[index].kind == Kind::Scalar || ended || !holds(self.start(index), self.shape.owner[index])
            {
                continue;
            }
            let column = self.shape.column[index];
            let reached = flow || insertion.indent.is_none_or(|n| column >= n);
            if reached || !exact {
                self.open(index);
            }
            exact |= !flow && insertion.indent.is_some_and(|n| column <= n);
        }
    }

    /// Joins equal keys of different branches.
    fn join(&mut self) {
        if self.template.branches.is_empty() {
            return;
        }
        for index in 0..self.doc.nodes.len() {
            let Value::Mapping(entries) = &self.doc.nodes[index].value else { continue };
            let entries = entries.clone();
            let mut first: HashMap<String, Entry> = HashMap::new();
            let mut kept: Vec<Entry> = Vec::new();
            for entry in entries {
                let Value::Str(name) = &self.doc.nodes[entry.key.index()].value else {
                    kept.push(entry);
                    continue;
                };
                let name = name.to_string();
                match first.get(&name).copied() {
                    Some(known) if self.branch_of(known.key) != self.branch_of(entry.key) => {
                        self.join_values(known.value, entry.value);
                        self.open(index);
                    }
                    _ => {
                        first.insert(name, entry);
                        kept.push(entry);
                    }
                }
            }
            if let Value::Mapping(entries) = &mut self.doc.nodes[index].value {
                *entries = kept;
            }
        }
    }

    fn branch_of(&self, id: NodeId) -> Option<usize> {
        self.template.innermost(self.start(id.index()))
    }

    fn join_values(&mut self, into: NodeId, from: NodeId) {
        let other = self.doc.nodes[from.index()].value.clone();
        match (&mut self.doc.nodes[into.index()].value, other) {
            (Value::Mapping(entries), Value::Mapping(more)) if into < from => entries.extend(more),
            (Value::Sequence(items), Value::Sequence(more)) if into < from => items.extend(more),
            (value, other) if *value == other && !matches!(other, Value::Mapping(_) | Value::Sequence(_)) => return,
            _ => {
                self.forget(into);
                return;
            }
        }
        self.open(into.index());
    }
}
