//! The key checks on real files: everything that `patroni --validate-config` says of keys and types is found.
#![expect(clippy::disallowed_methods, clippy::print_stdout, reason = "tests say what they have looked at")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use patroni_preflight::facts::patroni_keys::check_keys;
use patroni_preflight::knowledge::patroni::{DCS_SECTIONS, Version};
use patroni_preflight::parse::patroni::{Patroni, looks_like_patroni, spans_in_text};
use patroni_preflight::parse::yaml::parse;
use patroni_preflight::problem::Problem;
use patroni_preflight::source::Source;
use serde_json::Value as Json;

use crate::support::lint_for;

fn corpus() -> Option<PathBuf> {
    let path = PathBuf::from(std::env::var("PREFLIGHT_CORPUS").unwrap_or_else(|_| "../shared/corpus".to_owned()));
    if !path.is_dir() {
        println!("corpus not found: skipped 1");
        return None;
    }
    Some(path)
}

fn arg<'a>(problem: &'a Problem, name: &str) -> &'a str {
    problem.args.iter().find(|a| a.0 == name).map_or("", |a| &a.1)
}

/// Whether a rule that is no check of keys says something of the path that a message of the validator begins with.
fn a_rule_says_it(root: &Path, file: &str, message: &str) -> bool {
    let path = message.split(' ').next().unwrap_or_default();
    let findings = lint_for(root, vec![file.into()], None, Version::LATEST).outcome.findings;
    findings.iter().any(|f| f.message.contains(&format!("`{path}`")))
}

/// The only one that nothing is said about: an empty list is what holds without the key.
fn is_false_alarm(message: &str) -> bool {
    message.ends_with("is an empty list")
}

fn is_found(path: &str, message: &str, patroni: &Patroni, problems: &[Problem]) -> bool {
    if message.contains("Multiple of") {
        return problems.iter().any(|p| p.rule == "generated-config-tags-conflict");
    }
    let dcs = DCS_SECTIONS.contains(&path) && message.ends_with("is not defined.");
    // The rule `dcs-section-missing` says it once.
    if dcs && patroni.is_complete() && patroni.dcs().is_none() {
        return true;
    }
    problems.iter().any(|p| {
        let ours = arg(p, "path");
        ours.split(", ").any(|own| own == path)
            // The validator names the item by its number.
            || path.strip_prefix(ours).is_some_and(|rest| rest.starts_with('.') && rest[1..].parse::<u32>().is_ok())
            // The validator does not know the old layout, which Patroni still reads.
            || p.rule == "deprecated-key" && arg(p, "suggestion").strip_prefix(path).is_some_and(|r| r.is_empty() || r.starts_with('.'))
            // We name one way out of several.
            || arg(p, "alternatives").split(", ").any(|a| a == path || dcs && a.ends_with(path))
    })
}

#[test]
fn what_the_validator_says_of_keys_and_types_is_found() {
    let Some(root) = corpus() else { return };
    let lines = std::fs::read_to_string(root.join("oracle/patroni_validate.jsonl")).expect("the oracle's answers");
    let (mut files, mut found, mut alarms, mut missed) = (0, 0, 0, Vec::new());
    let mut rules: BTreeMap<String, usize> = BTreeMap::new();
    for line in lines.lines() {
        let answer: Json = serde_json::from_str(line).expect("JSON");
        let file = answer["file"].as_str().expect("a name");
        let Ok(bytes) = std::fs::read(root.join(file)) else { continue };
        let tree = parse(&Source::lone(file, bytes)).tree;
        files += 1;
        let patroni = Patroni::load_file(&tree, &[], Version::LATEST).tree;
        let problems = check_keys(&patroni);
        for problem in &problems {
            *rules.entry(problem.rule.to_string()).or_default() += 1;
            if std::env::var("PREFLIGHT_SHOW").is_ok() {
                println!("{file}: {} {:?}", problem.rule, problem.args);
            }
        }
        for message in answer["ideal"]["messages"].as_array().into_iter().flatten().filter_map(Json::as_str) {
            let path = message.split(' ').next().unwrap_or_default();
            if is_false_alarm(message) {
                alarms += 1;
            } else if is_found(path, message, &patroni, &problems) || a_rule_says_it(&root, file, message) {
                found += 1;
            } else {
                missed.push(format!("{file}: {message}"));
            }
        }
    }
    println!("{files} files: {found} messages found, {alarms} false alarms; {rules:?}");
    assert!(missed.is_empty(), "{} missed:\n{}", missed.len(), missed.join("\n"));
    assert!(found > 100, "only {found} messages were looked at");
}

#[test]
fn real_patroni_files_are_recognised_and_others_are_not() {
    let Some(root) = corpus() else { return };
    let (mut yes, mut no) = (Vec::new(), Vec::new());
    for folder in ["patroni", "templates"] {
        let mut paths: Vec<_> =
            std::fs::read_dir(root.join(folder)).expect("a folder").map(|e| e.expect("an entry").path()).collect();
        paths.sort();
        for path in paths {
            let source = Source::lone("f", std::fs::read(&path).expect("a file"));
            let name = path.strip_prefix(&root).expect("below it").display().to_string();
            if looks_like_patroni(&parse(&source).tree) { yes.push(name) } else { no.push(name) }
        }
    }
    println!("{} recognised, {} not: {no:#?}", yes.len(), no.len());
    // The configuration of another program that Patroni's ancestor inspired, among Patroni's.
    let missed: Vec<_> = no.iter().filter(|n| n.starts_with("patroni/") && !n.contains("compose-governor")).collect();
    assert!(yes.len() > 60);
    assert!(missed.is_empty(), "not recognised: {missed:?}");
}

#[test]
fn no_password_of_a_real_file_can_be_seen() {
    let Some(root) = corpus() else { return };
    let mut secrets = 0;
    for entry in std::fs::read_dir(root.join("patroni")).expect("a folder") {
        let path = entry.expect("an entry").path();
        let source = Source::lone("f", std::fs::read(&path).expect("a file"));
        let patroni = Patroni::load_file(&parse(&source).tree, &[], Version::LATEST).tree;
        let mut shown = source.bytes().to_vec();
        for span in patroni.secret_spans().into_iter().chain(spans_in_text(&source)) {
            shown[span.range()].fill(b'*');
            secrets += 1;
        }
        for user in ["superuser", "replication", "rewind"] {
            let password = patroni.get(&format!("postgresql.authentication.{user}.password"));
            let Some(patroni_preflight::parse::patroni::ItemValue::Secret(secret, _)) = password.map(|i| &i.value)
            else {
                assert!(password.is_none_or(|p| p.kind() == patroni_preflight::parse::patroni::Type::Null));
                continue;
            };
            let words = secret.reveal();
            assert!(words.is_empty() || !format!("{password:?}").contains(words), "{}", path.display());
        }
        let shown = String::from_utf8_lossy(&shown).into_owned();
        assert!(!shown.to_lowercase().contains("password: \"redacted"), "{}:\n{shown}", path.display());
    }
    println!("{secrets} secrets");
    assert!(secrets > 100);
}
