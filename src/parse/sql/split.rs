//! psql's part: where statements end, backslash commands, variables (`src/fe_utils/psqlscan.l`,
//! `src/bin/psql/psqlscanslash.l`).

use std::collections::BTreeMap;

use super::syntax;
use crate::problem::Problem;
use crate::source::{Source, Spanned};

/// A script cut up. `text` has the length of the source: what the server never sees is blanked, a variable is replaced by
/// a name or a string of the same length.
pub(super) struct Script {
    pub(super) text: String,
    pub(super) statements: Vec<(usize, usize)>,
    pub(super) connects: Vec<Spanned<String>>,
    /// What stands in `text` for a bare variable, and the variable.
    pub(super) variables: BTreeMap<String, String>,
    /// Where variables stand that are not put into a string.
    pub(super) bare: Vec<usize>,
    pub(super) problems: Vec<Problem>,
}

pub(super) fn split(source: &Source) -> Script {
    let mut problems = Vec::new();
    let text = clean(source, &mut problems);
    let mut splitter = Splitter {
        source,
        out: text.clone(),
        text,
        at: 0,
        start: 0,
        depth: 0,
        words: Vec::new(),
        begins: 0,
        connects: Vec::new(),
        statements: Vec::new(),
        variables: BTreeMap::new(),
        bare: Vec::new(),
        problems,
    };
    splitter.run();
    Script {
        text: String::from_utf8_lossy(&splitter.out).into_owned(),
        statements: splitter.statements,
        connects: splitter.connects,
        variables: splitter.variables,
        bare: splitter.bare,
        problems: splitter.problems,
    }
}

/// The bytes as UTF-8 without NUL; each byte that cannot stay becomes a question mark, so that offsets hold.
fn clean(source: &Source, problems: &mut Vec<Problem>) -> Vec<u8> {
    let mut out = source.plain().to_vec();
    let mut at = 0;
    let mut invalid = None;
    while let Err(e) = std::str::from_utf8(&out[at..]) {
        let bad = at + e.valid_up_to();
        let next = bad + e.error_len().unwrap_or(out.len() - bad);
        invalid.get_or_insert((bad, next));
        out[bad..next].fill(b'?');
        at = next;
    }
    if let Some((start, end)) = invalid {
        problems.push(syntax(source.span(start, end), "invalid byte sequence for encoding \"UTF8\""));
    }
    if let Some(nul) = out.iter().position(|b| *b == 0) {
        problems.push(syntax(source.span(nul, nul + 1), "the text contains a NUL byte"));
        out.iter_mut().filter(|b| **b == 0).for_each(|b| *b = b' ');
    }
    if out.starts_with(b"\xEF\xBB\xBF") {
        out[..3].fill(b' ');
    }
    out
}

struct Splitter<'a> {
    source: &'a Source,
    /// What is read, and what of it is handed on.
    text: Vec<u8>,
    out: Vec<u8>,
    at: usize,
    start: usize,
    depth: usize,
    /// The first words of the statement, lower case, and how many `BEGIN` of a routine's body are open.
    words: Vec<Vec<u8>>,
    begins: usize,
    connects: Vec<Spanned<String>>,
    statements: Vec<(usize, usize)>,
    variables: BTreeMap<String, String>,
    bare: Vec<usize>,
    problems: Vec<Problem>,
}

pub(super) const fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

