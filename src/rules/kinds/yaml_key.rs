//! `yaml-key`: a key of Patroni's configuration that is absent, present, or holds a bad value.

use regex::Regex;

use crate::facts::gap::{Gap, GapReason};
use crate::facts::{Facts, PatroniFile};
use crate::parse::patroni::{Item, ItemValue, Type};
use crate::rules::report::Report;
use crate::rules::schema::YamlKeySpec;

/// Reports each file in which the key is not as it should be.
///
/// # Errors
/// Never: a file that is broken at that place is noted as a gap.
pub fn check(spec: &YamlKeySpec, facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    let pattern = if spec.not_matching.is_empty() { None } else { pattern(&spec.not_matching).ok() };
    debug_assert!(pattern.is_some() || spec.not_matching.is_empty(), "patterns are checked when rules are loaded");
    for file in facts.files() {
        let out_of_scope = !spec.within.is_empty() && file.config.get(&spec.within).is_none();
        let excused = spec.unless.iter().any(|path| file.config.get(path).is_some_and(says_something));
        if out_of_scope || excused {
            continue;
        }
        look(spec, pattern.as_ref(), file, report);
    }
    Ok(())
}

/// Whether a value excuses: not one that switches off or is empty.
fn says_something(item: &Item) -> bool {
    let empty = match item.kind() {
        Type::Null => true,
        Type::List => item.items().is_empty(),
        Type::Map => item.pairs().is_empty(),
        _ => item.is_yaml("false") || item.as_str().is_some_and(|t| t.is_empty() || t == "none"),
    };
    !empty
}

fn look(spec: &YamlKeySpec, pattern: Option<&Regex>, file: &PatroniFile, report: &mut Report) {
    let (at, value) = match file.config.get(&spec.path) {
        Some(item) => {
            let bad = spec.one_of.iter().any(|text| item.is_yaml(text));
            if !spec.present && !bad && !pattern.is_some_and(|p| differs(p, item)) {
                return;
            }
            (item.key_or_value(), show(item))
        }
        None if !spec.absent || file.is_misspelt(&spec.path) => return,
        None if file.is_absent(&spec.path) => (file.place_of(&spec.path), "not set".to_owned()),
        None => {
            report.known::<()>(Err(unknown(&spec.path, file)));
            return;
        }
    };
    // Where a template decides whether something excuses it, nothing is wrong for certain.
    let decided = |path: &str| file.config.get(path).is_some() || file.is_absent(path);
    match spec.unless.iter().find(|path| file.config.is_complete() && !decided(path)) {
        Some(path) => drop(report.known::<()>(Err(unknown(path, file)))),
        None => report.add(report.problem(at).arg("path", &*spec.path).arg("value", value)),
    }
}

/// The pattern of a rule, for a whole value.
///
/// # Errors
/// What is wrong with it.
pub fn pattern(text: &str) -> Result<Regex, String> {
    let whole = format!("^(?:{text})$");
    // The message of the library shows the pattern with a mark below the place; its last line says what is wrong.
    Regex::new(&whole).map_err(|e| e.to_string().lines().last().unwrap_or_default().trim().to_owned())
}

/// Whether a value is certainly not what the pattern wants.
fn differs(pattern: &Regex, item: &Item) -> bool {
    match item.kind() {
        Type::Unknown => false,
        _ if matches!(item.value, ItemValue::Secret(..)) => false,
        _ => item.as_setting().is_none_or(|text| !pattern.is_match(&text)),
    }
}

/// A value in words; never a secret.
fn show(item: &Item) -> String {
    match item.as_setting() {
        Some(text) => text,
        None if matches!(item.value, ItemValue::Secret(..)) => "***".to_owned(),
        None => item.kind().name().to_owned(),
    }
}

fn unknown(path: &str, file: &PatroniFile) -> Gap {
    Gap::new(format!("`{path}`"), GapReason::Unreadable).on(file.source.name())
}
