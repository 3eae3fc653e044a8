//! From files to lines of fields of tokens, with inclusions followed: `tokenize_auth_file` in `src/backend/libpq/hba.c`.
//!
//! `@file` inside a field puts the tokens of that file in its place. From 16 on a line of two fields that begins with
//! `include`, `include_if_exists` or `include_dir` is replaced by the lines of other files, also inside an `@file`, and also
//! when the word is quoted; before 16 such a line is an ordinary one with an unknown connection type.
//!
//! Differences from the server, all on files that no server serves well: a cycle of `@file` makes a server before 16 stop
//! with `exceeded maxAllocatedDescs (N)` where N is its own (13 may even crash); and we stop after [`MAX_OPENED`] files, where the server would
//! go on for days.
//!
//! From 14 on a directory where a file is expected is an empty file: the server logs that it could not read it and then forgets
//! it. `@directory` so vanishes from its column and the next column takes its place.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::source::path::normal;
use crate::source::template::Template;
use crate::source::{ReadError, Reader, Source, SourceId, Span};

use super::lines::{Line, Lines};
use super::secrets;
use super::server::Server;
use super::token::{Next, Tokens};

/// How many inclusions are followed before we give up.
const MAX_OPENED: usize = 10_000;
/// `CONF_FILE_MAX_DEPTH`.
const MAX_DEPTH: usize = 10;

/// A token with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    /// Without quotes; bytes that are no UTF-8 become U+FFFD.
    pub(crate) text: String,
    /// A quote stood before its first character.
    pub(crate) quoted: bool,
    /// Where it stands, quotes included; in another source for a token from an `@file`.
    pub(crate) span: Span,
    /// A template fills it in, or a part of it.
    pub(crate) unknown: bool,
}

/// A line that is not empty.
#[derive(Debug, Clone)]
pub(crate) struct TokenLine {
    /// As the server names the file.
    pub(crate) file_name: Arc<str>,
    /// Number of the first physical line, from 1.
    pub(crate) number: u32,
    /// All its bytes.
    pub(crate) span: Span,
    /// Never an empty field.
    pub(crate) fields: Vec<Vec<Token>>,
    /// Why the line could not be read.
    pub(crate) error: Option<(Span, String)>,
    /// What a template leaves open about it.
    pub(crate) doubt: Option<Doubt>,
}

/// What a template leaves open about a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// It may be there or not; what it says is known.
    Optional,
    /// Some of its tokens are filled in.
    Token,
    /// It stands for any lines.
    Lines,
}

/// A text to tokenize and how its bytes are found again.
#[derive(Clone, Copy)]
pub(crate) struct Text<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) name: &'a str,
    pub(crate) first_line: u32,
    pub(crate) place: Place<'a>,
    pub(crate) template: Option<&'a Template>,
}

impl<'a> Text<'a> {
    /// A file under the name that the server has for it.
    pub(crate) fn of(source: &'a Source, name: &'a str) -> Self {
        let template = source.template();
        Self { bytes: source.plain(), name, first_line: 1, place: Place::Own(source.id()), template }
    }

    fn is_unknown(&self, start: usize, end: usize) -> bool {
        self.template.is_some_and(|t| t.hits(&(start..end)))
    }
}

/// Where the bytes of a text stand for the user.
#[derive(Clone, Copy)]
pub(crate) enum Place<'a> {
    /// In a source of their own.
    Own(SourceId),
    /// In scalars of another source: (first byte in the text, the scalar), ascending.
    Scalars(&'a [(usize, Span)]),
}

impl Place<'_> {
    fn span(self, start: usize, end: usize) -> Span {
        let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        match self {
            Self::Own(source) => Span { source, start: narrow(start), end: narrow(end.max(start)) },
            Self::Scalars(scalars) => {
                let at = scalars.partition_point(|(first, _)| *first <= start).saturating_sub(1);
                scalars.get(at).map_or(Span { source: SourceId::lone(), start: 0, end: 0 }, |(_, span)| *span)
            }
        }
    }
}

