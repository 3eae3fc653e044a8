//! What Patroni 3.0 to 4.1 reads: keys, environment variables, command-line settings.
//!
//! The tables lie beside this file as `.tsv`; scripts under `scripts/knowledge` check them against the source and the
//! behaviour of the releases, and the build script makes the slices below out of them.

mod lookup;
mod settings;
mod slot_name;
mod version;

pub use lookup::{child, list_item, method_section};
pub use settings::{SettingFact, SettingKind, setting, settings};
pub use slot_name::slot_name;
pub use version::{Lifetime, Version};

/// What Python does with a value while Patroni runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Used as a string and nothing else.
    Str,
    /// Any scalar, used through `str()`.
    Text,
    /// Through `parse_bool`: `"on"` works.
    Bool,
    /// Python truth: the string `"false"` is true.
    Truth,
    /// Through `parse_int` or `int()`: `"10"` works.
    Int,
    /// A Python int and nothing else.
    PyInt,
    /// A list of strings.
    Strs,
    /// A list of strings, or one string with commas.
    StrsCsv,
    /// Numbers, as a list or as one string with commas.
    IntsCsv,
    /// A section with known keys.
    Map,
    /// A section with keys of the user's choice.
    Free,
    /// A list of sections.
    Maps,
    /// `host:port`
    Address,
    /// One of a few words, in any case.
    Enum,
    /// One of a few words, in exactly this case.
    ExactEnum,
    /// A string or a list: `log.format`.
    Format,
    /// Options of a program, as a list or a map.
    Options,
    /// Whatever.
    Any,
}

/// Where a key counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Files and environment of a node.
    Local,
    /// Only the configuration in the DCS (`bootstrap.dcs` while there is none).
    Dynamic,
    /// Either; the local value wins.
    Both,
    /// Read once, while a cluster is made.
    Bootstrap,
}

/// Whether `patroni --validate-config` insists on a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// It does not.
    Never,
    /// It does, once the section is there.
    Always,
    /// It does unless another key of the same choice is there.
    Sibling,
}

/// One key. Paths name sections with dots; `*` is any name, `[]` an item of a list, `@method` and `@replica_method` a
/// section that a user has named.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "facts that do not depend on each other")]
pub struct KeyFact {
    /// Where it stands.
    pub path: &'static str,
    /// What Patroni makes of its value.
    pub kind: Kind,
    /// The type that the validator of 4.1.5 wants; `None` when it does not look.
    pub demand: Option<&'static str>,
    /// Whether the validator wants it to be there.
    pub need: Need,
    /// Lowest number that is used as given.
    pub low: Option<i64>,
    /// Highest number that is used as given.
    pub high: Option<i64>,
    /// The words of an enumeration.
    pub words: &'static [&'static str],
    /// What holds without it.
    pub default: Option<&'static str>,
    /// Where it counts.
    pub place: Place,
    /// The releases that read it.
    pub lifetime: Lifetime,
    /// The key that took its place.
    pub renamed: Option<&'static str>,
    /// Its value must not be seen.
    pub secret: bool,
    /// Patroni does not start without it.
    pub required: bool,
    /// An old name that is still read, or was until the release in `lifetime`.
    pub deprecated: bool,
    /// An undocumented second name, or a key of a deprecated section.
    pub old_place: bool,
    /// Module and function that read it.
    pub source: &'static str,
}

/// How the text of an environment variable becomes a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// As it is; an empty one counts as absent.
    Text,
    /// As it is, an empty one too.
    Raw,
    /// `parse_int`; absent when that fails.
    Int,
    /// `parse_int`, but an empty text stays an empty text.
    IntOrEmpty,
    /// `parse_bool`; absent when that fails.
    Bool,
    /// A YAML list; brackets are put around what neither begins with `-` nor holds `[`.
    List,
    /// The same, but an empty text stays an empty text.
    ListOrEmpty,
    /// A YAML map; braces are put around what does not begin with `{`.
    Dict,
    /// A text that holds `%(name)`, else a list.
    Format,
    /// A list, which counts only beside the `_PASSWORD` of the same name.
    Options,
    /// A text, which counts only when another variable has set a key of that section.
    TextInSection,
}

/// One environment variable, behind `PATRONI_`.
#[derive(Debug, Clone, Copy)]
pub struct Variable {
    /// Its name; `<SECTION>` or `<USER>` in front stands for any.
    pub name: &'static str,
    /// The key that it sets.
    pub path: &'static str,
    /// How its text is read.
    pub read: Read,
    /// The releases that read it.
    pub lifetime: Lifetime,
    /// The variable that took its place.
    pub renamed: Option<&'static str>,
}

/// What Patroni takes as the value of a command-line setting from the DCS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepts {
    /// Nothing.
    Never,
    /// What `parse_bool` calls true.
    True,
    /// What `parse_bool` can read.
    Bool,
    /// One of these words, in any case.
    Words(&'static [&'static str]),
    /// What `parse_int` reads as at least this.
    Int {
        /// The floor.
        low: i64,
        /// The unit in which a number with a unit is counted.
        unit: Option<&'static str>,
    },
}

