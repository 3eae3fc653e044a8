//! What Patroni does with an old name of a key when the new one stands beside it: it takes one of the two and passes over the other
//! without a word, and which one it takes differs from key to key.

use crate::knowledge::patroni::Version;
use crate::parse::patroni::{Item, Type};

/// What becomes of an old name.
#[derive(Clone, Copy)]
pub(super) enum Fate<'a> {
    /// It counts.
    Read,
    /// A template leaves it open.
    Unknown,
    /// `postgresql.pg_rewind` beside `postgresql.superuser`: its user does not count, but it turns `use_pg_rewind` on.
    Switch,
    /// This one, at this path, counts instead of it.
    Hidden(&'a Item, &'static str),
    /// It counts instead of this one, at this path.
    Hides(&'a Item, &'static str),
}

/// Old names that count for nothing when another key is there
/// (`config.py:Config._build_effective_configuration`, `global_config.py:GlobalConfig.primary_start_timeout`).
const GIVES_WAY: [(&str, &str); 7] = [
    ("ctl.auth", "ctl.authentication"),
    ("restapi.auth", "restapi.authentication"),
    ("bootstrap.dcs.master_start_timeout", "bootstrap.dcs.primary_start_timeout"),
    ("bootstrap.dcs.master_stop_timeout", "bootstrap.dcs.primary_stop_timeout"),
    ("postgresql.name", "name"),
    ("postgresql.superuser", "postgresql.authentication"),
    ("postgresql.replication", "postgresql.authentication"),
];

/// Pairs of which the second counts only when Python takes the first for false
/// (`global_config.py:GlobalConfig.permanent_slots`, `postgresql/__init__.py:Postgresql.create_replica_methods`).
const OR: [(&str, &str); 4] = [
    ("bootstrap.dcs.permanent_replication_slots", "bootstrap.dcs.permanent_slots"),
    ("bootstrap.dcs.permanent_replication_slots", "bootstrap.dcs.slots"),
    ("bootstrap.dcs.permanent_slots", "bootstrap.dcs.slots"),
    ("postgresql.create_replica_methods", "postgresql.create_replica_method"),
];

/// Old names that are put in the place of the new one whenever they are there
/// (`dcs/etcd.py:AbstractEtcd.get_etcd_client`, `config.py:Config._build_effective_configuration`).
const TAKES_OVER: [(&str, &str); 8] = [
    ("etcd.srv_domain", "etcd.discovery_srv"),
    ("etcd.srv_domain", "etcd.srv"),
    ("etcd.discovery_srv", "etcd.srv"),
    ("etcd3.srv_domain", "etcd3.discovery_srv"),
    ("etcd3.srv_domain", "etcd3.srv"),
    ("etcd3.discovery_srv", "etcd3.srv"),
    ("zookeeper.exhibitor", "exhibitor"),
    ("zookeeper.exhibitor", "zookeeper.hosts"),
];

/// What is found at a path.
enum Look<'a> {
    There(&'a Item),
    Absent,
    Unknown,
}

fn look<'a>(top: &'a Item, path: &str) -> Look<'a> {
    let mut here = top;
    for key in path.split('.') {
        here = match here.get(key) {
            Some(item) if item.optional => return Look::Unknown,
            Some(item) => item,
            None if here.open || here.kind() == Type::Unknown => return Look::Unknown,
            None => return Look::Absent,
        };
    }
    Look::There(here)
}

/// Whether Python takes it for true; `None` when a template leaves it open.
fn truth(item: &Item) -> Option<bool> {
    (item.kind() != Type::Unknown && (item.is_truthy() || !item.open)).then(|| item.is_truthy())
}

/// What becomes of the old name at a path of the table.
pub(super) fn fate<'a>(old: &str, top: &'a Item, version: Version) -> Fate<'a> {
    let Look::There(value) = look(top, old) else { return Fate::Unknown };
    // Until 3.1 Patroni made nothing of `ctl.authentication`.
    let gives_way = GIVES_WAY.iter().filter(|(name, _)| *name == old);
    let gives_way = gives_way.filter(|(name, _)| *name != "ctl.auth" || version >= Version::new(3, 1, 0));
    let mut winners: Vec<(&'static str, bool)> = gives_way.map(|(_, winner)| (*winner, false)).collect();
    winners.extend(TAKES_OVER.iter().filter(|(_, loser)| *loser == old).map(|(winner, _)| (*winner, false)));
    winners.extend(OR.iter().filter(|(_, loser)| *loser == old).map(|(winner, _)| (*winner, true)));
    if old == "postgresql.pg_rewind" {
        winners.push(match look(top, "postgresql.authentication") {
            Look::There(_) => ("postgresql.authentication.superuser", false),
            Look::Absent => match look(top, "postgresql.superuser") {
                Look::There(_) => return Fate::Switch,
                Look::Absent => return Fate::Read,
                Look::Unknown => return Fate::Unknown,
            },
            Look::Unknown => return Fate::Unknown,
        });
    }
    let mut unsure = false;
    for (path, if_true) in winners {
        match look(top, path) {
            Look::There(item) => match truth(item).filter(|_| if_true) {
                Some(false) => {}
                None if if_true => unsure = true,
                _ => return Fate::Hidden(item, path),
            },
            Look::Absent => {}
            Look::Unknown => unsure = true,
        }
    }
    if unsure {
        return Fate::Unknown;
    }
    let losers = TAKES_OVER.iter().filter(|(winner, _)| *winner == old);
    let losers = losers.chain(OR.iter().filter(|(winner, _)| *winner == old && truth(value) == Some(true)));
    let says_something = |loser| top.at(loser).filter(|item| truth(item) == Some(true));
    losers.copied().find_map(|(_, loser)| Some(Fate::Hides(says_something(loser)?, loser))).unwrap_or(Fate::Read)
}

/// `use_pg_rewind` where it is on but does not count: without `authentication` only `pg_rewind` turns it on.
pub(super) fn rewind_without_effect(top: &Item) -> Option<(&Item, &'static str)> {
    let absent = |path| matches!(look(top, path), Look::Absent);
    if !absent("postgresql.authentication") || !absent("postgresql.pg_rewind") {
        return None;
    }
    ["postgresql.use_pg_rewind", "bootstrap.dcs.postgresql.use_pg_rewind"].into_iter().find_map(|path| {
        match look(top, path) {
            Look::There(item) if truth(item) == Some(true) => Some((item, path)),
            _ => None,
        }
    })
}
