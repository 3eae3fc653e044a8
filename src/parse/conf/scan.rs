//! Lines of one file (`ParseConfigFp` in `guc-file.l`).

use super::deescape::deescape;
use super::token::{Kind, Token, next};
use super::{Assignment, Directive, Include, IncludeKind};
use crate::parse::conninfo;
use crate::source::{Source, Span, Spanned};

/// The server gives up on a file after so many syntax errors.
const MAX_ERRORS: usize = 100;

/// What a line of a file is to the server; empty ones are left out.
#[derive(Debug)]
pub(crate) enum Line {
    /// A directive and the number of its line.
    Directive(Directive, usize),
    /// A syntax error.
    Error {
        /// The line that the server names; one less than the real one at an end of file without line end.
        number: usize,
        /// The token that was not expected; `None` is the end of the line. Masked where it may be secret.
        near: Option<String>,
        /// Where it is.
        at: Span,
    },
    /// The server has given up on the rest of the file.
    TooMany,
}

/// All lines of a file.
pub(crate) fn scan(source: &Source) -> Vec<Line> {
    let bytes = source.bytes();
    let mut lines = Vec::new();
    let mut errors = 0;
    let (mut at, mut number) = (0, 1);
    loop {
        let first = next(bytes, at);
        match first.kind {
            Kind::Eof => return lines,
            Kind::Eol => at = first.end,
            _ => match directive(source, first) {
                Ok((found, end)) => {
                    lines.push(Line::Directive(found, number));
                    at = end;
                }
                Err(bad) => {
                    lines.push(error(source, first, bad, number));
                    errors += 1;
                    if errors == MAX_ERRORS {
                        lines.push(Line::TooMany);
                        return lines;
                    }
                    let rest = bytes[bad.start..].iter().position(|b| *b == b'\n');
                    at = rest.map_or(bytes.len(), |n| bad.start + n + 1);
                }
            },
        }
        number += 1;
    }
}

/// A directive that begins with a token, and the position behind its line; or the token that spoils it.
fn directive(source: &Source, name: Token) -> Result<(Directive, usize), Token> {
    let bytes = source.bytes();
    if !matches!(name.kind, Kind::Id | Kind::QualifiedId) {
        return Err(name);
    }
    let mut value = next(bytes, name.end);
    if value.kind == Kind::Equals {
        value = next(bytes, value.end);
    }
    if !matches!(value.kind, Kind::Id | Kind::Str | Kind::Integer | Kind::Real | Kind::Unquoted) {
        return Err(value);
    }
    let end = next(bytes, value.end);
    if !matches!(end.kind, Kind::Eol | Kind::Eof) {
        return Err(end);
    }
    Ok((build(source, name, value), end.end))
}

fn build(source: &Source, name: Token, value: Token) -> Directive {
    let bytes = source.bytes();
    let token = &bytes[value.start..value.end];
    let (decoded, places) = match value.kind {
        Kind::Str => deescape(token),
        _ => (token.to_vec(), (0..token.len()).collect()),
    };
    let text = String::from_utf8_lossy(&decoded).into_owned();
    let word = source.text(source.span(name.start, name.end)).into_owned();
    let span = source.span(name.start, value.end);
    let value_span = source.span(value.start, value.end);
    let kinds = [IncludeKind::File, IncludeKind::IfExists, IncludeKind::Dir];
    if let Some(kind) = kinds.into_iter().find(|k| word.eq_ignore_ascii_case(k.keyword())) {
        return Directive::Include(Include { kind, path: Spanned::new(text, value_span), span });
    }
    // Offsets in a text with U+FFFD are not offsets in the bytes: such a value is secret as a whole, if at all.
    let exact = text.as_bytes() == decoded;
    let place = |n: usize| places.get(n).copied().unwrap_or(token.len() - usize::from(value.kind == Kind::Str));
    let secrets = conninfo::secrets_of_setting(&word, &text)
        .into_iter()
        .map(|r| match exact {
            true => source.span(value.start + place(r.start), value.start + place(r.end)),
            false => value_span,
        })
        .collect();
    Directive::Set(Assignment {
        name: Spanned::new(word, source.span(name.start, name.end)),
        value: Spanned::new(text, value_span),
        quoted: value.kind == Kind::Str,
        span,
        secrets,
    })
}

fn error(source: &Source, first: Token, bad: Token, number: usize) -> Line {
    let at = source.span(bad.start, bad.end);
    match bad.kind {
        Kind::Eol => Line::Error { number, near: None, at: at.at_start() },
        Kind::Eof => Line::Error { number: number - 1, near: None, at },
        _ => {
            let word = source.text(source.span(first.start, first.end));
            let text = source.text(at);
            // As a C string, the token ends at a NUL.
            let shown = text.split('\0').next().unwrap_or_default();
            let hide = bad.start != first.start && bad.end - bad.start > 1 && conninfo::may_hold_secret(&word);
            Line::Error { number, near: Some(if hide { "***".to_owned() } else { shown.to_owned() }), at }
        }
    }
}
