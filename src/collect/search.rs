//! Finds and reads configuration files, safely: no FIFO is opened, no giant is swallowed, no link is followed in a circle.

use std::fs::Metadata;
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ignore::WalkState;
use rayon::prelude::*;

use super::embedded;
use crate::parse::template::{self, Engine, Format};
use crate::parse::{compose, manifest};
use crate::pattern::Patterns;
use crate::problem::Problem;
use crate::source::path::normal;
use crate::source::template::Template;
use crate::source::{Origin, ReadError, Reader, Source, SourceMap};

/// Largest file that is read as configuration, in bytes: a `pg_hba.conf` of half a million lines fits.
pub const LIMIT: u64 = 32 << 20;

/// `ELOOP` of Linux; its `ErrorKind` is not stable yet.
const ELOOP: i32 = 40;

/// What a file is, by its name and what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Patroni's configuration.
    Patroni,
    /// PostgreSQL's configuration.
    Conf,
    /// Host-based authentication.
    Hba,
    /// User name maps.
    Ident,
    /// A systemd unit or drop-in.
    Unit,
    /// An environment file of a unit.
    Environment,
    /// A compose file, for what it tells of environments.
    Compose,
    /// SQL that may set up roles.
    Sql,
    /// Whether Debian's scripts start a PostgreSQL cluster at boot.
    StartConf,
    /// Which units systemd enables by itself.
    Preset,
}

impl Kind {
    /// What a user calls it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Patroni => "patroni.yml",
            Self::Conf => "postgresql.conf",
            Self::Hba => "pg_hba.conf",
            Self::Ident => "pg_ident.conf",
            Self::Unit => "unit",
            Self::Environment => "environment",
            Self::Compose => "compose file",
            Self::Sql => "role-sql",
            Self::StartConf => "start.conf",
            Self::Preset => "preset",
        }
    }
}

/// What tells the kind of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The caller, in `preflight.toml`.
    Caller,
    /// Its name alone.
    Name,
    /// Its name and its text.
    Text,
}

/// What a name says about a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guess {
    /// It is that, whatever it holds.
    Sure(Kind),
    /// It is that if its text looks so.
    Maybe(Kind),
}

impl Guess {
    pub(super) const fn kind(self) -> Kind {
        match self {
            Self::Sure(kind) | Self::Maybe(kind) => kind,
        }
    }

    /// What a file of that name is by its text too, and what told so.
    pub(super) fn confirm(self, bytes: &[u8]) -> Option<(Kind, By)> {
        match self {
            Self::Sure(kind) => Some((kind, By::Name)),
            Self::Maybe(kind) => looks_like(kind, bytes).then_some((kind, By::Text)),
        }
    }
}

/// What a file is called after, or `None` for one that is none of ours. Of a template the name counts that it gives its file.
pub(super) fn guess(path: &Path) -> Option<Guess> {
    let (path, engine) = template::declared(path);
    let name = path.file_name()?.to_str()?;
    let parent = path.parent().and_then(Path::file_name).and_then(|n| n.to_str()).unwrap_or_default();
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
    match extension {
        "yml" | "yaml" if name.contains("patroni") => Some(Guess::Sure(Kind::Patroni)),
        "yml" | "yaml" => Some(Guess::Maybe(Kind::Patroni)),
        "conf" if parent.ends_with(".service.d") && (parent.contains("patroni") || parent.contains("postgres")) => {
            Some(Guess::Sure(Kind::Unit))
        }
        "conf" if parent.ends_with(".service.d") => Some(Guess::Maybe(Kind::Unit)),
        "conf" if name.contains("pg_hba") => Some(Guess::Sure(Kind::Hba)),
        "conf" if name.contains("pg_ident") => Some(Guess::Sure(Kind::Ident)),
        "conf" if name.starts_with("postgresql") || name.ends_with("postgresql.conf") => Some(Guess::Sure(Kind::Conf)),
        "conf" if name.contains("env") => Some(Guess::Maybe(Kind::Environment)),
        "conf" if name == "start.conf" => Some(Guess::Maybe(Kind::StartConf)),
        "preset" => Some(Guess::Maybe(Kind::Preset)),
        "service" => Some(Guess::Maybe(Kind::Unit)),
        "sql" => Some(Guess::Maybe(Kind::Sql)),
        "env" if name.contains("patroni") => Some(Guess::Sure(Kind::Environment)),
        "env" => Some(Guess::Maybe(Kind::Environment)),
        _ if name == "environment" => Some(Guess::Maybe(Kind::Environment)),
        "" if engine == Engine::Undeclared => None,
        "" if name.contains("patroni") => Some(Guess::Maybe(Kind::Patroni)),
        "" if name == "pg_hba" => Some(Guess::Sure(Kind::Hba)),
        "" if name == "pg_ident" => Some(Guess::Sure(Kind::Ident)),
        _ => None,
    }
}

