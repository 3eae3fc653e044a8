//! Our YAML against the real PyYAML: values, or the exception with its words and places.

mod corpus;
mod generate;
mod grammar;
mod invariants;
mod large;
mod mutate;
mod ours;
mod peer;
mod quoting;
mod shape;
mod words;

use std::collections::BTreeMap;

use patroni_preflight::parse::yaml::parse;
use patroni_preflight::problem::Problem;
use patroni_preflight::source::Source;
use serde_json::Value as Json;

use self::peer::Peer;
use crate::support::number;
use crate::support::rng::Rng;

/// Why an answer may differ. Every entry is counted and printed.
fn explanation(ours: &Json, theirs: &Json, problems: &[Problem]) -> Option<&'static str> {
    let told = |rule: &str| problems.iter().any(|p| p.rule == rule);
    let class = |answer: &Json| answer.get(1).and_then(Json::as_str).unwrap_or_default().to_owned();
    if class(ours) == "RecursionError" || class(theirs) == "RecursionError" {
        return Some("the depth at which Python gives up depends on what stands at the bottom");
    }
    if theirs[0] == "huge" {
        return Some("too large to be written out");
    }
    if theirs[5].as_str().is_some_and(|text| text.contains("\\ud")) && told("yaml-surrogate-escape") {
        return Some("Python's message shows a lone surrogate, for which we have U+FFFD");
    }
    None
}

fn compare(peer: &mut Peer, document: &[u8], explained: &mut BTreeMap<&'static str, usize>) -> Result<bool, String> {
    let source = Source::lone("document.yml", document);
    let parsed = parse(&source);
    let ours = ours::answer(document, &parsed);
    let theirs = peer.ask(document);
    invariants::check(&source, &parsed, theirs[0] == "ok")?;
    if ours == theirs {
        return Ok(theirs[0] == "error");
    }
    if let Some(why) = explanation(&ours, &theirs, &parsed.problems) {
        *explained.entry(why).or_default() += 1;
        return Ok(false);
    }
    Err(format!("ours:   {ours}\ntheirs: {theirs}"))
}

/// Cuts a document down while PyYAML and we still differ.
fn shrink(peer: &mut Peer, document: &[u8]) -> Vec<u8> {
    let mut best = document.to_vec();
    let mut size = best.len() / 2;
    while size > 0 {
        let mut at = 0;
        while at < best.len() {
            let mut tried = best.clone();
            tried.drain(at..(at + size).min(best.len()));
            if compare(peer, &tried, &mut BTreeMap::new()).is_err() {
                best = tried;
            } else {
                at += size;
            }
        }
        size /= 2;
    }
    best
}

fn fail(peer: &mut Peer, seed: u64, what: &str, document: &[u8]) -> String {
    let small = shrink(peer, document);
    let answers = compare(peer, &small, &mut BTreeMap::new()).expect_err("still different");
    let shown = String::from_utf8_lossy(&small[..small.len().min(2000)]).into_owned();
    format!("{what}, seed {seed}, {} bytes\n{shown:?}\n{answers}\n", small.len())
}

#[test]
fn generated_documents_read_as_pyyaml_reads_them() {
    let count = number("PREFLIGHT_ORACLE_N", 2000);
    let seed = number("PREFLIGHT_SEED", 20_241_123);
    let mut peer = Peer::start();
    let real: Vec<Vec<u8>> = corpus::files().into_iter().map(|(_, bytes)| bytes).collect();
    let (mut refused, mut explained, mut failures) = (0, BTreeMap::new(), Vec::new());
    for i in 0..count {
        let mut rng = Rng::new(seed.wrapping_add(i));
        let mut document = match (i % 4, real.is_empty()) {
            (3, false) => piece(&mut rng, &real),
            _ => generate::document(&mut rng).into_bytes(),
        };
        if i % 2 != 0 {
            let other = generate::document(&mut rng).into_bytes();
            mutate::mutate(&mut rng, &mut document, &other);
        }
        match compare(&mut peer, &document, &mut explained) {
            Ok(was_refused) => refused += usize::from(was_refused),
            Err(_) => failures.push(fail(&mut peer, seed.wrapping_add(i), "generated", &document)),
        }
        if failures.len() >= 12 {
            break;
        }
    }
    println!("{count} documents from seed {seed}: {refused} refused by both, explained {explained:?}");
    assert!(failures.is_empty(), "{} differ:\n{}", failures.len(), failures.join("\n"));
    assert!(refused > 0 && (refused as u64) < count, "documents of both kinds are needed");
}

/// Some lines of a real file, so that PyYAML needs little time for them.
fn piece(rng: &mut Rng, files: &[Vec<u8>]) -> Vec<u8> {
    let file = &files[rng.below(files.len())];
    let lines: Vec<&[u8]> = file.split_inclusive(|b| *b == b'\n').collect();
    if lines.is_empty() {
        return Vec::new();
    }
    let start = if rng.one_in(2) { 0 } else { rng.below(lines.len()) };
    let end = (start + 5 + rng.below(35)).min(lines.len());
    lines[start..end].concat()
}
