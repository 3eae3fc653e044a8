//! Block scalars, `|` and `>` (`scan_block_scalar` of PyYAML's scanner).

use std::borrow::Cow;

use super::chars::{break_char, break_len, repr_at};
use super::fault::{Exception, Refused};
use super::scanner::Scanner;
use super::token::{Kind, Token};
use super::tree::Style;

const DURING: &str = "while scanning a block scalar";

impl<'a> Scanner<'a> {
    pub(super) fn scan_block_scalar(&mut self, folded: bool) -> Refused<Token<'a>> {
        let start = self.pos;
        self.pos += 1;
        let (chomp, increment) = self.scan_block_header(start)?;
        let least = (self.indent + 1).max(1);
        let (indent, mut breaks, mut end) = match increment {
            None => {
                let (breaks, deepest, end) = self.scan_block_indentation();
                (least.max(deepest), breaks, end)
            }
            Some(increment) => {
                let indent = least + increment - 1;
                let (breaks, end) = self.scan_block_breaks(indent);
                (indent, breaks, end)
            }
        };
        let mut out = String::new();
        let mut last_break = None;
        while self.column() == indent && self.byte(self.pos) != 0 {
            out.push_str(&breaks);
            let starts_with_text = !matches!(self.byte(self.pos), b' ' | b'\t');
            let line_end = self.line_end(self.pos);
            out.push_str(&self.text[self.pos..line_end]);
            self.pos = line_end;
            last_break = (break_len(self.bytes, self.pos) > 0).then(|| break_char(self.bytes, self.pos));
            self.skip_break();
            (breaks, end) = self.scan_block_breaks(indent);
            if self.column() != indent || self.byte(self.pos) == 0 {
                break;
            }
            let folds =
                folded && last_break == Some('\n') && starts_with_text && !matches!(self.byte(self.pos), b' ' | b'\t');
            if !folds {
                out.extend(last_break);
            } else if breaks.is_empty() {
                out.push(' ');
            }
        }
        if chomp != Some(false) {
            out.extend(last_break);
        }
        if chomp == Some(true) {
            out.push_str(&breaks);
        }
        Ok(Token { kind: Kind::Scalar(Cow::Owned(out), Style::Block), start, end })
    }

    /// `+` (keep) or `-` (strip) and the indentation digit, in either order, then nothing but a comment.
    fn scan_block_header(&mut self, start: usize) -> Refused<(Option<bool>, Option<isize>)> {
        let mut chomp = self.scan_chomping();
        let increment = self.scan_increment(start)?;
        if chomp.is_none() && increment.is_some() {
            chomp = self.scan_chomping();
        }
        if !self.ends_word(self.pos) {
            return Err(self.block_fault("chomping or indentation indicators", start));
        }
        self.skip_spaces();
        self.skip_comment();
        if !self.ends_line(self.pos) {
            return Err(self.block_fault("a comment or a line break", start));
        }
        self.skip_break();
        Ok((chomp, increment))
    }

    fn block_fault(&self, expected: &str, start: usize) -> Box<Exception> {
        let problem = format!("expected {expected}, but found {}", repr_at(self.text, self.pos));
        Exception::scanner(problem, self.pos).during(DURING, start)
    }

    fn scan_chomping(&mut self) -> Option<bool> {
        let chomp = match self.byte(self.pos) {
            b'+' => true,
            b'-' => false,
            _ => return None,
        };
        self.pos += 1;
        Some(chomp)
    }

    fn scan_increment(&mut self, start: usize) -> Refused<Option<isize>> {
        let digit = self.byte(self.pos);
        if !digit.is_ascii_digit() {
            return Ok(None);
        }
        if digit == b'0' {
            let problem = "expected indentation indicator in the range 1-9, but found 0";
            return Err(Exception::scanner(problem, self.pos).to(self.pos + 1).during(DURING, start));
        }
        self.pos += 1;
        Ok(Some(isize::from(digit - b'0')))
    }

    /// Empty lines before the first text, the deepest indentation seen, and where the last of the lines ended.
    fn scan_block_indentation(&mut self) -> (String, isize, usize) {
        let mut breaks = String::new();
        let mut deepest = 0;
        let mut end = self.pos;
        loop {
            self.skip_spaces();
            deepest = deepest.max(self.column());
            if break_len(self.bytes, self.pos) == 0 {
                return (breaks, deepest, end);
            }
            breaks.push(break_char(self.bytes, self.pos));
            self.skip_break();
            end = self.pos;
        }
    }

    /// Empty lines, up to the text of the next line or to where it should begin.
    fn scan_block_breaks(&mut self, indent: isize) -> (String, usize) {
        let mut breaks = String::new();
        let mut end = self.pos;
        loop {
            let mut column = self.column();
            while column < indent && self.byte(self.pos) == b' ' {
                self.pos += 1;
                column += 1;
            }
            self.byte(self.pos);
            if break_len(self.bytes, self.pos) == 0 {
                return (breaks, end);
            }
            breaks.push(break_char(self.bytes, self.pos));
            self.skip_break();
            end = self.pos;
        }
    }
}
