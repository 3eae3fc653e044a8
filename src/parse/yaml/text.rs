//! What Python reads before PyYAML scans it: UTF-8, and no control characters.
//!
//! Patroni opens the file as text, so a byte that is no UTF-8 raises `UnicodeDecodeError`, and PyYAML's reader refuses
//! most control characters (`Reader.NON_PRINTABLE`). Both read ahead in blocks only, so that a mistake in an earlier part
//! of the text may be raised before them; [`Damage::readable`] says how far PyYAML gets.

use std::str::Utf8Error;

use super::chars::break_len;
use super::fault::Exception;

/// Characters that PyYAML asks of a file at a time (`Reader.update_raw`).
const BLOCK: usize = 4096;
/// Bytes that Python decodes at a time (`TextIOWrapper`).
const CHUNK: usize = 8192;

/// A text that can be read in part only.
#[derive(Debug)]
pub(super) struct Damage {
    /// What is raised when the scanner asks for more than it may have.
    pub(super) exception: Box<Exception>,
    /// Bytes that the scanner gets to see.
    pub(super) readable: usize,
    /// The bytes that cannot be read, each run with what it is.
    pub(super) places: Vec<(usize, usize, Unreadable)>,
}

/// Why bytes cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unreadable {
    NoUtf8,
    Control,
}

/// The bytes as text, or what is wrong with them.
pub(super) fn decode(bytes: &[u8]) -> Result<&str, Box<Damage>> {
    match std::str::from_utf8(bytes) {
        Ok(text) if !may_hold_controls(bytes) => Ok(text),
        Ok(text) => match first_control(bytes) {
            None => Ok(text),
            Some(_) => Err(damage(bytes)),
        },
        Err(_) => Err(damage(bytes)),
    }
}

/// A quick look that is right whenever it says no.
fn may_hold_controls(bytes: &[u8]) -> bool {
    bytes.chunks(64).any(|chunk| {
        // Without branches, so that many bytes are looked at in one step.
        chunk.iter().fold(0, |bad, b| {
            let control = u8::from(*b < 0x20) & u8::from(*b != b'\n') & u8::from(*b != b'\t') & u8::from(*b != b'\r');
            bad | control | u8::from(*b == 0x7F) | u8::from(*b == 0xC2) | u8::from(*b == 0xEF)
        }) != 0
    })
}

/// Length of the character that PyYAML does not accept at `at`; 0 if it does.
fn control_len(bytes: &[u8], at: usize) -> usize {
    match bytes[at] {
        b'\t' | b'\n' | b'\r' => 0,
        0..=0x1F | 0x7F => 1,
        0xC2 => 2 * usize::from(matches!(bytes.get(at + 1), Some(b) if *b < 0xA0 && *b != 0x85)),
        0xEF => 3 * usize::from(matches!(bytes.get(at + 1..at + 3), Some([0xBF, 0xBE | 0xBF]))),
        _ => 0,
    }
}

fn first_control(bytes: &[u8]) -> Option<usize> {
    (0..bytes.len()).find(|at| control_len(bytes, *at) > 0)
}

fn damage(bytes: &[u8]) -> Box<Damage> {
    let mut places = Vec::new();
    let mut invalid = None;
    let mut at = 0;
    while at < bytes.len() {
        let error = std::str::from_utf8(&bytes[at..]).err();
        let valid = error.map_or(bytes.len(), |e| at + e.valid_up_to());
        while at < valid {
            let len = control_len(bytes, at);
            if len > 0 {
                places.push((at, at + len, Unreadable::Control));
            }
            at += len.max(1);
        }
        if let Some(error) = error {
            invalid.get_or_insert((valid, error));
            let len = error.error_len().unwrap_or(bytes.len() - valid);
            places.push((valid, valid + len, Unreadable::NoUtf8));
            at = valid + len;
        }
    }
    let control = places.iter().find(|place| place.2 == Unreadable::Control).map(|place| place.0);
    first_raised(bytes, places, invalid, control)
}

/// Which of the two is raised, and at which block of characters.
fn first_raised(
    bytes: &[u8],
    places: Vec<(usize, usize, Unreadable)>,
    invalid: Option<(usize, Utf8Error)>,
    control: Option<usize>,
) -> Box<Damage> {
    // The loader asks for the first two blocks before it looks at a character.
    let undecodable = invalid.map(|(at, error)| (failing_read(bytes, at, error), at, error));
    let forbidden = control
        .filter(|at| undecodable.is_none_or(|(_, bad, _)| *at < bad))
        .map(|at| ((characters(&bytes[..at]) / BLOCK).max(1), at));
    let (block, exception) = match (undecodable, forbidden) {
        (Some((failed, at, error)), other) if other.is_none_or(|(other, _)| failed.block.max(1) <= other) => {
            let problem = decode_error(&bytes[failed.input..], at - failed.input, error.error_len());
            let len = error.error_len().unwrap_or(bytes.len() - at);
            (failed.block, Exception::new("UnicodeDecodeError", problem, at).to(at + len))
        }
        (_, Some((block, at))) => {
            let c = String::from_utf8_lossy(&bytes[at..at + control_len(bytes, at)]).chars().next().unwrap_or_default();
            let problem = format!("unacceptable character #x{:04x}: special characters are not allowed", c as u32);
            (block, Exception::new("ReaderError", problem, at).to(at + control_len(bytes, at)))
        }
        _ => unreachable!("invariant: a text is damaged by one of the two"),
    };
    let readable = if block < 2 { 0 } else { nth_character(bytes, block * BLOCK) };
    Box::new(Damage { exception, readable, places })
}

