//! A prediction in words, of one cluster: what formats lay out, each in its own way. Nothing in it must not be seen.

use std::collections::BTreeMap;

use super::Shown;
use super::alike::{Part, Row, parts};
use super::danger::{Danger, dangers};
use super::value::human;
use super::words::{self, Level};
use crate::facts::gap::{Fact, Gap};
use crate::predict::connections::Connection;
use crate::predict::settings::{By, Setting, State};
use crate::predict::slots::{Fate, Slot};
use crate::predict::touched::Touch;
use crate::predict::{MemberPrediction, gaps};
use crate::report::full::some;
use crate::report::plural;

/// One cluster.
#[derive(Debug)]
pub(in crate::report) struct Sheet {
    /// Its name, where a file tells it.
    pub(in crate::report) scope: Option<String>,
    /// The members, in the order in which Patroni has to be started.
    pub(in crate::report) members: Vec<String>,
    /// Member and what it is.
    pub(in crate::report) roles: Vec<(Vec<String>, String)>,
    /// The worst first.
    pub(in crate::report) dangers: Vec<Danger>,
    /// What changes, kind by kind.
    pub(in crate::report) tables: Vec<Table>,
    /// What is not known and why.
    pub(in crate::report) unknown: Vec<String>,
}

/// A table, of the members that have these rows.
#[derive(Debug)]
pub(in crate::report) struct Table {
    /// `Settings`
    pub(in crate::report) kind: &'static str,
    /// The members; none where it is all of them.
    pub(in crate::report) members: Vec<String>,
    /// The names of the columns; the last one is the place.
    pub(in crate::report) head: &'static [&'static str],
    /// The rows.
    pub(in crate::report) rows: Vec<Row>,
    /// What else there is to say of them.
    pub(in crate::report) notes: Vec<String>,
    /// Columns that hold values to be compared.
    pub(in crate::report) compared: std::ops::Range<usize>,
}

/// What tables of settings are called.
pub(super) const SETTINGS: &str = "Settings";

const SETTING: &[&str] = &["setting", "now", "attached", "restarted", "set by", "risk", "where"];
const SLOTS: &[&str] = &["slot", "kind", "now", "becomes", "when", "where"];
const CONNECTIONS: &[&str] = &["for", "from → to", "as", "decided by", ""];
const TOUCHED: &[&str] = &["when", "Patroni", "what", ""];

/// One for each cluster, in the order of the prediction.
pub(in crate::report) fn sheets(shown: &Shown<'_>) -> Vec<Sheet> {
    let mut clusters: Vec<Vec<&MemberPrediction>> = Vec::new();
    for member in &shown.prediction.members {
        match clusters.iter_mut().find(|c| c[0].scope == member.scope) {
            Some(cluster) => cluster.push(member),
            None => clusters.push(vec![member]),
        }
    }
    clusters.into_iter().map(|members| sheet(shown, &members)).collect()
}

fn sheet(shown: &Shown<'_>, members: &[&MemberPrediction]) -> Sheet {
    let names: Vec<String> = members.iter().map(|m| shown.words(&m.name)).collect();
    let mut tables = settings(shown, members, &names);
    tables.extend(slots(shown, members, &names));
    tables.extend(connections(shown, members, &names));
    tables.extend(touched(shown, members, &names));
    Sheet {
        scope: members.first().and_then(|m| m.scope.as_deref()).map(|scope| shown.words(scope)),
        roles: together(members.iter().zip(&names).map(|(member, name)| (name.clone(), is(member)))),
        dangers: dangers(shown, members),
        unknown: unknown(shown, members),
        members: names,
        tables,
    }
}

/// Names of which the same is said, in the order of the first of them.
fn together(said: impl Iterator<Item = (String, String)>) -> Vec<(Vec<String>, String)> {
    let mut all: Vec<(Vec<String>, String)> = Vec::new();
    for (name, text) in said {
        match all.iter_mut().find(|(_, other)| *other == text) {
            Some((names, _)) => names.push(name),
            None => all.push((vec![name], text)),
        }
    }
    all
}

fn is(member: &MemberPrediction) -> String {
    let major = member.postgresql.map_or("of a major that is not known".to_owned(), |major| major.to_string());
    format!("{}, PostgreSQL {major}, Patroni {}", words::role(member.role), member.patroni)
}

