//! What was collected about members, judged.

use std::path::Path;

use super::said::Linted;
use crate::bundle::{Bundle, FORMAT};
use crate::collect::own;
use crate::collect::recorded::Recorded;
use crate::facts::layout::Layout;
use crate::facts::{self, Options, nodes};
use crate::report::Question;
use crate::rules::builtin::BUILTIN;
use crate::rules::engine::{self, Selection};
use crate::rules::schema::Rule;
use crate::source::SourceMap;

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
