//! From bytes to assignments: line ends, comments, continuation, sections (`src/shared/conf-parser.c`).

use super::{Assignment, Unit, Value, ignored, syntax};
use crate::problem::{Parsed, Problem};
use crate::source::{Source, Span, Spanned};

/// systemd refuses a file with a longer line (`LONG_LINE_MAX`).
const LINE_MAX: usize = 1024 * 1024;
/// The sections of all types of units; those that begin with `X-` are for others.
const SECTIONS: [&str; 11] =
    ["Unit", "Install", "Service", "Socket", "Timer", "Path", "Mount", "Automount", "Swap", "Slice", "Scope"];
const BOM: &[u8] = b"\xEF\xBB\xBF";

pub(super) const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// The next line from `start`: the end of its text and the start of the line after it. NUL, LF and CR end a line, and so
/// does a run of different ones of them.
fn line_end(bytes: &[u8], start: usize) -> (usize, usize) {
    let end = bytes[start..].iter().position(|b| matches!(b, 0 | b'\n' | b'\r')).map_or(bytes.len(), |n| start + n);
    let mut next = end;
    while next < bytes.len() && matches!(bytes[next], 0 | b'\n' | b'\r') {
        let seen = &bytes[end..next];
        if seen.contains(&bytes[next]) || seen.contains(&0) {
            break;
        }
        next += 1;
    }
    (end, next)
}

/// A line with its continuations, as one run of bytes.
#[derive(Default)]
struct Logical {
    text: Vec<u8>,
    pieces: Vec<(u32, u32)>,
}

#[expect(clippy::cast_possible_truncation, reason = "readers refuse texts of 4 GiB")]
impl Logical {
    fn append(&mut self, bytes: &[u8], start: usize, end: usize) {
        self.pieces.push((self.text.len() as u32, start as u32));
        self.text.extend_from_slice(&bytes[start..end]);
    }

    fn at(&self, offset: usize) -> u32 {
        let next = self.pieces.partition_point(|(o, _)| *o as usize <= offset);
        let (text, source) = self.pieces[next.saturating_sub(1)];
        source + (offset as u32 - text)
    }

    /// The place of a part that is not empty, or of the point where an empty one stands.
    fn place(&self, source: &Source, start: usize, end: usize) -> Span {
        if start == end {
            let at = if start == 0 { self.at(0) } else { self.at(start - 1) + 1 };
            return Span { source: source.id(), start: at, end: at };
        }
        Span { source: source.id(), start: self.at(start), end: self.at(end - 1) + 1 }
    }

    fn value(&self, source: &Source, start: usize, end: usize) -> Value {
        let span = self.place(source, start, end);
        let inside = |(offset, _): &&(u32, u32)| (*offset as usize) > start && (*offset as usize) < end;
        let pieces = std::iter::once((0, span.start))
            .chain(self.pieces.iter().filter(inside).map(|(o, s)| (*o - start as u32, *s)))
            .collect();
        let holes = source.template().map_or(&[][..], |t| t.holes_in(&span.range()));
        let holes = holes.iter().map(|h| source.span(h.start, h.end)).collect();
        Value { text: String::from_utf8_lossy(&self.text[start..end]).into_owned(), span, pieces, holes }
    }
}

struct Reader<'a> {
    source: &'a Source,
    unit: Unit,
    problems: Vec<Problem>,
    section: Option<String>,
}

pub(super) fn parse(source: &Source) -> Parsed<Unit> {
    let mut reader = Reader { source, unit: Unit::default(), problems: Vec::new(), section: None };
    reader.run();
    Parsed { tree: reader.unit, problems: reader.problems }
}

