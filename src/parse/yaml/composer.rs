//! Events to nodes: anchors, aliases, tags of scalars, and the only document of a stream.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::chars::repr;
use super::fault::{Exception, Refused};
use super::parser::{Event, Item, Parser};
use super::scalar::{self, PyError};
use super::tag::Tag;
use super::tree::{Entry, Node, NodeId, Style, Value};
use crate::source::{SourceId, Span};

/// Collections inside collections that Python's stack has room for.
///
/// The composer of PyYAML calls itself, and Python stops at 1000 calls. Measured with Patroni 4.1.5 on Python 3.11,
/// started as `patroni FILE`: 486 nested block mappings are read and 487 are not; 488 sequences and mappings of other
/// kinds are, 489 or 490 are not. One limit for all errs by at most four levels.
pub(super) const MAX_DEPTH: usize = 486;

/// What a node is in the text, whatever it is made into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Scalar,
    Sequence,
    Mapping,
}

impl Kind {
    pub(super) const fn id(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Sequence => "sequence",
            Self::Mapping => "mapping",
        }
    }
}

/// What construction needs of a node besides its value.
#[derive(Debug)]
pub(super) struct Meta {
    pub(super) kind: Kind,
    pub(super) tag: Tag,
    /// PyYAML's `start_mark`: anchor and tag included.
    pub(super) mark: u32,
}

/// An anchor by name.
#[derive(Debug)]
pub(super) struct Anchor {
    pub(super) node: NodeId,
    pub(super) mark: usize,
    pub(super) used: bool,
    /// Nothing stands behind it, or its value does without a space between the two.
    pub(super) odd: bool,
}

/// The nodes of a document, scalars already made into values.
#[derive(Debug)]
pub(super) struct Composed {
    pub(super) nodes: Vec<Node>,
    pub(super) metas: Vec<Meta>,
    pub(super) root: Option<NodeId>,
    /// Scalars whose text is no value of their tag.
    pub(super) failed: BTreeMap<NodeId, PyError>,
    /// Texts of scalars with an anchor, and of those behind the key `=`.
    pub(super) texts: BTreeMap<NodeId, Box<str>>,
    pub(super) anchors: Vec<Anchor>,
    pub(super) has_alias: bool,
    /// Whether a key is `<<` or `=`.
    pub(super) has_merge: bool,
}

/// A collection whose end has not come.
struct Open {
    node: NodeId,
    /// Where its children begin among those of all open ones.
    children: usize,
}

struct Composer<'a> {
    text: &'a str,
    source: SourceId,
    out: Composed,
    names: BTreeMap<&'a str, usize>,
    open: Vec<Open>,
    children: Vec<NodeId>,
    /// Where the last written thing ended.
    last_end: usize,
    /// The text is a template: one name may be given in several branches.
    is_template: bool,
}

/// Reads all of a text that the parser has.
pub(super) fn compose(parser: &mut Parser<'_>, source: SourceId, is_template: bool) -> Refused<Composed> {
    let text = parser.scanner.text;
    let guess = text.len() / 24 + 4;
    let out = Composed {
        nodes: Vec::with_capacity(guess),
        metas: Vec::with_capacity(guess),
        root: None,
        failed: BTreeMap::new(),
        texts: BTreeMap::new(),
        anchors: Vec::new(),
        has_alias: false,
        has_merge: false,
    };
    let mut composer = Composer {
        text,
        source,
        out,
        names: BTreeMap::new(),
        open: Vec::new(),
        children: Vec::new(),
        last_end: 0,
        is_template,
    };
    let mut documents = 0;
    loop {
        let item = parser.next()?;
        match item.event {
            Event::StreamEnd => return Ok(composer.out),
            Event::DocumentEnd => {}
            Event::DocumentStart => {
                documents += 1;
                if documents == 2 {
                    return Err(composer.second_document(&item));
                }
            }
            _ => composer.take(item)?,
        }
    }
}

impl<'a> Composer<'a> {
    fn second_document(&self, item: &Item<'a>) -> Box<Exception> {
        let first = self.out.root.map_or(0, |root| self.out.metas[root.index()].mark as usize);
        Exception::new("ComposerError", "but found another document", item.mark)
            .to(item.end)
            .during("expected a single document in the stream", first)
    }

    fn take(&mut self, mut item: Item<'a>) -> Refused<()> {
        match std::mem::replace(&mut item.event, Event::StreamEnd) {
            Event::Alias(name) => {
                let Some(anchor) = self.names.get(name) else {
                    let problem = format!("found undefined alias {}", repr(name));
                    return Err(Exception::new("ComposerError", problem, item.start).to(item.end));
                };
                let anchor = &mut self.out.anchors[*anchor];
                anchor.used = true;
                let node = anchor.node;
                self.out.has_alias = true;
                self.last_end = item.end;
                self.attach(node);
            }
            Event::Scalar(value, style) => self.scalar(&item, value, style)?,
            Event::SequenceStart(style) => self.start(&item, style, Kind::Sequence)?,
            Event::MappingStart(style) => self.start(&item, style, Kind::Mapping)?,
            Event::CollectionEnd => self.end(&item),
            Event::DocumentStart | Event::DocumentEnd | Event::StreamEnd => {}
        }
        Ok(())
    }