/// Whether a text is worth a closer look as what its name may say. Cheap, and never a no for a file of that kind.
fn looks_like(kind: Kind, bytes: &[u8]) -> bool {
    let has = |word: &str| memchr::memmem::find(bytes, word.as_bytes()).is_some();
    let any = |words: &[&str]| words.iter().any(|w| has(w));
    match kind {
        Kind::Patroni => {
            let marks = [
                "scope",
                "restapi",
                "postgresql",
                "bootstrap",
                "etcd",
                "connect_address",
                "data_dir",
                "authentication",
            ];
            marks.iter().filter(|w| has(w)).count() >= 3
        }
        Kind::Unit => any(&["patroni", "postgres", "PATRONI_"]),
        Kind::Environment => has("PATRONI_"),
        Kind::Compose => compose::is_compose(bytes),
        Kind::Preset => has("postgres"),
        Kind::StartConf => any(&["auto", "manual", "disabled"]),
        Kind::Sql => any(&[
            "ROLE",
            "USER",
            "GRANT",
            "role",
            "user",
            "grant",
            "Role",
            "User",
            "Grant",
            "replication_slot",
            "ALTER SYSTEM",
            "alter system",
        ]),
        Kind::Conf | Kind::Hba | Kind::Ident => true,
    }
}

/// What is looked for, and where.
#[derive(Clone, Copy)]
pub struct Search<'a> {
    /// Where relative paths start; found paths are relative to it too.
    pub base: &'a Path,
    /// Files and directories.
    pub paths: &'a [PathBuf],
    /// What is passed over below directories.
    pub exclude: &'a Patterns,
    /// What the caller says that a file is.
    pub kind: &'a (dyn Fn(&Path) -> Option<Kind> + Sync),
    /// A file whose text is not taken from the disk; it is in the map of sources already.
    pub given: Option<&'a Path>,
}

