//! Reading a file when no server is known: what every version says, and what only some say.

use std::collections::BTreeMap;

use crate::problem::{Parsed, Problem};
use crate::source::{Reader, Source, Span};

use super::server::{SUPPORTED, Server};
use super::{Hba, parse_for};

/// Reads a file as each of the given versions does, in ascending order; none stands for all supported ones.
///
/// The tree is that of the last version. A problem that all versions have comes as it is; one that only some have comes
/// once, with a note such as `only in PostgreSQL 13 to 15`.
pub fn parse_for_all(source: &Source, reader: &dyn Reader, versions: &[u16]) -> Parsed<Hba> {
    let versions = if versions.is_empty() { &SUPPORTED } else { versions };
    let last = versions[versions.len() - 1];
    let tree = parse_for(source, reader, &Server::packaged(last)).tree;
    let mut seen: BTreeMap<(Span, String, String), (Problem, Vec<u16>)> = BTreeMap::new();
    for &version in versions {
        let parsed = parse_for(source, reader, &Server::packaged(version));
        for problem in &parsed.problems {
            let what = problem.args.iter().map(|(_, v)| v.as_str()).next().unwrap_or_default().to_owned();
            let entry = seen.entry((problem.at, problem.rule.to_string(), what));
            let (kept, has) = entry.or_insert_with(|| (problem.clone(), Vec::new()));
            *kept = problem.clone();
            if has.last() != Some(&version) {
                has.push(version);
            }
        }
    }
    let problems = seen
        .into_values()
        .map(|(problem, has)| {
            if has.len() == versions.len() {
                problem
            } else {
                problem.note(format!("only in PostgreSQL {}", spell(&has)))
            }
        })
        .collect();
    Parsed { tree, problems }
}

/// `13 to 15`, `13, 18`.
fn spell(versions: &[u16]) -> String {
    match versions {
        [first, .., last] if usize::from(last - first) + 1 == versions.len() => format!("{first} to {last}"),
        _ => versions.iter().map(u16::to_string).collect::<Vec<_>>().join(", "),
    }
}
