//! PostgreSQL settings in Patroni's configuration, as Patroni checks them before it writes them (`postgresql/validator.py`).

use crate::facts::clamp::{Outcome, judge, row};
use crate::facts::gap::Gap;
use crate::facts::{Facts, PatroniFile};
use crate::knowledge::guc::{self, MAJORS};
use crate::knowledge::patroni::{SettingFact, SettingKind, command_line_setting, setting};
use crate::parse::patroni::{Item, ItemValue};
use crate::parse::yaml;
use crate::rules::report::Report;

/// A value that Patroni leaves out or replaces.
pub(in crate::rules::native) fn values(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    each(facts, |_, name, item, majors| {
        let Some(text) = item.as_written() else { return };
        let outcomes: Vec<Outcome> = majors.iter().filter_map(|v| Some(judge(of_major(name, *v)?, &text))).collect();
        // It must be so for every version that the member may have.
        let Some(outcome) = outcomes.first().filter(|f| **f != Outcome::Taken && !outcomes.contains(&Outcome::Taken))
        else {
            return;
        };
        let effect = match outcome {
            Outcome::Drawn { bound, unit: Some(unit) } => format!("Patroni writes {bound} (counted in {unit}) instead"),
            Outcome::Drawn { bound, unit: None } => format!("Patroni writes {bound} instead"),
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
        let Some(value) = item.as_written() else { return };
        let known = |v: &u16| of_major(name, *v).is_some() || guc::find(name, *v).is_some();
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
        let is_enum = |v: &u16| of_major(name, *v).is_some_and(|r| r.kind == SettingKind::EnumBool);
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

fn of_major(name: &str, major: u16) -> Option<&'static SettingFact> {
    row(name, u32::from(major) * 10_000)
}
