//! Which member streams from which today, before Patroni comes.

use super::{Cluster, Facts, Member};
use crate::parse::conf::Located;
use crate::parse::conninfo::parse_conninfo;

/// The line that makes a member a standby: a `primary_conninfo` that is not empty.
#[must_use]
pub fn primary_conninfo<'a>(facts: &'a Facts, member: &Member) -> Option<&'a Located> {
    let conf = &facts.confs[*member.conf.as_ref().ok()?].conf;
    conf.effective("primary_conninfo").filter(|l| !l.set.value.value.is_empty())
}

/// The member that another one streams from, and the line that says so.
#[must_use]
pub fn follows<'a>(facts: &'a Facts, cluster: &'a Cluster, member: &Member) -> Option<(&'a Located, &'a Member)> {
    let line = primary_conninfo(facts, member)?;
    let parts = parse_conninfo(&line.set.value.value);
    let value = |key: &str| parts.iter().rev().find(|(k, _)| k.text == key).map(|(_, v)| v.text.as_str());
    let host = value("hostaddr").or_else(|| value("host"))?;
    let port: i64 = value("port").map_or(Some(5432), |p| p.parse().ok())?;
    let mut others = cluster.members.iter().filter(|m| m.file != member.file);
    let source = others.find(|m| {
        let address = facts.patroni[m.file].config.connect_address();
        address.is_some_and(|a| a.value.1 == port && a.value.0.eq_ignore_ascii_case(host))
    });
    source.map(|s| (line, s))
}

/// Whether a member certainly streams from nobody: its whole configuration is known and names no source.
#[must_use]
pub fn follows_none(facts: &Facts, member: &Member) -> bool {
    let Ok(conf) = &member.conf else { return false };
    let conf = &facts.confs[*conf].conf;
    primary_conninfo(facts, member).is_none() && conf.is_decided("primary_conninfo") && conf.outside().is_empty()
}
