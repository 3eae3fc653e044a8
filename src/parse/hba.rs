//! `pg_hba.conf` as PostgreSQL 13 to 18 reads it.
//!
//! Everything here follows `src/backend/libpq/hba.c`: how lines are cut ([`lines`]), how tokens are quoted ([`token`]), which
//! files are included ([`tokenize`]), and which lines are refused with which words ([`rule`], [`options`]). One bad line is
//! enough for a server to refuse the whole file: at a reload it keeps the old rules, at a start it does not start. So a
//! bad line is kept as [`Unreadable`] and the other lines are still read, to report them all and to say what the file
//! would mean without it.
//!
//! Facts that a file alone cannot tell are taken at their best: names of RADIUS servers are assumed to resolve (the server
//! looks them up while it reads), zones of IPv6 addresses to be interfaces, see [`Server`].
//!
//! Problems carry the server's own words in the argument `problem`, with secrets replaced by `***`.

pub mod address;
mod kind;
mod ldap_url;
mod lines;
mod options;
mod rule;
mod secrets;
mod server;
#[cfg(test)]
pub(crate) mod tests;
mod token;
pub(crate) mod tokenize;
mod versions;
mod view;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::Path;
use std::sync::Arc;

use crate::parse::are::Are;
use crate::parse::template;
use crate::problem::{Parsed, Problem};
use crate::secret::Secret;
use crate::source::template::{Insertion, Template};
use crate::source::{Reader, Source, SourceId, Span, Spanned};

pub use address::Address;
pub use kind::{ConnType, Method};
pub use options::{ClientCert, Settings};
pub use server::{SUPPORTED, Server};
pub use versions::parse_for_all;
pub use view::{ViewRow, rows};

use tokenize::{Doubt, Place, Text, TokenLine, Tokenizer};

/// What a word in the database or role column stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// `all`; for a database not physical replication.
    All,
    /// `sameuser`: the database named like the role.
    SameUser,
    /// `samerole`, `samegroup`: a database named like a role that the user is a member of.
    SameRole,
    /// `replication`: physical replication.
    Replication,
    /// `+role`: the members of a role, the role itself among them.
    MemberOf,
    /// `/…` from 16 on.
    Regex(Box<Are>),
    /// The name itself.
    Name,
}

/// A word in the database or role column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameToken {
    /// Without quotes, with the `+` or `/` in front.
    pub text: Box<str>,
    /// It began with a quote, so it is no keyword and no group.
    pub quoted: bool,
    /// What it stands for.
    pub meaning: Meaning,
}

impl NameToken {
    /// The role of a `+role`.
    #[must_use]
    pub fn group(&self) -> Option<&str> {
        if self.meaning == Meaning::MemberOf { self.text.strip_prefix('+') } else { None }
    }
}

/// The value of an option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OptionValue {
    /// May be shown.
    Plain(String),
    /// May not.
    Secret(Secret),
}

/// One `name=value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HbaOption {
    /// What stands in front of the first `=`.
    pub name: String,
    /// What stands behind it.
    pub value: OptionValue,
    /// Both.
    pub span: Span,
}

/// A line that says who may or may not connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HbaRule {
    /// Number of its first physical line in its file, from 1: the number that the server logs.
    pub line: u32,
    /// The source it stands in.
    pub file: SourceId,
    /// The file as the server names it.
    pub file_name: Arc<str>,
    /// All its bytes.
    pub span: Span,
    /// The first column.
    pub kind: Spanned<ConnType>,
    /// The second column; tokens from an `@file` lie in that file.
    pub databases: Box<[Spanned<NameToken>]>,
    /// The third column.
    pub users: Box<[Spanned<NameToken>]>,
    /// `None` for `local`. The span is that of the address, without a mask in a column of its own.
    pub address: Option<Spanned<Address>>,
    /// `ident` on a `local` line is `peer`.
    pub method: Spanned<Method>,
    /// As written, in order.
    pub options: Vec<HbaOption>,
    /// What they come to; `None` when nothing is set.
    pub settings: Option<Box<Settings>>,
    /// The server takes the line, but says this about it: it can never match.
    pub warning: Option<String>,
    /// A template decides whether the line is there.
    pub optional: bool,
    /// Its place among all lines that are not empty, unreadable ones included.
    row: usize,
}

/// A place in a template where a line of which not all is known stands, or where any lines may stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Perhaps {
    /// How many of the rules stand in front of it.
    pub before: usize,
    /// Where it is.
    pub span: Span,
    /// The first column; `None` for a column here and below is one that is not known.
    pub kind: Option<ConnType>,
    /// The second.
    pub databases: Option<Box<[Spanned<NameToken>]>>,
    /// The third.
    pub users: Option<Box<[Spanned<NameToken>]>>,
    /// The address; for a `local` line there is none to know.
    pub address: Option<Address>,
    /// How many bits of an address that is not known count at least: it ends with `/32`.
    pub bits: Option<u8>,
}

