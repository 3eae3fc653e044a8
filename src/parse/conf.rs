//! `postgresql.conf` as the server reads it (`src/backend/utils/misc/guc-file.l`, `conffiles.c`).
//!
//! [`parse`] reads one file, [`load`] follows its includes and then `postgresql.auto.conf`. Facts that surprise:
//! - a line is a name, an optional `=` and one value; names have at most one dot; an unquoted value must be one token, so
//!   `1.5GB` (number, word) and `my.host` (a name with a dot) are syntax errors without quotes;
//! - after a syntax error the server goes on with the next line and gives up after 100; it then refuses the whole
//!   configuration. `pg_file_settings` shows the first error of a file only;
//! - a byte order mark is part of the first word;
//! - `include_dir` stops at its first bad file, and every failing include makes the configuration invalid;
//! - relative paths are tidied up (`a/../b`) as 15 and later do; 13 and 14 leave the middle of a path as it is, which
//!   shows in messages and lets a file include itself under another spelling;
//! - a quoted value ends at a NUL byte and loses the character before it.
//!
//! Texts that are no UTF-8 are kept with U+FFFD in place of the bytes; the server does not mind them.

mod deescape;
mod load;
mod scan;
mod token;

use std::borrow::Cow;

use crate::parse::template;
use crate::problem::{Parsed, Problem};
use crate::source::{Source, Span, Spanned};

pub use load::{Conf, FileError, Located, load, load_source, load_view};
pub(crate) use scan::{Line, scan};

/// One effective line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Directive {
    /// A setting.
    Set(Assignment),
    /// `include`, `include_if_exists`, `include_dir`.
    Include(Include),
}

/// A setting and its value.
#[derive(Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The name as it is written.
    pub name: Spanned<String>,
    /// The value without quotes and escapes; its place includes the quotes.
    pub value: Spanned<String>,
    /// Whether it stood in quotes.
    pub quoted: bool,
    /// From the name to the end of the value.
    pub span: Span,
    /// A template decides whether the line is there.
    pub optional: bool,
    secrets: Vec<Span>,
}

impl Assignment {
    /// One that a server tells of; its secrets were replaced before.
    pub(crate) const fn told(name: Spanned<String>, value: Spanned<String>) -> Self {
        let span = Span { end: value.span.end, ..name.span };
        Self { name, value, quoted: false, span, optional: false, secrets: Vec::new() }
    }

    /// The value, with its secret parts masked: what may be shown.
    #[must_use]
    pub fn shown(&self) -> Cow<'_, str> {
        if self.secrets.is_empty() { Cow::Borrowed(&self.value.value) } else { Cow::Borrowed("***") }
    }

    /// The bytes of the value that must not be shown: passwords in connection strings and commands, or all of it.
    #[must_use]
    pub fn secret_spans(&self) -> &[Span] {
        &self.secrets
    }
}

impl std::fmt::Debug for Assignment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} = {:?} at {:?}", self.name.value, self.shown(), self.span)
    }
}

/// An include directive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Include {
    /// Which of the three.
    pub kind: IncludeKind,
    /// What is named, as written; its place includes the quotes.
    pub path: Spanned<String>,
    /// From the directive to the end of the path.
    pub span: Span,
}

/// The three include directives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IncludeKind {
    /// The file must be there.
    File,
    /// The file may be missing or unreadable.
    IfExists,
    /// All `*.conf` of a directory.
    Dir,
}

impl IncludeKind {
    /// The word in the file.
    #[must_use]
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::File => "include",
            Self::IfExists => "include_if_exists",
            Self::Dir => "include_dir",
        }
    }
}

/// Reads one file without following includes. Emits `conf-syntax-error` and `conf-encoding`.
#[must_use]
pub fn parse(source: &Source) -> Parsed<Vec<Directive>> {
    let lines = scan(source);
    let problems = problems_of(source, &lines);
    let tree = lines
        .into_iter()
        .filter_map(|l| match l {
            Line::Directive(d, _) => Some(d),
            Line::Error { .. } | Line::TooMany | Line::Unknown(_) => None,
        })
        .collect();
    Parsed { tree, problems }
}

/// The server's word for what is wrong with a line.
fn syntax_message(file: &str, number: usize, near: Option<&str>) -> String {
    match near {
        Some(token) => format!("syntax error in file \"{file}\" line {number}, near token \"{token}\""),
        None => format!("syntax error in file \"{file}\" line {number}, near end of line"),
    }
}

