//! `listen` with more than one port: only the last colon separates one (`utils.py:split_host_port`).

use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::facts::patroni_file::is_placeholder;
use crate::parse::patroni::{Layer, split_host_port};
use crate::parse::yaml;
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files() {
        let Some(item) = file.config.get("postgresql.listen") else { continue };
        let Some(listen) = item.as_str().filter(|l| !is_placeholder(l)) else { continue };
        let entries: Vec<(&str, Option<&str>)> = listen.split(',').map(|e| host_and_port(e.trim())).collect();
        let [front @ .., (_, Some(last))] = &entries[..] else { continue };
        let Some((_, Some(_))) = front.iter().find(|(_, port)| port.is_some()) else { continue };
        let hosts: Vec<&str> = entries.iter().map(|(host, _)| *host).collect();
        let right = format!("{}:{last}", hosts.join(","));
        let Some((passed, _)) = split_host_port(listen, 5432) else { continue };
        let mut problem =
            report.problem(item.span).arg("listen", listen).arg("passed", passed).arg("right", right.as_str());
        let one_port = entries.iter().all(|(_, port)| port.is_none_or(|p| p == *last));
        if one_port && item.layer == Layer::File {
            problem = problem.edit(item.span, yaml::quote(&right));
        }
        report.add(problem);
    }
    Ok(())
}

/// An entry of the list, and the port that its writer meant for it. An IPv6 address has one only behind brackets.
fn host_and_port(entry: &str) -> (&str, Option<&str>) {
    match entry.rsplit_once(':') {
        Some((host, port))
            if !port.is_empty()
                && port.bytes().all(|b| b.is_ascii_digit())
                && (!host.contains(':') || host.ends_with(']')) =>
        {
            (host, Some(port))
        }
        _ => (entry, None),
    }
}

#[cfg(test)]
mod tests {
    use super::host_and_port;

    #[test]
    fn an_ipv6_address_has_a_port_behind_brackets_only() {
        assert_eq!(host_and_port("10.0.0.1:5432"), ("10.0.0.1", Some("5432")));
        assert_eq!(host_and_port("[::1]:5432"), ("[::1]", Some("5432")));
        assert_eq!(host_and_port("fe80::5432"), ("fe80::5432", None));
        assert_eq!(host_and_port("db1"), ("db1", None));
    }
}