/// Where Python notices bytes that are no UTF-8.
#[derive(Clone, Copy)]
struct FailedRead {
    /// The block that PyYAML asked for: all characters of it are lost.
    block: usize,
    /// The byte from which Python counts positions in its message.
    input: usize,
}

/// Goes through the reads that `TextIOWrapper` makes for PyYAML's blocks, up to the one that fails. It reads chunks, larger
/// ones when the characters so far took more than two bytes each, and keeps a character that is cut in two, or a `\r` at
/// the end, for the next chunk.
fn failing_read(bytes: &[u8], at: usize, error: Utf8Error) -> FailedRead {
    // The byte that shows it; the end of the text when only that does.
    let seen = match error.error_len() {
        None => bytes.len(),
        Some(_) if is_first_byte_bad(bytes[at]) => at,
        // Python waits for the third byte of a surrogate.
        Some(_) if matches!(bytes[at..], [0xED, 0xA0..=0xBF, ..]) => at + 2,
        Some(len) => at + len,
    };
    let (mut position, mut decoded, mut held, mut ratio) = (0, 0, 0, (0, 1));
    for block in 0.. {
        while held < BLOCK {
            let wanted = (BLOCK - held) * ratio.0 / ratio.1;
            let end = (position + wanted.max(CHUNK)).min(bytes.len());
            let input = decoded + usize::from(bytes[decoded..position].first() == Some(&b'\r'));
            if seen < end || position == bytes.len() {
                return FailedRead { block, input };
            }
            let whole = match std::str::from_utf8(&bytes[decoded..end.min(at)]) {
                Ok(text) => decoded + text.len(),
                Err(error) => decoded + error.valid_up_to(),
            };
            let next = whole - usize::from(bytes[decoded..whole].last() == Some(&b'\r'));
            let count = characters(&bytes[decoded..next]);
            ratio = if count > 0 { (end - position, count) } else { (0, 1) };
            held += count;
            (position, decoded) = (end, next);
        }
        held -= BLOCK;
    }
    unreachable!("invariant: the bytes that fail are read in the end")
}

const fn is_first_byte_bad(b: u8) -> bool {
    matches!(b, 0x80..=0xC1 | 0xF5..)
}

/// How many characters Python makes of bytes that are text, `\r\n` being one.
fn characters(bytes: &[u8]) -> usize {
    let starts = bytes.iter().filter(|b| **b & 0xC0 != 0x80).count();
    starts - bytes.windows(2).filter(|pair| *pair == b"\r\n").count()
}

/// The byte at which a character begins, `\r\n` being one.
fn nth_character(bytes: &[u8], n: usize) -> usize {
    let mut at = 0;
    for _ in 0..n {
        at += match bytes.get(at) {
            None => return bytes.len(),
            Some(b'\r') => break_len(bytes, at),
            Some(0..=0x7F) => 1,
            Some(0..=0xDF) => 2,
            Some(0..=0xEF) => 3,
            Some(_) => 4,
        };
    }
    at.min(bytes.len())
}

/// Python's words for bytes at `at` that are no UTF-8, `len` of them, or all up to the end.
pub(super) fn decode_error(bytes: &[u8], at: usize, len: Option<usize>) -> String {
    let (len, reason) = match len {
        None => (bytes.len() - at, "unexpected end of data"),
        Some(_) if is_first_byte_bad(bytes[at]) => (1, "invalid start byte"),
        Some(len) => (len, "invalid continuation byte"),
    };
    if len == 1 {
        format!("'utf-8' codec can't decode byte 0x{:02x} in position {at}: {reason}", bytes[at])
    } else {
        format!("'utf-8' codec can't decode bytes in position {at}-{}: {reason}", at + len - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_in_a_later_block_leaves_the_earlier_ones_readable() {
        let mut bytes = vec![b'a'; 3 * BLOCK];
        bytes[2 * BLOCK + 7] = 1;
        let damage = decode(&bytes).expect_err("a control character");
        assert_eq!((damage.readable, damage.exception.at), (2 * BLOCK, 2 * BLOCK + 7));
        assert_eq!(damage.exception.problem, "unacceptable character #x0001: special characters are not allowed");
    }

    #[test]
    fn damage_in_the_first_two_blocks_leaves_nothing() {
        let damage = decode(b"a: \xff\n").expect_err("no UTF-8");
        assert_eq!((damage.readable, damage.exception.class), (0, "UnicodeDecodeError"));
        assert_eq!(damage.exception.problem, "'utf-8' codec can't decode byte 0xff in position 3: invalid start byte");
    }

    #[test]
    fn every_byte_that_cannot_be_read_has_a_place() {
        let damage = decode(b"\x00a\xc3(\xe2\x82").expect_err("damage");
        let kinds: Vec<_> = damage.places.iter().map(|(s, e, k)| (*s, *e, *k)).collect();
        assert_eq!(kinds, [(0, 1, Unreadable::Control), (2, 3, Unreadable::NoUtf8), (4, 6, Unreadable::NoUtf8)]);
    }
}
