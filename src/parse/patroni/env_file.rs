//! Environment files as systemd reads them for `EnvironmentFile=` (`src/basic/env-file.c`), with the place of every value.
//!
//! `KEY=VALUE` lines; `#` and `;` begin comment lines; quotes are honoured at the beginning of a value and behind another quoted
//! part; a backslash joins lines. No variable is expanded and `export` is no keyword. As of systemd 254 a backslash at the end of a
//! comment does not make the next line a comment.

use crate::problem::{Parsed, Problem};
use crate::secret::Secret;
use crate::source::{Source, Span, Spanned};

/// A variable as some place sets it. The value is out of sight, whatever it is.
#[derive(Debug, Clone)]
pub struct Assignment {
    /// Its name.
    pub name: Spanned<String>,
    /// Its value.
    pub value: Spanned<Secret>,
}

impl Assignment {
    /// A variable set to a value.
    #[must_use]
    pub fn new(name: Spanned<String>, value: Spanned<String>) -> Self {
        Self { name, value: Spanned::new(Secret::new(value.value), value.span) }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    PreKey,
    Key,
    PreValue,
    Value,
    ValueEscape,
    SingleQuote,
    DoubleQuote,
    DoubleQuoteEscape,
    Comment,
}

struct Scanner<'a> {
    source: &'a Source,
    state: State,
    key: Vec<u8>,
    key_start: usize,
    value: Vec<u8>,
    /// Length of the value up to which white space belongs to it.
    kept: usize,
    value_start: usize,
    value_end: usize,
    out: Parsed<Vec<Assignment>>,
}

/// Reads an environment file. Lines that systemd passes over are problems (`env-file-line-ignored`).
#[must_use]
pub fn parse(source: &Source) -> Parsed<Vec<Assignment>> {
    let mut scanner = Scanner {
        source,
        state: State::PreKey,
        key: Vec::new(),
        key_start: 0,
        value: Vec::new(),
        kept: 0,
        value_start: 0,
        value_end: 0,
        out: Parsed { tree: Vec::new(), problems: Vec::new() },
    };
    let bytes = source.bytes();
    let begin = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    for (at, byte) in bytes.iter().enumerate().skip(begin) {
        scanner.step(at, *byte);
    }
    scanner.finish(bytes.len());
    scanner.out
}

