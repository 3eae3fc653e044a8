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
    let readme = std::fs::read_to_string(path("README.md")).unwrap();
    for verb in ["lint", "predict"] {
        #[expect(clippy::disallowed_methods, reason = "the program under test")]
        let output = Command::new(env!("CARGO_BIN_EXE_patroni-preflight")).args([verb, "--help"]).output().unwrap();
        let help = String::from_utf8_lossy(&output.stdout).into_owned();
        for option in help.split_whitespace().filter(|w| w.starts_with("--")) {
            let option = option.trim_end_matches([',', '.']);
            assert!(readme.contains(option), "README.md does not mention {option} of {verb}");
        }
    }
}

/// The page of a name, as the program prints it.
fn page(name: &str) -> String {
    #[expect(clippy::disallowed_methods, reason = "the program under test")]
    let output = Command::new(env!("CARGO_BIN_EXE_patroni-preflight")).args(["explain", name]).output().unwrap();
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_page_of_each_kind_of_setting_says_who_wins_and_what_edits_do() {
    for name in
        ["max_connections", "wal_keep_size", "work_mem", "port", "cluster_name", "primary_conninfo", "restore_command"]
    {
        golden(&path(&format!("fixtures/explain/{name}.txt")), &page(name)).unwrap();
    }
    assert_eq!(page("postgresql.parameters.work_mem"), page("work_mem"));
    assert!(!page("server_version").contains("What an edit does"));
}

/// What a page says of a setting and what the prediction says of it is one thing.
#[test]
fn pages_and_predictions_say_the_same() {
    use patroni_preflight::explain::{Found, Subject, find};
    use patroni_preflight::knowledge::guc;
    use patroni_preflight::predict::predict;
    use patroni_preflight::predict::settings::{By, Change};

    let linted = crate::support::lint_dir(&path("fixtures/clusters/healthy-orders"), None);
    let prediction = predict(&linted.facts);
    let mut looked = 0;
    for setting in prediction.members.iter().flat_map(|member| member.settings.iter().flatten()) {
        // A page is about the newest major.
        let context = |major| guc::find(&setting.name, major).map(|guc| guc.context);
        if context(15) != context(*guc::MAJORS.end()) {
            continue;
        }
        let Found::Pages(pages, _) = find(&setting.name) else { continue };
        let Some(page) = pages.iter().find(|page| page.subject == Subject::Setting) else { continue };
        let is_of_recovery = page.change == Some(Change::OtherKeys);
        assert!(
            is_of_recovery || page.change == Some(setting.change),
            "{}: {:?}, {:?}",
            setting.name,
            page.change,
            setting.change
        );
        for state in [&setting.restarted, &setting.started].into_iter().flatten() {
            let is_named = page.layers.iter().any(|layer| layer.by == state.by);
            let is_old = matches!(state.by, By::CustomConf | By::Role | By::Environment | By::Kept | By::CommandLine);
            assert!(is_named || is_old, "{} is set by {:?}, of which its page does not speak", setting.name, state.by);
        }
        looked += 1;
    }
    assert!(looked > 100, "{looked}");
}

#[test]
fn explain_tells_of_members_too() {
    let run = |args: &[&str]| crate::cli::run(args, &path("fixtures/clusters"));
    let output = run(&["explain", "max_connections", "healthy-orders"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("Settings of pg1, pg2, pg3") && text.contains("300"), "{text}");
    let output = run(&["explain", "max_connections", "healthy-orders", "--format", "json"]);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let of_first = document.pointer("/members/0/settings/known").unwrap().as_array().unwrap();
    assert_eq!((of_first.len(), &of_first[0]["name"]), (1, &serde_json::Value::from("max_connections")));
    for wrong in
        [&["explain", "timeouts-rule", "healthy-orders"][..], &["explain", "max_connections", "no-such-file.yml"]]
    {
        assert_eq!(run(wrong).status.code(), Some(2), "{wrong:?}");
    }
}
