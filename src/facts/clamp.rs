//! What Patroni makes of a value before it writes it into postgresql.conf (`postgresql/validator.py`).

use crate::knowledge::guc::{self, Flag};
use crate::knowledge::patroni::{SettingFact, SettingKind, setting, settings};
use crate::parse::patroni::{parse_bool, parse_int, parse_real};

/// What Patroni does with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Writes it.
    Taken,
    /// Leaves the setting out; what it wants instead.
    Dropped(String),
    /// Writes this bound instead, counted in the unit.
    Drawn {
        /// The bound.
        bound: &'static str,
        /// What it counts.
        unit: Option<&'static str>,
    },
}

/// The row that decides for a server (`server_version_num`), of settings that belong into postgresql.conf.
#[must_use]
pub fn row(name: &str, server_version_num: u32) -> Option<&'static SettingFact> {
    setting(name).find(|r| !r.recovery && r.covers(server_version_num))
}

/// The same of settings of recovery.
#[must_use]
pub fn recovery_row(name: &str, server_version_num: u32) -> Option<&'static SettingFact> {
    setting(name).find(|r| r.recovery && r.covers(server_version_num))
}

/// The settings of recovery, each once, by name.
pub fn recovery_settings() -> impl Iterator<Item = &'static str> {
    let rows = settings().iter().filter(|row| row.recovery).map(|row| row.name);
    let mut last = "";
    rows.filter(move |name| std::mem::replace(&mut last, name) != *name)
}

/// Whether a setting is one of recovery for Patroni, which does not write it as a plain parameter
/// (`ConfigHandler._RECOVERY_PARAMETERS`).
#[must_use]
pub fn is_recovery(name: &str) -> bool {
    setting(name).any(|r| r.recovery)
}

/// Whether `postgres --describe-config` lists a setting, so that Patroni writes it without a row of its own.
#[must_use]
pub fn is_described(name: &str, major: u16) -> bool {
    let hidden = |flag: &Flag| matches!(flag, Flag::NoShowAll | Flag::NotInSample);
    guc::find(name, major).is_some_and(|g| g.name.eq_ignore_ascii_case(name) && !g.flags.iter().any(hidden))
}

/// What Patroni writes for a plain parameter (`transform_postgresql_parameter_value`); `None` when it leaves it out.
#[must_use]
pub fn written(name: &str, text: &str, server_version_num: u32) -> Option<String> {
    if name.contains('.') && setting(name).next().is_none() {
        return Some(text.to_owned());
    }
    if is_recovery(name) {
        return None;
    }
    transformed(row(name, server_version_num), name, text, server_version_num)
}

/// What Patroni writes for a setting of recovery (`transform_recovery_parameter_value`).
#[must_use]
pub fn written_for_recovery(name: &str, text: &str, server_version_num: u32) -> Option<String> {
    transformed(recovery_row(name, server_version_num), name, text, server_version_num)
}

fn transformed(row: Option<&SettingFact>, name: &str, text: &str, server_version_num: u32) -> Option<String> {
    let Some(row) = row else {
        let major = u16::try_from(server_version_num / 10_000).unwrap_or(u16::MAX);
        return is_described(name, major).then(|| text.to_owned());
    };
    match judge(row, text) {
        Outcome::Taken => Some(text.to_owned()),
        Outcome::Drawn { bound, .. } => Some(bound.to_owned()),
        Outcome::Dropped(_) => None,
    }
}

/// What Patroni does with a value by a row.
#[must_use]
pub fn judge(row: &SettingFact, text: &str) -> Outcome {
    let known_word = || row.words.iter().any(|w| w.eq_ignore_ascii_case(text));
    let bool_or = |fine: bool, wanted: String| {
        if fine || parse_bool(text).is_some() { Outcome::Taken } else { Outcome::Dropped(wanted) }
    };
    match row.kind {
        SettingKind::String => Outcome::Taken,
        SettingKind::Bool => bool_or(false, "on or off".to_owned()),
        SettingKind::EnumBool => bool_or(known_word(), format!("on, off, {}", row.words.join(", "))),
        SettingKind::Enum if known_word() => Outcome::Taken,
        SettingKind::Enum => Outcome::Dropped(format!("one of {}", row.words.join(", "))),
        SettingKind::Integer => match parse_int(text, row.unit) {
            #[expect(clippy::cast_precision_loss, reason = "bounds have 32 bits")]
            Some(n) => drawn(row, n as f64),
            None => Outcome::Dropped(number(row, "a whole number")),
        },
        SettingKind::Real => match parse_real(text, row.unit) {
            Some(n) => drawn(row, n),
            None => Outcome::Dropped(number(row, "a number")),
        },
    }
}

