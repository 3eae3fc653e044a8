//! A key that is missing because it stands there misspelt or at a wrong place is one slip, not two.

use std::collections::{BTreeMap, BTreeSet};

use super::required::{MISSING, NAME_LEFT_OUT, VALIDATOR};
use crate::problem::Problem;

/// Joins what is said of a missing key with what is said of the key that was meant to be it.
pub(super) fn join(problems: &mut Vec<Problem>) {
    // Few keys are required, and a hostile text may hold very many strays.
    let mut wanted: BTreeMap<String, usize> = BTreeMap::new();
    for (index, problem) in problems.iter().enumerate() {
        if [MISSING, NAME_LEFT_OUT, VALIDATOR].contains(&&*problem.rule) {
            wanted.extend(arg(problem, "path").unwrap_or_default().split(", ").map(|path| (path.to_owned(), index)));
        }
    }
    if wanted.is_empty() {
        return;
    }
    let strays: Vec<(usize, String)> = problems.iter().enumerate().filter_map(stray).collect();
    let mut gone = BTreeSet::new();
    for (stray, meant) in strays {
        let Some(&index) = wanted.get(&meant) else { continue };
        if problems[index].rule == VALIDATOR {
            gone.insert(index);
            continue;
        }
        let there = problems[stray].clone();
        let problem = &mut problems[index];
        problem.rule = MISSING.into();
        if arg(problem, "path") == Some(&meant) {
            problem.at = there.at;
        } else {
            problem.labels.push((there.at, String::new()));
        }
        let name = arg(&there, "path").unwrap_or_default();
        problem.notes.push(format!("`{name}` is not read; `{meant}` was probably meant"));
        problem.edits.extend(there.edits);
        gone.insert(stray);
    }
    let mut index = 0;
    problems.retain(|_| {
        index += 1;
        !gone.contains(&(index - 1))
    });
}

fn arg<'a>(problem: &'a Problem, name: &str) -> Option<&'a str> {
    problem.args.iter().find(|a| a.0 == name).map(|a| &*a.1)
}

/// The path that a stray key was probably meant to have.
fn stray((index, problem): (usize, &Problem)) -> Option<(usize, String)> {
    let suggestion = arg(problem, "suggestion")?;
    match &*problem.rule {
        "yaml-misplaced-key" => Some((index, suggestion.to_owned())),
        "yaml-unknown-key" => {
            let path = arg(problem, "path")?;
            let section = path.rsplit_once('.').map(|(section, _)| format!("{section}."));
            Some((index, section.unwrap_or_default() + suggestion))
        }
        _ => None,
    }
}
