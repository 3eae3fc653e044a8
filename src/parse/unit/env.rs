//! Variables: `Environment=` of a unit and the files that `EnvironmentFile=` names (`src/basic/env-file.c`,
//! `src/basic/env-util.c`).

use std::collections::BTreeMap;

use super::{Unit, Value, ignored, split_words};
use crate::parse::template;
use crate::problem::{Parsed, Problem};
use crate::secret::Secret;
use crate::source::{Source, SourceId, Span, Spanned};

/// A variable that a service is started with. Any may be a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: Spanned<String>,
    /// Its value, quotes and escapes resolved; the place is what was written, quotes included.
    pub value: Spanned<Secret>,
    /// Whether that is the value; a template fills in others, and of some the name: those have none.
    pub is_known: bool,
}

impl Variable {
    /// A variable set to a value.
    #[must_use]
    pub fn new(name: Spanned<String>, value: Spanned<String>) -> Self {
        Self { name, value: value.map(Secret::new), is_known: true }
    }

    /// Any variables, which stand nowhere in a text.
    #[must_use]
    pub fn anything(source: SourceId) -> Self {
        Self::anything_at(Span { source, start: 0, end: 0 })
    }

    /// A variable whose value comes from elsewhere.
    #[must_use]
    pub fn unknown(name: Spanned<String>, at: Span) -> Self {
        Self::new(name, Spanned::new(String::new(), at)).filled_in(false, true)
    }

    /// Any variables, which a template or another file puts at a place.
    #[must_use]
    pub fn anything_at(at: Span) -> Self {
        Self::new(Spanned::new(String::new(), at), Spanned::new(String::new(), at)).filled_in(true, true)
    }

    /// The same in a template, which fills in a part of its name or value.
    fn filled_in(mut self, name: bool, value: bool) -> Self {
        self.is_known = !name && !value;
        if name {
            self.name.value.clear();
        }
        self
    }
}

/// The name of the rule for what is wrong in an environment file.
const FILE_SYNTAX: &str = "env-file-syntax-error";

/// Whether systemd passes a variable of this name on (`env_name_is_valid`).
fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Variables in the order in which their names first came; the last value of a name counts.
#[derive(Default)]
struct Variables {
    list: Vec<Variable>,
    by_name: BTreeMap<String, usize>,
}

impl Variables {
    fn set(&mut self, new: Variable) {
        if new.name.value.is_empty() {
            self.list.push(new);
        } else if let Some(at) = self.by_name.get(&new.name.value) {
            self.list[*at] = new;
        } else {
            self.by_name.insert(new.name.value.clone(), self.list.len());
            self.list.push(new);
        }
    }
}

/// The environment that several sources make together: of the same name the last one counts.
#[must_use]
pub fn overlay<'a>(sources: impl IntoIterator<Item = &'a [Variable]>) -> Vec<Variable> {
    let mut variables = Variables::default();
    for variable in sources.into_iter().flatten() {
        variables.set(variable.clone());
    }
    variables.list
}

impl Unit {
    /// What `[Service] Environment=` sets, the last of each name, and the assignments that systemd ignores. Specifiers
    /// are left as they stand.
    #[must_use]
    pub fn environment(&self) -> Parsed<Vec<Variable>> {
        let mut variables = Variables::default();
        let mut problems = Vec::new();
        for value in self.all("Service", "Environment") {
            let (words, broken) = split_words(value);
            for word in words {
                if value.is_unknown_at(word.span) && !word.bytes.contains(&b'=') {
                    variables.set(Variable::anything_at(word.span));
                } else if let Some(variable) = variable(value, &word) {
                    variables.set(variable);
                } else {
                    problems.push(ignored(word.span, "Invalid environment assignment, ignoring"));
                }
            }
            if let Some(span) = broken {
                let text = "Failed to extract word from environment assignment, ignoring the rest of the line";
                problems.push(ignored(span, text));
            }
        }
        Parsed { tree: variables.list, problems }
    }
}

