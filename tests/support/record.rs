//! What proofs have shown, written down while they run: one line an event in `target/proofs.tsv`, of which `proofs::table` makes a table.

use std::fmt::Display;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex, PoisonError};

use super::path;

/// What happened in a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The program said it, before the failure.
    Said,
    /// PostgreSQL, Patroni or another program said so.
    Log,
    /// A fix was applied.
    Fix,
    /// The program does not say it any more.
    Gone,
}

impl Stage {
    pub(crate) const ALL: [(Self, &'static str); 4] =
        [(Self::Said, "said"), (Self::Log, "log"), (Self::Fix, "fix"), (Self::Gone, "gone")];
}

/// Stands for the rules that a test is about, where it is not known which of them.
pub(crate) const SOME: &str = "-";

static EVENTS: LazyLock<Mutex<File>> = LazyLock::new(|| {
    let file = OpenOptions::new().create(true).append(true).open(events()).expect("a file for events");
    Mutex::new(file)
});

/// Where the events stand.
pub(crate) fn events() -> PathBuf {
    path("target/proofs.tsv")
}

/// Writes an event down, under the name of the test that runs.
pub(crate) fn note(stage: Stage, rule: &str, words: impl Display) {
    let test = std::thread::current().name().unwrap_or("-").to_owned();
    let flat = words.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
    let word = Stage::ALL[stage as usize].1;
    let line = format!("{test}\t{word}\t{rule}\t{flat}\n");
    let mut file = EVENTS.lock().unwrap_or_else(PoisonError::into_inner);
    file.write_all(line.as_bytes()).expect("an event is written");
}

/// The line of a text that holds some words.
pub(crate) fn line_of<'a>(text: &'a str, words: &str) -> &'a str {
    let first = words.lines().next().unwrap_or(words);
    text.lines().find(|line| line.contains(first)).unwrap_or(text).trim()
}

/// That a program has said some words.
///
/// # Panics
/// When it has not.
#[track_caller]
pub(crate) fn says(text: &str, words: &str) {
    says_of(SOME, text, words);
}

/// The same of what one rule is about.
///
/// # Panics
/// When it has not.
#[track_caller]
pub(crate) fn says_of(rule: &str, text: &str, words: &str) {
    assert!(text.contains(words), "this does not say {words:?}:\n{text}");
    note(Stage::Log, rule, line_of(text, words));
}
