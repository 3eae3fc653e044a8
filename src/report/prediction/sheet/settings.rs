//! The rows of settings: which are shown, and how.

use super::super::Shown;
use super::super::alike::Row;
use super::super::value::human;
use super::super::words::{self, Level};
use super::{SETTINGS, Table, of_any};
use crate::facts::gap::Fact;
use crate::predict::MemberPrediction;
use crate::predict::settings::{By, Setting, State};
use crate::report::full::some;
use crate::report::plural;

const HEAD: &[&str] = &["setting", "now", "attached", "restarted", "set by", "risk", "where"];

/// How a setting is shown when not all of them are.
enum Weight {
    Row,
    /// Its value stays, and somebody else sets it.
    OtherHands,
    /// Whether it changes is not known.
    NotKnown,
    Same,
}

fn weigh(setting: &Setting) -> Weight {
    let states = [&setting.now, &setting.attached, &setting.restarted, &setting.started];
    let known: Vec<&State> = states.iter().filter_map(|s| s.as_ref().ok()).collect();
    let is_due = known.iter().skip(1).any(|state| state.pending);
    let moves = known.windows(2).any(|w| w[0].value != w[1].value);
    let of_patroni = |by: By| by >= By::PatroniDefault;
    if moves || is_due || !setting.risks.is_empty() {
        Weight::Row
    } else if known.len() < states.len() {
        if known.iter().any(|state| of_patroni(state.by)) { Weight::Row } else { Weight::NotKnown }
    } else if known.windows(2).any(|w| w[0].by != w[1].by) {
        Weight::OtherHands
    } else {
        Weight::Same
    }
}

/// The tables of all members.
pub(super) fn tables(shown: &Shown<'_>, members: &[&MemberPrediction], names: &[String]) -> Vec<Table> {
    let mut rows = Vec::new();
    let mut notes = Vec::new();
    for (member, name) in members.iter().zip(names) {
        let mut own = Vec::new();
        let (mut quiet, mut open): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
        let all = member.settings.as_ref().map_or(&[][..], Vec::as_slice);
        for setting in all {
            match weigh(setting) {
                Weight::Row => own.push(setting_row(shown, member, setting)),
                _ if shown.all => own.push(setting_row(shown, member, setting)),
                Weight::OtherHands => quiet.push(shown.words(&setting.name)),
                Weight::NotKnown => open.push(shown.words(&setting.name)),
                Weight::Same => {}
            }
        }
        // A row that somebody must look at stands first; the sort is stable.
        own.sort_by_key(|row| std::cmp::Reverse(row.level));
        match &member.settings {
            Ok(_) if !shown.all => notes
                .push((name.clone(), format!("{} of {} {} shown", own.len(), all.len(), plural(all.len(), "setting")))),
            Ok(_) => {}
            Err(gap) => notes.push((name.clone(), format!("not known: {}", shown.words(&of_any(gap).to_string())))),
        }
        if !quiet.is_empty() {
            let keep = if quiet.len() == 1 { "keeps" } else { "keep" };
            notes.push((
                name.clone(),
                format!("{} {} the value and will be set by others than today: {}", quiet.len(), keep, some(&quiet)),
            ));
        }
        if !open.is_empty() {
            notes.push((
                name.clone(),
                format!("of {} it is not known whether they change: {}", open.len(), some(&open)),
            ));
        }
        rows.push(own);
    }
    let mut tables = super::tables(SETTINGS, HEAD, names, rows, notes);
    for table in &mut tables {
        table.compared = 1..4;
    }
    tables
}

fn setting_row(shown: &Shown<'_>, member: &MemberPrediction, setting: &Setting) -> Row {
    let value = |fact: &Fact<State>| match fact {
        Ok(state) => {
            // In front, where no cut takes it away.
            let pending = if state.pending { "* " } else { "" };
            format!("{pending}{}", shown.words(&human(&setting.name, member.postgresql, &state.value)))
        }
        Err(_) => "?".to_owned(),
    };
    let known = |fact: &'_ Fact<State>| fact.as_ref().ok().cloned();
    let (now, end) = (known(&setting.now), known(&setting.restarted).or_else(|| known(&setting.attached)));
    let by = match (&now, &end) {
        (Some(now), Some(end)) if now.by != end.by && shown.all => {
            format!("{}, now {}", words::by(end.by), words::by(now.by))
        }
        (Some(_), Some(end)) => words::by(end.by).to_owned(),
        (_, Some(state)) | (Some(state), None) => words::by(state.by).to_owned(),
        (None, None) => "?".to_owned(),
    };
    let place = match (end.as_ref().and_then(|s| s.at), now.as_ref().and_then(|s| s.at)) {
        (Some(at), _) => Some(shown.place(at)),
        (None, Some(at)) => Some(format!("now {}", shown.place(at))),
        (None, None) => None,
    };
    let is_danger = setting.risks.iter().any(|risk| words::is_danger(*risk));
    let changes = !matches!(weigh(setting), Weight::Same);
    // That it waits for a restart stands beside the value.
    let risks = setting.risks.iter().filter(|risk| words::is_danger(**risk));
    let risk = risks.min().map(|risk| words::risk(*risk)).unwrap_or_default();
    let mut more = Vec::new();
    let differs = match (&setting.started, &setting.restarted) {
        (Ok(started), Ok(restarted)) => started.value != restarted.value,
        (started, restarted) => started.is_ok() != restarted.is_ok(),
    };
    if differs {
        more.push(format!("{} when Patroni starts a stopped server", value(&setting.started)));
    }
    if changes && shown.all {
        more.push(format!("to change it: {}", shown.words(&words::change(setting))));
    }
    Row {
        cells: vec![
            shown.words(&setting.name),
            value(&setting.now),
            value(&setting.attached),
            value(&setting.restarted),
            by,
            risk.to_owned(),
        ],
        place,
        level: if is_danger {
            Level::Danger
        } else if changes {
            Level::Notice
        } else {
            Level::Fine
        },
        more,
    }
}
