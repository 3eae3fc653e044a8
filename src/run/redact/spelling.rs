//! How a secret is spelled where it stands: with escapes, doubled quotes, percent signs, one inside of the other.

use std::fmt::Write as _;
use std::ops::Range;

/// One way of spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layer {
    /// `\"`, `\\`, `\x41`, `A`.
    Backslash,
    /// Of two quotes one is meant.
    Doubled,
    /// `%41`.
    Percent,
}

/// How a character is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// As itself.
    Itself,
    /// By so many hexadecimal digits at the end.
    Hexadecimal(usize),
    /// By three octal digits at the end.
    Octal,
    /// By its bytes behind percent signs.
    Percent,
    /// In a way that has no other character.
    Fixed,
}

/// A character that is meant, and where it is written.
#[derive(Debug, Clone)]
pub(super) struct Unit {
    pub(super) at: Range<usize>,
    pub(super) c: char,
    form: Form,
}

impl Unit {
    /// Whether another character cannot be written in its place.
    pub(super) fn is_fixed(&self) -> bool {
        self.form == Form::Fixed
    }

    /// Keeps it as it is.
    pub(super) fn fix(&mut self) {
        self.form = Form::Fixed;
    }

    /// Another character in its place; `None` where it cannot be written with as many bytes.
    pub(super) fn written(&self, text: &str, c: char) -> Option<String> {
        let old = text.get(self.at.clone())?;
        let has = |letters: std::ops::RangeInclusive<char>| old.contains(|c: char| letters.contains(&c));
        let is_upper = has('A'..='F') || (self.form == Form::Percent && !has('a'..='f'));
        let cased = |digits: String| if is_upper { digits.to_uppercase() } else { digits };
        let ending = |digits: String| Some(format!("{}{digits}", old.get(..old.len().checked_sub(digits.len())?)?));
        let new = match self.form {
            Form::Itself => c.to_string(),
            Form::Hexadecimal(n) => ending(cased(format!("{:0n$x}", u32::from(c))))?,
            Form::Octal => ending(format!("{:03o}", u32::from(c)))?,
            Form::Percent => {
                let mut bytes = [0; 4];
                c.encode_utf8(&mut bytes).bytes().fold(String::new(), |mut out, byte| {
                    let _ = write!(out, "%{}", cased(format!("{byte:02x}")));
                    out
                })
            }
            Form::Fixed => return None,
        };
        (new.len() == old.len()).then_some(new)
    }
}

/// What a part of a text means.
#[derive(Debug, Clone, Default)]
pub(super) struct Reading {
    pub(super) units: Vec<Unit>,
}

impl Reading {
    /// Word for word.
    pub(super) fn new(text: &str, at: Range<usize>) -> Self {
        let start = at.start;
        let part = text.get(at).unwrap_or_default();
        let unit = |(i, c): (usize, char)| Unit { at: start + i..start + i + c.len_utf8(), c, form: Form::Itself };
        Self { units: part.char_indices().map(unit).collect() }
    }

    /// What it means when it is spelled so besides.
    pub(super) fn through(&self, layer: Layer) -> Self {
        let mut units = Vec::with_capacity(self.units.len());
        let mut rest = self.units.as_slice();
        while let Some(first) = rest.first() {
            let (unit, len) = match layer {
                Layer::Backslash if first.c == '\\' => escaped(rest),
                Layer::Doubled => doubled(rest),
                Layer::Percent if first.c == '%' => percent(rest),
                _ => None,
            }
            .unwrap_or_else(|| (first.clone(), 1));
            units.push(unit);
            rest = &rest[len..];
        }
        Self { units }
    }

    /// What it means, and which unit each byte of that belongs to.
    pub(super) fn text(&self) -> (String, Vec<usize>) {
        let mut text = String::new();
        let mut owner = Vec::new();
        for (i, unit) in self.units.iter().enumerate() {
            text.push(unit.c);
            owner.resize(text.len(), i);
        }
        owner.push(self.units.len());
        (text, owner)
    }

    /// A part of it.
    pub(super) fn part(&self, units: Range<usize>) -> Self {
        Self { units: self.units.get(units).unwrap_or_default().to_vec() }
    }
}

