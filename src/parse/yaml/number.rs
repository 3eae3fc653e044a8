//! `int` and `float` scalars as PyYAML's constructor and Python's `int()` and `float()` read them.

use std::fmt::Write as _;

use super::chars::{digit, is_py_space, repr};
use super::scalar::PyError;
use super::tree::Int;

/// The most decimal digits that Python reads or writes as an integer (`sys.get_int_max_str_digits`).
const MOST_DIGITS: usize = 4300;
/// Sexagesimal numbers of more parts than this are not worked out: Python itself takes quadratic time for them.
const MOST_PARTS: usize = 4096;

/// Python's message for an integer of too many digits, if it has that many.
pub(super) fn too_many_digits(digits: usize) -> Option<String> {
    (digits > MOST_DIGITS).then(|| {
        format!(
            "Exceeds the limit ({MOST_DIGITS} digits) for integer string conversion: value has {digits} digits; use \
             sys.set_int_max_str_digits() to increase the limit"
        )
    })
}

/// `construct_yaml_int`
pub(super) fn int(text: &str) -> Result<Int, PyError> {
    if let Some(small) = small(text) {
        return Ok(Int::Small(small));
    }
    let text = text.replace('_', "");
    let (negative, rest) = sign(&text)?;
    let number = if rest == "0" {
        Big::default()
    } else if let Some(digits) = rest.strip_prefix("0b") {
        py_int(digits, 2)?
    } else if let Some(digits) = rest.strip_prefix("0x") {
        py_int(digits, 16)?
    } else if rest.is_empty() {
        return Err(PyError::index());
    } else if rest.starts_with('0') {
        py_int(rest, 8)?
    } else if rest.contains(':') {
        sexagesimal(rest)?
    } else {
        py_int(rest, 10)?
    };
    Ok(number.signed(negative))
}

/// The common case: a few decimal digits, not beginning with 0.
fn small(text: &str) -> Option<i64> {
    let plain = !text.starts_with(['0', '-', '+']) && text.len() <= 18 && text.bytes().all(|b| b.is_ascii_digit());
    if plain || text == "0" { text.parse().ok() } else { None }
}

fn sign(text: &str) -> Result<(bool, &str), PyError> {
    match text.chars().next() {
        None => Err(PyError::index()),
        Some('-') => Ok((true, &text[1..])),
        Some('+') => Ok((false, &text[1..])),
        Some(_) => Ok((false, text)),
    }
}

fn sexagesimal(text: &str) -> Result<Big, PyError> {
    let mut parts = Vec::new();
    for part in text.split(':') {
        parts.push(py_int(part, 10)?);
    }
    if let Some(sum) = parts.iter().try_fold(0_i128, |sum, part| sum.checked_mul(60)?.checked_add(part.small()?)) {
        return Ok(Big { negative: sum < 0, ..Big::from_decimal(sum.unsigned_abs()) });
    }
    if parts.len() > MOST_PARTS {
        return Err(PyError::too_large());
    }
    let mut sum = Big::default();
    for part in parts {
        sum.shift(60, 0);
        sum.add(&part);
    }
    Ok(sum)
}

/// Python's `int(text, radix)`, for text without underscores.
fn py_int(text: &str, radix: u32) -> Result<Big, PyError> {
    let invalid = || {
        let shown: String = repr(text).chars().take(200).collect();
        PyError::value(format!("invalid literal for int() with base {radix}: {shown}"))
    };
    let trimmed = text.trim_matches(is_py_space);
    let (negative, digits) = match trimmed.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, trimmed.strip_prefix('+').unwrap_or(trimmed)),
    };
    let prefix = match radix {
        2 => ["0b", "0B"],
        8 => ["0o", "0O"],
        16 => ["0x", "0X"],
        _ => ["\0", "\0"],
    };
    let digits = prefix.iter().find_map(|p| digits.strip_prefix(p)).unwrap_or(digits);
    let mut values = Vec::with_capacity(digits.len());
    for c in digits.chars() {
        let value = digit(c).map(u32::from).or_else(|| c.to_digit(radix)).filter(|d| *d < radix);
        values.push(u8::try_from(value.ok_or_else(invalid)?).expect("invariant: a digit is less than 16"));
    }
    if values.is_empty() {
        return Err(invalid());
    }
    if radix == 10
        && let Some(problem) = too_many_digits(values.len())
    {
        return Err(PyError::value(problem));
    }
    let mut number = Big::from_digits(&values, radix);
    number.negative = negative && !number.is_zero();
    Ok(number)
}

