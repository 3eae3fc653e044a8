//! Rules of an organisation: read at start, checked as strictly as the built-in ones are when they are compiled in.
//!
//! Pure: `collect::own` reads the texts. Every mistake is told with file, line and column.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::faults::Fault;
use super::kinds::yaml_key;
use super::schema::{CheckSpec, Rule, StepSpec};
use super::{query, suggest};
use crate::knowledge::guc;
use crate::knowledge::patroni::{self, Kind};
use crate::parse::hba::{ConnType, Method};
use crate::parse::yaml::{self, Tree};
use crate::source::Source;

/// The JSON Schema of rule files, for editors.
pub const SCHEMA: &str = include_str!("rule.schema.json");

/// What every id of an organisation begins with.
pub const PREFIX: &str = "org/";

/// A rule file as it was read.
#[derive(Debug, Clone)]
pub struct RuleText {
    /// What a user calls it.
    pub name: String,
    /// Its name without directory and extension.
    pub stem: String,
    /// What it holds.
    pub text: String,
}

/// The built-in rules and those of the files, sorted by id.
///
/// # Errors
/// Everything that is wrong with the files, one line each.
pub fn load(builtin: &[Rule], files: &[RuleText]) -> Result<Vec<Rule>, Vec<String>> {
    let mut wrong = Vec::new();
    let mut own: Vec<Rule> = Vec::new();
    let mut ids: BTreeSet<String> = builtin.iter().map(|r| r.id.to_string()).collect();
    let mut read = Vec::new();
    for file in files {
        let source = Source::lone(&file.name, file.text.as_bytes());
        match parse(&source, &file.text) {
            Ok(rule) => read.push((file, source, rule)),
            Err(message) => wrong.push(message),
        }
    }
    let all: BTreeSet<String> = ids.iter().cloned().chain(read.iter().map(|(_, _, r)| r.id.to_string())).collect();
    for (file, source, rule) in read {
        let tree = yaml::parse(&source).tree;
        let mut faults = faults(&rule);
        let wanted = format!("{PREFIX}{}", file.stem);
        if rule.id != wanted {
            faults.push(Fault::new("id", format!("the id of a rule in this file is `{wanted}`, not `{}`", rule.id)));
        } else if !ids.insert(wanted) {
            faults.push(Fault::new("id", format!("there is another rule `{}`", rule.id)));
        }
        for other in rule.supersedes.iter().filter(|o| !all.contains(&***o)) {
            let near = did_you_mean(all.iter().map(String::as_str), other);
            faults.push(Fault::new("supersedes", format!("there is no rule `{other}`{near}")));
        }
        let mut placed: Vec<(usize, usize, String)> = faults
            .into_iter()
            .map(|fault| {
                let (line, column) = source.position(place(&tree, &fault.key));
                (line, column, fault.what)
            })
            .collect();
        placed.sort();
        wrong.extend(placed.into_iter().map(|(l, c, what)| format!("{}:{l}:{c}: {what}", file.name)));
        own.push(rule);
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let mut rules: Vec<Rule> = builtin.iter().cloned().chain(own).collect();
    rules.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(rules)
}

fn parse(source: &Source, text: &str) -> Result<Rule, String> {
    serde_yaml::from_str(text).map_err(|error| {
        let message = error.to_string();
        let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(before, _)| before);
        // A value inside a check or a step is told by its path only.
        let (path, what) = message.split_once(": ").filter(|(p, _)| !p.contains(' ')).unwrap_or(("", message));
        let (line, column) = match error.location() {
            Some(at) if at.line() > 1 || path.is_empty() => (at.line(), at.column()),
            _ => source.position(place(&yaml::parse(source).tree, path)),
        };
        format!("{}:{line}:{column}: {what}{}", source.name(), meant(what))
    })
}

/// `; did you mean …` for a message of serde that names a word and those that it expected.
#[must_use]
pub fn meant(message: &str) -> String {
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    match quoted.split_first() {
        Some((written, expected)) if message.starts_with("unknown ") => did_you_mean(expected.iter().copied(), written),
        _ => String::new(),
    }
}

fn did_you_mean<'w>(words: impl IntoIterator<Item = &'w str>, written: &str) -> String {
    suggest(words, written).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
}

/// The first byte of the value at a path of keys, or of the nearest section above it.
fn place(tree: &Tree, path: &str) -> u32 {
    let keys: Vec<&str> = path.split('.').filter(|k| !k.is_empty()).collect();
    let found = (1..=keys.len()).rev().find_map(|n| tree.at(&keys[..n]));
    found.map_or(0, |entry| tree.node(entry.value).span.start)
}

