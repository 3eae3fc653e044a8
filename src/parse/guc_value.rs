//! Values of settings, read as the server reads them (`parse_and_validate_value` in `src/backend/utils/misc/guc.c`,
//! `parse_bool` in `src/backend/utils/adt/bool.c`), with its messages.
//!
//! Of what a setting checks beyond its type and range, only what depends on the value alone is checked here. A text passes,
//! and so does what depends on the server (does the time zone exist, was it built with SSL).

use crate::knowledge::guc::{Guc, Kind};
use crate::knowledge::units::Unit;
use crate::parse::standby_names::{Refused, parse_standby_names};

mod number;

use number::{Number, strtod, strtol};

/// A value, the same for all its spellings: `1GB` equals `1024MB`, `yes` equals `on`.
#[derive(Debug, Clone, PartialEq)]
pub enum GucValue {
    /// Of a Boolean setting.
    Bool(bool),
    /// In the setting's base unit.
    Int(i32),
    /// In the setting's base unit.
    Real(f64),
    /// The word that the server shows.
    Enum(&'static str),
    /// The text as it is.
    Str(String),
}

/// Why the server refuses a value, in its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueError {
    /// The error message.
    pub message: String,
    /// Its `DETAIL`.
    pub detail: Option<String>,
    /// Its `HINT`.
    pub hint: Option<String>,
}

impl ValueError {
    fn invalid(guc: &Guc, value: &str, hint: Option<String>) -> Self {
        Self { message: format!("invalid value for parameter \"{}\": \"{value}\"", guc.name), detail: None, hint }
    }
}

/// Reads a value for a setting of a major version. The version matters for the words of a refusal alone.
///
/// # Errors
/// What the server would say.
pub fn parse_value(guc: &Guc, value: &str, version: u16) -> Result<GucValue, ValueError> {
    match &guc.kind {
        Kind::Bool if guc.name == "default_with_oids" && parse_bool(value) == Some(true) => {
            let message = "tables declared WITH OIDS are not supported".to_owned();
            Err(ValueError { message, detail: None, hint: None })
        }
        Kind::Bool => parse_bool(value).map(GucValue::Bool).ok_or_else(|| ValueError {
            message: format!("parameter \"{}\" requires a Boolean value", guc.name),
            detail: None,
            hint: None,
        }),
        Kind::Int { min, max, unit } => int(guc, value, *min, *max, *unit, version),
        Kind::Real { min, max, unit } => real(guc, value, *min, *max, *unit, version),
        Kind::Enum { labels, synonyms } => {
            let same = |l: &str| l.eq_ignore_ascii_case(value);
            let meant = synonyms.iter().find(|(w, _)| same(w)).map(|(_, m)| *m);
            meant.or_else(|| labels.iter().find(|l| same(l)).copied()).map(GucValue::Enum).ok_or_else(|| {
                ValueError::invalid(guc, value, Some(format!("Available values: {}.", labels.join(", "))))
            })
        }
        Kind::Str if guc.name == "synchronous_standby_names" => match parse_standby_names(value) {
            Ok(_) => Ok(GucValue::Str(value.to_owned())),
            Err(Refused::Syntax) => Err(ValueError::invalid(guc, value, None)),
            Err(Refused::Number(n)) => {
                let message = format!("number of synchronous standbys ({n}) must be greater than zero");
                Err(ValueError { message, detail: None, hint: None })
            }
        },
        Kind::Str => Ok(GucValue::Str(value.to_owned())),
    }
}

/// A value as `pg_settings.setting` shows it, in the base unit.
#[must_use]
pub fn shown(value: &GucValue) -> String {
    match value {
        GucValue::Bool(on) => if *on { "on" } else { "off" }.to_owned(),
        GucValue::Int(n) => n.to_string(),
        GucValue::Real(n) => number::format_g(*n),
        GucValue::Enum(word) => (*word).to_owned(),
        GucValue::Str(text) => text.clone(),
    }
}

/// A Boolean: any beginning of `true`, `false`, `yes`, `no`; `on`, `off` or `of`; `1` or `0`; capitals do not matter and
/// white space is not allowed.
#[must_use]
pub fn parse_bool(value: &str) -> Option<bool> {
    let lower = value.to_ascii_lowercase();
    let begins = |word: &str, least: usize| lower.len() >= least && word.starts_with(&lower);
    if begins("true", 1) || begins("yes", 1) || lower == "on" || lower == "1" {
        Some(true)
    } else if begins("false", 1) || begins("no", 1) || begins("off", 2) || lower == "0" {
        Some(false)
    } else {
        None
    }
}

