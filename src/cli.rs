//! What can be typed. Types only; nothing here looks at the world.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use crate::date::Date;
use crate::rules::schema::Severity;

/// Says what will happen to PostgreSQL servers when Patroni takes them over.
#[derive(Debug, Parser)]
#[command(name = "patroni-preflight", version, about, max_term_width = 100)]
pub struct Cli {
    /// The verb.
    #[command(subcommand)]
    pub command: Command,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Checks the configuration files of a repository: no server, no network, nothing is changed.
    Lint(LintArgs),
    /// Explains a rule.
    Explain {
        /// Its id.
        rule: String,
    },
    /// Lists the rules, and tests rules of your own.
    Rules {
        /// What to list.
        #[command(subcommand)]
        what: RulesCommand,
    },
    /// Prints the JSON Schema of a file, for editors.
    Schema {
        /// Of which file.
        #[command(subcommand)]
        what: SchemaCommand,
    },
}

/// What can be asked about rules.
#[derive(Debug, Subcommand)]
pub enum RulesCommand {
    /// One line a rule.
    List,
    /// Runs the cases that lie beside rules of your own.
    Test {
        /// The directory of the rules.
        dir: PathBuf,
        /// Write what the cases say to their `expected.txt`.
        #[arg(long)]
        update: bool,
    },
    /// Prints the JSON Schema of rule files.
    Schema,
}

/// Files with a schema.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum SchemaCommand {
    /// `preflight.toml`
    Config,
}

/// Shapes of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// For people: text, reasons, fixes.
    #[default]
    Full,
    /// One line a finding.
    Short,
    /// For programs.
    Json,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Colour {
    /// On a terminal.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// `lint`.
#[derive(Debug, clap::Args)]
pub struct LintArgs {
    /// Files and directories, `-` for standard input; the current directory when none is given.
    pub paths: Vec<PathBuf>,
    /// The path that standard input stands for: its name tells what it is, its place where it belongs.
    #[arg(long, value_name = "PATH")]
    pub stdin_filename: Option<PathBuf>,
    /// Show only what concerns files that differ from a commit in git, HEAD when none is given.
    #[arg(long, value_name = "REF", num_args = 0..=1, require_equals = true, default_missing_value = "HEAD")]
    pub changed: Option<String>,
    /// List the files that would be checked, what each is taken for and where it belongs, and check nothing.
    #[arg(long)]
    pub list_files: bool,
    /// Hide the findings that stand in this file.
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Write all findings to this file, to be hidden from now on, and show none.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["changed", "list_files"])]
    pub write_baseline: Option<PathBuf>,
    /// A directory of rules of your own; can be given several times.
    #[arg(long, value_name = "DIR")]
    pub rules: Vec<PathBuf>,
    /// Shape of the report.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Least severity that makes the exit code 1: note, warning or error (the default).
    #[arg(long, value_name = "SEVERITY", value_parser = severity)]
    pub fail_on: Option<Severity>,
    /// Major version of PostgreSQL, where neither a path nor a file tells it.
    #[arg(long, value_name = "MAJOR", value_parser = clap::value_parser!(u16).range(13..=18))]
    pub postgresql: Option<u16>,
    /// Release of Patroni, such as 3.3.8; the newest known one when it is not given.
    #[arg(long, value_name = "RELEASE")]
    pub patroni: Option<String>,
    /// Configuration of this program; else the nearest `preflight.toml`, from the current directory up to the root of the
    /// repository.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Also run rules on trial.
    #[arg(long)]
    pub trial: bool,
    /// The day of the run, for tests.
    #[arg(long, value_name = "DAY", hide = true)]
    pub today: Option<Date>,
    /// Colours.
    #[arg(long, value_enum, value_name = "WHEN", default_value_t)]
    pub color: Colour,
}

fn severity(text: &str) -> Result<Severity, String> {
    match text {
        "note" => Ok(Severity::Note),
        "warning" => Ok(Severity::Warning),
        "error" => Ok(Severity::Error),
        _ => Err("one of: note, warning, error".to_owned()),
    }
}
