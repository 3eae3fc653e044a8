//! `hba`: a line of `pg_hba.conf` by its columns.

use std::net::IpAddr;

use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::parse::hba::{Address, HbaRule};
use crate::rules::report::Report;
use crate::rules::schema::{HbaSpec, List, Text};

/// Reports every line that has all the properties.
///
/// # Errors
/// Never: a file that could not be read has findings of its own, and what a template decides is noted line by line.
pub fn check(spec: &HbaSpec, facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.hbas() {
        for (index, rule) in file.hba.rules.iter().enumerate().filter(|(_, r)| matches(spec, r)) {
            // A line that an earlier one hides lets nobody in.
            if report.known(file.decides(index)) != Some(true) {
                continue;
            }
            let from = rule.address.as_ref().map_or_else(|| "local clients".to_owned(), |a| name(&a.value));
            report.add(report.problem(rule.method.span).arg("method", rule.method.value.name()).arg("from", from));
        }
    }
    Ok(())
}

fn matches(spec: &HbaSpec, rule: &HbaRule) -> bool {
    let named = |list: &List<Text>, word: &str| list.is_empty() || list.iter().any(|w| w == word);
    named(&spec.types, rule.kind.value.name())
        && named(&spec.methods, rule.method.value.name())
        && (spec.databases.is_empty() || rule.databases.iter().any(|d| named(&spec.databases, &d.value.text)))
        && (!spec.remote || rule.address.as_ref().is_some_and(|a| is_remote(&a.value)))
}

/// An address in words, as a line of `pg_hba.conf` writes it where it is a range.
fn name(address: &Address) -> String {
    let bits = |mask: &IpAddr| match mask {
        IpAddr::V4(m) => m.to_bits().count_ones(),
        IpAddr::V6(m) => m.to_bits().count_ones(),
    };
    match address {
        Address::All => "every host".to_owned(),
        Address::SameHost => "this host".to_owned(),
        Address::SameNet => "every host of its networks".to_owned(),
        Address::HostName(name) => name.clone(),
        Address::Range { addr, mask } => format!("{addr}/{}", bits(mask)),
    }
}

/// Whether other hosts can come from there.
fn is_remote(address: &Address) -> bool {
    match address {
        Address::All | Address::SameNet => true,
        Address::SameHost => false,
        Address::HostName(name) => name != "localhost",
        Address::Range { addr, mask } => match (addr, mask) {
            (IpAddr::V4(a), IpAddr::V4(m)) => !(a.is_loopback() && m.octets()[0] == 255),
            (IpAddr::V6(a), IpAddr::V6(m)) => !(a.is_loopback() && u128::from(*m) == u128::MAX),
            _ => true,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_loopback_net_is_this_host() {
        let range =
            |a: &str, m: &str| Address::Range { addr: a.parse().expect("address"), mask: m.parse().expect("mask") };
        assert!(!is_remote(&range("127.0.0.1", "255.255.255.255")));
        assert!(!is_remote(&range("127.0.0.0", "255.0.0.0")));
        assert!(is_remote(&range("127.0.0.0", "0.0.0.0")));
        assert!(is_remote(&range("10.0.0.0", "255.0.0.0")));
        assert!(!is_remote(&range("::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")));
    }
}
