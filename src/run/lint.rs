//! `lint`: find, read, judge, hide what is known, print.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Output;
use super::said::{Linted, deliver, outputs, redactor, style};
use super::settle::{Settled, settle};
use crate::baseline::{self, Reach};
use crate::cli::LintArgs;
use crate::collect::fence::Fence;
use crate::collect::git::{self, Changed};
use crate::collect::kind::template_of;
use crate::collect::search::Search;
use crate::collect::{disk, own};
use crate::config::{self, Scope};
use crate::facts::layout::Layout;
use crate::facts::{self, Facts, Options};
use crate::knowledge::patroni::Version;
use crate::output;
use crate::progress::{self, Progress};
use crate::report::listing::{self, Listed};
use crate::report::{Question, fingerprint::fingerprints, plural};
use crate::rules::builtin::BUILTIN;
use crate::rules::engine::{self, Outcome, Selection};
use crate::rules::schema::{Rule, Severity};
use crate::source::path::normal;
use crate::source::{Origin, ReadError, Source, SourceMap};
use crate::terminal::Surroundings;

/// So many files are read on one thread.
const FEW: usize = 8;

/// What standard input is called when nobody says.
const STDIN: &str = "<stdin>";

/// What `lint` is asked.
#[derive(Debug, Default)]
pub struct Lint {
    /// Where relative paths start; paths are shown without it.
    pub base: PathBuf,
    /// Files and directories.
    pub paths: Vec<PathBuf>,
    /// A path of [`Self::paths`] whose text does not come from the disk.
    pub given: Option<(PathBuf, Vec<u8>)>,
    /// Versions, where nothing else tells them.
    pub options: Options,
    /// What the configuration says about files.
    pub scope: Scope,
    /// Which rules run.
    pub selection: Selection,
    /// All rules, sorted by id; the built-in ones when there are none.
    pub rules: Vec<Rule>,
    /// Recorded answers of nodes, as a text of YAML.
    pub nodes: Option<String>,
    /// Known findings: the path of the file and its text.
    pub baseline: Option<(PathBuf, String)>,
    /// Only findings that concern these files are wanted.
    pub changed: Option<Changed>,
    /// Say on standard error how far it is, when it takes long.
    pub progress: bool,
}

impl Lint {
    fn rules(&self) -> &[Rule] {
        if self.rules.is_empty() { BUILTIN } else { &self.rules }
    }

    /// Finds and reads the files.
    fn look(&self) -> Result<(Facts, Vec<Listed>), String> {
        let sources = SourceMap::default();
        let _progress = self.progress.then(|| Progress::start(sources.count(), progress::files, std::io::stderr()));
        if let Some((path, bytes)) = &self.given {
            let template = template_of(path, bytes);
            sources.add_template(Origin::File(path.clone()), path.display().to_string(), bytes.clone(), template);
        }
        if let Some((path, text)) = &self.scope.file {
            sources.add(Origin::File(path.clone()), path.display().to_string(), text.clone().into_bytes());
        }
        let layout = Layout {
            options: self.options,
            targets: self.scope.targets.clone(),
            clusters: self.scope.clusters.clone(),
            root: self.scope.root.clone(),
            homes: Vec::new(),
        };
        let search = Search {
            base: &self.base,
            paths: &self.paths,
            exclude: &self.scope.exclude,
            kind: &|path| layout.kind(path),
            given: self.given.as_ref().map(|(path, _)| path.as_path()),
        };
        let gathered = search.gather(&sources);
        let listed =
            gathered.found.iter().map(|f| Listed { source: Arc::clone(&f.source), kind: f.kind, by: f.by }).collect();
        let nodes = self.nodes.as_deref().map(|text| facts::nodes::recorded(text, &sources)).transpose()?;
        let nodes = nodes.unwrap_or_default();
        let fence = Fence::new(&self.base, &self.paths);
        Ok((facts::build(sources, gathered, nodes, &fence, &layout), listed))
    }

    /// Whether everything below the directory of the configuration was looked at.
    fn is_whole(&self) -> bool {
        let root = &self.scope.root;
        let holds = |path: &PathBuf| root.dir.starts_with(normal(&root.base.join(path)));
        self.given.is_none() && self.paths.iter().any(holds)
    }
}

/// Reads the files at and below the paths and runs the rules over them.
///
/// # Errors
/// When recorded answers or a baseline are given and cannot be read.
pub fn lint(request: &Lint) -> Result<Linted, String> {
    let (facts, listed) = request.look()?;
    let selection = Selection { whole: request.is_whole(), ..request.selection.clone() };
    let mut outcome = engine::run(request.rules(), &facts, &selection);
    if let Some((path, text)) = &request.baseline {
        let known = baseline::parse(&path.display().to_string(), text)?;
        let prints = fingerprints(&facts.sources, &redactor(&facts), &outcome.findings);
        let name = path.display().to_string();
        let file = facts.sources.add(Origin::File(path.clone()), &*name, text.clone().into_bytes());
        let looked = |file: &str| baseline::below(file, &request.paths);
        let reach = Reach { rules: request.rules(), selection: &selection, looked: &looked };
        baseline::hide(&mut outcome, &facts.sources, &prints, &known, &file, reach);
    }
    if let Some(changed) = &request.changed {
        keep_changed(&mut outcome, &facts.sources, &request.base, changed);
    }
    let mut files: Vec<&Listed> = listed.iter().collect();
    files.dedup_by(|a, b| a.source.file() == b.source.file());
    let files = files.into_iter().map(|l| l.source.id()).collect();
    Ok(Linted { facts, outcome, files, rules: request.rules.clone(), question: Question::Files, changes: None })
}