fn int(guc: &Guc, value: &str, min: i32, max: i32, unit: Option<Unit>, version: u16) -> Result<GucValue, ValueError> {
    let invalid = |hint: Option<&str>| ValueError::invalid(guc, value, hint.map(str::to_owned));
    let mut number = strtol(value);
    let rest = &value.as_bytes()[number.end..];
    if number.out_of_range || matches!(rest.first(), Some(b'.' | b'e' | b'E')) {
        number = strtod(value);
    }
    let exact = in_base_unit(value, number, unit).map_err(invalid)?.round_ties_even();
    if exact > f64::from(i32::MAX) || exact < f64::from(i32::MIN) {
        return Err(invalid(Some("Value exceeds integer range.")));
    }
    #[expect(clippy::cast_possible_truncation, reason = "a whole number in the range of i32")]
    let n = exact as i32;
    if n < min || n > max {
        return Err(outside(guc, [n, min, max].map(|n| n.to_string()), unit, version));
    }
    match further(guc.name, n, version) {
        Some(detail) => {
            let message = format!("invalid value for parameter \"{}\": {n}", guc.name);
            Err(ValueError { message, detail: Some(detail), hint: None })
        }
        None => Ok(GucValue::Int(n)),
    }
}

/// A number outside its range. The bounds have units from 17 on.
fn outside(guc: &Guc, [n, min, max]: [String; 3], unit: Option<Unit>, version: u16) -> ValueError {
    let unit = unit.map_or_else(String::new, |u| format!(" {}", u.name()));
    let bound = if version >= 17 { unit.as_str() } else { "" };
    let name = guc.name;
    let message =
        format!("{n}{unit} is outside the valid range for parameter \"{name}\" ({min}{bound} .. {max}{bound})");
    ValueError { message, detail: None, hint: None }
}

/// The detail of a refusal beyond the range, for check hooks that depend on nothing but the value (`check_slru_buffers`
/// in `slru.c`, `check_vacuum_buffer_usage_limit` in `vacuum.c`, `check_io_max_concurrency`).
fn further(name: &str, n: i32, version: u16) -> Option<String> {
    let period = if version >= 18 { "." } else { "" };
    match name {
        "commit_timestamp_buffers"
        | "multixact_member_buffers"
        | "multixact_offset_buffers"
        | "notify_buffers"
        | "serializable_buffers"
        | "subtransaction_buffers"
        | "transaction_buffers"
            if n % 16 != 0 =>
        {
            Some(format!("\"{name}\" must be a multiple of 16{period}"))
        }
        "vacuum_buffer_usage_limit" if n != 0 && n < 128 => {
            Some(format!("\"{name}\" must be 0 or between 128 kB and 16777216 kB{period}"))
        }
        "io_max_concurrency" if n == 0 => Some("Only -1 or values bigger than 0 are valid.".to_owned()),
        _ => None,
    }
}

fn real(guc: &Guc, value: &str, min: f64, max: f64, unit: Option<Unit>, version: u16) -> Result<GucValue, ValueError> {
    let n = in_base_unit(value, strtod(value), unit)
        .map_err(|hint| ValueError::invalid(guc, value, hint.map(str::to_owned)))?;
    if n < min || n > max {
        return Err(outside(guc, [n, min, max].map(number::format_g), unit, version));
    }
    // -0 and 0 are one value.
    Ok(GucValue::Real(n + 0.0))
}

/// The number in the setting's unit; the error is the server's hint.
fn in_base_unit(value: &str, number: Number, unit: Option<Unit>) -> Result<f64, Option<&'static str>> {
    if number.end == 0 || number.out_of_range || number.value.is_nan() {
        return Err(None);
    }
    let written = value[number.end..].trim_matches(is_space);
    match unit {
        _ if written.is_empty() => Ok(number.value),
        None => Err(None),
        Some(u) => u.from_written(number.value, written).ok_or(Some(u.hint())),
    }
}

/// `isspace` in the C locale.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\x0b' | '\x0c' | '\r')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::guc::find;

    fn value(name: &str, text: &str) -> Result<GucValue, ValueError> {
        parse_value(find(name, 18).expect("known"), text, 18)
    }

    #[test]
    fn spellings_of_one_value_are_equal() {
        assert_eq!(value("shared_buffers", "1GB"), value("shared_buffers", " 1024 MB "));
        assert_eq!(value("shared_buffers", "1GB"), Ok(GucValue::Int(131_072)));
        assert_eq!(value("work_mem", "0x400"), value("work_mem", "1.0MB"));
        assert_eq!(value("work_mem", "0200"), Ok(GucValue::Int(128)));
        assert_eq!(value("wal_level", "Hot_Standby"), Ok(GucValue::Enum("replica")));
        assert_eq!(value("fsync", "tr"), value("fsync", "ON"));
        assert_eq!(value("checkpoint_timeout", "0.5h"), value("checkpoint_timeout", "1800"));
    }

    #[test]
    fn refusals_carry_the_words_of_the_server() {
        let e = value("work_mem", "64mb").expect_err("unit");
        assert_eq!(e.message, "invalid value for parameter \"work_mem\": \"64mb\"");
        assert!(e.hint.is_some_and(|h| h.contains("\"kB\"")));
        let e = value("shared_buffers", "64kB").expect_err("range");
        assert_eq!(
            e.message,
            "8 8kB is outside the valid range for parameter \"shared_buffers\" (16 8kB .. 1073741823 8kB)"
        );
        let e = value("seq_page_cost", "-1").expect_err("range");
        assert_eq!(e.message, "-1 is outside the valid range for parameter \"seq_page_cost\" (0 .. 1.79769e+308)");
        assert!(value("fsync", "o").is_err() && value("fsync", " on").is_err() && value("fsync", "").is_err());
    }
}
