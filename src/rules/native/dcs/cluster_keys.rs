//! What a store keeps of the cluster already, against the servers that are to be taken over (`ha.py:Ha._run_cycle`).

use std::collections::BTreeSet;

use crate::facts::gap::Gap;
use crate::facts::kept::{Kept, is_paused, kept, system_identifier, timeline};
use crate::facts::{Facts, LiveMember, Member};
use crate::rules::native::upgrade::standby_not_wiped;
use crate::rules::report::Report;

/// The member of a node, and what the store keeps of its cluster; nothing for a node without configuration.
fn kept_of<'a>(facts: &'a Facts, live: LiveMember<'a>, report: &mut Report) -> Option<(&'a Member, Kept<'a>)> {
    let member = report.known(live.member())?;
    let kept = report.known(kept(facts, member, live.node))?;
    Some((member, kept))
}

/// The scope of a member, as commands take it.
fn scope(facts: &Facts, member: &Member) -> String {
    facts.patroni[member.file].config.scope().map(|s| s.value.to_owned()).unwrap_or_default()
}

/// Another cluster's system identifier: Patroni exits, and stops the server on its way out.
pub(in crate::rules::native) fn initialize(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for live in facts.live() {
        let Some((member, kept)) = kept_of(facts, live, report) else { continue };
        let Some(initialize) = kept.initialize() else { continue };
        let Some((identifier, at)) = report.known(system_identifier(facts, member, live.node)) else { continue };
        if identifier == initialize || is_paused(facts, member) || standby_not_wiped::is_left(facts, live) {
            continue;
        }
        let file = &facts.patroni[member.file];
        let problem = report
            .problem(kept.at("initialize"))
            .node(&member.name)
            .arg("member", &*member.name)
            .arg("path", &*kept.path)
            .arg("scope", scope(facts, member))
            .arg("theirs", initialize)
            .arg("ours", &*identifier)
            .label(at, format!("the data of {}", member.name))
            .label(file.place_of("scope"), "its place in the store");
        report.add(problem);
    }
    Ok(())
}

/// Another member holds the leader lock while this one runs as a primary.
pub(in crate::rules::native) fn leader(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for live in facts.live() {
        let Some((member, kept)) = kept_of(facts, live, report) else { continue };
        let Some(leader) = kept.leader().filter(|leader| *leader != member.name) else { continue };
        if is_foreign(facts, member, live, &kept) || is_paused(facts, member) {
            continue;
        }
        let Some(is_standby) = report.known(live.node.is_standby()) else { continue };
        if is_standby {
            continue;
        }
        let mut problem = report
            .problem(kept.at("leader"))
            .node(&member.name)
            .arg("member", &*member.name)
            .arg("path", &*kept.path)
            .arg("leader", leader);
        if let Ok(Some(row)) = live.node.row("position") {
            problem = problem.label(row.at, format!("{} runs as a primary", member.name));
        }
        report.add(problem);
    }
    Ok(())
}

/// Whether the keys are of a cluster with another system identifier, which has a finding of its own.
fn is_foreign(facts: &Facts, member: &Member, live: LiveMember<'_>, kept: &Kept<'_>) -> bool {
    let ours = system_identifier(facts, member, live.node).map(|(identifier, _)| identifier);
    kept.initialize().is_some_and(|theirs| ours.is_ok_and(|ours| ours != theirs))
}

/// The history tells of a later timeline than the primary is on.
pub(in crate::rules::native) fn history(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for live in facts.live() {
        let Some((member, kept)) = kept_of(facts, live, report) else { continue };
        // Whoever holds the lock goes on holding it.
        let is_taken = kept.leader().is_some();
        if kept.timeline() < 2 || is_taken || is_foreign(facts, member, live, &kept) || is_paused(facts, member) {
            continue;
        }
        let Some(is_standby) = report.known(live.node.is_standby()) else { continue };
        let Some((ours, at)) = report.known(timeline(live.node)) else { continue };
        if is_standby || ours >= kept.timeline() {
            continue;
        }
        let problem = report
            .problem(kept.at("history"))
            .node(&member.name)
            .arg("member", &*member.name)
            .arg("path", &*kept.path)
            .arg("scope", scope(facts, member))
            .arg("ours", ours.to_string())
            .arg("theirs", kept.timeline().to_string())
            .label(at, format!("{} is on timeline {ours}", member.name));
        report.add(problem);
    }
    Ok(())
}

