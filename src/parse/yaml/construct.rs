//! Nodes to what Python holds: merge keys, equal keys, sets, pairs, and the mistakes that show only here.
//!
//! PyYAML makes collections level by level (its generators run one after the other), and the first mistake in that order
//! is the one it raises. Here all are kept; a node that cannot be made is [`Value::Unknown`].

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, VecDeque};

use super::chars::repr;
use super::composer::{Composed, Kind};
use super::fault::{Exception, Refused};
use super::key::{Key, key};
use super::scalar::{self, PyError, TOO_LARGE};
use super::tag::Tag;
use super::tree::{Entry, NodeId, Value};

/// Pairs that merge keys may copy, in all: more than any file means, less than what hurts.
const MOST_MERGED: usize = 1 << 20;
/// Pairs moved to close the gaps that merge keys leave.
const MOST_MOVED: usize = 1 << 24;
/// Merges inside merges, and `=` inside `=`, before Python's stack is full.
const MAX_CALLS: usize = 950;
/// Mappings up to this size are searched one by one for equal keys.
const SMALL: usize = 12;

/// What construction found besides the values.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// In PyYAML's order: the first is what it raises.
    pub(super) faults: Vec<Exception>,
    /// The first pair with a key and a later one with an equal key, both written in the same mapping.
    pub(super) duplicates: Vec<(Entry, Entry)>,
}

struct Constructor<'d> {
    doc: &'d mut Composed,
    made: Vec<bool>,
    waiting: VecDeque<NodeId>,
    /// The pairs of mappings as merge keys and `!!omap` see them, once the node holds something else.
    raw: BTreeMap<NodeId, Vec<Entry>>,
    merged: usize,
    moved: usize,
    found: Found,
}

/// Makes everything that hangs on the root.
pub(super) fn construct(doc: &mut Composed) -> Found {
    let Some(root) = doc.root else { return Found::default() };
    let made = vec![false; doc.nodes.len()];
    let mut this = Constructor {
        doc,
        made,
        waiting: VecDeque::new(),
        raw: BTreeMap::new(),
        merged: 0,
        moved: 0,
        found: Found::default(),
    };
    this.object(root);
    while let Some(id) = this.waiting.pop_front() {
        if let Err(fault) = this.collection(id) {
            this.fail(id, *fault);
        }
    }
    this.found
}

