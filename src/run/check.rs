//! What was collected about members, judged.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::Output;
use super::gather::{Given, Manifest, Request, add_inventory, gather};
use super::redact::{Key, redact};
use super::said::{Linted, deliver, outputs, style};
use super::settle::{Settled, settle};
use crate::bundle::compare::compare;
use crate::bundle::rest::Speaker;
use crate::bundle::upgrade::Upgrade;
use crate::bundle::{Answer, Bundle, FORMAT, FileText, Node};
use crate::cli::{CheckArgs, MembersArgs};
use crate::collect::kind::Kind;
use crate::collect::own;
use crate::collect::recorded::{Recorded, place, root};
use crate::collect::sql::Environment;
use crate::config;
use crate::facts::layout::{Home, Layout};
use crate::facts::{self, Options, nodes};
use crate::knowledge::patroni::Version;
use crate::output;
use crate::report::{Changes, Question};
use crate::rules::builtin::BUILTIN;
use crate::rules::engine::{self, Selection};
use crate::rules::schema::{Rule, Severity};
use crate::rules::tally::tally;
use crate::source::SourceMap;
use crate::terminal::Surroundings;

/// What is to be judged.
#[derive(Debug)]
pub struct Check {
    /// What was collected.
    pub bundle: Bundle,
    /// Versions, where nothing else tells them.
    pub options: Options,
    /// Which rules run.
    pub selection: Selection,
    /// All rules, sorted by id; the built-in ones when there are none.
    pub rules: Vec<Rule>,
}

/// Runs the rules over what was collected.
#[must_use]
pub fn check(request: &Check) -> Linted {
    let sources = SourceMap::default();
    let recorded = Recorded::new(&request.bundle);
    let gathered = recorded.gather(&sources);
    let files = gathered.found.iter().map(|f| f.source.id()).collect();
    let layout = layout(&request.bundle, request.options);
    let nodes = nodes::of_bundle(&request.bundle, &sources);
    let facts = facts::build(sources, gathered, nodes, &recorded, &layout);
    let rules = if request.rules.is_empty() { BUILTIN } else { &request.rules };
    let mut outcome = engine::run(rules, &facts, &request.selection);
    tally(rules, &facts, &mut outcome);
    Linted { facts, outcome, files, rules: request.rules.clone(), question: Question::Members, changes: None }
}

/// Which files of a bundle are what to which member, and in which versions.
pub(super) fn layout(bundle: &Bundle, options: Options) -> Layout {
    Layout { options, homes: bundle.nodes.iter().map(|(name, node)| home(name, node)).collect(), ..Layout::default() }
}

fn home(name: &str, node: &Node) -> Home {
    let file = |is: &dyn Fn(&str, &FileText) -> bool| {
        let mut files = node.files.iter().filter_map(|(path, file)| Some((path, file.got()?.as_ref()?)));
        files.find(|(path, file)| is(path, file)).map(|(path, _)| place(name, path))
    };
    let of_kind = |kind: Kind| file(&|_, file| file.kind.as_deref() == Some(kind.word()));
    let session = node.sql.as_ref().and_then(Answer::got);
    let host = node.host.as_ref().and_then(Answer::got);
    // The server says which it reads; else it is the one with the plain name, beside files that Patroni names.
    let said = |setting: &str| session?.settings().find(|(name, _)| *name == setting).map(|(_, path)| path);
    let read = |setting: &str, plain: &str, kind: Kind| {
        if let Some(said) = said(setting) {
            return file(&|path, _| path == said);
        }
        let is_plain = |path: &str| path.rsplit('/').next() == Some(plain);
        file(&|path, file| file.kind.as_deref() == Some(kind.word()) && is_plain(path)).or_else(|| of_kind(kind))
    };
    let on_disk = || {
        let mut versions = host?.data.values().filter_map(|dir| dir.version.got()?.as_deref()?.parse().ok());
        versions.next().filter(|_| versions.next().is_none())
    };
    Home {
        root: root(name),
        conf: of_kind(Kind::Conf),
        auto_conf: file(&|path, _| path.ends_with("/postgresql.auto.conf")),
        hba: read("hba_file", "pg_hba.conf", Kind::Hba),
        ident: read("ident_file", "pg_ident.conf", Kind::Ident),
        postgresql: session.and_then(|s| u16::try_from(s.version / 10_000).ok()).or_else(on_disk),
        patroni: patroni(node),
    }
}

/// The release of a member's Patroni: of the one that runs, else of the only one that is installed.
fn patroni(node: &Node) -> Option<Version> {
    let running = node.rest.as_ref().and_then(|rest| match rest.got()?.speaker()? {
        Speaker::Patroni { version, .. } => config::release(&version).ok(),
        _ => None,
    });
    let installed = || {
        let all = node.host.as_ref()?.got()?.patroni.got()?;
        let mut versions = all.values().filter_map(|p| config::release(p.version.got()?).ok());
        versions.next().filter(|first| versions.all(|other| other == *first))
    };
    running.or_else(installed)
}

/// Runs `check`.
pub(super) fn command(args: &CheckArgs, around: &Surroundings) -> Result<Output, String> {
    let Settled { config, rules } = settle(&args.judged)?;
    let outputs = outputs(args.said.format, &args.said.output)?;
    let options = options(&args.asked)?;
    let bundle = bundle(&args.asked, &args.bundle, options, &rules, around)?;
    let changes = args.compare.as_deref().map(|before| changes(before, &bundle)).transpose()?;
    let mut linted = check(&Check { bundle, options, selection: config.selection, rules });
    linted.changes = changes;
    let fail_on = args.said.fail_on.or(config.fail_on).unwrap_or(Severity::Error);
    Ok(deliver(&linted, &outputs, fail_on, &style(&args.said, around)))
}

