//! Python's views on values, as far as Patroni's merging depends on them: `str()`, `parse_bool`, `parse_int`, `int()`.

use crate::parse::yaml::Int;

/// `repr()` of a float.
pub(super) fn float(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf".to_owned() } else { "-inf".to_owned() };
    }
    let shortest = format!("{value:e}");
    let (digits, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        let plain = format!("{value}");
        return if plain.contains('.') { plain } else { plain + ".0" };
    }
    format!("{digits}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.unsigned_abs())
}

/// `str()` of an int.
pub(super) fn int(value: &Int) -> String {
    match value {
        Int::Small(n) => n.to_string(),
        Int::Big(digits) => digits.to_string(),
    }
}

/// `repr()` of a string.
pub(super) fn quoted(text: &str) -> String {
    use std::fmt::Write as _;
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if c < ' ' || ('\u{7f}'..'\u{a1}').contains(&c) || c == '\u{ad}' => {
                write!(out, "\\x{:02x}", u32::from(c)).expect("invariant: a String takes all");
            }
            c => out.push(c),
        }
    }
    out.push(quote);
    out
}

/// `repr()` of a date or point in time, of which `text` is the `isoformat()`.
pub(super) fn date(text: &str) -> String {
    let number = |t: &str| t.parse::<i64>().unwrap_or(0);
    let (day, time) = text.split_once('T').map_or((text, None), |(d, t)| (d, Some(t)));
    let mut parts: Vec<String> = day.split('-').map(|p| number(p).to_string()).collect();
    let Some(time) = time else { return format!("datetime.date({})", parts.join(", ")) };
    let (clock, zone) = time.find(['+', '-']).map_or((time, None), |at| (&time[..at], Some(&time[at..])));
    let (whole, micro) = clock.split_once('.').map_or((clock, 0), |(w, f)| (w, number(f)));
    let fields: Vec<i64> = whole.split(':').map(number).collect();
    let shown = if micro != 0 || fields.get(2).is_some_and(|s| *s != 0) { 3 } else { 2 };
    parts.extend(fields.iter().take(shown).map(i64::to_string));
    if micro != 0 {
        parts.push(micro.to_string());
    }
    if let Some(zone) = zone {
        let minutes: Vec<i64> = zone[1..].split(':').map(number).collect();
        let seconds = minutes.first().unwrap_or(&0) * 3600 + minutes.get(1).unwrap_or(&0) * 60;
        parts.push(match (seconds, zone.starts_with('-')) {
            (0, _) => "tzinfo=datetime.timezone.utc".to_owned(),
            (s, false) => format!("tzinfo=datetime.timezone(datetime.timedelta(seconds={s}))"),
            (s, true) => format!("tzinfo=datetime.timezone(datetime.timedelta(days=-1, seconds={}))", 86_400 - s),
        });
    }
    format!("datetime.datetime({})", parts.join(", "))
}

/// `utils.py:parse_bool` of what `str()` made of a value.
#[must_use]
pub fn parse_bool(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "on" | "true" | "yes" | "1" => Some(true),
        "off" | "false" | "no" | "0" => Some(false),
        _ => None,
    }
}

/// `str.strip()` and the white space of Python's regular expressions.
pub(super) const fn is_space(c: char) -> bool {
    matches!(c, '\t'..='\r' | '\u{1c}'..=' ' | '\u{85}' | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{2028}'
        | '\u{2029}' | '\u{202f}' | '\u{205f}' | '\u{3000}')
}

/// Python's `int()` of a string in base 10; `None` where it raises.
pub(super) fn int_of(text: &str) -> Option<Int> {
    let text = text.trim_matches(is_space);
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => ("-", &text[1..]),
        b'+' => ("", &text[1..]),
        _ => ("", text),
    };
    let groups: Vec<&str> = digits.split('_').collect();
    if groups.iter().any(|g| g.is_empty() || !g.bytes().all(|b| b.is_ascii_digit())) {
        return None;
    }
    let joined = groups.concat();
    let number = joined.trim_start_matches('0');
    if joined.len() > 4300 {
        return None;
    }
    Some(match format!("{sign}{joined}").parse() {
        Ok(n) => Int::Small(n),
        Err(_) => Int::Big(format!("{sign}{number}").into_boxed_str()),
    })
}

