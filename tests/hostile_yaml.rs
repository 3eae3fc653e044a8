//! Texts made to hurt: each ends soon, with a problem where PyYAML or Patroni would break down.
#![expect(clippy::print_stdout, reason = "helpers of tests print what they measured")]

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use patroni_preflight::parse::yaml::{MOST_STEPS, NodeId, Tree, Value, parse};
use patroni_preflight::problem::Parsed;
use patroni_preflight::source::Source;

use crate::support::number;
use crate::support::rng::Rng;

/// How long one text may take, without optimisation.
const LIMIT: Duration = Duration::from_secs(1);

/// How long this thread has worked, so that other programs on the machine do not count (Linux).
pub(crate) fn on_cpu() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    stat.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

fn read(text: impl Into<Vec<u8>>) -> Parsed<Tree> {
    let source = Source::lone("hostile.yml", text);
    let start = Instant::now();
    let worked = on_cpu();
    let parsed = parse(&source);
    let took = match (worked, on_cpu()) {
        (Some(before), Some(after)) => after.saturating_sub(before),
        _ => start.elapsed(),
    };
    println!("{} bytes, {} nodes, {took:?}", source.bytes().len(), parsed.tree.len());
    assert!(took < LIMIT, "took {took:?}");
    assert!(parsed.tree.len() <= source.bytes().len() + 8, "more nodes than bytes");
    parsed
}

fn has(parsed: &Parsed<Tree>, rule: &str) -> bool {
    parsed.problems.iter().any(|p| p.rule == rule)
}

fn steps(tree: &Tree, id: NodeId) -> usize {
    let below: usize = match &tree.node(id).value {
        Value::Sequence(items) | Value::Set(items) => items.iter().map(|i| steps(tree, *i)).sum(),
        Value::Mapping(entries) | Value::Pairs(entries) => {
            entries.iter().map(|e| steps(tree, e.key) + steps(tree, e.value)).sum()
        }
        _ => 0,
    };
    1 + below
}

#[test]
fn an_alias_bomb_is_cut() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for i in 1..40 {
        let previous = format!("*a{}", i - 1);
        writeln!(text, "a{i}: &a{i} [{}]", [previous.as_str(); 9].join(", ")).expect("a string");
    }
    let parsed = read(text);
    assert!(has(&parsed, "yaml-too-large-when-expanded") && !parsed.tree.is_complete());
    assert!(steps(&parsed.tree, parsed.tree.root().expect("a root")) <= MOST_STEPS);
}

#[test]
fn a_node_that_contains_itself_is_cut() {
    let parsed = read("a: &a\n  b: [*a, *a, &c [*c]]\n");
    assert!(has(&parsed, "yaml-recursive-alias"));
    assert!(steps(&parsed.tree, parsed.tree.root().expect("a root")) < 20);
}

#[test]
fn many_references_to_one_recursive_node_take_linear_time() {
    let parsed = read(format!("&a [{}]\n", "*a,".repeat(300_000)));
    assert!(has(&parsed, "yaml-recursive-alias"));
}

#[test]
fn merge_keys_that_double_are_refused() {
    let mut text = String::from("m0: &m0 {a: 1, b: 2}\n");
    for i in 1..=25 {
        writeln!(text, "m{i}: &m{i} {{<<: [*m{0}, *m{0}]}}", i - 1).expect("a string");
    }
    let parsed = read(text);
    assert!(has(&parsed, "yaml-too-large-when-expanded") && !parsed.tree.is_complete());
}

#[test]
fn many_merge_keys_in_one_mapping_take_bounded_time() {
    read(format!("a: &a {{x: 1}}\nb:\n{}", "  <<: *a\n".repeat(100_000)));
}

#[test]
fn a_hundred_thousand_levels_are_too_deep() {
    for text in
        ["[".repeat(100_000), "{a: ".repeat(100_000), "- ".repeat(100_000), "? ".repeat(100_000), "[?".repeat(100_000)]
    {
        let parsed = read(text);
        assert!(has(&parsed, "yaml-too-deep"), "{:?}", parsed.problems);
    }
    let keys = (0..4000).fold(String::new(), |mut text, i| {
        writeln!(text, "{}k:", " ".repeat(i)).expect("a string");
        text
    });
    assert!(has(&read(keys), "yaml-too-deep"));
}

