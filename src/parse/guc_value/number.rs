//! C's `strtol`, `strtod` and `%g`, as far as settings need them (C locale, 64-bit `long`).

/// A number at the start of a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Number {
    /// The number; 0 when there is none.
    pub(super) value: f64,
    /// Behind its last byte; 0 when there is none.
    pub(super) end: usize,
    /// C would set `errno` to `ERANGE`.
    pub(super) out_of_range: bool,
}

const NONE: Number = Number { value: 0.0, end: 0, out_of_range: false };

/// Skips white space and a sign; `(position, is negative)`.
fn start(bytes: &[u8]) -> (usize, bool) {
    let at = bytes.iter().take_while(|b| matches!(b, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')).count();
    match bytes.get(at) {
        Some(b'-') => (at + 1, true),
        Some(b'+') => (at + 1, false),
        _ => (at, false),
    }
}

fn digit(byte: u8, base: u32) -> Option<u32> {
    char::from(byte).to_digit(base)
}

fn run(bytes: &[u8], base: u32) -> usize {
    bytes.iter().take_while(|b| digit(**b, base).is_some()).count()
}

fn has_hex_prefix(bytes: &[u8]) -> bool {
    bytes.first() == Some(&b'0') && matches!(bytes.get(1), Some(b'x' | b'X'))
}

/// `strtol(text, &end, 0)`: decimal, octal after `0`, hexadecimal after `0x`.
#[expect(clippy::cast_precision_loss, reason = "the server keeps the number as a double, too")]
pub(super) fn strtol(text: &str) -> Number {
    let bytes = text.as_bytes();
    let (at, negative) = start(bytes);
    let tail = &bytes[at..];
    let (skip, base) = match tail {
        t if has_hex_prefix(t) && t.get(2).is_some_and(|b| digit(*b, 16).is_some()) => (2, 16),
        [b'0', ..] => (0, 8),
        _ => (0, 10),
    };
    let digits = &tail[skip..skip + run(&tail[skip..], base)];
    if digits.is_empty() {
        return NONE;
    }
    let limit = i128::from(i64::MAX) + i128::from(negative);
    let mut n: i128 = 0;
    for d in digits.iter().filter_map(|b| digit(*b, base)) {
        n = (n * i128::from(base) + i128::from(d)).min(limit + 1);
    }
    let out_of_range = n > limit;
    let magnitude = n.min(limit) as f64;
    Number { value: if negative { -magnitude } else { magnitude }, end: at + skip + digits.len(), out_of_range }
}

/// `strtod`: decimal and hexadecimal floating point, infinities and NaN.
pub(super) fn strtod(text: &str) -> Number {
    let bytes = text.as_bytes();
    let (at, negative) = start(bytes);
    let tail = &bytes[at..];
    let lower: Vec<u8> = tail.iter().take(8).map(u8::to_ascii_lowercase).collect();
    let mut number = if lower.starts_with(b"infinity") {
        Number { value: f64::INFINITY, end: 8, out_of_range: false }
    } else if lower.starts_with(b"inf") {
        Number { value: f64::INFINITY, end: 3, out_of_range: false }
    } else if lower.starts_with(b"nan") {
        Number { value: f64::NAN, end: 3, out_of_range: false }
    } else if has_hex_prefix(tail) {
        hexadecimal(tail)
    } else {
        decimal(tail)
    };
    if number.end > 0 {
        number.end += at;
        if negative {
            number.value = -number.value;
        }
    }
    number
}

/// The mantissa's length in digits and bytes: digits, at most one point, at least one digit.
fn mantissa(bytes: &[u8], base: u32) -> Option<usize> {
    let whole = run(bytes, base);
    let fraction = match bytes.get(whole) {
        Some(b'.') => run(&bytes[whole + 1..], base),
        _ => return (whole > 0).then_some(whole),
    };
    (whole + fraction > 0).then_some(whole + 1 + fraction)
}

/// The length of an exponent that begins with one of the letters, 0 when it has no digits.
fn exponent(bytes: &[u8], letters: [u8; 2]) -> usize {
    if !bytes.first().is_some_and(|b| letters.contains(b)) {
        return 0;
    }
    let sign = usize::from(matches!(bytes.get(1), Some(b'+' | b'-')));
    match run(&bytes[1 + sign..], 10) {
        0 => 0,
        digits => 1 + sign + digits,
    }
}

fn decimal(tail: &[u8]) -> Number {
    let Some(len) = mantissa(tail, 10) else { return NONE };
    let end = len + exponent(&tail[len..], [b'e', b'E']);
    let text = String::from_utf8_lossy(&tail[..end]);
    let value: f64 = text.parse().unwrap_or(0.0);
    let is_zero = !tail[..len].iter().any(|b| (b'1'..=b'9').contains(b));
    let out_of_range = value.is_infinite() || (!is_zero && value < f64::MIN_POSITIVE);
    Number { value, end, out_of_range }
}

fn hexadecimal(tail: &[u8]) -> Number {
    let Some(len) = mantissa(&tail[2..], 16) else { return Number { value: 0.0, end: 1, out_of_range: false } };
    let exponent_len = exponent(&tail[2 + len..], [b'p', b'P']);
    let end = 2 + len + exponent_len;
    let written = String::from_utf8_lossy(&tail[(2 + len + usize::from(exponent_len > 0))..end]).into_owned();
    let mut power: i64 = written.parse().unwrap_or(if written.starts_with('-') { -9999 } else { 9999 });
    if exponent_len == 0 {
        power = 0;
    }
    let mut value = 0.0_f64;
    let mut behind_point = false;
    for byte in &tail[2..2 + len] {
        match digit(*byte, 16) {
            Some(d) => {
                value = value * 16.0 + f64::from(d);
                power -= if behind_point { 4 } else { 0 };
            }
            None => behind_point = true,
        }
    }
    let scaled = value * 2.0_f64.powi(i32::try_from(power.clamp(-9999, 9999)).unwrap_or(0));
    let out_of_range = scaled.is_infinite() || (value != 0.0 && scaled < f64::MIN_POSITIVE);
    Number { value: scaled, end, out_of_range }
}

/// `printf("%g")`.
pub(super) fn format_g(n: f64) -> String {
    if !n.is_finite() {
        return if n.is_nan() {
            "NaN"
        } else if n > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        }
        .to_owned();
    }
    let scientific = format!("{n:.5e}");
    let (digits, power) = scientific.split_once('e').expect("invariant: {:e} writes an e");
    let power: i32 = power.parse().expect("invariant: {:e} writes a whole exponent");
    let trim =
        |t: &str| if t.contains('.') { t.trim_end_matches('0').trim_end_matches('.').to_owned() } else { t.to_owned() };
    if (-4..6).contains(&power) {
        trim(&format!("{n:.*}", usize::try_from(5 - power).unwrap_or(0)))
    } else {
        format!("{}e{}{:02}", trim(digits), if power < 0 { '-' } else { '+' }, power.abs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_c_does() {
        assert_eq!((strtol("0x").value, strtol("0x").end), (0.0, 1));
        assert_eq!(strtol(" -017 ").end, 5);
        assert!(strtol("99999999999999999999").out_of_range);
        assert_eq!(strtod("1e").end, 1);
        assert_eq!((strtod("0x1.8p1kB").value, strtod("0x1.8p1kB").end), (3.0, 7));
        assert!(strtod("1e-310").out_of_range && strtod("1e400").out_of_range && !strtod("0e999").out_of_range);
        assert_eq!(strtod(".").end, 0);
    }

    #[test]
    fn numbers_are_written_as_c_does() {
        let texts: Vec<String> = [0.0, 1.5, -1.0, 1e6, 123_456.7, 0.0001, 0.00001, f64::MAX].map(format_g).to_vec();
        assert_eq!(texts, ["0", "1.5", "-1", "1e+06", "123457", "0.0001", "1e-05", "1.79769e+308"]);
    }
}
