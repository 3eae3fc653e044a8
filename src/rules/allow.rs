//! `# preflight: allow(id, id) until=2026-12-31 reason`: a finding that its owner accepts.
//!
//! It stands at the end of the line that the finding points at, or on lines of its own above it; `allow-file(id)` stands
//! anywhere and speaks of the whole file. It is looked for in the text and not in a tree, so that it works in a file that
//! cannot be parsed.

use std::ops::Range;

use crate::date::Date;
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
    /// The line it speaks of, counted from 0; `None` for the whole file.
    pub line: Option<usize>,
    /// Its last day, if it has one, or what stands there instead; and where.
    pub until: Option<(Result<Date, String>, Span)>,
}

impl Allow {
    /// Whether it allows anything on a day: it gives a reason, and its last day has not passed.
    #[must_use]
    pub fn counts(&self, today: Option<Date>) -> bool {
        let open = match &self.until {
            None => true,
            Some((Ok(last), _)) => today.is_none_or(|today| today <= *last),
            Some((Err(_), _)) => false,
        };
        self.has_reason && open
    }
}

const WORD: &[u8] = b"preflight:";
const UNTIL: &[u8] = b"until=";

/// All allow comments of a text; of a file in another one, those in it.
#[must_use]
pub fn find(source: &Source) -> Vec<Allow> {
    let part = source.part().unwrap_or(0..source.bytes().len());
    let found = memchr::memmem::find_iter(&source.bytes()[part.clone()], WORD);
    found.filter_map(|at| read(source, part.start + at)).collect()
}

fn read(source: &Source, at: usize) -> Option<Allow> {
    let index = source.line_index(u32::try_from(at).ok()?);
    let line = source.line_span(index)?.range();
    let bytes = source.bytes();
    let code = comment_start(&bytes[line.start..at])?;
    let rest = &bytes[at + WORD.len()..line.end];
    let blank = rest.iter().take_while(|b| b.is_ascii_whitespace()).count();
    let whole = rest[blank..].starts_with(b"allow-file(");
    let word: &[u8] = if whole { b"allow-file(" } else { b"allow(" };
    let list = rest[blank..].strip_prefix(word)?;
    let open = at + WORD.len() + blank + word.len();
    let close = open + list.iter().position(|b| *b == b')')?;
    let ids = split(&bytes[open..close]).map(|r| shift(&r, open)).collect::<Vec<_>>();
    let own_line = bytes[line.start..line.start + code].iter().all(u8::is_ascii_whitespace);
    let behind = close + 1..line.end;
    let until = until(&bytes[behind.clone()]).map(|r| shift(&r, behind.start));
    let reason = |r: Range<usize>| bytes[r].iter().any(u8::is_ascii_alphanumeric);
    let lossy = |r: Range<usize>| String::from_utf8_lossy(&bytes[r]).into_owned();
    Some(Allow {
        span: source.span(at, close + 1),
        ids: ids.into_iter().map(|r| (lossy(r.clone()), source.span(r.start, r.end))).collect(),
        has_reason: match &until {
            Some(u) => reason(behind.start..u.start) || reason(u.end..behind.end),
            None => reason(behind),
        },
        line: match (whole, own_line) {
            (true, _) => None,
            (false, true) => Some(next_code_line(source, index)),
            (false, false) => Some(index),
        },
        until: until.map(|r| {
            let text = lossy(r.start + UNTIL.len()..r.end);
            (text.parse().map_err(|_| text), source.span(r.start, r.end))
        }),
    })
}

/// The first word that gives a last day.
fn until(rest: &[u8]) -> Option<Range<usize>> {
    let starts = memchr::memmem::find_iter(rest, UNTIL);
    let start = starts.into_iter().find(|i| *i == 0 || rest[i - 1].is_ascii_whitespace())?;
    let length = rest[start..].iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len() - start);
    Some(start..start + length)
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
    use super::{Date, Source, find};

    fn read(text: &str) -> Vec<(Vec<String>, bool, Option<usize>)> {
        find(&Source::lone("x", text))
            .into_iter()
            .map(|a| (a.ids.into_iter().map(|i| i.0).collect(), a.has_reason, a.line))
            .collect()
    }

    #[test]
    fn speaks_of_its_own_line_or_of_the_next_line_of_code() {
        assert_eq!(
            read("a: 1 # preflight: allow(x, y-z) because\n"),
            [(vec!["x".into(), "y-z".into()], true, Some(0))]
        );
        assert_eq!(read("# preflight: allow(x) r\n# more\n\nb: 2\n"), [(vec!["x".into()], true, Some(3))]);
        assert_eq!(read("SELECT 1; -- preflight:allow(x)\n"), [(vec!["x".into()], false, Some(0))]);
        assert_eq!(read("a: 1 # preflight: allow-file(org/x) r\n"), [(vec!["org/x".into()], true, None)]);
    }

    #[test]
    fn is_only_read_at_the_start_of_a_comment() {
        assert_eq!(read("a: preflight: allow(x) r\n# see preflight: allow(x) r\n# preflight: allow x\n"), []);
    }

    #[test]
    fn counts_to_the_end_of_its_last_day() {
        let one = |text: &str| find(&Source::lone("x", text)).pop().expect("an allow");
        let day = |text: &str| Some(text.parse::<Date>().expect("a day"));
        let allow = one("# preflight: allow(x) until=2026-06-30 moves in June\na\n");
        assert!(allow.has_reason && allow.counts(day("2026-06-30")) && !allow.counts(day("2026-07-01")));
        assert!(!one("# preflight: allow(x) until=2026-06-30\na\n").has_reason);
        let wrong = one("# preflight: allow(x) reason until=June\na\n");
        assert!(wrong.has_reason && !wrong.counts(None));
        assert_eq!(wrong.until.map(|u| u.0), Some(Err("June".to_owned())));
        assert!(one("# preflight: allow(x) valid_until=now is no date\na\n").counts(None));
    }
}
