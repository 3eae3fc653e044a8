//! Whether a value is of a type that Patroni can use.

use crate::knowledge::patroni::{KeyFact, Kind};
use crate::parse::patroni::{Item, ItemValue, Type, parse_bool, parse_int, split_host_port};
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
    /// Not what may stand here.
    NotAllowed(String),
    /// An address that cannot be read or used: the value to blame, and why.
    Address(&'a Item, &'static str),
    /// Nothing where something must be.
    Empty,
}

/// What `thread_stack_size` must be a multiple of (`validator.py:IntValidator.aligned`).
const STACK_STEP: i64 = 65536;

/// Sections that end Patroni when they are null.
pub const NEVER_NULL: [&str; 6] = [
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
        Kind::Str => string(row, item, text),
        Kind::Address => text.map_or_else(|| only(item, Type::Str, "a string"), |text| address(row, item, text)),
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
        Kind::Strs => hosts(row, item).unwrap_or_else(|| strings(item)),
        Kind::StrsCsv if item.kind() == Type::Str => hosts(row, item).unwrap_or(Verdict::Fine),
        Kind::StrsCsv => match strings(item) {
            Verdict::Wrong(at, "a list of strings") => Verdict::Wrong(at, "a list of strings, or a string with commas"),
            Verdict::Fine => hosts(row, item).unwrap_or(Verdict::Fine),
            other => other,
        },
        Kind::IntsCsv => integers(item),
        Kind::Maps => match &item.value {
            ItemValue::List(items) => first_wrong(items, "a map", |k| k == Type::Map),
            _ => Verdict::Wrong(item, "a list of maps"),
        },
        Kind::Enum | Kind::ExactEnum => word(row, item, text),
        Kind::Format => format(item),
        Kind::Options => match &item.value {
            ItemValue::List(items) => {
                first_wrong(items, "a string or a map with one option", |k| matches!(k, Type::Str | Type::Map))
            }
            ItemValue::Map(_) if row.demand == Some("list") => Verdict::Harmless("a list"),
            _ => one_of(item, &[Type::List, Type::Map], "a list or a map"),
        },
    }
}

fn string<'a>(row: &KeyFact, item: &'a Item, text: Option<&str>) -> Verdict<'a> {
    let Some(text) = text else { return only(item, Type::Str, "a string") };
    if row.path == "postgresql.data_dir" && text.is_empty() {
        return Verdict::Empty;
    }
    // The name is put behind `bin_dir`, so an empty one names the directory.
    if row.path.starts_with("postgresql.bin_name.") && text.is_empty() {
        return Verdict::NotAllowed("the name of a program".to_owned());
    }
    // Patroni hands it on as `V1EndpointAddress.ip`, which Kubernetes checks.
    if row.demand == Some("ip") && text.parse::<std::net::IpAddr>().is_err() {
        return Verdict::NotAllowed("an IPv4 or IPv6 address".to_owned());
    }
    Verdict::Fine
}

/// An address must have a number behind its last colon, if it has one (`utils.py:split_host_port`). What is wrong with the two `listen`
/// and with PostgreSQL's and the REST API's `connect_address` beyond that, rules of their own say.
fn address<'a>(row: &KeyFact, item: &'a Item, text: &str) -> Verdict<'a> {
    if row.path.ends_with(".listen") {
        return Verdict::Fine;
    }
    let Some((host, _)) = split_host_port(text, 1) else {
        return Verdict::Address(item, "there is no number behind its last colon, so Patroni cannot read it");
    };
    let itself = ["127.0.0.1", "0.0.0.0", "*", "::1", "localhost"].contains(&host.as_str());
    if itself && matches!(row.path, "postgresql.proxy_address" | "raft.self_addr") {
        return Verdict::Address(item, "other hosts are told to use it, and reach themselves");
    }
    Verdict::Fine
}

/// What is wrong with one of the hosts of a DCS. Those of etcd have a rule of their own.
fn hosts<'a>(row: &KeyFact, item: &'a Item) -> Option<Verdict<'a>> {
    if row.demand != Some("hosts") || row.path.starts_with("etcd") {
        return None;
    }
    let unreadable = |text: &str| split_host_port(text.trim(), 1).is_none() && !is_placeholder(text);
    let blame = |at| Verdict::Address(at, "there is no number behind its last colon, so Patroni cannot read it");
    match &item.value {
        ItemValue::Str(text) => text.split(',').any(unreadable).then(|| blame(item)),
        ItemValue::List(items) => items.iter().find(|i| i.as_str().is_some_and(unreadable)).map(blame),
        _ => None,
    }
}

/// Numbers that Patroni reads out of a list, or out of one text with commas.
fn integers(item: &Item) -> Verdict<'_> {
    let number = |text: &str| text.split(',').all(|part| parse_int(part.trim(), None).is_some());
    match &item.value {
        ItemValue::Int(_) => Verdict::Fine,
        ItemValue::Str(text) if number(text) => Verdict::Harmless("an integer or a list of integers"),
        ItemValue::List(items) => {
            let fine = |i: &&Item| i.kind() == Type::Int || i.kind() == Type::Unknown;
            match items.iter().find(|i| !fine(i)) {
                None => Verdict::Fine,
                Some(i) if i.as_str().is_some_and(number) => Verdict::Harmless("integers without quotes"),
                Some(i) => Verdict::Wrong(i, "an integer"),
            }
        }
        _ => Verdict::Wrong(item, "an integer or a list of integers"),
    }
}

/// `log.format`: a text, or a list of names and of maps that rename one (`log.py:PatroniLogger._get_json_formatter`).
fn format(item: &Item) -> Verdict<'_> {
    let renames = |i: &Item| matches!(i.pairs(), [one] if matches!(one.item.kind(), Type::Str | Type::Unknown));
    match &item.value {
        ItemValue::List(items) if items.is_empty() => Verdict::Harmless("a string, or a list with items"),
        ItemValue::List(items) => {
            let fine = |i: &&Item| matches!(i.kind(), Type::Str | Type::Unknown) || renames(i);
            let wrong = items.iter().find(|i| !fine(i));
            wrong.map_or(Verdict::Fine, |i| Verdict::Wrong(i, "a string or a map of one string"))
        }
        _ => one_of(item, &[Type::Str, Type::List], "a string or a list"),
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

/// What a value of a kind is called.
#[must_use]
pub const fn expectation(kind: Kind) -> &'static str {
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
        (_, Some(t)) => match parse_int(t, unit).map(|n| in_range(row, n)) {
            None => Verdict::Wrong(item, "an integer"),
            Some(Verdict::Fine) if row.demand == Some("int") => Verdict::Harmless("an integer without quotes"),
            Some(verdict) => verdict,
        },
        _ => Verdict::Wrong(item, "an integer"),
    }
}

fn in_range<'a>(row: &KeyFact, n: i64) -> Verdict<'a> {
    if row.path == "thread_stack_size" && n % STACK_STEP != 0 {
        Verdict::OutOfRange(format!("a multiple of {STACK_STEP}"))
    } else if row.low.is_some_and(|low| n < low) || row.high.is_some_and(|high| n > high) {
        Verdict::OutOfRange(bounds(row))
    } else {
        Verdict::Fine
    }
}

/// The bounds of a number, in words; empty when there are none.
#[must_use]
pub fn bounds(row: &KeyFact) -> String {
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

/// A list may be empty: that the validator rejects one is its mistake.
fn strings(item: &Item) -> Verdict<'_> {
    match &item.value {
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
    if fine { Verdict::Fine } else { Verdict::NotAllowed(format!("one of {}", row.words.join(", "))) }
}