/// An assignment out of a word; the place of its value is the rest of the word behind the name, which is never quoted
/// apart from a quote in front of it.
fn variable(value: &Value, word: &super::Word) -> Option<Variable> {
    let text = std::str::from_utf8(&word.bytes).ok()?;
    let (name, rest) = text.split_once('=')?;
    if !is_name(name) {
        return None;
    }
    let written = &value.text[word.range.0..word.range.1];
    let equals = written.find('=').unwrap_or(0);
    let name_at = written[..equals].find(name).unwrap_or(0);
    let start = word.range.0 + name_at;
    let closing = usize::from(name_at > 0 && written.len() > equals + 1 && written.ends_with(['"', '\'']));
    let name = Spanned::new(name.to_owned(), value.place(start, start + name.len().min(written.len() - name_at)));
    let at = value.place(word.range.0 + equals + 1, (word.range.1 - closing).max(word.range.0 + equals + 1));
    let unknown = (value.is_unknown_at(name.span), value.is_unknown_at(at));
    Some(Variable::new(name, Spanned::new(rest.to_owned(), at)).filled_in(unknown.0, unknown.1))
}

/// Reads a file that `EnvironmentFile=` names. Variables that systemd drops because of their names are problems.
#[must_use]
pub fn parse_env_file(source: &Source) -> Parsed<Vec<Variable>> {
    let mut file = EnvFile { source, variables: Variables::default(), problems: Vec::new(), refused: false };
    let bytes = source.plain();
    // systemd reads the file as a C string.
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    if end < bytes.len() {
        file.problem(source.span(end, end + 1), "file contains a NUL byte: systemd does not load it");
        return Parsed { tree: Vec::new(), problems: file.problems };
    }
    let mut at = 0;
    while let Some(start) = bytes[at..end].iter().position(|b| !super::lines::is_blank(*b)).map(|n| at + n) {
        at = match bytes[start] {
            b'#' | b';' => comment_end(&bytes[..end], start),
            _ => file.assignment(&bytes[..end], start),
        };
    }
    let mut variables = if file.refused { Vec::new() } else { file.variables.list };
    // What a template fills in is no mistake, nor is what stands behind it: it may go on with the line.
    file.problems.retain(|p| !template::decides_line(source, p.at));
    file.problems.extend(template::problem(source));
    for insertion in source.template().map_or(&[][..], |t| &t.insertions) {
        variables.push(Variable::anything_at(source.span(insertion.range.start, insertion.range.end)));
    }
    Parsed { tree: variables, problems: file.problems }
}

/// What several services of one configuration have in common: where they differ, a value is not known.
#[must_use]
pub fn common(services: &[Vec<Variable>]) -> Vec<Variable> {
    let all = overlay(services.iter().map(Vec::as_slice));
    let same =
        |new: &Variable, v: &Variable| v.name.value == new.name.value && v.value.value == new.value.value && v.is_known;
    let blur = |new: Variable| {
        let is_common = services.iter().all(|s| s.iter().any(|v| same(&new, v)));
        if is_common || new.name.value.is_empty() { new } else { new.filled_in(false, true) }
    };
    all.into_iter().map(blur).collect()
}

