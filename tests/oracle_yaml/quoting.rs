//! Quoted text, read back by PyYAML.

use patroni_preflight::parse::yaml::{needs_quotes, quote};
use serde_json::json;

use super::peer::Peer;
use super::words::INDICATORS;
use crate::support::number;
use crate::support::rng::Rng;

const WORDS: &[&str] = &[
    "",
    "a",
    "on",
    "Null",
    "0777",
    "1:30",
    "1.5",
    "2024-01-01",
    " ",
    "  ",
    "\n",
    "\r\n",
    "\t",
    "é",
    "日本",
    "\u{1F600}",
    "%p",
    "x y",
    "\u{1b}",
    "/var/lib",
    "10.0.0.1",
    ":5432",
    "$HOME",
    "+1",
    "_",
    ".",
    "..",
    "host all all",
    "0x1F",
    "1_000",
    "\u{7f}",
    "~",
    "=",
];

fn text(rng: &mut Rng) -> String {
    (0..=rng.below(4)).map(|_| if rng.one_in(3) { rng.pick(INDICATORS) } else { rng.pick(WORDS) }).collect()
}

#[test]
fn text_that_was_quoted_where_needed_reads_back_as_itself() {
    let count = number("PREFLIGHT_ORACLE_N", 2000);
    let seed = number("PREFLIGHT_SEED", 20_241_123);
    let mut peer = Peer::start();
    let mut plain = 0;
    for i in 0..count {
        let text = text(&mut Rng::new(seed.wrapping_add(i)));
        let written = if needs_quotes(&text) {
            quote(&text)
        } else {
            plain += 1;
            text.clone()
        };
        let expected = serde_json::to_string(&text).expect("JSON");
        for (document, value) in [
            (format!("k: {written}\n"), format!("{{\"k\":{expected}}}")),
            (format!("- {written}\n- {}\n", quote(&text)), format!("[{expected},{expected}]")),
            (format!("{written}: [{written}, {{{written}: {written}}}]\n"), {
                format!("{{{expected}:[{expected},{{{expected}:{expected}}}]}}")
            }),
        ] {
            assert_eq!(
                peer.ask(document.as_bytes()),
                json!(["ok", value]),
                "{text:?} in {document:?}, seed {}",
                seed + i
            );
        }
    }
    println!("{count} texts from seed {seed}, {plain} of them without quotes");
    assert!(plain > 0, "some text needs no quotes");
}
