//! The verbs, top to bottom.

mod check;
mod collect;
pub mod gather;
mod lint;
mod pages;
mod predict;
pub mod redact;
mod said;
mod settle;

use std::path::Path;

use crate::cli::{Cli, Command, RulesCommand};
use crate::collect::own;
use crate::config;
use crate::report::plural;
use crate::rules::builtin::BUILTIN;
use crate::rules::load;
use crate::selftest;
use crate::terminal::Surroundings;

pub use check::{Check, check, read_bundle};
pub use lint::{Lint, lint};
pub use said::{Linted, render, show};
pub use settle::config_for;

/// What a run prints, and its exit code.
#[derive(Debug, Default)]
pub struct Output {
    /// For standard output.
    pub stdout: String,
    /// For standard error.
    pub stderr: String,
    /// The exit code.
    pub code: u8,
}

/// Runs what was typed.
#[must_use]
pub fn run(cli: &Cli, around: &Surroundings) -> Output {
    match &cli.command {
        Command::Lint(args) => lint::command(args, around).unwrap_or_else(|message| fault(&message)),
        Command::Collect(args) => collect::command(args, around).unwrap_or_else(|message| fault(&message)),
        Command::Check(args) => check::command(args, around).unwrap_or_else(|message| fault(&message)),
        Command::Predict(args) => predict::command(args, around).unwrap_or_else(|message| fault(&message)),
        Command::Explain { name, members, format } => {
            pages::explain(name, members, *format, around).unwrap_or_else(|message| fault(&message))
        }
        Command::Rules { what: RulesCommand::List { area, severity, format } } => {
            pages::list(area.as_deref(), *severity, *format)
        }
        Command::Rules { what: RulesCommand::Schema } => said(load::SCHEMA.to_owned()),
        Command::Rules { what: RulesCommand::Test { dir, update } } => {
            rules_test(dir, *update).unwrap_or_else(|message| fault(&message))
        }
        Command::Schema { what } => pages::schema(what),
    }
}

fn said(stdout: String) -> Output {
    Output { stdout, ..Output::default() }
}

fn fault(message: &str) -> Output {
    Output { stderr: format!("patroni-preflight: {message}\n"), code: 2, ..Output::default() }
}

fn rules_test(dir: &Path, update: bool) -> Result<Output, String> {
    let files = config::rule_texts(own::yaml_files(dir)?);
    if files.is_empty() {
        return Err(format!("{}: there is no rule file in it", dir.display()));
    }
    let stems: Vec<String> = files.iter().map(|f| f.stem.clone()).collect();
    let rules = load::load(BUILTIN, &files).map_err(|wrong| wrong.join("\n"))?;
    let tested = selftest::run(dir, &rules, &stems, update);
    let (code, reason) = match tested.wrong.len() {
        0 => (0, "all is as expected".to_owned()),
        n => (1, format!("{n} not as expected")),
    };
    let (rules, cases) = (plural(tested.rules, "rule"), plural(tested.cases, "case"));
    let last = format!("{} {rules}, {} {cases}: exit {code}, {reason}", tested.rules, tested.cases);
    let lines = tested.wrong.iter().map(|w| w.trim_end()).chain([last.as_str()]);
    let stdout = lines.collect::<Vec<_>>().join("\n") + "\n";
    Ok(Output { stdout, code, ..Output::default() })
}
