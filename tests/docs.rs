//! What is written about the program equals what it does.

use std::fmt::Write as _;
use std::process::Command;

use patroni_preflight::rules::builtin::{BUILTIN, area};

use crate::support::{golden, path};

/// The generated index of rules, `rules/README.md`.
fn index() -> String {
    let mut out = String::from(
        "# Rules\n\nMade by the tests (`UPDATE=1 make test`); `patroni-preflight explain ID` shows a rule in full.\n",
    );
    let mut areas: Vec<&str> = BUILTIN.iter().filter_map(|r| area(&r.id)).collect();
    areas.sort_unstable();
    areas.dedup();
    for name in areas {
        let _ = write!(out, "\n## {name}\n\n| rule | severity | kind | finds |\n|---|---|---|---|\n");
        for rule in BUILTIN.iter().filter(|r| area(&r.id) == Some(name)) {
            let _ = writeln!(
                out,
                "| `{}` | {} | {} | {} |",
                rule.id,
                rule.severity.word(),
                rule.check.kind(),
                rule.summary
            );
        }
    }
    out
}

#[test]
fn the_index_of_rules_is_that_of_the_program() {
    golden(&path("rules/README.md"), &index()).unwrap();
}

#[test]
fn every_kind_of_check_and_of_input_is_used_by_a_rule() {
    let kinds = ["parser", "engine", "native", "setting", "yaml-key", "same-on-all-members", "hba", "file", "rows"];
    for kind in kinds {
        assert!(BUILTIN.iter().any(|r| r.check.kind() == kind), "no rule of kind {kind}");
    }
    for need in
        ["file", "patroni.yml", "postgresql.conf", "pg_hba.conf", "pg_ident.conf", "unit", "role-sql", "sql", "host"]
    {
        assert!(BUILTIN.iter().any(|r| r.needs.iter().any(|n| n.word() == need)), "no rule needs {need}");
    }
    assert!(BUILTIN.len() >= 30);
}

#[test]
fn a_rule_speaks_only_of_the_releases_in_its_range() {
    use patroni_preflight::knowledge::guc::MAJORS;
    use patroni_preflight::knowledge::patroni::Version;
    use patroni_preflight::rules::range::{holds, holds_major};
    for rule in BUILTIN {
        assert!(holds(&rule.patroni, Version::LATEST), "{} speaks of no release that is known", rule.id);
        assert!(MAJORS.clone().any(|major| holds_major(&rule.postgresql, major)), "{}: no major is known", rule.id);
    }
}

#[test]
fn rules_that_supersede_name_rules_that_exist() {
    for rule in BUILTIN {
        for other in rule.supersedes.iter() {
            assert!(BUILTIN.iter().any(|r| r.id == *other), "{}: {other}", rule.id);
        }
    }
}

#[test]
fn queries_of_rules_are_single_harmless_selects_and_patterns_can_be_read() {
    use patroni_preflight::rules::kinds::yaml_key::pattern;
    for rule in BUILTIN {
        if let patroni_preflight::rules::schema::CheckSpec::YamlKey(key) = &rule.check {
            pattern(&key.not_matching).unwrap_or_else(|e| panic!("{}: {e}", rule.id));
        }
        if let patroni_preflight::rules::schema::CheckSpec::Rows(rows) = &rule.check {
            patroni_preflight::rules::query::is_harmless(&rows.query).unwrap_or_else(|e| panic!("{}: {e}", rule.id));
        }
    }
}

#[test]
fn the_readme_shows_the_help_of_the_program() {
    #[expect(clippy::disallowed_methods, reason = "the program under test")]
    let output = Command::new(env!("CARGO_BIN_EXE_patroni-preflight")).args(["lint", "--help"]).output().unwrap();
    let readme = std::fs::read_to_string(path("README.md")).unwrap();
    let help = String::from_utf8_lossy(&output.stdout).into_owned();
    for option in help.split_whitespace().filter(|w| w.starts_with("--")) {
        let option = option.trim_end_matches([',', '.']);
        assert!(readme.contains(option), "README.md does not mention {option}");
    }
}
