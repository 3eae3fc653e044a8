//! Rules of an organisation: the examples, what is refused, and the schema for editors.

use patroni_preflight::config::rule_texts;
use patroni_preflight::rules::builtin::BUILTIN;
use patroni_preflight::rules::load::{RuleText, SCHEMA, load};
use serde_json::Value;

use crate::cli::{run, text};
use crate::support::{TempDir, path, subdirs};

const GOOD: &str = "id: org/a\nsummary: x\nseverity: error\nneeds: [patroni.yml]\nwhy: x\nreferences: []\n\
                    check:\n  yaml-key: {path: tags.owner, absent: true}\nmessage: x\nno-fix: x\n";

/// A change to a good rule, and what is said of it.
const MISTAKES: &[(&str, &str, &str)] = &[
    ("id: org/a", "id: org/b", "a.yml:1:5: the id of a rule in this file is `org/a`, not `org/b`"),
    ("id: org/a", "id: rewind-disabled", "a.yml:1:5: the id of a rule in this file is `org/a`, not `rewind-disabled`"),
    (
        "severity: error",
        "severity: eror",
        "a.yml:3:11: unknown variant `eror`, expected one of `note`, `warning`, `error`; did you mean `error`?",
    ),
    ("summary: x", "summary: x.", "a.yml:2:10: summary must be one line without a period at its end"),
    (
        "why: x",
        "why: x\npatroni: '=3'",
        "a.yml:6:10: `=3` is no bound of releases; write `>=3.0`, `<4.0` or both with a comma between them",
    ),
    (
        "why: x",
        "why: x\npostgresql: '>=sixteen'",
        "a.yml:6:13: `>=sixteen` is no bound of releases; write `>=3.0`, `<4.0` or both with a comma between them",
    ),
    (
        "why: x",
        "why: x\nsupersedes: [rewind-disable]",
        "a.yml:6:13: there is no rule `rewind-disable`; did you mean `rewind-disabled`?",
    ),
    (
        "message: x",
        "message: 'x {valu}'",
        "a.yml:9:10: `{valu}` is no placeholder of this kind; it has `{path}`, `{value}`; a plain brace is written `{{`",
    ),
    (
        "yaml-key: {path: tags.owner, absent: true}",
        "native: rewind-disabled",
        "a.yml:8:3: a check of kind `native` is code of this program; use one of the other kinds",
    ),
    (
        "yaml-key: {path: tags.owner, absent: true}",
        "parser: x",
        "a.yml:8:3: a check of kind `parser` is code of this program; use one of the other kinds",
    ),
    (
        "yaml-key: {path: tags.owner, absent: true}",
        "engine: x",
        "a.yml:8:3: a check of kind `engine` is code of this program; use one of the other kinds",
    ),
    (
        "{path: tags.owner, absent: true}",
        "{path: restapi.lisen, absent: true}",
        "a.yml:8:20: Patroni knows no key `lisen` in `restapi`; did you mean `listen`?",
    ),
    (
        "{path: tags.owner, absent: true}",
        "{path: scope}",
        "a.yml:8:13: it never fires: it needs `absent`, `present`, `one-of` or `not-matching`",
    ),
    (
        "{path: tags.owner, absent: true}",
        "{path: scope, not-matching: '('}",
        "a.yml:8:41: it is no regular expression: error: unclosed group",
    ),
    (
        "yaml-key: {path: tags.owner, absent: true}",
        "hba: {methods: [mdd5]}",
        "a.yml:8:18: pg_hba.conf knows no `mdd5` here; did you mean `md5`?",
    ),
    (
        "yaml-key: {path: tags.owner, absent: true}",
        "setting: {name: wal_levl, in: [dcs], bad: [minimal]}",
        "a.yml:8:19: PostgreSQL knows no setting `wal_levl`; did you mean `wal_level`?",
    ),
    (
        "yaml-key: {path: tags.owner, absent: true}",
        "rows: {query: 'DELETE FROM t RETURNING a', key: a}",
        "a.yml:8:17: it is not a plain SELECT",
    ),
    (
        "yaml-key: {path: tags.owner, absent: true}",
        "rows: {query: 'SELECT a FROM t', key: b}",
        "a.yml:8:41: the query has no column `b`",
    ),
    (
        "yaml-key: {path: tags.owner, absent: true}",
        "file: {of: patroni.yml, forbidden-mode: 4096}",
        "a.yml:8:43: it is no set of mode bits; write it in octal, as 0o077",
    ),
    (
        "no-fix: x",
        "fix: {title: x, safety: safe, steps: [{edit: {}}]}",
        "a.yml:10:38: only built-in checks know bytes to `edit`; say it in words with `human`",
    ),
];