/// A PostgreSQL setting that Patroni gives on the command line, so that only the DCS can set it.
#[derive(Debug, Clone, Copy)]
pub struct CommandLineSetting {
    /// Its name.
    pub name: &'static str,
    /// What Patroni gives when the DCS has no value, or one that it refuses.
    pub default: Option<&'static str>,
    /// The first PostgreSQL that gets it, as `server_version_num`.
    pub server: u32,
    /// What is not refused.
    pub accepts: Accepts,
    /// The releases for which `accepts` holds.
    pub lifetime: Lifetime,
}

#[expect(clippy::unreadable_literal, reason = "the text is generated from the tables")]
mod tables {
    use super::settings::{SettingFact, SettingKind};
    use super::{Accepts, CommandLineSetting, KeyFact, Kind, Lifetime, Need, Place, Read, Variable, Version};
    include!(concat!(env!("OUT_DIR"), "/patroni.rs"));
}

/// Every key, sorted by path.
#[must_use]
pub fn keys() -> &'static [KeyFact] {
    &tables::KEYS
}

/// The row of exactly this path pattern.
#[must_use]
pub fn key(path: &str) -> Option<&'static KeyFact> {
    let rows = keys();
    rows.binary_search_by(|row| row.path.cmp(path)).ok().map(|i| &rows[i])
}

/// Every environment variable, in the order of the table.
#[must_use]
pub fn variables() -> &'static [Variable] {
    &tables::VARIABLES
}

/// The command-line settings of a release.
pub fn command_line(version: Version) -> impl Iterator<Item = &'static CommandLineSetting> {
    tables::COMMAND_LINE.iter().filter(move |row| row.lifetime.covers(version))
}

/// A command-line setting by its name, in any case.
#[must_use]
pub fn command_line_setting(name: &str, version: Version) -> Option<&'static CommandLineSetting> {
    tables::COMMAND_LINE.iter().find(|row| row.name.eq_ignore_ascii_case(name) && row.lifetime.covers(version))
}

/// Keys of `postgresql` that do not count in the DCS (`config.py:Config._safe_copy_dynamic_configuration`).
pub const LOCAL_ONLY: [&str; 7] =
    ["authentication", "config_dir", "connect_address", "data_dir", "listen", "pgpass", "proxy_address"];

/// Whether Patroni hands a key of `postgresql.authentication.*` on (`config.py:_AUTH_ALLOWED_PARAMETERS`).
#[must_use]
pub fn authentication_key(name: &str, version: Version) -> bool {
    child("postgresql.authentication.superuser", name).is_some_and(|row| row.lifetime.covers(version))
}

/// Keys of a constructor that a reload reads again (`reload_config` of `AbstractEtcdClientWithFailover`, `ConsulClient`, `Consul`,
/// `Watchdog`, `PatroniLogger` and `RestApiServer`).
const RELOADED: [&str; 10] = [
    "etcd.username",
    "etcd.password",
    "etcd3.username",
    "etcd3.password",
    "consul.token",
    "consul.consistency",
    "consul.dc",
    "consul.service_tags",
    "consul.register_service",
    "watchdog",
];

/// Whether Patroni reads a local key only when it starts: what it asks for in a constructor and in no `reload_config`.
#[must_use]
pub fn counts_after_restart(row: &KeyFact) -> bool {
    let once =
        [":get_dcs", ".__init__", ".get_etcd_client", ":abstract_main"].iter().any(|end| row.source.ends_with(end));
    let section = matches!(row.path, "log" | "restapi" | "postgresql");
    once && !section && !RELOADED.iter().any(|key| row.path == *key || row.path.starts_with("watchdog."))
}

/// The sections that choose a DCS, in the order in which Patroni tries them (`dynamic_loader.py:iter_modules`, by name).
pub const DCS_SECTIONS: [&str; 7] = ["consul", "etcd", "etcd3", "exhibitor", "kubernetes", "raft", "zookeeper"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_have_all_their_rows() {
        assert_eq!((keys().len(), variables().len()), (390, 151));
        assert_eq!(command_line(Version::LATEST).count(), 15);
        assert!(keys().is_sorted_by(|a, b| a.path < b.path));
    }

    #[test]
    fn a_key_that_counts_in_both_places_has_a_row_for_each() {
        assert_eq!(key("postgresql.callbacks.on_start").map(|k| k.place), Some(Place::Both));
        assert_eq!(key("bootstrap.dcs.postgresql.callbacks.on_start").map(|k| k.place), Some(Place::Dynamic));
        assert!(key("bootstrap.dcs.postgresql.listen").is_none());
    }

    #[test]
    fn every_new_name_is_a_key_itself() {
        for row in keys() {
            if let Some(new) = row.renamed {
                assert!(key(new).is_some(), "{} is said to have become {new}", row.path);
            }
        }
    }

    #[test]
    fn hints_can_be_switched_off_since_4_0() {
        let accepts = |v| command_line_setting("WAL_log_hints", v).map(|s| s.accepts);
        assert_eq!(accepts(Version::new(4, 0, 1)), Some(Accepts::Bool));
        assert_eq!(accepts(Version::new(3, 3, 8)), Some(Accepts::True));
        assert_eq!(accepts(Version::new(3, 0, 4)), Some(Accepts::Never));
    }
}