fn number(row: &SettingFact, what: &str) -> String {
    row.unit.map_or_else(|| what.to_owned(), |unit| format!("{what}, counted in {unit}"))
}

/// The nearest bound, when a number lies outside.
fn drawn(row: &SettingFact, n: f64) -> Outcome {
    let bound = |text: Option<&'static str>| text.and_then(|t| Some((t, t.parse::<f64>().ok()?)));
    let low = bound(row.min).filter(|(_, low)| n < *low);
    let high = bound(row.max).filter(|(_, high)| n > *high);
    low.or(high).map_or(Outcome::Taken, |(bound, _)| Outcome::Drawn { bound, unit: row.unit })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::guc::MAJORS;
    use crate::parse::guc_value::parse_value;

    fn outcome(name: &str, major: u32, text: &str) -> Outcome {
        judge(row(name, major * 10_000).expect("a row"), text)
    }

    #[test]
    fn values_are_judged_as_patroni_does() {
        assert_eq!(outcome("archive_mode", 16, "True"), Outcome::Taken);
        assert_eq!(outcome("log_statement", 16, "DDL"), Outcome::Taken);
        assert!(matches!(outcome("track_functions", 16, "False"), Outcome::Dropped(_)));
        assert!(matches!(outcome("password_encryption", 16, "True"), Outcome::Dropped(_)));
        assert_eq!(outcome("shared_buffers", 16, "8GB"), Outcome::Taken);
        assert!(matches!(outcome("shared_buffers", 16, "8 gigs"), Outcome::Dropped(_)));
        assert_eq!(outcome("shared_buffers", 16, "1"), Outcome::Drawn { bound: "16", unit: Some("8kB") });
        assert_eq!(outcome("random_page_cost", 16, "1.1"), Outcome::Taken);
        assert_eq!(outcome("random_page_cost", 16, "-1"), Outcome::Drawn { bound: "0", unit: None });
        assert!(matches!(outcome("vacuum_cost_delay", 16, "10 lightyears"), Outcome::Dropped(_)));
    }

    #[test]
    fn settings_of_recovery_are_those_of_patroni() {
        let all: Vec<&str> = recovery_settings().collect();
        assert_eq!((all.len(), all.first(), all.last()), (18, Some(&"archive_cleanup_command"), Some(&"trigger_file")));
        assert!(all.iter().all(|name| is_recovery(name)) && !is_recovery("work_mem"));
    }

    #[test]
    fn what_is_written_is_what_patroni_would_write() {
        assert_eq!(written("work_mem", "1kB", 150_018).as_deref(), Some("64"));
        assert_eq!(written("app.region", "eu", 150_018).as_deref(), Some("eu"));
        assert_eq!(written("restore_command", "cp", 150_018), None);
        assert_eq!(written("no_such_setting", "1", 150_018), None);
        assert_eq!(written_for_recovery("restore_command", "cp", 150_018).as_deref(), Some("cp"));
    }

    #[test]
    fn the_server_takes_every_boolean_that_patroni_writes_for_an_enumeration() {
        let mut seen = 0;
        for major in MAJORS {
            for fact in settings().iter().filter(|r| r.kind == SettingKind::EnumBool) {
                let row = row(fact.name, u32::from(major) * 10_000).filter(|r| r.kind == SettingKind::EnumBool);
                let Some(guc) = row.and_then(|row| guc::find(row.name, major)) else { continue };
                for word in ["True", "False"] {
                    assert!(parse_value(guc, word, major).is_ok(), "{} of {major}", guc.name);
                    seen += 1;
                }
            }
        }
        assert!(seen > 60, "{seen}");
    }
}
