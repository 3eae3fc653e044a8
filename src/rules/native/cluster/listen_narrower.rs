//! Other members are told an address that the server does not listen on.

use std::net::IpAddr;

use crate::facts::Facts;
use crate::facts::gap::{Fact, Gap};
use crate::facts::patroni_file::is_placeholder;
use crate::rules::native::on_host::{OnHost, each};
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files() {
        let (Some(listen), Some(connect)) = (file.config.listen(), file.config.connect_address()) else { continue };
        let Some(item) = file.config.get("postgresql.connect_address") else { continue };
        let Some(text) = item.as_str().filter(|t| t.contains(':')) else { continue };
        let ((hosts, port), (target, target_port)) = (&listen.value, &connect.value);
        // An address that leads back to whoever uses it has a rule of its own.
        if is_placeholder(hosts) || is_placeholder(text) || is_loopback(target) || target.is_empty() {
            continue;
        }
        let hosts: Vec<&str> = hosts.split(',').map(|h| h.trim().trim_matches(['[', ']'])).collect();
        let problem = if hosts.iter().all(|h| is_loopback(h)) {
            "the server listens on this host alone".to_owned()
        } else if hosts.contains(&target.as_str()) && port != target_port {
            format!("the server listens there on port {port}")
        } else {
            // Between other addresses may stand a translation of addresses or ports.
            continue;
        };
        report.add(
            report
                .problem(item.span)
                .arg("address", text)
                .arg("problem", problem)
                .label(listen.span, "it listens here"),
        );
    }
    each(facts, report, there);
    Ok(())
}

/// Whether the address is one of the host itself, and none that is listened on. Before another one may stand a translation.
fn there(on: &OnHost<'_>, report: &mut Report) -> Fact<()> {
    let config = &on.file.config;
    let (Some(listen), Some(connect)) = (config.listen(), config.connect_address()) else { return Ok(()) };
    let Some(item) = config.get("postgresql.connect_address") else { return Ok(()) };
    let Some(text) = item.as_str().filter(|t| t.contains(':')) else { return Ok(()) };
    let ((hosts, port), (target, target_port)) = (&listen.value, &connect.value);
    let all_hosts = || hosts.split(',').map(|h| h.trim().trim_matches(['[', ']']));
    if is_placeholder(hosts) || is_placeholder(text) || is_loopback(target) || all_hosts().all(is_loopback) {
        return Ok(());
    }
    // The same port at another address: what differs in the port alone is seen without the host.
    if port != target_port || all_hosts().any(|host| host == target.as_str()) {
        return Ok(());
    }
    let all = on.node.answer("the addresses of the host", &on.host.value().addresses)?;
    let own = |address: &String| all.iter().position(|a| a.address == *address);
    let meant = on.resolved(&target.to_ascii_lowercase())?;
    let Some(at) = meant.iter().find_map(own).filter(|_| meant.iter().all(|address| own(address).is_some())) else {
        return Ok(());
    };
    for host in all_hosts() {
        let covers = |address: &String| match &**address {
            "0.0.0.0" => meant.iter().any(|m| !m.contains(':')),
            "::" => true,
            address => meant.iter().any(|m| m == address),
        };
        if on.resolved(&host.to_ascii_lowercase())?.iter().any(covers) {
            return Ok(());
        }
    }
    report.add(
        report
            .problem(item.span)
            .arg("address", text)
            .arg("problem", format!("{} of this host is not among `{hosts}`", all[at].address))
            .label(listen.span, "it listens here")
            .label(on.host.at(&["addresses", &at.to_string()]), "an address of the host"),
    );
    Ok(())
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
