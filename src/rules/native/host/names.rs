//! Whether the names of hosts lead there from every member.

use std::net::IpAddr;

use crate::facts::gap::Gap;
use crate::facts::patroni_file::is_placeholder;
use crate::facts::{Facts, Member};
use crate::parse::patroni::Patroni;
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
                let Some(fault) = fault(found, is_same(member, on.member).then_some(config), &host) else { continue };
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

/// What is wrong with what a name stands for. That others reach themselves by it is said of the address that they are told; on its own host
/// a loopback address matters where nothing listens on it.
fn fault(addresses: &[String], own: Option<&Patroni>, name: &str) -> Option<String> {
    if addresses.is_empty() {
        return Some("does not resolve".to_owned());
    }
    let is_loopback = |a: &String| a.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    let first = addresses.first().filter(|_| addresses.iter().all(is_loopback))?;
    let own = own?;
    let told = |key: &str| own.address(key, 8008).is_some_and(|a| a.value.0.eq_ignore_ascii_case(name));
    let closed = |what, listen: Option<(String, i64)>, is_told: bool| {
        let hosts = listen.map(|(hosts, _)| hosts)?;
        (is_told && !hosts.split(',').any(|host| may_be(host.trim().trim_matches(['[', ']']), first))).then_some(what)
    };
    let server = closed(
        "its server",
        own.listen().map(|a| a.value),
        own.connect_address().is_some_and(|a| a.value.0.eq_ignore_ascii_case(name)),
    );
    let listens = own.address("restapi.listen", 8008).map(|a| a.value);
    let api = closed("its REST API", listens, told("restapi.connect_address"));
    let closed: Vec<&str> = server.into_iter().chain(api).collect();
    let verb = if closed.len() > 1 { "do" } else { "does" };
    (!closed.is_empty()).then(|| format!("is {first}, where {} {verb} not listen,", closed.join(" and ")))
}

/// Whether what is listened on takes an address, or may: a name may stand for it.
fn may_be(listens: &str, address: &str) -> bool {
    listens.parse::<IpAddr>().map_or(true, |ip| ip.is_unspecified() || listens == address)
}
