//! `listen` without a port, or with something that Patroni takes for one.

use std::net::Ipv6Addr;

use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::facts::patroni_file::is_placeholder;
use crate::parse::patroni::split_host_port;
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files() {
        for (key, port) in [("restapi.listen", 8008), ("postgresql.listen", 5432)] {
            let Some(item) = file.config.get(key) else { continue };
            let Some(address) = item.as_str().filter(|a| !a.is_empty() && !is_placeholder(a)) else { continue };
            let Some(effect) = fault(key, address) else { continue };
            report.add(
                report
                    .problem(item.span)
                    .arg("key", key)
                    .arg("effect", effect)
                    .arg("example", format!("{}:{port}", host(address))),
            );
        }
    }
    Ok(())
}

/// What Patroni makes of an address without a port (`utils.py:split_host_port`).
fn fault(key: &str, address: &str) -> Option<String> {
    let is_restapi = key == "restapi.listen";
    match split_host_port(address, -1) {
        None => Some(", and Patroni cannot read it".to_owned()),
        Some((_, -1)) if is_restapi => Some(", and Patroni does not start without one".to_owned()),
        Some((_, -1)) => Some(", so Patroni takes 5432".to_owned()),
        Some((_, port)) if address.parse::<Ipv6Addr>().is_ok() => {
            Some(format!(", so Patroni takes its end, {port}, for the port"))
        }
        Some(_) => None,
    }
}

/// The address without a stray colon, an IPv6 one in brackets.
fn host(address: &str) -> String {
    let bare = address.trim_end_matches(':');
    if bare.parse::<Ipv6Addr>().is_ok() { format!("[{bare}]") } else { bare.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::fault;

    #[test]
    fn a_port_is_a_number_behind_the_last_colon() {
        for good in ["0.0.0.0:8008", "a,b:5432", "[::]:5432", "::1:5432x".trim_end_matches('x')] {
            let bare_v6 = good == "::1:5432";
            assert_eq!(fault("restapi.listen", good).is_some(), bare_v6, "{good}");
        }
        for bad in ["0.0.0.0", "host:", "[::]", "2001:db8::31"] {
            assert!(fault("postgresql.listen", bad).is_some(), "{bad}");
        }
    }
}
