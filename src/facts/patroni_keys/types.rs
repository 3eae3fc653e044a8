//! Whether a value is of a type that Patroni can use.

use crate::knowledge::patroni::{KeyFact, Kind};
use crate::parse::patroni::{Item, ItemValue, Type, parse_bool, parse_int};
use crate::parse::yaml::Int;

/// What a value is worth.
pub(super) enum Verdict<'a> {
    /// Nothing to say.
    Fine,
    /// Patroni gets by; its validator does not.
    Harmless(&'static str),
    /// Patroni fails, or does something else than what was meant. The value to blame, and what it should be.
    Wrong(&'a Item, &'static str),
    /// A number outside these bounds.
    OutOfRange(String),
    /// None of these words.
    NoSuchWord(String),
}

/// Sections that end Patroni when they are null.
const NEVER_NULL: [&str; 6] = [
    "bootstrap.dcs",
    "postgresql.authentication",
    "postgresql.authentication.replication",
    "postgresql.authentication.rewind",
    "postgresql.authentication.superuser",
    "kubernetes.labels",
];

pub(super) fn judge<'a>(row: &KeyFact, item: &'a Item) -> Verdict<'a> {
    let text = match &item.value {
        ItemValue::Str(text) => Some(&**text),
        ItemValue::Secret(secret, Type::Str) => Some(secret.reveal()),
        _ => None,
    };
    if item.kind() == Type::Unknown || text.is_some_and(is_placeholder) {
        return Verdict::Fine;
    }
    if item.kind() == Type::Null {
        return null(row, item);
    }
    match row.kind {
        Kind::Any => Verdict::Fine,
        Kind::Str | Kind::Address => only(item, Type::Str, "a string"),
        Kind::Text => match item.kind() {
            Type::Map | Type::List | Type::Set => Verdict::Wrong(item, "a single value"),
            Type::Str => Verdict::Fine,
            _ if row.demand == Some("str") => Verdict::Harmless("a string"),
            _ => Verdict::Fine,
        },
        Kind::Bool => boolean(row, item, text),
        Kind::Truth => truth(row, item, text),
        Kind::Int => integer(row, item, text),
        Kind::PyInt => match &item.value {
            ItemValue::Int(Int::Small(n)) => in_range(row, *n),
            _ => only(item, Type::Int, "an integer"),
        },
        Kind::Map | Kind::Free => only(item, Type::Map, "a map"),
        Kind::Strs => strings(row, item),
        Kind::StrsCsv if item.kind() == Type::Str => Verdict::Fine,
        Kind::StrsCsv => match strings(row, item) {
            Verdict::Wrong(at, "a list of strings") => Verdict::Wrong(at, "a list of strings, or a string with commas"),
            other => other,
        },
        Kind::IntsCsv => match &item.value {
            ItemValue::Int(_) | ItemValue::Str(_) => Verdict::Fine,
            ItemValue::List(items) => first_wrong(items, "an integer", |k| matches!(k, Type::Int | Type::Str)),
            _ => Verdict::Wrong(item, "an integer or a list of integers"),
        },
        Kind::Maps => match &item.value {
            ItemValue::List(items) => first_wrong(items, "a map", |k| k == Type::Map),
            _ => Verdict::Wrong(item, "a list of maps"),
        },
        Kind::Enum | Kind::ExactEnum => word(row, item, text),
        Kind::Format => one_of(item, &[Type::Str, Type::List], "a string or a list"),
        Kind::Options => one_of(item, &[Type::List, Type::Map], "a list or a map"),
    }
}

/// A value that a template will fill in.
fn is_placeholder(text: &str) -> bool {
    ["{{", "{%", "${", "<%"].iter().any(|mark| text.contains(mark))
}

fn only<'a>(item: &'a Item, kind: Type, expected: &'static str) -> Verdict<'a> {
    one_of(item, &[kind], expected)
}

fn one_of<'a>(item: &'a Item, kinds: &[Type], expected: &'static str) -> Verdict<'a> {
    if kinds.contains(&item.kind()) { Verdict::Fine } else { Verdict::Wrong(item, expected) }
}

const fn expectation(kind: Kind) -> &'static str {
    match kind {
        Kind::Str | Kind::Address | Kind::Text => "a string",
        Kind::Bool | Kind::Truth => "a boolean",
        Kind::Int | Kind::PyInt => "an integer",
        Kind::Strs => "a list of strings",
        Kind::StrsCsv => "a list of strings, or a string with commas",
        Kind::IntsCsv => "an integer or a list of integers",
        Kind::Map | Kind::Free => "a map",
        Kind::Maps => "a list of maps",
        Kind::Enum | Kind::ExactEnum => "a word",
        Kind::Format => "a string or a list",
        Kind::Options => "a list or a map",
        Kind::Any => "a value",
    }
}