/// Where the lines go, in the order in which the server tries them.
pub(crate) type Out<'o> = dyn FnMut(TokenLine) + 'o;

/// Tokenizes one file and all that it includes.
pub(crate) struct Tokenizer<'a> {
    server: &'a Server,
    reader: &'a dyn Reader,
    opened: usize,
    /// The files that are open above this one.
    stack: Vec<PathBuf>,
    comments: Vec<Span>,
    /// Values of secret options in comments.
    secrets: Vec<Span>,
    /// Inclusions that the server logs a complaint about and then takes for empty files.
    pub(crate) ignored: Vec<(Span, String)>,
}

impl<'a> Tokenizer<'a> {
    /// `name` is the file that the first text comes from.
    pub(crate) fn new(server: &'a Server, reader: &'a dyn Reader, name: &str) -> Self {
        Self {
            server,
            reader,
            opened: 0,
            stack: vec![PathBuf::from(name)],
            comments: Vec::new(),
            secrets: Vec::new(),
            ignored: Vec::new(),
        }
    }

    /// The comments and the secrets inside of them.
    pub(crate) fn finish(self) -> (Vec<Span>, Vec<Span>) {
        (self.comments, self.secrets)
    }

    pub(crate) fn run(&mut self, text: Text<'_>, depth: usize, out: &mut Out<'_>) {
        let name: Arc<str> = Arc::from(text.name);
        let mut lines = Lines::new(text.bytes, text.first_line, self.server.has_continuation());
        let mut line = Line::default();
        while lines.read(&mut line) {
            let span = text.place.span(line.extent.0, line.extent.1);
            if text.template.is_some_and(|t| t.has_insertion(&(line.extent.0..line.extent.1.max(line.extent.0 + 1)))) {
                let (file_name, fields, doubt) = (Arc::clone(&name), Vec::new(), Some(Doubt::Lines));
                out(TokenLine { file_name, number: line.number, span, fields, error: None, doubt });
                continue;
            }
            let (mut fields, mut error) = if line.too_long {
                (Vec::new(), Some((span, "authentication file line too long".to_owned())))
            } else {
                self.fields(&line, text, depth)
            };
            if fields.is_empty() && error.is_none() {
                continue;
            }
            let unknown = fields.iter().flatten().any(|t| t.unknown);
            // What an include of an unknown file brings is not known either.
            let words = ["include", "include_if_exists", "include_dir"];
            if unknown && self.server.has_includes() && fields.len() == 2 && words.contains(&&*fields[0][0].text) {
                fields.clear();
            }
            if error.is_none() && self.server.has_includes() && fields.len() == 2 && !unknown {
                let at = fields[1][0].span;
                match self.include(&fields, text, depth, out) {
                    Some(Ok(logged)) => {
                        self.ignored.extend(logged.map(|message| (at, message)));
                        continue;
                    }
                    Some(Err(message)) => error = Some((at, message)),
                    None => {}
                }
            }
            let optional = text.template.is_some_and(|t| t.is_optional(line.extent.0));
            let doubt = match (unknown, optional) {
                (true, _) if fields.is_empty() => Some(Doubt::Lines),
                (true, _) => Some(Doubt::Token),
                (false, true) => Some(Doubt::Optional),
                (false, false) => None,
            };
            out(TokenLine { file_name: Arc::clone(&name), number: line.number, span, fields, error, doubt });
        }
    }

    fn fields(&mut self, line: &Line, text: Text<'_>, depth: usize) -> (Vec<Vec<Token>>, Option<(Span, String)>) {
        // Most lines have five columns of one word.
        let mut fields = Vec::with_capacity(6);
        let mut error = None;
        let mut tokens = Tokens::new(line, self.server.token_buffer());
        while !tokens.at_end() && error.is_none() {
            let field = self.field(&mut tokens, line, text, depth, &mut error);
            if !field.is_empty() {
                fields.push(field);
            }
        }
        if let Some(at) = tokens.comment {
            let span = |from: usize, to: usize| text.place.span(line.origin(from), line.origin(to - 1) + 1);
            self.comments.push(span(at, line.text.len()));
            let hidden = secrets::in_comment(&line.text[at..]);
            self.secrets.extend(hidden.into_iter().map(|(from, to)| span(at + from, at + to)));
        }
        (fields, error)
    }

