//! How Patroni checks values of PostgreSQL's settings before it writes them (`postgresql/available_parameters`).

use super::tables;

/// What the value of a setting must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettingKind {
    /// What `parse_bool` reads.
    Bool,
    /// What `parse_int` reads, drawn into the bounds.
    Integer,
    /// What `parse_real` reads, drawn into the bounds.
    Real,
    /// One of the words, in any case.
    Enum,
    /// One of the words, or what `parse_bool` reads.
    EnumBool,
    /// Anything.
    String,
}

/// One setting for some versions of PostgreSQL, as Patroni 4.1.5 knows it. The first row that covers a version decides.
#[derive(Debug, Clone, Copy)]
pub struct SettingFact {
    /// Its name.
    pub name: &'static str,
    /// It belongs into `recovery_conf`; among `parameters` it is dropped.
    pub recovery: bool,
    /// What its value must be.
    pub kind: SettingKind,
    /// First `server_version_num`.
    pub from: u32,
    /// First `server_version_num` behind it.
    pub till: Option<u32>,
    /// Lowest number, as it is written in the table.
    pub min: Option<&'static str>,
    /// Highest number, as it is written in the table.
    pub max: Option<&'static str>,
    /// The unit of numbers without one.
    pub unit: Option<&'static str>,
    /// The words of an enumeration.
    pub words: &'static [&'static str],
}

impl SettingFact {
    /// Whether it speaks of a server.
    #[must_use]
    pub fn covers(&self, server_version_num: u32) -> bool {
        server_version_num >= self.from && self.till.is_none_or(|till| server_version_num < till)
    }
}

/// Every row, sorted by name without regard to case.
#[must_use]
pub fn settings() -> &'static [SettingFact] {
    &tables::SETTINGS
}

/// The order of names without regard to case.
fn by_letters(a: &str, b: &str) -> std::cmp::Ordering {
    a.bytes().map(|c| c.to_ascii_lowercase()).cmp(b.bytes().map(|c| c.to_ascii_lowercase()))
}

/// The rows of a setting, whose name may be in any case.
pub fn setting(name: &str) -> impl Iterator<Item = &'static SettingFact> {
    let rows = settings();
    let first = rows.partition_point(|row| by_letters(row.name, name).is_lt());
    let known = rows[first..].iter().take_while(|row| row.name.eq_ignore_ascii_case(name)).count();
    rows[first..first + known].iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_found_in_any_case_and_for_each_version() {
        assert_eq!(settings().len(), 441);
        assert_eq!(setting("datestyle").next().map(|s| s.name), Some("DateStyle"));
        let at = |v| setting("password_encryption").find(|s| s.covers(v)).map(|s| s.kind);
        assert_eq!((at(90_600), at(150_000)), (Some(SettingKind::Bool), Some(SettingKind::Enum)));
        assert!(setting("restore_command").all(|s| s.recovery));
        assert!(setting("no_such_setting").next().is_none());
    }
}
