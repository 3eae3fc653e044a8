//! Permanent slots, as the dynamic configuration declares them.

use crate::facts::PatroniFile;
use crate::parse::patroni::{Item, Type};

/// The names under which Patroni looks for permanent slots (`global_config.py:GlobalConfig.permanent_slots`).
pub const NAMES: [&str; 3] = ["permanent_replication_slots", "permanent_slots", "slots"];

/// Whether a permanent slot is logical (`dcs/__init__.py:Cluster.is_logical_slot`).
#[must_use]
pub fn is_logical(slot: &Item) -> bool {
    let filled = |key: &str| slot.get(key).is_some_and(Item::is_true);
    let kind = slot.get("type").map_or(Some("logical"), Item::as_str);
    let known = slot.get("type").is_some() || !slot.open;
    known && kind == Some("logical") && filled("database") && filled("plugin")
}

/// Whether a permanent slot is physical (`dcs/__init__.py:Cluster.is_physical_slot`); an empty value stands for one.
#[must_use]
pub fn is_physical(slot: &Item) -> bool {
    let kind = slot.get("type").map_or(Some("physical"), Item::as_str);
    let known = slot.get("type").is_some() || !slot.open;
    !slot.is_true() || (known && slot.kind() == Type::Map && !is_logical(slot) && kind == Some("physical"))
}

/// The permanent slots that Patroni takes, where members get slots at all.
pub fn permanent(file: &PatroniFile) -> impl Iterator<Item = (&str, &Item)> {
    declared(file).filter(|_| file.uses_slots())
}

/// The permanent slots that Patroni takes, `dcs/__init__.py:slot_name_re` among the conditions.
pub(super) fn declared(file: &PatroniFile) -> impl Iterator<Item = (&str, &Item)> {
    let pairs = file.config.slots().map_or(&[][..], Item::pairs);
    let named = pairs.iter().filter_map(|p| Some((p.key.value.as_str()?, &p.item)));
    named.filter(|(name, slot)| is_slot_name(name) && (is_logical(slot) || is_physical(slot)))
}

/// Whether PostgreSQL takes it for the name of a slot.
#[must_use]
pub fn is_slot_name(name: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    (1..=63).contains(&name.len()) && name.bytes().all(allowed)
}
