//! For programs: one JSON object, versioned; its schema is `src/report/prediction.schema.json`. Everything is in it, also what does not change.

use serde::Serialize;

use super::Shown;
use super::sheet::sheets;
use super::value::human;
use crate::facts::gap::{Fact, Gap};
use crate::predict::connections::{Decided, Purpose};
use crate::predict::settings::{By, Change, Risk, Setting, State, Value};
use crate::predict::slots::Fate;
use crate::predict::touched::Touch;
use crate::predict::{MemberPrediction, Role, gaps};
use crate::report::Verdict as Outcome;
use crate::report::gate::{Gate, gates};
use crate::report::json::Tool;
use crate::source::Span;

/// Changes when a reader of an older version could misread the output.
pub const VERSION: u32 = 1;

/// The JSON Schema of the output.
pub const SCHEMA: &str = include_str!("../prediction.schema.json");

#[derive(Serialize)]
struct Document {
    version: u32,
    tool: Tool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    gate: Vec<Gate>,
    dangers: Vec<DangerItem>,
    members: Vec<Member>,
    summary: Summary,
}

/// Something dangerous; the worst of a cluster stands first.
#[derive(Serialize)]
struct DangerItem {
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    members: Vec<String>,
    what: String,
    who: String,
    to_do: String,
}

#[derive(Serialize)]
struct Summary {
    members: usize,
    dangers: usize,
    not_known: usize,
    exit: u8,
    reason: String,
}

#[derive(Serialize)]
struct Member {
    name: String,
    scope: Option<String>,
    role: Role,
    postgresql: Option<u16>,
    patroni: String,
    settings: Known<Vec<Row>>,
    slots: Known<Vec<Slot>>,
    /// Why the server may have others.
    #[serde(skip_serializing_if = "Option::is_none")]
    further_slots: Option<Gap>,
    connections: Vec<Connection>,
    touched: Known<Vec<Touch>>,
    assumed: Vec<Gap>,
    not_known: Vec<Gap>,
}

/// What is known, or why it is not.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
enum Known<T> {
    Known(T),
    NotKnown(Gap),
}

#[derive(Serialize)]
struct Row {
    name: String,
    now: Known<Is>,
    attached: Known<Is>,
    restarted: Known<Is>,
    started: Known<Is>,
    changes: bool,
    change: Change,
    risks: Vec<Risk>,
}

#[derive(Serialize)]
struct Is {
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    /// The value as people write it.
    #[serde(skip_serializing_if = "Option::is_none")]
    shown: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    without_value: Option<&'static str>,
    source: String,
    by: By,
    pending_restart: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
}

#[derive(Serialize)]
struct Slot {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    database: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    plugin: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    active: Option<bool>,
    fate: Fate,
    when: &'static str,
    because: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
}