impl Constructor<'_> {
    fn fail(&mut self, id: NodeId, fault: Exception) {
        self.found.faults.push(fault);
        self.keep_raw(id);
        self.doc.nodes[id.index()].value = Value::Unknown;
    }

    fn mark(&self, id: NodeId) -> usize {
        self.doc.metas[id.index()].mark as usize
    }

    fn kind(&self, id: NodeId) -> Kind {
        self.doc.metas[id.index()].kind
    }

    fn end(&self, id: NodeId) -> usize {
        self.doc.nodes[id.index()].span.end as usize
    }

    fn refuse(&self, id: NodeId, problem: impl Into<Cow<'static, str>>) -> Box<Exception> {
        Exception::constructor(problem, self.mark(id)).to(self.end(id))
    }

    fn refuse_python(&self, id: NodeId, error: PyError) -> Box<Exception> {
        let at = if error.class == "ConstructorError" {
            self.mark(id)
        } else {
            self.doc.nodes[id.index()].span.start as usize
        };
        Exception::new(error.class, error.problem, at).to(self.end(id))
    }

    /// `construct_object`: scalars at once, collections later.
    fn object(&mut self, id: NodeId) {
        if std::mem::replace(&mut self.made[id.index()], true) {
            return;
        }
        let meta = &self.doc.metas[id.index()];
        let outcome = match (&meta.tag, meta.kind) {
            (Tag::Seq | Tag::Map | Tag::Set | Tag::Omap | Tag::Pairs, _) => {
                self.waiting.push_back(id);
                return;
            }
            (tag @ (Tag::Merge | Tag::Value | Tag::Other(_)), _) => {
                let name = repr(&tag.undefined().unwrap_or_default());
                Err(self.refuse(id, format!("could not determine a constructor for the tag {name}")))
            }
            (_, Kind::Scalar) => match self.doc.failed.remove(&id) {
                None => return,
                Some(error) => Err(self.refuse_python(id, error)),
            },
            (..) => self.scalar_of_collection(id),
        };
        if let Err(fault) = outcome {
            self.fail(id, *fault);
        }
    }

    /// A mapping with a scalar's tag stands for the value of its key `=`.
    fn scalar_of_collection(&mut self, id: NodeId) -> Refused<()> {
        let text = self.scalar_text(id)?;
        let tag = self.doc.metas[id.index()].tag.clone();
        if tag == Tag::Timestamp {
            let problem = "expected string or bytes-like object, got 'list'";
            return Err(self.refuse_python(id, PyError::new("TypeError", problem)));
        }
        let value = scalar::value(&tag, Cow::Owned(text)).map_err(|error| self.refuse_python(id, error))?;
        self.keep_raw(id);
        self.doc.nodes[id.index()].value = value;
        Ok(())
    }

    fn scalar_text(&self, id: NodeId) -> Refused<String> {
        let mut here = id;
        for _ in 0..MAX_CALLS {
            if self.kind(here) == Kind::Scalar {
                return Ok(self.doc.texts.get(&here).map_or_else(String::new, ToString::to_string));
            }
            let value_key = self.entries(here).iter().find(|e| self.doc.metas[e.key.index()].tag == Tag::Value);
            let Some(entry) = value_key else {
                let kind = self.kind(here).id();
                return Err(self.refuse(here, format!("expected a scalar node, but found {kind}")));
            };
            here = entry.value;
        }
        Err(self.refuse_python(id, PyError::new("RecursionError", "maximum recursion depth exceeded")))
    }

    fn collection(&mut self, id: NodeId) -> Refused<()> {
        match (&self.doc.metas[id.index()].tag, self.kind(id)) {
            (Tag::Seq, Kind::Sequence) => {
                for child in self.children(id) {
                    self.object(child);
                }
                Ok(())
            }
            (Tag::Seq, kind) => Err(self.refuse(id, format!("expected a sequence node, but found {}", kind.id()))),
            (Tag::Map, Kind::Mapping) => {
                let entries = self.mapping(id)?;
                self.keep_raw(id);
                self.doc.nodes[id.index()].value = Value::Mapping(entries);
                Ok(())
            }
            (Tag::Set, Kind::Mapping) => {
                let entries = self.mapping(id)?;
                self.keep_raw(id);
                self.doc.nodes[id.index()].value = Value::Set(entries.iter().map(|e| e.key).collect());
                Ok(())
            }
            (Tag::Map | Tag::Set, kind) => {
                Err(self.refuse(id, format!("expected a mapping node, but found {}", kind.id())))
            }
            (Tag::Omap, _) => self.pairs(id, "while constructing an ordered map"),
            _ => self.pairs(id, "while constructing pairs"),
        }
    }

    fn children(&self, id: NodeId) -> Vec<NodeId> {
        match &self.doc.nodes[id.index()].value {
            Value::Sequence(children) => children.clone(),
            _ => Vec::new(),
        }
    }

    /// The pairs of a mapping node, flattened or not, before equal keys are joined.
    fn entries(&self, id: NodeId) -> &[Entry] {
        match (self.raw.get(&id), &self.doc.nodes[id.index()].value) {
            (Some(entries), _) | (None, Value::Mapping(entries)) => entries,
            _ => &[],
        }
    }

    fn entries_mut(&mut self, id: NodeId) -> &mut Vec<Entry> {
        if let Some(entries) = self.raw.get_mut(&id) {
            return entries;
        }
        match &mut self.doc.nodes[id.index()].value {
            Value::Mapping(entries) => entries,
            _ => unreachable!("invariant: raw pairs are kept before a mapping becomes something else"),
        }
    }

    /// Saves a mapping's pairs before the node changes, if anything may ask for them again.
    fn keep_raw(&mut self, id: NodeId) {
        let asked = self.doc.has_alias && self.kind(id) == Kind::Mapping;
        if asked
            && !self.raw.contains_key(&id)
            && let Value::Mapping(entries) = &self.doc.nodes[id.index()].value
        {
            self.raw.insert(id, entries.clone());
        }
    }

    fn pairs(&mut self, id: NodeId, during: &'static str) -> Refused<()> {
        let since = self.mark(id);
        if self.kind(id) != Kind::Sequence {
            let kind = self.kind(id).id();
            return Err(self.refuse(id, format!("expected a sequence, but found {kind}")).during(during, since));
        }
        let mut pairs = Vec::new();
        for child in self.children(id) {
            if self.kind(child) != Kind::Mapping {
                let problem = format!("expected a mapping of length 1, but found {}", self.kind(child).id());
                return Err(self.refuse(child, problem).during(during, since));
            }
            let entries = self.entries(child);
            let [entry] = *entries else {
                let problem = format!("expected a single mapping item, but found {} items", entries.len());
                return Err(self.refuse(child, problem).during(during, since));
            };
            self.object(entry.key);
            self.object(entry.value);
            pairs.push(entry);
        }
        self.doc.nodes[id.index()].value = Value::Pairs(pairs);
        Ok(())
    }

    /// `construct_mapping`: what remains of a mapping's pairs.
    fn mapping(&mut self, id: NodeId) -> Refused<Vec<Entry>> {
        if self.doc.has_merge {
            self.flatten(id, id, 0)?;
        }
        // Nobody asks for the pairs of a mapping without aliases again.
        let mut entries = match &mut self.doc.nodes[id.index()].value {
            Value::Mapping(entries) if !self.doc.has_alias => std::mem::take(entries),
            _ => self.entries(id).to_vec(),
        };
        for entry in &entries {
            self.object(entry.key);
            if !self.is_hashable(entry.key) {
                let fault =
                    Exception::constructor("found unhashable key", self.mark(entry.key)).to(self.end(entry.key));
                self.found.faults.push(*fault.during("while constructing a mapping", self.mark(id)));
            }
            self.object(entry.value);
        }
        entries.retain(|entry| self.is_hashable(entry.key));
        Ok(self.join_equal(entries))
    }

    fn is_hashable(&self, id: NodeId) -> bool {
        let meta = &self.doc.metas[id.index()];
        !matches!(meta.tag, Tag::Seq | Tag::Map | Tag::Set | Tag::Omap | Tag::Pairs)
    }

    /// A `dict` keeps the first of equal keys, in its place, and the last value. When both keys are the same text, the
    /// place of the later one is kept, because its value counts.
    fn join_equal(&mut self, mut entries: Vec<Entry>) -> Vec<Entry> {
        let nodes = &self.doc.nodes;
        let key_of = |id: NodeId| key(id, &nodes[id.index()].value).unwrap_or(Key::Itself(id));
        let many = entries.len() > SMALL;
        let mut places = HashMap::with_capacity(if many { entries.len() } else { 0 });
        let mut len = 0;
        for i in 0..entries.len() {
            let entry = entries[i];
            let this = key_of(entry.key);
            let known = if many {
                places.get(&this).copied()
            } else {
                entries[..len].iter().position(|e| key_of(e.key) == this)
            };
            let Some(place) = known else {
                if many {
                    places.insert(this, len);
                }
                entries[len] = entry;
                len += 1;
                continue;
            };
            let first = &mut entries[place];
            if !first.merged && !entry.merged {
                self.found.duplicates.push((*first, entry));
            }
            let key = if matches!(this, Key::Str(_)) { entry.key } else { first.key };
            *first = Entry { key, ..entry };
        }
        entries.truncate(len);
        entries
    }

    /// `flatten_mapping`: puts the pairs that `<<` names in front, and makes the key `=` a string.
    fn flatten(&mut self, id: NodeId, top: NodeId, calls: usize) -> Refused<()> {
        if calls > MAX_CALLS {
            return Err(self.refuse_python(top, PyError::new("RecursionError", "maximum recursion depth exceeded")));
        }
        let mut merge: Vec<Entry> = Vec::new();
        let mut index = 0;
        while let Some(entry) = self.entries(id).get(index).copied() {
            match self.doc.metas[entry.key.index()].tag {
                Tag::Merge => {
                    self.moved += self.entries(id).len() - index;
                    if self.moved > MOST_MOVED {
                        return Err(self.refuse_python(top, PyError::too_large()));
                    }
                    self.entries_mut(id).remove(index);
                    self.merge_into(&mut merge, id, entry.value, calls)?;
                }
                Tag::Value => {
                    self.doc.metas[entry.key.index()].tag = Tag::Str;
                    index += 1;
                }
                _ => index += 1,
            }
        }
        if !merge.is_empty() {
            let entries = self.entries_mut(id);
            merge.append(entries);
            *entries = merge;
        }
        Ok(())
    }

    fn merge_into(&mut self, merge: &mut Vec<Entry>, id: NodeId, value: NodeId, calls: usize) -> Refused<()> {
        let during = |fault: Box<Exception>, since| Err(fault.during("while constructing a mapping", since));
        match self.kind(value) {
            Kind::Mapping => self.merge_one(merge, id, value, calls),
            Kind::Sequence => {
                let mut parts = Vec::new();
                for part in self.children(value) {
                    if self.kind(part) != Kind::Mapping {
                        let problem = format!("expected a mapping for merging, but found {}", self.kind(part).id());
                        return during(self.refuse(part, problem), self.mark(id));
                    }
                    let mut entries = Vec::new();
                    self.merge_one(&mut entries, id, part, calls)?;
                    parts.push(entries);
                }
                merge.extend(parts.into_iter().rev().flatten());
                Ok(())
            }
            // A template fills it in.
            Kind::Scalar if self.doc.nodes[value.index()].value == Value::Unknown => Ok(()),
            Kind::Scalar => {
                let problem = "expected a mapping or list of mappings for merging, but found scalar";
                during(self.refuse(value, problem), self.mark(id))
            }
        }
    }

    fn merge_one(&mut self, merge: &mut Vec<Entry>, id: NodeId, part: NodeId, calls: usize) -> Refused<()> {
        self.flatten(part, id, calls + 1)?;
        let entries = self.entries(part);
        if self.merged + entries.len() > MOST_MERGED {
            return Err(self.refuse_python(id, PyError::too_large()));
        }
        merge.extend(entries.iter().map(|e| Entry { merged: true, ..*e }));
        self.merged += entries.len();
        Ok(())
    }
}

/// Whether a fault is ours: Python would go on and on instead.
pub(super) fn is_too_large(fault: &Exception) -> bool {
    fault.class == TOO_LARGE
}
