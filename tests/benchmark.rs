//! What `patroni --validate-config` lets through, rejects, and rejects wrongly, against what we say: `fixtures/benchmark`.
//!
//! The answers of the validator are recorded (`scripts/benchmark.py`); ours are made here, and so is the table of both.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;

use patroni_preflight::run::Linted;
use patroni_preflight::source::Span;
use serde::Deserialize;

use crate::support::{TempDir, golden, lint_dir, path};

/// Cases whose rules do not exist yet. Nothing may be here for longer than it takes to write them; a case that is found and still here
/// fails the test.
const NOT_YET: &[&str] = &[];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    set: String,
    name: String,
    #[serde(default)]
    edits: Vec<Edit>,
    whole: Option<String>,
    #[serde(default)]
    setup: Vec<String>,
    expect: Expect,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    #[serde(default)]
    find: String,
    put: String,
    file: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Expect {
    Word(Word),
    Defects(Vec<Defect>),
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum Word {
    Legal,
    Host,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Defect {
    rule: Rules,
    at: Option<String>,
    line: Option<usize>,
    file: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Rules {
    One(String),
    Any(Vec<String>),
}

#[derive(Deserialize)]
struct Answer {
    exit: u8,
    says: Vec<String>,
    generates: Option<Vec<String>>,
}

impl Case {
    fn id(&self) -> String {
        format!("{}: {}", self.set, self.name)
    }

    /// The files of the case, `patroni.yml` first.
    fn files(&self, base: &str) -> Vec<(String, String)> {
        let mut text = base.to_owned();
        let mut others = Vec::new();
        for edit in &self.edits {
            if let Some(file) = &edit.file {
                others.push((file.clone(), edit.put.clone()));
            } else {
                assert_eq!(text.matches(&edit.find).count(), 1, "{}: {:?}", self.id(), edit.find);
                text = text.replace(&edit.find, &edit.put);
            }
        }
        let first = ("patroni.yml".to_owned(), self.whole.clone().unwrap_or(text));
        std::iter::once(first).chain(others).collect()
    }
}

impl Defect {
    fn file(&self) -> &str {
        self.file.as_deref().unwrap_or("patroni.yml")
    }

    fn line(&self, case: &Case, files: &[(String, String)]) -> usize {
        let (_, text) = files.iter().find(|f| f.0 == self.file()).unwrap();
        if let Some(line) = self.line {
            assert!(line <= text.lines().count().max(1), "{}: no line {line}", case.id());
            return line;
        }
        let start = self.at.as_deref().unwrap_or_else(|| panic!("{}: neither at nor line", case.id()));
        let mut lines = text.lines().zip(1..).filter(|(l, _)| l.trim_start().starts_with(start));
        let (_, line) = lines.next().unwrap_or_else(|| panic!("{}: no line begins with {start:?}", case.id()));
        assert!(lines.next().is_none(), "{}: several lines begin with {start:?}", case.id());
        line
    }

    fn rules(&self) -> Vec<&str> {
        match &self.rule {
            Rules::One(rule) => vec![rule],
            Rules::Any(rules) => rules.iter().map(String::as_str).collect(),
        }
    }
}

/// A finding: file, line, rule, and the lines that it points at besides.
type Said = (String, usize, String, Vec<usize>);

fn said(linted: &Linted) -> BTreeSet<Said> {
    let sources = &linted.facts.sources;
    let findings = linted.outcome.findings.iter();
    findings
        .map(|f| {
            let source = sources.get(f.at.source);
            let line = |at: Span| source.position(at.start).0;
            let others = f.labels.iter().filter(|l| l.at.source == f.at.source).map(|l| line(l.at)).collect();
            (source.name().to_owned(), line(f.at), f.rule.to_string(), others)
        })
        .collect()
}

/// How much of what there is each program finds.
#[derive(Default)]
struct Score {
    defects: usize,
    validator: usize,
    lint: usize,
    legal: usize,
    validator_alarms: usize,
    lint_alarms: usize,
    host: usize,
}

/// A text for a cell of a table.
fn cell(text: &str) -> String {
    // The validator prints a password that is not a string.
    let mut text = text.replace("hunter2", "‹the password›").replace('|', "\\|").replace('<', "\\<");
    if text.chars().count() > 110 {
        text = text.chars().take(109).collect::<String>() + "…";
    }
    text
}

fn validator_cell(answer: &Answer) -> String {
    let verdict = match (answer.exit, answer.says.as_slice()) {
        (0, []) => "accepts it".to_owned(),
        (0, says) => format!("accepts it; {}", cell(&says.join(" "))),
        (_, says) => format!("rejects it: {}", cell(&says.join(" "))),
    };
    match &answer.generates {
        Some(kept) => format!(
            "{verdict}; `--generate-config` takes over: {}",
            kept.iter().map(|l| format!("`{}`", cell(l))).collect::<Vec<_>>().join(", ")
        ),
        None => verdict,
    }
}

/// Counts what both programs made of a case and returns what we did not find; what must not be goes to `wrong`.
fn judge(
    case: &Case,
    answer: &Answer,
    files: &[(String, String)],
    findings: &BTreeSet<Said>,
    score: &mut Score,
    wrong: &mut Vec<String>,
) -> Vec<String> {
    let mut missing = Vec::new();
    match &case.expect {
        Expect::Word(Word::Host) => score.host += 1,
        Expect::Word(Word::Legal) => {
            score.legal += 1;
            score.validator_alarms += usize::from(answer.exit != 0);
            score.lint_alarms += usize::from(!findings.is_empty());
            if !findings.is_empty() {
                wrong.push(format!("{}: legal, but {findings:?}", case.id()));
            }
        }
        Expect::Defects(defects) => {
            assert!(!defects.is_empty() && case.setup.is_empty(), "{}", case.id());
            for defect in defects {
                let line = defect.line(case, files);
                let hit = |f: &Said| {
                    f.0 == defect.file()
                        && (f.1 == line || f.3.contains(&line))
                        && defect.rules().contains(&f.2.as_str())
                };
                if !findings.iter().any(hit) {
                    missing.push(format!("{}:{line} {}", defect.file(), defect.rules().join(" or ")));
                }
            }
            score.defects += defects.len();
            score.lint += defects.len() - missing.len();
            // The validator says at most one thing of these files.
            score.validator += usize::from(answer.exit != 0);
            match (missing.is_empty(), NOT_YET.contains(&case.id().as_str())) {
                (false, false) => wrong.push(format!("{}: not found {missing:?}; said {findings:?}", case.id())),
                (true, true) => wrong.push(format!("{}: found now, take it from NOT_YET", case.id())),
                _ => {}
            }
        }
    }
    missing
}

/// What we say of a case, for the table.
fn lint_cell(case: &Case, findings: &BTreeSet<Said>, missing: &[String]) -> String {
    let mut ours: Vec<String> =
        findings.iter().map(|(file, line, rule, _)| format!("{file}:{line} `{rule}`")).collect();
    ours.extend(missing.iter().map(|m| format!("**not found: {m}**")));
    match &case.expect {
        Expect::Word(Word::Legal) if ours.is_empty() => "silent".to_owned(),
        Expect::Word(Word::Host) if ours.is_empty() => "only the host knows".to_owned(),
        _ => ours.join("<br>"),
    }
}

/// The whole table.
fn page(score: &Score, sets: &str) -> String {
    format!(
        "# Found and missed\n\nMade by the tests (`UPDATE=1 make test`) from `cases.yml` and `validator.json`: each line is one change to a file that \
         Patroni runs with.\n`patroni --validate-config` is that of Patroni 4.1.5, on a host where everything else is right.\n\n\
         | | `patroni --validate-config` | `patroni-preflight lint` |\n|---|---|---|\n\
         | defects in files, {} | {} rejected | {} found, each at its line |\n| legal files, {} | {} rejected | {} reported |\n\n\
         {} changes cannot be judged from files; they are marked.\n{sets}",
        score.defects, score.validator, score.lint, score.legal, score.validator_alarms, score.lint_alarms, score.host,
    )
}

#[test]
fn every_missed_defect_is_found_and_what_is_legal_is_not_reported() {
    let dir = path("fixtures/benchmark");
    let read = |name: &str| std::fs::read_to_string(dir.join(name)).unwrap();
    let cases: Vec<Case> = serde_yaml::from_str(&read("cases.yml")).unwrap();
    let answers: BTreeMap<String, Answer> = serde_json::from_str(&read("validator.json")).unwrap();
    let base = read("base/patroni.yml");
    let (mut wrong, mut score, mut sets) = (Vec::new(), Score::default(), String::new());
    let mut set = "";
    for case in &cases {
        let answer = answers.get(&case.id()).unwrap_or_else(|| panic!("{}: run scripts/benchmark.py", case.id()));
        let rejected = match &*case.set {
            "accepted" => Some(false),
            "rejected" => Some(true),
            _ => None,
        };
        assert!(rejected.is_none_or(|r| r == (answer.exit != 0)), "{}: {:?}", case.id(), answer.says);
        if set != case.set {
            set = &case.set;
            let _ = write!(
                sets,
                "\n## {set}\n\n| change | `patroni --validate-config` | `patroni-preflight lint` |\n|---|---|---|\n"
            );
        }
        let files = case.files(&base);
        let temp = TempDir::new("benchmark");
        for (name, text) in &files {
            let file = temp.write(name, text);
            std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
        let findings = said(&lint_dir(&temp.0, None));
        let missing = judge(case, answer, &files, &findings, &mut score, &mut wrong);
        let ours = lint_cell(case, &findings, &missing);
        let _ = writeln!(sets, "| {} | {} | {ours} |", cell(&case.name), validator_cell(answer));
    }
    for id in NOT_YET {
        assert!(cases.iter().any(|c| c.id() == *id), "NOT_YET names no case: {id}");
    }
    assert!(cases.len() >= 80 && answers.len() == cases.len(), "{} cases, {} answers", cases.len(), answers.len());
    if let Err(difference) = golden(&dir.join("README.md"), &page(&score, &sets)) {
        wrong.push(difference);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
