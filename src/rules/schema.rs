//! What a rule file may say. One schema for built-in and organisation rules; the build script reads the same types.
//!
//! Texts are `Cow` so that a rule that was compiled in needs no memory of its own and one that was read at start can own it.

use std::borrow::Cow;

use serde::Deserialize;

/// A text of a rule.
pub type Text = Cow<'static, str>;
/// A list of a rule.
pub type List<T> = Cow<'static, [T]>;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Works, but is fragile or not what was meant.
    Warning,
    /// Fails, or loses data.
    Error,
}

impl Severity {
    /// The word for it in every output.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// How finished a rule is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Off unless asked for, and free to change.
    Trial,
    /// On.
    #[default]
    Stable,
    /// On, and about to go.
    Deprecated,
}

/// What a rule looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub enum Need {
    /// Any file at all.
    #[serde(rename = "file")]
    File,
    /// Patroni's configuration.
    #[serde(rename = "patroni.yml")]
    Patroni,
    /// PostgreSQL's configuration.
    #[serde(rename = "postgresql.conf")]
    Conf,
    /// `pg_hba.conf`, or the list in Patroni's configuration.
    #[serde(rename = "pg_hba.conf")]
    Hba,
    /// `pg_ident.conf`
    #[serde(rename = "pg_ident.conf")]
    Ident,
    /// A systemd unit or its environment file, or what else decides what is started at boot.
    #[serde(rename = "unit")]
    Unit,
    /// SQL that sets up roles.
    #[serde(rename = "role-sql")]
    RoleSql,
    /// Answers of a running server.
    #[serde(rename = "sql")]
    Sql,
    /// What is on the host of a member.
    #[serde(rename = "host")]
    Host,
    /// The store that keeps the cluster's state.
    #[serde(rename = "dcs")]
    Dcs,
    /// Patroni's REST API.
    #[serde(rename = "rest")]
    Rest,
    /// A major upgrade that is meant: what `--upgrade-to` asks besides.
    #[serde(rename = "upgrade")]
    Upgrade,
}

impl Need {
    /// The word for it in every output, the same as in a rule file.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Patroni => "patroni.yml",
            Self::Conf => "postgresql.conf",
            Self::Hba => "pg_hba.conf",
            Self::Ident => "pg_ident.conf",
            Self::Unit => "unit",
            Self::RoleSql => "role-sql",
            Self::Sql => "sql",
            Self::Host => "host",
            Self::Dcs => "dcs",
            Self::Rest => "rest",
            Self::Upgrade => "upgrade",
        }
    }
}

/// May a fix be applied without asking? Ordered: apply if the fix is at least as safe as wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Safety {
    /// A person has to decide or to do it.
    Manual,
    /// Can be applied by the tool, but changes behaviour; the reason is in `because`.
    Unsafe,
    /// Can be applied as it is.
    Safe,
}

/// What a step does to those who use the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Disruption {
    /// Nothing.
    #[default]
    None,
    /// A reload: new values, sessions stay.
    Reload,
    /// A restart: connections drop.
    Restart,
    /// The database is away for longer than a restart.
    Downtime,
}

/// One step of a fix, as a rule file writes it: a map of one key.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum StepSpec {
    /// Change the bytes that the check names.
    Edit(Nothing),
    /// Set a key of the dynamic configuration.
    SetDynamic {
        /// Path of the key, `postgresql.parameters.max_connections`.
        key: Text,
        /// Its new value, as YAML.
        value: Text,
    },
    /// A statement for the primary.
    Sql(Text),
    /// A command line for the member's host.
    Command(Text),
    /// Reload the configuration of the member.
    Reload(Nothing),
    /// Restart the member's PostgreSQL.
    Restart(Nothing),
    /// Something that a person does.
    Human(Text),
}

/// An empty map, `{}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// How to mend it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct FixSpec {
    /// Starts with a verb.
    pub title: Text,
    /// Whether the tool may apply it.
    pub safety: Safety,
    /// Why it is not `safe`.
    #[serde(default)]
    pub because: Text,
    /// In order.
    #[serde(with = "serde_yaml::with::singleton_map_recursive")]
    pub steps: List<StepSpec>,
}

/// Where a PostgreSQL setting can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub enum Place {
    /// `postgresql.conf` and what it includes.
    #[serde(rename = "postgresql.conf")]
    Conf,
    /// `postgresql.parameters` of the local file.
    #[serde(rename = "local")]
    Local,
    /// `bootstrap.dcs.postgresql.parameters`.
    #[serde(rename = "dcs")]
    Dcs,
}

/// The `setting` kind: a PostgreSQL setting has a value that it must not have.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SettingSpec {
    /// Its name.
    pub name: Text,
    /// Where to look.
    #[serde(rename = "in")]
    pub places: List<Place>,
    /// Values that are bad, compared as PostgreSQL reads them.
    pub bad: List<Text>,
}

/// The `yaml-key` kind: a key of Patroni's configuration is absent, or has a value that it must not have.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct YamlKeySpec {
    /// Path of the key.
    pub path: Text,
    /// Only where this path exists too.
    #[serde(default)]
    pub within: Text,
    /// Fires when the key is absent.
    #[serde(default)]
    pub absent: bool,
    /// Fires when the key is there.
    #[serde(default)]
    pub present: bool,
    /// Fires when the key holds one of these, compared as YAML reads them.
    #[serde(default)]
    pub one_of: List<Text>,
    /// Fires when the key holds a value that this regular expression does not match from its first to its last character.
    #[serde(default)]
    pub not_matching: Text,
    /// Not when one of these paths exists.
    #[serde(default)]
    pub unless: List<Text>,
}

