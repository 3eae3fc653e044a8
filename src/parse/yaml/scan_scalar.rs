//! Plain and quoted scalars (`scan_plain`, `scan_flow_scalar` of PyYAML's scanner).

use std::borrow::Cow;

use super::chars::{break_char, break_len, repr_at};
use super::fault::{Exception, Refused};
use super::scanner::Scanner;
use super::token::{Kind, Token};
use super::tree::Style;

/// What stands for a lone surrogate, which Python can hold in a string and UTF-8 cannot.
const REPLACEMENT: char = '\u{FFFD}';

/// A scalar's text: a piece of the source until a piece of it has to change.
struct Chunks<'a> {
    text: &'a str,
    start: usize,
    end: usize,
    owned: Option<String>,
}

impl<'a> Chunks<'a> {
    const fn new(text: &'a str, start: usize) -> Self {
        Self { text, start, end: start, owned: None }
    }

    /// The bytes up to `to` as they are; they follow on the last ones or begin a new piece.
    fn keep(&mut self, from: usize, to: usize) {
        let text = self.text;
        if self.owned.is_none() && from == self.end {
            self.end = to;
        } else {
            self.change().push_str(&text[from..to]);
        }
    }

    /// The text so far, to add what does not stand in the source.
    fn change(&mut self) -> &mut String {
        self.owned.get_or_insert_with(|| self.text[self.start..self.end].to_owned())
    }

    fn finish(self) -> Cow<'a, str> {
        match self.owned {
            Some(owned) => Cow::Owned(owned),
            None => Cow::Borrowed(&self.text[self.start..self.end]),
        }
    }
}

/// Where a plain scalar may stop: in any context, only inside `[…]` and `{…}`, or not at all.
const PLAIN: [u8; 256] = {
    let mut table = [0; 256];
    let always = b"\0 \t\r\n:\xC2\xE2";
    let in_flow = b",?[]{}";
    let mut i = 0;
    while i < always.len() {
        table[always[i] as usize] = 3;
        i += 1;
    }
    i = 0;
    while i < in_flow.len() {
        table[in_flow[i] as usize] = 2;
        i += 1;
    }
    table
};

