//! The JSON Schema for patroni.yml: it refuses what the key checks refuse and takes what they take, on our fixtures and on real files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use jsonschema::Validator;
use patroni_preflight::facts::patroni_keys::check_keys;
use patroni_preflight::knowledge::patroni::Version;
use patroni_preflight::parse::patroni::{Patroni, looks_like_patroni};
use patroni_preflight::parse::template::{self, Engine, Format};
use patroni_preflight::parse::yaml::{Int, NodeId, Tree, Value, parse};
use patroni_preflight::problem::Problem;
use patroni_preflight::schema::patroni;
use patroni_preflight::source::Source;
use serde_json::{Value as Json, json};
use walkdir::WalkDir;

use crate::support::pg::env;
use crate::support::{TempDir, path};

/// Rules about keys that a schema can follow in full; of the others it sees a part.
const SEEN_IN_FULL: [&str; 6] = [
    "yaml-misplaced-key",
    "dynamic-key-in-local-config",
    "use-slots-set-locally",
    "local-only-key-in-dcs",
    "auth-key-unsupported",
    "callback-unknown-event",
];

/// What Python sees, as JSON. A key that is no text becomes one.
fn to_json(tree: &Tree, id: NodeId) -> Json {
    match &tree.node(id).value {
        Value::Null | Value::Unknown => Json::Null,
        Value::Bool(b) => json!(b),
        Value::Int(Int::Small(n)) => json!(n),
        Value::Int(Int::Big(_)) => json!(u64::MAX),
        Value::Float(x) => json!(x),
        Value::Str(text) => json!(&**text),
        Value::Binary(bytes) => json!(String::from_utf8_lossy(bytes)),
        Value::Timestamp(iso) => json!({"date": &**iso}),
        Value::Sequence(items) | Value::Set(items) => items.iter().map(|i| to_json(tree, *i)).collect(),
        Value::Mapping(entries) | Value::Pairs(entries) => {
            let name = |id| tree.as_str(id).map_or_else(|| to_json(tree, id).to_string(), str::to_owned);
            entries.iter().map(|e| (name(e.key), to_json(tree, e.value))).collect::<serde_json::Map<_, _>>().into()
        }
    }
}

/// Every file below a directory that is a configuration of Patroni and can be read.
fn files(root: &Path) -> Vec<(PathBuf, Json, Vec<Problem>)> {
    let mut found = Vec::new();
    for entry in WalkDir::new(root).sort_by_file_name() {
        let entry = entry.unwrap();
        let name = entry.file_name().to_string_lossy().into_owned();
        if !entry.file_type().is_file() || !entry.path().extension().is_some_and(|e| e == "yml" || e == "yaml") {
            continue;
        }
        let text = std::fs::read(entry.path()).unwrap();
        // What a template fills in the schema cannot judge.
        if template::scan(&text, Engine::Undeclared, Format::Yaml).is_some() {
            continue;
        }
        let parsed = parse(&Source::lone(&name, text));
        let tree = parsed.tree;
        let Some(top) = tree.root().filter(|_| tree.exception().is_none() && parsed.problems.is_empty()) else {
            continue;
        };
        // A directory of files is one configuration, and none of its files need be complete.
        let part = entry.path().parent().is_some_and(|p| p.extension().is_some_and(|e| e == "d"));
        if !looks_like_patroni(&tree) || part {
            continue;
        }
        let problems = check_keys(&Patroni::load_file(&tree, &[], Version::LATEST).tree);
        found.push((entry.into_path(), to_json(&tree, top), problems));
    }
    found
}

fn must_be_refused(problem: &Problem) -> bool {
    let arg = |name: &str| problem.args.iter().find(|a| a.0 == name).map_or("", |a| a.1.as_str());
    match &*problem.rule {
        "yaml-unknown-key" => !arg("path").starts_with("tags."),
        rule => SEEN_IN_FULL.contains(&rule),
    }
}

