//! Programs of PostgreSQL and installations of Patroni.

use std::collections::{BTreeMap, BTreeSet};

use super::eye::{Ask, Probe, Reply};
use super::{scripts, wire};
use crate::bundle::host::{Patroni, Process, Programs, Unit};
use crate::bundle::{Answer, Miss};
use crate::gap::GapReason;

/// What Patroni, its checks and upgrades run.
const NAMES: [&str; 12] = [
    "initdb",
    "pg_basebackup",
    "pg_checksums",
    "pg_controldata",
    "pg_ctl",
    "pg_isready",
    "pg_resetwal",
    "pg_rewind",
    "pg_upgrade",
    "pg_waldump",
    "postgres",
    "psql",
];

/// What is asked about a directory of programs.
pub(super) struct Questions {
    files: Vec<usize>,
    version: usize,
    libraries: Vec<usize>,
}

/// Where the server's libraries (`pkglibdir`) lie, beside the directory of programs.
const LIBRARIES: [&str; 5] = ["lib", "lib/postgresql", "lib64/pgsql", "lib/pgsql", "lib64"];
/// A library that every server has.
const COMMON: &str = "plpgsql";

impl Questions {
    pub(super) fn add(ask: &mut Ask, dir: &str) -> Self {
        let dir = dir.trim_end_matches('/');
        let version = as_owner(&[&format!("{dir}/postgres"), "-V"]);
        let above = dir.rsplit_once('/').map_or("", |(above, _)| above);
        Self {
            files: NAMES.map(|n| ask.stat(format!("{dir}/{n}"))).into(),
            version: ask.add(version),
            libraries: LIBRARIES.map(|lib| ask.list(format!("{above}/{lib}"))).into(),
        }
    }

    pub(super) fn read(&self, replies: &[Reply]) -> Programs {
        let files = NAMES.into_iter().zip(&self.files);
        Programs {
            files: files.map(|(name, at)| (name.to_owned(), wire::entry(&replies[*at]))).collect(),
            version: wire::out(&replies[self.version]).map(|t| t.trim().to_owned()).into(),
            libraries: libraries(self.libraries.iter().map(|at| wire::names(&replies[*at]))).into(),
        }
    }
}

/// The names of libraries, without their ending, of the directory that has the common one.
fn libraries(directories: impl Iterator<Item = Result<Option<Vec<String>>, Miss>>) -> Result<Vec<String>, Miss> {
    let mut hidden = None;
    for names in directories {
        let names = match names {
            Ok(names) => names.unwrap_or_default(),
            Err(miss) => {
                hidden = hidden.or(Some(miss));
                continue;
            }
        };
        let all: Vec<String> =
            names.iter().filter_map(|n| n.strip_suffix(".so")).filter(|n| !n.is_empty()).map(str::to_owned).collect();
        if all.iter().any(|name| name == COMMON) {
            return Ok(all);
        }
    }
    let unknown = || Miss {
        why: GapReason::NotGiven,
        detail: "the directory of its libraries is not one of those beside the programs".to_owned(),
    };
    Err(hidden.unwrap_or_else(unknown))
}

/// A program that is run with no more rights than its owner has.
pub(super) fn as_owner(words: &[&str]) -> Probe {
    Probe::Script(scripts::AS_OWNER, words.iter().map(|w| (*w).to_owned()).collect(), &["$"], &[])
}

/// Where Patroni is looked for in a tree, and by the shell on a host that runs.
const PLACES: [&str; 5] = [
    "/usr/bin/patroni",
    "/usr/local/bin/patroni",
    "/opt/patroni/bin/patroni",
    "/opt/app/patroni/bin/patroni",
    "/opt/patroni/patroni",
];

/// Asks for the usual places.
pub(super) fn add_places(ask: &mut Ask) -> Vec<usize> {
    PLACES.map(|p| ask.stat(p)).into()
}

fn is_patroni(word: &str) -> bool {
    word.starts_with('/') && word.rsplit('/').next().is_some_and(|n| n == "patroni" || n == "patroni.py")
}

/// Installations of Patroni: in usual places, and those that units and processes name.
pub(super) fn installations(
    places: &[usize],
    replies: &[Reply],
    units: &Answer<BTreeMap<String, Answer<Unit>>>,
    processes: &Answer<Vec<Process>>,
) -> BTreeSet<String> {
    let there = |at: &usize| wire::entry(&replies[*at]).got().is_some_and(Option::is_some);
    let usual = PLACES.iter().zip(places).filter(|(_, at)| there(at)).map(|(p, _)| (*p).to_owned());
    let units = units.got().into_iter().flat_map(BTreeMap::values).filter_map(|u| u.got()?.exec_start.got());
    let commands = units.flatten().chain(processes.got().into_iter().flatten().map(|p| &p.command));
    // The program is the first word, or the second behind an interpreter.
    let named = commands.flat_map(|words| words.iter().take(3)).filter(|w| is_patroni(w)).cloned();
    usual.chain(named).collect()
}

/// What is asked about an installation.
pub(super) struct Installation {
    path: String,
    file: usize,
}

impl Installation {
    pub(super) fn add(ask: &mut Ask, path: &str) -> Self {
        Self { path: path.to_owned(), file: ask.read(path) }
    }

