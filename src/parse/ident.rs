//! `pg_ident.conf` as PostgreSQL 13 to 18 reads it: `parse_ident_line` in `src/backend/libpq/hba.c`.
//!
//! It is tokenized like `pg_hba.conf`, with `@file` and, from 16 on, `include` lines. A server that refuses a line refuses the
//! file: a reload keeps the old maps; a start goes on without any map.

use std::path::Path;
use std::sync::Arc;

use crate::parse::are::Are;
use crate::parse::hba::Server;
use crate::parse::hba::tokenize::{Doubt, Text, Token, TokenLine, Tokenizer};
use crate::parse::template;
use crate::problem::{Parsed, Problem};
use crate::source::{Reader, Source, SourceId, Span, Spanned};

/// A user name in a map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentName {
    /// Without quotes, with the `/` or `+` in front.
    pub text: String,
    /// It began with a quote.
    pub quoted: bool,
    /// The pattern behind a `/`: for system users always, for roles from 16 on, quoted or not.
    pub regex: Option<Box<Are>>,
}

/// A line of a map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentLine {
    /// Number of its first physical line, from 1.
    pub line: u32,
    /// The file as the server names it.
    pub file_name: Arc<str>,
    /// All its bytes.
    pub span: Span,
    /// The name of the map.
    pub map: Spanned<String>,
    /// Who the client is outside of the database.
    pub system_user: Spanned<IdentName>,
    /// Who it may be inside; `\1` stands for the first group of the system user's pattern.
    pub pg_user: Spanned<IdentName>,
    row: usize,
}

/// A line that makes the server refuse the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableIdent {
    /// Number of its first physical line, from 1.
    pub line: u32,
    /// The file as the server names it.
    pub file_name: Arc<str>,
    /// All its bytes.
    pub span: Span,
    /// What the server says.
    pub problem: String,
    row: usize,
}

/// A file with all that it includes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ident {
    /// The major version that it was read for.
    pub version: u16,
    /// In the order in which the server tries them.
    pub lines: Vec<IdentLine>,
    /// Lines that make the server refuse all of it.
    pub unreadable: Vec<UnreadableIdent>,
    comments: Vec<Span>,
    open: bool,
}

impl Ident {
    /// Whether a template decides what some of its lines say, or whether they are there.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.open
    }

    /// The comments, each from its `#` to the end of its line.
    #[must_use]
    pub fn comments(&self) -> &[Span] {
        &self.comments
    }
}

/// Reads a file and all that it includes, as a server of this version does. Emits `ident-invalid-line`.
pub fn parse(source: &Source, reader: &dyn Reader, version: u16) -> Parsed<Ident> {
    let name = source.path().map_or_else(|| source.name().to_owned(), |p| p.to_string_lossy().into_owned());
    let mut parsed = read(Text::of(source, &name), reader, &Server::packaged(version));
    parsed.problems.extend(template::problem(source));
    parsed
}

/// Reads a `postgresql.pg_ident` list of Patroni as the file that Patroni makes of it, as for `pg_hba`.
pub fn parse_lines(lines: &[Spanned<String>], written_to: &Path, reader: &dyn Reader, version: u16) -> Parsed<Ident> {
    let joined = crate::parse::hba::Joined::new(lines);
    let name = written_to.to_string_lossy().into_owned();
    read(joined.text(&name), reader, &Server::packaged(version))
}

