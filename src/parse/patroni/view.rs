//! Python's operations on single values, as far as Patroni's configuration depends on them.

use super::effective::Crash;
use super::item::{Item, ItemValue, Pair, Type};
use super::python;
use crate::knowledge::patroni::Accepts;
use crate::parse::yaml::Int;

pub(super) fn get<'a>(map: &'a [Pair], key: &str) -> Option<&'a Item> {
    map.iter().find(|p| p.key.value.as_str() == Some(key)).map(|p| &p.item)
}

pub(super) fn get_mut<'a>(map: &'a mut [Pair], key: &str) -> Option<&'a mut Item> {
    map.iter_mut().find(|p| p.key.value.as_str() == Some(key)).map(|p| &mut p.item)
}

/// Python's truth.
pub(super) fn is_true(item: &Item) -> bool {
    match &item.value {
        ItemValue::Null | ItemValue::Bool(false) => false,
        ItemValue::Int(Int::Small(n)) => *n != 0,
        ItemValue::Float(x) => *x != 0.0,
        ItemValue::Str(t) => !t.is_empty(),
        ItemValue::Secret(s, Type::Str) => !s.reveal().is_empty(),
        ItemValue::Secret(s, _) => !matches!(s.reveal(), "None" | "False" | "0" | "0.0" | "-0.0" | "b''"),
        ItemValue::Other(t, Type::Bytes) => &**t != "b''",
        ItemValue::Map(p) => !p.is_empty(),
        ItemValue::List(l) => !l.is_empty(),
        _ => true,
    }
}

/// `str()` of a value.
pub(super) fn print(item: &Item) -> String {
    match &item.value {
        ItemValue::Str(t) => t.to_string(),
        ItemValue::Secret(s, _) => s.reveal().to_owned(),
        ItemValue::Other(t, Type::Date) => t.replacen('T', " ", 1),
        _ => repr(item),
    }
}

pub(super) fn repr(item: &Item) -> String {
    match &item.value {
        ItemValue::Null | ItemValue::Unknown => "None".to_owned(),
        ItemValue::Bool(b) => if *b { "True" } else { "False" }.to_owned(),
        ItemValue::Int(n) => python::int(n),
        ItemValue::Float(x) => python::float(*x),
        ItemValue::Str(t) => python::quoted(t),
        ItemValue::Secret(s, Type::Str) => python::quoted(s.reveal()),
        ItemValue::Secret(s, Type::Date) => python::date(&s.reveal().replacen(' ', "T", 1)),
        ItemValue::Secret(s, _) => s.reveal().to_owned(),
        ItemValue::Other(t, Type::Date) => python::date(t),
        ItemValue::Other(t, _) => t.to_string(),
        ItemValue::Map(pairs) => {
            let inner: Vec<String> =
                pairs.iter().map(|p| format!("{}: {}", p.key.value.repr(), repr(&p.item))).collect();
            format!("{{{}}}", inner.join(", "))
        }
        ItemValue::List(items) => format!("[{}]", items.iter().map(repr).collect::<Vec<_>>().join(", ")),
    }
}

/// `(value or {}).items()`
pub(super) fn pairs_or_none(item: &Item) -> Result<&[Pair], Crash> {
    match &item.value {
        ItemValue::Map(pairs) => Ok(pairs),
        _ if !is_true(item) => Ok(&[]),
        _ => Err(no_attribute(item, "items")),
    }
}

pub(super) fn python_type(item: &Item) -> &'static str {
    match item.kind() {
        Type::Null | Type::Unknown => "NoneType",
        Type::Bool => "bool",
        Type::Int => "int",
        Type::Float => "float",
        Type::Str => "str",
        Type::Bytes => "bytes",
        Type::Date => "datetime.date",
        Type::Set => "set",
        Type::Map => "dict",
        Type::List => "list",
    }
}

pub(super) fn no_attribute(item: &Item, name: &str) -> Crash {
    Crash::new("AttributeError", item.span, format!("'{}' object has no attribute '{name}'", python_type(item)))
}

/// `key in value`, for a value of any type.
pub(super) fn contains(item: &Item, key: &str) -> Result<bool, Crash> {
    match &item.value {
        ItemValue::Map(pairs) => Ok(get(pairs, key).is_some()),
        ItemValue::List(items) => Ok(items.iter().any(|i| matches!(&i.value, ItemValue::Str(t) if &**t == key))),
        ItemValue::Str(text) => Ok(text.contains(key)),
        ItemValue::Secret(text, Type::Str) => Ok(text.reveal().contains(key)),
        ItemValue::Other(text, Type::Set) => Ok(text.contains(&python::quoted(key))),
        ItemValue::Unknown => Ok(false),
        _ => {
            Err(Crash::new("TypeError", item.span, format!("argument of type '{}' is not iterable", python_type(item))))
        }
    }
}

/// Python's `int()`.
pub(super) fn int(item: &Item) -> Result<Int, Crash> {
    let wrong = |exception, what: &str| Err(Crash::new(exception, item.span, what));
    match &item.value {
        ItemValue::Bool(b) => Ok(Int::Small(i64::from(*b))),
        ItemValue::Int(n) => Ok(n.clone()),
        ItemValue::Float(x) if x.is_nan() => wrong("ValueError", "cannot convert float NaN to integer"),
        ItemValue::Float(x) if x.is_infinite() => wrong("OverflowError", "cannot convert float infinity to integer"),
        ItemValue::Float(x) => {
            let whole = format!("{:.0}", x.trunc());
            Ok(whole.parse().map_or_else(|_| Int::Big(whole.into()), Int::Small))
        }
        ItemValue::Secret(text, Type::Str) => python::int_of(text.reveal())
            .map_or_else(|| wrong("ValueError", "invalid literal for int() with base 10"), Ok),
        ItemValue::Str(text) => {
            python::int_of(text).map_or_else(|| wrong("ValueError", "invalid literal for int() with base 10"), Ok)
        }
        _ => wrong("TypeError", "int() argument must be a string, a bytes-like object or a real number"),
    }
}

/// The value that a command-line setting gets; `None` when it is refused.
pub(super) fn accepted(rule: Accepts, item: &Item) -> Option<ItemValue> {
    let text = print(item);
    match rule {
        Accepts::Never => None,
        Accepts::True => (python::parse_bool(&text) == Some(true)).then(|| item.value.clone()),
        Accepts::Bool => python::parse_bool(&text).map(|_| item.value.clone()),
        Accepts::Words(words) => {
            item.as_str().is_some_and(|t| words.contains(&t.to_lowercase().as_str())).then(|| item.value.clone())
        }
        // What 64 bits cannot hold is no less a number in Python.
        Accepts::Int { .. } if matches!(python::int_of(&text), Some(Int::Big(ref digits)) if !digits.starts_with('-')) => {
            python::int_of(&text).map(ItemValue::Int)
        }
        Accepts::Int { low, unit } => {
            python::parse_int(&text, unit).filter(|n| *n >= low)?;
            // The number is taken when it needs no unit; else the text as it is.
            Some(python::parse_int(&text, None).map_or_else(|| item.value.clone(), |n| ItemValue::Int(Int::Small(n))))
        }
    }
}