impl Splitter<'_> {
    fn run(&mut self) {
        while let Some(&byte) = self.text.get(self.at) {
            match byte {
                b'-' if self.peek(1) == Some(b'-') => self.blank(self.line_end(self.at)),
                b'/' if self.peek(1) == Some(b'*') => self.comment(),
                b'\'' => self.quoted(b'\'', self.escapes_before()),
                b'"' => self.quoted(b'"', false),
                b'$' => self.dollar(),
                b':' => self.variable(),
                b'\\' => self.backslash(),
                b'(' => self.nest(1),
                b')' => self.nest(-1),
                b';' if self.depth == 0 && self.begins == 0 => {
                    self.end_statement(self.at);
                    self.at += 1;
                    self.start = self.at;
                    self.copy_data();
                }
                _ if is_name(byte) => self.word(),
                _ => self.at += 1,
            }
        }
        self.end_statement(self.text.len());
    }

    fn nest(&mut self, by: isize) {
        self.depth = self.depth.saturating_add_signed(by);
        self.at += 1;
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.get(self.at + ahead).copied()
    }

    fn line_end(&self, from: usize) -> usize {
        self.text[from..].iter().position(|b| *b == b'\n').map_or(self.text.len(), |n| from + n)
    }

    fn end_statement(&mut self, end: usize) {
        self.words.clear();
        self.begins = 0;
        let text = &self.out[self.start..end];
        let Some(first) = text.iter().position(|b| !b.is_ascii_whitespace()) else { return };
        let last = text.iter().rposition(|b| !b.is_ascii_whitespace()).unwrap_or(first);
        self.statements.push((self.start + first, self.start + last + 1));
    }

    /// Passes over what the server need not see. PostgreSQL's scanner takes quadratic time for comments such as
    /// `/*/*/*`.
    fn blank(&mut self, end: usize) {
        self.out[self.at..end].iter_mut().filter(|b| **b != b'\n').for_each(|b| *b = b' ');
        self.at = end;
    }

    /// Comments nest.
    fn comment(&mut self) {
        let (mut open, mut end) = (0_usize, self.at);
        loop {
            match self.text.get(end..end + 2) {
                Some(b"/*") => (open, end) = (open + 1, end + 2),
                Some(b"*/") => (open, end) = (open - 1, end + 2),
                Some(_) => end += 1,
                None => {
                    let at = self.source.span(self.at, self.at + 2);
                    self.problems.push(syntax(at, "unterminated /* comment"));
                    end = self.text.len();
                    break;
                }
            }
            if open == 0 {
                break;
            }
        }
        self.blank(end);
    }

    /// Whether the quote at hand begins an `E'…'` string, in which a backslash escapes.
    fn escapes_before(&self) -> bool {
        let before = |n: usize| self.at.checked_sub(n).map(|i| self.text[i]);
        matches!(before(1), Some(b'e' | b'E')) && !before(2).is_some_and(is_name)
    }

    fn quoted(&mut self, quote: u8, escapes: bool) {
        self.at += 1;
        while let Some(&byte) = self.text.get(self.at) {
            self.at += if escapes && byte == b'\\' { 2 } else { 1 };
            if byte == quote {
                return;
            }
        }
        self.at = self.text.len();
    }

    /// `$tag$…$tag$`; anything else with a dollar is left alone.
    fn dollar(&mut self) {
        let rest = &self.text[self.at + 1..];
        let tag = rest.iter().take_while(|b| is_name(**b)).count();
        let named = rest.first().is_some_and(u8::is_ascii_digit);
        let inside_name = self.at > self.start && is_name(self.text[self.at - 1]);
        if named || inside_name || rest.get(tag) != Some(&b'$') {
            self.at += 1;
            return;
        }
        let delimiter = &self.text[self.at..self.at + tag + 2];
        let from = self.at + delimiter.len();
        let close = find(&self.text[from..], delimiter);
        self.at = close.map_or(self.text.len(), |n| from + n + delimiter.len());
    }

    /// `:name`, `:'name'`, `:"name"`. Casts and assignments are none.
    fn variable(&mut self) {
        let quote = self.peek(1).filter(|b| matches!(b, b'\'' | b'"'));
        let from = self.at + 1 + usize::from(quote.is_some());
        let end = from + self.text[from.min(self.text.len())..].iter().take_while(|b| is_name(**b)).count();
        if matches!(self.peek(1), Some(b':' | b'=')) {
            self.at += 2;
        } else if end == from || quote.is_some_and(|q| self.text.get(end) != Some(&q)) {
            self.at += 1;
        } else if let Some(quote) = quote {
            if quote == b'"' {
                self.bare.push(self.at);
            }
            self.out[self.at] = quote;
            self.out[self.at + 1] = b':';
            self.at = end + 1;
        } else {
            let name = String::from_utf8_lossy(&self.text[self.at..end]).into_owned();
            self.out[self.at] = b'_';
            self.bare.push(self.at);
            self.variables.insert(name.replacen(':', "_", 1).to_lowercase(), name);
            self.at = end;
        }
    }

    /// A command for psql goes to the end of the line or to `\\`. Those that send the text so far end a statement.
    fn backslash(&mut self) {
        let line_end = self.line_end(self.at);
        let name_end = self.at + 1 + self.text[self.at + 1..line_end].iter().take_while(|b| is_name(**b)).count();
        let name = String::from_utf8_lossy(&self.text[self.at + 1..name_end]).into_owned();
        let end = find(&self.text[name_end..line_end], b"\\\\").map_or(line_end, |n| name_end + n + 2);
        self.out[self.at..end].fill(b' ');
        match name.as_str() {
            "g" | "gx" | "gexec" | "gset" | "gdesc" | "crosstabview" => {
                self.end_statement(self.at);
                self.start = end;
            }
            "r" | "reset" => self.start = end,
            "c" | "connect" => self.connect(name_end, end),
            _ => {}
        }
        self.at = end;
    }

    fn connect(&mut self, from: usize, end: usize) {
        let line = &self.text[from..end];
        let Some(first) = line.iter().position(|b| !b.is_ascii_whitespace()) else { return };
        let len = line[first..].iter().take_while(|b| !b.is_ascii_whitespace()).count();
        let span = self.source.span(from + first, from + first + len);
        let name = String::from_utf8_lossy(&line[first..first + len]).trim_matches(['"', '\'']).to_owned();
        // A connection string may hold a password, and names no database by itself.
        if name != "-" && !name.contains(['=', '/']) {
            self.connects.push(Spanned::new(name, span));
        }
    }

    /// Skips the rows behind `COPY … FROM stdin;`, as a dump has them.
    fn copy_data(&mut self) {
        let Some(&(start, end)) = self.statements.last() else { return };
        let head = &self.out[start..end.min(start + 4)];
        if end + 1 != self.at || !head.eq_ignore_ascii_case(b"copy") {
            return;
        }
        let statement = String::from_utf8_lossy(&self.out[start..end]).to_ascii_lowercase();
        let words: Vec<_> = statement.split_ascii_whitespace().collect();
        if !words.windows(2).any(|w| w[0] == "from" && w[1] == "stdin") {
            return;
        }
        let from = self.line_end(self.at);
        let close = find(&self.text[from..], b"\n\\.\n").map_or(self.text.len(), |n| from + n + 4);
        self.out[self.at..close].fill(b' ');
        (self.at, self.start) = (close, close);
    }

    /// Words matter only in `CREATE [OR REPLACE] FUNCTION|PROCEDURE … BEGIN ATOMIC …; END`, where semicolons separate the
    /// statements of the body.
    fn word(&mut self) {
        let len = self.text[self.at..].iter().take_while(|b| is_name(**b)).count();
        let word = self.text[self.at..self.at + len].to_ascii_lowercase();
        self.at += len;
        if self.depth == 0 && self.is_routine() {
            match word.as_slice() {
                b"begin" => self.begins += 1,
                b"case" if self.begins > 0 => self.begins += 1,
                b"end" => self.begins = self.begins.saturating_sub(1),
                _ => {}
            }
        }
        if self.words.len() < 4 {
            self.words.push(word);
        }
    }

    fn is_routine(&self) -> bool {
        let word = |n: usize| self.words.get(n).map_or(b"".as_slice(), Vec::as_slice);
        let kind = if word(1) == b"or" && word(2) == b"replace" { word(3) } else { word(1) };
        word(0) == b"create" && matches!(kind, b"function" | b"procedure")
    }
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    let first = *what.first()?;
    let mut from = 0;
    while let Some(n) = text[from..].iter().position(|b| *b == first) {
        if text[from + n..].starts_with(what) {
            return Some(from + n);
        }
        from += n + 1;
    }
    None
}