/// What members answer now, or what was written down of them.
pub(super) fn bundle(
    asked: &MembersArgs,
    written: &[PathBuf],
    options: Options,
    rules: &[Rule],
    around: &Surroundings,
) -> Result<Bundle, String> {
    let bundle = if written.is_empty() {
        collected(asked, options, rules, around.progress())?
    } else {
        let read = |path: &PathBuf| Ok((path.display().to_string(), read_bundle(path)?));
        Bundle::join(written.iter().map(read).collect::<Result<_, String>>()?)?
    };
    meant(bundle, asked)
}

/// The versions that were said.
pub(super) fn options(args: &MembersArgs) -> Result<Options, String> {
    let patroni = args.patroni.as_deref().map_or(Ok(Version::LATEST), config::release);
    Ok(Options { postgresql: args.postgresql, patroni: patroni.map_err(|what| format!("--patroni {what}"))? })
}

/// The major upgrade that is meant.
fn upgrade(args: &MembersArgs) -> Option<Upgrade> {
    let to = args.upgrade_to?;
    Some(Upgrade { to, bin_dir: args.new_bindir.clone(), data_dir: args.new_datadir.clone() })
}

/// A bundle with the upgrade that is meant now. One that was collected for another upgrade does not tell of this one.
fn meant(mut bundle: Bundle, args: &MembersArgs) -> Result<Bundle, String> {
    match (upgrade(args), &bundle.upgrade) {
        (Some(now), Some(then)) if now != *then => {
            let words = |upgrade: &Upgrade| {
                let dirs = [("--new-bindir", &upgrade.bin_dir), ("--new-datadir", &upgrade.data_dir)];
                let dirs = dirs.into_iter().filter_map(|(option, dir)| Some(format!(" {option} {}", dir.as_ref()?)));
                format!("--upgrade-to {}{}", upgrade.to, dirs.collect::<String>())
            };
            Err(format!(
                "it was collected with `{}` and is to be judged with `{}`: collect it again, or leave the option out",
                words(then),
                words(&now)
            ))
        }
        (now, then) => {
            bundle.upgrade = then.clone().or(now);
            Ok(bundle)
        }
    }
}

/// Asks members; secrets are replaced.
pub(super) fn collected(
    args: &MembersArgs,
    options: Options,
    rules: &[Rule],
    progress: bool,
) -> Result<Bundle, String> {
    let key = match &args.secret_key {
        Some(file) => {
            let text = own::text(file).map_err(|why| format!("{}: {why}", file.display()))?;
            Key::from_text(&text).map_err(|why| format!("{}: {why}", file.display()))?
        }
        None => Key::random()?,
    };
    let (bundle, manifest) = gather(&asked(args, options, progress)?, rules)?;
    for warning in &manifest.warnings {
        let _ = writeln!(std::io::stderr().lock(), "patroni-preflight: {warning}");
    }
    if let Some(file) = &args.manifest {
        write_manifest(file, &manifest)?;
    }
    Ok(redact(&bundle, &key))
}

/// What is not as it was, one line each.
fn changes(before: &Path, now: &Bundle) -> Result<Changes, String> {
    let before = read_bundle(before)?;
    let lines = compare(&before, now)?.iter().map(ToString::to_string).collect();
    Ok(Changes { since: before.taken, lines })
}

fn asked(args: &MembersArgs, options: Options, progress: bool) -> Result<Request, String> {
    let mut request = Request {
        files: args.members.iter().map(|path| Given { path: path.clone(), key: None }).collect(),
        dsns: args.dsn.clone(),
        ssh: args.ssh.clone(),
        ssh_command: args.ssh_command.split_whitespace().map(str::to_owned).collect(),
        roots: args.root.clone(),
        environment: Environment::of_process(),
        options,
        upgrade: upgrade(args),
        progress,
    };
    if let Some(inventory) = &args.inventory {
        add_inventory(inventory, &mut request)?;
    }
    if request.files.is_empty() && request.dsns.is_empty() {
        let ways = "Patroni's configuration of each member, --dsn NAME=DSN, --inventory FILE or --bundle FILE";
        return Err(format!("nothing to check: give {ways}"));
    }
    Ok(request)
}

/// Writes down what was touched; `-` is standard error.
fn write_manifest(file: &Path, manifest: &Manifest) -> Result<(), String> {
    let text = manifest.render();
    if file == Path::new("-") {
        let _ = std::io::stderr().lock().write_all(text.as_bytes());
        return Ok(());
    }
    output::write(file, &text)
}

/// Reads what `collect` has written.
///
/// # Errors
/// What is wrong with it.
pub fn read_bundle(path: &Path) -> Result<Bundle, String> {
    let name = path.display();
    let text = own::text(path).map_err(|why| format!("{name}: {why}"))?;
    let bundle: Bundle = serde_json::from_str(&text).map_err(|why| format!("{name}: no bundle: {why}"))?;
    if bundle.format != FORMAT {
        return Err(format!("{name}: written in form {}, this program reads form {FORMAT}", bundle.format));
    }
    Ok(bundle)
}
