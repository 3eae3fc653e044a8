//! `check`: what was collected about members, judged.

use std::path::Path;

use super::Output;
use super::said::{Linted, deliver, outputs, style};
use crate::bundle::{Bundle, FORMAT};
use crate::cli::CheckArgs;
use crate::collect::recorded::Recorded;
use crate::collect::{clock, own};
use crate::config;
use crate::facts::layout::Layout;
use crate::facts::{self, Options, nodes};
use crate::knowledge::patroni::Version;
use crate::report::Question;
use crate::rules::builtin::BUILTIN;
use crate::rules::engine::{self, Selection};
use crate::rules::schema::{Rule, Severity};
use crate::source::SourceMap;
use crate::terminal::Surroundings;

/// What `check` is asked.
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
    let layout = Layout { options: request.options, ..Layout::default() };
    let facts = facts::build(sources, gathered, nodes::of_bundle(&request.bundle), &recorded, &layout);
    let rules = if request.rules.is_empty() { BUILTIN } else { &request.rules };
    let outcome = engine::run(rules, &facts, &request.selection);
    Linted { facts, outcome, files, rules: request.rules.clone(), question: Question::Members }
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

/// Several bundles as one. Two of them cannot speak of one member.
fn join(bundles: Vec<(&Path, Bundle)>) -> Result<Bundle, String> {
    let mut all: Option<Bundle> = None;
    for (path, bundle) in bundles {
        let Some(all) = &mut all else {
            all = Some(bundle);
            continue;
        };
        if let Some(twice) = bundle.nodes.keys().find(|name| all.nodes.contains_key(*name)) {
            return Err(format!("{}: another bundle speaks of `{twice}` too", path.display()));
        }
        all.nodes.extend(bundle.nodes);
        all.stores.extend(bundle.stores);
    }
    all.ok_or_else(|| "name the members by their configurations, or bundles of them".to_owned())
}

pub(super) fn command(args: &CheckArgs, around: &Surroundings) -> Result<Output, String> {
    let bundles = args.bundle.iter().map(|path| Ok((path.as_path(), read_bundle(path)?)));
    let bundle = join(bundles.collect::<Result<_, String>>()?)?;
    let patroni = args.patroni.as_deref().map_or(Ok(Version::LATEST), config::release);
    let patroni = patroni.map_err(|what| format!("--patroni {what}"))?;
    let request = Check {
        bundle,
        options: Options { postgresql: None, patroni },
        selection: Selection { today: args.today.or_else(clock::today), ..Selection::default() },
        rules: super::lint::organisation(&args.rules)?,
    };
    let outputs = outputs(&args.said)?;
    let fail_on = args.said.fail_on.unwrap_or(Severity::Error);
    Ok(deliver(&check(&request), &outputs, fail_on, &style(&args.said, around)))
}
