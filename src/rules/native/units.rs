//! Units beside that of Patroni, and how it fits to them.

pub(super) mod configuration_path;
pub(super) mod dcs_ordering;
pub(super) mod dependencies;
pub(super) mod postgres_started;
pub(super) mod service;
pub(super) mod settings_lost;
pub(super) mod there;
pub(super) mod wanted_by;

use crate::bundle::host::Unit;
use crate::facts::{Facts, UnitFile};
use crate::parse::unit::Value;
use crate::rules::native::on_host::OnHost;
use crate::source::Span;

/// The units that start Patroni on hosts that were not asked: those that were say themselves what counts there.
pub(super) fn of_texts_alone(facts: &Facts) -> impl Iterator<Item = &UnitFile> {
    facts.units().iter().filter(|unit| unit.runs_patroni() && !is_told(facts, unit))
}

fn is_told(facts: &Facts, unit: &UnitFile) -> bool {
    facts.node_at(unit.source.id()).and_then(|node| node.host().ok()).is_some_and(|host| host.units.got().is_some())
}

/// Where the text of a unit of a host says the last of one of several keys.
pub(super) fn said<'a>(
    facts: &'a Facts,
    on: &OnHost<'_>,
    unit: &Unit,
    section: &str,
    keys: &[&str],
) -> Option<&'a Value> {
    let path = on.node.root.as_ref()?.join(unit.fragment.got()?.as_deref()?.trim_start_matches('/'));
    let text = facts.units.iter().find(|text| text.source.path() == Some(&path))?;
    let all = text.unit.assignments().iter();
    let mut found = all.filter(|a| a.section == section && keys.contains(&a.key.value.as_str())).map(|a| &a.value);
    found.rfind(|value| !value.text.is_empty())
}

/// Whether a template fills in what stands at a place.
fn is_filled_in(facts: &Facts, at: Span) -> bool {
    facts.sources.get(at.source).is_unknown(at)
}
