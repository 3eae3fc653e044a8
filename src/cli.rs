//! What can be typed. Types only; nothing here looks at the world.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

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
    /// Lists the rules.
    Rules {
        /// What to list.
        #[command(subcommand)]
        what: RulesCommand,
    },
}

/// What can be asked about rules.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum RulesCommand {
    /// One line a rule.
    List,
}

/// Shapes of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// For people: text, reasons, fixes, the worst first.
    #[default]
    Full,
    /// One line a finding.
    Short,
    /// For programs.
    Json,
    /// For programs, one line a finding.
    Jsonl,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Workflow commands of GitHub Actions.
    Github,
    /// Code Quality of GitLab.
    Gitlab,
    /// Test results, a suite for each file.
    Junit,
    /// Checkstyle's XML.
    Checkstyle,
    /// A comment for a pull request.
    Markdown,
}

impl Format {
    /// All of them.
    #[must_use]
    pub fn all() -> &'static [Self] {
        Self::value_variants()
    }

    /// What it is called on the command line.
    ///
    /// # Panics
    /// Never: no format is hidden.
    #[must_use]
    pub fn name(self) -> String {
        self.to_possible_value().expect("invariant: every format has a name").get_name().to_owned()
    }
}

/// A report and where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Its shape.
    pub format: Format,
    /// The file; standard output when there is none.
    pub file: Option<PathBuf>,
}

/// When to do what only terminals understand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum When {
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
    /// Files and directories; the current directory when none is given.
    pub paths: Vec<PathBuf>,
    /// Shape of the report on standard output; full when not given.
    #[arg(long, value_enum)]
    pub format: Option<Format>,
    /// A further report into a file, `-` for standard output; may be given several times.
    #[arg(long, value_name = "FORMAT=FILE", value_parser = report)]
    pub output: Vec<Report>,
    /// Least severity that makes the exit code 1: note, warning or error (the default).
    #[arg(long, value_name = "SEVERITY", value_parser = severity)]
    pub fail_on: Option<Severity>,
    /// Major version of PostgreSQL, where neither a path nor a file tells it.
    #[arg(long, value_name = "MAJOR", value_parser = clap::value_parser!(u16).range(13..=18))]
    pub postgresql: Option<u16>,
    /// Release of Patroni, such as 3.3.8; the newest known one when it is not given.
    #[arg(long, value_name = "RELEASE")]
    pub patroni: Option<String>,
    /// Configuration of this program; `preflight.toml` in the current directory when it exists.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Also run rules on trial.
    #[arg(long)]
    pub trial: bool,
    /// Colours; on a terminal unless `NO_COLOR` is set.
    #[arg(long, value_enum, value_name = "WHEN", default_value_t)]
    pub color: When,
    /// Links on rules and places; on a terminal.
    #[arg(long, value_enum, value_name = "WHEN", default_value_t)]
    pub hyperlinks: When,
}

fn report(text: &str) -> Result<Report, String> {
    let names = || Format::all().iter().map(|f| f.name()).collect::<Vec<_>>().join(", ");
    let (format, file) = text.split_once('=').ok_or_else(|| format!("it is FORMAT=FILE; formats are {}", names()))?;
    let format = Format::from_str(format, false).map_err(|_| format!("formats are {}", names()))?;
    match file {
        "" => Err("a file must follow the equals sign, or `-` for standard output".to_owned()),
        "-" => Ok(Report { format, file: None }),
        file => Ok(Report { format, file: Some(file.into()) }),
    }
}

fn severity(text: &str) -> Result<Severity, String> {
    match text {
        "note" => Ok(Severity::Note),
        "warning" => Ok(Severity::Warning),
        "error" => Ok(Severity::Error),
        _ => Err("one of: note, warning, error".to_owned()),
    }
}