/// `utils.py:parse_int` of what `str()` made of a value: an optional sign, a decimal, octal (`0…`) or hexadecimal number or
/// a number with a fraction, and a unit when there is a base unit to count in. `None` also for what does not fit 64 bits.
#[must_use]
pub fn parse_int(text: &str, base_unit: Option<&str>) -> Option<i64> {
    let text = text.trim_matches(is_space);
    let (whole, rest) = strtol(text);
    let fraction = (whole.is_none() && rest.starts_with('.')) || rest.starts_with(['.', 'e', 'E']);
    let (value, unit) = if fraction { strtod(text) } else { (whole.map(Number::Whole), rest) };
    let value = value?;
    let unit = unit.trim_matches(is_space);
    match (unit.is_empty(), base_unit) {
        (true, _) => value.rounded(),
        (false, Some(base)) => converted(value, unit, base),
        (false, None) => None,
    }
}

/// `utils.py:parse_real` of what `str()` made of a value: a number, and a unit when there is a base unit to count in.
#[must_use]
pub fn parse_real(text: &str, base_unit: Option<&str>) -> Option<f64> {
    let text = text.trim_matches(is_space);
    let (value, unit) = strtod(text);
    let value = value?.real();
    let unit = unit.trim_matches(is_space);
    match (unit.is_empty(), base_unit) {
        (true, _) => Some(value),
        (false, Some(base)) => in_base_unit(value, unit, base),
        (false, None) => None,
    }
}

#[derive(Clone, Copy)]
enum Number {
    Whole(i64),
    Real(f64),
}

