//! Long options of the programs that Patroni hands a user's options to: names, arguments and versions.
//!
//! Sources: `src/bin/initdb/initdb.c` and `src/bin/pg_basebackup/pg_basebackup.c` of PostgreSQL 13 to 18. tests/options.rs asks the programs.

/// Whether an option takes an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Argument {
    /// It refuses one.
    None,
    /// It does not work without.
    Required,
}

/// An option of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LongOption {
    /// Its name, without dashes.
    pub name: &'static str,
    /// Whether it takes an argument.
    pub argument: Argument,
    /// The first major version that knows it; 13 for older ones.
    pub since: u16,
}

const fn flag(name: &'static str, since: u16) -> LongOption {
    LongOption { name, argument: Argument::None, since }
}

const fn value(name: &'static str, since: u16) -> LongOption {
    LongOption { name, argument: Argument::Required, since }
}

/// Those of `initdb`, sorted.
pub const INITDB: &[LongOption] = &[
    flag("allow-group-access", 13),
    value("auth", 13),
    value("auth-host", 13),
    value("auth-local", 13),
    value("builtin-locale", 17),
    flag("data-checksums", 13),
    flag("debug", 13),
    flag("discard-caches", 14),
    value("encoding", 13),
    flag("help", 13),
    value("icu-locale", 15),
    value("icu-rules", 16),
    value("lc-collate", 13),
    value("lc-ctype", 13),
    value("lc-messages", 13),
    value("lc-monetary", 13),
    value("lc-numeric", 13),
    value("lc-time", 13),
    value("locale", 13),
    value("locale-provider", 15),
    flag("no-clean", 13),
    flag("no-data-checksums", 18),
    flag("no-instructions", 14),
    flag("no-locale", 13),
    flag("no-sync", 13),
    flag("no-sync-data-files", 18),
    flag("noclean", 13),
    flag("nosync", 13),
    value("pgdata", 13),
    value("pwfile", 13),
    flag("pwprompt", 13),
    value("set", 16),
    flag("show", 13),
    value("sync-method", 17),
    flag("sync-only", 13),
    value("text-search-config", 13),
    value("username", 13),
    flag("version", 13),
    value("wal-segsize", 13),
    value("waldir", 13),
];

/// Those of `pg_basebackup`, sorted.
pub const PG_BASEBACKUP: &[LongOption] = &[
    value("checkpoint", 13),
    value("compress", 13),
    flag("create-slot", 13),
    value("dbname", 13),
    value("format", 13),
    flag("gzip", 13),
    flag("help", 13),
    value("host", 13),
    value("incremental", 17),
    value("label", 13),
    value("manifest-checksums", 13),
    flag("manifest-force-encode", 13),
    value("max-rate", 13),
    flag("no-clean", 13),
    flag("no-estimate-size", 13),
    flag("no-manifest", 13),
    flag("no-password", 13),
    flag("no-slot", 13),
    flag("no-sync", 13),
    flag("no-verify-checksums", 13),
    flag("password", 13),
    value("pgdata", 13),
    value("port", 13),
    flag("progress", 13),
    value("slot", 13),
    value("status-interval", 13),
    value("sync-method", 17),
    value("tablespace-mapping", 13),
    value("target", 15),
    value("username", 13),
    flag("verbose", 13),
    flag("version", 13),
    value("wal-method", 13),
    value("waldir", 13),
    flag("write-recovery-conf", 13),
];

/// What a program says to an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It takes it.
    Taken,
    /// `unrecognized option`
    Unknown,
    /// `option … is ambiguous`
    Ambiguous,
    /// `option … requires an argument`
    NeedsArgument,
    /// `option … doesn't allow an argument`
    AllowsNone,
}

/// What a program of a version says to `--name` or `--name=argument`. Names may be cut short as long as they are the only ones that
/// begin so (`getopt_long`).
#[must_use]
pub fn answer(options: &[LongOption], major: u16, name: &str, has_argument: bool) -> Answer {
    let known = || options.iter().filter(|o| o.since <= major);
    let exact = known().find(|o| o.name == name);
    let mut near = known().filter(|o| o.name.starts_with(name));
    let option = match (exact, near.next(), near.next()) {
        (Some(option), ..) | (None, Some(option), None) => option,
        (None, Some(_), Some(_)) => return Answer::Ambiguous,
        (None, None, _) => return Answer::Unknown,
    };
    match (option.argument, has_argument) {
        (Argument::None, true) => Answer::AllowsNone,
        (Argument::Required, false) => Answer::NeedsArgument,
        _ => Answer::Taken,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_be_cut_short() {
        assert_eq!(answer(INITDB, 15, "data-checksum", false), Answer::Taken);
        assert_eq!(answer(INITDB, 15, "data-checksums", true), Answer::AllowsNone);
        assert_eq!(answer(INITDB, 15, "lc-m", true), Answer::Ambiguous);
        assert_eq!(answer(INITDB, 15, "encoding", false), Answer::NeedsArgument);
        assert_eq!(answer(INITDB, 14, "icu-locale", true), Answer::Unknown);
        assert!(INITDB.is_sorted_by(|a, b| a.name < b.name) && PG_BASEBACKUP.is_sorted_by(|a, b| a.name < b.name));
    }
}