/// The parts of a kind as tables, with notes of members behind the first of them.
fn tables(kind: &'static str, head: &'static [&'static str], names: &[String], rows: Vec<Vec<Row>>, notes: Vec<(String, String)>) -> Vec<Table> {
    let whole = names.len();
    let named = |members: &[usize]| -> Vec<String> {
        if members.len() == whole { Vec::new() } else { members.iter().map(|m| names[*m].clone()).collect() }
    };
    let table = |Part { members, rows }: Part| Table { kind, members: named(&members), head, rows, notes: Vec::new(), compared: 0..0 };
    let mut tables: Vec<Table> = parts(rows).into_iter().map(table).collect();
    let notes = together(notes.into_iter()).into_iter().map(|(members, note)| {
        if members.len() == whole { note } else { format!("{}: {note}", some(&members)) }
    });
    let notes: Vec<String> = notes.collect();
    if let Some(last) = tables.last_mut() {
        last.notes = notes;
    } else if !notes.is_empty() {
        tables.push(Table { kind, members: Vec::new(), head, rows: Vec::new(), notes, compared: 0..0 });
    }
    tables
}

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

fn settings(shown: &Shown<'_>, members: &[&MemberPrediction], names: &[String]) -> Vec<Table> {
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
            Ok(_) if !shown.all => notes.push((name.clone(), format!("{} of {} {} shown", own.len(), all.len(), plural(all.len(), "setting")))),
            Ok(_) => {}
            Err(gap) => notes.push((name.clone(), format!("not known: {}", shown.words(&of_any(gap).to_string())))),
        }
        if !quiet.is_empty() {
            notes.push((name.clone(), format!("{} keep their value and are set by others than today: {}", quiet.len(), some(&quiet))));
        }
        if !open.is_empty() {
            notes.push((name.clone(), format!("of {} it is not known whether they change: {}", open.len(), some(&open))));
        }
        rows.push(own);
    }
    let mut tables = tables(SETTINGS, SETTING, names, rows, notes);
    tables.iter_mut().for_each(|table| table.compared = 1..4);
    tables
}

