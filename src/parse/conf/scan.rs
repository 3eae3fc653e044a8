//! Lines of one file (`ParseConfigFp` in `guc-file.l`).

use std::borrow::Cow;

use super::deescape::{deescape, places};
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
    /// A template decides what the line says: the value of a setting, or, without a name, anything.
    Unknown(Option<Spanned<String>>),
}

/// All lines of a file.
pub(crate) fn scan(source: &Source) -> Vec<Line> {
    let bytes = source.plain();
    let mut lines = Vec::new();
    if source.template().is_some_and(|t| !t.insertions.is_empty()) {
        lines.push(Line::Unknown(None));
    }
    let mut errors = 0;
    let (mut at, mut number) = (0, 1);
    loop {
        let first = next(bytes, at);
        match first.kind {
            Kind::Eof => return lines,
            Kind::Eol => at = first.end,
            _ => match directive(source, first) {
                Ok((found, end)) => {
                    lines.push(known(source, found, number));
                    at = end;
                }
                Err(bad) => {
                    let rest = memchr::memchr(b'\n', &bytes[bad.start..]);
                    at = rest.map_or(bytes.len(), |n| bad.start + n + 1);
                    if source.is_unknown(source.span(first.start, at)) {
                        let word = source.span(first.start, first.end);
                        let name =
                            (!source.is_unknown(word)).then(|| Spanned::new(source.text(word).into_owned(), word));
                        lines.push(Line::Unknown(name));
                    } else {
                        lines.push(error(source, first, bad, number));
                        errors += 1;
                    }
                    if errors == MAX_ERRORS {
                        lines.push(Line::TooMany);
                        return lines;
                    }
                }
            },
        }
        number += 1;
    }
}

/// A directive, as far as a template does not decide what it says.
fn known(source: &Source, found: Directive, number: usize) -> Line {
    match found {
        Directive::Set(set) if source.is_unknown(set.name.span) => Line::Unknown(None),
        Directive::Set(set) if source.is_unknown(set.value.span) => Line::Unknown(Some(set.name)),
        Directive::Include(include) if source.is_unknown(include.span) => Line::Unknown(None),
        _ => Line::Directive(found, number),
    }
}

/// A directive that begins with a token, and the position behind its line; or the token that spoils it.
fn directive(source: &Source, name: Token) -> Result<(Directive, usize), Token> {
    let bytes = source.plain();
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
    let bytes = source.plain();
    let token = &bytes[value.start..value.end];
    let decoded = if value.kind == Kind::Str { Cow::Owned(deescape(token)) } else { Cow::Borrowed(token) };
    let text = String::from_utf8_lossy(&decoded).into_owned();
    let word = source.text(source.span(name.start, name.end)).into_owned();
    let span = source.span(name.start, value.end);
    let value_span = source.span(value.start, value.end);
    let kinds = [IncludeKind::File, IncludeKind::IfExists, IncludeKind::Dir];
    if let Some(kind) = kinds.into_iter().find(|k| word.eq_ignore_ascii_case(k.keyword())) {
        return Directive::Include(Include { kind, path: Spanned::new(text, value_span), span });
    }
    let secrets = secrets(source, &word, &text, value, &decoded);
    Directive::Set(Assignment {
        name: Spanned::new(word, source.span(name.start, name.end)),
        value: Spanned::new(text, value_span),
        quoted: value.kind == Kind::Str,
        span,
        optional: source.template().is_some_and(|t| t.is_optional(name.start)),
        secrets,
    })
}

/// Where in the file the secret parts of a value are.
fn secrets(source: &Source, name: &str, text: &str, value: Token, decoded: &[u8]) -> Vec<Span> {
    let found = conninfo::secrets_of_setting(name, text);
    if found.is_empty() {
        return Vec::new();
    }
    // Offsets in a text with U+FFFD are not offsets in the bytes: such a value is secret as a whole.
    if text.as_bytes() != decoded {
        return vec![source.span(value.start, value.end)];
    }
    if value.kind != Kind::Str {
        return found.into_iter().map(|r| source.span(value.start + r.start, value.start + r.end)).collect();
    }
    let places = places(&source.plain()[value.start..value.end]);
    let place = |n: usize| places.get(n).map_or(value.end - 1, |p| value.start + p);
    found.into_iter().map(|r| source.span(place(r.start), place(r.end))).collect()
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