/// A key that members must agree on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SamePath {
    /// Its path.
    pub path: Text,
    /// What Patroni takes where the key is absent; empty for nothing.
    #[serde(default)]
    pub default: Text,
    /// Slashes around and doubled ones do not matter.
    #[serde(default)]
    pub slashes: bool,
}

/// The `same-on-all-members` kind: a key must be equal in the files of all members of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SameSpec {
    /// The keys, each compared by itself.
    pub paths: List<SamePath>,
    /// Show no values: they are secret.
    #[serde(default)]
    pub secret: bool,
}

/// The `hba` kind: a line of `pg_hba.conf` with all of these properties. An empty list stands for any.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct HbaSpec {
    /// Connection types, as written.
    #[serde(default)]
    pub types: List<Text>,
    /// Authentication methods.
    pub methods: List<Text>,
    /// Database names or keywords.
    #[serde(default)]
    pub databases: List<Text>,
    /// Only lines that let in hosts other than this one.
    #[serde(default)]
    pub remote: bool,
}

/// Which files the `file` kind looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum FileOf {
    /// Patroni's configuration.
    #[serde(rename = "patroni.yml")]
    Patroni,
    /// Environment files of units.
    #[serde(rename = "environment")]
    Environment,
}

/// The `file` kind: a file of the host has mode bits that it must not have.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct FileSpec {
    /// Which files.
    pub of: FileOf,
    /// Only files that hold a secret.
    #[serde(default)]
    pub with_secrets: bool,
    /// Mode bits that must not be set, in octal.
    pub forbidden_mode: u32,
}

/// The `rows` kind: a query that returns one row per finding.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RowsSpec {
    /// Exactly one read-only `SELECT`; its columns are the placeholders of the message.
    pub query: Text,
    /// The column that names the row.
    pub key: Text,
}

/// How a rule finds what it finds: one of a closed set of kinds.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum CheckSpec {
    /// A parser reports it while it reads.
    Parser(Text),
    /// The engine itself reports it.
    Engine(Text),
    /// A Rust function of that name.
    Native(Text),
    /// See [`SettingSpec`].
    Setting(SettingSpec),
    /// See [`YamlKeySpec`].
    YamlKey(YamlKeySpec),
    /// See [`SameSpec`].
    SameOnAllMembers(SameSpec),
    /// See [`HbaSpec`].
    Hba(HbaSpec),
    /// See [`FileSpec`].
    File(FileSpec),
    /// See [`RowsSpec`].
    Rows(RowsSpec),
}

impl CheckSpec {
    /// The name of the kind, as rule files write it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Parser(_) => "parser",
            Self::Engine(_) => "engine",
            Self::Native(_) => "native",
            Self::Setting(_) => "setting",
            Self::YamlKey(_) => "yaml-key",
            Self::SameOnAllMembers(_) => "same-on-all-members",
            Self::Hba(_) => "hba",
            Self::File(_) => "file",
            Self::Rows(_) => "rows",
        }
    }

    /// The placeholders that the kind fills; `None` where code or a query decides.
    #[must_use]
    pub const fn placeholders(&self) -> Option<&'static [&'static str]> {
        match self {
            Self::Parser(_) | Self::Engine(_) | Self::Native(_) | Self::Rows(_) => None,
            Self::Setting(_) => Some(&["value"]),
            Self::YamlKey(_) => Some(&["path", "value"]),
            Self::SameOnAllMembers(_) => Some(&["path", "value", "other"]),
            Self::Hba(_) => Some(&["method", "from"]),
            Self::File(_) => Some(&["file", "mode"]),
        }
    }
}

/// A rule: everything about it but the logic of native checks.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Rule {
    /// Kebab-case, names the bad state.
    pub id: Text,
    /// One line.
    pub summary: Text,
    /// Before configuration changes it.
    pub severity: Severity,
    /// How finished it is.
    #[serde(default)]
    pub status: Status,
    /// The release of this program that brought it; empty for the first one. See [`trial`](super::trial).
    #[serde(default)]
    pub since: Text,
    /// What it looks at.
    pub needs: List<Need>,
    /// Whether its findings say that a start of Patroni could stop the server that runs.
    #[serde(default)]
    pub gate: bool,
    /// Patroni versions in which it is true, `">=3.0, <4.0"`; empty for all supported ones.
    #[serde(default)]
    pub patroni: Text,
    /// PostgreSQL versions in which it is true; empty for all supported ones.
    #[serde(default)]
    pub postgresql: Text,
    /// Rules that speak of the same cause in a more general way: their findings on a line that has one of this rule go.
    #[serde(default)]
    pub supersedes: List<Text>,
    /// What happens, in effects a user sees, with the log line.
    pub why: Text,
    /// Where to read more.
    pub references: List<Text>,
    /// The live test that makes it happen.
    #[serde(default)]
    pub proof: Text,
    /// How it is found.
    #[serde(with = "serde_yaml::with::singleton_map")]
    pub check: CheckSpec,
    /// One line with placeholders, no period.
    pub message: Text,
    /// How to mend it.
    #[serde(default)]
    pub fix: Option<FixSpec>,
    /// Why there is no fix to print.
    #[serde(default)]
    pub no_fix: Text,
}