fn wrong(text: &str) -> String {
    let file = RuleText { name: "a.yml".to_owned(), stem: "a".to_owned(), text: text.to_owned() };
    load(BUILTIN, &[file]).expect_err(text).join("\n")
}

#[test]
fn the_examples_do_what_their_cases_say() {
    let output = run(&["rules", "test", "org-rules"], &path("fixtures"));
    assert_eq!(
        (output.status.code(), text(&output).as_str()),
        (Some(0), "3 rules, 9 cases: exit 0, all is as expected\n")
    );
}

#[test]
fn the_readme_shows_an_example_as_it_is() {
    let rule = std::fs::read_to_string(path("fixtures/org-rules/scope-not-by-convention.yml")).unwrap();
    let shown: Vec<String> = rule.lines().map(|l| format!("    {l}")).collect();
    assert!(std::fs::read_to_string(path("README.md")).unwrap().contains(&shown.join("\n")));
}

#[test]
fn a_case_that_says_something_else_fails_and_update_writes_it() {
    let dir = TempDir::new("rules");
    dir.write("a.yml", GOOD);
    dir.write("a/bad-x/input/patroni.yml", "scope: x\nname: y\nrestapi: {}\npostgresql: {}\n");
    dir.write("a/good-x/input/patroni.yml", "scope: x\nname: y\nrestapi: {}\npostgresql: {}\ntags: {owner: z}\n");
    let first = run(&["rules", "test", "."], &dir.0);
    assert_eq!(first.status.code(), Some(1));
    assert!(
        text(&first).contains("--update writes it") && text(&first).ends_with("exit 1, 2 not as expected\n"),
        "{}",
        text(&first)
    );
    assert_eq!(run(&["rules", "test", ".", "--update"], &dir.0).status.code(), Some(0));
    assert_eq!(run(&["rules", "test", "."], &dir.0).status.code(), Some(0));
    dir.write("a/good-x/expected.txt", "something else\n");
    assert!(text(&run(&["rules", "test", "."], &dir.0)).contains("expected.txt differs"));
    dir.write("a/good-x/input/patroni.yml", "scope: x\nname: y\nrestapi: {}\npostgresql: {}\n");
    assert!(text(&run(&["rules", "test", ".", "--update"], &dir.0)).contains("good-x: the rule fires"));
    std::fs::remove_dir_all(dir.0.join("a/good-x")).unwrap();
    dir.write("b/bad-x/input/x", "");
    let said = text(&run(&["rules", "test", "."], &dir.0));
    assert!(said.contains("no case good-") && said.contains("there is no rule file `b.yml`"), "{said}");
    assert_eq!(run(&["rules", "test", "no-such"], &dir.0).status.code(), Some(2));
}

#[test]
fn every_mistake_is_told_with_its_place() {
    for (from, to, said) in MISTAKES {
        let text = GOOD.replace(from, to);
        assert_ne!(text, GOOD, "{from}");
        assert_eq!(wrong(&text), *said);
    }
    let twice = || RuleText { name: "a.yml".to_owned(), stem: "a".to_owned(), text: GOOD.to_owned() };
    assert_eq!(load(BUILTIN, &[twice(), twice()]).expect_err("twice"), ["a.yml:1:5: there is another rule `org/a`"]);
    assert_eq!(load(BUILTIN, &[twice()]).expect("good").len(), BUILTIN.len() + 1);
}