impl Number {
    fn rounded(self) -> Option<i64> {
        match self {
            Self::Whole(n) => Some(n),
            Self::Real(x) => to_i64(x.round_ties_even()),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "Python does the same when it multiplies an int by a float")]
    const fn real(self) -> f64 {
        match self {
            Self::Whole(n) => n as f64,
            Self::Real(x) => x,
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the range is checked before")]
fn to_i64(x: f64) -> Option<i64> {
    (x.is_finite() && x.abs() < 9.2e18).then_some(x as i64)
}

/// The number at the beginning as C's `strtol` with base 0 reads it, and what follows.
fn strtol(text: &str) -> (Option<i64>, &str) {
    let sign = usize::from(text.starts_with(['-', '+']));
    let body = &text[sign..];
    let digits = |t: &str, f: fn(&u8) -> bool| t.bytes().take_while(f).count();
    let (skip, len, radix) = if let Some(hexadecimal) = body.strip_prefix("0x") {
        (2, digits(hexadecimal, u8::is_ascii_hexdigit), 16)
    } else if body.starts_with('0') {
        (0, digits(body, |b| (b'0'..=b'7').contains(b)), 8)
    } else {
        (0, digits(body, u8::is_ascii_digit), 10)
    };
    let (skip, len, radix) = match (skip, len) {
        // `0x` without digits is the octal 0, and `x…` follows.
        (2, 0) => (0, 1, 8),
        other => (other.0, other.1, radix),
    };
    if len == 0 {
        return (None, text);
    }
    let end = skip + len;
    let number = i64::from_str_radix(&body[skip..end], radix).ok().map(|n| if text.starts_with('-') { -n } else { n });
    (number, &body[end..])
}

/// The number with a fraction at the beginning, and what follows.
fn strtod(text: &str) -> (Option<Number>, &str) {
    let bytes = text.as_bytes();
    let run = |from: usize| bytes[from.min(bytes.len())..].iter().take_while(|b| b.is_ascii_digit()).count();
    let sign = usize::from(text.starts_with(['-', '+']));
    let whole = run(sign);
    let mut end = sign + whole;
    let mut fraction = 0;
    if bytes.get(end) == Some(&b'.') {
        fraction = run(end + 1);
        if fraction > 0 {
            end += 1 + fraction;
        }
    }
    if whole + fraction == 0 {
        return (None, text);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let signed = usize::from(matches!(bytes.get(end + 1), Some(b'-' | b'+')));
        let exponent = run(end + 1 + signed);
        if exponent > 0 {
            end += 1 + signed + exponent;
        }
    }
    (text[..end].parse().ok().map(Number::Real), &text[end..])
}

const SPACE: [(&str, f64); 5] =
    [("TB", 1_099_511_627_776.0), ("GB", 1_073_741_824.0), ("MB", 1_048_576.0), ("kB", 1024.0), ("B", 1.0)];
const TIME: [(&str, f64); 6] = [
    ("d", 86_400_000_000.0),
    ("h", 3_600_000_000.0),
    ("min", 60_000_000.0),
    ("s", 1_000_000.0),
    ("ms", 1000.0),
    ("us", 1.0),
];

/// `utils.py:convert_to_base_unit` and the rounding behind it.
fn converted(value: Number, unit: &str, base: &str) -> Option<i64> {
    to_i64(in_base_unit(value.real(), unit, base)?.round_ties_even())
}

/// `utils.py:convert_to_base_unit`
fn in_base_unit(value: f64, unit: &str, base: &str) -> Option<f64> {
    let (times, base) = strtol(base);
    let times = Number::Whole(times.unwrap_or(1)).real();
    if !["B", "kB", "MB", "ms", "s", "min"].contains(&base) {
        return None;
    }
    let table: &[(&str, f64)] = [&SPACE[..], &TIME[..]].into_iter().find(|t| t.iter().any(|u| u.0 == base))?;
    let size = |name: &str| table.iter().find(|u| u.0 == name).map(|u| u.1);
    let factor = |name: &str| Some(size(name)? / size(base)?);
    let mut result = value * (factor(unit)? / times);
    // A value is rounded to the next smaller unit, unless its own is the smallest.
    let position = table.iter().position(|u| u.0 == unit)?;
    if let Some((smaller, _)) = table.get(position + 1) {
        let step = factor(smaller)?;
        result = (result / step).round_ties_even() * step;
    }
    Some(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_print_as_in_python() {
        for (value, text) in [
            (1.0, "1.0"),
            (1e16, "1e+16"),
            (1e15, "1000000000000000.0"),
            (1e-4, "0.0001"),
            (1e-5, "1e-05"),
            (-2.5, "-2.5"),
            (1.5e300, "1.5e+300"),
        ] {
            assert_eq!(float(value), text);
        }
    }

    #[test]
    fn dates_print_as_in_python() {
        for (text, printed) in [
            ("2024-01-09", "datetime.date(2024, 1, 9)"),
            ("2024-01-09T10:00:00", "datetime.datetime(2024, 1, 9, 10, 0)"),
            ("2024-01-09T10:00:05.000400", "datetime.datetime(2024, 1, 9, 10, 0, 5, 400)"),
            ("2024-01-09T10:00:00+00:00", "datetime.datetime(2024, 1, 9, 10, 0, tzinfo=datetime.timezone.utc)"),
            (
                "2024-01-09T10:00:00-05:30",
                "datetime.datetime(2024, 1, 9, 10, 0, tzinfo=datetime.timezone(datetime.timedelta(days=-1, seconds=66600)))",
            ),
        ] {
            assert_eq!(date(text), printed);
        }
    }

    #[test]
    fn numbers_are_read_as_postgresql_reads_them() {
        for (text, base, value) in [
            (" 0x400 MB ", Some("16384kB"), Some(64)),
            ("1MB", Some("kB"), Some(1024)),
            ("1000 ms", Some("s"), Some(1)),
            ("1TB", Some("GB"), None),
            ("6GB", Some("16MB"), Some(384)),
            ("4097.4kB", Some("kB"), Some(4097)),
            ("4097.5kB", Some("kB"), Some(4098)),
            ("-070", None, Some(-56)),
            ("1e2", None, Some(100)),
            ("0.5", None, Some(0)),
            ("12x", None, None),
            ("", None, None),
        ] {
            assert_eq!(parse_int(text, base), value, "{text}");
        }
        for (text, base, value) in [
            (" 0.00001 ", None, Some(0.00001)),
            ("10ms", Some("ms"), Some(10.0)),
            ("5 min", Some("ms"), Some(300_000.0)),
            ("10ms", None, None),
            ("x", None, None),
        ] {
            assert_eq!(parse_real(text, base), value, "{text}");
        }
    }
}