impl Search<'_> {
    fn guess(&self, path: &Path) -> Option<Guess> {
        (self.kind)(path).map(Guess::Sure).or_else(|| guess(path))
    }

    /// Every file below the paths whose name may be one of ours, sorted by path; a path that is a file itself is always
    /// there.
    ///
    /// Ignore files of version control are respected; links to directories are not followed.
    fn walk(&self) -> Vec<(PathBuf, Option<Guess>)> {
        let mut found = Vec::new();
        for path in self.paths {
            let root = self.base.join(path);
            if !root.is_dir() {
                found.push((path.clone(), self.guess(path)));
                continue;
            }
            let mut builder = ignore::WalkBuilder::new(&root);
            builder.hidden(false).require_git(false).filter_entry(|e| e.file_name() != ".git");
            let below = Mutex::new(Vec::new());
            builder.threads(rayon::current_num_threads()).build_parallel().run(|| {
                Box::new(|entry| {
                    if let Some(file) = entry.ok().and_then(|e| self.candidate(&e)) {
                        below.lock().unwrap_or_else(PoisonError::into_inner).push(file);
                    }
                    WalkState::Continue
                })
            });
            found.extend(below.into_inner().unwrap_or_else(PoisonError::into_inner));
        }
        found.par_sort_by(|a, b| a.0.cmp(&b.0));
        found.dedup_by(|a, b| a.0 == b.0);
        found
    }

    /// A file of a walk whose name may be one of ours.
    fn candidate(&self, entry: &ignore::DirEntry) -> Option<(PathBuf, Option<Guess>)> {
        let is_dir = entry.file_type().is_some_and(|t| t.is_dir());
        if is_dir || (entry.path_is_symlink() && entry.path().is_dir()) {
            return None;
        }
        let path = relative(self.base, entry.path());
        let guess = self.guess(&path)?;
        (!self.exclude.holds(&path)).then_some((path, Some(guess)))
    }

    /// Finds and reads the configuration files at and below the paths, in order of their paths; what cannot be read, or was
    /// named and is none of ours, becomes a problem.
    #[must_use]
    pub fn gather(&self, sources: &SourceMap) -> Gathered {
        let disk = Disk::new(sources, self.base);
        let versioned: Vec<bool> = self.paths.iter().map(|p| is_versioned(&self.base.join(p))).collect();
        let results: Vec<Seen> = self
            .walk()
            .into_par_iter()
            .flat_map_iter(|(path, guess)| {
                let root = self.paths.iter().position(|p| path.starts_with(relative(self.base, p))).unwrap_or(0);
                let show_mode = !versioned.get(root).copied().unwrap_or(true) && self.given != Some(&path);
                self.look(&disk, &path, guess, show_mode)
            })
            .collect();
        let mut all = Gathered::default();
        for result in results {
            match result {
                Ok(file) => all.found.push(file),
                Err(Missed::Wrong(problem)) => all.problems.push(*problem),
                Err(Missed::Unread(what)) => all.unread.push(what),
            }
        }
        all
    }

    /// What a file is, or what the files in it are.
    fn look(&self, disk: &Disk<'_>, path: &Path, guess: Option<Guess>, show_mode: bool) -> Vec<Seen> {
        let named = self.paths.iter().any(|p| p == path);
        if is_dependency(path) && matches!(guess, Some(Guess::Sure(Kind::Unit) | Guess::Maybe(Kind::Unit))) {
            if std::fs::symlink_metadata(disk.base.join(path)).is_ok_and(|m| m.is_symlink()) {
                let source = disk.sources.add(Origin::File(path.to_path_buf()), path.display().to_string(), Vec::new());
                return vec![Ok(Found { source, kind: Kind::Unit, by: By::Name, mode: None, named })];
            }
            if !named {
                return Vec::new();
            }
        }
        let source = match disk.read(path) {
            Ok(source) => source,
            Err(ReadError::NotAFile(_)) if !named && !matches!(guess, Some(Guess::Sure(_))) => return Vec::new(),
            Err(why) => return vec![Err(Missed::Wrong(Box::new(disk.unreadable(path, &why))))],
        };
        let said = (self.kind)(path).is_some();
        if !said && guess.is_some_and(|g| g.kind() == Kind::Patroni) && manifest::is_manifest(source.bytes()) {
            let parts = embedded::parts(disk.sources, &source, named);
            return if parts.is_empty() && named { vec![Err(unrecognised(&source))] } else { parts };
        }
        if !said && guess.is_some_and(|g| g.kind() == Kind::Patroni) && compose::is_compose(source.bytes()) {
            return vec![Ok(Found { source, kind: Kind::Compose, by: By::Text, mode: None, named })];
        }
        let kind = match guess {
            Some(Guess::Sure(kind)) if said => Some((kind, By::Caller)),
            Some(guess) => guess.confirm(source.bytes()),
            None => None,
        };
        let by_text = || (named && looks_like(Kind::Patroni, source.bytes())).then_some((Kind::Patroni, By::Text));
        match kind.or_else(by_text) {
            Some((kind, by)) => {
                let shown = show_mode && matches!(kind, Kind::Patroni | Kind::Environment);
                let mode = if shown { mode(&disk.base.join(path)) } else { None };
                vec![Ok(Found { source, kind, by, mode, named })]
            }
            None if named => vec![Err(unrecognised(&source))],
            None => Vec::new(),
        }
    }
}

fn unrecognised(source: &Source) -> Missed {
    Missed::Wrong(Box::new(Problem::new("unrecognised-file", source.span(0, 0)).arg("file", source.name())))
}

/// Whether a path lies where systemd keeps what a unit wants or requires: it goes by the name of a link there, reads the unit
/// from its own place, and passes over what is no link.
fn is_dependency(path: &Path) -> bool {
    path.parent().and_then(Path::extension).is_some_and(|e| e == "wants" || e == "requires")
}

fn relative(base: &Path, path: &Path) -> PathBuf {
    let path = path.strip_prefix(base).unwrap_or(path);
    path.strip_prefix(".").unwrap_or(path).to_path_buf()
}