    fn scalar(&mut self, item: &Item<'a>, value: Cow<'a, str>, style: Style) -> Refused<()> {
        let tag = match item.tag.as_deref() {
            None if style == Style::Plain => Tag::resolved(&value),
            None => Tag::Str,
            Some("!") => Tag::resolved(&value),
            Some(name) => Tag::named(name),
        };
        let mut place = (item.start, item.end);
        if item.absent && self.text[self.last_end..item.start].trim_ascii().is_empty() {
            place = (self.last_end, self.last_end);
        }
        self.last_end = place.1;
        let id = self.add(item, place, style, Kind::Scalar, Value::Null)?;
        let is_default = self.children.last().is_some_and(|key| self.out.metas[key.index()].tag == Tag::Value);
        if item.anchor.is_some() || is_default {
            self.out.texts.insert(id, value.as_ref().into());
        }
        match scalar::value(&tag, value) {
            Ok(value) => self.out.nodes[id.index()].value = value,
            Err(error) => {
                self.out.failed.insert(id, error);
            }
        }
        self.out.has_merge |= matches!(tag, Tag::Merge | Tag::Value);
        self.out.metas[id.index()].tag = tag;
        self.attach(id);
        Ok(())
    }

    fn start(&mut self, item: &Item<'a>, style: Style, kind: Kind) -> Refused<()> {
        if self.open.len() == MAX_DEPTH {
            let fault = Exception::new("RecursionError", "maximum recursion depth exceeded", item.start);
            return Err(fault.to(item.end));
        }
        let tag = match item.tag.as_deref() {
            None | Some("!") if kind == Kind::Sequence => Tag::Seq,
            None | Some("!") => Tag::Map,
            Some(name) => Tag::named(name),
        };
        self.out.has_merge |= matches!(tag, Tag::Merge | Tag::Value);
        let id = self.add(item, (item.start, item.start), style, kind, Value::Unknown)?;
        self.out.metas[id.index()].tag = tag;
        self.last_end = self.last_end.max(item.start);
        self.open.push(Open { node: id, children: self.children.len() });
        Ok(())
    }

    fn end(&mut self, item: &Item<'a>) {
        if item.end > item.start {
            self.last_end = item.end;
        }
        let Open { node, children } = self.open.pop().expect("invariant: the parser ends what it began");
        let place = node.index();
        let value = if self.out.metas[place].kind == Kind::Sequence {
            Value::Sequence(self.children.split_off(children))
        } else {
            let pairs = self.children[children..].as_chunks::<2>().0.iter();
            Value::Mapping(pairs.map(|[key, value]| Entry { key: *key, value: *value, merged: false }).collect())
        };
        self.children.truncate(children);
        let node_at = &mut self.out.nodes[place];
        node_at.value = value;
        node_at.span.end = node_at.span.end.max(offset(self.last_end));
        self.attach(node);
    }

    fn attach(&mut self, node: NodeId) {
        if self.open.is_empty() {
            self.out.root = Some(node);
        } else {
            self.children.push(node);
        }
    }

    fn add(
        &mut self,
        item: &Item<'a>,
        place: (usize, usize),
        style: Style,
        kind: Kind,
        value: Value,
    ) -> Refused<NodeId> {
        let id = NodeId::at(self.out.nodes.len());
        if let Some(name) = item.anchor {
            self.anchor(name, id, item, kind)?;
        }
        let span = Span { source: self.source, start: offset(place.0), end: offset(place.1) };
        self.out.nodes.push(Node { value, span, style });
        self.out.metas.push(Meta { kind, tag: Tag::Str, mark: offset(item.mark) });
        Ok(id)
    }

    fn anchor(&mut self, name: &'a str, node: NodeId, item: &Item<'a>, kind: Kind) -> Refused<()> {
        if let Some(first) = self.names.insert(name, self.out.anchors.len())
            && !self.is_template
        {
            let context = format!("found duplicate anchor {}; first occurrence", repr(name));
            let fault = Exception::new("ComposerError", "second occurrence", item.mark).to(item.end);
            return Err(fault.during(context, self.out.anchors[first].mark));
        }
        let between = &self.text.as_bytes()[item.mark..item.start];
        let odd = kind == Kind::Scalar && item.tag.is_none() && !between.iter().any(u8::is_ascii_whitespace);
        self.out.anchors.push(Anchor { node, mark: item.mark, used: false, odd });
        Ok(())
    }
}

/// A byte of a source, which readers keep under 4 GiB.
pub(super) fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