/// A line that makes the server refuse the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Number of its first physical line in its file, from 1.
    pub line: u32,
    /// The file as the server names it.
    pub file_name: Arc<str>,
    /// All its bytes.
    pub span: Span,
    /// What the server logs, secrets replaced.
    pub problem: String,
    /// What `pg_hba_file_rules` shows as the error; it stays silent about some.
    pub in_view: Option<String>,
    row: usize,
}

/// A file with all that it includes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hba {
    /// The major version that it was read for.
    pub version: u16,
    /// In the order in which the server tries them.
    pub rules: Vec<HbaRule>,
    /// Lines that make the server refuse all of it.
    pub unreadable: Vec<Unreadable>,
    /// What a template leaves open, in order: such lines are no rules, and may decide all the same.
    pub perhaps: Vec<Perhaps>,
    comments: Vec<Span>,
    secrets: Vec<Span>,
}

impl Hba {
    /// Whether the server takes it: no bad line, and at least one rule.
    #[must_use]
    pub const fn is_accepted(&self) -> bool {
        self.unreadable.is_empty() && !self.rules.is_empty()
    }

    /// The comments, each from its `#` to the end of its line, in all files that were read.
    #[must_use]
    pub fn comments(&self) -> &[Span] {
        &self.comments
    }

    /// The bytes that must never be shown: values of secret options, also in comments and in bad lines.
    #[must_use]
    pub fn secret_spans(&self) -> &[Span] {
        &self.secrets
    }
}

/// Reads a file for a server as Linux distributions package it; see [`parse_for`].
pub fn parse(source: &Source, reader: &dyn Reader, version: u16) -> Parsed<Hba> {
    parse_for(source, reader, &Server::packaged(version))
}

/// Reads a file and all that it includes, as this server does.
///
/// Emits `hba-invalid-line` for each line that makes the server refuse the file, `hba-line-cannot-match` for what it only
/// warns of, `hba-no-rules` when there is nothing else wrong but nobody could connect, and `hba-regex-before-16` where a
/// regular expression is meant and a server before 16 reads a name.
pub fn parse_for(source: &Source, reader: &dyn Reader, server: &Server) -> Parsed<Hba> {
    let path = source.path().filter(|_| source.part().is_none());
    let name = path.map_or_else(|| source.name().to_owned(), |p| p.to_string_lossy().into_owned());
    let mut parsed = read(Text::of(source, &name), source.whole(), reader, server);
    parsed.problems.extend(template::problem(source));
    parsed
}

/// How many bad lines of a file are worth a guess at what was meant.
const MAX_HINTS: usize = 1000;

/// The lines that Patroni writes in front of a list.
const PATRONI_HEADER: u32 = 2;

/// Reads a `postgresql.pg_hba` list of Patroni as the file that Patroni makes of it.
///
/// Patroni writes two lines of comment and then each item with a line end behind it (`ConfigWriter` in
/// `patroni/postgresql/config.py`), so the first item is line 3 of `written_to`; a text of several lines becomes several lines.
/// Everything is placed at the scalar that it comes from.
pub fn parse_lines(lines: &[Spanned<String>], written_to: &Path, reader: &dyn Reader, server: &Server) -> Parsed<Hba> {
    let lines: Vec<Spanned<Option<String>>> = lines.iter().map(|line| line.clone().map(Some)).collect();
    parse_list(&lines, written_to, reader, server)
}

/// As [`parse_lines`], for a list of which a template fills in some items: those may be any lines.
pub fn parse_list(
    lines: &[Spanned<Option<String>>],
    written_to: &Path,
    reader: &dyn Reader,
    server: &Server,
) -> Parsed<Hba> {
    let joined = Joined::of_list(lines);
    let name = written_to.to_string_lossy().into_owned();
    let whole = match (lines.first(), lines.last()) {
        (Some(first), Some(last)) if first.span.source == last.span.source => first.span.to(last.span),
        (Some(first), _) => first.span,
        (None, _) => Span { source: SourceId::lone(), start: 0, end: 0 },
    };
    read(joined.text(&name), whole, reader, server)
}

/// The items of a list as the text of a file.
pub(crate) struct Joined {
    bytes: Vec<u8>,
    scalars: Vec<(usize, Span)>,
    template: Option<Template>,
}

impl Joined {
    pub(crate) fn new(lines: &[Spanned<String>]) -> Self {
        Self::of_list(&lines.iter().map(|line| line.clone().map(Some)).collect::<Vec<_>>())
    }

    fn of_list(lines: &[Spanned<Option<String>>]) -> Self {
        let mut joined = Self { bytes: Vec::new(), scalars: Vec::new(), template: None };
        for line in lines {
            let start = joined.bytes.len();
            joined.scalars.push((start, line.span));
            if let Some(text) = &line.value {
                joined.bytes.extend_from_slice(text.as_bytes());
            } else {
                joined.bytes.push(b' ');
                let insertion = Insertion { range: start..start + 1, indent: None };
                joined.template.get_or_insert_default().insertions.push(insertion);
            }
            joined.bytes.push(b'\n');
        }
        joined
    }

