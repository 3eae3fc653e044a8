//! What servers there are, a line each: the cluster as it is before anybody changes it.

use std::fmt::Write as _;

use super::Page;
use super::full::some;
use crate::facts::topology::{Receiver, Role, Seen, Slot};

/// So many members have a line of their own.
const MOST: usize = 12;

/// The members with nothing that must not be seen.
pub(super) fn shown(page: &Page<'_>) -> Vec<Seen> {
    let words = |text: &String| page.redactor.words(&[], text);
    let receivers = |all: &[Receiver]| -> Vec<Receiver> {
        let one = |r: &Receiver| Receiver {
            name: words(&r.name),
            address: r.address.as_ref().map(words),
            slot: r.slot.as_ref().map(words),
        };
        all.iter().map(one).collect()
    };
    let slot = |s: &Slot| Slot { name: words(&s.name), database: s.database.as_ref().map(words), active: s.active };
    let one = |seen: &Seen| Seen {
        upstream: seen.upstream.as_ref().map(words),
        standbys: receivers(&seen.standbys),
        subscribers: receivers(&seen.subscribers),
        slots: seen.slots.iter().map(slot).collect(),
        ..seen.clone()
    };
    page.members.iter().map(one).collect()
}

/// The block for people; empty in a run over files.
pub(super) fn block(page: &Page<'_>) -> String {
    let mut members = shown(page);
    if members.is_empty() {
        return String::new();
    }
    members.sort_by_key(|seen| seen.role);
    let width = members.iter().take(MOST).map(|seen| seen.member.chars().count()).max().unwrap_or(0);
    let mut text = "What there is:\n".to_owned();
    for seen in members.iter().take(MOST) {
        let member = page.redactor.words(&[], &seen.member);
        let _ = writeln!(text, "  {member:width$}  {}", words(seen));
    }
    if members.len() > MOST {
        let _ = writeln!(text, "  and {} more", members.len() - MOST);
    }
    text.push('\n');
    text
}

/// What a member is, in one line.
pub(super) fn words(seen: &Seen) -> String {
    let of = seen.postgresql.map(|major| format!(", PostgreSQL {major}")).unwrap_or_default();
    let role = match (seen.role, &seen.upstream) {
        (Role::Primary, _) => "primary".to_owned(),
        (Role::Standby, Some(upstream)) => format!("standby, streams from {upstream}"),
        (Role::Standby, None) => "standby, streams from nobody".to_owned(),
        (Role::NotKnown, _) => "not known: its server has given no answer".to_owned(),
    };
    let mut parts = vec![format!("{role}{of}")];
    let mut list = |name: &str, items: Vec<String>| {
        if !items.is_empty() {
            parts.push(format!("{name} {}", some(&items)));
        }
    };
    list("sends to", seen.standbys.iter().map(receiver).collect());
    list("subscribers", seen.subscribers.iter().map(receiver).collect());
    list("slots", seen.slots.iter().map(slot).collect());
    parts.join("; ")
}

fn receiver(receiver: &Receiver) -> String {
    match (&receiver.address, receiver.name.is_empty()) {
        (Some(address), true) => address.clone(),
        (Some(address), false) => format!("{} ({address})", receiver.name),
        (None, _) => receiver.name.clone(),
    }
}

fn slot(slot: &Slot) -> String {
    let what = slot.database.as_ref().map(|database| format!("logical in {database}"));
    let notes: Vec<String> = what.into_iter().chain((!slot.active).then(|| "inactive".to_owned())).collect();
    if notes.is_empty() { slot.name.clone() } else { format!("{} ({})", slot.name, notes.join(", ")) }
}
