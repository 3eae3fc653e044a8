//! What a file is, by its name and by what it holds.

use std::path::Path;

use crate::parse::template::{self, Engine, Format};
use crate::parse::{compose, pod};
use crate::source::template::Template;

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
    /// A document of a manifest of Kubernetes, for the variables of its containers.
    Pod,
    /// SQL that may set up roles.
    Sql,
    /// Whether Debian's scripts start a PostgreSQL cluster at boot.
    StartConf,
    /// Which units systemd enables by itself.
    Preset,
}

/// What a script is called that a command of Patroni runs: it is none of the kinds that are read for what they say.
pub const SCRIPT: &str = "script";

impl Kind {
    const ALL: [Self; 11] = [
        Self::Patroni,
        Self::Conf,
        Self::Hba,
        Self::Ident,
        Self::Unit,
        Self::Environment,
        Self::Compose,
        Self::Pod,
        Self::Sql,
        Self::StartConf,
        Self::Preset,
    ];

    /// The one that a user calls so.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

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
            Self::Pod => "pods",
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
pub(super) fn looks_like(kind: Kind, bytes: &[u8]) -> bool {
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
        Kind::Pod => pod::may_hold_pods(bytes),
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
        Kind::Patroni | Kind::Compose | Kind::Pod => Format::Yaml,
        Kind::Conf | Kind::Hba | Kind::Ident | Kind::StartConf => Format::Lines,
        Kind::Unit | Kind::Environment | Kind::Preset => Format::Unit,
        Kind::Sql => Format::Sql,
    }
}
