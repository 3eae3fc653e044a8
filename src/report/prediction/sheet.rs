//! A prediction in words, of one cluster: what formats lay out, each in its own way. Nothing in it must not be seen.

mod settings;

use std::collections::BTreeMap;

use super::Shown;
use super::alike::{Part, Row, parts};
use super::danger::{Danger, dangers};
use super::words::{self, Level};
use crate::facts::gap::Gap;
use crate::predict::connections::Connection;
use crate::predict::slots::{Fate, Slot};
use crate::predict::touched::Touch;
use crate::predict::{MemberPrediction, gaps};
use crate::report::full::some;

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
/// What tables of slots are called.
pub(super) const SLOTS: &str = "Slots";

const SLOT_HEAD: &[&str] = &["slot", "kind", "now", "becomes", "when", "where"];
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
    let mut tables = settings::tables(shown, members, &names);
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
fn tables(
    kind: &'static str,
    head: &'static [&'static str],
    names: &[String],
    rows: Vec<Vec<Row>>,
    notes: Vec<(String, String)>,
) -> Vec<Table> {
    let whole = names.len();
    let of_part = |members: &[usize]| -> Vec<String> {
        if members.len() == whole { Vec::new() } else { members.iter().map(|m| names[*m].clone()).collect() }
    };
    let table = |Part { members, rows }: Part| Table {
        kind,
        members: of_part(&members),
        head,
        rows,
        notes: Vec::new(),
        compared: 0..0,
    };
    let mut tables: Vec<Table> = parts(rows).into_iter().map(table).collect();
    let notes = together(notes.into_iter())
        .into_iter()
        .map(|(members, note)| if members.len() == whole { note } else { format!("{}: {note}", some(&members)) });
    let notes: Vec<String> = notes.collect();
    if let Some(last) = tables.last_mut() {
        last.notes = notes;
    } else if !notes.is_empty() {
        tables.push(Table { kind, members: Vec::new(), head, rows: Vec::new(), notes, compared: 0..0 });
    }
    tables
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
            Ok(all) if all.is_empty() && member.all_slots.is_ok() => {
                notes.push((name.clone(), "none, and none are made".to_owned()));
            }
            Ok(_) if !rest.is_empty() => {
                notes.push((
                    name.clone(),
                    format!(
                        "{} {} as it is: {}",
                        rest.len(),
                        if rest.len() == 1 { "stays" } else { "stay, each" },
                        some(&rest)
                    ),
                ));
            }
            Ok(_) => {}
        }
        if let (Ok(_), Err(gap)) = (&member.slots, &member.all_slots) {
            notes.push((name.clone(), format!("whether there are others: {}", shown.words(&of_any(gap).to_string()))));
        }
        rows.push(own);
    }
    tables(SLOTS, SLOT_HEAD, names, rows, notes)
}

fn slot_row(shown: &Shown<'_>, slot: &Slot) -> Row {
    let level = match slot.fate {
        Fate::Dropped | Fate::Remade | Fate::NotMade => Level::Danger,
        Fate::Created | Fate::Copied | Fate::Wanted => Level::Notice,
        Fate::Kept | Fate::LeftAlone => Level::Fine,
    };
    Row {
        cells: vec![
            shown.words(&slot.name),
            shown.words(&words::kind(slot)),
            if slot.fate == Fate::Wanted { "not known" } else { words::active(slot.active) }.to_owned(),
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
        let all: Vec<Row> = member.connections.iter().map(|c| connection_row(shown, member, c)).collect();
        let count = all.len();
        let own: Vec<Row> = all.into_iter().filter(|row| shown.all || row.level > Level::Fine).collect();
        if own.len() < count {
            let rest = count - own.len();
            notes.push((
                name.clone(),
                format!("{rest} {} in (--all shows which line decides)", if rest == 1 { "gets" } else { "get" }),
            ));
        }
        rows.push(own);
    }
    tables("Connections", CONNECTIONS, names, rows, notes)
}

fn connection_row(shown: &Shown<'_>, member: &MemberPrediction, connection: &Connection) -> Row {
    let place = |at| shown.place(at);
    let (level, decided) = words::decided(member, connection, &place);
    Row {
        cells: vec![
            words::purpose(connection.purpose).to_owned(),
            shown.words(&format!("{} → {}", connection.from, connection.to)),
            shown.words(&words::identity(connection)),
            shown.words(&decided),
        ],
        place: None,
        level,
        more: words::decided_today(member, connection, &place).into_iter().map(|today| shown.words(&today)).collect(),
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
        more: [
            Some(shown.words(&touch.because)).filter(|because| !because.is_empty()),
            touch.in_doubt.as_ref().map(|gap| shown.words(&format!("in doubt: {}", of_any(gap)))),
        ]
        .into_iter()
        .flatten()
        .collect(),
    }
}

/// A gap without its member, where that stands elsewhere.
fn of_any(gap: &Gap) -> Gap {
    Gap { node: None, ..gap.clone() }
}

/// What is not known of the members, each cause once. Causes that are the same but for a name stand together: of two dozen settings that only the
/// server knows there is one thing to say.
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
    let mut alike: Vec<(Gap, Vec<&str>, Vec<String>)> = Vec::new();
    for (gap, of) in causes {
        let (name, blank) = without_name(&gap);
        match alike.iter_mut().find(|(other, members, _)| *other == blank && *members == of) {
            Some((_, _, names)) => names.push(name),
            None => alike.push((blank, of, vec![name])),
        }
    }
    let line = |(blank, of, names): (Gap, Vec<&str>, Vec<String>)| {
        let of = if of.len() == members.len() { String::new() } else { format!(" of {}", some(&of)) };
        let what = blank.what.replacen(NAME, &some(&names), 1);
        let verb = if names.len() > 1 { "are" } else { "is" };
        let detail = blank.detail.map(|detail| format!(" ({detail})")).unwrap_or_default();
        shown.words(&format!("{what}{of} {verb} {}{detail}", blank.why.words()))
    };
    alike.into_iter().map(line).collect()
}

/// What stands in the place of a name.
const NAME: &str = "\u{0}";

/// The first name between backticks of what is missing, and the gap without it.
fn without_name(gap: &Gap) -> (String, Gap) {
    let mut parts = gap.what.splitn(3, '`');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(before), Some(name), Some(behind)) => {
            (format!("`{name}`"), Gap { what: format!("{before}{NAME}{behind}"), ..gap.clone() })
        }
        _ => (String::new(), gap.clone()),
    }
}
