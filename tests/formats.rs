//! Every format over every fixture: well-formed, valid by its schema, the same findings in each, and no secret in any.

mod fixes;
mod places;
mod secrets;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use patroni_preflight::cli::Format;
use patroni_preflight::report::json::SCHEMA;
use patroni_preflight::report::markdown::LONGEST;
use patroni_preflight::run::Linted;
use rayon::prelude::*;
use serde_json::{Value, json};

use crate::support::cases::{cases, lint_case};
use crate::support::{TempDir, lint_dir, path, pg, report, subdirs};

/// A fixture, as it was linted.
struct Shot {
    name: String,
    /// The case of a rule, or a cluster.
    dir: PathBuf,
    linted: Linted,
}

/// All cases of rules, and all clusters.
fn shots() -> Vec<Shot> {
    let root = path("fixtures");
    let name = |dir: &Path| dir.strip_prefix(&root).unwrap().display().to_string();
    let mut shots: Vec<Shot> =
        cases().into_par_iter().map(|(_, dir)| Shot { name: name(&dir), linted: lint_case(&dir), dir }).collect();
    for dir in subdirs(&path("fixtures/clusters")) {
        shots.push(Shot { name: name(&dir), linted: lint_dir(&dir, None), dir });
    }
    assert!(shots.len() > 100);
    shots
}

fn parsed(shot: &Shot, format: Format) -> Value {
    let text = report(&shot.linted, format);
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{} {}: {e}", shot.name, format.name()))
}