fn setting_row(shown: &Shown<'_>, member: &MemberPrediction, setting: &Setting) -> Row {
    let value = |fact: &Fact<State>| match fact {
        Ok(state) => {
            let pending = if state.pending { " *" } else { "" };
            shown.words(&human(&setting.name, member.postgresql, &state.value)) + pending
        }
        Err(_) => "?".to_owned(),
    };
    let known = |fact: &'_ Fact<State>| fact.as_ref().ok().cloned();
    let (now, end) = (known(&setting.now), known(&setting.restarted).or_else(|| known(&setting.attached)));
    let by = match (&now, &end) {
        (Some(now), Some(end)) if now.by != end.by => format!("{} (now {})", words::by(end.by), words::by(now.by)),
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
    let risks: Vec<&str> = setting.risks.iter().map(|risk| words::risk(*risk)).collect();
    let mut more = Vec::new();
    let differs = match (&setting.started, &setting.restarted) {
        (Ok(started), Ok(restarted)) => started.value != restarted.value,
        (started, restarted) => started.is_ok() != restarted.is_ok(),
    };
    if differs {
        more.push(format!("{} when Patroni starts a stopped server", value(&setting.started)));
    }
    if is_danger || shown.all {
        more.push(format!("to change it: {}", shown.words(&words::change(setting))));
    }
    Row {
        cells: vec![
            shown.words(&setting.name),
            value(&setting.now),
            value(&setting.attached),
            value(&setting.restarted),
            by,
            risks.join(", "),
        ],
        place,
        level: if is_danger { Level::Danger } else if changes { Level::Notice } else { Level::Fine },
        more,
    }
}

fn slots(shown: &Shown<'_>, members: &[&MemberPrediction], names: &[String]) -> Vec<Table> {
    let mut rows = Vec::new();
    let mut notes = Vec::new();
    for (member, name) in members.iter().zip(names) {
        let all = member.slots.as_ref().map_or(&[][..], Vec::as_slice);
        let changes = |slot: &&Slot| shown.all || !matches!(slot.fate, Fate::Kept | Fate::LeftAlone);
        let own: Vec<Row> = all.iter().filter(changes).map(|slot| slot_row(shown, slot)).collect();
        let rest: Vec<String> = all.iter().filter(|slot| !changes(slot)).map(|s| shown.words(&s.name)).collect();
        match &member.slots {
            Err(gap) => notes.push((name.clone(), format!("not known: {}", shown.words(&of_any(gap).to_string())))),
            Ok(all) if all.is_empty() => notes.push((name.clone(), "none, and none are made".to_owned())),
            Ok(_) if !rest.is_empty() => notes.push((name.clone(), format!("{} stay as they are: {}", rest.len(), some(&rest)))),
            Ok(_) => {}
        }
        rows.push(own);
    }
    tables("Slots", SLOTS, names, rows, notes)
}

fn slot_row(shown: &Shown<'_>, slot: &Slot) -> Row {
    let level = match slot.fate {
        Fate::Dropped => Level::Danger,
        Fate::Created | Fate::Copied => Level::Notice,
        Fate::Kept | Fate::LeftAlone => Level::Fine,
    };
    Row {
        cells: vec![
            shown.words(&slot.name),
            shown.words(&words::kind(slot)),
            words::active(slot.active).to_owned(),
            words::fate(slot.fate).to_owned(),
            shown.words(slot.when),
        ],
        place: slot.at.map(|at| shown.place(at)),
        level,
        more: vec![shown.words(&slot.because)].into_iter().filter(|because| !because.is_empty()).collect(),
    }
}

fn connections(shown: &Shown<'_>, members: &[&MemberPrediction], names: &[String]) -> Vec<Table> {
    let mut rows = Vec::new();
    let mut notes = Vec::new();
    for (member, name) in members.iter().zip(names) {
        let all: Vec<Row> = member.connections.iter().map(|c| connection_row(shown, c)).collect();
        let count = all.len();
        let own: Vec<Row> = all.into_iter().filter(|row| shown.all || row.level > Level::Fine).collect();
        if own.len() < count {
            let rest = count - own.len();
            notes.push((name.clone(), format!("{rest} {} in (--all shows which line decides)", if rest == 1 { "gets" } else { "get" })));
        }
        rows.push(own);
    }
    tables("Connections", CONNECTIONS, names, rows, notes)
}

fn connection_row(shown: &Shown<'_>, connection: &Connection) -> Row {
    let place = |at| shown.place(at);
    let (level, decided) = words::decided(connection, &place);
    Row {
        cells: vec![
            words::purpose(connection.purpose).to_owned(),
            shown.words(&format!("{} → {}", connection.from, connection.to)),
            shown.words(&words::identity(connection)),
            shown.words(&decided),
        ],
        place: None,
        level,
        more: Vec::new(),
    }
}

fn touched(shown: &Shown<'_>, members: &[&MemberPrediction], names: &[String]) -> Vec<Table> {
    let mut rows = Vec::new();
    let mut notes = Vec::new();
    for (member, name) in members.iter().zip(names) {
        let own = member.touched.iter().flatten().map(|touch| touch_row(shown, touch)).collect();
        if let Err(gap) = &member.touched {
            notes.push((name.clone(), format!("not known: {}", shown.words(&of_any(gap).to_string()))));
        }
        rows.push(own);
    }
    tables("Files and processes", TOUCHED, names, rows, notes)
}

fn touch_row(shown: &Shown<'_>, touch: &Touch) -> Row {
    let to = touch.to.as_ref().map(|to| format!(" → {to}")).unwrap_or_default();
    Row {
        cells: vec![
            words::moment(touch.moment).to_owned(),
            words::act(touch.act).to_owned(),
            shown.words(&format!("{}{to}", touch.what)),
        ],
        place: None,
        level: Level::Notice,
        more: vec![shown.words(&touch.because)].into_iter().filter(|because| !because.is_empty()).collect(),
    }
}

/// A gap without its member, where that stands elsewhere.
fn of_any(gap: &Gap) -> Gap {
    Gap { node: None, ..gap.clone() }
}

/// What is not known of the members, each cause once.
fn unknown(shown: &Shown<'_>, members: &[&MemberPrediction]) -> Vec<String> {
    let mut causes: BTreeMap<Gap, Vec<&str>> = BTreeMap::new();
    for member in members {
        for gap in gaps(member) {
            let of = causes.entry(of_any(gap)).or_default();
            if of.last() != Some(&member.name.as_str()) {
                of.push(&member.name);
            }
        }
    }
    let line = |(gap, of): (Gap, Vec<&str>)| {
        let gap = if of.len() == members.len() { gap } else { gap.on(some(&of)) };
        shown.words(&gap.to_string())
    };
    causes.into_iter().map(line).collect()
}
