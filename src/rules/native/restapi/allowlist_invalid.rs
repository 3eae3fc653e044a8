//! Items of `restapi.allowlist` that let nobody in (`api.py:RestApiServer._build_allowlist`).

use std::net::{IpAddr, Ipv4Addr};

use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::facts::patroni_file::is_placeholder;
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files() {
        let Some(list) = file.config.get("restapi.allowlist") else { continue };
        for item in list.items() {
            let Some(text) = item.as_str().filter(|t| !is_placeholder(t)) else { continue };
            if let Some(problem) = fault(text) {
                report.add(report.problem(item.span).arg("value", text).arg("problem", problem));
            }
        }
    }
    Ok(())
}

fn fault(text: &str) -> Option<&'static str> {
    if text.contains('/') {
        return (!is_network(text)).then_some("it is no network (`Invalid value … in the allowlist`)");
    }
    let host = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    if text.parse::<IpAddr>().is_ok() {
        None
    } else if text.is_empty() || !text.chars().all(host) {
        Some("it is neither an address nor a name (`Failed to resolve`)")
    } else if text.bytes().all(|b| b.is_ascii_digit() || b == b'.') && text.split('.').count() > 4 {
        Some("it is no address (`Failed to resolve`)")
    } else {
        None
    }
}

/// Python's `ip_network(text, strict=False)`.
fn is_network(text: &str) -> bool {
    let Some((address, mask)) = text.split_once('/') else { return false };
    let digits = !mask.is_empty() && mask.bytes().all(|b| b.is_ascii_digit());
    let prefix = if digits { mask.parse::<u8>().ok() } else { None };
    match address.parse::<IpAddr>() {
        Ok(IpAddr::V6(_)) => prefix.is_some_and(|p| p <= 128),
        Ok(IpAddr::V4(_)) if digits => prefix.is_some_and(|p| p <= 32),
        Ok(IpAddr::V4(_)) => mask.parse::<Ipv4Addr>().is_ok_and(|m| {
            // A net mask, or one turned round: ones on one side only.
            let bits = m.to_bits();
            bits.leading_ones() + bits.trailing_zeros() == 32 || bits.leading_zeros() + bits.trailing_ones() == 32
        }),
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{fault, is_network};

    #[test]
    fn networks_are_those_of_python() {
        for good in ["10.0.0.1/8", "10.0.0.0/255.0.0.0", "10.0.0.0/0.0.0.255", "::1/64", "0.0.0.0/0", "10.0.0.0/08"] {
            assert!(is_network(good), "{good}");
        }
        for bad in [
            "10.0.0/8",
            "10.0.0.0/33",
            "10.0.0.0/255.0.255.0",
            "::/129",
            "db1/24",
            "10.0.0.0/",
            "10.0.0.0/8/8",
            "010.0.0.0/8",
        ] {
            assert!(!is_network(bad), "{bad}");
        }
    }

    #[test]
    fn names_may_resolve() {
        assert_eq!(fault("db1.example").or(fault("10.0.0.1")).or(fault("::1")).or(fault("10.1")), None);
        for bad in ["10.0.0.*", "a b", "", "10.0.0.1-10.0.0.9", "1.2.3.4.5", "10.0.0.1,10.0.0.2"] {
            assert_eq!(fault(bad).is_some(), bad != "10.0.0.1-10.0.0.9", "{bad}");
        }
    }
}