    fn field(
        &mut self,
        tokens: &mut Tokens<'_>,
        line: &Line,
        text: Text<'_>,
        depth: usize,
        error: &mut Option<(Span, String)>,
    ) -> Vec<Token> {
        let mut field = Vec::with_capacity(1);
        loop {
            let raw = match tokens.next() {
                Next::Token(raw) => raw,
                Next::End => break,
                Next::TooLong => {
                    let at = text.place.span(line.extent.0, line.extent.1);
                    *error = Some((at, "authentication file token too long".to_owned()));
                    break;
                }
            };
            let last = raw.at.1.max(raw.at.0 + 1) - 1;
            let span = text.place.span(line.origin(raw.at.0), line.origin(last) + 1);
            let unknown = text.is_unknown(line.origin(raw.at.0), line.origin(last) + 1);
            let word =
                String::from_utf8(raw.bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned());
            if !raw.quoted && word.len() > 1 && word.starts_with('@') && !unknown {
                match self.expand(&word[1..], text.name, depth + 1, &mut field) {
                    Ok(None) => {}
                    Ok(Some(message)) => self.ignored.push((span, message)),
                    Err(message) => *error = Some((span, message)),
                }
            } else {
                field.push(Token { text: word, quoted: raw.quoted, span, unknown });
            }
            if !raw.comma || error.is_some() {
                break;
            }
        }
        field
    }

    /// Puts the tokens of an `@file` behind `field`; returns what the server only logs.
    fn expand(&mut self, name: &str, outer: &str, depth: usize, field: &mut Vec<Token>) -> Logged {
        let path = self.absolute(name, outer);
        let source = match self.open(&path, name, depth) {
            Ok(source) => source,
            Err(e) if e.directory => return self.unread(e.message),
            Err(e) => return Err(e.message),
        };
        let mut failed = None;
        self.enter(path, &source, depth, &mut |line| {
            if failed.is_none() {
                match line.error {
                    Some((_, message)) => failed = Some(message),
                    None => field.extend(line.fields.into_iter().flatten()),
                }
            }
        });
        failed.map_or(Ok(None), Err)
    }

    /// A file that opened and then could not be read: an error for 13 only.
    fn unread(&self, message: String) -> Logged {
        if self.server.version == 13 { Err(message) } else { Ok(Some(message)) }
    }

    /// Follows an include line; `None` when it is none.
    fn include(&mut self, fields: &[Vec<Token>], text: Text<'_>, depth: usize, out: &mut Out<'_>) -> Option<Logged> {
        let what = fields[1][0].text.as_str();
        match fields[0][0].text.as_str() {
            "include" => Some(self.include_file(self.absolute(what, text.name), depth + 1, false, out)),
            "include_if_exists" => Some(self.include_file(self.absolute(what, text.name), depth + 1, true, out)),
            "include_dir" => Some(self.include_dir(what, text.name, depth, out)),
            _ => None,
        }
    }

    fn include_file(&mut self, path: PathBuf, depth: usize, missing_ok: bool, out: &mut Out<'_>) -> Logged {
        match self.open(&path, "", depth) {
            Ok(source) => {
                self.enter(path, &source, depth, out);
                Ok(None)
            }
            Err(e) if e.missing && missing_ok => Ok(None),
            Err(e) if e.directory => self.unread(e.message),
            Err(e) => Err(e.message),
        }
    }

    /// `AbsoluteConfigLocation`
    fn absolute(&self, location: &str, calling: &str) -> PathBuf {
        let path = self.reader.resolve(location, Path::new(calling));
        if path.as_os_str().is_empty() { PathBuf::from(".") } else { path }
    }

