//! Units beside that of Patroni, and how it fits to them.

pub(super) mod configuration_path;
pub(super) mod dcs_ordering;
pub(super) mod dependencies;
pub(super) mod postgres_started;
pub(super) mod service;
pub(super) mod settings_lost;
pub(super) mod there;
pub(super) mod wanted_by;

use crate::facts::Facts;
use crate::source::Span;

/// Whether a template fills in what stands at a place.
fn is_filled_in(facts: &Facts, at: Span) -> bool {
    facts.sources.get(at.source).is_unknown(at)
}