/// A whole number of any size: limbs in base 10⁹, the lowest first; or hexadecimal digits once it has more decimal digits
/// than Python writes, where decimal digits would take quadratic time.
#[derive(Debug, Default)]
struct Big {
    negative: bool,
    limbs: Vec<u32>,
    hex: Option<String>,
}

const LIMB: u64 = 1_000_000_000;

impl Big {
    fn from_digits(values: &[u8], radix: u32) -> Self {
        let bits_per_digit = match radix {
            2 => 1,
            8 => 3,
            16 => 4,
            _ => 0,
        };
        let start = values.iter().position(|d| *d != 0).unwrap_or(values.len());
        let values = &values[start..];
        // 2¹⁴²⁸³ is the first power of two with 4300 digits.
        if values.len() * bits_per_digit > 14_000 {
            return Self { hex: Some(hex(values, bits_per_digit)), ..Self::default() };
        }
        let mut big = Self::default();
        for d in values {
            big.shift(u64::from(radix), u64::from(*d));
        }
        big
    }

    fn is_zero(&self) -> bool {
        self.limbs.is_empty() && self.hex.is_none()
    }

    /// Times `factor`, plus `add`.
    fn shift(&mut self, factor: u64, add: u64) {
        let mut carry = add;
        for limb in &mut self.limbs {
            carry += u64::from(*limb) * factor;
            *limb = u32::try_from(carry % LIMB).expect("invariant: a limb is less than 10⁹");
            carry /= LIMB;
        }
        if carry > 0 {
            self.limbs.push(u32::try_from(carry).expect("invariant: a carry is less than 10⁹"));
        }
    }

    fn from_decimal(mut value: u128) -> Self {
        let mut big = Self::default();
        while value > 0 {
            big.limbs.push(u32::try_from(value % u128::from(LIMB)).expect("invariant: a limb is less than 10⁹"));
            value /= u128::from(LIMB);
        }
        big
    }

    /// The number if it has at most 18 digits.
    fn small(&self) -> Option<i128> {
        let known = self.limbs.len() <= 2 && self.hex.is_none();
        let value = self.limbs.iter().rev().fold(0, |sum, limb| sum * i128::from(LIMB) + i128::from(*limb));
        known.then_some(if self.negative { -value } else { value })
    }

    /// Adds the digits of another number; signs inside sexagesimal numbers this large are passed over.
    fn add(&mut self, other: &Self) {
        let mut carry = 0;
        for i in 0..self.limbs.len().max(other.limbs.len()) {
            let sum = carry
                + self.limbs.get(i).map_or(0, |l| u64::from(*l))
                + other.limbs.get(i).map_or(0, |l| u64::from(*l));
            let limb = u32::try_from(sum % LIMB).expect("invariant: a limb is less than 10⁹");
            if let Some(place) = self.limbs.get_mut(i) {
                *place = limb;
            } else {
                self.limbs.push(limb);
            }
            carry = sum / LIMB;
        }
        if carry > 0 {
            self.limbs.push(1);
        }
    }

    fn decimal(&self) -> String {
        let mut limbs = self.limbs.iter().rev();
        let mut out = limbs.next().map_or_else(|| "0".to_owned(), ToString::to_string);
        for limb in limbs {
            write!(out, "{limb:09}").expect("invariant: writing to a string does not fail");
        }
        out
    }

    fn signed(self, negative: bool) -> Int {
        let negative = negative != self.negative && !self.is_zero();
        let digits = match &self.hex {
            Some(hex) => format!("0x{hex}"),
            None => self.decimal(),
        };
        let text = if negative { format!("-{digits}") } else { digits };
        match text.parse() {
            Ok(small) => Int::Small(small),
            Err(_) => Int::Big(text.into()),
        }
    }
}