#[test]
fn deep_but_allowed_nesting_is_read() {
    let parsed = read(format!("{}x{}", "[".repeat(486), "]".repeat(486)));
    assert!(parsed.tree.is_complete() && parsed.problems.is_empty());
    assert!(has(&read(format!("{}x{}", "[".repeat(487), "]".repeat(487))), "yaml-too-deep"));
}

#[test]
fn closing_brackets_alone_are_a_mistake_only() {
    assert!(!read("]".repeat(1_000_000)).tree.is_complete());
}

#[test]
fn one_line_of_thirty_megabytes_takes_linear_time() {
    let size = 30_000_000;
    assert!(read(format!("a: {}\n", "x".repeat(size))).tree.is_complete());
    assert!(read(format!("a: \"{}\"\n", "é ".repeat(size / 3))).tree.is_complete());
    assert!(!read(format!("a: \"{}\n", "x".repeat(size))).tree.is_complete());
    assert!(!read(format!("a: {}: b\n", "x".repeat(size))).tree.is_complete());
    assert!(read(format!("a: |\n  {}\n", "x ".repeat(size / 2))).tree.is_complete());
    assert!(read(format!("# {}\na: b\n", "x".repeat(size))).tree.is_complete());
}

#[test]
fn long_numbers_take_linear_time() {
    let size = 5_000_000;
    assert!(read(format!("a: 0x{}\n", "f".repeat(size))).tree.is_complete());
    assert!(read(format!("a: 0{}\n", "7".repeat(size))).tree.is_complete());
    assert!(has(&read(format!("a: 1{}\n", "0".repeat(size))), "yaml-parse-error"));
    assert!(has(&read(format!("a: 1{}\n", ":59".repeat(size / 3))), "yaml-too-large-when-expanded"));
    assert!(has(&read(format!("a: 1{}.5\n", ":59".repeat(size / 3))), "yaml-parse-error"));
}

#[test]
fn many_keys_take_linear_time() {
    let text = (0..200_000).fold(String::new(), |mut text, i| {
        writeln!(text, "k{i}: v").expect("a string");
        text
    });
    let parsed = read(text);
    assert!(parsed.tree.is_complete());
    assert_eq!(parsed.tree.entries(parsed.tree.root().expect("a root")).len(), 200_000);
    let same = read("k: v\n".repeat(100_000));
    assert!(has(&same, "yaml-repeated-key"));
}

#[test]
fn many_mistakes_take_bounded_time() {
    for mistake in
        ["a: *:1\n", "a: @b\n", "\ta: b\n", "a: 'b\n", "a: b: c\n", "- [\n", "  a\n b: c\n", "a: !x\n", "? [x]\n: y\n"]
    {
        assert!(!read(mistake.repeat(100_000)).tree.is_complete(), "{mistake:?}");
    }
}

#[test]
fn bytes_that_are_no_text_are_a_problem() {
    assert!(has(&read(b"a: \xff\xfe\nb: 1\n".to_vec()), "file-not-utf8"));
    assert!(has(&read([b"a: ".to_vec(), vec![0xC3; 3_000_000]].concat()), "file-not-utf8"));
    assert!(has(&read(vec![0; 3_000_000]), "yaml-parse-error"));
    assert!(has(&read((0..=255).cycle().take(1_000_000).collect::<Vec<u8>>()), "file-not-utf8"));
}

#[test]
fn any_bytes_are_read_without_a_panic() {
    let alphabet = b"ab:-?[]{},#&*!|>'\"%@`\\ \t\n\r\x00\x7f\xc2\x85\xe2\x80\xa8\xef\xbb\xbf\xff0123456789<=~._+xe";
    let mut rng = Rng::new(number("PREFLIGHT_SEED", 1));
    for _ in 0..number("PREFLIGHT_ORACLE_N", 2000) * 5 {
        let text: Vec<u8> = (0..rng.below(60)).map(|_| alphabet[rng.below(alphabet.len())]).collect();
        let parsed = parse(&Source::lone("noise.yml", text.clone()));
        assert_eq!(
            parsed.tree.is_complete(),
            parsed.tree.exception().is_none() && !has(&parsed, "yaml-recursive-alias"),
            "{text:?}"
        );
    }
}