/// What a search brings.
#[derive(Debug, Default)]
pub struct Gathered {
    /// In order of their paths.
    pub found: Vec<Found>,
    /// Files that cannot be read, or were named and are none of ours.
    pub problems: Vec<Problem>,
    /// Files in other ones, in words, that are there and that this program cannot look into.
    pub unread: Vec<String>,
}

/// Why a file is not among those found.
#[derive(Debug)]
pub(super) enum Missed {
    Wrong(Box<Problem>),
    Unread(String),
}

/// A file that was recognised, or why it is left out.
pub(super) type Seen = Result<Found, Missed>;

/// A file that was recognised and read.
#[derive(Debug)]
pub struct Found {
    /// Its text.
    pub source: Arc<Source>,
    /// What it is taken for.
    pub kind: Kind,
    /// What told so.
    pub by: By,
    /// Permission bits, where they say something about a server: not in a work tree of version control.
    pub mode: Option<u32>,
    /// Whether it was asked for by name, and not found below a directory.
    pub named: bool,
}

/// Reads files of this machine into a [`SourceMap`], each at most once.
#[derive(Debug)]
pub struct Disk<'a> {
    sources: &'a SourceMap,
    base: &'a Path,
}

impl<'a> Disk<'a> {
    /// A reader that adds to that map. Relative paths start at `base`, and are shown without it.
    #[must_use]
    pub const fn new(sources: &'a SourceMap, base: &'a Path) -> Self {
        Self { sources, base }
    }

    fn unreadable(&self, path: &Path, why: &ReadError) -> Problem {
        let name = path.display().to_string();
        let empty = self.sources.add(Origin::Virtual(name.clone()), name.clone(), Vec::new());
        Problem::new("unreadable-file", empty.span(0, 0)).arg("file", name).arg("problem", why.to_string())
    }
}

impl Reader for Disk<'_> {
    fn read(&self, path: &Path) -> Result<Arc<Source>, ReadError> {
        if let Some(known) = self.sources.by_path(path) {
            return Ok(known);
        }
        let bytes = slurp(&self.base.join(path))?;
        let template = template_of(path, &bytes);
        Ok(self.sources.add_template(Origin::File(path.to_path_buf()), path.display().to_string(), bytes, template))
    }

    fn list(&self, dir: &Path) -> Result<Vec<PathBuf>, ReadError> {
        let entries = std::fs::read_dir(self.base.join(dir)).map_err(|e| reason(&e))?;
        let mut paths: Vec<PathBuf> = entries.flatten().map(|e| dir.join(e.file_name())).collect();
        paths.sort();
        Ok(paths)
    }

    fn is_executable(&self, path: &Path) -> Option<bool> {
        mode(&self.base.join(path)).map(|mode| mode & 0o111 != 0)
    }
}

/// What a template engine still has to fill in of a file.
#[must_use]
pub fn template_of(path: &Path, bytes: &[u8]) -> Option<Template> {
    let (_, engine) = template::declared(path);
    let format = match guess(path) {
        Some(guess) => format(guess.kind()),
        // A configuration of Patroni may have any name, and a file that another one includes too.
        None if looks_like(Kind::Patroni, bytes) => Format::Yaml,
        None => Format::Lines,
    };
    template::scan(bytes, engine, format)
}

/// What can be literal in a file of a kind.
pub(super) const fn format(kind: Kind) -> Format {
    match kind {
        Kind::Patroni | Kind::Compose => Format::Yaml,
        Kind::Conf | Kind::Hba | Kind::Ident | Kind::StartConf => Format::Lines,
        Kind::Unit | Kind::Environment | Kind::Preset => Format::Unit,
        Kind::Sql => Format::Sql,
    }
}

/// Lets parsers follow includes only to files at or below the paths that were asked for: a repository is not checked against
/// the files of the machine that checks it.
#[derive(Debug)]
pub struct Fence {
    base: PathBuf,
    roots: Vec<PathBuf>,
}

impl Fence {
    /// Around these paths; a file stands for its directory.
    #[must_use]
    pub fn new(base: &Path, paths: &[PathBuf]) -> Self {
        let roots = paths.iter().map(|p| {
            let root = if base.join(p).is_dir() { p.as_path() } else { p.parent().unwrap_or(Path::new("")) };
            normal(root)
        });
        Self { base: base.to_path_buf(), roots: roots.collect() }
    }

