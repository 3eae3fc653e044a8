//! Members that may not confirm a leader in failsafe mode: `POST /failsafe` goes by `restapi.allowlist` alone, whatever
//! `allowlist_include_members` says (`api.py:RestApiHandler.do_POST_failsafe`, `RestApiServer.check_access`).

use std::net::IpAddr;

use crate::facts::connections::address_of;
use crate::facts::gap::{Fact, Gap, GapReason};
use crate::facts::{Facts, Member};
use crate::parse::patroni::Item;
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for cluster in facts.clusters().iter().filter(|c| c.members.len() > 1) {
        for member in &cluster.members {
            let file = &facts.patroni[member.file];
            let is_on = file.dynamic("failsafe_mode").and_then(Item::as_bool) == Some(true);
            let Some(list) = file.config.get("restapi.allowlist").filter(|l| is_on && !l.items().is_empty()) else {
                continue;
            };
            let mut kept_out = Vec::new();
            for peer in cluster.members.iter().filter(|m| m.file != member.file) {
                let address = address_of(facts, peer);
                let outcome = address.and_then(|a| Ok((a, lets_in(list, a, member)?)));
                if let Some((address, false)) = report.known(outcome) {
                    kept_out.push(format!("{} ({address})", peer.name));
                }
            }
            if !kept_out.is_empty() {
                let problem = report.problem(list.key_or_value()).arg("member", member.name.as_str());
                report.add(problem.arg("peers", kept_out.join(", ")));
            }
        }
    }
    Ok(())
}

/// Whether an address is on the list. Names are resolved by the member that reads it.
fn lets_in(list: &Item, address: IpAddr, member: &Member) -> Fact<bool> {
    let mut unknown = list.open;
    for item in list.items() {
        match item.as_str().and_then(|text| holds(text, address)) {
            Some(true) => return Ok(true),
            Some(false) => {}
            None => unknown = true,
        }
    }
    let gap = || Gap::new("whom a name in `restapi.allowlist` stands for", GapReason::NotGiven).on(&member.name);
    if unknown { Err(gap()) } else { Ok(false) }
}

/// Whether a network or address holds another; `None` for what is none.
fn holds(text: &str, address: IpAddr) -> Option<bool> {
    let (network, prefix) = match text.split_once('/') {
        Some((network, prefix)) => (network.parse().ok()?, prefix.parse::<u32>().ok()?),
        None => (text.parse().ok()?, 128),
    };
    match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            let shift = 32u32.saturating_sub(prefix);
            Some(network.to_bits().checked_shr(shift) == address.to_bits().checked_shr(shift))
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => {
            let shift = 128u32.saturating_sub(prefix);
            Some(network.to_bits().checked_shr(shift) == address.to_bits().checked_shr(shift))
        }
        _ => Some(false),
    }
}

#[cfg(test)]
mod tests {
    use super::holds;

    #[test]
    fn networks_hold_their_addresses() {
        let holds = |text: &str, ip: &str| holds(text, ip.parse().expect("an address"));
        assert_eq!(holds("10.0.0.0/24", "10.0.0.9"), Some(true));
        assert_eq!(holds("10.0.0.0/24", "10.0.1.9"), Some(false));
        assert_eq!(holds("10.0.0.9", "10.0.0.9"), Some(true));
        assert_eq!(holds("0.0.0.0/0", "10.0.0.9"), Some(true));
        assert_eq!(holds("::/0", "10.0.0.9"), Some(false));
        assert_eq!(holds("fd00::/8", "fd12::1"), Some(true));
        assert_eq!(holds("db1.example", "10.0.0.9"), None);
        assert_eq!(holds("10.0.0.0/255.255.255.0", "10.0.0.9"), None);
    }
}
