//! What is known of a text that a program still makes a configuration of.
//!
//! The scanners of `parse::template` find the parts of a text that are not the configuration itself: `{{ … }}`, `<% … %>`,
//! `${…}`. Parsers read a text of the same length instead, so that every place stays right: a part that stands for a value is a
//! word of `x`, everything else is blank. This is the record of what is unknown in it.

use std::ops::Range;

/// A line (or several) that a template puts something into that we do not see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Insertion {
    /// The bytes of the parts that make it; blank in the text for parsers.
    pub range: Range<usize>,
    /// How far what is put there is indented at least, as far as it says so.
    pub indent: Option<usize>,
}

/// Lines that may be there, may not be there, or may be there several times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// All bytes between two statements.
    pub range: Range<usize>,
    /// It is not the first of its alternatives: an `else`.
    pub is_other: bool,
    /// The index of the branch that it lies in.
    pub outer: Option<usize>,
}

/// Why a template cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unbalanced {
    /// What has no counterpart.
    pub range: Range<usize>,
    /// What is missing, in words.
    pub problem: String,
}

/// What is unknown of a text.
#[derive(Debug, Clone, Default)]
pub struct Template {
    /// As long as the text it was made of.
    pub text: Vec<u8>,
    /// Values that are not known, ascending, none touches another's bytes.
    pub holes: Vec<Range<usize>>,
    /// Ascending.
    pub insertions: Vec<Insertion>,
    /// Ascending by their start; an inner one behind the one that it lies in.
    pub branches: Vec<Branch>,
    /// Encrypted values: never shown.
    pub masked: Vec<Range<usize>>,
    /// It cannot be followed; the text for parsers is blank.
    pub unbalanced: Option<Unbalanced>,
}

impl Template {
    /// Whether a value that is not known stands in these bytes.
    #[must_use]
    pub fn hits(&self, range: &Range<usize>) -> bool {
        !self.holes_in(range).is_empty()
    }

    /// The values that are not known in these bytes.
    #[must_use]
    pub fn holes_in(&self, range: &Range<usize>) -> &[Range<usize>] {
        let first = self.holes.partition_point(|h| h.end <= range.start);
        let behind = self.holes.partition_point(|h| h.start < range.end);
        self.holes.get(first..behind).unwrap_or_default()
    }

    /// Whether something that we do not see may be put between these bytes.
    #[must_use]
    pub fn has_insertion(&self, range: &Range<usize>) -> bool {
        let next = self.insertions.partition_point(|i| i.range.end <= range.start);
        self.insertions.get(next).is_some_and(|i| i.range.start < range.end)
    }

    /// Whether a statement that begins or ends a branch stands in these bytes.
    #[must_use]
    pub fn has_border(&self, range: &Range<usize>) -> bool {
        let next = self.branches.partition_point(|b| b.range.start <= range.start);
        let begins = self.branches.get(next).is_some_and(|b| b.range.start < range.end);
        begins || self.innermost(range.start).is_some_and(|b| self.branches[b].range.end < range.end)
    }

    /// The index of the innermost branch around a byte.
    #[must_use]
    pub fn innermost(&self, at: usize) -> Option<usize> {
        let mut here = self.branches.partition_point(|b| b.range.start <= at).checked_sub(1);
        while let Some(index) = here {
            if at < self.branches[index].range.end {
                return here;
            }
            here = self.branches[index].outer;
        }
        None
    }

    /// Whether what stands at a byte may be absent or there several times.
    #[must_use]
    pub fn is_optional(&self, at: usize) -> bool {
        self.innermost(at).is_some()
    }

    /// Sorts the branches and finds for each the one that it lies in; they lie apart or inside each other.
    pub fn set_branches(&mut self, mut branches: Vec<Branch>) {
        branches.sort_by_key(|b| (b.range.start, std::cmp::Reverse(b.range.end)));
        let mut around: Vec<usize> = Vec::new();
        for index in 0..branches.len() {
            let start = branches[index].range.start;
            while around.last().is_some_and(|o| branches[*o].range.end <= start) {
                around.pop();
            }
            branches[index].outer = around.last().copied();
            around.push(index);
        }
        self.branches = branches;
    }

    /// The same with blanks around a part: a file that stands in another one. What decides whether all of it is there says
    /// nothing about it.
    #[must_use]
    pub fn within(mut self, part: &Range<usize>) -> Self {
        blank(&mut self.text[..part.start]);
        blank(&mut self.text[part.end..]);
        let is_inside = |r: &Range<usize>| part.start <= r.start && r.end <= part.end;
        self.holes.retain(is_inside);
        self.insertions.retain(|i| is_inside(&i.range));
        let mut branches = std::mem::take(&mut self.branches);
        branches.retain_mut(|b| {
            let around = b.range.start <= part.start && part.end <= b.range.end;
            b.range = b.range.start.max(part.start)..b.range.end.min(part.end);
            !around && b.range.start < b.range.end
        });
        self.set_branches(branches);
        self
    }

    /// The text for parsers with blanks in the place of every alternative but the first: what it may come to.
    #[must_use]
    pub fn first_branches(&self) -> Vec<u8> {
        let mut text = self.text.clone();
        for branch in self.branches.iter().filter(|b| b.is_other) {
            erase(&mut text[branch.range.clone()]);
        }
        text
    }
}

/// Empty lines instead of whole lines of YAML: in a block of text blanks would say how far it is indented.
pub fn erase(bytes: &mut [u8]) {
    bytes.iter_mut().filter(|b| **b != b'\r').for_each(|b| *b = b'\n');
}

/// Spaces instead of everything but line ends.
pub fn blank(bytes: &mut [u8]) {
    bytes.iter_mut().filter(|b| !matches!(b, b'\n' | b'\r')).for_each(|b| *b = b' ');
}
