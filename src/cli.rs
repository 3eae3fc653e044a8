//! What can be typed. Types only; nothing here looks at the world.

use std::path::PathBuf;
use std::str::FromStr;

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
    Lint(Box<LintArgs>),
    /// Checks members as they run: their files, servers, hosts, REST APIs and the store. Nothing is changed.
    Check(Box<CheckArgs>),
    /// Says what will change when Patroni takes over: every setting, slot and connection, and what it touches. Nothing is changed.
    Predict(Box<PredictArgs>),
    /// Writes what `check` looks at into one file, with words in the place of secrets, to be checked elsewhere. Nothing is changed.
    Collect(Box<CollectArgs>),
    /// Explains a rule, a key of Patroni, a setting of PostgreSQL or an environment variable.
    Explain {
        /// Its name: `timeouts-rule`, `bootstrap.dcs.ttl` or `ttl`, `max_connections`, `PATRONI_SCOPE`.
        name: String,
        /// Of a setting also what it is and will be on members: their files, or directories of files. Nobody is asked.
        #[arg(value_name = "MEMBER.yml")]
        members: Vec<PathBuf>,
        /// Shape of the page.
        #[arg(long, value_enum, default_value_t)]
        format: PageFormat,
    },
    /// Lists the rules, and tests rules of your own.
    Rules {
        /// What to list.
        #[command(subcommand)]
        what: RulesCommand,
    },
    /// Prints a JSON Schema, for editors and pipelines.
    Schema {
        /// Of what.
        #[command(subcommand)]
        what: SchemaCommand,
    },
}

