//! An address for other members that leads back to themselves or nowhere.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::connect_names;
use crate::facts::gap::{Fact, Gap, GapReason};
use crate::facts::patroni_file::is_placeholder;
use crate::facts::{Facts, PatroniFile};
use crate::parse::patroni::{Item, Patroni};
use crate::rules::report::Report;

pub(in crate::rules::native) fn postgresql(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    find("postgresql", "5432", facts, report);
    connect_names::check("postgresql", 5432, facts, report);
    Ok(())
}

pub(in crate::rules::native) fn restapi(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    find("restapi", "8008", facts, report);
    connect_names::check("restapi", 8008, facts, report);
    Ok(())
}

fn find(section: &str, port: &str, facts: &Facts, report: &mut Report) {
    let path = format!("{section}.connect_address");
    for (index, file) in facts.numbered_files() {
        if report.known(share_a_host(&path, port, index, facts)) != Some(false) {
            continue;
        }
        let Some(item) = file.config.get(&path) else {
            absent(section, &path, port, file, report);
            continue;
        };
        let Some(address) = item.as_str().filter(|a| !a.is_empty()) else { continue };
        let (host, own_port) = split(address);
        let problem = match fault(host) {
            Some(fault) => fault.to_owned(),
            None if own_port.is_some() || is_placeholder(address) => continue,
            None => match taken_for(section, file) {
                Some(taken) => {
                    format!("it names no port, so other members use {taken}, and this one listens on another")
                }
                None => continue,
            },
        };
        report.add(
            report
                .problem(item.span)
                .arg("path", &path)
                .arg("address", format!("is `{address}`"))
                .arg("problem", problem)
                .arg("port", own_port.unwrap_or(port)),
        );
    }
}

/// Without it others are told what is listened on. A file without a name shares its host's environment, which may set it.
fn absent(section: &str, path: &str, port: &str, file: &PatroniFile, report: &mut Report) {
    if !file.is_absent(path) || file.is_misspelt(path) || file.config.name().is_none() {
        return;
    }
    let Some(listen) = file.config.get(&format!("{section}.listen")) else { return };
    let Some(address) = listen.as_str().filter(|a| !a.is_empty()) else { return };
    let (hosts, own_port) = split(address);
    // `postgresql/config.py:ConfigHandler._get_tcp_local_address`; the REST API publishes what it listens on.
    let local = |host: &str| ["*", "localhost", "0.0.0.0", "127.0.0.1"].contains(&host.trim());
    let (host, published) = match section {
        "postgresql" if hosts.split(',').any(local) => ("localhost", format!("localhost:{}", own_port.unwrap_or(port))),
        _ => (hosts, address.to_owned()),
    };
    if let Some(problem) = fault(host) {
        report.add(
            report
                .problem(file.place_of(path))
                .arg("path", path)
                .arg("address", format!("is not set, so Patroni publishes `{published}`"))
                .arg("problem", problem)
                .arg("port", own_port.unwrap_or(port))
                .label(listen.span, ""),
        );
    }
}

/// The port that others take when they are told none, unless it is the one that is listened on.
fn taken_for(section: &str, file: &PatroniFile) -> Option<i64> {
    if section == "postgresql" {
        return file.config.listen().filter(|l| l.value.1 != 5432).map(|_| 5432);
    }
    let taken = if file.config.get("restapi.certfile").is_some() { 443 } else { 80 };
    // That `listen` names no port either has a finding of its own.
    file.config.address("restapi.listen", 0).filter(|l| l.value.1 != 0 && l.value.1 != taken).map(|_| taken)
}

/// Whether all members of a cluster have loopback addresses and ports of their own: they run on one host and do reach each other.
///
/// # Errors
/// When a template decides what the address of another member is, or whether there is another.
fn share_a_host(path: &str, port: &str, index: usize, facts: &Facts) -> Fact<bool> {
    let address = |config: &Patroni| {
        let (host, own) = config.get(path).and_then(Item::as_str).map(split)?;
        let loopback =
            host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        loopback.then(|| own.unwrap_or(port).to_owned())
    };
    let Some(cluster) = facts.cluster_of(index) else { return Ok(false) };
    if address(&facts.patroni[index].config).is_none() {
        return Ok(false);
    }
    let mut ports = BTreeSet::new();
    let mut open = Ok(());
    for member in &cluster.members {
        let file = &facts.patroni[member.file];
        if let Err(gap) = file.known(path) {
            open = Err(gap);
        } else if !address(&file.config).is_some_and(|port| ports.insert(port)) {
            return Ok(false);
        }
    }
    if cluster.is_open {
        return Err(Gap::new("which members are on one host (a template decides)", GapReason::Unreadable));
    }
    open.map(|()| cluster.members.len() > 1)
}

/// Host without brackets, and port.
fn split(address: &str) -> (&str, Option<&str>) {
    let (host, port) = match address.rsplit_once(':') {
        Some((host, port))
            if port.bytes().all(|b| b.is_ascii_digit()) && (!host.contains(':') || host.starts_with('[')) =>
        {
            (host, Some(port))
        }
        _ => (address, None),
    };
    (host.trim_start_matches('[').trim_end_matches(']'), port)
}

fn fault(host: &str) -> Option<&'static str> {
    let every = "it stands for every address, so whoever connects to it reaches himself";
    let own = "it is a loopback address, so whoever connects to it reaches himself";
    match host.parse::<IpAddr>() {
        Ok(ip) if ip.is_unspecified() => Some(every),
        Ok(ip) if ip.is_loopback() => Some(own),
        Err(_) if host == "*" => Some(every),
        Err(_) if host.eq_ignore_ascii_case("localhost") => Some(own),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{fault, split};

    #[test]
    fn splits_hosts_of_all_forms() {
        assert_eq!(split("10.0.0.1:5432"), ("10.0.0.1", Some("5432")));
        assert_eq!(split("[::1]:5432"), ("::1", Some("5432")));
        assert_eq!(split("fe80::5432"), ("fe80::5432", None));
        assert_eq!(split("db1"), ("db1", None));
    }

    #[test]
    fn knows_addresses_that_lead_nowhere() {
        for host in ["127.0.0.2", "::", "*", "LocalHost"] {
            assert!(fault(host).is_some(), "{host}");
        }
        assert_eq!(fault("10.0.0.1").or(fault("db1.example")), None);
    }
}