fn read(text: Text<'_>, reader: &dyn Reader, server: &Server) -> Parsed<Ident> {
    let mut tokenizer = Tokenizer::new(server, reader, text.name);
    let mut token_lines = Vec::new();
    tokenizer.run(text, 0, &mut |line| token_lines.push(line));
    let ignored = std::mem::take(&mut tokenizer.ignored);
    let (comments, _) = tokenizer.finish();
    let mut ident = Ident { version: server.version, lines: Vec::new(), unreadable: Vec::new(), comments, open: false };
    let mut problems: Vec<Problem> = ignored
        .into_iter()
        .map(|(at, problem)| Problem::new("ident-include-ignored", at).arg("problem", problem))
        .collect();
    for (row, line) in token_lines.into_iter().enumerate() {
        if let Some(doubt) = line.doubt {
            ident.open = true;
            if doubt != Doubt::Optional {
                continue;
            }
        }
        let read = match &line.error {
            Some(error) => Err(error.clone()),
            None => ident_line(&line, row, server),
        };
        match read {
            Ok(read) => ident.lines.push(read),
            Err((at, problem)) => {
                problems.push(Problem::new("ident-invalid-line", at).arg("problem", problem.clone()));
                ident.unreadable.push(UnreadableIdent {
                    line: line.number,
                    file_name: Arc::clone(&line.file_name),
                    span: line.span,
                    problem,
                    row,
                });
            }
        }
    }
    Parsed { tree: ident, problems }
}

fn ident_line(line: &TokenLine, row: usize, server: &Server) -> Result<IdentLine, (Span, String)> {
    let field = |index: usize| -> Result<&Token, (Span, String)> {
        match line.fields.get(index).map(Vec::as_slice) {
            Some([one]) => Ok(one),
            Some(several) => Err((several[1].span, "multiple values in ident field".to_owned())),
            None => {
                let message = if server.version >= 15 {
                    "missing entry at end of line".to_owned()
                } else {
                    format!("missing entry in file \"{}\" at end of line {}", line.file_name, line.number)
                };
                Err((line.span.at_end(), message))
            }
        }
    };
    let (map, system_user, pg_user) = (field(0)?, field(1)?, field(2)?);
    Ok(IdentLine {
        line: line.number,
        file_name: Arc::clone(&line.file_name),
        span: line.span,
        map: Spanned::new(map.text.clone(), map.span),
        system_user: name(system_user, true, server.version)?,
        pg_user: name(pg_user, server.version >= 16, server.version)?,
        row,
    })
}

fn name(token: &Token, regex: bool, version: u16) -> Result<Spanned<IdentName>, (Span, String)> {
    let regex = match token.text.strip_prefix('/').filter(|_| regex) {
        None => None,
        Some(pattern) => Some(Box::new(
            Are::parse(pattern, version)
                .map_err(|why| (token.span, format!("invalid regular expression \"{pattern}\": {why}")))?,
        )),
    };
    Ok(Spanned::new(IdentName { text: token.text.clone(), quoted: token.quoted, regex }, token.span))
}

/// One row of the server's view `pg_ident_file_mappings`, which exists from 15 on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IdentRow {
    /// From 16 on: position among the lines without an error.
    pub map_number: Option<u32>,
    /// From 16 on.
    pub file_name: String,
    /// First physical line.
    pub line_number: u32,
    /// Map, system user and role of a good line.
    pub mapping: Option<[String; 3]>,
    /// The server's message.
    pub error: Option<String>,
}

/// The file as `pg_ident_file_mappings` shows it.
#[must_use]
pub fn rows(ident: &Ident) -> Vec<IdentRow> {
    let good = ident.lines.iter().enumerate().map(|(i, l)| {
        let mapping = [l.map.value.clone(), l.system_user.value.text.clone(), l.pg_user.value.text.clone()];
        let map_number = u32::try_from(i + 1).ok();
        let file_name = l.file_name.to_string();
        (l.row, IdentRow { map_number, file_name, line_number: l.line, mapping: Some(mapping), error: None })
    });
    let bad = ident.unreadable.iter().map(|u| {
        let row = IdentRow { line_number: u.line, file_name: u.file_name.to_string(), ..IdentRow::default() };
        (u.row, IdentRow { error: Some(u.problem.clone()), ..row })
    });
    let mut rows: Vec<(usize, IdentRow)> = good.chain(bad).collect();
    rows.sort_by_key(|(row, _)| *row);
    rows.into_iter().map(|(_, row)| row).collect()
}

impl IdentLine {
    /// The source the line stands in.
    #[must_use]
    pub const fn file(&self) -> SourceId {
        self.span.source
    }
}