/// Keeps the findings that point into a changed file.
fn keep_changed(outcome: &mut Outcome, sources: &SourceMap, base: &Path, changed: &Changed) {
    let mut known = BTreeMap::new();
    let mut is_changed = |id| {
        *known.entry(id).or_insert_with(|| {
            let source: Arc<Source> = sources.get(id);
            changed.holds(&base.join(source.file().unwrap_or(Path::new(source.name()))))
        })
    };
    outcome.findings.retain(|f| f.sources().into_iter().any(&mut is_changed));
}

pub(super) fn command(args: &LintArgs, around: &Surroundings) -> Result<Output, String> {
    let Settled { config, rules } = settle(&args.judged)?;
    let patroni = args.patroni.as_deref().map_or(Ok(Version::LATEST), config::release);
    let patroni = patroni.map_err(|what| format!("--patroni {what}"))?;
    let mut request = Lint {
        base: PathBuf::new(),
        paths: if args.paths.is_empty() { vec![PathBuf::from(".")] } else { args.paths.clone() },
        options: Options { postgresql: args.postgresql, patroni },
        scope: config.scope,
        selection: config.selection,
        rules,
        changed: args.changed.as_deref().map(|r| git::changed(Path::new(""), r)).transpose()?,
        ..Lint::default()
    };
    take_stdin(&mut request, args)?;
    let outputs = outputs(args.said.format, &args.said.output)?;
    request.progress = around.progress();
    if request.paths.len() <= FEW && !request.paths.iter().any(|p| p.is_dir()) {
        // Starting threads takes longer than a few files do. An error means that this process has its threads already.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build_global();
    }
    if args.list_files {
        let (facts, listed) = request.look()?;
        let redactor = redactor(&facts);
        return Ok(super::said(redactor.words(&[], &listing::render(&facts, &listed))));
    }
    if let Some(file) = &args.write_baseline {
        return write_baseline(&request, file, args.baseline.as_deref());
    }
    if let Some(file) = &args.baseline {
        let text = own::text(file).map_err(|why| format!("{}: {why}", file.display()))?;
        request.baseline = Some((file.clone(), text));
    }
    let linted = lint(&request)?;
    let fail_on = args.said.fail_on.or(config.fail_on).unwrap_or(Severity::Error);
    let output = deliver(&linted, &outputs, fail_on, &style(&args.said, around));
    // The process ends now; giving millions of small pieces back one by one would take longer than all rules together.
    std::mem::forget(linted);
    Ok(output)
}

/// Puts standard input in the place of `-`.
fn take_stdin(request: &mut Lint, args: &LintArgs) -> Result<(), String> {
    let Some(at) = request.paths.iter().position(|p| p == Path::new("-")) else {
        return match &args.stdin_filename {
            Some(_) => Err("--stdin-filename names what `-` stands for; there is no `-` among the paths".to_owned()),
            None => Ok(()),
        };
    };
    let name = args.stdin_filename.clone().unwrap_or_else(|| STDIN.into());
    let name = name.strip_prefix(".").map_or_else(|_| name.clone(), Path::to_path_buf);
    let bytes = disk::stdin().map_err(|why: ReadError| format!("standard input: {why}"))?;
    request.paths[at].clone_from(&name);
    request.given = Some((name, bytes));
    Ok(())
}

/// Writes what was found, and of an older baseline what this run could not have found.
fn write_baseline(request: &Lint, file: &Path, older: Option<&Path>) -> Result<Output, String> {
    let linted = lint(request)?;
    let (facts, outcome) = (&linted.facts, &linted.outcome);
    if let Some(broken) = outcome.broken.first() {
        return Err(format!("a fault of this program in {}: {}; nothing was written", broken.rule, broken.message));
    }
    let prints = fingerprints(&facts.sources, &redactor(facts), &outcome.findings);
    let mut entries = baseline::entries(&facts.sources, &outcome.findings, prints);
    let found = entries.len();
    let looked = |file: &str| baseline::below(file, &request.paths);
    let reach = Reach { rules: request.rules(), selection: &request.selection, looked: &looked };
    let older = older.unwrap_or(file);
    let mut kept = 0;
    match own::text(older) {
        Ok(text) => {
            let known = baseline::parse(&older.display().to_string(), &text)?;
            let rest: Vec<_> =
                known.into_iter().filter(|e| !reach.covers(e, outcome) && !entries.contains(e)).collect();
            kept = rest.len();
            entries.extend(rest);
        }
        Err(ReadError::Missing) if older == file => {}
        Err(why) => return Err(format!("{}: {why}", older.display())),
    }
    output::write(file, &baseline::write(entries))?;
    let rest = if kept > 0 { format!(", and kept {kept} that this run did not look at") } else { String::new() };
    Ok(super::said(format!("wrote {found} {} to {}{rest}\n", plural(found, "finding"), file.display())))
}
