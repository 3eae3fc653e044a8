//! What shows only in larger texts: the blocks in which Python reads, and keys of more than 1024 characters.

use std::collections::BTreeMap;

use super::peer::Peer;
use crate::support::number;
use crate::support::rng::Rng;

const PIECES: &[&str] = &["a", "xyz", "é", "日本", "\u{1F600}", "\u{feff}", "_", "0"];

fn filler(rng: &mut Rng, characters: usize) -> String {
    let rare = rng.below(30) + 1;
    let mut out = String::new();
    let mut count = 0;
    while count < characters {
        let piece = if rng.one_in(rare) { rng.pick(PIECES) } else { "b" };
        out.push_str(piece);
        count += piece.chars().count();
    }
    out
}

/// Thousands of lines, with bytes that cannot be read somewhere and perhaps a mistake of another kind elsewhere.
fn damaged(rng: &mut Rng) -> Vec<u8> {
    let end = *rng.pick(&[&"\n", &"\r\n", &"\r"]);
    let mut out = String::new();
    let size = 3000 + rng.below(18_000);
    while out.len() < size {
        let len = rng.below(400);
        out.push_str("# ");
        out.push_str(&filler(rng, len));
        out.push_str(end);
        if rng.one_in(12) {
            out.push_str("- b: c");
            out.push_str(end);
        }
    }
    let mut bytes = out.into_bytes();
    let damage: [&[u8]; 9] = [
        b"\xff",
        b"\xc3",
        b"\xe2\x82",
        b"\xed\xa0\x80",
        b"\xf0\x9f\x98",
        b"\x00",
        b"\x7f",
        b"\xc2\x80",
        b"\xef\xbf\xbe",
    ];
    for _ in 0..=rng.below(2) {
        // Around the ends of blocks and chunks more often than elsewhere.
        let edge = *rng.pick(&[&4096, &8192, &12_288, &16_384]);
        let at = if rng.one_in(2) { edge + rng.below(16) } else { rng.below(bytes.len()) + 8 };
        let at = at.saturating_sub(8).min(bytes.len());
        let piece = damage[rng.below(damage.len())];
        bytes.splice(at..at, piece.iter().copied());
    }
    if rng.one_in(2) {
        let at = rng.below(bytes.len());
        bytes.splice(at..at, b"\n@\n".iter().copied());
    }
    if rng.one_in(6) {
        bytes.truncate(rng.below(bytes.len()));
    }
    bytes
}

/// One key of about 1024 characters.
fn long_key(rng: &mut Rng) -> Vec<u8> {
    let len = 1012 + rng.below(20);
    let text = filler(rng, len);
    let key = match rng.below(6) {
        0 => format!("'{text}'"),
        1 => format!("&a {text}"),
        2 => format!("!!str {text}"),
        3 => format!("[{text}]"),
        4 => format!("\"{text}\" "),
        _ => text,
    };
    let document = match rng.below(6) {
        0 => format!("{key}: b\n"),
        1 => format!("c: d\n{key}: b\n"),
        2 => format!("- {key}: b\n"),
        3 => format!("{{{key}: b}}\n"),
        4 => format!("[a, {key} : b]\n"),
        _ => format!("c:\n  {key}: b\n  e: f\n"),
    };
    document.into_bytes()
}

#[test]
fn larger_documents_read_as_pyyaml_reads_them() {
    let count = number("PREFLIGHT_ORACLE_N", 2000) / 10;
    let seed = number("PREFLIGHT_SEED", 20_241_123);
    let mut peer = Peer::start();
    let (mut refused, mut explained) = (0, BTreeMap::new());
    for i in 0..count {
        let mut rng = Rng::new(seed.wrapping_add(i));
        let document = if i % 2 == 0 { damaged(&mut rng) } else { long_key(&mut rng) };
        let Ok(was_refused) = super::compare(&mut peer, &document, &mut explained) else {
            panic!("{}", super::fail(&mut peer, seed + i, "large", &document));
        };
        refused += usize::from(was_refused);
    }
    println!("{count} documents from seed {seed}: {refused} refused by both, explained {explained:?}");
    assert!(refused > 0, "some are refused");
}
