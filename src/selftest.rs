//! Runs the cases of rules: the same for the built-in ones and for those of an organisation.
//!
//! A case is a directory `bad-…` (the rule must fire) or `good-…` (it must not) with `input/`, what `--format short` says of
//! it in `expected.txt`, and where they matter `nodes.yml` (answers of servers), `patroni.txt` (a release of Patroni other than the
//! newest), `paths.txt` (paths to name instead of the whole input), `modes.txt` (lines of `octal path`; the input is then
//! checked in a copy), `baseline.json` and `today.txt`. What `nodes.yml` leaves out counts as not asked; that this keeps other
//! rules from looking is not told. `input/preflight.toml` counts. All rules run, those on trial too.

use std::path::{Path, PathBuf};

use crate::cli::Format;
use crate::collect::own::{self, Scratch};
use crate::gap::{Gap, GapReason};
use crate::knowledge::patroni::Version;
use crate::output;
use crate::report::Style;
use crate::rules::load::PREFIX;
use crate::rules::schema::{Need, Rule, Severity};
use crate::run::{self, Lint, Linted};
use crate::source::ReadError;

/// What a case says.
///
/// # Errors
/// What is wrong with the case itself.
pub fn short(case: &Path, rules: &[Rule]) -> Result<String, String> {
    lint(case, &case.join("input"), rules)
        .map(|linted| run::render(&linted, Format::Short, Severity::Error, &Style::default()).0)
}

/// What is found in the input of a case, or in another version of it.
///
/// # Errors
/// What is wrong with the case itself.
pub fn lint(case: &Path, input: &Path, rules: &[Rule]) -> Result<Linted, String> {
    let paths = optional(&case.join("paths.txt"))?.unwrap_or_else(|| ".".to_owned());
    let release = optional(&case.join("patroni.txt"))?.map(|r| r.trim().to_owned());
    let today = optional(&case.join("today.txt"))?.map(|day| day.trim().parse()).transpose()?;
    let modes = optional(&case.join("modes.txt"))?;
    let scratch = modes.map(|modes| Scratch::copy(input, &modes)).transpose()?;
    let base = scratch.as_ref().map_or_else(|| input.to_path_buf(), |s| s.dir.clone());
    let config = run::config_for(&base, Some(Path::new("preflight.toml")).filter(|f| base.join(f).exists()), rules)?;
    let mut request = Lint {
        base,
        paths: paths.lines().map(PathBuf::from).collect(),
        nodes: optional(&case.join("nodes.yml"))?,
        rules: rules.to_vec(),
        selection: config.selection,
        scope: config.scope,
        baseline: optional(&case.join("baseline.json"))?.map(|text| ("baseline.json".into(), text)),
        ..Lint::default()
    };
    request.options.patroni = release.map_or(Ok(Version::LATEST), |r| crate::config::release(&r))?;
    request.selection.trial = true;
    request.selection.today = today;
    let mut linted = run::lint(&request)?;
    let own = case.parent().and_then(Path::file_name).map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let nodes: Vec<String> = linted.facts.nodes.iter().map(|node| node.name.clone()).collect();
    let of_node = |gap: &Gap| gap.node.as_ref().is_some_and(|name| nodes.contains(name));
    let is_told = |id: &str, gap: &Gap| gap.why != GapReason::NotGiven || !(of_node(gap) || asks(rules, id));
    linted.outcome.gaps.retain(|(id, gap)| id.ends_with(&own) || is_told(id, gap));
    Ok(linted)
}

/// Whether a rule asks what a case records only for the rule that it is about.
fn asks(rules: &[Rule], id: &str) -> bool {
    let live = [Need::Sql, Need::Host, Need::Dcs, Need::Rest, Need::Upgrade];
    // One that reads a file where no server answers asks for the file.
    let is_live = |rule: &Rule| rule.needs.iter().any(|need| live.contains(need)) && !rule.needs.contains(&Need::Conf);
    rules.iter().any(|rule| rule.id == id && is_live(rule))
}

fn optional(file: &Path) -> Result<Option<String>, String> {
    match own::text(file) {
        Ok(text) => Ok(Some(text)),
        Err(ReadError::Missing) => Ok(None),
        Err(why) => Err(format!("{}: {why}", file.display())),
    }
}

/// Whether a case does what its name says: a `bad-` one makes the rule fire, a `good-` one does not.
///
/// # Errors
/// How it fails to.
pub fn judge(rule: &str, case: &Path, said: &str) -> Result<(), String> {
    let hit = ["error", "warning", "note"].iter().any(|s| said.contains(&format!(": {s}[{rule}]: ")));
    let name = case.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let at = case.display();
    match name.split('-').next() {
        Some("bad") if !hit => Err(format!("{at}: the rule is silent:\n{said}")),
        Some("good") if hit => Err(format!("{at}: the rule fires:\n{said}")),
        Some("bad" | "good") => Ok(()),
        _ => Err(format!("{at}: the name of a case begins with bad- or good-")),
    }
}

/// What came of the cases of a directory of rules.
#[derive(Debug, Default)]
pub struct Tested {
    /// How many rules there are.
    pub rules: usize,
    /// How many cases were run.
    pub cases: usize,
    /// What is not as it should be.
    pub wrong: Vec<String>,
}

/// Runs `DIR/<rule>/<case>` for every rule of an organisation's directory; `update` writes what they say to `expected.txt`
/// instead of comparing.
#[must_use]
pub fn run(dir: &Path, rules: &[Rule], stems: &[String], update: bool) -> Tested {
    let mut tested = Tested { rules: stems.len(), ..Tested::default() };
    for stem in stems {
        let cases = own::directories(&dir.join(stem));
        for start in ["bad-", "good-"] {
            let is = |c: &PathBuf| c.file_name().is_some_and(|n| n.to_string_lossy().starts_with(start));
            if !cases.iter().any(is) {
                tested.wrong.push(format!("{}: no case {start}…", dir.join(stem).display()));
            }
        }
        for case in cases {
            tested.cases += 1;
            tested.wrong.extend(one(&format!("{PREFIX}{stem}"), &case, rules, update).err());
        }
    }
    for folder in own::directories(dir) {
        let name = folder.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        if !stems.contains(&name) {
            tested.wrong.push(format!("{}: there is no rule file `{name}.yml` beside it", folder.display()));
        }
    }
    tested
}

fn one(rule: &str, case: &Path, rules: &[Rule], update: bool) -> Result<(), String> {
    if !case.join("input").is_dir() {
        return Err(format!("{}: there is no directory `input`", case.display()));
    }
    let said = short(case, rules).map_err(|e| format!("{}: {e}", case.display()))?;
    judge(rule, case, &said)?;
    let file = case.join("expected.txt");
    if update {
        return output::write(&file, &said);
    }
    match own::text(&file) {
        Ok(expected) if expected == said => Ok(()),
        Ok(expected) => Err(format!("{} differs:\n--- expected\n{expected}--- actual\n{said}", file.display())),
        Err(why) => Err(format!("{}: {why}; --update writes it", file.display())),
    }
}