fn joined(units: &[Unit], c: char, form: Form) -> Option<(Unit, usize)> {
    let (first, last) = (units.first()?, units.last()?);
    Some((Unit { at: first.at.start..last.at.end, c, form }, units.len()))
}

/// Digits of a base as they stand there themselves.
fn digits(units: &[Unit], base: u32) -> Option<u32> {
    units.iter().try_fold(0_u32, |number, unit| {
        let digit = unit.c.to_digit(base).filter(|_| unit.form == Form::Itself)?;
        number.checked_mul(base)?.checked_add(digit)
    })
}

fn escaped(units: &[Unit]) -> Option<(Unit, usize)> {
    let numbered = |skip: usize, len: usize, base: u32, form: Form| {
        let number = digits(units.get(skip..skip + len)?, base)?;
        let c = char::from_u32(number);
        joined(&units[..skip + len], c.unwrap_or('\u{fffd}'), if c.is_some() { form } else { Form::Fixed })
    };
    let number = match units.get(1)?.c {
        'x' => numbered(2, 2, 16, Form::Hexadecimal(2)),
        'u' => numbered(2, 4, 16, Form::Hexadecimal(4)),
        'U' => numbered(2, 8, 16, Form::Hexadecimal(8)),
        '0'..='7' => numbered(1, 3, 8, Form::Octal),
        _ => None,
    };
    number.or_else(|| {
        let c = match units[1].c {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'b' => '\u{8}',
            'f' => '\u{c}',
            other => other,
        };
        joined(&units[..2], c, Form::Fixed)
    })
}

fn doubled(units: &[Unit]) -> Option<(Unit, usize)> {
    let [first, second, ..] = units else { return None };
    let is_one = matches!(first.c, '\'' | '"') && first.c == second.c;
    if is_one { joined(&units[..2], first.c, Form::Fixed) } else { None }
}

fn percent(units: &[Unit]) -> Option<(Unit, usize)> {
    let byte = |n: usize| {
        let units = units.get(3 * n..3 * n + 3)?;
        let code = digits(&units[1..], 16).filter(|_| units[0].c == '%')?;
        u8::try_from(code).ok()
    };
    let mut bytes = vec![byte(0)?];
    let len = match bytes[0] {
        0..=0x7f => 1,
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        _ => 4,
    };
    bytes.extend((1..len).map_while(byte));
    let c = std::str::from_utf8(&bytes).ok().and_then(|t| t.chars().next());
    match c {
        Some(c) => joined(&units[..3 * len], c, Form::Percent),
        None => joined(&units[..3], '\u{fffd}', Form::Fixed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, layers: &[Layer]) -> String {
        layers.iter().fold(Reading::new(text, 0..text.len()), |r, l| r.through(*l)).text().0
    }

    #[test]
    fn spellings_are_read_one_through_the_other() {
        use Layer::{Backslash, Doubled, Percent};
        assert_eq!(read(r"a\x41\u0042\103\n\\\q", &[Backslash]), "aABC\n\\q");
        assert_eq!(read("it''s %41%c3%a9%zz%ff", &[Doubled, Percent]), "it's Aé%zz\u{fffd}");
        assert_eq!(read(r"x\\'y", &[Backslash, Backslash]), "x'y");
        assert_eq!(read(r"\\u0041", &[Backslash, Backslash]), "A");
    }

    #[test]
    fn another_character_is_written_as_the_first_one_was() {
        use Layer::{Backslash, Percent};
        let written = |text: &str, layers: &[Layer], c: char| {
            let reading = layers.iter().fold(Reading::new(text, 0..text.len()), |r, l| r.through(*l));
            reading.units.first().and_then(|u| u.written(text, c))
        };
        assert_eq!(written("a", &[], 'b').as_deref(), Some("b"));
        assert_eq!(written(r"\x4a", &[Backslash], 'z').as_deref(), Some(r"\x7a"));
        assert_eq!(written(r"\u004A", &[Backslash], 'z').as_deref(), Some(r"\u007A"));
        assert_eq!(written(r"\101", &[Backslash], 'z').as_deref(), Some(r"\172"));
        assert_eq!(written("%c3%a9", &[Percent], 'ü').as_deref(), Some("%c3%bc"));
        assert_eq!(written("%c3%a9", &[Percent], 'u'), None);
        assert_eq!(written(r"\n", &[Backslash], 'z'), None);
    }
}