/// What is wrong with a rule beyond what its own types say.
fn faults(rule: &Rule) -> Vec<Fault> {
    let mut faults = rule.faults();
    let edits = rule.fix.iter().flat_map(|f| f.steps.iter()).any(|s| matches!(s, StepSpec::Edit(_)));
    if edits {
        faults.push(Fault::new("fix.steps", "only built-in checks know bytes to `edit`; say it in words with `human`"));
    }
    let at = |below: &str| format!("check.{}.{below}", rule.check.kind());
    let mut wrong = |below: &str, what: String| faults.push(Fault::new(at(below), what));
    match &rule.check {
        CheckSpec::Parser(_) | CheckSpec::Engine(_) | CheckSpec::Native(_) => {
            let what =
                format!("a check of kind `{}` is code of this program; use one of the other kinds", rule.check.kind());
            faults.push(Fault::new("check", what));
        }
        CheckSpec::Setting(spec) => {
            if let Some(what) = unknown_setting(&spec.name) {
                wrong("name", what);
            }
            for (name, empty) in [("in", spec.places.is_empty()), ("bad", spec.bad.is_empty())] {
                if empty {
                    wrong(name, "with an empty list it never fires".to_owned());
                }
            }
        }
        CheckSpec::YamlKey(spec) => {
            if !spec.absent && !spec.present && spec.one_of.is_empty() && spec.not_matching.is_empty() {
                let what = "it never fires: it needs `absent`, `present`, `one-of` or `not-matching`";
                wrong("", what.to_owned());
            }
            let paths = [("path", &spec.path), ("within", &spec.within)].into_iter().filter(|(_, p)| !p.is_empty());
            for (name, path) in paths.chain(spec.unless.iter().map(|p| ("unless", p))) {
                if let Some(what) = unknown_key(path) {
                    wrong(name, what);
                }
            }
            if let Err(what) = yaml_key::pattern(&spec.not_matching) {
                wrong("not-matching", format!("it is no regular expression: {what}"));
            }
        }
        CheckSpec::SameOnAllMembers(spec) => {
            for path in spec.paths.iter() {
                if let Some(what) = unknown_key(&path.path) {
                    wrong("paths", what);
                }
            }
        }
        CheckSpec::Hba(spec) => {
            let types = ConnType::ALL.map(ConnType::name);
            let methods = Method::ALL.map(Method::name);
            let lists = [("types", &spec.types, &types[..]), ("methods", &spec.methods, &methods[..])];
            for (name, words, known) in lists {
                for word in words.iter().filter(|w| !known.contains(&&***w)) {
                    let near = did_you_mean(known.iter().copied(), word);
                    wrong(name, format!("pg_hba.conf knows no `{word}` here{near}"));
                }
            }
        }
        CheckSpec::File(spec) => {
            if spec.forbidden_mode == 0 || spec.forbidden_mode > 0o7777 {
                wrong("forbidden-mode", "it is no set of mode bits; write it in octal, as 0o077".to_owned());
            }
        }
        CheckSpec::Rows(spec) => match query::is_harmless(&spec.query).and_then(|()| query::columns(&spec.query)) {
            Err(what) => wrong("query", what),
            Ok(columns) => {
                if !columns.iter().any(|c| *c == spec.key) {
                    wrong("key", format!("the query has no column `{}`", spec.key));
                }
                let known: Vec<&str> = columns.iter().map(String::as_str).chain(["node"]).collect();
                faults.extend(rule.unfilled(&known));
            }
        },
    }
    faults
}

fn unknown_setting(name: &str) -> Option<String> {
    // Extensions bring their own, with a dot.
    if name.contains('.') || !guc::versions(name).is_empty() {
        return None;
    }
    let near = guc::MAJORS.clone().rev().find_map(|major| guc::suggest(name, major));
    let near = near.map(|n| format!("; did you mean `{n}`?")).unwrap_or_default();
    Some(format!("PostgreSQL knows no setting `{name}`{near}"))
}

/// What is wrong with a path of Patroni's configuration, as far as its names are fixed.
fn unknown_key(path: &str) -> Option<String> {
    let mut above: Cow<'_, str> = Cow::Borrowed("");
    for (i, name) in path.split('.').enumerate() {
        let Some(row) = patroni::child(&above, name).or_else(|| patroni::method_section(&above)) else {
            let here: Vec<&str> = path.split('.').take(i).collect();
            let names = patroni::keys().iter().filter_map(|row| {
                let (parent, last) = row.path.rsplit_once('.').unwrap_or(("", row.path));
                (parent == above).then_some(last)
            });
            let near = did_you_mean(names, name);
            let place = if here.is_empty() { String::new() } else { format!(" in `{}`", here.join(".")) };
            return Some(format!("Patroni knows no key `{name}`{place}{near}"));
        };
        if matches!(row.kind, Kind::Free | Kind::Any | Kind::Options) {
            return None;
        }
        above = Cow::Borrowed(row.path);
    }
    None
}
