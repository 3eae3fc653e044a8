//! One token of a line: `next_token` in `src/backend/libpq/hba.c`.

use super::lines::Line;

/// A token as it was read, before anything is looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RawToken {
    /// The bytes without quotes.
    pub(crate) bytes: Vec<u8>,
    /// A quote stood before its first character: keywords and `@`, `+` lose their meaning (`/` does not).
    pub(crate) quoted: bool,
    /// A comma ended it, so the next token belongs to the same field.
    pub(crate) comma: bool,
    /// First byte in the line and the byte behind the last one.
    pub(crate) at: (usize, usize),
}

/// What the next stretch of a line holds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// A token.
    Token(RawToken),
    /// Nothing up to the end of the line.
    End,
    /// More than the server's buffer takes; the rest of the line is lost.
    TooLong,
}

/// Reads tokens from one line and remembers where a comment begins.
pub(crate) struct Tokens<'a> {
    line: &'a Line,
    /// Next byte to read; `line.text.len()` at the end.
    pub(crate) pos: usize,
    /// Where an unquoted `#` was seen.
    pub(crate) comment: Option<usize>,
    limit: Option<usize>,
}

const fn is_blank(c: u8) -> bool {
    matches!(c, b' ' | b'\t' | b'\r')
}

/// How many bytes from here mean nothing but themselves.
fn plain_run(text: &[u8], in_quote: bool) -> usize {
    let special = |c: &u8| *c == b'"' || !in_quote && (is_blank(*c) || matches!(c, b',' | b'#'));
    text.iter().position(special).unwrap_or(text.len())
}

impl<'a> Tokens<'a> {
    pub(crate) const fn new(line: &'a Line, buffer: Option<usize>) -> Self {
        Self { line, pos: 0, comment: None, limit: buffer }
    }

    pub(crate) fn at_end(&self) -> bool {
        self.pos >= self.line.text.len()
    }

    pub(crate) fn next(&mut self) -> Next {
        let text = &self.line.text;
        while self.pos < text.len() && (is_blank(text[self.pos]) || text[self.pos] == b',') {
            self.pos += 1;
        }
        let start = self.pos;
        let mut token = RawToken { bytes: Vec::new(), quoted: false, comma: false, at: (start, start) };
        let (mut in_quote, mut was_quote, mut saw_quote) = (false, false, false);
        while let Some(&c) = text.get(self.pos) {
            if !in_quote && is_blank(c) {
                break;
            }
            if c == b'#' && !in_quote {
                self.comment = Some(self.pos);
                break;
            }
            if c == b',' && !in_quote {
                token.comma = true;
                break;
            }
            let plain = if c == b'"' { 0 } else { plain_run(&text[self.pos..], in_quote) };
            if self.limit.is_some_and(|limit| token.bytes.len() + plain.max(1) > limit - 1) {
                self.pos = text.len();
                return Next::TooLong;
            }
            if plain > 0 {
                token.bytes.extend_from_slice(&text[self.pos..self.pos + plain]);
                was_quote = false;
                self.pos += plain;
                continue;
            }
            if was_quote {
                token.bytes.push(c);
            }
            was_quote = in_quote && !was_quote;
            in_quote = !in_quote;
            saw_quote = true;
            token.quoted |= token.bytes.is_empty();
            self.pos += 1;
        }
        token.at = (start, self.pos);
        if self.comment.is_some() {
            self.pos = text.len();
        }
        if saw_quote || !token.bytes.is_empty() { Next::Token(token) } else { Next::End }
    }
}

#[cfg(test)]
mod tests {
    use super::super::lines::{Line, Lines};
    use super::{Next, Tokens};

    fn tokens(text: &str) -> Vec<(String, bool, bool)> {
        let mut line = Line::default();
        assert!(Lines::new(text.as_bytes(), 1, true).read(&mut line));
        let mut from = Tokens::new(&line, None);
        let mut out = Vec::new();
        while let Next::Token(t) = from.next() {
            out.push((String::from_utf8_lossy(&t.bytes).into_owned(), t.quoted, t.comma));
        }
        out
    }

    #[test]
    fn quotes_join_double_and_disarm() {
        let want = [("a b".to_owned(), true, false), ("x\"y".to_owned(), true, true), ("a#b".to_owned(), false, false)];
        assert_eq!(tokens("\"a b\"  \"x\"\"y\",a\"#\"b#c"), want);
        assert_eq!(tokens("\"\""), [(String::new(), true, false)]);
    }

    #[test]
    fn an_open_quote_takes_the_rest_of_the_line() {
        assert_eq!(tokens("\"a #b"), [("a #b".to_owned(), true, false)]);
    }
}