const fn is_newline(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

/// A backslash takes whatever follows into the comment, a line end too.
fn comment_end(bytes: &[u8], mut at: usize) -> usize {
    while at < bytes.len() && !is_newline(bytes[at]) {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at.min(bytes.len())
}

struct EnvFile<'a> {
    source: &'a Source,
    variables: Variables,
    problems: Vec<Problem>,
    refused: bool,
}

impl EnvFile<'_> {
    fn problem(&mut self, at: Span, text: &str) {
        self.problems.push(Problem::new(FILE_SYNTAX, at).arg("problem", text));
    }

    /// Takes an assignment in; returns where reading goes on.
    fn assignment(&mut self, bytes: &[u8], start: usize) -> usize {
        // The first byte belongs to the name, whatever it is.
        let stop = bytes[start + 1..].iter().position(|b| *b == b'=' || is_newline(*b));
        let stop = stop.map_or(bytes.len(), |n| start + 1 + n);
        let key_end = start + bytes[start..stop].iter().rposition(|b| !super::lines::is_blank(*b)).map_or(0, |n| n + 1);
        let key_span = self.source.span(start, key_end);
        if bytes.get(stop) != Some(&b'=') {
            self.problem(key_span, "line without '=' is ignored");
            return stop;
        }
        let mut value = EnvValue::default();
        let end = value.read(bytes, stop + 1);
        let from = value.first.unwrap_or(stop + 1);
        let at = self.source.span(from, value.last.max(from));
        match (std::str::from_utf8(&bytes[start..key_end]), String::from_utf8(value.bytes)) {
            (Ok(name), Ok(text)) if is_name(name) => {
                let name = Spanned::new(name.to_owned(), key_span);
                let unknown = (self.source.is_unknown(key_span), self.source.is_unknown(at));
                let variable = Variable::new(name, Spanned::new(text, at));
                self.variables.set(variable.filled_in(unknown.0, unknown.1));
            }
            (Ok(_), Ok(_)) => self.problem(key_span, "invalid variable name: the assignment is ignored"),
            _ => {
                self.refused = true;
                self.problem(key_span.to(at), "invalid UTF-8: systemd does not load the file");
            }
        }
        end
    }
}

/// The value under construction: its bytes and the range that was written.
#[derive(Default)]
struct EnvValue {
    bytes: Vec<u8>,
    /// How many of the bytes stay when the line ends here: blanks at the end go, unless quoted or escaped.
    keep: usize,
    first: Option<usize>,
    last: usize,
}

impl EnvValue {
    fn read(&mut self, bytes: &[u8], mut at: usize) -> usize {
        let mut bare = false;
        while at < bytes.len() && (!is_newline(bytes[at])) {
            let byte = bytes[at];
            let begin = at;
            at = match byte {
                b'\\' => {
                    bare = true;
                    self.escape(bytes, at)
                }
                b'\'' if !bare => self.single_quoted(bytes, at + 1),
                b'"' if !bare => self.double_quoted(bytes, at + 1),
                b' ' | b'\t' => {
                    if bare {
                        self.bytes.push(byte);
                    }
                    at += 1;
                    continue;
                }
                _ => {
                    bare = true;
                    self.bytes.push(byte);
                    at + 1
                }
            };
            self.keep = self.bytes.len();
            self.first.get_or_insert(begin);
            self.last = at;
        }
        self.bytes.truncate(self.keep);
        at
    }

    /// Outside of quotes a backslash takes the next byte as it is, and nothing of a line end.
    fn escape(&mut self, bytes: &[u8], at: usize) -> usize {
        if let Some(next) = bytes.get(at + 1).filter(|b| !is_newline(**b)) {
            self.bytes.push(*next);
        }
        (at + 2).min(bytes.len())
    }

    fn single_quoted(&mut self, bytes: &[u8], at: usize) -> usize {
        let end = bytes[at..].iter().position(|b| *b == b'\'').map_or(bytes.len(), |n| at + n);
        self.bytes.extend_from_slice(&bytes[at..end]);
        (end + 1).min(bytes.len())
    }

    /// In double quotes a backslash is one, unless it stands before what a shell would need it for.
    fn double_quoted(&mut self, bytes: &[u8], mut at: usize) -> usize {
        while at < bytes.len() {
            match (bytes[at], bytes.get(at + 1)) {
                (b'"', _) => return at + 1,
                (b'\\', Some(next)) => {
                    match next {
                        b'"' | b'\\' | b'`' | b'$' => self.bytes.push(*next),
                        b'\n' => {}
                        _ => self.bytes.extend([b'\\', *next]),
                    }
                    at += 2;
                }
                (b'\\', None) => at += 1,
                (byte, _) => {
                    self.bytes.push(byte);
                    at += 1;
                }
            }
        }
        at
    }
}