    /// The server does not forget a message when the next file of the directory is fine, so it says it again for that one.
    fn include_dir(&mut self, dir: &str, outer: &str, depth: usize, out: &mut Out<'_>) -> Logged {
        if dir.bytes().all(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n')) {
            return Err("empty configuration directory name".to_owned());
        }
        let dir = self.absolute(dir, outer);
        let names = self.reader.list(&dir).map_err(|_| format!("could not open directory \"{}\"", dir.display()))?;
        let mut last = None;
        let mut messages = Vec::new();
        for path in
            names.into_iter().filter(|p| is_conf_file(p)).map(|p| normal(&dir.join(p.file_name().unwrap_or_default())))
        {
            match self.reader.read(&path) {
                Err(ReadError::NotAFile("directory")) => continue,
                Err(ReadError::Missing) => return Err(format!("could not stat file \"{}\"", path.display())),
                _ => {}
            }
            if let Err(message) = self.include_file(path, depth + 1, false, out) {
                last = Some(message);
            }
            messages.extend(last.clone());
        }
        if messages.is_empty() { Ok(None) } else { Err(messages.join("\n")) }
    }

    fn enter(&mut self, path: PathBuf, source: &Source, depth: usize, out: &mut Out<'_>) {
        let name = path.to_string_lossy().into_owned();
        self.stack.push(path);
        self.run(Text::of(source, &name), depth, out);
        self.stack.pop();
    }

    fn open(&mut self, path: &Path, inner: &str, depth: usize) -> Result<Arc<Source>, OpenError> {
        let shown = path.display();
        let fail = |message: String| OpenError { message, missing: false, directory: false };
        if self.server.has_includes() && depth > MAX_DEPTH {
            return Err(fail(format!("could not open file \"{shown}\": maximum nesting depth exceeded")));
        }
        if !self.server.has_includes() && self.stack.iter().any(|p| p == path) {
            return Err(fail(format!("exceeded maxAllocatedDescs while trying to open file \"{shown}\"")));
        }
        self.opened += 1;
        if self.opened > MAX_OPENED || self.stack.len() > 300 {
            return Err(fail(format!("more than {MAX_OPENED} files are included; \"{shown}\" was not read")));
        }
        self.reader.read(path).map_err(|e| {
            if e == ReadError::NotAFile("directory") {
                let message = format!("could not read file \"{shown}\": Is a directory");
                return OpenError { message, missing: false, directory: true };
            }
            let why = match &e {
                ReadError::Missing => "No such file or directory".to_owned(),
                ReadError::Denied => "Permission denied".to_owned(),
                // The C library's text, without the number that Rust adds.
                other => other.to_string().split(" (os error").next().unwrap_or_default().to_owned(),
            };
            let message = if self.server.has_includes() {
                format!("could not open file \"{shown}\": {why}")
            } else {
                format!("could not open secondary authentication file \"@{inner}\" as \"{shown}\": {why}")
            };
            OpenError { message, missing: e == ReadError::Missing, directory: false }
        })
    }
}

/// Fine, fine but for what the server logs, or an error of the line.
type Logged = Result<Option<String>, String>;

struct OpenError {
    message: String,
    missing: bool,
    directory: bool,
}

/// `GetConfFilesInDir` (`src/backend/utils/misc/conffiles.c`): names that end in `.conf` and do not begin with a dot.
fn is_conf_file(path: &Path) -> bool {
    let name = path.file_name().map(std::ffi::OsStr::as_encoded_bytes).unwrap_or_default();
    name.len() >= 6 && name[0] != b'.' && name.ends_with(b".conf")
}

#[cfg(test)]
mod tests {
    use super::is_conf_file;
    use std::path::Path;

    #[test]
    fn hidden_and_backup_files_are_not_read_from_a_directory() {
        assert!(is_conf_file(Path::new("/d/a.conf")));
        assert!([".a.conf", ".conf", "a.conf~", "a"].iter().all(|n| !is_conf_file(Path::new(n))));
    }
}