/// Validates a document of each fixture.
fn all_valid(schema: &Value, documents: impl Fn(&Shot) -> Vec<Value>) {
    let validator = jsonschema::validator_for(schema).unwrap();
    let mut wrong = Vec::new();
    let mut looked = 0;
    for shot in shots() {
        for document in documents(&shot) {
            let errors = validator.iter_errors(&document);
            wrong.extend(errors.map(|e| format!("{}: {e} at {}", shot.name, e.instance_path())));
            looked += 1;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(looked > 100);
}

fn schema(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn json_is_what_its_schema_says() {
    all_valid(&schema(SCHEMA), |shot| vec![parsed(shot, Format::Json)]);
}

#[test]
fn lines_of_json_are_parts_of_the_json() {
    let lines = |shot: &Shot| -> Vec<Value> {
        report(&shot.linted, Format::Jsonl).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    for shot in shots() {
        let mut lines = lines(&shot);
        let mut whole = lines.pop().unwrap();
        whole["findings"] = json!(lines);
        assert_eq!(whole, parsed(&shot, Format::Json), "{}", shot.name);
    }
}

#[test]
fn sarif_is_valid_by_the_official_schema() {
    let file = pg::tools().join("schemas/sarif-2.1.0.json");
    let text = std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}: run `make setup`", file.display()));
    // A bracket too many in the patterns of `language`, which we do not write; only lenient readers of patterns take it.
    let text = text.replace("-[a-zA-Z]{2}]?$", "-[a-zA-Z]{2}$");
    all_valid(&schema(&text), |shot| vec![parsed(shot, Format::Sarif)]);
}

#[test]
fn sarif_refers_to_what_is_there() {
    for shot in shots() {
        let document = parsed(&shot, Format::Sarif);
        let run = &document["runs"][0];
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        for result in run["results"].as_array().unwrap() {
            let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(rules[index]["id"], result["ruleId"], "{}", shot.name);
            assert!(rules[index]["help"]["text"].as_str().unwrap().len() > 40, "{}", rules[index]);
        }
        let notes = run["invocations"][0]["toolExecutionNotifications"].as_array().unwrap();
        assert_eq!(notes.len(), shot.linted.outcome.gaps.len() + shot.linted.outcome.broken.len());
        for note in notes {
            let rule = &note["associatedRule"];
            let index = usize::try_from(rule["index"].as_u64().unwrap()).unwrap();
            assert_eq!(rules[index]["id"], rule["id"], "{}", shot.name);
        }
    }
}

#[test]
fn gitlab_is_what_gitlab_reads() {
    all_valid(&schema(include_str!("schemas/gitlab-codequality.json")), |shot| {
        let issues = parsed(shot, Format::Gitlab);
        let prints: BTreeSet<&str> =
            issues.as_array().unwrap().iter().map(|i| i["fingerprint"].as_str().unwrap()).collect();
        assert_eq!(prints.len(), issues.as_array().unwrap().len(), "{}: GitLab shows one of equal ones", shot.name);
        vec![issues.clone()]
    });
}

fn xml_is_valid(format: Format, schema: &str) {
    let dir = TempDir::new("xml");
    let shots = shots();
    for shot in &shots {
        dir.write(&shot.name.replace('/', "_"), report(&shot.linted, format));
    }
    let mut python = pg::command(pg::tools().join("py/bin/python3"));
    python.arg(path("tests/oracles/xml_schema.py")).arg(path(schema)).arg(&dir.0);
    let output = python.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(said, format!("looked at {}\n", shots.len()));
}

#[test]
fn junit_is_valid() {
    xml_is_valid(Format::Junit, "tests/schemas/junit.xsd");
}

#[test]
fn checkstyle_is_valid() {
    xml_is_valid(Format::Checkstyle, "tests/schemas/checkstyle.xsd");
}

/// How many findings a report shows.
fn count(text: &str, format: Format) -> usize {
    let lines = |starts: &[&str]| text.lines().filter(|l| starts.iter().any(|s| l.starts_with(s))).count();
    let array = |pointer: &str| {
        let value: Value = serde_json::from_str(text).unwrap();
        value.pointer(pointer).and_then(Value::as_array).unwrap().len()
    };
    match format {
        Format::Full => lines(&["error[", "warning[", "note["]),
        Format::Short => {
            text.lines().filter(|l| ["error", "warning", "note"].iter().any(|s| l.contains(&format!(": {s}[")))).count()
        }
        Format::Json => array("/findings"),
        Format::Jsonl => text.lines().count() - 1,
        Format::Sarif => array("/runs/0/results"),
        Format::Github => lines(&["::error file=", "::warning file=", "::notice file="]),
        Format::Gitlab => array(""),
        // No text between the tags holds a bare `<`.
        Format::Junit => text.matches("<failure ").count() + text.matches("<system-out>").count(),
        Format::Checkstyle => text.matches("<error ").count(),
        Format::Markdown => lines(&["| ❌ error |", "| ⚠️ warning |", "| ℹ️ note |"]),
        Format::Html => text.matches("<article ").count(),
    }
}

#[test]
fn every_format_shows_all_findings() {
    let mut all = 0;
    for shot in shots() {
        let expected = shot.linted.outcome.findings.len();
        for format in Format::all() {
            assert_eq!(count(&report(&shot.linted, *format), *format), expected, "{} {}", shot.name, format.name());
        }
        all += expected;
    }
    assert!(all > 200);
}

#[test]
fn a_comment_for_a_pull_request_never_gets_too_long() {
    let dir = TempDir::new("markdown");
    let line =
        |i: usize| format!("host all all 10.{}.{}.0/24 trust # `|` <b> @all {}\n", i / 250, i % 250, "x".repeat(80));
    dir.write("pg_hba.conf", (0..2000).map(line).collect::<String>());
    let linted = lint_dir(&dir.0, None);
    let text = report(&linted, Format::Markdown);
    assert!(text.len() <= LONGEST, "{}", text.len());
    let left = |words: &str| {
        let line = text.lines().find(|l| l.contains(words)).unwrap_or_else(|| panic!("nothing about {words}"));
        line.split(' ').find_map(|w| w.parse::<usize>().ok()).unwrap()
    };
    let all = linted.outcome.findings.len();
    assert!(all >= 2000);
    assert_eq!(count(&text, Format::Markdown) + left("more findings are not in this table"), all);
    assert_eq!(text.matches("<details>").count() + left("more findings do not fit here"), all);
    assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
}
