//! Tokens to events: PyYAML's grammar as a machine of states, so that nesting costs no stack.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::chars::repr;
use super::fault::{Exception, Refused};
use super::scanner::Scanner;
use super::token::{Directive, Kind, RawTag, Token};
use super::tree::Style;

/// What begins or ends in a document.
#[derive(Debug)]
pub(super) enum Event<'a> {
    Alias(&'a str),
    Scalar(Cow<'a, str>, Style),
    SequenceStart(Style),
    MappingStart(Style),
    CollectionEnd,
    DocumentStart,
    DocumentEnd,
    StreamEnd,
}

/// An event, its properties and places.
#[derive(Debug)]
pub(super) struct Item<'a> {
    pub(super) event: Event<'a>,
    pub(super) anchor: Option<&'a str>,
    /// The full name of an explicit tag.
    pub(super) tag: Option<Cow<'a, str>>,
    /// Where PyYAML says the node starts, anchor and tag included.
    pub(super) mark: usize,
    /// The content alone.
    pub(super) start: usize,
    pub(super) end: usize,
    /// Whether nothing at all was written for the node or its key.
    pub(super) absent: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    ImplicitDocumentStart,
    DocumentStart,
    DocumentContent,
    DocumentEnd,
    BlockNode,
    BlockSequenceFirst,
    BlockSequenceEntry,
    IndentlessEntry,
    BlockMappingFirst,
    BlockMappingKey,
    BlockMappingValue,
    FlowSequenceFirst,
    FlowSequenceEntry,
    FlowPairKey,
    FlowPairValue,
    FlowPairEnd,
    FlowMappingFirst,
    FlowMappingKey,
    FlowMappingValue,
    FlowMappingEmptyValue,
    End,
}

/// Which nodes may stand at a place.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Flow,
    Block,
    BlockOrIndentless,
}

