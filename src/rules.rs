//! What is wrong with what was found: rules as data, the engine that runs them, and the checks that need code.

mod accept;
pub mod allow;
pub mod bounds;
pub mod builtin;
pub mod engine;
pub mod faults;
pub mod kinds;
pub mod load;
#[expect(clippy::unnecessary_wraps, reason = "checks of all kinds have one signature")]
pub mod native;
pub mod query;
pub mod range;
pub mod report;
pub mod schema;
pub mod selection;
pub mod tally;
pub mod template;
pub mod trial;

/// The word among some that was most likely meant, if one is near enough.
pub fn suggest<'w>(words: impl IntoIterator<Item = &'w str>, written: &str) -> Option<&'w str> {
    let near = words.into_iter().map(|w| (strsim::damerau_levenshtein(w, written), w)).min()?;
    (near.0 <= 3 && near.0 < written.chars().count()).then_some(near.1)
}
