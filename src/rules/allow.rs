//! `# preflight: allow(id, id) reason`: a finding that its owner accepts.
//!
//! It stands at the end of the line that the finding points at, or on lines of its own above it. It is looked for in the
//! text and not in a tree, so that it works in a file that cannot be parsed.

use std::ops::Range;

use crate::source::{Source, Span};

/// One allow comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allow {
    /// The words `preflight: allow(…)`.
    pub span: Span,
    /// The ids it names, each with its place.
    pub ids: Vec<(String, Span)>,
    /// Whether a reason follows.
    pub has_reason: bool,
    /// The line it speaks of, counted from 0.
    pub line: usize,
}

const WORD: &[u8] = b"preflight:";

/// All allow comments of a text.
#[must_use]
pub fn find(source: &Source) -> Vec<Allow> {
    memchr::memmem::find_iter(source.bytes(), WORD).filter_map(|at| read(source, at)).collect()
}

fn read(source: &Source, at: usize) -> Option<Allow> {
    let index = source.line_index(u32::try_from(at).ok()?);
    let line = source.line_span(index)?.range();
    let bytes = source.bytes();
    let code = comment_start(&bytes[line.start..at])?;
    let rest = &bytes[at + WORD.len()..line.end];
    let blank = rest.iter().take_while(|b| b.is_ascii_whitespace()).count();
    let list = rest[blank..].strip_prefix(b"allow(")?;
    let open = at + WORD.len() + blank + b"allow(".len();
    let close = open + list.iter().position(|b| *b == b')')?;
    let ids = split(&bytes[open..close]).map(|r| shift(&r, open)).collect::<Vec<_>>();
    let own_line = bytes[line.start..line.start + code].iter().all(u8::is_ascii_whitespace);
    Some(Allow {
        span: source.span(at, close + 1),
        ids: ids
            .into_iter()
            .map(|r| (String::from_utf8_lossy(&bytes[r.clone()]).into_owned(), source.span(r.start, r.end)))
            .collect(),
        has_reason: bytes[close + 1..line.end].iter().any(u8::is_ascii_alphanumeric),
        line: if own_line { next_code_line(source, index) } else { index },
    })
}

/// Where the comment begins in what stands left of the word; `None` when the word is not the first in a comment.
fn comment_start(before: &[u8]) -> Option<usize> {
    let end = before.iter().rposition(|b| !b.is_ascii_whitespace())? + 1;
    let mark = if before[..end].ends_with(b"--") { 2 } else { 1 };
    matches!(&before[end - mark..end], b"#" | b";" | b"--").then_some(end - mark)
}

fn split(list: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    list.split(|b| *b == b',').filter_map(move |part| {
        let here = start;
        start += part.len() + 1;
        let skip = part.iter().take_while(|b| b.is_ascii_whitespace()).count();
        let trimmed = part.trim_ascii();
        (!trimmed.is_empty()).then(|| here + skip..here + skip + trimmed.len())
    })
}

fn shift(range: &Range<usize>, by: usize) -> Range<usize> {
    range.start + by..range.end + by
}

fn next_code_line(source: &Source, index: usize) -> usize {
    (index + 1..source.line_count())
        .find(|i| {
            let line = source.line_span(*i).map(|s| source.bytes()[s.range()].trim_ascii()).unwrap_or_default();
            !(line.is_empty() || line.starts_with(b"#") || line.starts_with(b";") || line.starts_with(b"--"))
        })
        .unwrap_or(index)
}

#[cfg(test)]
mod tests {
    use super::{Source, find};

    fn read(text: &str) -> Vec<(Vec<String>, bool, usize)> {
        find(&Source::lone("x", text))
            .into_iter()
            .map(|a| (a.ids.into_iter().map(|i| i.0).collect(), a.has_reason, a.line))
            .collect()
    }

    #[test]
    fn speaks_of_its_own_line_or_of_the_next_line_of_code() {
        assert_eq!(read("a: 1 # preflight: allow(x, y-z) because\n"), [(vec!["x".into(), "y-z".into()], true, 0)]);
        assert_eq!(read("# preflight: allow(x) r\n# more\n\nb: 2\n"), [(vec!["x".into()], true, 3)]);
        assert_eq!(read("SELECT 1; -- preflight:allow(x)\n"), [(vec!["x".into()], false, 0)]);
    }

    #[test]
    fn is_only_read_at_the_start_of_a_comment() {
        assert_eq!(read("a: preflight: allow(x) r\n# see preflight: allow(x) r\n# preflight: allow x\n"), []);
    }
}
