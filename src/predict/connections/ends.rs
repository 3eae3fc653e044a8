//! The addresses that a server sees.

use std::net::{IpAddr, Ipv4Addr};

use crate::facts::connections::{LocalEnd, address_of};
use crate::facts::gap::Fact;
use crate::facts::nodes::Node;
use crate::facts::{Facts, Member};

/// Of Patroni's connections to its own server; `None` over a unix socket.
///
/// # Errors
/// When a name stands for it that nobody has resolved.
pub(super) fn local(facts: &Facts, member: &Member, end: &LocalEnd) -> Fact<Option<IpAddr>> {
    match end {
        LocalEnd::Socket(_) => Ok(None),
        LocalEnd::Localhost => Ok(Some(localhost(facts, member))),
        LocalEnd::Host(host) => match host.parse() {
            Ok(address) => Ok(Some(address)),
            Err(_) => Ok(Some(resolved(facts, member, host)?)),
        },
    }
}

/// What `localhost` comes to: libpq tries its addresses in order, and on some of them nobody may listen.
fn localhost(facts: &Facts, member: &Member) -> IpAddr {
    let all = facts.node_of(member).and_then(|node| names(node, "localhost").ok()).unwrap_or_default();
    let listen = facts.patroni[member.file].config.listen().map(|l| l.value.0.to_ascii_lowercase()).unwrap_or_default();
    let is_served = |address: &IpAddr| {
        listen.split(',').map(|host| host.trim().trim_matches(['[', ']'])).any(|host| match host {
            "*" | "localhost" => true,
            "0.0.0.0" => address.is_ipv4(),
            "::" => address.is_ipv6(),
            other => other.parse() == Ok(*address),
        })
    };
    all.into_iter().find(is_served).unwrap_or(Ipv4Addr::LOCALHOST.into())
}

/// Of a member that connects to another one.
///
/// # Errors
/// When a name stands for it that nobody has resolved, or nothing does.
pub(super) fn of_peer(facts: &Facts, peer: &Member, target: &Member) -> Fact<IpAddr> {
    address_of(facts, peer).or_else(|gap| {
        let config = &facts.patroni[peer.file].config;
        let host = config.connect_address().map(|a| a.value.0).ok_or_else(|| gap.clone())?;
        let found = [target, peer].into_iter().find_map(|member| resolved(facts, member, &host).ok());
        found.filter(|address| !address.is_loopback() && !address.is_unspecified()).ok_or(gap)
    })
}

/// The first address that a name stands for on the host of a member.
fn resolved(facts: &Facts, member: &Member, name: &str) -> Fact<IpAddr> {
    let missing = || {
        let what = format!("the address of `{name}`");
        crate::facts::gap::Gap::new(what, crate::facts::gap::GapReason::NotGiven).on(&member.name)
    };
    let node = facts.node_of(member).ok_or_else(missing)?;
    names(node, name)?.first().copied().ok_or_else(missing)
}

fn names(node: &Node, name: &str) -> Fact<Vec<IpAddr>> {
    let what = format!("the address of `{name}`");
    let found = node.host()?.value().names.get(name).ok_or_else(|| node.not_asked(&what))?;
    Ok(node.answer(&what, found)?.iter().filter_map(|address| address.parse().ok()).collect())
}
