//! The states of the parser inside `[…]` and `{…}`.

use super::fault::Refused;
use super::parser::{Event, Item, Parser, Place, State, plain_item};
use super::token::Kind;
use super::tree::Style;

impl<'a> Parser<'a> {
    pub(super) fn flow_sequence_entry(&mut self, first: bool) -> Refused<Item<'a>> {
        if !self.next_is(|k| matches!(k, Kind::FlowSequenceEnd))? {
            self.flow_comma(first, "',' or ']'", "while parsing a flow sequence")?;
            let token = self.scanner.peek()?;
            let (start, end) = (token.start, token.end);
            if matches!(token.kind, Kind::Key) {
                self.state = State::FlowPairKey;
                return Ok(plain_item(Event::MappingStart(Style::FlowCollection), start, end));
            }
            if !matches!(token.kind, Kind::FlowSequenceEnd) {
                self.states.push(State::FlowSequenceEntry);
                return self.node(Place::Flow);
            }
        }
        let token = self.scanner.next()?;
        Ok(self.leave(&token))
    }

    pub(super) fn flow_comma(&mut self, first: bool, expected: &str, during: &'static str) -> Refused<()> {
        if first {
            return Ok(());
        }
        if !self.next_is(|k| matches!(k, Kind::FlowEntry))? {
            let fault = self.unexpected(expected, "got")?;
            return Err(fault.during(during, self.mark()));
        }
        self.scanner.next()?;
        Ok(())
    }

    pub(super) fn flow_pair_key(&mut self) -> Refused<Item<'a>> {
        let end = self.scanner.next()?.end;
        if self.next_is(|k| matches!(k, Kind::Value | Kind::FlowEntry | Kind::FlowSequenceEnd))? {
            return Ok(self.absent(State::FlowPairValue, end));
        }
        self.states.push(State::FlowPairValue);
        self.node(Place::Flow)
    }

    pub(super) fn flow_value(&mut self, then: State, closes: fn(&Kind<'a>) -> bool) -> Refused<Item<'a>> {
        let token = self.scanner.peek()?;
        if !matches!(token.kind, Kind::Value) {
            let at = token.start;
            return Ok(self.absent(then, at));
        }
        let end = self.scanner.next()?.end;
        let next = &self.scanner.peek()?.kind;
        if matches!(next, Kind::FlowEntry) || closes(next) {
            return Ok(self.absent(then, end));
        }
        self.states.push(then);
        self.node(Place::Flow)
    }

    pub(super) fn flow_mapping_key(&mut self, first: bool) -> Refused<Item<'a>> {
        if !self.next_is(|k| matches!(k, Kind::FlowMappingEnd))? {
            self.flow_comma(first, "',' or '}'", "while parsing a flow mapping")?;
            if self.next_is(|k| matches!(k, Kind::Key))? {
                let end = self.scanner.next()?.end;
                if self.next_is(|k| matches!(k, Kind::Value | Kind::FlowEntry | Kind::FlowMappingEnd))? {
                    return Ok(self.absent(State::FlowMappingValue, end));
                }
                self.states.push(State::FlowMappingValue);
                return self.node(Place::Flow);
            }
            if !self.next_is(|k| matches!(k, Kind::FlowMappingEnd))? {
                self.states.push(State::FlowMappingEmptyValue);
                return self.node(Place::Flow);
            }
        }
        let token = self.scanner.next()?;
        Ok(self.leave(&token))
    }
}
