//! Whether the names of hosts lead there from every member.

use std::net::IpAddr;

use crate::facts::gap::Gap;
use crate::facts::patroni_file::is_placeholder;
use crate::facts::{Facts, Member};
use crate::rules::native::on_host::each;
use crate::rules::report::Report;

/// `name-resolution`
pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    each(facts, report, |on, report| {
        let clusters = facts.clusters();
        let Some(cluster) = clusters.iter().find(|c| c.members.iter().any(|m| m.file == on.member.file)) else {
            return Ok(());
        };
        for member in &cluster.members {
            let config = &facts.patroni[member.file].config;
            let addresses = [config.connect_address(), config.address("restapi.connect_address", 8008)];
            let mut said = None;
            for address in addresses.into_iter().flatten() {
                let host = address.value.0.to_ascii_lowercase();
                let is_name = host.trim_matches(['[', ']']).parse::<IpAddr>().is_err() && !is_placeholder(&host);
                if !is_name || said.as_ref() == Some(&host) {
                    continue;
                }
                let what = format!("the address of `{host}`");
                let Some(found) = on.host.value().names.get(&address.value.0) else { return on.gap(what) };
                let found = on.node.answer(&what, found)?;
                let Some(fault) = fault(found, is_same(member, on.member)) else { continue };
                said = Some(host);
                report.add(
                    report
                        .problem(on.host.at(&["names", &address.value.0]))
                        .arg("host", address.value.0.as_str())
                        .arg("member", on.member.name.as_str())
                        .arg("fault", fault)
                        .label(address.span, "so members are told to find it"),
                );
            }
        }
        Ok(())
    });
    Ok(())
}

fn is_same(one: &Member, other: &Member) -> bool {
    one.file == other.file
}

/// What is wrong with what a name stands for; its own name may stand for the host itself on a member.
fn fault(addresses: &[String], own: bool) -> Option<String> {
    if addresses.is_empty() {
        return Some("does not resolve".to_owned());
    }
    let is_own = |a: &String| a.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    let first = addresses.iter().find(|a| is_own(a)).filter(|_| !own && addresses.iter().all(is_own))?;
    Some(format!("is {first}, that host itself"))
}