fn problems_of(source: &Source, lines: &[Line]) -> Vec<Problem> {
    let mut problems = encoding_problems(source);
    problems.extend(template::problem(source));
    for line in lines {
        match line {
            Line::Error { number, near, at } => problems.push(
                Problem::new("conf-syntax-error", *at)
                    .arg("message", syntax_message(source.name(), *number, near.as_deref()))
                    .arg("token", near.clone().unwrap_or_else(|| "end of line".to_owned())),
            ),
            Line::TooMany => {
                if let Some(last) = problems.pop() {
                    let file = source.name();
                    problems.push(last.note(format!("too many syntax errors found, abandoning file \"{file}\"")));
                }
            }
            Line::Directive(..) | Line::Unknown(_) => {}
        }
    }
    problems.sort_by_key(|p| p.at);
    problems
}

/// The server takes such bytes, and no program can show them.
const NOT_UTF8: &str = "bytes that are not UTF-8";

/// At most one finding of each sort per file: a file in another encoding has thousands of such bytes.
fn encoding_problems(source: &Source) -> Vec<Problem> {
    let bytes = source.plain();
    let mut problems = Vec::new();
    let mut found = |what: &str, start: usize, end: usize| {
        let rule = if what == NOT_UTF8 { "conf-not-utf8" } else { "conf-encoding" };
        problems.push(Problem::new(rule, source.span(start, end)).arg("what", what));
    };
    if bytes.starts_with(b"\xEF\xBB\xBF") {
        found("a byte order mark", 0, 3);
    }
    if let Err(e) = std::str::from_utf8(bytes) {
        let start = e.valid_up_to();
        found(NOT_UTF8, start, start + e.error_len().unwrap_or(bytes.len() - start));
    }
    if let Some(at) = bytes.iter().position(|b| *b == 0) {
        found("a NUL byte", at, at + 1);
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str) -> Vec<(String, String)> {
        let parsed = parse(&Source::lone("c", text));
        let pair = |d| match d {
            Directive::Set(a) => (a.name.value, a.value.value),
            Directive::Include(i) => (i.kind.keyword().to_owned(), i.path.value),
        };
        parsed.tree.into_iter().map(pair).collect()
    }

    fn messages(text: &[u8]) -> Vec<String> {
        parse(&Source::lone("c", text)).problems.into_iter().map(|p| p.args[0].1.clone()).collect()
    }

    #[test]
    fn values_may_stand_with_and_without_equals_sign_and_quotes() {
        let text = "a = 1\r\nB 'it''s \\'x\\' \\101'# c\nc.d=on\nInclude 'x.conf'\n";
        let want = [("a", "1"), ("B", "it's 'x' A"), ("c.d", "on"), ("include", "x.conf")];
        assert_eq!(settings(text), want.map(|(a, b)| (a.to_owned(), b.to_owned())));
    }

    #[test]
    fn errors_are_placed_as_the_server_places_them() {
        let said = messages(b"a = 1.5GB\nb =\nc = x y\nd");
        assert_eq!(
            said,
            [
                "syntax error in file \"c\" line 1, near token \"GB\"",
                "syntax error in file \"c\" line 2, near end of line",
                "syntax error in file \"c\" line 3, near token \"y\"",
                "syntax error in file \"c\" line 3, near end of line",
            ]
        );
    }

    #[test]
    fn passwords_are_marked_and_not_printed() {
        let source = Source::lone("c", "primary_conninfo = 'host=a password=''s3 cret'' user=b'\n");
        let parsed = parse(&source);
        let Directive::Set(a) = &parsed.tree[0] else { panic!("a setting") };
        let spans: Vec<_> = a.secret_spans().iter().map(|s| source.text(*s).into_owned()).collect();
        assert_eq!(spans, ["s3 cret"]);
        assert!(!format!("{:?}", parsed.tree).contains("cret"));
        let bad = parse(&Source::lone("c", "ssl_passphrase_command = echo s3cret\n"));
        assert!(!format!("{:?}", bad.problems).contains("s3cret"));
    }

    #[test]
    fn a_byte_order_mark_is_reported() {
        let said = messages(b"\xEF\xBB\xBF# c\nport = 1\n");
        assert!(said.contains(&"a byte order mark".to_owned()), "{said:?}");
        assert_eq!(said.len(), 2, "{said:?}");
    }
}