#[derive(Serialize)]
struct Connection {
    purpose: Purpose,
    from: String,
    to: String,
    place: Option<String>,
    address: Option<String>,
    user: Option<String>,
    database: Option<String>,
    tls: Option<bool>,
    decided: Known<Verdict>,
    /// What decides today, where that is another `pg_hba.conf`.
    #[serde(skip_serializing_if = "Option::is_none")]
    today: Option<Known<Verdict>>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
enum Verdict {
    Line { at: String, method: String, stored: Option<String> },
    Refused { at: String },
    NeedsTls { at: String },
    ServerWithoutTls,
    NoLine,
    Endpoint { seen: String },
}

/// The object.
///
/// # Panics
/// Never: plain data has a JSON form.
#[must_use]
pub fn render(shown: &Shown<'_>, verdict: &Outcome) -> String {
    let members: Vec<Member> = shown.prediction.members.iter().map(|m| member(shown, m)).collect();
    let mut dangers = Vec::new();
    for sheet in sheets(shown) {
        dangers.extend(sheet.dangers.into_iter().map(|danger| DangerItem {
            scope: sheet.scope.clone(),
            members: danger.members,
            what: danger.what,
            who: danger.who,
            to_do: danger.todo,
        }));
    }
    let summary = Summary {
        members: members.len(),
        dangers: dangers.len(),
        not_known: members.iter().map(|m| m.not_known.len()).sum(),
        exit: verdict.code,
        reason: words(shown, &verdict.reason),
    };
    let gate = gates(shown.page).into_iter().map(|gate| Gate { member: words(shown, &gate.member), ..gate });
    let document = Document { version: VERSION, tool: Tool::own(), gate: gate.collect(), dangers, members, summary };
    serde_json::to_string_pretty(&document).expect("invariant: plain data has a JSON form") + "\n"
}

fn words(shown: &Shown<'_>, text: &str) -> String {
    shown.exact(text)
}

/// A gap without what must not be seen.
fn clean(shown: &Shown<'_>, gap: &Gap) -> Gap {
    Gap {
        node: gap.node.as_deref().map(|node| words(shown, node)),
        what: words(shown, &gap.what),
        why: gap.why,
        detail: gap.detail.as_deref().map(|detail| words(shown, detail)),
    }
}

fn known<T, U>(shown: &Shown<'_>, fact: &Fact<T>, with: impl FnOnce(&T) -> U) -> Known<U> {
    match fact {
        Ok(value) => Known::Known(with(value)),
        Err(gap) => Known::NotKnown(clean(shown, gap)),
    }
}

/// `pg1.yml:12:5`
fn place(shown: &Shown<'_>, at: Span) -> String {
    let source = shown.page.sources.get(at.source);
    let (line, column) = source.position(at.start);
    words(shown, &format!("{}:{line}:{column}", source.name()))
}

fn member(shown: &Shown<'_>, member: &MemberPrediction) -> Member {
    Member {
        name: words(shown, &member.name),
        scope: member.scope.as_deref().map(|scope| words(shown, scope)),
        role: member.role,
        postgresql: member.postgresql,
        patroni: member.patroni.to_string(),
        settings: known(shown, &member.settings, |all| all.iter().map(|row| setting(shown, member, row)).collect()),
        slots: known(shown, &member.slots, |all| {
            let one = |slot: &crate::predict::slots::Slot| Slot {
                name: words(shown, &slot.name),
                database: slot.logical.as_ref().map(|(database, _)| words(shown, database)),
                plugin: slot.logical.as_ref().map(|(_, plugin)| words(shown, plugin)),
                active: slot.active,
                fate: slot.fate,
                when: slot.when,
                because: words(shown, &slot.because),
                at: slot.at.map(|at| place(shown, at)),
            };
            all.iter().map(one).collect()
        }),
        further_slots: member.all_slots.as_ref().err().map(|gap| clean(shown, gap)),
        connections: member.connections.iter().map(|c| connection(shown, c)).collect(),
        touched: known(shown, &member.touched, |all| {
            let one = |touch: &Touch| Touch {
                what: words(shown, &touch.what),
                to: touch.to.as_deref().map(|to| words(shown, to)),
                because: words(shown, &touch.because),
                in_doubt: touch.in_doubt.as_ref().map(|gap| clean(shown, gap)),
                ..touch.clone()
            };
            all.iter().map(one).collect()
        }),
        assumed: member.assumed.iter().map(|gap| clean(shown, gap)).collect(),
        not_known: gaps(member).into_iter().map(|gap| clean(shown, gap)).collect(),
    }
}

fn setting(shown: &Shown<'_>, member: &MemberPrediction, row: &Setting) -> Row {
    let state = |fact: &Fact<State>| known(shown, fact, |state| is(shown, member, row, state));
    Row {
        name: words(shown, &row.name),
        now: state(&row.now),
        attached: state(&row.attached),
        restarted: state(&row.restarted),
        started: state(&row.started),
        changes: row.changes(),
        change: row.change,
        risks: row.risks.clone(),
    }
}

fn is(shown: &Shown<'_>, member: &MemberPrediction, row: &Setting, state: &State) -> Is {
    let (value, without_value) = match &state.value {
        Value::Is(value) => (Some(words(shown, value)), None),
        Value::Computed => (None, Some("the server works it out when it starts")),
        Value::Hidden => (None, Some("it holds a secret")),
    };
    Is {
        shown: value.is_some().then(|| words(shown, &human(&row.name, member.postgresql, &state.value))),
        value,
        without_value,
        source: words(shown, &state.source),
        by: state.by,
        pending_restart: state.pending,
        at: state.at.map(|at| place(shown, at)),
    }
}

fn connection(shown: &Shown<'_>, connection: &crate::predict::connections::Connection) -> Connection {
    Connection {
        purpose: connection.purpose,
        from: words(shown, &connection.from),
        to: words(shown, &connection.to),
        place: connection.place.as_deref().map(|place| words(shown, place)),
        address: connection.address.map(|a| a.to_string()),
        user: connection.user.as_deref().map(|user| words(shown, user)),
        database: connection.database.as_deref().map(|d| words(shown, d)),
        tls: connection.tls,
        decided: known(shown, &connection.decided, |decided| verdict(shown, decided)),
        today: connection.today.as_ref().map(|today| known(shown, today, |decided| verdict(shown, decided))),
    }
}

fn verdict(shown: &Shown<'_>, decided: &Decided) -> Verdict {
    match decided {
        Decided::Line { at, method, stored } => Verdict::Line {
            at: place(shown, *at),
            method: words(shown, method),
            stored: stored.as_deref().map(|s| words(shown, s)),
        },
        Decided::Refused { at } => Verdict::Refused { at: place(shown, *at) },
        Decided::NeedsTls { at } => Verdict::NeedsTls { at: place(shown, *at) },
        Decided::ServerWithoutTls => Verdict::ServerWithoutTls,
        Decided::NoLine => Verdict::NoLine,
        Decided::Endpoint { seen } => Verdict::Endpoint { seen: words(shown, seen) },
    }
}