impl Scanner<'_> {
    fn step(&mut self, at: usize, c: u8) {
        let newline = matches!(c, b'\n' | b'\r');
        let blank = newline || matches!(c, b' ' | b'\t');
        match self.state {
            State::PreKey if matches!(c, b'#' | b';') => self.state = State::Comment,
            State::PreKey if !blank => {
                self.state = State::Key;
                self.key = vec![c];
                self.key_start = at;
            }
            State::Key if newline => {
                self.ignored(at, "there is no = in it");
                self.state = State::PreKey;
            }
            State::Key if c == b'=' => {
                self.state = State::PreValue;
                self.value.clear();
                self.kept = 0;
                (self.value_start, self.value_end) = (at + 1, at + 1);
            }
            State::Key => self.key.push(c),
            State::PreValue | State::Value if newline => self.push(),
            State::PreValue if c == b'\'' => self.quote(at, State::SingleQuote),
            State::PreValue if c == b'"' => self.quote(at, State::DoubleQuote),
            State::PreValue if !blank || c == b'\\' => {
                self.begin(at);
                self.value_byte(at, c);
            }
            State::Value => self.value_byte(at, c),
            State::ValueEscape => {
                self.state = State::Value;
                if !newline {
                    self.keep(at, c);
                }
            }
            State::SingleQuote if c == b'\'' => self.unquote(at),
            State::DoubleQuote if c == b'"' => self.unquote(at),
            State::DoubleQuote if c == b'\\' => self.state = State::DoubleQuoteEscape,
            State::SingleQuote | State::DoubleQuote => self.keep(at, c),
            State::DoubleQuoteEscape => {
                self.state = State::DoubleQuote;
                if matches!(c, b'"' | b'\\' | b'`' | b'$') {
                    self.keep(at, c);
                } else if c != b'\n' {
                    self.keep(at, b'\\');
                    self.keep(at, c);
                }
            }
            State::Comment if newline => self.state = State::PreKey,
            State::PreKey | State::PreValue | State::Comment => {}
        }
    }

    fn begin(&mut self, at: usize) {
        if self.value.is_empty() && self.value_end <= self.value_start {
            self.value_start = at;
        }
    }

    fn quote(&mut self, at: usize, state: State) {
        self.begin(at);
        self.value_end = at + 1;
        self.state = state;
    }

    fn unquote(&mut self, at: usize) {
        self.value_end = at + 1;
        self.state = State::PreValue;
    }

    fn value_byte(&mut self, at: usize, c: u8) {
        if c == b'\\' {
            self.state = State::ValueEscape;
            self.kept = self.value.len();
            self.value_end = at + 1;
            return;
        }
        self.state = State::Value;
        if matches!(c, b' ' | b'\t') {
            self.value.push(c);
        } else {
            self.keep(at, c);
        }
    }

    fn keep(&mut self, at: usize, c: u8) {
        self.value.push(c);
        self.kept = self.value.len();
        self.value_end = at + 1;
    }

    fn push(&mut self) {
        self.state = State::PreKey;
        self.value.truncate(self.kept);
        let trimmed = self.key.iter().rposition(|b| !matches!(b, b' ' | b'\t')).map_or(0, |i| i + 1);
        self.key.truncate(trimmed);
        let name_span = self.source.span(self.key_start, self.key_start + trimmed);
        let valid = self
            .key
            .iter()
            .enumerate()
            .all(|(i, b)| b.is_ascii_alphabetic() || *b == b'_' || (i > 0 && b.is_ascii_digit()));
        if !valid {
            let export = self.key.starts_with(b"export ") || self.key.starts_with(b"export\t");
            let reason = if export { "systemd does not know `export`" } else { "the name is no name of a variable" };
            self.ignored(self.value_start.saturating_sub(1), reason);
            return;
        }
        let span = self.source.span(self.value_start, self.value_end.max(self.value_start));
        match String::from_utf8(std::mem::take(&mut self.value)) {
            Ok(value) if !value.contains('\0') => {
                let name = String::from_utf8_lossy(&self.key).into_owned();
                self.out.tree.push(Assignment::new(Spanned::new(name, name_span), Spanned::new(value, span)));
            }
            _ => self.ignored(self.value_start.saturating_sub(1), "the value is not valid UTF-8"),
        }
    }

    fn ignored(&mut self, end: usize, reason: &str) {
        let at: Span = self.source.span(self.key_start, end.max(self.key_start));
        self.out.problems.push(Problem::new("env-file-line-ignored", at).arg("reason", reason));
    }

    fn finish(&mut self, len: usize) {
        match self.state {
            State::Key => self.ignored(len, "there is no = in it"),
            State::PreValue | State::Value | State::ValueEscape => self.push(),
            State::SingleQuote | State::DoubleQuote | State::DoubleQuoteEscape => {
                // The text ends inside quotes; systemd takes the value as far as it goes.
                self.push();
            }
            State::PreKey | State::Comment => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<(String, String)>, usize) {
        let parsed = parse(&Source::lone("env", text));
        let pairs = parsed.tree.iter().map(|a| (a.name.value.clone(), a.value.value.reveal().to_owned())).collect();
        (pairs, parsed.problems.len())
    }

    fn one(text: &str) -> String {
        let (mut pairs, problems) = read(text);
        assert_eq!((pairs.len(), problems), (1, 0), "{text:?}");
        pairs.remove(0).1
    }

    #[test]
    fn values_are_read_as_systemd_reads_them() {
        for (line, value) in [
            ("A=b", "b"),
            ("A= b c  ", "b c"),
            ("A='b  ' ", "b  "),
            ("A=\"b\\\"c\\$\\n\"", "b\"c$\\n"),
            ("A='b' \"c\"", "bc"),
            ("A=b'c'", "b'c'"),
            ("A=b#c # d", "b#c # d"),
            ("A=b\\\nc", "bc"),
            ("A=\"b\nc\"", "b\nc"),
            ("A=", ""),
            ("A=b\\ ", "b "),
            ("  A  =b", "b"),
        ] {
            assert_eq!(one(line), value, "{line:?}");
        }
    }

    #[test]
    fn what_systemd_passes_over_is_reported() {
        let (pairs, problems) = read("# c\n;d\nexport A=1\nnot a line\n1B=2\n\nC=3\n");
        assert_eq!((pairs, problems), (vec![("C".to_owned(), "3".to_owned())], 3));
    }

    #[test]
    fn spans_show_the_written_value() {
        let source = Source::lone("env", "A=1\nPASS=  'x y'\n");
        let parsed = parse(&source);
        assert_eq!(source.text(parsed.tree[1].value.span), "'x y'");
        assert_eq!(source.text(parsed.tree[1].name.span), "PASS");
    }
}
