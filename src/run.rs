//! The verbs, top to bottom.

mod lint;
mod pages;

use std::path::Path;

use crate::cli::{Cli, Command, Format, RulesCommand};
use crate::collect::own;
use crate::config;
use crate::report::{self, Page, Style, plural};
use crate::rules::builtin::BUILTIN;
use crate::rules::load;
use crate::rules::schema::Severity;
use crate::selftest;
use crate::terminal::Surroundings;

pub use lint::{Lint, Linted, config_for, lint};

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
        Command::Explain { name, format } => pages::explain(name, *format),
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

/// The report of a run in one format, and the exit code.
#[must_use]
pub fn render(linted: &Linted, format: Format, fail_on: Severity, style: &Style) -> (String, u8) {
    let verdict = report::verdict(&linted.outcome, fail_on);
    let redactor = lint::redactor(&linted.facts);
    let page = Page {
        sources: &linted.facts.sources,
        outcome: &linted.outcome,
        rules: linted.rules(),
        redactor: &redactor,
        verdict: &verdict,
        fail_on,
        files: &linted.files,
    };
    let text = match format {
        Format::Full => report::full::render(&page, style),
        Format::Short => report::short::render(&page, style),
        Format::Json => report::json::render(&page),
        Format::Jsonl => report::jsonl::render(&page),
        Format::Sarif => report::sarif::render(&page),
        Format::Github => report::github::render(&page),
        Format::Gitlab => report::gitlab::render(&page),
        Format::Junit => report::junit::render(&page),
        Format::Checkstyle => report::checkstyle::render(&page),
        Format::Markdown => report::markdown::render(&page),
    };
    (text, verdict.code)
}
