//! Proofs: what a rule says of a file happens with the real programs, and is gone once its fix is applied.
//!
//! `tests/proofs/<area>.yml` has them in groups of rows; a test of that name runs a group.

use std::collections::BTreeMap;
use std::path::Path;

use patroni_preflight::cli::Format;
use patroni_preflight::rules::builtin::find;
use regex::Regex;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::cases::{copy, lint_case};
use super::host::Host;
use super::record::{self, Stage};
use super::{TempDir, path, report};

/// One proof.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    /// `rule/case` below `fixtures/rules`.
    case: String,
    /// The directory of the member whose host it is.
    #[serde(default)]
    member: String,
    /// The major whose programs stand where the files name some.
    major: Option<u16>,
    /// Where PostgreSQL's files are, when Patroni's file does not say it.
    conf: Option<String>,
    /// A case whose patroni.yml the host has, when this one has none.
    patroni: Option<String>,
    /// What is done.
    steps: Vec<String>,
    /// What the programs say because of the mistake, and not without it.
    says: String,
    /// What they say only without it.
    then: Option<String>,
    /// Each file with texts and what takes their place; an empty text adds to the file. Nothing: `fixed/` of the case.
    #[serde(default)]
    mend: BTreeMap<String, Vec<String>>,
    /// Files that the fix takes away.
    #[serde(default)]
    remove: Vec<String>,
    /// Files that the fix gives another mode, in octal.
    #[serde(default)]
    chmod: BTreeMap<String, String>,
}

impl Row {
    fn rule(&self) -> &str {
        self.case.split('/').next().unwrap_or_default()
    }

    /// What the fix changes, in few words.
    fn change(&self) -> String {
        let edits = self.mend.iter().map(|(file, changes)| {
            let changes = changes.chunks(2).map(|c| format!("{:?} -> {:?}", c[0], c.get(1).map_or("", String::as_str)));
            format!("{file}: {}", changes.collect::<Vec<_>>().join(", "))
        });
        let modes = self.chmod.iter().map(|(file, mode)| format!("chmod {mode} {file}"));
        let gone = self.remove.iter().map(|file| format!("rm {file}"));
        let all: Vec<String> = edits.chain(modes).chain(gone).collect();
        if all.is_empty() { "the edits of the fix".to_owned() } else { all.join("; ") }
    }

    /// Applies the fix to a copy of the case.
    fn apply(&self, case: &Path) -> Result<(), String> {
        let input = &case.join("input");
        if self.mend.is_empty() && self.remove.is_empty() && self.chmod.is_empty() {
            copy(&case.join("fixed"), input);
        }
        if !self.chmod.is_empty() {
            let mut modes = modes(case);
            for (file, mode) in &self.chmod {
                modes.insert(file.clone(), json!(mode)).ok_or(format!("{file}: its mode was not given"))?;
            }
            let lines: Vec<String> =
                modes.iter().map(|(f, m)| format!("{} {f}\n", m.as_str().unwrap_or_default())).collect();
            std::fs::write(case.join("modes.txt"), lines.concat()).expect("written");
        }
        for file in &self.remove {
            std::fs::remove_file(input.join(file)).map_err(|e| format!("{file}: {e}"))?;
        }
        for (file, changes) in &self.mend {
            let at = input.join(file);
            let mut text = std::fs::read_to_string(&at).unwrap_or_default();
            for change in changes.chunks(2) {
                let [old, new] = change else { return Err(format!("{file}: texts go in pairs")) };
                if !text.contains(old.as_str()) {
                    return Err(format!("{file}: there is no {old:?}"));
                }
                text = if old.is_empty() { text + new } else { text.replace(old.as_str(), new) };
            }
            std::fs::create_dir_all(at.parent().expect("a directory")).expect("a directory");
            std::fs::write(at, text).expect("written");
        }
        Ok(())
    }

    fn request(&self, case: &Path) -> Value {
        let input = &case.join("input");
        let (mut files, mut links) = (Map::new(), Map::new());
        texts(input, input, &mut files, &mut links);
        if let Some(other) = &self.patroni {
            let text = std::fs::read_to_string(path("fixtures/rules").join(other).join("input/patroni.yml"));
            files.insert("patroni.yml".to_owned(), json!(text.expect("a patroni.yml")));
        }
        json!({"files": files, "links": links, "modes": modes(case), "member": self.member, "major": self.major, "conf": self.conf, "steps": self.steps})
    }