/// What can be asked about rules.
#[derive(Debug, Clone, Subcommand)]
pub enum RulesCommand {
    /// One line a rule.
    List {
        /// Only those of an area: a folder of `rules/`.
        #[arg(long)]
        area: Option<String>,
        /// Only those of a severity: note, warning or error.
        #[arg(long, value_parser = severity)]
        severity: Option<Severity>,
        /// Shape of the list.
        #[arg(long, value_enum, default_value_t)]
        format: PageFormat,
    },
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

/// What there is a schema of.
#[derive(Debug, Clone, Subcommand)]
pub enum SchemaCommand {
    /// Of `preflight.toml`.
    Config,
    /// Of Patroni's configuration, for editors and check-jsonschema.
    Patroni {
        /// Release of Patroni, such as 3.3.8; the newest known one when it is not given.
        #[arg(long, value_name = "RELEASE")]
        patroni: Option<String>,
    },
    /// Of the report that `lint --format json` prints.
    Report,
    /// Of the prediction that `predict --format json` prints.
    Prediction,
}

/// Shapes of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum PageFormat {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
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
    /// One page for a browser, on a screen, a phone or paper: findings, and for `check` also what Patroni's take-over changes.
    Html,
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
pub struct Report<F = Format> {
    /// Its shape.
    pub format: F,
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

/// How a run says what it found.
#[derive(Debug, clap::Args)]
pub struct ReportArgs {
    /// Shape of the report on standard output; full when not given.
    #[arg(long, value_enum)]
    pub format: Option<Format>,
    /// A further report into a file, `-` for standard output; may be given several times.
    #[arg(long, value_name = "FORMAT=FILE", value_parser = report::<Format>)]
    pub output: Vec<Report>,
    /// Least severity that makes the exit code 1: note, warning or error (the default).
    #[arg(long, value_name = "SEVERITY", value_parser = severity)]
    pub fail_on: Option<Severity>,
    /// Colours; on a terminal unless `NO_COLOR` is set.
    #[arg(long, value_enum, value_name = "WHEN", default_value_t)]
    pub color: When,
    /// Links on rules and places; on a terminal.
    #[arg(long, value_enum, value_name = "WHEN", default_value_t)]
    pub hyperlinks: When,
}

/// Which rules run, and how they are configured.
#[derive(Debug, clap::Args)]
pub struct RulesArgs {
    /// A directory of rules of your own; can be given several times.
    #[arg(long, value_name = "DIR")]
    pub rules: Vec<PathBuf>,
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
    /// Which rules run.
    #[command(flatten)]
    pub judged: RulesArgs,
    /// How it is said.
    #[command(flatten)]
    pub said: ReportArgs,
    /// Major version of PostgreSQL, where neither a path nor a file tells it.
    #[arg(long, value_name = "MAJOR", value_parser = clap::value_parser!(u16).range(13..=18))]
    pub postgresql: Option<u16>,
    /// Release of Patroni, such as 3.3.8; the newest known one when it is not given.
    #[arg(long, value_name = "RELEASE")]
    pub patroni: Option<String>,
}

/// Members that are asked, and how.
#[derive(Debug, clap::Args)]
pub struct MembersArgs {
    /// Patroni's configuration of each member: a file, or a directory of files.
    #[arg(value_name = "MEMBER.yml")]
    pub members: Vec<PathBuf>,
    /// How to connect to the server of a member, as libpq understands it; without it, as Patroni itself would log in. Give the
    /// password through `.pgpass`, a service file or `PGPASSWORD`.
    #[arg(long, value_name = "NAME=DSN")]
    pub dsn: Vec<Named>,
    /// How to reach the host of a member that is not this machine.
    #[arg(long, value_name = "NAME=TARGET")]
    pub ssh: Vec<Named>,
    /// The command that reaches other hosts: it gets the target and a command behind its own words.
    #[arg(long, value_name = "COMMAND", default_value = "ssh -o BatchMode=yes -o ConnectTimeout=10")]
    pub ssh_command: String,
    /// The tree of a member's host that does not run.
    #[arg(long, value_name = "NAME=DIR")]
    pub root: Vec<Named>,
    /// Many clusters: a file that says of each member where its configuration is and how it is reached.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["members", "dsn", "ssh", "root"])]
    pub inventory: Option<PathBuf>,
    /// Write down every query, file, program and endpoint that was touched; `-` for standard error.
    #[arg(long, value_name = "FILE")]
    pub manifest: Option<PathBuf>,
    /// A text that decides what stands for each secret, so that bundles of several hosts or times fit together; without it, nobody
    /// knows.
    #[arg(long, value_name = "FILE")]
    pub secret_key: Option<PathBuf>,
    /// Major version of PostgreSQL, where neither a server nor a path nor a file tells it.
    #[arg(long, value_name = "MAJOR", value_parser = clap::value_parser!(u16).range(13..=18))]
    pub postgresql: Option<u16>,
    /// Release of Patroni, such as 3.3.8, where no host tells it; else the newest known one.
    #[arg(long, value_name = "RELEASE")]
    pub patroni: Option<String>,
    /// Also say what stands in the way of `pg_upgrade` to this major version of PostgreSQL, and of Patroni's start behind it.
    #[arg(long, value_name = "MAJOR", value_parser = clap::value_parser!(u16).range(14..=18))]
    pub upgrade_to: Option<u16>,
    /// Where the programs of that version are on every member; `bin_dir` with its version replaced, or Debian's place, when not
    /// given.
    #[arg(long, value_name = "DIR", requires = "upgrade_to")]
    pub new_bindir: Option<String>,
    /// Where its data is, or will be, on every member; `data_dir` with its version replaced when not given.
    #[arg(long, value_name = "DIR", requires = "upgrade_to")]
    pub new_datadir: Option<String>,
}

/// `collect`.
#[derive(Debug, clap::Args)]
pub struct CollectArgs {
    /// Who is asked.
    #[command(flatten)]
    pub asked: MembersArgs,
    /// The file to write; standard output when not given.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// `check`.
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    /// Who is asked.
    #[command(flatten)]
    pub asked: MembersArgs,
    /// What `collect` has written, instead of members that are asked now; can be given several times.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["members", "dsn", "ssh", "root", "inventory", "manifest", "secret_key"])]
    pub bundle: Vec<PathBuf>,
    /// Also say what has changed since this was written by `collect`, with the same --secret-key.
    #[arg(long, value_name = "FILE")]
    pub compare: Option<PathBuf>,
    /// Which rules run.
    #[command(flatten)]
    pub judged: RulesArgs,
    /// How it is said.
    #[command(flatten)]
    pub said: ReportArgs,
}

/// Shapes of a prediction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum PredictFormat {
    /// For people: what is dangerous first, then tables.
    #[default]
    Text,
    /// The same as a comment for a pull request.
    Markdown,
    /// For programs: everything.
    Json,
    /// One page for a browser, the same as that of `check`: what the rules find, and what changes.
    Html,
}

/// `predict`.
#[derive(Debug, clap::Args)]
pub struct PredictArgs {
    /// Who is asked.
    #[command(flatten)]
    pub asked: MembersArgs,
    /// Ask nobody: what is given are files and directories of a repository, read as `lint` reads them.
    #[arg(long, conflicts_with_all = ["dsn", "ssh", "root", "inventory", "manifest", "secret_key", "bundle"])]
    pub offline: bool,
    /// What `collect` has written, instead of members that are asked now; can be given several times.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["members", "dsn", "ssh", "root", "inventory", "manifest", "secret_key"])]
    pub bundle: Vec<PathBuf>,
    /// Also show what does not change.
    #[arg(long)]
    pub all: bool,
    /// Which rules run: some of them say whether a start of Patroni could stop a server.
    #[command(flatten)]
    pub judged: RulesArgs,
    /// Shape of the prediction on standard output; text when not given.
    #[arg(long, value_enum)]
    pub format: Option<PredictFormat>,
    /// A further prediction into a file, `-` for standard output; may be given several times.
    #[arg(long, value_name = "FORMAT=FILE", value_parser = report::<PredictFormat>)]
    pub output: Vec<Report<PredictFormat>>,
    /// Colours; on a terminal unless `NO_COLOR` is set.
    #[arg(long, value_enum, value_name = "WHEN", default_value_t)]
    pub color: When,
}

/// `NAME=VALUE`: what is said of one member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The member.
    pub name: String,
    /// What is said.
    pub value: String,
}

impl FromStr for Named {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((name, value)) if !name.is_empty() && !value.is_empty() => {
                Ok(Self { name: name.to_owned(), value: value.to_owned() })
            }
            _ => Err("it is NAME=VALUE, with the name of a member".to_owned()),
        }
    }
}

fn report<F: ValueEnum>(text: &str) -> Result<Report<F>, String> {
    let name = |format: &F| Some(format.to_possible_value()?.get_name().to_owned());
    let names = || F::value_variants().iter().filter_map(name).collect::<Vec<_>>().join(", ");
    let (format, file) = text.split_once('=').ok_or_else(|| format!("it is FORMAT=FILE; formats are {}", names()))?;
    let format = F::from_str(format, false).map_err(|_| format!("formats are {}", names()))?;
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
