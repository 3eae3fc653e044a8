//! The fuzz targets for a moment, without a fuzzer: seeds, cut and spliced at random. `make fuzz` looks much further.

use std::path::Path;

use crate::support::pg::env;
use crate::support::rng::Rng;

#[path = "../fuzz/targets.rs"]
#[expect(unreachable_pub, reason = "the same file is the library of the fuzz targets")]
mod targets;

/// Pieces that parsers treat in some special way.
const PIECES: [&[u8]; 32] = [
    b"\0",
    b"\xff",
    b"\xEF\xBB\xBF",
    b"\r\n",
    b"\n",
    b"\t",
    b"\\",
    b"\\\n",
    b"'",
    b"\"",
    b"#",
    b";",
    b"$$",
    b"/*",
    b"*/",
    b"--",
    b"[",
    b"{",
    b": ",
    b"- ",
    b"@",
    b"\xc2\x85",
    b"\xf0\x9f\x90\x98",
    b"%",
    b"{{",
    b"}}",
    b"{% if x %}",
    b"{% endif %}",
    b"<%",
    b"%>",
    b"${X}",
    b"{# #}",
];

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let entries = std::fs::read_dir(&dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display()));
    let mut files: Vec<_> = entries.map(|e| e.expect("an entry").path()).collect();
    files.sort();
    files.iter().map(|f| std::fs::read(f).expect("a seed")).collect()
}

/// A text near one of the seeds.
fn mutate(rng: &mut Rng, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut text = seeds[rng.below(seeds.len())].clone();
    for _ in 0..=rng.below(4) {
        let at = rng.below(text.len() + 1);
        let end = (at + rng.below(12)).min(text.len());
        match rng.below(5) {
            0 => drop(text.drain(at..end)),
            1 => text.truncate(at),
            2 => drop(text.splice(at..at, rng.pick(&PIECES).iter().copied())),
            3 if at < text.len() => text[at] = rng.pick(&PIECES)[0],
            _ => {
                let other = &seeds[rng.below(seeds.len())];
                let from = rng.below(other.len() + 1);
                let part = other[from..(from + rng.below(80)).min(other.len())].to_vec();
                drop(text.splice(at..end, part));
            }
        }
    }
    text
}

#[test]
fn parsers_survive_damaged_texts_and_point_into_them() {
    let number = |name, default| env(name).and_then(|v| v.parse::<u64>().ok()).unwrap_or(default);
    let (seed, n) = (number("PREFLIGHT_SEED", 1), number("PREFLIGHT_ORACLE_N", 10_000));
    println!("seed {seed}, {n} texts for each target");
    for (name, run) in targets::TARGETS {
        let seeds = seeds(name);
        assert!(!seeds.is_empty(), "no seeds for {name}");
        for text in &seeds {
            run(text);
        }
        let mut rng = Rng::new(seed);
        for _ in 0..n {
            let text = mutate(&mut rng, &seeds);
            let survived = std::panic::catch_unwind(|| run(&text)).is_ok();
            assert!(survived, "{name}, seed {seed}: {:?}", String::from_utf8_lossy(&text));
        }
    }
}

#[test]
fn every_target_has_seeds_and_a_fuzz_binary() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for dir in ["fuzz/seeds", "fuzz/fuzz_targets"] {
        let entries = std::fs::read_dir(root.join(dir)).expect("a directory");
        let mut names: Vec<_> = entries
            .map(|e| e.expect("an entry").path().file_stem().expect("a name").to_string_lossy().into_owned())
            .collect();
        names.sort();
        assert_eq!(names, targets::TARGETS.iter().map(|t| t.0).collect::<Vec<_>>(), "{dir}");
    }
}
