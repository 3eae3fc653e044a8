//! Command lines and the names of environment files (`config_parse_exec`, `config_parse_unit_env_file` in
//! `src/core/load-fragment.c`).

use super::lines::is_blank;
use super::words::{Unknown, next_start, word};
use super::{Unit, Value, Word, syntax};
use crate::problem::Parsed;
use crate::source::{Span, Spanned};

/// A command that systemd starts. Specifiers and `$VARIABLES` are left as they stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The signs before the path, such as `-` or `!!`.
    pub prefix: String,
    /// The program.
    pub path: Spanned<String>,
    /// What follows it; with the prefix `@` the first one is the name that the program sees.
    pub args: Vec<Spanned<String>>,
}

/// A value of `EnvironmentFile=`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentFile {
    /// Whether it may be absent: the value begins with `-`.
    pub optional: bool,
    /// The path; it may hold wildcards and specifiers.
    pub path: Spanned<String>,
}

impl Unit {
    /// The commands of a key of `[Service]` such as `ExecStart`, and the lines that systemd drops.
    #[must_use]
    pub fn commands(&self, key: &str) -> Parsed<Vec<Command>> {
        let (mut tree, mut problems) = (Vec::new(), Vec::new());
        for value in self.all("Service", key) {
            if let Err((span, problem)) = commands(value, &mut tree)
                && !value.is_unknown_at(span)
            {
                problems.push(syntax(span.source, span.start, span.end, problem));
            }
        }
        Parsed { tree, problems }
    }

    /// The values of `[Service] EnvironmentFile=`.
    #[must_use]
    pub fn environment_files(&self) -> Vec<EnvironmentFile> {
        self.all("Service", "EnvironmentFile")
            .into_iter()
            .map(|value| {
                let skip = usize::from(value.text.starts_with('-'));
                let at = value.place(skip, value.text.len());
                EnvironmentFile { optional: skip == 1, path: Spanned::new(value.text[skip..].to_owned(), at) }
            })
            .collect()
    }
}

/// Why systemd drops the rest of a line.
type Fault = (Span, &'static str);

/// Adds the commands of a line, which `;` separates. Those before a mistake stay.
fn commands(value: &Value, out: &mut Vec<Command>) -> Result<(), Fault> {
    let text = value.text.as_bytes();
    let mut at = 0;
    while let Some(start) = next_start(text, at) {
        let first = one_word(value, start)?;
        at = first.range.1;
        let (prefix, path) = split_prefix(&spanned(first)?);
        if path.value.is_empty() {
            return Err((path.span, "Empty path in command line, ignoring"));
        }
        let known = !value.is_unknown_at(path.span);
        if known
            && !path.value.starts_with(['/', '%'])
            && (path.value.contains('/') || matches!(&*path.value, "." | ".."))
        {
            return Err((path.span, "Neither a valid executable name nor an absolute path"));
        }
        let mut args = Vec::new();
        while let Some(next) = next_start(text, at) {
            let alone = |n: usize| text.get(next + n).is_none_or(|b| is_blank(*b));
            if text[next] == b';' && alone(1) {
                at = next + 1;
                break;
            }
            if text[next..].starts_with(b"\\;") && alone(2) {
                at = next + 2;
                args.push(Spanned::new(";".to_owned(), value.place(next, at)));
                continue;
            }
            let word = one_word(value, next)?;
            at = word.range.1;
            args.push(spanned(word)?);
        }
        if prefix.contains('@') && args.first().is_none_or(|a| a.value.is_empty()) {
            return Err((path.span, "Empty executable name or zeroeth argument, ignoring"));
        }
        out.push(Command { prefix, path, args });
    }
    Ok(())
}

fn one_word(value: &Value, start: usize) -> Result<Word, Fault> {
    word(value, start, Unknown::Refused)
        .or_else(|()| word(value, start, Unknown::Kept))
        .map_err(|()| (value.place(start, value.text.len()), "Unbalanced quoting, ignoring"))
}

fn spanned(word: Word) -> Result<Spanned<String>, Fault> {
    String::from_utf8(word.bytes)
        .map(|text| Spanned::new(text, word.span))
        .map_err(|_| (word.span, "String is not UTF-8 clean, ignoring"))
}

/// Takes the prefixes off a path: `-`, `@` and `:` once each, and one of `+`, `!`, `!!`.
fn split_prefix(word: &Spanned<String>) -> (String, Spanned<String>) {
    let mut taken = String::new();
    for c in word.value.chars() {
        let privileges = taken.contains(['+', '!']);
        let fits = match c {
            '-' | '@' | ':' => !taken.contains(c),
            '+' => !privileges,
            '!' => !privileges || (taken.ends_with('!') && !taken.ends_with("!!")),
            _ => false,
        };
        if !fits {
            break;
        }
        taken.push(c);
    }
    let path = word.value[taken.len()..].to_owned();
    (taken, Spanned::new(path, word.span))
}
