//! What Patroni's take-over changes, member by member: settings, slots, connections, and what it touches. Pure: it looks at what was collected
//! and parsed, and at nothing else.
//!
//! The moments that it speaks of: *now*; *attached*, when Patroni runs beside the server that was running and its first rounds are over;
//! *restarted*, behind the first `patronictl restart`; *started*, when Patroni itself was started on a host whose server did not run, as a boot or
//! `systemctl restart patroni` do.

pub mod connections;
mod feedback;
mod paths;
pub mod settings;
pub mod slots;
pub mod touched;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::facts::gap::{Fact, Gap};
use crate::facts::{Facts, Member};
use crate::knowledge::patroni::Version;

/// What a server is, and what tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// It says that it takes writes.
    Primary,
    /// It says that it is in recovery.
    Standby,
    /// Nobody asked it, and nothing that was read makes it a standby.
    TakenForPrimary,
    /// Nobody asked it; its files name a server that it streams from.
    TakenForStandby,
}

impl Role {
    /// Whether it is a standby, as far as that is known.
    #[must_use]
    pub const fn is_standby(self) -> bool {
        matches!(self, Self::Standby | Self::TakenForStandby)
    }
}

/// Of every member.
#[derive(Debug)]
pub struct Prediction {
    /// By cluster and name: in the order in which Patroni has to be started, a primary before its standbys.
    pub members: Vec<MemberPrediction>,
}

/// Of one member.
#[derive(Debug)]
pub struct MemberPrediction {
    /// Its name.
    pub name: String,
    /// `scope`, where the file tells it.
    pub scope: Option<String>,
    /// What its server is.
    pub role: Role,
    /// Its major, where it is known.
    pub postgresql: Option<u16>,
    /// The release of Patroni that takes over.
    pub patroni: Version,
    /// What is taken for granted, because it could not be looked at.
    pub assumed: Vec<Gap>,
    /// Every setting of the server.
    pub settings: Fact<Vec<settings::Setting>>,
    /// Every slot that the server has or gets.
    pub slots: Fact<Vec<slots::Slot>>,
    /// Whether those are all: a server that was not asked may have others.
    pub all_slots: Fact<()>,
    /// Every connection that somebody has to open to this server, its REST API, or from here to the store.
    pub connections: Vec<connections::Connection>,
    /// What Patroni does to files and processes of the host, in order.
    pub touched: Fact<Vec<touched::Touch>>,
}

/// Says what will be.
#[must_use]
pub fn predict(facts: &Facts) -> Prediction {
    let mut members: Vec<MemberPrediction> = facts.members().map(|member| of_member(facts, member)).collect();
    let mut scopes: BTreeMap<Option<String>, usize> = BTreeMap::new();
    for member in &members {
        let next = scopes.len();
        scopes.entry(member.scope.clone()).or_insert(next);
    }
    members.sort_by(|a, b| {
        let key = |m: &MemberPrediction| (scopes.get(&m.scope).copied(), m.role.is_standby(), m.name.clone());
        key(a).cmp(&key(b))
    });
    Prediction { members }
}

fn of_member(facts: &Facts, member: &Member) -> MemberPrediction {
    let file = &facts.patroni[member.file];
    MemberPrediction {
        name: member.name.clone(),
        scope: file.config.scope().map(|scope| scope.value.to_owned()),
        role: role_of(facts, member),
        postgresql: member.postgresql,
        patroni: file.version,
        assumed: settings::assumed(facts, member),
        settings: settings::of_member(facts, member),
        slots: slots::of_member(facts, member),
        all_slots: slots::are_all(facts, member),
        connections: connections::of_member(facts, member),
        touched: touched::of_member(facts, member),
    }
}

/// What the server of a member is.
#[must_use]
pub fn role_of(facts: &Facts, member: &Member) -> Role {
    match facts.node_of(member).map(crate::facts::nodes::Node::is_standby) {
        Some(Ok(true)) => return Role::Standby,
        Some(Ok(false)) => return Role::Primary,
        _ => {}
    }
    let conf = member.conf.as_ref().ok().map(|conf| &facts.confs[*conf].conf);
    let streams =
        conf.and_then(|conf| conf.effective("primary_conninfo")).is_some_and(|l| !l.set.value.value.is_empty());
    if streams { Role::TakenForStandby } else { Role::TakenForPrimary }
}

/// What is not known of a member, each cause once, in order.
#[must_use]
pub fn gaps(member: &MemberPrediction) -> Vec<&Gap> {
    let rows = member.settings.as_ref().map_or(&[][..], Vec::as_slice);
    let of_rows = rows.iter().flat_map(|row| [&row.now, &row.attached, &row.restarted, &row.started]);
    let mut all: Vec<&Gap> = of_rows.filter_map(|state| state.as_ref().err()).collect();
    all.extend(&member.assumed);
    all.extend(member.settings.as_ref().err());
    all.extend(member.slots.as_ref().err());
    all.extend(member.all_slots.as_ref().err());
    all.extend(member.touched.as_ref().err());
    all.extend(member.connections.iter().filter_map(|c| c.decided.as_ref().err()));
    all.sort();
    all.dedup();
    all
}
