//! Texts that a template engine still makes a configuration of, read without any engine.
//!
//! One scanner per family of delimiters finds the parts that are not configuration: [`brace`] `{{ … }}`, `{% … %}` of Jinja and
//! Go, [`angle`] `<% … %>` of ERB and EPP and `<placeholder>`, [`dollar`] `${…}`, [`word`] `%{…}`, `%NAME%`, `@NAME@`,
//! `__NAME__`, [`vault`] the encrypted values of Ansible. [`fill`] makes of them a [`Template`]: a text of the same length that
//! parsers can read, and the record of what is unknown in it.
//!
//! Nothing is evaluated. A value that an engine fills in is unknown, a line under a condition may be absent, a line in a loop may
//! come several times. What an engine would refuse is said once ([`problem`]), and nothing else of that file.
//!
//! A name such as `patroni.yml.j2` declares a template ([`declared`]). In any other file only what cannot be meant literally
//! counts: a closed pair of delimiters around something that looks like an expression, and no `${…}` of a shell command.

mod angle;
mod brace;
mod dollar;
mod fill;
#[cfg(test)]
mod tests;
mod vault;
mod word;

use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::problem::Problem;
use crate::source::template::{Template, Unbalanced};
use crate::source::{Source, Span};

/// What the name of a file says about the engine it is meant for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Nothing: the text itself must show it.
    Undeclared,
    /// `.j2`: Jinja, as Ansible uses it.
    Jinja,
    /// `.tmpl`, `.tpl`, `.mustache`: Go, Helm, Mustache.
    Go,
    /// `.erb`, `.epp`: Chef and Puppet.
    Erb,
    /// `.tftpl`: Terraform.
    Terraform,
    /// `.in`, `.dist`, `.template`: some program replaces something.
    Other,
}

/// The format that a text has besides, because that decides what can be literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Indentation matters.
    Yaml,
    /// A line is a directive: PostgreSQL's files.
    Lines,
    /// systemd's files, in which `$` belongs to systemd.
    Unit,
    /// Statements.
    Sql,
}

const EXTENSIONS: [(&str, Engine); 17] = [
    ("dist", Engine::Other),
    ("envsubst", Engine::Other),
    ("epp", Engine::Erb),
    ("erb", Engine::Erb),
    ("gotmpl", Engine::Go),
    ("hbs", Engine::Go),
    ("in", Engine::Other),
    ("j2", Engine::Jinja),
    ("jinja", Engine::Jinja),
    ("jinja2", Engine::Jinja),
    ("mustache", Engine::Go),
    ("template", Engine::Other),
    ("templ", Engine::Other),
    ("tftpl", Engine::Terraform),
    ("tmpl", Engine::Go),
    ("tpl", Engine::Go),
    ("tt", Engine::Erb),
];

/// The name of the file that a template becomes, and the engine that its extension tells.
#[must_use]
pub fn declared(path: &Path) -> (PathBuf, Engine) {
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
    match EXTENSIONS.iter().find(|(name, _)| *name == extension) {
        Some((_, engine)) => (path.with_extension(""), *engine),
        None => (path.to_path_buf(), Engine::Undeclared),
    }
}

