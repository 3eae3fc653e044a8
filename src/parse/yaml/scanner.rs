//! Text to tokens, as lazily as PyYAML: a token is looked for only when the parser needs it, or when an earlier one may
//! still turn out to be a key. The order of mistakes in a text depends on that.
//!
//! Columns count characters. Positions are bytes of the text.

use std::cell::Cell;
use std::collections::VecDeque;

use super::chars::break_len;
use super::fault::{Exception, Refused};
use super::token::{Kind, Token};

/// A key without `?` spans at most this many characters, and one line.
const LONGEST_SIMPLE_KEY: usize = 1024;

/// A token that becomes a key if a `:` follows.
struct SimpleKey {
    token: usize,
    level: isize,
    required: bool,
    at: usize,
    line: usize,
    column: isize,
    /// Characters before it on its line, byte order marks included.
    index: usize,
}

/// How far the columns of the current line have been counted.
#[derive(Clone, Copy, Default)]
struct Counted {
    at: usize,
    column: usize,
    marks: usize,
}

pub(super) struct Scanner<'a> {
    pub(super) text: &'a str,
    pub(super) bytes: &'a [u8],
    pub(super) pos: usize,
    ascii: bool,
    line: usize,
    line_start: usize,
    counted: Counted,
    /// More than 0 inside `[…]` and `{…}`; less after one `]` too many, which is "inside" for PyYAML too.
    pub(super) flow_level: isize,
    pub(super) indent: isize,
    indents: Vec<isize>,
    pub(super) allow_simple_key: bool,
    keys: VecDeque<SimpleKey>,
    tokens: VecDeque<Token<'a>>,
    taken: usize,
    done: bool,
    end_seen: Cell<bool>,
    pub(super) comments: Vec<(usize, usize)>,
    /// Escapes of lone surrogates.
    pub(super) surrogates: Vec<(usize, usize)>,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            bytes: text.as_bytes(),
            pos: 0,
            ascii: text.is_ascii(),
            line: 0,
            line_start: 0,
            counted: Counted::default(),
            flow_level: 0,
            indent: -1,
            indents: Vec::new(),
            allow_simple_key: true,
            keys: VecDeque::new(),
            tokens: VecDeque::with_capacity(8),
            taken: 0,
            done: false,
            end_seen: Cell::new(false),
            comments: Vec::new(),
            surrogates: Vec::new(),
        }
    }

    /// Whether anything looked at the end of the text.
    pub(super) const fn end_seen(&self) -> bool {
        self.end_seen.get()
    }

    /// The next token, which stays. After the end of the stream there is only that.
    pub(super) fn peek(&mut self) -> Refused<&Token<'a>> {
        while self.needs_more()? {
            self.fetch()?;
        }
        Ok(self.tokens.front().expect("invariant: the stream end is not taken"))
    }

    /// Takes the token that `peek` showed. The end of the stream must not be taken.
    pub(super) fn next(&mut self) -> Refused<Token<'a>> {
        self.peek()?;
        self.taken += 1;
        Ok(self.tokens.pop_front().expect("invariant: peek left a token"))
    }

    fn needs_more(&mut self) -> Refused<bool> {
        if self.done {
            return Ok(false);
        }
        if self.tokens.is_empty() {
            return Ok(true);
        }
        self.drop_stale_keys()?;
        Ok(self.keys.front().is_some_and(|key| key.token == self.taken))
    }

    /// The byte at `at`, 0 at the end (no text holds NUL).
    #[inline]
    pub(super) fn byte(&self, at: usize) -> u8 {
        if let Some(b) = self.bytes.get(at) {
            *b
        } else {
            self.end_seen.set(true);
            0
        }
    }

    /// A break or the end.
    pub(super) fn ends_line(&self, at: usize) -> bool {
        match self.byte(at) {
            0 | b'\n' | b'\r' => true,
            0xC2 | 0xE2 => break_len(self.bytes, at) > 0,
            _ => false,
        }
    }

    /// A space, a break or the end.
    pub(super) fn ends_word(&self, at: usize) -> bool {
        self.byte(at) == b' ' || self.ends_line(at)
    }

    /// A space, a tab, a break or the end.
    pub(super) fn is_blank(&self, at: usize) -> bool {
        self.byte(at) == b'\t' || self.ends_word(at)
    }

    /// `---` or `...` with a blank behind it.
    pub(super) fn is_document_mark(&self, at: usize) -> bool {
        self.byte(at + 2); // PyYAML reads three characters before it compares them
        let mark = self.bytes.get(at..at + 3);
        (mark == Some(b"---") || mark == Some(b"...")) && self.is_blank(at + 3)
    }

    fn count(&mut self) -> Counted {
        if self.counted.at < self.line_start {
            self.counted = Counted { at: self.line_start, ..Counted::default() };
        }
        if self.ascii {
            return Counted { at: self.pos, column: self.pos - self.line_start, marks: 0 };
        }
        let mut counted = self.counted;
        for (i, b) in self.bytes[counted.at..self.pos].iter().enumerate() {
            if b & 0xC0 == 0x80 {
                continue;
            }
            let mark = *b == 0xEF && self.bytes[counted.at + i..].starts_with("\u{feff}".as_bytes());
            counted.marks += usize::from(mark);
            counted.column += usize::from(!mark);
        }
        counted.at = self.pos;
        self.counted = counted;
        counted
    }

    /// Characters before the position on its line; byte order marks do not count.
    pub(super) fn column(&mut self) -> isize {
        isize::try_from(self.count().column).unwrap_or(isize::MAX)
    }

    /// Steps over the break at the position, if there is one, and says how long it was.
    pub(super) fn skip_break(&mut self) -> usize {
        self.byte(self.pos);
        let len = break_len(self.bytes, self.pos);
        if len > 0 {
            self.pos += len;
            self.line += 1;
            self.line_start = self.pos;
            self.byte(self.pos);
        }
        len
    }

    pub(super) fn skip_spaces(&mut self) {
        while self.byte(self.pos) == b' ' {
            self.pos += 1;
        }
    }

    /// Steps over a comment, which begins at the position, up to its line's end.
    pub(super) fn skip_comment(&mut self) {
        if self.byte(self.pos) == b'#' {
            let start = self.pos;
            self.pos = self.line_end(start);
            self.comments.push((start, self.pos));
        }
    }

    /// The end of the line that `at` lies in, without its break.
    pub(super) fn line_end(&self, mut at: usize) -> usize {
        loop {
            let rest = self.bytes.get(at..).unwrap_or_default();
            match rest.iter().position(|b| matches!(b, b'\n' | b'\r' | 0xC2 | 0xE2)) {
                None => {
                    self.end_seen.set(true);
                    return self.bytes.len();
                }
                Some(len) if break_len(self.bytes, at + len) > 0 => return at + len,
                Some(len) => at += len + 1,
            }
        }
    }

    fn skip_to_token(&mut self) {
        if self.pos == 0 && self.text.starts_with('\u{feff}') {
            self.pos = 3;
        }
        loop {
            self.skip_spaces();
            self.skip_comment();
            if self.skip_break() == 0 {
                return;
            }
            if self.flow_level == 0 {
                self.allow_simple_key = true;
            }
        }
    }

    fn fetch(&mut self) -> Refused<()> {
        self.skip_to_token();
        self.drop_stale_keys()?;
        let column = self.column();
        self.unwind(column);
        let here = self.pos;
        match self.byte(here) {
            0 => {
                self.fetch_stream_end()?;
                return Ok(());
            }
            b'%' if column == 0 => {
                self.unwind(-1);
                self.forget_key()?;
                self.allow_simple_key = false;
                let token = self.scan_directive()?;
                self.tokens.push_back(token);
                return Ok(());
            }
            b @ (b'-' | b'.') if column == 0 && self.is_document_mark(here) => {
                self.unwind(-1);
                self.forget_key()?;
                self.allow_simple_key = false;
                self.push(if b == b'-' { Kind::DocumentStart } else { Kind::DocumentEnd }, 3);
                return Ok(());
            }
            _ => {}
        }
        self.fetch_indicator(column)
    }

    fn fetch_indicator(&mut self, column: isize) -> Refused<()> {
        let here = self.pos;
        let flow = self.flow_level != 0;
        match self.byte(here) {
            b'[' => self.fetch_flow_start(Kind::FlowSequenceStart),
            b'{' => self.fetch_flow_start(Kind::FlowMappingStart),
            b']' => self.fetch_flow_end(Kind::FlowSequenceEnd),
            b'}' => self.fetch_flow_end(Kind::FlowMappingEnd),
            b',' => {
                self.allow_simple_key = true;
                self.forget_key()?;
                self.push(Kind::FlowEntry, 1);
                Ok(())
            }
            b'-' if self.is_blank(here + 1) => self.fetch_block_entry(column),
            b'?' if flow || self.is_blank(here + 1) => self.fetch_key(column),
            b':' if flow || self.is_blank(here + 1) => self.fetch_value(column),
            b'*' | b'&' => {
                self.save_key()?;
                self.allow_simple_key = false;
                let token = self.scan_anchor()?;
                self.tokens.push_back(token);
                Ok(())
            }
            b'!' => {
                self.save_key()?;
                self.allow_simple_key = false;
                let token = self.scan_tag()?;
                self.tokens.push_back(token);
                Ok(())
            }
            b @ (b'|' | b'>') if !flow => {
                self.allow_simple_key = true;
                self.forget_key()?;
                let token = self.scan_block_scalar(b == b'>')?;
                self.tokens.push_back(token);
                Ok(())
            }
            b @ (b'\'' | b'"') => {
                self.save_key()?;
                self.allow_simple_key = false;
                let token = self.scan_quoted(b)?;
                self.tokens.push_back(token);
                Ok(())
            }
            b => self.fetch_plain(b),
        }
    }

    fn fetch_plain(&mut self, b: u8) -> Refused<()> {
        let here = self.pos;
        let starts = match b {
            b'-' => !self.is_blank(here + 1),
            b'?' | b':' => self.flow_level == 0 && !self.is_blank(here + 1),
            b'\t' | b'#' | b'|' | b'>' | b'%' | b'@' | b'`' => {
                self.byte(here + 1); // PyYAML looks one further before it gives up
                false
            }
            _ => true,
        };
        if !starts {
            let found = super::chars::repr_at(self.text, here);
            let mut fault =
                Exception::scanner(format!("found character {found} that cannot start any token"), here).to(here + 1);
            fault.context = Some(("while scanning for the next token".into(), None));
            return Err(fault);
        }
        self.save_key()?;
        self.allow_simple_key = false;
        let token = self.scan_plain();
        self.tokens.push_back(token);
        Ok(())
    }

    fn push(&mut self, kind: Kind<'a>, len: usize) {
        let start = self.pos;
        self.pos += len;
        self.byte(self.pos);
        self.tokens.push_back(Token { kind, start, end: self.pos });
    }

    fn fetch_stream_end(&mut self) -> Refused<()> {
        self.unwind(-1);
        self.forget_key()?;
        self.keys.clear();
        self.allow_simple_key = false;
        self.push(Kind::StreamEnd, 0);
        self.done = true;
        Ok(())
    }

    fn fetch_flow_start(&mut self, kind: Kind<'a>) -> Refused<()> {
        self.save_key()?;
        self.flow_level += 1;
        self.allow_simple_key = true;
        self.push(kind, 1);
        Ok(())
    }

    fn fetch_flow_end(&mut self, kind: Kind<'a>) -> Refused<()> {
        self.forget_key()?;
        self.flow_level -= 1;
        self.allow_simple_key = false;
        self.push(kind, 1);
        Ok(())
    }

    /// In block context: that a collection may begin here, and its start token if it does.
    fn open_block(&mut self, column: isize, problem: &'static str, kind: Kind<'a>) -> Refused<()> {
        if self.flow_level != 0 {
            return Ok(());
        }
        if !self.allow_simple_key {
            return Err(Exception::scanner(problem, self.pos).to(self.pos + 1));
        }
        if self.add_indent(column) {
            self.push(kind, 0);
        }
        Ok(())
    }

    fn fetch_block_entry(&mut self, column: isize) -> Refused<()> {
        self.open_block(column, "sequence entries are not allowed here", Kind::BlockSequenceStart)?;
        self.allow_simple_key = true;
        self.forget_key()?;
        self.push(Kind::BlockEntry, 1);
        Ok(())
    }

    fn fetch_key(&mut self, column: isize) -> Refused<()> {
        self.open_block(column, "mapping keys are not allowed here", Kind::BlockMappingStart)?;
        self.allow_simple_key = self.flow_level == 0;
        self.forget_key()?;
        self.push(Kind::Key, 1);
        Ok(())
    }

    fn fetch_value(&mut self, column: isize) -> Refused<()> {
        if let Some(key) = self.keys.pop_back_if(|key| key.level == self.flow_level) {
            let place = key.token - self.taken;
            self.tokens.insert(place, Token { kind: Kind::Key, start: key.at, end: key.at });
            if self.flow_level == 0 && self.add_indent(key.column) {
                self.tokens.insert(place, Token { kind: Kind::BlockMappingStart, start: key.at, end: key.at });
            }
            self.allow_simple_key = false;
        } else {
            self.open_block(column, "mapping values are not allowed here", Kind::BlockMappingStart)?;
            self.allow_simple_key = self.flow_level == 0;
            self.forget_key()?;
        }
        self.push(Kind::Value, 1);
        Ok(())
    }

    fn unwind(&mut self, column: isize) {
        if self.flow_level != 0 {
            return;
        }
        while self.indent > column {
            self.indent = self.indents.pop().expect("invariant: an indent was pushed for each level");
            self.push(Kind::BlockEnd, 0);
        }
    }

    fn add_indent(&mut self, column: isize) -> bool {
        let deeper = self.indent < column;
        if deeper {
            self.indents.push(self.indent);
            self.indent = column;
        }
        deeper
    }

    fn missing_colon(&self, key: &SimpleKey) -> Box<Exception> {
        Exception::scanner("could not find expected ':'", self.pos).during("while scanning a simple key", key.at)
    }

    /// Keys of outer levels are older, so that those that can be keys no longer stand in front.
    fn drop_stale_keys(&mut self) -> Refused<()> {
        while let Some(key) = self.keys.front() {
            let near = self.pos - key.at <= LONGEST_SIMPLE_KEY;
            if key.line == self.line && (near || !self.is_far(key.index)) {
                return Ok(());
            }
            let key = self.keys.pop_front().expect("invariant: there is a front");
            if key.required {
                return Err(self.missing_colon(&key));
            }
        }
        Ok(())
    }

    fn is_far(&mut self, index: usize) -> bool {
        let counted = self.count();
        counted.column + counted.marks > index + LONGEST_SIMPLE_KEY
    }

    fn save_key(&mut self) -> Refused<()> {
        if !self.allow_simple_key {
            return Ok(());
        }
        self.forget_key()?;
        let counted = self.count();
        let column = self.column();
        self.keys.push_back(SimpleKey {
            token: self.taken + self.tokens.len(),
            level: self.flow_level,
            required: self.flow_level == 0 && self.indent == column,
            at: self.pos,
            line: self.line,
            column,
            index: counted.column + counted.marks,
        });
        Ok(())
    }

    fn forget_key(&mut self) -> Refused<()> {
        match self.keys.pop_back_if(|key| key.level == self.flow_level) {
            Some(key) if key.required => Err(self.missing_colon(&key)),
            _ => Ok(()),
        }
    }
}
