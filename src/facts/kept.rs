//! What a store keeps of the cluster that a member belongs to (`dcs/__init__.py:Cluster`).

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::gap::{Fact, Gap};
use super::nodes::Node;
use super::written::Written;
use super::{DynamicFrom, Member, Whole};
use crate::bundle::Answer;
use crate::bundle::dcs::{Scope, Store};
use crate::source::Span;

/// The keys of a cluster.
#[derive(Debug, Clone)]
pub struct Kept<'a> {
    /// The store.
    pub store: &'a Written<Store>,
    /// `/service/orders`.
    pub path: String,
    /// Its keys.
    pub scope: &'a Scope,
}

/// What Patroni keeps of a member.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeptMember {
    /// Where its REST API is.
    pub api_url: Option<String>,
    /// Where its server is.
    pub conn_url: Option<String>,
    /// `primary`, `replica`.
    pub role: Option<String>,
}

impl Kept<'_> {
    /// The text of a key: `initialize`, `leader`, `members/pg1`; an empty one counts as none.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.scope.keys.get(key).map(String::as_str).filter(|text| !text.is_empty())
    }

    /// A key that holds JSON.
    #[must_use]
    pub fn json(&self, key: &str) -> Option<Json> {
        serde_json::from_str(self.get(key)?).ok()
    }

    /// Where a key is written.
    #[must_use]
    pub fn at(&self, key: &str) -> Span {
        self.store.at(&["scopes", &self.path, "keys", key])
    }

    /// The system identifier that the cluster was initialised with. Anything that is no number counts as none
    /// (`ha.py:Ha.sysid_valid`).
    #[must_use]
    pub fn initialize(&self) -> Option<&str> {
        self.get("initialize").filter(|text| text.bytes().all(|b| b.is_ascii_digit()))
    }

    /// The member that holds the leader lock; `None` when it is free.
    #[must_use]
    pub fn leader(&self) -> Option<&str> {
        self.get("leader")
    }

    /// The last timeline that the history tells of: the last line's number and one; 0 without any
    /// (`dcs/__init__.py:Cluster.timeline`).
    #[must_use]
    pub fn timeline(&self) -> i64 {
        let Some(history) = self.json("history") else { return 0 };
        let Some(lines) = history.as_array() else { return 0 };
        let Some(last) = lines.last() else { return 1 };
        let first = last.as_array().and_then(|line| line.first());
        let number = first.and_then(|n| n.as_i64().or_else(|| n.as_str()?.trim().parse().ok()));
        number.map_or(0, |n| n + 1)
    }

    /// The members that Patroni has written down.
    #[must_use]
    pub fn members(&self) -> BTreeMap<String, KeptMember> {
        let names = self.scope.keys.keys().filter_map(|key| key.strip_prefix("members/"));
        names
            .map(|name| {
                let data = self.json(&format!("members/{name}")).unwrap_or_default();
                let text = |key: &str| data.get(key).and_then(Json::as_str).map(str::to_owned);
                let member = KeptMember { api_url: text("api_url"), conn_url: text("conn_url"), role: text("role") };
                (name.to_owned(), member)
            })
            .collect()
    }
}

/// The store that a member names.
///
/// # Errors
/// When no store was asked.
pub fn store_of<'a>(facts: &'a Whole, node: &Node) -> Fact<&'a Written<Store>> {
    let store = facts.stores.iter().find(|store| store.members.contains(&node.name));
    store.ok_or_else(|| node.not_asked("the store"))
}

/// The keys of the cluster that a member belongs to.
///
/// # Errors
/// When the store could not be asked, or it is not certain where in it the cluster is.
pub fn kept<'a>(facts: &'a Whole, member: &Member, node: &Node) -> Fact<Kept<'a>> {
    let store = store_of(facts, node)?;
    let path = facts.patroni[member.file].config.dcs_path().ok_or_else(|| node.not_asked("the path in the store"))?;
    match store.value().scopes.get(&path) {
        Some(Answer::Got(scope)) => Ok(Kept { store, path, scope }),
        Some(Answer::Missing(miss)) => Err(Gap::new(format!("what the store keeps below {path}"), miss.why)),
        None => Err(node.not_asked(&format!("what the store keeps below {path}"))),
    }
}

/// Whether Patroni will not touch the server that it finds: the dynamic configuration that counts says `pause`.
#[must_use]
pub fn is_paused(facts: &Whole, member: &Member) -> bool {
    facts.patroni[member.file].dynamic("pause").is_some_and(crate::parse::patroni::Item::is_true)
}

/// Whether the cluster has a configuration in its store already.
#[must_use]
pub fn has_configuration(facts: &Whole, member: &Member) -> bool {
    facts.patroni[member.file].dynamic_from == DynamicFrom::Store
}

/// The line of `pg_controldata` with the system identifier.
const LABEL: &str = "Database system identifier";

/// The system identifier of a member's data: what its server says, else what `pg_controldata` says of its data directory.
///
/// # Errors
/// When neither could be asked.
pub fn system_identifier(facts: &Whole, member: &Member, node: &Node) -> Fact<(String, Span)> {
    let by_server = node.row("control_system");
    if let Ok(Some(row)) = by_server
        && let Some(identifier) = row.get("system_identifier")
    {
        return Ok((identifier.to_owned(), row.at));
    }
    let missing = || match by_server.clone() {
        Err(gap) => gap,
        Ok(_) => node.not_asked("the system identifier"),
    };
    let Some(data_dir) = facts.patroni[member.file].config.data_dir() else { return Err(missing()) };
    let Ok(host) = node.host() else { return Err(missing()) };
    let Some(data) = host.value().data.get(data_dir.value) else { return Err(missing()) };
    let control = data.control.got().and_then(|control| control.get(LABEL)).ok_or_else(missing)?;
    Ok((control.clone(), host.at(&["data", data_dir.value, "control", LABEL])))
}

/// The timeline that a member's server is on.
///
/// # Errors
/// When it could not be asked.
pub fn timeline(node: &Node) -> Fact<(i64, Span)> {
    let row = node.row("control_checkpoint")?.ok_or_else(|| node.not_asked("the timeline"))?;
    let number = row.number("timeline_id").ok_or_else(|| node.not_asked("the timeline"))?;
    Ok((number, row.at))
}