    /// What does not happen as it should.
    fn check(&self, [left, right]: &mut [Host; 2]) -> Result<(), String> {
        let regex = |text: &str| Regex::new(&format!("(?m){text}")).map_err(|e| e.to_string());
        let (says, then) = (regex(&self.says)?, self.then.as_deref().map(regex).transpose()?);
        let case = path("fixtures/rules").join(&self.case);
        let fires = |linted: &_| -> bool { report(linted, Format::Short).contains(&format!("[{}]: ", self.rule())) };
        let found = lint_case(&case);
        if !found.outcome.findings.iter().any(|f| f.rule == self.rule()) {
            return Err("the rule does not fire".to_owned());
        }
        let mended = TempDir::new("proof");
        copy(&case, &mended.0);
        std::fs::create_dir(mended.0.join("input/.git")).expect("a directory");
        self.apply(&mended.0)?;
        let after = lint_case(&mended.0);
        if fires(&after) {
            return Err(format!("the rule is not silent about the mended files:\n{}", report(&after, Format::Short)));
        }
        let (one, other) = (self.request(&case), self.request(&mended.0));
        let (before, after) = std::thread::scope(|s| {
            let before = s.spawn(|| left.ask(&one));
            let after = right.ask(&other);
            (before.join().expect("no panic"), after)
        });
        let (before, after) = (before?, after?);
        let Some(said) = says.find(&before) else { return Err(format!("this does not say {says}:\n{before}")) };
        record::note(Stage::Said, self.rule(), &self.case);
        record::note(Stage::Log, self.rule(), record::line_of(&before, said.as_str()));
        record::note(Stage::Fix, self.rule(), self.change());
        record::note(Stage::Gone, self.rule(), &self.case);
        if says.is_match(&after) {
            return Err(format!("this still says {says}:\n{after}"));
        }
        match then {
            Some(then) if then.is_match(&before) => Err(format!("this says {then} before the fix:\n{before}")),
            Some(then) if !then.is_match(&after) => Err(format!("this does not say {then} after the fix:\n{after}")),
            _ => Ok(()),
        }
    }
}

/// What programs say when a member of a case does something on a host of its own.
///
/// # Panics
/// When the steps themselves go wrong.
pub(crate) fn said(case: &str, member: &str, steps: &[&str]) -> String {
    let (mut files, mut links) = (Map::new(), Map::new());
    let input = path("fixtures/rules").join(case).join("input");
    texts(&input, &input, &mut files, &mut links);
    let request = json!({"files": files, "links": links, "member": member, "steps": steps});
    Host::start().ask(&request).unwrap_or_else(|why| panic!("{case}: {why}"))
}

/// The texts of all files below a directory, bytes where they are none, and where links lead.
fn texts(dir: &Path, base: &Path, files: &mut Map<String, Value>, links: &mut Map<String, Value>) {
    for entry in std::fs::read_dir(dir).expect("a directory") {
        let at = entry.expect("an entry").path();
        let name = at.strip_prefix(base).expect("below").display().to_string();
        if let Ok(target) = std::fs::read_link(&at) {
            links.insert(name, json!(target));
        } else if at.is_dir() {
            texts(&at, base, files, links);
        } else {
            let bytes = std::fs::read(&at).expect("a file");
            files.insert(name, String::from_utf8(bytes).map_or_else(|e| json!(e.into_bytes()), |text| json!(text)));
        }
    }
}

/// The modes of files that a case names.
fn modes(case: &Path) -> Map<String, Value> {
    let text = std::fs::read_to_string(case.join("modes.txt")).unwrap_or_default();
    text.lines().filter_map(|l| l.split_once(' ')).map(|(mode, file)| (file.to_owned(), json!(mode))).collect()
}

/// Runs the rows of a group.
pub(crate) fn prove(area: &str, group: &str) {
    let text = std::fs::read_to_string(path(&format!("tests/proofs/{area}.yml"))).expect("a table");
    let mut groups: BTreeMap<String, Vec<Row>> = serde_yaml::from_str(&text).expect("a table of proofs");
    let rows = groups.remove(group).expect("a group of this name");
    let mut hosts = [Host::start(), Host::start()];
    let mut wrong = Vec::new();
    for row in &rows {
        let rule = find(row.rule()).unwrap_or_else(|| panic!("no rule {}", row.rule()));
        if *rule.proof != *format!("tests/proofs::{area}::{group}") {
            wrong.push(format!("{}: its rule file names another proof: {}", row.case, rule.proof));
        }
        wrong.extend(row.check(&mut hosts).err().map(|why| format!("{}: {why}", row.case)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
