//! The keys of the store that a member writes, in order (`ha.py`, `dcs/__init__.py`).

use super::{Act, LOOKS_FIRST, Moment, Plan};
use crate::facts::gap::{Fact, Gap, GapReason};
use crate::facts::kept::{Kept, kept, timeline};
use crate::parse::patroni::Item;

/// Of the member that leads.
pub(super) fn of_leader(plan: &mut Plan<'_>) {
    let kept = keys(plan);
    let is_there = |key: &str| match &kept {
        Ok(kept) => Ok(kept.get(key).is_some()),
        Err(gap) => Err(gap.clone()),
    };
    let has_id = kept.as_ref().map(|kept| kept.initialize().is_some()).map_err(Clone::clone);
    let (initialize, config) = (has_id, is_there("config"));
    let sync = is_there("sync");
    let history = history(plan, kept.as_ref().ok());
    let is_sync = plan.file.is_synchronous();
    let is_failsafe = plan.file.dynamic("failsafe_mode").and_then(Item::as_bool) == Some(true);
    let of_cluster = |plan: &mut Plan<'_>| {
        put_once(plan, "initialize", &initialize, "the system identifier: who has another one does not get in");
    };
    of_member(plan);
    if plan.file.version < LOOKS_FIRST {
        of_cluster(plan);
    }
    put(plan, "leader", "the lock: whoever holds it takes writes", None);
    if is_sync {
        put_once(plan, "sync", &sync, "which standbys are synchronous");
    }
    if let Some((because, gap)) = history {
        put(plan, "history", because, gap);
    }
    if plan.file.version >= LOOKS_FIRST {
        of_cluster(plan);
    }
    put_once(plan, "config", &config, "the dynamic configuration: `bootstrap.dcs` does not count from then on");
    put(plan, "status", "how far the leader and its slots are, in every round", None);
    if is_failsafe {
        put(plan, "failsafe", "the members that must answer while the store does not", None);
    }
}

/// Of every member: that it is there.
pub(super) fn of_member(plan: &mut Plan<'_>) {
    let key = format!("members/{}", plan.member.name);
    put(plan, &key, "its addresses, its role and how far it is, in every round", None);
}

/// What the store keeps; nothing, where only files are looked at and nothing is said about one.
fn keys<'a>(plan: &Plan<'a>) -> Fact<Kept<'a>> {
    let missing = || Gap::new("what the store keeps of the cluster", GapReason::NotGiven).on(&plan.member.name);
    kept(plan.facts, plan.member, plan.node.ok_or_else(missing)?)
}

/// Why `history` is written, and what is not known of that (`Ha.update_cluster_history`).
fn history(plan: &Plan<'_>, kept: Option<&Kept<'_>>) -> Option<(&'static str, Option<Gap>)> {
    const LINES: &str = "the timelines of the server and where they begin";
    let now = match plan.node.map(timeline) {
        Some(Ok((now, _))) => now,
        Some(Err(gap)) => return Some((LINES, Some(gap))),
        None => return Some((LINES, Some(Gap::new("the timeline", GapReason::NotGiven).on(&plan.member.name)))),
    };
    let known = kept.map(Kept::timeline);
    match (now, known) {
        (1, Some(2..)) => Some(("it is emptied: the server is on its first timeline", None)),
        (1, _) => None,
        (now, Some(known)) if now == known => None,
        _ => Some((LINES, None)),
    }
}

/// A key that is written where it is not there.
fn put_once(plan: &mut Plan<'_>, key: &str, is_there: &Fact<bool>, because: &str) {
    match is_there {
        Ok(true) => {}
        Ok(false) => put(plan, key, because, None),
        Err(gap) => put(plan, key, because, Some(gap.clone())),
    }
}

fn put(plan: &mut Plan<'_>, key: &str, because: &str, in_doubt: Option<Gap>) {
    let path = plan.file.config.dcs_path();
    let what = path.map_or_else(|| key.to_owned(), |path| format!("{path}/{key}"));
    plan.add(Moment::FirstRounds, Act::Stored, what, because).in_doubt = in_doubt;
}
