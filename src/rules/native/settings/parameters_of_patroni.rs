//! PostgreSQL settings in Patroni's configuration, as Patroni checks them before it writes them (`postgresql/validator.py`).

use crate::facts::gap::Gap;
use crate::facts::{Facts, PatroniFile};
use crate::knowledge::guc::{self, MAJORS};
use crate::knowledge::patroni::{SettingFact, SettingKind, command_line_setting, setting};
use crate::parse::patroni::{Item, ItemValue, parse_bool, parse_int};
use crate::parse::yaml;
use crate::rules::report::Report;

/// What Patroni does with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Outcome {
    /// Writes it.
    Taken,
    /// Leaves the setting out; what it wants instead.
    Dropped(String),
    /// Writes this instead.
    Drawn(String),
}

/// A value that Patroni leaves out or replaces.
pub(in crate::rules::native) fn values(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    each(facts, |_, name, item, majors| {
        let Some(text) = printed(item) else { return };
        let outcomes: Vec<Outcome> = majors.iter().filter_map(|v| Some(judge(row(name, *v)?, &text))).collect();
        // It must be so for every version that the member may have.
        let Some(outcome) = outcomes.first().filter(|f| **f != Outcome::Taken && !outcomes.contains(&Outcome::Taken))
        else {
            return;
        };
        let effect = match outcome {
            Outcome::Drawn(bound) => format!("Patroni writes {bound} instead"),
            Outcome::Dropped(wanted) => format!("Patroni leaves it out; it wants {wanted}"),
            Outcome::Taken => return,
        };
        report.add(report.problem(item.span).arg("name", name).arg("value", text).arg("effect", effect));
    });
    Ok(())
}

/// A setting that neither Patroni nor the server knows.
pub(in crate::rules::native) fn names(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    each(facts, |_, name, item, majors| {
        let Some(value) = printed(item) else { return };
        let known = |v: &u16| row(name, *v).is_some() || guc::find(name, *v).is_some();
        let free = name.contains('.') || guc::build_dependent(name).is_some() || setting(name).any(|r| r.recovery);
        if free || majors.iter().any(known) {
            return;
        }
        let versions: Vec<String> = guc::versions(name).iter().map(u16::to_string).collect();
        let server = if let [major] = majors { format!("PostgreSQL {major}") } else { "PostgreSQL".to_owned() };
        let suggestion = majors.last().and_then(|v| guc::suggest(name, *v)).filter(|_| versions.is_empty());
        report.add(
            report
                .problem(item.key_or_value())
                .arg("name", name)
                .arg("value", value)
                .arg("server", server)
                .arg("suggestion", suggestion.unwrap_or_default())
                .arg("known-to", versions.join(", ")),
        );
    });
    Ok(())
}

/// `on` without quotes for a setting that is no boolean: the server takes `True`, Patroni never finds it equal to `on`.
pub(in crate::rules::native) fn booleans(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    each(facts, |file, name, item, majors| {
        let ItemValue::Bool(value) = item.value else { return };
        let is_enum = |v: &u16| row(name, *v).is_some_and(|r| r.kind == SettingKind::EnumBool);
        if !majors.iter().all(is_enum) {
            return;
        }
        let word = if value { "on" } else { "off" };
        let mut problem = report.problem(item.span).arg("name", name).arg("word", word);
        problem = problem.arg("printed", if value { "True" } else { "False" });
        if file.source.id() == item.span.source {
            problem = problem.edit(item.span, yaml::quote(word));
        }
        report.add(problem);
    });
    Ok(())
}

/// `on` without quotes for a setting that is a text: the server gets the text `True`.
pub(in crate::rules::native) fn booleans_for_texts(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    each(facts, |_, name, item, majors| {
        let ItemValue::Bool(value) = item.value else { return };
        let is_text = |v: &u16| {
            let mut rows = setting(name);
            rows.any(|r| r.kind == SettingKind::String && r.covers(u32::from(*v) * 10_000))
        };
        if majors.iter().all(is_text) {
            let printed = if value { "True" } else { "False" };
            report.add(report.problem(item.span).arg("name", name).arg("printed", printed));
        }
    });
    Ok(())
}

