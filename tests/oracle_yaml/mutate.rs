//! Small mistakes in documents: what editors, templates and tired people do to a file.

use super::words::INDICATORS;
use crate::support::rng::Rng;

/// Makes one to three changes.
pub(super) fn mutate(rng: &mut Rng, document: &mut Vec<u8>, other: &[u8]) {
    for _ in 0..=rng.below(3) {
        change(rng, document, other);
    }
}

fn change(rng: &mut Rng, document: &mut Vec<u8>, other: &[u8]) {
    let at = rng.below(document.len() + 1);
    match rng.below(17) {
        0 => {
            let end = (at + 1 + rng.below(3)).min(document.len());
            document.drain(at..end);
        }
        1 | 2 => insert(document, at, rng.pick(INDICATORS).as_bytes()),
        3 => {
            let end = (at + rng.below(12)).min(document.len());
            let piece = document[at..end].to_vec();
            insert(document, at, &piece);
        }
        4 => {
            let other = rng.below(document.len() + 1);
            if at < document.len() && other < document.len() {
                document.swap(at, other);
            }
        }
        5 => on_lines(rng, document, |rng, lines| {
            let at = rng.below(lines.len());
            let line = lines[at].clone();
            lines.insert(rng.below(lines.len()), line);
        }),
        6 => on_lines(rng, document, |rng, lines| {
            let at = rng.below(lines.len());
            lines.remove(at);
        }),
        7 => on_lines(rng, document, |rng, lines| {
            let (a, b) = (rng.below(lines.len()), rng.below(lines.len()));
            lines.swap(a, b);
        }),
        8 | 9 => on_lines(rng, document, |rng, lines| {
            let at = rng.below(lines.len());
            let line = &mut lines[at];
            if rng.one_in(2) && line.first() == Some(&b' ') {
                line.remove(0);
            } else {
                line.insert(0, *rng.pick(&[&b' ', &b' ', &b' ', &b'\t']));
            }
        }),
        10 => {
            if let Some(quote) = document[at..].iter().position(|b| matches!(b, b'"' | b'\'')) {
                document.remove(at + quote);
            }
        }
        11 => insert(document, at, rng.pick(&["\"", "'", "''", "\\"]).as_bytes()),
        12 => {
            let end = (at + rng.below(40)).min(other.len());
            if at < end {
                insert(document, at, &other[at..end]);
            }
        }
        13 => document.truncate(at),
        14 => {
            if at < document.len() {
                document[at] = u8::try_from(rng.below(256)).expect("a byte");
            }
        }
        15 => {
            let wide = b"\xc3\xa9";
            insert(document, at, if rng.one_in(2) { wide } else { b"\xe2\x82\xac" });
        }
        _ => {
            if let Some(colon) = document[at..].windows(2).position(|w| w == b": ") {
                insert(document, at + colon + 2, rng.pick(INDICATORS).as_bytes());
            }
        }
    }
}

fn insert(document: &mut Vec<u8>, at: usize, piece: &[u8]) {
    document.splice(at..at, piece.iter().copied());
}

fn on_lines(rng: &mut Rng, document: &mut Vec<u8>, change: impl FnOnce(&mut Rng, &mut Vec<Vec<u8>>)) {
    let mut lines: Vec<Vec<u8>> = document.split_inclusive(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
    if !lines.is_empty() {
        change(rng, &mut lines);
        *document = lines.concat();
    }
}
