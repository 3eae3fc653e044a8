//! Words of a value: blanks, quotes and C escapes (`src/basic/extract-word.c`, `src/basic/escape.c`).

use super::Value;
use super::lines::is_blank;
use crate::source::Span;

/// A word with its quotes removed and its escapes resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Its bytes: an escape such as `\xff` may make them something else than UTF-8.
    pub bytes: Vec<u8>,
    /// What was written, quotes included.
    pub span: Span,
    /// The offsets of what was written in the value's text.
    pub(super) range: (usize, usize),
}

/// How unknown escapes are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unknown {
    /// As an error, in `Environment=`.
    Refused,
    /// As they stand, in `ExecStart=`.
    Kept,
}

/// All words up to the first one that cannot be read, and where that one begins. systemd keeps the words before it.
#[must_use]
pub fn split_words(value: &Value) -> (Vec<Word>, Option<Span>) {
    let mut words = Vec::new();
    let mut at = 0;
    while let Some(start) = next_start(value.text.as_bytes(), at) {
        match word(value, start, Unknown::Refused) {
            Ok(word) => {
                at = word.range.1;
                words.push(word);
            }
            Err(()) => return (words, Some(value.place(start, value.text.len()))),
        }
    }
    (words, None)
}

/// Where the next word begins.
pub(super) fn next_start(text: &[u8], at: usize) -> Option<usize> {
    text[at..].iter().position(|b| !is_blank(*b)).map(|n| at + n)
}

/// The word that begins at an offset that holds no blank.
pub(super) fn word(value: &Value, start: usize, unknown: Unknown) -> Result<Word, ()> {
    let text = value.text.as_bytes();
    let mut bytes = Vec::new();
    let mut quote = None;
    let mut at = start;
    loop {
        let Some(&byte) = text.get(at) else {
            if quote.is_some() {
                return Err(());
            }
            break;
        };
        if byte == b'\\' {
            at += escape(&text[at + 1..], &mut bytes, unknown, quote.is_some())? + 1;
            continue;
        }
        match quote {
            Some(q) if byte == q => quote = None,
            None if matches!(byte, b'\'' | b'"') => quote = Some(byte),
            None if is_blank(byte) => break,
            _ => bytes.push(byte),
        }
        at += 1;
    }
    Ok(Word { bytes, span: value.place(start, at), range: (start, at) })
}

/// Resolves what follows a backslash; returns how many bytes that was.
fn escape(rest: &[u8], out: &mut Vec<u8>, unknown: Unknown, quoted: bool) -> Result<usize, ()> {
    if let Some((bytes, used)) = unescape(rest) {
        out.extend(bytes);
        return Ok(used);
    }
    match (rest.first(), unknown) {
        (_, Unknown::Refused) => Err(()),
        (None, Unknown::Kept) if quoted => Err(()),
        (None, Unknown::Kept) => {
            out.push(b'\\');
            Ok(0)
        }
        (Some(byte), Unknown::Kept) => {
            out.extend([b'\\', *byte]);
            Ok(1)
        }
    }
}

/// The bytes that an escape stands for (`cunescape_one`), and its length without the backslash.
fn unescape(rest: &[u8]) -> Option<(Vec<u8>, usize)> {
    let single = |byte: u8| Some((vec![byte], 1));
    match *rest.first()? {
        b'a' => single(7),
        b'b' => single(8),
        b'f' => single(12),
        b'n' => single(b'\n'),
        b'r' => single(b'\r'),
        b't' => single(b'\t'),
        b'v' => single(11),
        b's' => single(b' '),
        byte @ (b'\\' | b'"' | b'\'') => single(byte),
        b'x' => number(rest.get(1..3)?, 16).map(|n| (vec![n.to_le_bytes()[0]], 3)),
        b'u' => number(rest.get(1..5)?, 16).map(|n| (utf8(n), 5)),
        b'U' => number(rest.get(1..9)?, 16).filter(|n| char::from_u32(*n).is_some()).map(|n| (utf8(n), 9)),
        b'0'..=b'7' => number(rest.get(..3)?, 8).filter(|n| *n < 256).map(|n| (vec![n.to_le_bytes()[0]], 3)),
        _ => None,
    }
}

/// A number of exactly these digits; NUL is none.
fn number(digits: &[u8], radix: u32) -> Option<u32> {
    let value = digits.iter().try_fold(0_u32, |sum, d| {
        let digit = char::from(*d).to_digit(radix)?;
        sum.checked_mul(radix)?.checked_add(digit)
    })?;
    (value != 0).then_some(value)
}

/// UTF-8 of a number as systemd writes it: lone surrogates too.
fn utf8(n: u32) -> Vec<u8> {
    if let Some(c) = char::from_u32(n) {
        return c.to_string().into_bytes();
    }
    let low = |shift: u32| 0x80 | ((n >> shift) & 0x3f).to_le_bytes()[0];
    vec![0xe0 | (n >> 12).to_le_bytes()[0], low(6), low(0)]
}