    pub(crate) fn text<'a>(&'a self, name: &'a str) -> Text<'a> {
        Text {
            bytes: &self.bytes,
            name,
            first_line: PATRONI_HEADER + 1,
            place: Place::Scalars(&self.scalars),
            template: self.template.as_ref(),
        }
    }
}

fn read(text: Text<'_>, whole: Span, reader: &dyn Reader, server: &Server) -> Parsed<Hba> {
    let mut tokenizer = Tokenizer::new(server, reader, text.name);
    let mut hba = Hba { version: server.version, ..Hba::default() };
    let mut problems = Vec::new();
    let mut row = 0;
    tokenizer.run(text, 0, &mut |line| {
        take_line(&line, row, server, &mut hba, &mut problems);
        row += 1;
    });
    let ignored = std::mem::take(&mut tokenizer.ignored);
    problems.extend(
        ignored.into_iter().map(|(at, problem)| Problem::new("hba-include-ignored", at).arg("problem", problem)),
    );
    let (comments, secrets) = tokenizer.finish();
    hba.rules.shrink_to_fit();
    hba.comments = comments;
    hba.secrets.extend(secrets);
    if hba.rules.is_empty() && hba.unreadable.is_empty() && hba.perhaps.is_empty() {
        problems.push(
            Problem::new("hba-no-rules", whole.at_start())
                .arg("problem", format!("configuration file \"{}\" contains no entries", text.name)),
        );
    }
    join_same(&mut problems);
    Parsed { tree: hba, problems }
}

/// Most lines that one problem points at besides its own.
const MAX_LABELS: usize = 20;

/// What the server warns of for the same reason on several lines is one problem, at the first of them.
fn join_same(problems: &mut Vec<Problem>) {
    let mut first: HashMap<(SourceId, String), usize> = HashMap::new();
    let mut joined: Vec<Problem> = Vec::with_capacity(problems.len());
    for problem in problems.drain(..) {
        let reason = problem.args.first().filter(|_| problem.rule == "hba-line-cannot-match");
        let Some((_, reason)) = reason else {
            joined.push(problem);
            continue;
        };
        match first.entry((problem.at.source, reason.clone())) {
            Entry::Occupied(known) => {
                let known = &mut joined[*known.get()];
                if known.labels.len() < MAX_LABELS {
                    known.labels.push((problem.at, String::new()));
                }
            }
            Entry::Vacant(free) => {
                free.insert(joined.len());
                joined.push(problem);
            }
        }
    }
    *problems = joined;
}

fn take_line(line: &TokenLine, row: usize, server: &Server, hba: &mut Hba, problems: &mut Vec<Problem>) {
    let hidden = secrets::spans(line);
    let hides = !hidden.is_empty();
    hba.secrets.extend(hidden);
    if matches!(line.doubt, Some(Doubt::Token | Doubt::Lines)) && line.error.is_none() {
        let (perhaps, fault) = rule::read_part(line, server, hba.rules.len());
        hba.perhaps.push(perhaps);
        if let Some(fault) = fault {
            let problem = if hides { secrets::redact(line, fault.refusal.message) } else { fault.refusal.message };
            let found = Problem::new("hba-invalid-line", fault.at).arg("problem", problem);
            problems.push(fault.note.into_iter().fold(found, Problem::note));
        }
        return;
    }
    let (at, refusal, note, warning) = if let Some((at, message)) = &line.error {
        (*at, options::Refusal::new(message.clone()), None, None)
    } else {
        let outcome = rule::read(line, server, hba.unreadable.len() < MAX_HINTS);
        match outcome.rule {
            Ok(mut rule) => {
                rule.row = row;
                rule.optional = line.doubt == Some(Doubt::Optional);
                rule.warning = outcome.warning;
                note_doubts(&rule, server, problems);
                hba.rules.push(rule);
                return;
            }
            Err(fault) => (fault.at, fault.refusal, fault.note, outcome.warning),
        }
    };
    let clean = |text: String| if hides { secrets::redact(line, text) } else { text };
    let problem = clean(refusal.message);
    let mut found = Problem::new("hba-invalid-line", at).arg("problem", problem.clone());
    if let Some(note) = note {
        found = found.note(note);
    }
    problems.push(found);
    hba.unreadable.push(Unreadable {
        line: line.number,
        file_name: Arc::clone(&line.file_name),
        span: line.span,
        problem,
        in_view: refusal.in_view.map(clean).or(warning),
        row,
    });
}

/// What a line that the server takes does not do.
fn note_doubts(rule: &HbaRule, server: &Server, problems: &mut Vec<Problem>) {
    if let Some(warning) = &rule.warning {
        problems.push(Problem::new("hba-line-cannot-match", rule.kind.span).arg("problem", warning.clone()));
    }
    if server.has_includes() {
        return;
    }
    for name in rule.databases.iter().chain(&rule.users).filter(|n| n.value.text.starts_with('/')) {
        problems.push(
            Problem::new("hba-regex-before-16", name.span)
                .arg("name", name.value.text.to_string())
                .arg("version", server.version.to_string()),
        );
    }
}