    /// The reader for these sources.
    #[must_use]
    pub fn reader<'a>(&'a self, sources: &'a SourceMap) -> Fenced<'a> {
        Fenced { fence: self, disk: Disk::new(sources, self.base.as_path()) }
    }

    fn holds(&self, path: &Path) -> bool {
        let path = normal(path);
        self.roots.iter().any(|r| path.starts_with(r) && path.is_absolute() == r.is_absolute())
    }
}

/// A reader behind a [`Fence`]. A directory that does not exist is outside of what was given too: a repository holds no empty
/// ones, and that the host lacks it cannot be known. So is a file in such a directory.
#[derive(Debug)]
pub struct Fenced<'a> {
    fence: &'a Fence,
    disk: Disk<'a>,
}

impl Reader for Fenced<'_> {
    fn read(&self, path: &Path) -> Result<Arc<Source>, ReadError> {
        if !self.fence.holds(path) {
            return Err(ReadError::Outside);
        }
        let path = normal(path);
        match self.disk.read(&path) {
            Err(ReadError::Missing) if path.parent().is_none_or(|dir| self.disk.list(dir).is_err()) => {
                Err(ReadError::Outside)
            }
            answer => answer,
        }
    }

    fn list(&self, dir: &Path) -> Result<Vec<PathBuf>, ReadError> {
        if !self.fence.holds(dir) {
            return Err(ReadError::Outside);
        }
        match self.disk.list(&normal(dir)) {
            Err(ReadError::Missing) => Err(ReadError::Outside),
            answer => answer,
        }
    }

    fn is_executable(&self, path: &Path) -> Option<bool> {
        if self.fence.holds(path) { self.disk.is_executable(&normal(path)) } else { None }
    }
}

/// Permission bits of a file, `None` where they cannot be had.
fn mode(path: &Path) -> Option<u32> {
    std::fs::metadata(path).ok().map(|m| m.permissions().mode() & 0o7777)
}

/// Whether a path lies in a work tree of version control, where the mode of a file says nothing about a server.
fn is_versioned(path: &Path) -> bool {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    absolute.ancestors().any(|dir| dir.join(".git").exists())
}

pub(super) fn slurp(path: &Path) -> Result<Vec<u8>, ReadError> {
    let metadata = std::fs::metadata(path).map_err(|e| reason(&e))?;
    if let Some(kind) = not_a_file(&metadata) {
        return Err(ReadError::NotAFile(kind));
    }
    if metadata.len() > LIMIT {
        return Err(ReadError::TooLarge { size: metadata.len(), limit: LIMIT });
    }
    let file = std::fs::File::open(path).map_err(|e| reason(&e))?;
    drain(file, usize::try_from(metadata.len()).unwrap_or(0))
}

/// Standard input, to its end.
///
/// # Errors
/// When it cannot be read, or is longer than a configuration file may be.
pub fn stdin() -> Result<Vec<u8>, ReadError> {
    drain(std::io::stdin().lock(), 0)
}

fn drain(from: impl std::io::Read, size: usize) -> Result<Vec<u8>, ReadError> {
    let mut bytes = Vec::with_capacity(size);
    from.take(LIMIT + 1).read_to_end(&mut bytes).map_err(|e| reason(&e))?;
    if bytes.len() as u64 > LIMIT {
        return Err(ReadError::TooLarge { size: bytes.len() as u64, limit: LIMIT });
    }
    Ok(bytes)
}

fn not_a_file(metadata: &Metadata) -> Option<&'static str> {
    let kind = metadata.file_type();
    if kind.is_file() {
        None
    } else if kind.is_dir() {
        Some("directory")
    } else if kind.is_fifo() {
        Some("FIFO")
    } else if kind.is_socket() {
        Some("socket")
    } else {
        Some("device")
    }
}

pub(super) fn reason(error: &std::io::Error) -> ReadError {
    match error.kind() {
        ErrorKind::NotFound => ReadError::Missing,
        ErrorKind::PermissionDenied => ReadError::Denied,
        _ if error.raw_os_error() == Some(ELOOP) => ReadError::Other("its symbolic links form a circle".to_owned()),
        _ => ReadError::Other(error.to_string()),
    }
}

/// The name of this machine; empty where it cannot be had.
#[must_use]
pub fn hostname() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname").map(|name| name.trim().to_owned()).unwrap_or_default()
}
