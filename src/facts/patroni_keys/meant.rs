//! A key that is missing because it stands there misspelt or at a wrong place is one slip, not two.

use super::required::{MISSING, NAME_LEFT_OUT};
use crate::problem::Problem;

/// Joins what is said of a missing key with what is said of the key that was meant to be it.
pub(super) fn join(problems: &mut Vec<Problem>) {
    let strays: Vec<(usize, String)> = problems.iter().enumerate().filter_map(stray).collect();
    let mut gone = Vec::new();
    for (stray, meant) in strays {
        let is_it = |p: &Problem| arg(p, "path").is_some_and(|paths| paths.split(", ").any(|path| path == meant));
        let missing = |rule: &str| problems.iter().position(|p| p.rule == rule && is_it(p));
        if let Some(note) = missing("validator-requires-key") {
            gone.push(note);
        } else if let Some(fatal) = missing(MISSING).or_else(|| missing(NAME_LEFT_OUT)) {
            let there = problems[stray].clone();
            let problem = &mut problems[fatal];
            problem.rule = MISSING.into();
            let alone = arg(problem, "path") == Some(&meant);
            let name = arg(&there, "path").unwrap_or_default();
            if alone {
                problem.at = there.at;
            } else {
                problem.labels.push((there.at, String::new()));
            }
            problem.notes.push(format!("`{name}` is not read; `{meant}` was probably meant"));
            problem.edits.extend(there.edits);
            gone.push(stray);
        }
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
