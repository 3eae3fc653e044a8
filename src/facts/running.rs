//! What the server of a member runs with, as it says itself.

use super::Member;
use super::Whole;
use super::gap::Fact;
use super::nodes::{Node, Row};

/// The node of a member whose server has told its settings.
#[must_use]
pub fn told<'a>(facts: &'a Whole, member: &Member) -> Option<&'a Node> {
    facts.node_of(member).filter(|node| node.rows("settings").is_ok())
}

/// The value of a row of `pg_settings` as a file would have it: with its unit, where that is a plain one.
#[must_use]
pub fn value(row: &Row) -> String {
    let setting = row.get("setting").unwrap_or_default();
    let is_number = setting.parse::<i64>().is_ok_and(|n| n > 0);
    match row.get("unit") {
        Some(unit) if is_number && unit.bytes().all(|b| b.is_ascii_alphabetic()) => format!("{setting}{unit}"),
        _ => setting.to_owned(),
    }
}

/// Whether a setting was read from `postgresql.auto.conf`.
#[must_use]
pub fn is_auto(row: &Row) -> bool {
    row.get("sourcefile").is_some_and(|file| file.ends_with("/postgresql.auto.conf"))
}

/// Whether Patroni has started the server: it tells it its cluster's name on the command line.
#[must_use]
pub fn is_started_by_patroni(node: &Node) -> bool {
    let row = node.setting("cluster_name").ok().flatten();
    row.is_some_and(|row| row.get("source") == Some("command line"))
}

/// A place in the WAL in bytes: `0/3000060`.
#[must_use]
pub fn bytes(lsn: &str) -> Option<u64> {
    let (high, low) = lsn.split_once('/')?;
    let part = |text: &str| u32::from_str_radix(text, 16).ok().map(u64::from);
    Some((part(high)? << 32) | part(low)?)
}

/// How far a primary has written its WAL.
///
/// # Errors
/// When it was not asked.
pub fn written(node: &Node) -> Fact<Option<u64>> {
    Ok(node.row("position")?.and_then(|row| bytes(row.get("current_lsn")?)))
}

/// How far a standby has come: what it has received, or replayed from an archive (`postgresql/__init__.py:_wal_position`).
///
/// # Errors
/// When it was not asked.
pub fn received(node: &Node) -> Fact<Option<u64>> {
    let row = node.row("position")?;
    let of = |column: &str| row.and_then(|row| bytes(row.get(column)?));
    Ok(of("received_lsn").max(of("replayed_lsn")))
}

/// The primary of a member's cluster, if it is among the members that run.
#[must_use]
pub fn primary_of<'a>(facts: &'a Whole, member: &Member) -> Option<(&'a Member, &'a Node)> {
    let members = &facts.cluster_of(member.file)?.members;
    let mut nodes = members.iter().filter_map(|m| Some((m, facts.node_of(m)?)));
    nodes.find(|(_, node)| node.is_standby() == Ok(false))
}

/// The server that speaks for a member's cluster of what all its members share: the primary, else the member's own.
#[must_use]
pub fn speaker_of<'a>(facts: &'a Whole, member: &Member) -> Option<&'a Node> {
    let own = facts.node_of(member)?;
    Some(primary_of(facts, member).map_or(own, |(_, node)| node))
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn places_in_the_wal_are_numbers() {
        assert_eq!(bytes("0/3000060"), Some(0x0300_0060));
        assert_eq!(bytes("1/0"), Some(1 << 32));
        assert_eq!(bytes("x"), None);
    }
}