/// Digits of a power of two, most significant first, as hexadecimal digits.
fn hex(values: &[u8], bits: usize) -> String {
    let mut nibbles = Vec::with_capacity(values.len() * bits / 4 + 1);
    let (mut buffer, mut held) = (0_u32, 0);
    for d in values.iter().rev() {
        buffer |= u32::from(*d) << held;
        held += bits;
        while held >= 4 {
            nibbles.push(buffer & 15);
            buffer >>= 4;
            held -= 4;
        }
    }
    nibbles.push(buffer & 15);
    while nibbles.last() == Some(&0) {
        nibbles.pop();
    }
    nibbles.iter().rev().filter_map(|n| char::from_digit(*n, 16)).collect()
}

/// A NaN that is an object of its own in Python and equals no other, as `float("nan")` makes it. PyYAML has one object for
/// all `.nan` ([`f64::NAN`] here), which is therefore the same key wherever it stands.
pub(super) const OWN_NAN: f64 = f64::from_bits(0x7FF8_0000_0000_0001);

/// `construct_yaml_float`
pub(super) fn float(text: &str) -> Result<f64, PyError> {
    let text = text.replace('_', "").to_lowercase();
    let (negative, rest) = sign(&text)?;
    let number = match rest {
        ".inf" => f64::INFINITY,
        ".nan" => return Ok(f64::NAN),
        _ if rest.contains(':') => sexagesimal_float(rest)?,
        _ => py_float(rest)?,
    };
    Ok(if negative { -number } else { number })
}

/// Adds from the last part to the first, as PyYAML does, because the order of float additions shows in the result.
fn sexagesimal_float(text: &str) -> Result<f64, PyError> {
    let mut parts = Vec::new();
    for part in text.split(':') {
        parts.push(py_float(part)?);
    }
    let mut base = Big::from_digits(&[1], 10);
    let mut sum = 0.0;
    for part in parts.iter().rev() {
        let factor: f64 = base.decimal().parse().expect("invariant: decimal digits are a float");
        if factor.is_infinite() {
            return Err(PyError::new("OverflowError", "int too large to convert to float"));
        }
        sum += part * factor;
        base.shift(60, 0);
    }
    Ok(sum)
}

/// Python's `float(text)`, for lower-case text without underscores.
fn py_float(text: &str) -> Result<f64, PyError> {
    let invalid = || PyError::value(format!("could not convert string to float: {}", repr(text)));
    let mut ascii = String::with_capacity(text.len());
    for c in text.trim_matches(is_py_space).chars() {
        match digit(c) {
            Some(d) => ascii.push((b'0' + d) as char),
            None if c.is_ascii() => ascii.push(c),
            None => return Err(invalid()),
        }
    }
    let number: f64 = ascii.parse().map_err(|_| invalid())?;
    Ok(if number.is_nan() { OWN_NAN } else { number })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> String {
        match int(text).expect(text) {
            Int::Small(n) => n.to_string(),
            Int::Big(digits) => digits.into(),
        }
    }

    #[test]
    fn whole_numbers_follow_yaml_1_1() {
        for (text, value) in [
            ("0777", "511"),
            ("0", "0"),
            ("-0b1_01", "-5"),
            ("0xFF", "255"),
            ("1_000", "1000"),
            ("22:30", "1350"),
            ("-1:30:00", "-5400"),
            ("0_", "0"),
            ("-9223372036854775808", "-9223372036854775808"),
            ("18446744073709551616", "18446744073709551616"),
            ("1:1:1:1:1:1:1:1:1:1:1:1", "36894615864406779661"),
        ] {
            assert_eq!(decimal(text), value, "{text}");
        }
        assert_eq!(decimal(&format!("0x{}", "f".repeat(4000))), format!("0x{}", "f".repeat(4000)));
        assert_eq!(decimal(&format!("0{}", "7".repeat(8000))), format!("0x{}", "f".repeat(6000)));
    }

    #[test]
    fn floats_follow_yaml_1_1() {
        for (text, value) in
            [("1.5", 1.5), ("-.inf", f64::NEG_INFINITY), ("1:30.5", 90.5), (".5e+3", 500.0), ("1.", 1.0)]
        {
            assert_eq!(float(text).expect(text).to_bits(), value.to_bits(), "{text}");
        }
        assert_eq!(float("x").expect_err("no float").problem, "could not convert string to float: 'x'");
    }
}
