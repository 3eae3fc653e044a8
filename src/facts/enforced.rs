//! What Patroni puts on PostgreSQL's command line, whatever postgresql.conf says.

use super::PatroniFile;
use crate::knowledge::patroni::{Accepts, CommandLineSetting};
use crate::parse::patroni::{Item, Type, parse_bool, parse_int};
use crate::source::Span;

/// A value that Patroni will use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Used {
    /// As it is written, or Patroni's default.
    pub value: String,
    /// Where it is written; `None` for the default.
    pub at: Option<Span>,
}

/// What Patroni will use when a cluster's dynamic configuration is made of this file; `None` when the file is broken there or a template decides it, or
/// for a setting that Patroni derives from elsewhere.
#[must_use]
pub fn enforced(file: &PatroniFile, setting: &CommandLineSetting) -> Option<Used> {
    let default = || setting.default.map(|_| Used { value: default_of(setting), at: None });
    match file.dynamic_parameter(setting.name) {
        Some(item) if item.kind() == Type::Unknown || item.optional => None,
        Some(item) if item.kind() != Type::Null && accepts(setting, item) => {
            Some(Used { value: item.as_setting()?, at: Some(item.key_or_value()) })
        }
        Some(_) => default(),
        None if file.is_absent(&format!("bootstrap.dcs.postgresql.parameters.{}", setting.name)) => default(),
        None => None,
    }
}

/// Whether Patroni takes a value from the dynamic configuration (`ConfigHandler.CMDLINE_OPTIONS`).
#[must_use]
pub fn accepts(setting: &CommandLineSetting, item: &Item) -> bool {
    let Some(text) = item.as_setting() else { return false };
    match setting.accepts {
        Accepts::Never => false,
        Accepts::True => parse_bool(&text) == Some(true),
        Accepts::Bool => parse_bool(&text).is_some(),
        Accepts::Words(words) => words.iter().any(|w| w.eq_ignore_ascii_case(&text)),
        Accepts::Int { low, unit } => parse_int(&text, unit).is_some_and(|n| n >= low),
    }
}

/// Patroni's default. `hot_standby` is the old word for `replica` and is written so to servers before 9.6 only.
#[must_use]
pub fn default_of(setting: &CommandLineSetting) -> String {
    match setting.default {
        Some("hot_standby") if setting.name == "wal_level" => "replica".to_owned(),
        other => other.unwrap_or_default().to_owned(),
    }
}

/// What Patroni wants of a value, in words.
#[must_use]
pub fn floor_of(setting: &CommandLineSetting) -> String {
    match setting.accepts {
        Accepts::Never => "to be left out".to_owned(),
        Accepts::True => "on".to_owned(),
        Accepts::Bool => "on or off".to_owned(),
        Accepts::Words(words) => {
            words.iter().filter(|w| **w != "hot_standby").copied().collect::<Vec<_>>().join(" or ")
        }
        Accepts::Int { low, unit } => format!("at least {low}{}", unit.unwrap_or_default()),
    }
}