/// Every setting that Patroni writes into postgresql.conf, with the versions that the member may have.
fn each(facts: &Facts, mut look: impl FnMut(&PatroniFile, &str, &Item, &[u16])) {
    for (i, file) in facts.numbered_files() {
        let own = facts.member_of(i).and_then(|m| m.postgresql);
        let majors: Vec<u16> = own.map_or_else(|| MAJORS.collect(), |v| vec![v]);
        for (name, item) in file.local_parameters().chain(file.dynamic_parameters()) {
            if command_line_setting(name, facts.patroni_version).is_none() {
                look(file, name, item, &majors);
            }
        }
    }
}

fn row(name: &str, major: u16) -> Option<&'static SettingFact> {
    setting(name).find(|r| !r.recovery && r.covers(u32::from(major) * 10_000))
}

/// `str()` of a scalar.
fn printed(item: &Item) -> Option<String> {
    match item.value {
        ItemValue::Bool(value) => Some(if value { "True" } else { "False" }.to_owned()),
        _ => item.as_setting(),
    }
}

fn judge(row: &SettingFact, text: &str) -> Outcome {
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
        SettingKind::Real => match text.trim().parse() {
            Ok(n) => drawn(row, n),
            // With a unit it may still be one.
            Err(_) if text.trim_start().starts_with(|c: char| c.is_ascii_digit()) => Outcome::Taken,
            Err(_) => Outcome::Dropped(number(row, "a number")),
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
    low.or(high).map_or(Outcome::Taken, |(text, _)| {
        Outcome::Drawn(row.unit.map_or_else(|| text.to_owned(), |unit| format!("{text} (counted in {unit})")))
    })
}

#[cfg(test)]
mod tests {
    use super::{Outcome, judge, row};
    use crate::knowledge::guc::{self, MAJORS};
    use crate::knowledge::patroni::{SettingKind, settings};
    use crate::parse::guc_value::parse_value;

    fn outcome(name: &str, major: u16, text: &str) -> Outcome {
        judge(row(name, major).unwrap(), text)
    }

    #[test]
    fn values_are_judged_as_patroni_does() {
        assert_eq!(outcome("archive_mode", 16, "True"), Outcome::Taken);
        assert_eq!(outcome("log_statement", 16, "DDL"), Outcome::Taken);
        assert!(matches!(outcome("track_functions", 16, "False"), Outcome::Dropped(_)));
        assert!(matches!(outcome("password_encryption", 16, "True"), Outcome::Dropped(_)));
        assert_eq!(outcome("shared_buffers", 16, "8GB"), Outcome::Taken);
        assert!(matches!(outcome("shared_buffers", 16, "8 gigs"), Outcome::Dropped(_)));
        assert_eq!(outcome("shared_buffers", 16, "1"), Outcome::Drawn("16 (counted in 8kB)".to_owned()));
        assert_eq!(outcome("random_page_cost", 16, "1.1"), Outcome::Taken);
        assert_eq!(outcome("random_page_cost", 16, "-1"), Outcome::Drawn("0".to_owned()));
    }

    #[test]
    fn the_server_takes_every_boolean_that_patroni_writes_for_an_enumeration() {
        let mut seen = 0;
        for major in MAJORS {
            for fact in settings().iter().filter(|r| r.kind == SettingKind::EnumBool) {
                let Some(row) = row(fact.name, major).filter(|r| r.kind == SettingKind::EnumBool) else { continue };
                let Some(guc) = guc::find(row.name, major) else { continue };
                for word in ["True", "False"] {
                    assert!(parse_value(guc, word, major).is_ok(), "{} of {major}", row.name);
                    seen += 1;
                }
            }
        }
        assert!(seen > 60, "{seen}");
    }
}
