//! The verbs, top to bottom.

use std::path::{Path, PathBuf};

use crate::cli::{Cli, Colour, Command, Format, LintArgs, RulesCommand};
use crate::collect::files;
use crate::config::{self, Config};
use crate::facts::{self, Facts, Options};
use crate::knowledge::patroni::Version;
use crate::report::redact::Redactor;
use crate::report::{self, Page};
use crate::rules::builtin::BUILTIN;
use crate::rules::engine::{self, Outcome, Selection};
use crate::rules::schema::Severity;
use crate::source::SourceMap;

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
pub fn run(cli: &Cli, on_terminal: bool) -> Output {
    match &cli.command {
        Command::Lint(args) => lint_command(args, on_terminal),
        Command::Explain { rule } => match crate::rules::builtin::find(rule) {
            Some(rule) => Output { stdout: report::page::rule(rule), ..Output::default() },
            None => fault(&format!("there is no rule `{rule}`; `patroni-preflight rules list` shows them")),
        },
        Command::Rules { what: RulesCommand::List } => {
            Output { stdout: report::page::list(BUILTIN), ..Output::default() }
        }
    }
}

/// So many files are read on one thread.
const FEW: usize = 8;

fn fault(message: &str) -> Output {
    Output { stderr: format!("patroni-preflight: {message}\n"), code: 2, ..Output::default() }
}

/// What `lint` is asked.
#[derive(Debug, Default)]
pub struct Lint {
    /// Where relative paths start; paths are shown without it.
    pub base: PathBuf,
    /// Files and directories.
    pub paths: Vec<PathBuf>,
    /// Versions, where files do not tell them.
    pub options: Options,
    /// Which rules run.
    pub selection: Selection,
    /// Recorded answers of nodes, as a text of YAML.
    pub nodes: Option<String>,
}

/// What `lint` saw and found.
#[derive(Debug)]
pub struct Linted {
    /// The files and what they say.
    pub facts: Facts,
    /// What the rules made of it.
    pub outcome: Outcome,
    /// How many files were read as configuration.
    pub files: usize,
}

/// Reads the files at and below the paths and runs the rules over them.
///
/// # Errors
/// When recorded answers are given and cannot be read.
pub fn lint(request: &Lint) -> Result<Linted, String> {
    let sources = SourceMap::default();
    let (found, problems) = files::gather(&sources, &request.base, &request.paths);
    let files = found.len();
    let nodes = request.nodes.as_deref().map(facts::nodes::parse).transpose()?.unwrap_or_default();
    let fence = files::Fence::new(&request.base, &request.paths);
    let facts = facts::build(sources, found, nodes, problems, &fence, request.options);
    let outcome = engine::run(BUILTIN, &facts, &request.selection);
    Ok(Linted { facts, outcome, files })
}

fn lint_command(args: &LintArgs, on_terminal: bool) -> Output {
    let config = match read_config(args.config.as_deref()) {
        Ok(config) => config,
        Err(message) => return fault(&message),
    };
    let patroni = match args.patroni.as_deref().map_or(Ok(Version::LATEST), str::parse) {
        Ok(version) if (Version::new(3, 0, 0)..=Version::LATEST).contains(&version) => version,
        _ => return fault("--patroni takes a release from 3.0.0 to 4.1.5"),
    };
    let paths = if args.paths.is_empty() { vec![PathBuf::from(".")] } else { args.paths.clone() };
    if paths.len() <= FEW && !paths.iter().any(|p| p.is_dir()) {
        // Starting threads takes longer than a few files do. An error means that this process has its threads already.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build_global();
    }
    let mut selection = config.selection;
    selection.trial = args.trial;
    let options = Options { postgresql: args.postgresql, patroni };
    let linted = match lint(&Lint { base: PathBuf::new(), paths, options, selection, nodes: None }) {
        Ok(linted) => linted,
        Err(message) => return fault(&message),
    };
    let fail_on = args.fail_on.or(config.fail_on).unwrap_or(Severity::Error);
    let colour = match args.color {
        Colour::Auto => on_terminal,
        Colour::Always => true,
        Colour::Never => false,
    };
    let (stdout, code) = render(&linted, args.format, fail_on, colour);
    // The process ends now; giving millions of small pieces back one by one would take longer than all rules together.
    std::mem::forget(linted);
    Output { stdout, code, ..Output::default() }
}

/// The report of a run in one format, and the exit code.
#[must_use]
pub fn render(linted: &Linted, format: Format, fail_on: Severity, colour: bool) -> (String, u8) {
    let verdict = report::verdict(&linted.outcome, fail_on);
    let hidden = linted.facts.secret_spans().iter().chain(linted.facts.hidden()).copied();
    let redactor = Redactor::new(hidden, linted.facts.secrets().iter().cloned());
    let page = Page {
        sources: &linted.facts.sources,
        outcome: &linted.outcome,
        redactor: &redactor,
        verdict: &verdict,
        files: linted.files,
    };
    let text = match format {
        Format::Full => report::full::render(&page, colour),
        Format::Short => report::short::render(&page),
        Format::Json => report::json::render(&page),
    };
    (text, verdict.code)
}

fn read_config(path: Option<&Path>) -> Result<Config, String> {
    let (path, asked) = path.map_or((Path::new(config::FILE_NAME), false), |p| (p, true));
    match files::text(path) {
        Ok(text) => config::parse(&path.display().to_string(), &text, BUILTIN),
        Err(crate::source::ReadError::Missing) if !asked => Ok(Config::default()),
        Err(why) => Err(format!("{}: {why}", path.display())),
    }
}