fn null<'a>(row: &KeyFact, item: &'a Item) -> Verdict<'a> {
    if row.required || NEVER_NULL.contains(&row.path) {
        Verdict::Wrong(item, expectation(row.kind))
    } else if row.demand.is_some() {
        Verdict::Harmless(expectation(row.kind))
    } else {
        Verdict::Fine
    }
}

fn boolean<'a>(row: &KeyFact, item: &'a Item, text: Option<&str>) -> Verdict<'a> {
    let as_word = text.is_some_and(|t| row.words.iter().any(|w| w.eq_ignore_ascii_case(t)));
    match &item.value {
        ItemValue::Bool(_) => Verdict::Fine,
        _ if as_word => Verdict::Fine,
        ItemValue::Str(t) if parse_bool(t).is_some() && row.demand == Some("bool") => Verdict::Harmless("a boolean"),
        ItemValue::Str(t) if parse_bool(t).is_some() => Verdict::Fine,
        ItemValue::Int(Int::Small(0 | 1)) if row.demand == Some("bool") => Verdict::Harmless("a boolean"),
        ItemValue::Int(Int::Small(0 | 1)) => Verdict::Fine,
        _ => Verdict::Wrong(item, "a boolean"),
    }
}

/// Python's truth: every text that is not empty is true.
fn truth<'a>(row: &KeyFact, item: &'a Item, text: Option<&str>) -> Verdict<'a> {
    match (&item.value, text.map(parse_bool)) {
        (ItemValue::Bool(_), _) => Verdict::Fine,
        (_, Some(Some(true))) | (ItemValue::Int(Int::Small(0 | 1)), _) if row.demand == Some("bool") => {
            Verdict::Harmless("a boolean")
        }
        (_, Some(Some(true))) | (ItemValue::Int(Int::Small(0 | 1)), _) => Verdict::Fine,
        _ => Verdict::Wrong(item, "a boolean"),
    }
}

fn integer<'a>(row: &KeyFact, item: &'a Item, text: Option<&str>) -> Verdict<'a> {
    let unit = match row.path {
        "thread_stack_size" => Some("B"),
        "bootstrap.dcs.member_slots_ttl" => Some("s"),
        _ => None,
    };
    match (&item.value, text) {
        (ItemValue::Int(Int::Small(n)), _) => in_range(row, *n),
        (ItemValue::Int(Int::Big(digits)), _) => {
            if row.high.is_some() || digits.starts_with('-') {
                Verdict::OutOfRange(bounds(row))
            } else {
                Verdict::Fine
            }
        }
        (_, Some(t)) => parse_int(t, unit).map_or(Verdict::Wrong(item, "an integer"), |n| in_range(row, n)),
        _ => Verdict::Wrong(item, "an integer"),
    }
}

fn in_range<'a>(row: &KeyFact, n: i64) -> Verdict<'a> {
    if row.low.is_some_and(|low| n < low) || row.high.is_some_and(|high| n > high) {
        Verdict::OutOfRange(bounds(row))
    } else {
        Verdict::Fine
    }
}

fn bounds(row: &KeyFact) -> String {
    match (row.low, row.high) {
        (Some(low), Some(high)) => format!("{low} to {high}"),
        (Some(low), None) => format!("at least {low}"),
        (None, Some(high)) => format!("at most {high}"),
        (None, None) => String::new(),
    }
}

fn first_wrong<'a>(items: &'a [Item], expected: &'static str, fine: impl Fn(Type) -> bool) -> Verdict<'a> {
    let wrong = items.iter().find(|i| i.kind() != Type::Unknown && !fine(i.kind()));
    wrong.map_or(Verdict::Fine, |i| Verdict::Wrong(i, expected))
}

fn strings<'a>(row: &KeyFact, item: &'a Item) -> Verdict<'a> {
    match &item.value {
        ItemValue::List(items) if items.is_empty() && row.demand == Some("list") => {
            Verdict::Harmless("a list with items")
        }
        ItemValue::List(items) => first_wrong(items, "a string", |k| k == Type::Str),
        _ => Verdict::Wrong(item, "a list of strings"),
    }
}

fn word<'a>(row: &KeyFact, item: &'a Item, text: Option<&str>) -> Verdict<'a> {
    // An unquoted `off` is false, which `watchdog.mode` takes for what was written.
    if item.kind() == Type::Bool && row.path == "watchdog.mode" && matches!(item.value, ItemValue::Bool(false)) {
        return Verdict::Fine;
    }
    let Some(text) = text else { return Verdict::Wrong(item, "a word") };
    let fine = row.words.iter().any(|w| if row.kind == Kind::Enum { w.eq_ignore_ascii_case(text) } else { *w == text });
    if fine { Verdict::Fine } else { Verdict::NoSuchWord(row.words.join(", ")) }
}
