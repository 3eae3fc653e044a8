//! Who is started first: a cluster that the store does not know is led by whoever comes first, standby or not
//! (`ha.py:Ha._run_cycle`; the guard there is passed over since Patroni 3.1.2, `cb_called` being true by then).

use crate::facts::gap::Gap;
use crate::facts::kept::{is_paused, kept};
use crate::facts::{Cluster, Facts, LiveMember, Member};
use crate::rules::report::Report;

/// The members of a cluster that nobody leads and that is not initialised, with what they are; none when something of it is not known.
fn unled<'a>(
    facts: &'a Facts,
    cluster: &'a Cluster,
    report: &mut Report,
) -> Option<Vec<(&'a Member, LiveMember<'a>, bool)>> {
    let mut all = Vec::new();
    let mut is_known = true;
    for member in &cluster.members {
        // One that nobody asked may be the primary.
        let Some(node) = facts.node_of(member) else {
            is_known = false;
            continue;
        };
        let Some(kept) = report.known(kept(facts, member, node)) else {
            is_known = false;
            continue;
        };
        let is_led = kept.leader().is_some() || kept.initialize().is_some();
        if is_led || is_paused(facts, member) {
            return None;
        }
        let Some(is_standby) = report.known(node.is_standby()) else {
            is_known = false;
            continue;
        };
        all.push((member, LiveMember { node, member: Some(member) }, is_standby));
    }
    (is_known && !all.is_empty()).then_some(all)
}

/// Only standbys are given: whichever is started becomes a second primary.
pub(in crate::rules::native) fn standby_first(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for cluster in facts.clusters() {
        let Some(members) = unled(facts, cluster, report) else { continue };
        let follows = |member: &Member| facts.patroni[member.file].is_standby_cluster();
        if members.iter().any(|(_, _, is_standby)| !is_standby) {
            continue;
        }
        for (member, live, _) in members.into_iter().filter(|(member, ..)| !follows(member)) {
            let upstream = live.node.row("wal_receiver").ok().flatten().and_then(|row| row.get("sender_host"));
            let mut problem = report
                .problem(facts.patroni[member.file].place_of("scope"))
                .node(&member.name)
                .arg("member", &*member.name)
                .arg("upstream", upstream.unwrap_or("its primary"));
            if let Ok(Some(row)) = live.node.row("position") {
                problem = problem.label(row.at, "a standby");
            }
            report.add(problem);
        }
    }
    Ok(())
}

/// A primary and standbys: the primary first.
pub(in crate::rules::native) fn order(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for cluster in facts.clusters() {
        let Some(members) = unled(facts, cluster, report) else { continue };
        let mut primaries = members.iter().filter(|(_, _, is_standby)| !is_standby);
        let (Some((primary, ..)), None) = (primaries.next(), primaries.next()) else { continue };
        let standbys: Vec<&str> =
            members.iter().filter(|(_, _, is_standby)| *is_standby).map(|(m, ..)| m.name.as_str()).collect();
        if standbys.is_empty() {
            continue;
        }
        let mut problem = report
            .problem(facts.patroni[primary.file].place_of("scope"))
            .arg("primary", &*primary.name)
            .arg("standbys", standbys.join(", "));
        for standby in standbys {
            problem = problem.node(standby);
        }
        report.add(problem);
    }
    Ok(())
}

/// Two primaries of one cluster: whichever comes second is stopped and made a standby of the first.
pub(in crate::rules::native) fn two_primaries(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for cluster in facts.clusters() {
        let mut primaries: Vec<(&Member, crate::source::Span)> = Vec::new();
        for member in &cluster.members {
            let Some(node) = facts.node_of(member) else { continue };
            let Some(row) = report.known(node.row("position")) else { continue };
            if let Some(row) = row.filter(|row| !row.is("in_recovery")) {
                primaries.push((member, row.at));
            }
        }
        let [(first, at), rest @ ..] = &primaries[..] else { continue };
        for (member, other) in rest {
            if is_paused(facts, member) {
                continue;
            }
            let problem = report
                .problem(*other)
                .node(&member.name)
                .arg("member", &*member.name)
                .arg("other", &*first.name)
                .label(*at, format!("{} is one too", first.name))
                .label(facts.patroni[member.file].place_of("scope"), "of the same cluster");
            report.add(problem);
        }
    }
    Ok(())
}
