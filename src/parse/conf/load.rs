//! Follows includes (`ParseConfigFile`, `ParseConfigDirectory` in `guc-file.l`; `conffiles.c`).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Assignment, Directive, Include, IncludeKind, Line, problems_of, scan};
use crate::problem::{Parsed, Problem};
use crate::source::path::normal;
use crate::source::{ReadError, Reader, Source, Span, Spanned};

/// The main file has depth 0; deeper than this is refused (`CONF_FILE_MAX_DEPTH`).
const MAX_DEPTH: usize = 10;
/// Files that include each other can be read some 100^10 times before the server refuses the depth. So often and so many
/// bytes are read again here before it is called a cycle.
const MAX_REPEATS: usize = 1000;
const MAX_REPEATED_BYTES: usize = 16 << 20;

/// A setting and where it stands.
#[derive(Debug, Clone)]
pub struct Located {
    /// The setting.
    pub set: Assignment,
    /// The path under which the server knows the file (`pg_file_settings.sourcefile`).
    pub file: Arc<Path>,
    /// The line (`sourceline`).
    pub line: usize,
    /// Whether the file is `postgresql.auto.conf`.
    pub auto: bool,
    /// Its place among settings and errors, from 0.
    pub seq: usize,
}

/// What makes the server refuse the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileError {
    /// As in `pg_file_settings.error`.
    pub error: String,
    /// The file that it is blamed on.
    pub file: Arc<Path>,
    /// The line.
    pub line: usize,
    /// Whether it comes from `postgresql.auto.conf`.
    pub auto: bool,
    /// Its place among settings and errors, from 0.
    pub seq: usize,
}

/// A whole configuration.
#[derive(Debug, Clone, Default)]
pub struct Conf {
    settings: Vec<Located>,
    errors: Vec<FileError>,
    files: Vec<PathBuf>,
    outside: Vec<Spanned<String>>,
    /// Settings whose value a template fills in, with their place among settings and errors.
    filled_in: Vec<(Spanned<String>, usize)>,
    /// A template puts lines into it, or names of settings.
    open: bool,
}

impl Conf {
    /// Puts a setting behind the others.
    pub(crate) fn push(&mut self, located: Located) {
        self.settings.push(Located { seq: self.len(), ..located });
    }

    /// What the files say of a setting is not known.
    pub(crate) fn hide(&mut self, name: Spanned<String>) {
        self.filled_in.push((name, self.len()));
    }

    /// All settings in the server's order, repeated ones included.
    #[must_use]
    pub fn assignments(&self) -> &[Located] {
        &self.settings
    }

    /// Every place that sets a name, in order; the last one wins. Former names count as other names.
    #[must_use]
    pub fn all<'a>(&'a self, name: &'a str) -> impl DoubleEndedIterator<Item = &'a Located> {
        self.settings.iter().filter(move |l| l.set.name.value.eq_ignore_ascii_case(name))
    }

    /// The place that wins; `None` also when a template fills in its value, see [`Conf::is_unknown`].
    #[must_use]
    pub fn effective(&self, name: &str) -> Option<&Located> {
        let last = self.settings.iter().rfind(|l| l.set.name.value.eq_ignore_ascii_case(name));
        last.filter(|l| self.filled_in(name).is_none_or(|at| at < l.seq))
    }

    /// The last place where a template fills in the value of a setting.
    fn filled_in(&self, name: &str) -> Option<usize> {
        self.filled_in.iter().rfind(|(n, _)| n.value.eq_ignore_ascii_case(name)).map(|(_, at)| *at)
    }

    /// Whether a template decides what wins for a setting: the value, or whether the line is there.
    #[must_use]
    pub fn is_unknown(&self, name: &str) -> bool {
        let last = self.settings.iter().rfind(|l| l.set.name.value.eq_ignore_ascii_case(name));
        let filled_in = self.filled_in(name).is_some_and(|at| last.is_none_or(|l| l.seq <= at));
        filled_in || last.is_some_and(|l| l.set.optional)
    }

    /// Whether it is certain what wins for a setting, be it nothing: no template and no file that was not given decides.
    #[must_use]
    pub fn is_decided(&self, name: &str) -> bool {
        !self.is_open() && !self.is_unknown(name) && self.outside().is_empty()
    }

    /// Settings of which is not known what the files say, where each stands.
    pub fn hidden_names(&self) -> impl Iterator<Item = &Spanned<String>> {
        self.filled_in.iter().map(|(name, _)| name).filter(|name| self.is_unknown(&name.value))
    }

    /// Whether a template puts lines into it that may set anything.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.open
    }

    /// What makes the server refuse to start or reload with these files, in order. Empty means that they can be read; the
    /// names and values may still be wrong.
    #[must_use]
    pub fn errors(&self) -> &[FileError] {
        &self.errors
    }

    fn len(&self) -> usize {
        self.settings.len() + self.errors.len()
    }

    /// Includes that lead out of what the reader may look at ([`ReadError::Outside`]): what they set is not known.
    #[must_use]
    pub fn outside(&self) -> &[Spanned<String>] {
        &self.outside
    }

    /// Every file that was read, once, in order of first reading.
    #[must_use]
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }
}