/// What a part of a template does to the text around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// It is replaced by something.
    Value,
    /// It leaves nothing: a comment, an assignment.
    Nothing,
    /// A block begins, whose content may be there or not.
    Open(&'static str),
    /// A block begins that shows nothing where it stands: a macro.
    Define(&'static str),
    /// The next alternative of a block.
    Middle,
    /// A block ends; the word of its beginning, or nothing when it fits any.
    Close(&'static str),
}

/// A part that is not configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    range: Range<usize>,
    role: Role,
    /// How far a filter indents what comes of it.
    indent: Option<usize>,
}

impl Part {
    fn new(start: usize, end: usize, role: Role) -> Self {
        Self { range: start..end, role, indent: None }
    }
}

/// What a scanner makes of a delimiter.
enum Found {
    /// A part.
    Part(Part),
    /// It is literal; the search goes on behind so many bytes.
    Literal(usize),
    /// It begins a part for certain, and nothing ends it.
    Unclosed { len: usize, wanted: &'static str },
}

/// A text while it is scanned.
struct Scan<'a> {
    bytes: &'a [u8],
    engine: Engine,
    format: Format,
    /// `{% … %}` stands in it or its name says so: `{{ if }}` is a name then.
    jinja: bool,
    /// Nothing closes an opening pair before this byte: what was searched once is not searched again.
    searched: usize,
    /// `{{/*` was seen, and no `*/` behind it.
    no_comment_ends: bool,
    /// The line that is being scanned, without its end.
    line: Range<usize>,
}

/// How far the key of a line is looked for.
const LONGEST_KEY: usize = 200;

impl Scan<'_> {
    /// Whether an opening delimiter of an engine has to be closed.
    fn is_strict(&self, engines: &[Engine]) -> bool {
        engines.contains(&self.engine)
    }

    /// Moves on to the line of a byte.
    fn turn_to(&mut self, at: usize) {
        if at < self.line.end {
            return;
        }
        let from = self.line.end;
        let start = memchr::memrchr(b'\n', &self.bytes[from..at]).map_or(from, |n| from + n + 1);
        self.line = start..self.line_end(at);
    }

    fn line_end(&self, at: usize) -> usize {
        memchr::memchr(b'\n', &self.bytes[at..]).map_or(self.bytes.len(), |n| at + n)
    }

    /// The text of the line in front of a byte of it, as far as a key may reach.
    fn head(&self, at: usize) -> &[u8] {
        &self.bytes[self.line.start..at.min(self.line.start + LONGEST_KEY)]
    }

    fn at(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    /// How far a part of the text that nobody declared may reach.
    const fn limit(&self, strict: bool) -> usize {
        if strict { self.bytes.len() } else { self.line.end }
    }
}

/// Reads a text. `None` when nothing in it belongs to a template.
#[must_use]
pub fn scan(bytes: &[u8], engine: Engine, format: Format) -> Option<Template> {
    if u32::try_from(bytes.len()).is_err() || !bytes.iter().any(|b| is_mark(*b)) {
        return None;
    }
    let jinja = engine == Engine::Jinja || (!matches!(engine, Engine::Go | Engine::Erb) && brace::has_statement(bytes));
    let mut scan = Scan { bytes, engine, format, jinja, searched: 0, no_comment_ends: false, line: 0..0 };
    scan.line.end = scan.line_end(0);
    let mut parts: Vec<Part> = Vec::new();
    let mut masked = Vec::new();
    let mut at = 0;
    while let Some(next) = bytes[at..].iter().position(|b| is_mark(*b)) {
        at += next;
        scan.turn_to(at);
        let found = match bytes[at] {
            b'{' => brace::scan(&mut scan, at),
            b'<' => angle::scan(&mut scan, at),
            b'$' => dollar::scan(&scan, at),
            b'!' => vault::scan(&scan, at).map(|(part, hidden)| {
                masked.push(hidden);
                Found::Part(part)
            }),
            _ => word::scan(&scan, at),
        };
        match found {
            Some(Found::Part(part)) => {
                at = part.range.end;
                if engine != Engine::Undeclared || !(part.role == Role::Value && in_comment(&scan, part.range.start)) {
                    parts.push(part);
                }
            }
            Some(Found::Literal(len)) => at += len.max(1),
            Some(Found::Unclosed { len, wanted }) => {
                let problem = format!("no `{wanted}` follows");
                return Some(fill::blank(bytes, masked, Some(Unbalanced { range: at..at + len, problem })));
            }
            None => at += 1,
        }
    }
    if parts.is_empty() {
        return None;
    }
    Some(fill::fill(bytes, &parts, masked, format, engine))
}

/// The problem of a template that cannot be followed.
#[must_use]
pub fn problem(source: &Source) -> Option<Problem> {
    let unbalanced = source.template()?.unbalanced.as_ref()?;
    let first_line = source.bytes()[unbalanced.range.clone()].split(|b| *b == b'\n').next().unwrap_or_default();
    let at = source.span(unbalanced.range.start, unbalanced.range.start + first_line.len());
    let mut shown: String = source.text(at).chars().take(40).collect();
    if shown.contains(['\'', '"']) {
        // A quoted text may be anything.
        shown.truncate(2);
    }
    Some(
        Problem::new("template-unbalanced", at)
            .arg("part", shown.trim_end())
            .arg("problem", unbalanced.problem.clone()),
    )
}

/// Whether nothing but placeholders stands in a range: what is no secret, whatever its key is called. One that brings a default
/// value along may be one.
#[must_use]
pub fn is_placeholder(source: &Source, span: Span) -> bool {
    let Some(template) = source.template() else { return false };
    let (bytes, range) = (source.bytes(), span.range());
    let mut at = range.start;
    for hole in template.holes_in(&range) {
        let text = &bytes[hole.clone()];
        let names_a_value =
            text.iter().any(|b| matches!(b, b'\'' | b'"' | b'`')) || memchr::memmem::find(text, b":-").is_some();
        if names_a_value || !is_wrapping(&bytes[at..hole.start.max(at)]) {
            return false;
        }
        at = hole.end;
    }
    at > range.start && is_wrapping(&bytes[at.min(range.end)..range.end])
}

/// How many lines of comment are looked across.
const MOST_COMMENTS: usize = 100;

/// Whether a template decides something of the line of a place or of what stands in front of that line, which may go on with it.
#[must_use]
pub fn decides_line(source: &Source, at: Span) -> bool {
    let Some(template) = source.template() else { return false };
    let mut before = source.plain()[..at.range().start].trim_ascii_end();
    let mut line = memchr::memrchr(b'\n', before).map_or(0, |n| n + 1);
    // Comments may stand inside of a line that goes on.
    for _ in 0..MOST_COMMENTS {
        if line == 0 || !matches!(before[line..].trim_ascii_start().first(), Some(b'#' | b';')) {
            break;
        }
        before = before[..line].trim_ascii_end();
        line = memchr::memrchr(b'\n', before).map_or(0, |n| n + 1);
    }
    let near = line..at.range().end;
    template.hits(&near) || template.has_insertion(&near) || template.has_border(&near)
}

/// Quotes and blanks.
fn is_wrapping(bytes: &[u8]) -> bool {
    bytes.iter().all(|b| b.is_ascii_whitespace() || matches!(b, b'\'' | b'"'))
}

/// A byte that may begin a part.
const fn is_mark(byte: u8) -> bool {
    matches!(byte, b'{' | b'<' | b'$' | b'%' | b'@' | b'_' | b'!')
}

/// Whether a byte stands in a line that is all comment.
fn in_comment(scan: &Scan<'_>, at: usize) -> bool {
    scan.head(at).trim_ascii_start().first() == Some(&b'#')
}

/// Bytes of a name.
const fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// How many bytes from `at` on are capitals, digits and underscores, the first one no digit.
fn capitals(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    if !rest.first().is_some_and(u8::is_ascii_uppercase) {
        return 0;
    }
    rest.iter().take_while(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || **b == b'_').count()
}
