//! The name of a member that stands for a loopback address where the others ask for it, as their hosts say.

use std::net::IpAddr;

use crate::facts::gap::Fact;
use crate::facts::patroni_file::is_placeholder;
use crate::facts::written::Written;
use crate::facts::{Facts, Member};
use crate::rules::native::on_host::{OnHost, each};
use crate::rules::report::Report;
use crate::source::{Span, Spanned};

/// What a member publishes that others reach themselves by, and the hosts on which that is so.
struct Misled<'a> {
    member: &'a Member,
    address: Spanned<(String, i64)>,
    /// A member, what the name is there, and where its host says so.
    peers: Vec<(String, String, Span)>,
}

/// Looks for the names of members on the hosts of all others.
pub(super) fn check(section: &str, port: i64, facts: &Facts, report: &mut Report) {
    let clusters = facts.clusters();
    let mut found: Vec<Misled<'_>> = Vec::new();
    each(facts, report, |on, _| {
        let Some(cluster) = clusters.iter().find(|c| c.members.iter().any(|m| m.file == on.member.file)) else {
            return Ok(());
        };
        for member in cluster.members.iter().filter(|m| m.file != on.member.file) {
            let config = &facts.patroni[member.file].config;
            let Some(address) = config.address(&format!("{section}.connect_address"), port) else { continue };
            if !is_name(&address.value.0) || shares_host(facts, on, member) {
                continue;
            }
            let name = address.value.0.clone();
            let Some(first) = loopback(on, &name)? else { continue };
            let peer = (on.member.name.clone(), first, on.host.at(&["names", &name]));
            match found.iter_mut().find(|misled| misled.member.file == member.file) {
                Some(misled) => misled.peers.push(peer),
                None => found.push(Misled { member, address, peers: vec![peer] }),
            }
        }
        Ok(())
    });
    for Misled { member, address, peers } in found {
        let names: Vec<&str> = peers.iter().map(|(name, ..)| name.as_str()).collect();
        let hosts = if let [one] = names[..] {
            format!("the host of {one}")
        } else {
            format!("the hosts of {}", names.join(", "))
        };
        let (name, port) = &address.value;
        let mut problem = report
            .problem(address.span)
            .node(&member.name)
            .arg("path", format!("{section}.connect_address"))
            .arg("address", format!("is `{name}:{port}`"))
            .arg(
                "problem",
                format!("on {hosts} that name is {}, so whoever connects to it there reaches himself", peers[0].1),
            )
            .arg("port", port.to_string());
        for (peer, first, at) in peers {
            problem = problem.node(peer).label(at, format!("{first} there"));
        }
        report.add(problem);
    }
}

fn is_name(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host.parse::<IpAddr>().is_err() && !is_placeholder(host) && host != "*" && !host.eq_ignore_ascii_case("localhost")
}

/// The loopback address that a name is on a host; `None` when others stand beside it, or it is not known there, which another rule says.
fn loopback(on: &OnHost<'_>, name: &str) -> Fact<Option<String>> {
    let what = format!("the address of `{name}`");
    let Some(found) = on.host.value().names.get(name) else { return on.gap(what) };
    let found = on.node.answer(&what, found)?;
    let is_own = |address: &String| address.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    Ok(found.first().filter(|_| found.iter().all(is_own)).cloned())
}

/// Whether another member runs on the host itself, which then rightly finds it there.
fn shares_host(facts: &Facts, on: &OnHost<'_>, member: &Member) -> bool {
    let other = facts.node_of(member).and_then(|node| node.host().ok()).map(Written::value);
    let own = on.host.value();
    other.is_some_and(|other| {
        own.name.got().is_some() && own.name.got() == other.name.got() && own.addresses.got() == other.addresses.got()
    })
}
