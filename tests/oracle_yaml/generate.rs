//! Documents to compare on: shapes of real `patroni.yml` files, and whatever the grammar of YAML allows.
#![expect(clippy::format_push_string, reason = "shorter, and speed is not what the test is about")]

use super::grammar::{Grammar, merges};
use super::shape::Shape;
use super::words::{INDICATORS, KEYS, Words};
use crate::support::rng::Rng;

/// A document: two of three hold nothing that is meant to be refused.
pub(super) fn document(rng: &mut Rng) -> String {
    let wild = rng.one_in(3);
    match rng.below(11) {
        10 => merges(&mut Words { rng, wild }),
        0..4 => Shape { words: Words { rng, wild }, out: String::new(), anchored: false }.patroni(),
        4..9 => Grammar { words: Words { rng, wild }, out: String::new(), anchors: Vec::new(), left: 24 }.stream(),
        _ => lines(&mut Words { rng, wild: true }),
    }
}

/// Lines that have little to do with each other.
fn lines(words: &mut Words<'_>) -> String {
    let mut out = String::new();
    for _ in 0..=words.rng.below(7) {
        out.push_str(&" ".repeat(*words.rng.pick(&[&0, &0, &2, &2, &4, &1, &6])));
        for _ in 0..=words.rng.below(4) {
            match words.rng.below(6) {
                0 => out += &format!("{}: ", words.rng.pick(KEYS)),
                1 => out.push_str("- "),
                2 => out.push_str(&words.scalar()),
                3 => out.push_str(words.rng.pick(INDICATORS)),
                4 => out.push_str(words.rng.pick(KEYS)),
                _ => out.push(' '),
            }
        }
        out.push_str(words.rng.pick(&["\n", "\n", "\n", "\r\n", "\r", "\u{85}", "\u{2028}", "\n\n"]));
    }
    out
}
