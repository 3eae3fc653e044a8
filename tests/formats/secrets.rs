//! No format shows a secret of any fixture.
//!
//! Twice: no secret that can be told from other words stands in an output; and when every secret is replaced by another of
//! the same shape, no output changes by a byte. The second finds short ones, parts, and hashes of them too.

use std::collections::BTreeMap;
use std::path::Path;

use patroni_preflight::cli::Format;
use patroni_preflight::run::Linted;

use super::{Shot, shots};
use crate::support::cases::{copy, lint_case_at};
use crate::support::{TempDir, lint_dir, report};

/// Whether a value cannot be mistaken for one of the other words of a file.
fn is_telling(value: &str) -> bool {
    value.len() >= 6 && value.bytes().any(|b| !b.is_ascii_lowercase() && b != b'_')
}

#[test]
fn no_secret_of_a_fixture_is_in_any_format() {
    let mut looked = 0;
    for shot in shots() {
        let secrets: Vec<&str> =
            shot.linted.facts.secrets().iter().map(|(_, s)| s.reveal()).filter(|s| is_telling(s)).collect();
        for format in Format::all() {
            let text = report(&shot.linted, *format);
            for secret in &secrets {
                assert!(!text.contains(secret), "{} {} shows {secret}:\n{text}", shot.name, format.name());
            }
        }
        looked += secrets.len();
    }
    assert!(looked > 100, "{looked}");
}

/// Whether a value would be read as something else with other letters: a boolean, a date, a hexadecimal number, an escape.
fn has_shape(text: &str) -> bool {
    const BOOLEANS: [&str; 6] = ["on", "off", "yes", "no", "true", "false"];
    let number = text.starts_with(|c: char| c.is_ascii_digit()) && text.contains(['-', 'x']);
    // Of a password that is stored hashed the name of the hash says how to read it.
    number || text.starts_with("md5") || text.contains('\\') || BOOLEANS.contains(&text.to_ascii_lowercase().as_str())
}

/// Another character of the same kind. `0`, `8` and `9` stay, because YAML reads numbers with them differently.
const fn other(byte: u8) -> u8 {
    match byte {
        b'7' => b'1',
        b'z' => b'a',
        b'Z' => b'A',
        b'1'..=b'6' | b'a'..=b'y' | b'A'..=b'Y' => byte + 1,
        _ => byte,
    }
}

/// Writes the files of a run once more, with other secrets. `None` when there are none.
fn with_others(linted: &Linted, dir: &Path) -> Option<()> {
    let mut files: BTreeMap<_, Vec<u8>> = BTreeMap::new();
    for span in linted.facts.secret_spans() {
        let source = linted.facts.sources.get(span.source);
        let Some(path) = source.file() else { continue };
        let bytes = files.entry(path.to_path_buf()).or_insert_with(|| source.bytes().to_vec());
        if has_shape(source.text(*span).trim_matches(['"', '\''])) {
            continue;
        }
        // Spans may lie within each other: always from the text as it was.
        for i in span.range() {
            bytes[i] = other(source.bytes()[i]);
        }
    }
    files.retain(|path, bytes| std::fs::read(dir.join(path)).unwrap() != *bytes);
    for (path, bytes) in &files {
        std::fs::write(dir.join(path), bytes).unwrap();
    }
    (!files.is_empty()).then_some(())
}

fn again(shot: &Shot, dir: &Path) -> Linted {
    if shot.name.starts_with("clusters/") { lint_dir(dir, None) } else { lint_case_at(&shot.dir, dir) }
}

#[test]
fn no_output_depends_on_a_secret() {
    let mut looked = 0;
    let mut wrong = Vec::new();
    for shot in shots() {
        let temp = TempDir::new("secrets");
        let input = if shot.name.starts_with("clusters/") { shot.dir.clone() } else { shot.dir.join("input") };
        copy(&input, &temp.0);
        // Modes of files count only outside of version control, and the fixtures lie inside.
        if !shot.dir.join("modes.txt").exists() {
            std::fs::create_dir(temp.0.join(".git")).unwrap();
        }
        // What these find is a property of the secret itself; they show no more of it than that.
        let about_it = ["generated-config-placeholder", "weak-default-secrets"];
        if about_it.iter().any(|rule| shot.linted.outcome.findings.iter().any(|f| f.rule == *rule))
            || with_others(&shot.linted, &temp.0).is_none()
        {
            continue;
        }
        let linted = again(&shot, &temp.0);
        looked += 1;
        for format in Format::all() {
            let (before, after) = (report(&shot.linted, *format), report(&linted, *format));
            let differs = before.lines().zip(after.lines()).find(|(a, b)| a != b);
            if let Some((before, after)) = differs {
                wrong.push(format!("{} {}\n  {before}\n  {after}", shot.name, format.name()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(looked > 50, "{looked}");
}
