//! When two keys are the same key for a Python `dict`: `1 == 1.0 == True`, but `1` is not `"1"`.

use std::borrow::Cow;

use super::number::OWN_NAN;
use super::tree::{Int, NodeId, Value};

/// A key, so that equal ones are equal and hash alike.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Key<'t> {
    Null,
    Small(i64),
    /// A whole number that does not fit, in digits.
    Big(Cow<'t, str>),
    /// A float that is no whole number, `.nan` among them.
    Float(u64),
    Str(&'t str),
    Bytes(&'t [u8]),
    /// A date, or a time without zone.
    Naive(&'t str),
    /// A moment, in microseconds.
    Aware(i128),
    /// Equal to nothing but itself.
    Itself(NodeId),
}

/// The key that a node is; `None` when Python cannot hash it.
pub(super) fn key(id: NodeId, value: &Value) -> Option<Key<'_>> {
    Some(match value {
        Value::Str(text) => Key::Str(text),
        Value::Null => Key::Null,
        Value::Bool(b) => Key::Small(i64::from(*b)),
        Value::Int(Int::Small(n)) => Key::Small(*n),
        Value::Int(Int::Big(digits)) => Key::Big(Cow::Borrowed(digits)),
        Value::Float(x) => float(id, *x),
        Value::Binary(bytes) => Key::Bytes(bytes),
        Value::Timestamp(iso) => match moment(iso) {
            Some(micros) => Key::Aware(micros),
            None => Key::Naive(iso),
        },
        Value::Unknown => Key::Itself(id),
        Value::Sequence(_) | Value::Mapping(_) | Value::Set(_) | Value::Pairs(_) => return None,
    })
}

fn float<'t>(id: NodeId, x: f64) -> Key<'t> {
    if x.is_nan() && x.abs().to_bits() == OWN_NAN.to_bits() {
        Key::Itself(id)
    } else if !x.is_finite() || x.fract() != 0.0 {
        Key::Float(x.to_bits())
    } else {
        let digits = format!("{:.0}", x + 0.0);
        digits.parse().map_or(Key::Big(Cow::Owned(digits)), Key::Small)
    }
}

/// `YYYY-MM-DDTHH:MM:SS[.ffffff]±HH:MM` as microseconds since year 0; nothing else has a zone.
fn moment(iso: &str) -> Option<i128> {
    let zone_at = iso.len().checked_sub(6).filter(|at| *at >= 19)?;
    let (local, zone) = iso.split_at_checked(zone_at)?;
    let sign = match zone.as_bytes()[0] {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let number = |text: &str| text.parse::<i128>().ok();
    let (date, time) = local.split_once('T')?;
    let [year, month, day] = [number(&date[..4])?, number(&date[5..7])?, number(&date[8..])?];
    let minutes = number(&time[..2])? * 60 + number(&time[3..5])?;
    let micros = number(&time[6..8])? * 1_000_000 + time.get(9..).map_or(Some(0), number)?;
    let offset = sign * (number(&zone[1..3])? * 60 + number(&zone[4..])?);
    Some(((days(year, month, day) * 24 * 60) + minutes - offset) * 60_000_000 + micros)
}

/// Days since 1 March of year 0.
const fn days(year: i128, month: i128, day: i128) -> i128 {
    let year = if month < 3 { year - 1 } else { year };
    let month = (month + 9) % 12;
    year * 365 + year / 4 - year / 100 + year / 400 + (month * 306 + 5) / 10 + day
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(a: &Value, b: &Value) -> bool {
        key(NodeId::at(0), a).is_some_and(|a| Some(a) == key(NodeId::at(1), b))
    }

    #[test]
    fn keys_are_equal_as_in_python() {
        let small = |n| Value::Int(Int::Small(n));
        let time = |iso: &str| Value::Timestamp(iso.into());
        assert!(same(&small(1), &Value::Bool(true)) && same(&small(1), &Value::Float(1.0)));
        assert!(same(&Value::Float(-0.0), &small(0)) && !same(&Value::Float(1.5), &small(1)));
        assert!(same(&Value::Float(1e20), &Value::Int(Int::Big("100000000000000000000".into()))));
        assert!(!same(&Value::Str("1".into()), &small(1)) && !same(&Value::Float(OWN_NAN), &Value::Float(OWN_NAN)));
        assert!(same(&time("2024-03-01T00:30:00+01:00"), &time("2024-02-29T23:30:00+00:00")));
        assert!(!same(&time("2024-03-01T00:30:00"), &time("2024-03-01T00:30:00+00:00")));
        assert_eq!(key(NodeId::at(0), &Value::Sequence(Vec::new())), None);
    }
}