/// Reads a main file, what it includes, and `postgresql.auto.conf`.
///
/// The server skips `postgresql.auto.conf` when the main file has errors; here it is read all the same, so that all
/// problems are seen at once. A missing `auto_conf` is no problem. When the main file cannot be read there is no place
/// to point at: the error is in [`Conf::errors`] alone.
#[must_use]
pub fn load(reader: &dyn Reader, main: &Path, auto_conf: Option<&Path>) -> Parsed<Conf> {
    if let Ok(source) = reader.read(main) {
        return load_as(reader, &source, main, auto_conf, false);
    }
    let file: Arc<Path> = main.into();
    let error = format!("could not open file \"{}\"", main.display());
    let errors = vec![FileError { error, file, line: 0, auto: false, seq: 0 }];
    Parsed { tree: Conf { errors, ..Conf::default() }, problems: Vec::new() }
}

/// As [`load`], but only what the view `pg_file_settings` shows: a file ends at its first syntax error, and
/// `postgresql.auto.conf` is left out when the main file has errors.
#[must_use]
pub fn load_view(reader: &dyn Reader, main: &Path, auto_conf: Option<&Path>) -> Parsed<Conf> {
    reader.read(main).map_or_else(|_| load(reader, main, auto_conf), |s| load_as(reader, &s, main, auto_conf, true))
}

/// As [`load`] for a main file that was read before, without `postgresql.auto.conf`. Relative includes start at the
/// directory of the source's path.
#[must_use]
pub fn load_source(reader: &dyn Reader, main: &Source) -> Parsed<Conf> {
    let path = main.path().map_or_else(|| PathBuf::from(main.name()), Path::to_path_buf);
    load_as(reader, main, &path, None, false)
}

fn load_as(reader: &dyn Reader, main: &Source, path: &Path, auto_conf: Option<&Path>, view: bool) -> Parsed<Conf> {
    let mut loader = Loader::new(reader, view);
    let ok = loader.file(main, path, 0);
    if let Some(auto) = auto_conf
        && (ok || !view)
        && let Ok(source) = reader.read(auto)
    {
        loader.auto = true;
        loader.file(&source, auto, 0);
    }
    Parsed { tree: loader.conf, problems: loader.problems }
}

struct Loader<'a> {
    reader: &'a dyn Reader,
    conf: Conf,
    problems: Vec<Problem>,
    seen: BTreeSet<PathBuf>,
    blamed: BTreeSet<Span>,
    repeats: usize,
    repeated_bytes: usize,
    auto: bool,
    view: bool,
}

/// The directive that asks for a file.
struct Caller<'a> {
    file: &'a Arc<Path>,
    line: usize,
    include: &'a Include,
}

impl<'a> Loader<'a> {
    fn new(reader: &'a dyn Reader, view: bool) -> Self {
        Self {
            reader,
            conf: Conf::default(),
            problems: Vec::new(),
            seen: BTreeSet::new(),
            blamed: BTreeSet::new(),
            repeats: 0,
            repeated_bytes: 0,
            auto: false,
            view,
        }
    }

    /// Whether the server would accept the file.
    fn file(&mut self, source: &Source, path: &Path, depth: usize) -> bool {
        let file: Arc<Path> = path.into();
        let lines = scan(source);
        if self.seen.insert(path.to_path_buf()) {
            self.conf.files.push(path.to_path_buf());
            self.problems.extend(problems_of(source, &lines));
        }
        let mut ok = true;
        for line in lines {
            match line {
                Line::Directive(Directive::Set(set), line) => {
                    let (seq, auto) = (self.conf.len(), self.auto);
                    self.conf.settings.push(Located { set, file: Arc::clone(&file), line, auto, seq });
                }
                Line::Directive(Directive::Include(include), line) => {
                    ok &= self.include(&Caller { file: &file, line, include: &include }, depth + 1);
                }
                Line::Error { number, .. } => {
                    ok = false;
                    self.error("syntax error", &file, number);
                    if self.view {
                        break;
                    }
                }
                Line::Unknown(Some(name)) => self.conf.filled_in.push((name, self.conf.len())),
                Line::Unknown(None) => self.conf.open = true,
                Line::TooMany => {}
            }
        }
        ok
    }

