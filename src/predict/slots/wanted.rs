//! Slots that Patroni wants and the server does not have.

use super::{Asked, Fate, Slot};
use crate::facts::enforced::enforced;
use crate::facts::nodes::Node;
use crate::facts::running::speaker_of;
use crate::facts::settings::equal;
use crate::facts::slot_fate::{WantedSlot, Why, is_logical, unseen};
use crate::knowledge::patroni::command_line_setting;
use crate::parse::patroni::Item;

const OTHERS: &str = "when Patroni of that member is started";
const COPIED: &str = "once the leader has told the store how far it is";
const RESTARTED: &str = "behind the restart that makes `wal_level` logical";

/// What becomes of it.
pub(super) fn fate(asked: &Asked<'_>, name: &str, slot: &WantedSlot<'_>, is_known: bool) -> Slot {
    let (item, because) = match &slot.why {
        Why::Member(peer) => (None, format!("{} may stream from here by it", peer.name)),
        Why::Retained => (None, "the store remembers it as the slot of a member that is away".to_owned()),
        Why::Declared(item) => (Some(*item), "it is declared".to_owned()),
    };
    let text = |item: &Item, key: &str| item.get(key).and_then(Item::as_str).unwrap_or_default().to_owned();
    let logical = item.filter(|item| is_logical(item)).map(|item| (text(item, "database"), text(item, "plugin")));
    let made = match (&slot.why, &logical) {
        (_, Some((database, _))) => of_logical(asked, name, database),
        (Why::Member(peer), None) if !peer.is_known_to_store => Ok((Fate::Created, OTHERS)),
        _ => Ok((Fate::Created, asked.first_round())),
    };
    let (fate, when, because) = match made {
        Ok((_, when)) if !is_known => (Fate::Wanted, when, format!("{because}; whether it is there now is not known")),
        Ok((fate, when)) => (fate, when, because),
        Err(why) => (Fate::NotMade, "", format!("{because}, but {why}")),
    };
    Slot { name: name.to_owned(), logical, active: None, fate, when, because, at: item.map(Item::key_or_value) }
}

/// A logical slot: made on the leader, copied to standbys from there. Otherwise why that fails, in words.
fn of_logical(asked: &Asked<'_>, name: &str, database: &str) -> Result<(Fate, &'static str), String> {
    let speaker = speaker_of(asked.facts, asked.member);
    if let Some(server) = speaker {
        of_database(server, database)?;
    }
    if asked.is_standby {
        let rows = speaker.and_then(|server| server.rows("slots").ok()).unwrap_or_default();
        let of_leader = rows.iter().find(|row| row.get("slot_name") == Some(name));
        if let Some(why) = of_leader.and_then(|row| unseen(asked.file, row)) {
            return Err(format!("that of the leader {why}, so that Patroni does not copy it"));
        }
    }
    let when = if asked.is_standby { COPIED } else { asked.first_round() };
    let fate = if asked.is_standby { Fate::Copied } else { Fate::Created };
    let row = speaker.and_then(|server| server.setting("wal_level").ok().flatten());
    let Some(level) = row.and_then(|row| row.get("setting")).filter(|level| *level != "logical") else {
        return Ok((fate, when));
    };
    let later = command_line_setting("wal_level", asked.file.version).and_then(|setting| enforced(asked.file, setting));
    match later {
        Some(used) if !equal("wal_level", &used.value, "logical") => {
            Err(format!("the server runs with `wal_level` {level} and will run with {}", used.value))
        }
        _ => Ok((fate, RESTARTED)),
    }
}

/// Patroni connects to the database for it (`SlotsHandler._ensure_logical_slots_primary`).
fn of_database(server: &Node, database: &str) -> Result<(), String> {
    let Ok(rows) = server.rows("databases") else { return Ok(()) };
    match rows.iter().find(|row| row.get("datname") == Some(database)) {
        None => Err(format!("there is no database `{database}`")),
        Some(row) if !row.is("datallowconn") => Err(format!("database `{database}` takes no connections")),
        Some(_) => Ok(()),
    }
}
