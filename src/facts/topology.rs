//! Who streams from whom, as the servers say it of each other.

use std::collections::BTreeSet;

use serde::Serialize;

use super::Facts;
use super::nodes::{Node, Row};

/// What a server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// It takes writes.
    Primary,
    /// It is in recovery.
    Standby,
    /// It could not be asked.
    NotKnown,
}

/// A member as its server says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// The member.
    pub member: String,
    /// What its server is.
    pub role: Role,
    /// Its major.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postgresql: Option<u32>,
    /// `host:port` of the server that it streams from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream: Option<String>,
    /// Who streams from it and is, or will be, a server of the same data: standbys, backups and archives of WAL.
    pub standbys: Vec<Receiver>,
    /// Who takes changes from it by a logical slot.
    pub subscribers: Vec<Receiver>,
    /// Its slots.
    pub slots: Vec<Slot>,
}

/// Who receives WAL or changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Receiver {
    /// `application_name`.
    pub name: String,
    /// Where it connects from; none over a socket, or where our role may not see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The slot that it uses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slot: Option<String>,
}

/// A replication slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Slot {
    /// Its name.
    pub name: String,
    /// The database of a logical one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
    /// Whether somebody uses it.
    pub active: bool,
}

/// All members that were asked, by name; none in a run over files.
#[must_use]
pub fn topology(facts: &Facts) -> Vec<Seen> {
    facts.nodes.iter().map(seen).collect()
}

fn seen(node: &Node) -> Seen {
    let role = match node.is_standby() {
        Ok(true) => Role::Standby,
        Ok(false) => Role::Primary,
        Err(_) => Role::NotKnown,
    };
    let text = |row: &Row, column: &str| row.get(column).map(str::to_owned);
    let rows = |question| node.rows(question).unwrap_or_default();
    let slot = |row: &Row| {
        Some(Slot { name: text(row, "slot_name")?, database: text(row, "database"), active: row.is("active") })
    };
    let slots: Vec<Slot> = rows("slots").iter().filter_map(slot).collect();
    let logical: BTreeSet<&str> = slots.iter().filter(|s| s.database.is_some()).map(|s| s.name.as_str()).collect();
    let receiver = |row: &Row| Receiver {
        name: text(row, "application_name").unwrap_or_default(),
        address: row.get("client_addr").and_then(|a| a.split('/').next()).map(str::to_owned),
        slot: text(row, "slot_name"),
    };
    let takes_changes = |receiver: &Receiver| receiver.slot.as_deref().is_some_and(|slot| logical.contains(slot));
    let (subscribers, standbys) = rows("standbys").iter().map(receiver).partition(takes_changes);
    let upstream = rows("wal_receiver").iter().find_map(|row| {
        let (host, port) = (row.get("sender_host")?, row.get("sender_port")?);
        Some(if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") })
    });
    let postgresql = node.version.map(|version| version / 10_000);
    Seen { member: node.name.clone(), role, postgresql, upstream, standbys, subscribers, slots }
}