/// Keys of an earlier attempt: nothing of the cluster runs, and the store knows it.
pub(in crate::rules::native) fn stale(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    /// What lasts; the others vanish with the members that hold them.
    const LASTING: [(&str, &str); 5] = [
        ("initialize", "no new cluster can be made"),
        ("config", "counts instead of `bootstrap.dcs`"),
        ("history", "tells of timelines that the primary must have reached"),
        ("failover", "a switchover or failover is carried out"),
        ("sync", "only members that it names may become leader, where replication is synchronous"),
    ];
    let mut said = BTreeSet::new();
    let mut open = Vec::new();
    let mut running = BTreeSet::new();
    for live in facts.live() {
        let Some(member) = report.known(live.member()) else { continue };
        let Ok(kept) = kept(facts, member, live.node) else { continue };
        let place = (kept.store.members.clone(), kept.path.clone());
        match live.node.rest() {
            Ok(rest) if rest.listens == crate::bundle::Answer::Got(false) => {}
            // Patroni runs, or it is not known: the keys may be in use.
            _ => drop(running.insert(place.clone())),
        }
        if said.insert(place.clone()) {
            open.push((place, member, live, kept));
        }
    }
    for (place, member, live, kept) in open {
        if running.contains(&place) || kept.leader().is_some() || is_foreign(facts, member, live, &kept) {
            continue;
        }
        let found: Vec<&(&str, &str)> = LASTING.iter().filter(|(key, _)| kept.get(key).is_some()).collect();
        let Some((first, _)) = found.first() else { continue };
        let keys: Vec<String> = found.iter().map(|(key, _)| format!("`{key}`")).collect();
        let mut problem = report
            .problem(kept.at(first))
            .arg("path", &*kept.path)
            .arg("scope", scope(facts, member))
            .arg("keys", keys.join(", "));
        for (key, effect) in &found[1..] {
            problem = problem.label(kept.at(key), *effect);
        }
        report.add(problem);
    }
    Ok(())
}

/// Something answers where the store says that a member of this name has its REST API (`__main__.py:Patroni.ensure_unique_name`).
pub(in crate::rules::native) fn name(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for live in facts.live() {
        let Some((member, kept)) = kept_of(facts, live, report) else { continue };
        let Some(known) = kept.members().remove(&member.name) else { continue };
        let Some(url) = known.api_url else { continue };
        let Some(rest) = report.known(live.node.rest()) else { continue };
        let asked = |url: &str| url.split("://").nth(1).and_then(|rest| rest.split('/').next()).map(str::to_owned);
        if asked(&url) != asked(&rest.url) {
            let what = format!("what answers at {url}, where the store has a member of this name,");
            report.known::<()>(Err(live.node.not_asked(&what)));
            continue;
        }
        let Some(listens) = report.known(live.node.answer("whether its REST API is there", &rest.listens)) else {
            continue;
        };
        if !listens || is_itself(facts, member, rest.value()) {
            continue;
        }
        let problem = report
            .problem(kept.at(&format!("members/{}", member.name)))
            .arg("member", &*member.name)
            .arg("url", url)
            .label(facts.patroni[member.file].place_of("name"), "this name");
        report.add(problem);
    }
    Ok(())
}

/// Whether it is the member's own Patroni that answers, which then runs already.
fn is_itself(facts: &Facts, member: &Member, rest: &crate::bundle::rest::Rest) -> bool {
    use crate::bundle::rest::Speaker;
    let own = facts.patroni[member.file].config.scope().map(|s| s.value.to_owned());
    match rest.speaker() {
        Some(Speaker::Patroni { scope, name, .. }) => {
            own.is_none_or(|own| own == scope) && name.is_none_or(|name| name == member.name)
        }
        _ => false,
    }
}

/// The data directory is empty, the cluster is initialised, and nobody leads it: there is nobody to copy from.
pub(in crate::rules::native) fn without_leader(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for live in facts.live() {
        let Some(member) = report.known(live.member()) else { continue };
        let file = &facts.patroni[member.file];
        let Some(data_dir) = file.config.data_dir() else { continue };
        let Ok(kept) = kept(facts, member, live.node) else { continue };
        if kept.initialize().is_none() || kept.leader().is_some() {
            continue;
        }
        let Ok(host) = live.node.host() else { continue };
        let Some(data) = host.value().data.get(data_dir.value) else { continue };
        let is_empty = match (data.entry.got(), data.names.got()) {
            (Some(None), _) => true,
            (_, Some(names)) => names.iter().all(|name| name.starts_with('.') || name == "lost+found"),
            _ => continue,
        };
        // Another member that is given holds the data: it is to be started first.
        let others = || facts.live().filter(|other| other.node.name != live.node.name);
        let is_there = others().any(|other| {
            other.node.row("control_system").ok().flatten().and_then(|row| row.get("system_identifier"))
                == kept.initialize()
        });
        if !is_empty || is_there {
            continue;
        }
        let problem = report
            .problem(kept.at("initialize"))
            .arg("member", &*member.name)
            .arg("path", &*kept.path)
            .arg("scope", scope(facts, member))
            .arg("data_dir", data_dir.value)
            .label(data_dir.span, "empty, or not there");
        report.add(problem);
    }
    Ok(())
}
