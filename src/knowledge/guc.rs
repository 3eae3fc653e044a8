//! Every setting of PostgreSQL 13 to 18, as real servers describe it.
//!
//! The table is made from `guc/<major>.tsv` when the program is built; `scripts/knowledge/guc.py` writes those files and
//! each names the server it was taken from. Servers differ by build: labels of optional libraries (lz4, zstd, liburing)
//! count as known everywhere, defaults that are paths are those of one build. Some settings exist only in some builds or
//! minor releases of a major: see [`build_dependent`].

use super::units::Unit;

/// The oldest and the newest major version that the table knows.
pub const MAJORS: std::ops::RangeInclusive<u16> = 13..=18;

/// A setting as a run of major versions knows it.
#[derive(Debug, PartialEq)]
pub struct Guc {
    /// The name as the server writes it; `DateStyle` and a few others have capitals.
    pub name: &'static str,
    /// First major of the table in which it is exactly so.
    pub since: u16,
    /// Last major of the table in which it is exactly so.
    pub until: u16,
    /// What values it takes.
    pub kind: Kind,
    /// What it takes to change it.
    pub context: Context,
    /// The compiled default (`boot_val`), in the base unit.
    pub default: &'static str,
    /// The first part of `pg_settings.category`.
    pub category: &'static str,
    /// What else is special about it.
    pub flags: &'static [Flag],
}

/// What values a setting takes.
#[derive(Debug, PartialEq)]
pub enum Kind {
    /// `on`, `off` and their spellings.
    Bool,
    /// A whole number of 32 bits.
    Int {
        /// Smallest allowed.
        min: i32,
        /// Largest allowed.
        max: i32,
        /// What it counts; units may be written only when there is one.
        unit: Option<Unit>,
    },
    /// A floating-point number.
    Real {
        /// Smallest allowed.
        min: f64,
        /// Largest allowed.
        max: f64,
        /// What it counts.
        unit: Option<Unit>,
    },
    /// One of a few words.
    Enum {
        /// The words that `pg_settings.enumvals` lists.
        labels: &'static [&'static str],
        /// Words that mean another word, listed or not (`archive` is `replica`).
        synonyms: &'static [(&'static str, &'static str)],
    },
    /// Any text; the server may check it further.
    Str,
}

/// `pg_settings.context`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Context {
    /// Cannot be set.
    Internal,
    /// Needs a restart.
    Postmaster,
    /// Needs a reload.
    Sighup,
    /// New sessions see it, superusers may choose it when they connect.
    SuperuserBackend,
    /// New sessions see it, clients may choose it when they connect.
    Backend,
    /// Superusers may set it in a session.
    Superuser,
    /// Everybody may set it in a session.
    User,
}

/// Special properties.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flag {
    /// `ALTER SYSTEM` refuses it.
    NoAlterSystem,
    /// `SHOW ALL` and `pg_settings` leave it out.
    NoShowAll,
    /// Left out of `postgresql.conf.sample`.
    NotInSample,
    /// Its value is known only when the server has looked at its data directory.
    RuntimeComputed,
}

#[expect(clippy::unreadable_literal, reason = "written by the build script")]
mod table {
    use super::{Context, Flag, Guc, Kind, Unit};

    include!(concat!(env!("OUT_DIR"), "/guc_tables.rs"));
}

/// Compares names as `guc_name_compare` does: capitals of ASCII only.
fn order(a: &str, b: &str) -> std::cmp::Ordering {
    a.bytes().map(|c| c.to_ascii_lowercase()).cmp(b.bytes().map(|c| c.to_ascii_lowercase()))
}

fn entries(name: &str) -> &'static [Guc] {
    let start = table::GUCS.partition_point(|g| order(g.name, name).is_lt());
    let len = table::GUCS[start..].partition_point(|g| order(g.name, name).is_eq());
    &table::GUCS[start..start + len]
}