/// How many files were refused and taken, by schema and by the key checks; fails where they contradict each other.
fn compare(root: &Path, validator: &Validator) -> BTreeMap<(bool, bool), usize> {
    let mut counts = BTreeMap::new();
    let mut wrong = Vec::new();
    for (path, json, problems) in files(root) {
        let errors: Vec<String> = validator.iter_errors(&json).map(|e| format!("{}: {e}", e.instance_path())).collect();
        let said: Vec<String> = problems.iter().map(|p| format!("{} {:?}", p.rule, p.args)).collect();
        if !errors.is_empty() && problems.is_empty() || errors.is_empty() && problems.iter().any(must_be_refused) {
            let errors: Vec<String> = errors.iter().map(|e| e.chars().take(300).collect()).collect();
            wrong.push(format!("{}:\n  schema: {errors:?}\n  keys: {said:?}", path.display()));
        }
        *counts.entry((!errors.is_empty(), !problems.is_empty())).or_default() += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    counts
}

fn validator() -> Validator {
    jsonschema::validator_for(&patroni(Version::LATEST)).unwrap()
}

#[test]
fn our_fixtures_are_refused_and_taken_as_by_the_key_checks() {
    let counts = compare(&path("fixtures"), &validator());
    assert!(counts.get(&(false, false)).is_some_and(|n| *n > 60), "{counts:?}");
    assert!(counts.get(&(true, true)).is_some_and(|n| *n > 25), "{counts:?}");
}

#[test]
fn real_files_are_refused_and_taken_as_by_the_key_checks() {
    let root = env("PREFLIGHT_CORPUS").map_or_else(|| path("../shared/corpus"), PathBuf::from);
    if !root.is_dir() {
        println!("corpus not found: skipped");
        return;
    }
    let counts = compare(&root.join("patroni"), &validator());
    println!("{counts:?}");
    // Most real files have a key that Patroni does not know.
    let taken: usize = counts.iter().filter(|((refused, _), _)| !refused).map(|(_, n)| n).sum();
    assert!(taken >= 12, "{counts:?}");
}

#[test]
fn each_release_has_its_own_keys() {
    let old = jsonschema::validator_for(&patroni(Version::new(3, 3, 8))).unwrap();
    let config = |users: bool, tokens: bool| {
        let mut config = json!({"scope": "a", "name": "b", "restapi": {"listen": "h:1"}, "postgresql": {
            "listen": "h:1", "data_dir": "/d", "authentication": {"replication": {"username": "r"}}}, "bootstrap": {"dcs": {}}});
        if users {
            config["bootstrap"]["users"] = json!({"app": {"options": ["login"]}});
        }
        if tokens {
            config["restapi"]["server_tokens"] = json!("minimal");
        }
        config
    };
    let new = validator();
    assert!(old.is_valid(&config(true, false)) && !new.is_valid(&config(true, false)));
    assert!(!old.is_valid(&config(false, true)) && new.is_valid(&config(false, true)));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the tool that people use")]
fn check_jsonschema_takes_the_schema_and_reads_files_with_it() {
    let tools = env("PREFLIGHT_TOOLS").unwrap_or_else(|| path("target/tools").display().to_string());
    let dir = TempDir::new("schema");
    let schema = dir.write("patroni.schema.json", patroni(Version::LATEST).to_string());
    let check = |files: &[PathBuf]| {
        let mut command = Command::new(format!("{tools}/py/bin/check-jsonschema"));
        command.arg("--schemafile").arg(&schema).args(files).env("PYTHONUTF8", "1");
        let output = command.output().expect("no check-jsonschema: run `make setup`");
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let good: Vec<PathBuf> = ["pg1", "pg2", "pg3"]
        .iter()
        .map(|m| path(&format!("fixtures/clusters/healthy-orders/{m}/patroni.yml")))
        .collect();
    let (code, said) = check(&good);
    assert_eq!(code, Some(0), "{said}");
    for case in ["yaml-unknown-key/bad-typo", "yaml-value-not-allowed/bad-log-level"] {
        let (code, said) = check(&[path(&format!("fixtures/rules/{case}/input/patroni.yml"))]);
        assert_eq!(code, Some(1), "{case}: {said}");
    }
}