    fn include(&mut self, caller: &Caller<'_>, depth: usize) -> bool {
        let written = caller.include.path.value.as_str();
        if caller.include.kind != IncludeKind::Dir {
            if is_blank(written) {
                return self.refuse(caller, "conf-include-missing", written, "empty configuration file name");
            }
            return self.include_file(caller, written, &self.reader.resolve(written, caller.file), depth);
        }
        if is_blank(written) {
            return self.refuse(caller, "conf-include-missing", written, "empty configuration directory name");
        }
        let dir = self.reader.resolve(written, caller.file);
        let names = match self.reader.list(&dir) {
            Ok(names) => names,
            Err(ReadError::Outside) => return self.leave_open(caller),
            Err(_) => {
                let error = format!("could not open directory \"{}\"", dir.display());
                return self.refuse(caller, "conf-include-missing", &dir.to_string_lossy(), &error);
            }
        };
        let mut paths = Vec::new();
        for path in
            names.iter().filter(|n| is_conf_file(n)).map(|n| normal(&dir.join(n.file_name().unwrap_or_default())))
        {
            match self.reader.read(&path) {
                Err(ReadError::NotAFile("directory")) => {}
                Err(ReadError::Missing | ReadError::Other(_)) => {
                    let error = format!("could not stat file \"{}\"", path.display());
                    return self.refuse(caller, "conf-include-missing", &path.to_string_lossy(), &error);
                }
                _ => paths.push(path),
            }
        }
        paths.sort_by(|a, b| a.as_os_str().cmp(b.as_os_str()));
        paths.iter().all(|p| self.include_file(caller, &p.to_string_lossy(), p, depth))
    }

    /// Reads a file that is named by a directive or found in its directory.
    fn include_file(&mut self, caller: &Caller<'_>, written: &str, path: &Path, depth: usize) -> bool {
        if depth > MAX_DEPTH {
            return self.refuse(caller, "conf-include-cycle", written, "nesting depth exceeded");
        }
        if *path == **caller.file {
            return self.refuse(caller, "conf-include-cycle", written, "configuration file recursion");
        }
        match self.reader.read(path) {
            Ok(source) if self.may_repeat(path, source.bytes().len()) => self.file(&source, path, depth),
            Ok(_) => self.refuse(caller, "conf-include-cycle", written, "nesting depth exceeded"),
            Err(ReadError::NotAFile("directory")) => {
                let error = "input in flex scanner failed";
                self.report(caller, "conf-include-missing", &path.to_string_lossy(), error);
                self.error(error, &Arc::from(path), 1);
                false
            }
            Err(ReadError::Outside) => self.leave_open(caller),
            Err(_) if caller.include.kind == IncludeKind::IfExists => true,
            Err(why) => {
                let error = format!("could not open file \"{}\"", path.display());
                let shown = path.to_string_lossy().into_owned();
                let known = self.refuse(caller, "conf-include-missing", &shown, &error);
                if let Some(last) = self.problems.last_mut().filter(|p| p.notes.is_empty()) {
                    last.notes.push(why.to_string());
                }
                known
            }
        }
    }

    /// Notes an include that cannot be followed here; the server may well be able to.
    fn leave_open(&mut self, caller: &Caller<'_>) -> bool {
        if self.blamed.insert(caller.include.span) {
            self.conf.outside.push(caller.include.path.clone());
        }
        true
    }

    fn may_repeat(&mut self, path: &Path, bytes: usize) -> bool {
        if self.seen.contains(path) {
            self.repeats += 1;
            self.repeated_bytes += bytes;
        }
        self.repeats <= MAX_REPEATS && self.repeated_bytes <= MAX_REPEATED_BYTES
    }

    /// Records an error on the line of the directive; always `false`, the server's answer.
    fn refuse(&mut self, caller: &Caller<'_>, rule: &'static str, path: &str, error: &str) -> bool {
        self.report(caller, rule, path, error);
        self.error(error, caller.file, caller.line);
        false
    }

    fn error(&mut self, error: &str, file: &Arc<Path>, line: usize) {
        let (seq, auto) = (self.conf.len(), self.auto);
        self.conf.errors.push(FileError { error: error.to_owned(), file: Arc::clone(file), line, auto, seq });
    }

    /// Adds a problem, one per directive: a cycle would report the same line again at each turn.
    fn report(&mut self, caller: &Caller<'_>, rule: &'static str, path: &str, error: &str) {
        if self.blamed.insert(caller.include.span) {
            let problem = Problem::new(rule, caller.include.path.span)
                .arg("directive", caller.include.kind.keyword())
                .arg("path", path)
                .arg("message", error);
            self.problems.push(problem);
        }
    }
}

/// Empty, or white space only.
fn is_blank(path: &str) -> bool {
    path.chars().all(|c| matches!(c, ' ' | '\t' | '\r' | '\n'))
}

/// At least one character in front of `.conf`, and not hidden.
fn is_conf_file(path: &Path) -> bool {
    let name = path.file_name().map(std::ffi::OsStr::as_encoded_bytes).unwrap_or_default();
    name.len() >= 6 && name.ends_with(b".conf") && name[0] != b'.'
}