impl Reader<'_> {
    fn run(&mut self) {
        let bytes = self.source.plain();
        let (mut at, mut bom_seen) = (0, false);
        let mut open: Option<Logical> = None;
        while at < bytes.len() {
            let (end, next) = line_end(bytes, at);
            let mut start = at;
            at = next;
            if end - start >= LINE_MAX {
                return self.refuse(start, end, "line is longer than 1 MiB");
            }
            if matches!(bytes[start + skip_blanks(&bytes[start..end])..end].first(), Some(b'#' | b';')) {
                continue;
            }
            if !bom_seen && bytes[start..end].starts_with(BOM) {
                bom_seen = true;
                start += BOM.len();
            }
            let logical = open.get_or_insert_default();
            if logical.text.len() + (end - start) > LINE_MAX {
                return self.refuse(start, end, "continued line is longer than 1 MiB");
            }
            logical.append(bytes, start, end);
            if ends_escaped(&logical.text) {
                if let Some(last) = logical.text.last_mut() {
                    *last = b' ';
                }
                continue;
            }
            if let Some(logical) = open.take()
                && !self.logical_line(&logical)
            {
                return;
            }
        }
        if let Some(logical) = open {
            self.logical_line(&logical);
        }
    }

    fn refuse(&mut self, start: usize, end: usize, problem: &str) {
        let span = self.source.span(start, end);
        self.problems.push(syntax(span.source, span.start, span.end, problem));
        self.unit.refused = true;
    }

    fn complain(&mut self, line: &Logical, start: usize, end: usize, problem: impl Into<String>) {
        let span = line.place(self.source, start, end);
        self.problems.push(syntax(span.source, span.start, span.end, problem));
    }

    fn pass_over(&mut self, line: &Logical, start: usize, end: usize, problem: &str) {
        self.problems.push(ignored(line.place(self.source, start, end), problem));
    }

    /// Takes a line in; `false` when systemd gives the whole file up there.
    fn logical_line(&mut self, line: &Logical) -> bool {
        let (start, end) = trim(&line.text, 0, line.text.len());
        let text = &line.text[start..end];
        if text.is_empty() {
            return true;
        }
        let Ok(text) = std::str::from_utf8(text) else {
            self.complain(line, start, end, "String is not UTF-8 clean");
            self.unit.refused = true;
            return false;
        };
        if let Some(header) = text.strip_prefix('[') {
            return self.header(line, start, end, header);
        }
        let Some(section) = self.section.clone() else {
            self.pass_over(line, start, end, super::OUTSIDE);
            return true;
        };
        match text.find('=') {
            None => self.pass_over(line, start, end, "Missing '=', ignoring line."),
            Some(0) => self.pass_over(line, start, end, "Missing key name before '=', ignoring line."),
            Some(equals) => {
                let (key_start, key_end) = trim(&line.text, start, start + equals);
                let (value_start, value_end) = trim(&line.text, start + equals + 1, end);
                let key = Spanned::new(
                    String::from_utf8_lossy(&line.text[key_start..key_end]).into_owned(),
                    line.place(self.source, key_start, key_end),
                );
                let value = line.value(self.source, value_start, value_end);
                self.unit.assignments.push(Assignment { section, key, value });
            }
        }
        true
    }

    fn header(&mut self, line: &Logical, start: usize, end: usize, header: &str) -> bool {
        let name = header.strip_suffix(']');
        let Some(name) = name.filter(|n| is_safe(n)) else {
            let problem = if name.is_none() { "Invalid section header" } else { "Bad characters in section header" };
            self.complain(line, start, end, format!("{problem} '[{header}'"));
            self.unit.refused = true;
            return false;
        };
        if !SECTIONS.contains(&name) && !name.starts_with("X-") {
            self.complain(line, start, end, format!("Unknown section '{name}'. Ignoring."));
        }
        self.section = Some(name.to_owned());
        true
    }
}

/// Whether a name has neither control characters nor quotes nor backslashes (`string_is_safe`).
fn is_safe(name: &str) -> bool {
    !name.bytes().any(|b| (b > 0 && b < b' ') || matches!(b, b'"' | b'\'' | b'\\' | 0x7f))
}

fn skip_blanks(line: &[u8]) -> usize {
    line.iter().position(|b| !is_blank(*b)).unwrap_or(line.len())
}

/// Whether the last byte is a backslash that no other one escapes.
fn ends_escaped(text: &[u8]) -> bool {
    text.iter().rev().take_while(|b| **b == b'\\').count() % 2 == 1
}

fn trim(text: &[u8], start: usize, end: usize) -> (usize, usize) {
    let part = &text[start..end];
    let first = skip_blanks(part);
    let last = part.iter().rposition(|b| !is_blank(*b)).map_or(first, |n| n + 1);
    (start + first, start + last)
}