impl<'a> Scanner<'a> {
    pub(super) fn scan_plain(&mut self) -> Token<'a> {
        let start = self.pos;
        let indent = self.indent + 1;
        let mut chunks = Chunks::new(self.text, start);
        let mut spaces: Option<Folded> = None;
        let mut end = start;
        while self.byte(self.pos) != b'#' {
            let stop = self.plain_end(self.pos);
            if stop == self.pos {
                break;
            }
            self.allow_simple_key = false;
            if let Some(folded) = spaces.take() {
                folded.add_to(&mut chunks, self.pos);
            }
            chunks.keep(self.pos, stop);
            self.pos = stop;
            end = stop;
            spaces = self.scan_plain_spaces();
            if spaces.is_none() || self.byte(self.pos) == b'#' || (self.flow_level == 0 && self.column() < indent) {
                break;
            }
        }
        Token { kind: Kind::Scalar(chunks.finish(), Style::Plain), start, end }
    }

    /// Behind the last byte of a plain scalar's piece without spaces.
    fn plain_end(&self, mut at: usize) -> usize {
        let mask = if self.flow_level == 0 { 1 } else { 2 };
        loop {
            let b = self.byte(at);
            if PLAIN[b as usize] & mask == 0 {
                at += 1;
                continue;
            }
            let stops = match b {
                0xC2 | 0xE2 => break_len(self.bytes, at) > 0,
                b':' => self.is_blank(at + 1) || (self.flow_level != 0 && b",[]{}".contains(&self.byte(at + 1))),
                _ => true,
            };
            if stops {
                return at;
            }
            at += 1;
        }
    }

    /// What stands between two pieces of a plain scalar; `None` when the scalar ends here.
    fn scan_plain_spaces(&mut self) -> Option<Folded> {
        let from = self.pos;
        self.skip_spaces();
        if break_len(self.bytes, self.pos) == 0 {
            return (self.pos > from).then_some(Folded::Spaces(from));
        }
        let first = break_char(self.bytes, self.pos);
        self.skip_break();
        self.allow_simple_key = true;
        if self.is_document_mark(self.pos) {
            return None;
        }
        let mut breaks = String::new();
        loop {
            self.skip_spaces();
            if break_len(self.bytes, self.pos) == 0 {
                break;
            }
            breaks.push(break_char(self.bytes, self.pos));
            self.skip_break();
            if self.is_document_mark(self.pos) {
                return None;
            }
        }
        Some(Folded::Breaks(first, breaks))
    }

    pub(super) fn scan_quoted(&mut self, quote: u8) -> Refused<Token<'a>> {
        let start = self.pos;
        self.pos += 1;
        let mut chunks = Chunks::new(self.text, self.pos);
        self.scan_quoted_text(quote, start, &mut chunks)?;
        while self.byte(self.pos) != quote {
            self.scan_quoted_spaces(start, &mut chunks)?;
            self.scan_quoted_text(quote, start, &mut chunks)?;
        }
        self.pos += 1;
        self.byte(self.pos);
        let style = if quote == b'"' { Style::DoubleQuoted } else { Style::SingleQuoted };
        Ok(Token { kind: Kind::Scalar(chunks.finish(), style), start, end: self.pos })
    }

    fn scan_quoted_text(&mut self, quote: u8, start: usize, chunks: &mut Chunks<'a>) -> Refused<()> {
        loop {
            let from = self.pos;
            while !matches!(self.byte(self.pos), b'\'' | b'"' | b'\\') && !self.is_blank(self.pos) {
                self.pos += 1;
            }
            chunks.keep(from, self.pos);
            match self.byte(self.pos) {
                b'\'' if quote == b'\'' && self.byte(self.pos + 1) == b'\'' => {
                    chunks.change().push('\'');
                    self.pos += 2;
                }
                b @ (b'\'' | b'"' | b'\\') if b != quote && (quote == b'\'' || b != b'\\') => {
                    chunks.keep(self.pos, self.pos + 1);
                    self.pos += 1;
                }
                b'\\' => self.scan_escape(start, chunks)?,
                _ => return Ok(()),
            }
        }
    }

    fn scan_escape(&mut self, start: usize, chunks: &mut Chunks<'a>) -> Refused<()> {
        let escape = self.pos;
        self.pos += 1;
        let simple = match self.byte(self.pos) {
            b'0' => '\0',
            b'a' => '\x07',
            b'b' => '\x08',
            b't' | b'\t' => '\t',
            b'n' => '\n',
            b'v' => '\x0B',
            b'f' => '\x0C',
            b'r' => '\r',
            b'e' => '\x1B',
            b @ (b' ' | b'"' | b'\\' | b'/') => b as char,
            b'N' => '\u{85}',
            b'_' => '\u{A0}',
            b'L' => '\u{2028}',
            b'P' => '\u{2029}',
            b'x' => return self.scan_code(2, start, chunks),
            b'u' => return self.scan_code(4, start, chunks),
            b'U' => return self.scan_code(8, start, chunks),
            _ if self.skip_break() > 0 => {
                let breaks = self.scan_quoted_breaks(start)?;
                chunks.change().push_str(&breaks);
                return Ok(());
            }
            _ => {
                let problem = format!("found unknown escape character {}", repr_at(self.text, self.pos));
                return Err(
                    Exception::scanner(problem, self.pos).during("while scanning a double-quoted scalar", start)
                );
            }
        };
        chunks.change().push(simple);
        self.pos = escape + 2;
        Ok(())
    }

    fn scan_code(&mut self, len: usize, start: usize, chunks: &mut Chunks<'a>) -> Refused<()> {
        let escape = self.pos - 1;
        self.pos += 1;
        for k in 0..len {
            if !self.byte(self.pos + k).is_ascii_hexdigit() {
                let found = repr_at(self.text, self.pos + k);
                let problem = format!("expected escape sequence of {len} hexadecimal numbers, but found {found}");
                return Err(
                    Exception::scanner(problem, self.pos).during("while scanning a double-quoted scalar", start)
                );
            }
        }
        let end = self.pos + len;
        let code = u32::from_str_radix(&self.text[self.pos..end], 16).expect("invariant: at most eight digits");
        let c = match char::from_u32(code) {
            Some(c) => c,
            None if code < 0x11_0000 => {
                self.surrogates.push((escape, end));
                REPLACEMENT
            }
            None if i32::try_from(code).is_ok() => {
                return Err(Exception::new("ValueError", "chr() arg not in range(0x110000)", escape).to(end));
            }
            None => {
                return Err(Exception::new("OverflowError", "Python int too large to convert to C int", escape).to(end));
            }
        };
        chunks.change().push(c);
        self.pos = end;
        Ok(())
    }

    fn scan_quoted_spaces(&mut self, start: usize, chunks: &mut Chunks<'a>) -> Refused<()> {
        let from = self.pos;
        while matches!(self.byte(self.pos), b' ' | b'\t') {
            self.pos += 1;
        }
        if self.byte(self.pos) == 0 {
            let problem = "found unexpected end of stream";
            return Err(Exception::scanner(problem, self.pos).during("while scanning a quoted scalar", start));
        }
        if break_len(self.bytes, self.pos) == 0 {
            chunks.keep(from, self.pos);
            return Ok(());
        }
        let first = break_char(self.bytes, self.pos);
        self.skip_break();
        let breaks = self.scan_quoted_breaks(start)?;
        Folded::Breaks(first, breaks).add_to(chunks, 0);
        Ok(())
    }

    fn scan_quoted_breaks(&mut self, start: usize) -> Refused<String> {
        let mut breaks = String::new();
        loop {
            if self.is_document_mark(self.pos) {
                let problem = "found unexpected document separator";
                let fault = Exception::scanner(problem, self.pos).to(self.pos + 3);
                return Err(fault.during("while scanning a quoted scalar", start));
            }
            while matches!(self.byte(self.pos), b' ' | b'\t') {
                self.pos += 1;
            }
            if break_len(self.bytes, self.pos) == 0 {
                return Ok(breaks);
            }
            breaks.push(break_char(self.bytes, self.pos));
            self.skip_break();
        }
    }
}

/// White space inside a scalar.
enum Folded {
    /// On one line, from this byte on.
    Spaces(usize),
    /// The first line break and those of the empty lines after it.
    Breaks(char, String),
}

impl Folded {
    /// A single `\n` is a space; before empty lines it is nothing.
    fn add_to(self, chunks: &mut Chunks<'_>, here: usize) {
        match self {
            Self::Spaces(from) => chunks.keep(from, here),
            Self::Breaks('\n', breaks) if breaks.is_empty() => chunks.change().push(' '),
            Self::Breaks('\n', breaks) => chunks.change().push_str(&breaks),
            Self::Breaks(first, breaks) => {
                chunks.change().push(first);
                chunks.change().push_str(&breaks);
            }
        }
    }
}
