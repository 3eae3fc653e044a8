//! Pins of what is reported, mended and recovered; values are compared with PyYAML itself in `tests/oracle_yaml.rs`.

use super::{NodeId, Tree, Value, parse};
use crate::problem::{Parsed, Problem};
use crate::source::Source;

fn read(text: &str) -> (Source, Parsed<Tree>) {
    let source = Source::lone("patroni.yml", text);
    let parsed = parse(&source);
    (source, parsed)
}

/// Rules with line and column.
fn summary(source: &Source, problems: &[Problem]) -> Vec<String> {
    let line = |p: &Problem| source.position(p.at.start);
    problems.iter().map(|p| format!("{} {}:{}", p.rule, line(p).0, line(p).1)).collect()
}

fn mended(source: &Source, problem: &Problem) -> String {
    let mut bytes = source.bytes().to_vec();
    for edit in problem.edits.iter().rev() {
        bytes.splice(edit.at.range(), edit.text.bytes());
    }
    String::from_utf8(bytes).expect("text")
}

fn at<'t>(tree: &'t Tree, path: &[&str]) -> &'t Value {
    &tree.node(tree.at(path).unwrap_or_else(|| panic!("no {path:?}")).value).value
}

fn text(value: &str) -> Value {
    Value::Str(value.into())
}

#[test]
fn an_unquoted_star_is_quoted_and_hides_nothing_else() {
    let (source, parsed) = read("restapi:\n  listen: *:8008\n  a: b\npostgresql:\n  listen: *:5432 \n");
    assert_eq!(summary(&source, &parsed.problems), ["yaml-unquoted-star 2:12", "yaml-unquoted-star 5:12"]);
    assert_eq!(*at(&parsed.tree, &["restapi", "listen"]), Value::Unknown);
    assert_eq!(*at(&parsed.tree, &["restapi", "a"]), text("b"));
    assert!(!parsed.tree.is_complete());
    let once = mended(&source, &parsed.problems[0]);
    assert!(once.contains("  listen: '*:8008'\n"), "{once}");
}

#[test]
fn special_characters_are_named_and_quoted() {
    for (value, character) in [
        ("@x", "@"),
        ("%x", "%"),
        ("`x", "`"),
        ("!x y", "!"),
        ("&x!y", "&"),
        ("&x:y", "&"),
        ("&x", "&"),
        ("[x", "["),
        ("{x", "{"),
    ] {
        let (source, parsed) = read(&format!("a: 1\nb: {value}\nc: 2\n"));
        let [problem] = &parsed.problems[..] else { panic!("{value}: {:?}", parsed.problems) };
        assert_eq!(problem.rule, "yaml-unquoted-special", "{value}");
        assert!(problem.args.contains(&("character", character.to_owned())), "{problem:?}");
        assert_eq!(mended(&source, problem), format!("a: 1\nb: '{value}'\nc: 2\n"));
        assert_eq!(*at(&parsed.tree, &["c"]), Value::Int(super::Int::Small(2)), "{value}");
    }
}

#[test]
fn a_tab_becomes_spaces_where_all_widths_agree() {
    let (source, parsed) = read("a:\n\tb: 1\n\tc: 2\n");
    assert_eq!(summary(&source, &parsed.problems), ["yaml-tab-indent 2:1"]);
    assert_eq!(mended(&source, &parsed.problems[0]), "a:\n  b: 1\n  c: 2\n");
    let (source, parsed) = read("a:\tb\n");
    assert_eq!(mended(&source, &parsed.problems[0]), "a: b\n");
    let (_, parsed) = read("a:\n    b:\n\tc: 1\n");
    assert_eq!(parsed.problems[0].edits, [], "four spaces or eight mean different things");
}

#[test]
fn an_open_quote_costs_only_its_own_value() {
    let (source, parsed) = read("a: \"x\nb: y\nc: z\n");
    assert_eq!(summary(&source, &parsed.problems), ["yaml-parse-error 4:1"]);
    assert_eq!(source.position(parsed.problems[0].labels[0].0.start), (1, 4));
    assert_eq!(*at(&parsed.tree, &["a"]), Value::Unknown);
    assert_eq!(*at(&parsed.tree, &["c"]), text("z"));
}

#[test]
fn one_cause_is_one_problem() {
    for broken in [
        "a:\n  b: 1\n   c: 2\n  d: 3\n",
        "a: \"x\nb: y\nc: \"z\"\n",
        "a:\n  b c\n  d: e\n",
        "a:\n    b: 1\n  c: 2\n",
        "a: [1, 2\nb: 3\n",
    ] {
        let (source, parsed) = read(&format!("{broken}last: 1\n"));
        assert_eq!(parsed.problems.len(), 1, "{broken:?}: {:?}", summary(&source, &parsed.problems));
        assert_eq!(*at(&parsed.tree, &["last"]), Value::Int(super::Int::Small(1)), "{broken:?}");
    }
}