pub(super) struct Parser<'a> {
    pub(super) scanner: Scanner<'a>,
    pub(super) state: State,
    pub(super) states: Vec<State>,
    marks: Vec<usize>,
    handles: BTreeMap<&'a str, Cow<'a, str>>,
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            scanner: Scanner::new(text),
            state: State::ImplicitDocumentStart,
            states: Vec::with_capacity(16),
            marks: Vec::with_capacity(16),
            handles: BTreeMap::new(),
        }
    }

    /// The next event; after the end of the stream that one for ever.
    pub(super) fn next(&mut self) -> Refused<Item<'a>> {
        match self.state {
            State::ImplicitDocumentStart => self.implicit_document_start(),
            State::DocumentStart => self.document_start(),
            State::DocumentContent => self.document_content(),
            State::DocumentEnd => self.document_end(),
            State::BlockNode => self.node(Place::Block),
            State::BlockSequenceFirst => {
                self.enter()?;
                self.block_sequence_entry()
            }
            State::BlockSequenceEntry => self.block_sequence_entry(),
            State::IndentlessEntry => self.indentless_entry(),
            State::BlockMappingFirst => {
                self.enter()?;
                self.block_mapping_key()
            }
            State::BlockMappingKey => self.block_mapping_key(),
            State::BlockMappingValue => self.block_mapping_value(),
            State::FlowSequenceFirst => {
                self.enter()?;
                self.flow_sequence_entry(true)
            }
            State::FlowSequenceEntry => self.flow_sequence_entry(false),
            State::FlowPairKey => self.flow_pair_key(),
            State::FlowPairValue => self.flow_value(State::FlowPairEnd, |k| matches!(k, Kind::FlowSequenceEnd)),
            State::FlowPairEnd => {
                self.state = State::FlowSequenceEntry;
                let at = self.scanner.peek()?.start;
                Ok(collection_end(at, at))
            }
            State::FlowMappingFirst => {
                self.enter()?;
                self.flow_mapping_key(true)
            }
            State::FlowMappingKey => self.flow_mapping_key(false),
            State::FlowMappingValue => self.flow_value(State::FlowMappingKey, |k| matches!(k, Kind::FlowMappingEnd)),
            State::FlowMappingEmptyValue => {
                let at = self.scanner.peek()?.start;
                Ok(self.absent(State::FlowMappingKey, at))
            }
            State::End => Ok(plain_item(Event::StreamEnd, self.scanner.pos, self.scanner.pos)),
        }
    }

    pub(super) fn next_is(&mut self, wanted: fn(&Kind<'a>) -> bool) -> Refused<bool> {
        Ok(wanted(&self.scanner.peek()?.kind))
    }

    pub(super) fn unexpected(&mut self, expected: &str, verb: &str) -> Refused<Box<Exception>> {
        let token = self.scanner.peek()?;
        let problem = format!("expected {expected}, but {verb} {}", repr(token.kind.id()));
        Ok(Exception::new("ParserError", problem, token.start).to(token.end))
    }

    fn pop_state(&mut self) {
        self.state = self.states.pop().expect("invariant: a state waits for the end of each node");
    }

    fn enter(&mut self) -> Refused<()> {
        let token = self.scanner.next()?;
        self.marks.push(token.start);
        Ok(())
    }

    pub(super) fn leave(&mut self, end: &Token<'a>) -> Item<'a> {
        self.pop_state();
        self.marks.pop();
        collection_end(end.start, end.end)
    }

    pub(super) fn mark(&self) -> usize {
        self.marks.last().copied().expect("invariant: a mark is kept for each open collection")
    }

    pub(super) fn absent(&mut self, then: State, at: usize) -> Item<'a> {
        self.state = then;
        Item { absent: true, ..plain_item(Event::Scalar(Cow::Borrowed(""), Style::Plain), at, at) }
    }

    fn implicit_document_start(&mut self) -> Refused<Item<'a>> {
        let explicit = |k: &Kind<'a>| matches!(k, Kind::Directive(_) | Kind::DocumentStart | Kind::StreamEnd);
        let token = self.scanner.peek()?;
        if explicit(&token.kind) {
            return self.document_start();
        }
        let at = token.start;
        self.handles = default_handles();
        self.states.push(State::DocumentEnd);
        self.state = State::BlockNode;
        Ok(plain_item(Event::DocumentStart, at, at))
    }

    fn document_start(&mut self) -> Refused<Item<'a>> {
        while self.next_is(|k| matches!(k, Kind::DocumentEnd))? {
            self.scanner.next()?;
        }
        let token = self.scanner.peek()?;
        let (start, end) = (token.start, token.end);
        if matches!(token.kind, Kind::StreamEnd) {
            self.state = State::End;
            return Ok(plain_item(Event::StreamEnd, start, end));
        }
        self.directives()?;
        if !self.next_is(|k| matches!(k, Kind::DocumentStart))? {
            return Err(self.unexpected("'<document start>'", "found")?);
        }
        let token = self.scanner.next()?;
        self.states.push(State::DocumentEnd);
        self.state = State::DocumentContent;
        Ok(plain_item(Event::DocumentStart, start, token.end))
    }

    fn document_end(&mut self) -> Refused<Item<'a>> {
        let token = self.scanner.peek()?;
        let (start, mut end) = (token.start, token.start);
        if matches!(token.kind, Kind::DocumentEnd) {
            end = self.scanner.next()?.end;
        }
        self.state = State::DocumentStart;
        Ok(plain_item(Event::DocumentEnd, start, end))
    }

    fn document_content(&mut self) -> Refused<Item<'a>> {
        let token = self.scanner.peek()?;
        let empty =
            matches!(token.kind, Kind::Directive(_) | Kind::DocumentStart | Kind::DocumentEnd | Kind::StreamEnd);
        if !empty {
            return self.node(Place::Block);
        }
        let at = token.start;
        self.pop_state();
        Ok(self.absent(self.state, at))
    }

    fn directives(&mut self) -> Refused<()> {
        self.handles = BTreeMap::new();
        let mut versioned = false;
        while self.next_is(|k| matches!(k, Kind::Directive(_)))? {
            let token = self.scanner.next()?;
            let fault = |problem: Cow<'static, str>| Exception::new("ParserError", problem, token.start).to(token.end);
            match token.kind {
                Kind::Directive(Directive::Yaml(_)) if versioned => {
                    return Err(fault("found duplicate YAML directive".into()));
                }
                Kind::Directive(Directive::Yaml(false)) => {
                    return Err(fault("found incompatible YAML document (version 1.* is required)".into()));
                }
                Kind::Directive(Directive::Yaml(true)) => versioned = true,
                Kind::Directive(Directive::Tag(ref definition)) => {
                    let (handle, prefix) = &**definition;
                    if self.handles.insert(handle, prefix.clone()).is_some() {
                        return Err(fault(format!("duplicate tag handle {}", repr(handle)).into()));
                    }
                }
                _ => {}
            }
        }
        for (handle, prefix) in default_handles() {
            self.handles.entry(handle).or_insert(prefix);
        }
        Ok(())
    }

    fn properties(&mut self) -> Refused<Properties<'a>> {
        let mut found = Properties::default();
        let mut tag = None;
        for _ in 0..2 {
            let token = self.scanner.peek()?;
            let fits = match &token.kind {
                Kind::Anchor(_) => found.anchor.is_none(),
                Kind::Tag(_) => tag.is_none(),
                _ => false,
            };
            if !fits {
                break;
            }
            let token = self.scanner.next()?;
            found.span = Some(found.span.map_or((token.start, token.end), |(start, _)| (start, token.end)));
            match token.kind {
                Kind::Anchor(name) => found.anchor = Some(name),
                Kind::Tag(raw) => tag = Some((raw, token.start, token.end)),
                _ => {}
            }
        }
        if let Some((raw, start, end)) = tag {
            let since = found.span.map_or(start, |span| span.0);
            found.tag = Some(self.full_tag(*raw, (start, end), since)?);
        }
        Ok(found)
    }

    fn full_tag(&self, raw: RawTag<'a>, place: (usize, usize), since: usize) -> Refused<Cow<'a, str>> {
        let (Some(handle), suffix) = raw else {
            return Ok(raw.1);
        };
        let Some(prefix) = self.handles.get(handle) else {
            let problem = format!("found undefined tag handle {}", repr(handle));
            let fault = Exception::new("ParserError", problem, place.0).to(place.1);
            return Err(fault.during("while parsing a node", since));
        };
        Ok(Cow::Owned(format!("{prefix}{suffix}")))
    }

    pub(super) fn node(&mut self, place: Place) -> Refused<Item<'a>> {
        if self.next_is(|k| matches!(k, Kind::Alias(_)))? {
            let token = self.scanner.next()?;
            self.pop_state();
            let Kind::Alias(name) = token.kind else { unreachable!("invariant: peek and next show the same token") };
            return Ok(plain_item(Event::Alias(name), token.start, token.end));
        }
        let properties = self.properties()?;
        let token = self.scanner.peek()?;
        let (start, end) = (token.start, token.end);
        let block = place != Place::Flow;
        let (event, then) = match &token.kind {
            Kind::BlockEntry if place == Place::BlockOrIndentless => {
                (Event::SequenceStart(Style::BlockCollection), State::IndentlessEntry)
            }
            Kind::Scalar(..) => return self.scalar(properties),
            Kind::FlowSequenceStart => (Event::SequenceStart(Style::FlowCollection), State::FlowSequenceFirst),
            Kind::FlowMappingStart => (Event::MappingStart(Style::FlowCollection), State::FlowMappingFirst),
            Kind::BlockSequenceStart if block => {
                (Event::SequenceStart(Style::BlockCollection), State::BlockSequenceFirst)
            }
            Kind::BlockMappingStart if block => (Event::MappingStart(Style::BlockCollection), State::BlockMappingFirst),
            _ => return self.empty_node(properties, block),
        };
        self.state = then;
        Ok(properties.item(event, start, end))
    }

    fn scalar(&mut self, properties: Properties<'a>) -> Refused<Item<'a>> {
        let token = self.scanner.next()?;
        self.pop_state();
        let Kind::Scalar(text, style) = token.kind else {
            unreachable!("invariant: peek and next show the same token")
        };
        Ok(properties.item(Event::Scalar(text, style), token.start, token.end))
    }

    /// A tag or anchor with nothing behind it is an empty scalar; without them something is missing.
    fn empty_node(&mut self, properties: Properties<'a>, block: bool) -> Refused<Item<'a>> {
        let Some((mark, end)) = properties.span else {
            let fault = self.unexpected("the node content", "found")?;
            let during = if block { "while parsing a block node" } else { "while parsing a flow node" };
            let at = fault.at;
            return Err(fault.during(during, at));
        };
        self.pop_state();
        Ok(Item { mark, ..properties.item(Event::Scalar(Cow::Borrowed(""), Style::Plain), end, end) })
    }

    fn block_sequence_entry(&mut self) -> Refused<Item<'a>> {
        if self.next_is(|k| matches!(k, Kind::BlockEntry))? {
            let end = self.scanner.next()?.end;
            if self.next_is(|k| matches!(k, Kind::BlockEntry | Kind::BlockEnd))? {
                return Ok(self.absent(State::BlockSequenceEntry, end));
            }
            self.states.push(State::BlockSequenceEntry);
            return self.node(Place::Block);
        }
        self.block_end("while parsing a block collection")
    }

    fn block_end(&mut self, during: &'static str) -> Refused<Item<'a>> {
        if !self.next_is(|k| matches!(k, Kind::BlockEnd))? {
            let fault = self.unexpected("<block end>", "found")?;
            return Err(fault.during(during, self.mark()));
        }
        let token = self.scanner.next()?;
        Ok(self.leave(&token))
    }

    fn indentless_entry(&mut self) -> Refused<Item<'a>> {
        let token = self.scanner.peek()?;
        if !matches!(token.kind, Kind::BlockEntry) {
            let at = token.start;
            self.pop_state();
            return Ok(collection_end(at, at));
        }
        let end = self.scanner.next()?.end;
        if self.next_is(|k| matches!(k, Kind::BlockEntry | Kind::Key | Kind::Value | Kind::BlockEnd))? {
            return Ok(self.absent(State::IndentlessEntry, end));
        }
        self.states.push(State::IndentlessEntry);
        self.node(Place::Block)
    }

    fn block_mapping_key(&mut self) -> Refused<Item<'a>> {
        if !self.next_is(|k| matches!(k, Kind::Key))? {
            return self.block_end("while parsing a block mapping");
        }
        let end = self.scanner.next()?.end;
        self.block_mapping_node(State::BlockMappingValue, end)
    }

    fn block_mapping_value(&mut self) -> Refused<Item<'a>> {
        let token = self.scanner.peek()?;
        if !matches!(token.kind, Kind::Value) {
            let at = token.start;
            return Ok(self.absent(State::BlockMappingKey, at));
        }
        let end = self.scanner.next()?.end;
        self.block_mapping_node(State::BlockMappingKey, end)
    }

    fn block_mapping_node(&mut self, then: State, end: usize) -> Refused<Item<'a>> {
        if self.next_is(|k| matches!(k, Kind::Key | Kind::Value | Kind::BlockEnd))? {
            return Ok(self.absent(then, end));
        }
        self.states.push(then);
        self.node(Place::BlockOrIndentless)
    }
}

/// Anchor and tag of a node, and where the two stand.
#[derive(Default)]
struct Properties<'a> {
    anchor: Option<&'a str>,
    tag: Option<Cow<'a, str>>,
    span: Option<(usize, usize)>,
}

impl<'a> Properties<'a> {
    fn item(self, event: Event<'a>, start: usize, end: usize) -> Item<'a> {
        let mark = self.span.map_or(start, |span| span.0);
        Item { event, anchor: self.anchor, tag: self.tag, mark, start, end, absent: false }
    }
}

pub(super) const fn plain_item(event: Event<'_>, start: usize, end: usize) -> Item<'_> {
    Item { event, anchor: None, tag: None, mark: start, start, end, absent: false }
}

const fn collection_end<'a>(start: usize, end: usize) -> Item<'a> {
    plain_item(Event::CollectionEnd, start, end)
}

fn default_handles<'a>() -> BTreeMap<&'a str, Cow<'a, str>> {
    BTreeMap::from([("!", Cow::Borrowed("!")), ("!!", Cow::Borrowed("tag:yaml.org,2002:"))])
}
