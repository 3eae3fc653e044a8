//! Other members are told an address that the server does not listen on.

use std::net::IpAddr;

use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::facts::patroni_file::is_placeholder;
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
    Ok(())
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