    /// Asks the program and its interpreter, in a further round. What is no program of a Python is not run: it may be a wrapper
    /// that does more than to tell its version.
    pub(super) fn ask_python(self, replies: &[Reply], ask: &mut Ask) -> Python {
        let interpreter = wire::text(&replies[self.file]).and_then(|text| interpreter(&text.unwrap_or_default()));
        let asked = interpreter.as_ref().ok().map(|words| {
            // `-I`: neither variables, nor the directory of the user who looks, nor the working directory.
            let words: Vec<_> = words.iter().map(String::as_str).chain(["-I", "-B", "-c", scripts::PYTHON]).collect();
            let python = if words[0].starts_with('/') {
                as_owner(&words)
            } else {
                Probe::Run(words.into_iter().map(str::to_owned).collect())
            };
            (ask.add(as_owner(&[&self.path, "--version"])), ask.add(python))
        });
        Python { path: self.path, interpreter, asked }
    }
}

/// An installation whose interpreter was asked.
pub(super) struct Python {
    path: String,
    interpreter: Result<Vec<String>, Miss>,
    asked: Option<(usize, usize)>,
}

impl Python {
    pub(super) fn read(self, replies: &[Reply]) -> (String, Patroni) {
        let reply = |at: Option<usize>| match (&self.interpreter, at) {
            (Ok(_), Some(at)) => wire::out(&replies[at]),
            (Err(miss), _) => Err(miss.clone()),
            (Ok(_), None) => Err(Miss { why: GapReason::NotGiven, detail: "not asked".to_owned() }),
        };
        let version = reply(self.asked.map(|(version, _)| version));
        let said = reply(self.asked.map(|(_, python)| python));
        let lines = |word: &str| -> Result<Vec<String>, Miss> {
            let text = said.clone()?;
            Ok(text.lines().filter_map(|l| l.strip_prefix(word)?.strip_prefix(' ')).map(str::to_owned).collect())
        };
        let unsaid =
            |word: &str| Miss { why: GapReason::TooOld, detail: format!("its Python does not tell its {word}") };
        let packages = said.clone().and_then(|text| {
            if !text.lines().any(|l| l == "packages") {
                return Err(unsaid("packages"));
            }
            Ok(lines("package")?
                .iter()
                .filter_map(|l| l.split_once(' '))
                .map(|(n, v)| (n.to_owned(), v.to_owned()))
                .collect())
        });
        let python = lines("python").and_then(|l| l.into_iter().next().ok_or_else(|| unsaid("version")));
        let patroni = Patroni {
            version: version.map(|t| t.trim().trim_start_matches("patroni ").to_owned()).into(),
            interpreter: self.interpreter.map(|words| words.join(" ")).into(),
            python: python.into(),
            packages: packages.into(),
            modules: lines("module").into(),
        };
        (self.path, patroni)
    }
}

/// The interpreter of a script, without options: from its first line, or from the form that pip writes for long paths.
fn interpreter(text: &str) -> Result<Vec<String>, Miss> {
    let first = text.lines().next().and_then(|l| l.strip_prefix("#!")).unwrap_or_default();
    let words: Vec<_> = first.split_whitespace().map(str::to_owned).collect();
    let is_python = |w: &str| w.rsplit('/').next().is_some_and(|n| n.starts_with("python") || n.starts_with("pypy"));
    let long = || {
        let word = text.lines().nth(1)?.strip_prefix("'''exec' ")?.split(" \"$0\"").next()?;
        Some(word.trim_matches('"').to_owned())
    };
    match &words[..] {
        [python, ..] if is_python(python) => Ok(vec![python.clone()]),
        [env, python, ..] if env.ends_with("/env") && is_python(python) => Ok(vec![python.clone()]),
        _ => match long().filter(|w| is_python(w)) {
            Some(python) => Ok(vec![python]),
            None => Err(Miss { why: GapReason::Unreadable, detail: "its first line names no Python".to_owned() }),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interpreters_are_found_in_scripts() {
        for (text, python) in [
            ("#!/opt/py/bin/python3.11 -E\nimport x\n", Some("/opt/py/bin/python3.11")),
            ("#!/usr/bin/env python3\n", Some("python3")),
            ("#!/bin/sh\n'''exec' \"/a long/python3\" \"$0\" \"$@\"\n' '''\n", Some("/a long/python3")),
            ("#!/bin/sh\nexec x\n", None),
            ("\u{7f}ELF", None),
        ] {
            assert_eq!(interpreter(text).ok().and_then(|w| w.into_iter().next()).as_deref(), python, "{text}");
        }
    }

    #[test]
    fn the_directory_of_libraries_is_known_by_what_every_server_has() {
        let names = |list: &[&str]| Ok(Some(list.iter().map(|n| (*n).to_owned()).collect()));
        let denied = || Err(Miss { why: GapReason::Denied, detail: String::new() });
        let found = libraries(
            [names(&["libc.so", "x"]), Ok(None), names(&["auto_explain.so", "plpgsql.so", "bitcode"])].into_iter(),
        );
        assert_eq!(found, Ok(vec!["auto_explain".to_owned(), "plpgsql".to_owned()]));
        assert_eq!(libraries([names(&["libc.so"]), denied()].into_iter()).map_err(|m| m.why), Err(GapReason::Denied));
        assert_eq!(libraries([Ok(None)].into_iter()).map_err(|m| m.why), Err(GapReason::NotGiven));
    }
}