/// The name under which a major knows a former name (`sort_mem` is `work_mem`; `map_old_guc_names` in `guc.c`).
#[must_use]
pub fn alias(name: &str, version: u16) -> Option<&'static str> {
    let hit = |a: &&(&str, u16, u16, &str)| order(a.0, name).is_eq() && (a.1..=a.2).contains(&version);
    table::ALIASES.iter().find(hit).map(|a| a.3)
}

/// The setting that a major knows by this name; capitals do not matter and former names are followed.
#[must_use]
pub fn find(name: &str, version: u16) -> Option<&'static Guc> {
    let direct = |n: &str| entries(n).iter().find(|g| (g.since..=g.until).contains(&version));
    direct(name).or_else(|| direct(alias(name, version)?))
}

/// The majors of the table that know this name, former names included.
#[must_use]
pub fn versions(name: &str) -> Vec<u16> {
    MAJORS.filter(|v| find(name, *v).is_some()).collect()
}

/// All settings of a major, sorted by name.
pub fn all(version: u16) -> impl Iterator<Item = &'static Guc> {
    table::GUCS.iter().filter(move |g| (g.since..=g.until).contains(&version))
}

/// The name of every setting of any major, some more than once.
pub fn names() -> impl Iterator<Item = &'static str> {
    table::GUCS.iter().map(|g| g.name)
}

/// Former names that a major accepts, each with the name in use.
pub fn aliases(version: u16) -> impl Iterator<Item = (&'static str, &'static str)> {
    table::ALIASES.iter().filter(move |a| (a.1..=a.2).contains(&version)).map(|a| (a.0, a.3))
}

/// Why a name may be known to one server of a major and unknown to another: for these, that a table lacks the name
/// proves nothing.
///
/// `composite_type_mismatch` and `output_plugin_libraries` are in 15.20 and in no older minor release that was looked
/// at; servers of the other majors were older than that.
#[must_use]
pub fn build_dependent(name: &str) -> Option<&'static str> {
    const NAMES: &[(&str, &str)] = &[
        ("composite_type_mismatch", "only newer minor releases have it"),
        ("extension_destdir", "only Debian and Ubuntu packages have it"),
        ("output_plugin_libraries", "only newer minor releases have it"),
    ];
    NAMES.iter().find(|(n, _)| order(n, name).is_eq()).map(|(_, why)| *why)
}

/// The known name of a major that a misspelled one is closest to, when it is close.
#[must_use]
pub fn suggest(name: &str, version: u16) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    let allowed = (lower.chars().count() / 4).clamp(1, 3);
    all(version)
        .filter(|g| g.context != Context::Internal)
        .map(|g| (strsim::osa_distance(&lower, &g.name.to_ascii_lowercase()), g.name))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, n)| n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_without_regard_to_capitals_and_by_former_name() {
        assert_eq!(find("datestyle", 13).map(|g| g.name), Some("DateStyle"));
        assert_eq!(find("SORT_MEM", 18).map(|g| g.name), Some("work_mem"));
        assert_eq!(find("ssl_ecdh_curve", 18).map(|g| g.name), Some("ssl_groups"));
        assert_eq!(find("ssl_groups", 17), None);
    }

    #[test]
    fn versions_tell_when_a_setting_came_and_went() {
        assert_eq!(versions("stats_temp_directory"), [13, 14]);
        assert_eq!(versions("io_method"), [18]);
        assert_eq!(versions("wal_keep_segments"), Vec::<u16>::new());
        assert_eq!(versions("work_mem").len(), 6);
    }

    #[test]
    fn the_table_is_sorted_so_that_every_name_finds_itself() {
        for v in MAJORS {
            assert!(all(v).count() > 300);
            for g in all(v) {
                assert!(std::ptr::eq(find(g.name, v).expect("found"), g), "{} {v}", g.name);
            }
        }
    }

    #[test]
    fn a_slip_is_recognised_and_nonsense_is_not() {
        assert_eq!(suggest("shared_bufers", 16), Some("shared_buffers"));
        assert_eq!(suggest("max_conections", 16), Some("max_connections"));
        assert_eq!(suggest("frobnicate_level", 16), None);
    }
}