#[test]
fn a_rule_on_trial_runs_only_when_asked_for() {
    let dir = TempDir::new("trial");
    dir.write("rules/a.yml", GOOD.replace("why: x", "why: x\nstatus: trial"));
    dir.write("c/patroni.yml", "scope: x\nname: y\nrestapi: {}\npostgresql: {}\n");
    let said = |args: &[&str]| text(&run(args, &dir.0)).contains("[org/a]");
    assert!(!said(&["lint", "--rules", "rules", "--format", "short", "c"]));
    assert!(said(&["lint", "--rules", "rules", "--format", "short", "--trial", "c"]));
    dir.write("preflight.toml", "rules = [\"rules\"]\n[severity]\n\"org/a\" = \"note\"\n");
    assert!(said(&["lint", "--format", "short", "c"]), "a severity of one's own takes a rule off trial");
}

/// A rule file as the schema sees it.
fn as_json(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap()
}

#[test]
fn the_schema_accepts_every_rule_and_refuses_what_the_program_refuses() {
    let printed = text(&run(&["rules", "schema"], &path("fixtures")));
    let schema: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(printed, SCHEMA);
    assert!(jsonschema::meta::is_valid(&schema));
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    let mut seen = 0;
    for dir in subdirs(&path("rules")).into_iter().chain([path("fixtures/org-rules")]) {
        for rule in rule_texts(patroni_preflight::collect::own::yaml_files(&dir).unwrap()) {
            seen += 1;
            let errors: Vec<String> = validator.iter_errors(&as_json(&rule.text)).map(|e| e.to_string()).collect();
            assert!(errors.is_empty(), "{}: {errors:?}", rule.name);
        }
    }
    assert_eq!(seen, BUILTIN.len() + 3);
    for (from, to) in [
        ("id: org/a", "id: Org"),
        ("severity: error", "severity: eror"),
        ("summary: x", "summary: x."),
        ("summary: x\n", ""),
        ("why: x", "why: x\npatroni: '=3'"),
        ("why: x", "why: ' '"),
        ("why: x", "why: x\nwhen: y"),
        ("references: []", "references: ['http://x']"),
        ("needs: [patroni.yml]", "needs: [patroni]"),
        ("no-fix: x", "no-fix: x\nfix: {title: x, safety: safe, steps: [{human: x}]}"),
        ("no-fix: x\n", ""),
        ("no-fix: x", "fix: {title: x, safety: manual, steps: [{human: x}]}"),
        ("no-fix: x", "fix: {title: x, safety: safe, steps: []}"),
        ("no-fix: x", "fix: {title: x, safety: safe, steps: [{reload: {now: true}}]}"),
        ("yaml-key: {path: tags.owner, absent: true}", "yaml-key: {absent: true}"),
        ("yaml-key: {path: tags.owner, absent: true}", "yaml-key: {path: scope, absnt: true}"),
        ("yaml-key: {path: tags.owner, absent: true}", "yaml-keys: {path: scope}"),
        ("yaml-key: {path: tags.owner, absent: true}", "setting: {name: wal_level, in: [dsc], bad: [x]}"),
        ("yaml-key: {path: tags.owner, absent: true}", "same-on-all-members: {paths: [scope]}"),
        ("yaml-key: {path: tags.owner, absent: true}", "hba: {types: [hosts], methods: []}"),
        ("yaml-key: {path: tags.owner, absent: true}", "file: {of: pg_hba.conf, forbidden-mode: 4}"),
        ("yaml-key: {path: tags.owner, absent: true}", "file: {of: patroni.yml, forbidden-mode: 4096}"),
    ] {
        let changed = GOOD.replace(from, to);
        assert_ne!(changed, GOOD, "{from}");
        assert!(!validator.is_valid(&as_json(&changed)), "the schema accepts {to}");
        assert!(!wrong(&changed).is_empty());
    }
}