#[test]
fn equal_keys_are_told_with_the_first() {
    let (source, parsed) = read("a: 1\nb: 2\na: 3\n1: x\ntrue: y\n");
    assert_eq!(summary(&source, &parsed.problems), ["yaml-duplicate-key 3:1", "yaml-duplicate-key 5:1"]);
    assert_eq!(source.position(parsed.problems[0].labels[0].0.start), (1, 1));
    assert_eq!(parsed.problems[0].args, [("key", "a".to_owned())]);
    assert_eq!(*at(&parsed.tree, &["a"]), Value::Int(super::Int::Small(3)));
    assert!(parsed.tree.is_complete());
}

#[test]
fn an_override_of_a_merged_key_is_no_duplicate() {
    let (_, parsed) = read("a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  y: 3\n");
    assert_eq!(parsed.problems, []);
    let entries = parsed.tree.entries(parsed.tree.at(&["b"]).expect("b").value);
    assert_eq!(entries.iter().map(|e| e.merged).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn comments_are_kept_and_found_behind_values() {
    let (source, parsed) = read("# top\na: abc #def\nb: 'x' # y\nc: d\n");
    let comments: Vec<_> = parsed.tree.comments().iter().map(|c| source.text(*c).into_owned()).collect();
    assert_eq!(comments, ["# top", "#def", "# y"]);
    let span = |key: &str| parsed.tree.node(parsed.tree.at(&[key]).expect("a key").value).span;
    assert_eq!(
        parsed.tree.comment_after(&source, span("a")).map(|c| source.text(c).into_owned()),
        Some("#def".to_owned())
    );
    assert_eq!(parsed.tree.comment_after(&source, span("c")), None);
}

#[test]
fn words_on_a_line_with_a_secret_do_not_quote_it() {
    for value in ["*hunter2", "!hunter2 x", "!!int hunter2", "&hunter2"] {
        let (_, parsed) = read(&format!("b: &hunter3 1\npassword: {value}\n"));
        assert!(!format!("{:?}", parsed.problems).contains("hunter2"), "{:?}", parsed.problems);
        assert!(!parsed.problems.is_empty(), "{value}");
    }
}

#[test]
fn a_pair_of_surrogates_is_told_and_joined() {
    let (source, parsed) = read("a: \"\\ud83d\\ude00\"\n");
    assert_eq!(summary(&source, &parsed.problems), ["yaml-surrogate-escape 1:5"]);
    assert_eq!(mended(&source, &parsed.problems[0]), "a: \"\\U0001F600\"\n");
}

#[test]
fn bytes_that_are_no_text_are_unknown_and_the_rest_is_known() {
    let source = Source::lone("x", b"a: b\xff\nc: d\ne: *:1\n".as_slice());
    let parsed = parse(&source);
    assert_eq!(summary(&source, &parsed.problems), ["file-not-utf8 1:5", "yaml-unquoted-star 3:5"]);
    assert_eq!((at(&parsed.tree, &["a"]), at(&parsed.tree, &["c"])), (&Value::Unknown, &text("d")));
    assert_eq!(parsed.tree.exception().map(|e| e.class), Some("UnicodeDecodeError"));
}

#[test]
fn a_second_document_is_left_out() {
    let (source, parsed) = read("a: 1\n---\nb: 2\n");
    assert_eq!(summary(&source, &parsed.problems), ["yaml-parse-error 2:1"]);
    assert_eq!(*at(&parsed.tree, &["a"]), Value::Int(super::Int::Small(1)));
}

#[test]
fn spans_are_bytes_of_the_file_without_anchor_and_tag() {
    let (source, parsed) = read("é: &x !!str 10\r\nb:\r\n- 'c'\r\n");
    let span = |id: NodeId| source.text(parsed.tree.node(id).span).into_owned();
    let first = parsed.tree.at(&["é"]).expect("é");
    assert_eq!((span(first.key), span(first.value)), ("é".to_owned(), "10".to_owned()));
    assert_eq!(span(parsed.tree.at(&["b"]).expect("b").value), "- 'c'");
}

#[test]
fn an_empty_text_has_no_root() {
    for empty in ["", "# nothing\n", "\u{feff}"] {
        let (_, parsed) = read(empty);
        assert_eq!(
            (parsed.tree.root(), parsed.problems.len(), parsed.tree.is_complete()),
            (None, 0, true),
            "{empty:?}"
        );
    }
}
