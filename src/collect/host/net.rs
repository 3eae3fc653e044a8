//! Names, addresses and time.

use super::eye::{Ask, Probe, Reply};
use super::{scripts, wire};
use crate::bundle::host::Address;
use crate::bundle::{Answer, Miss};
use crate::gap::GapReason;

/// Asks for the addresses of interfaces.
pub(super) fn add_addresses(ask: &mut Ask) -> usize {
    ask.run(&["ip", "-o", "addr", "show"])
}

/// The addresses of interfaces.
pub(super) fn addresses(reply: &Reply) -> Answer<Vec<Address>> {
    let line = |line: &str| {
        let words: Vec<_> = line.split_whitespace().collect();
        let at = words.iter().position(|w| matches!(*w, "inet" | "inet6"))?;
        let (address, prefix) = words.get(at + 1)?.split_once('/').unwrap_or((words.get(at + 1)?, ""));
        let full = if words[at] == "inet" { 32 } else { 128 };
        Some(Address {
            interface: words.get(1)?.to_owned().to_owned(),
            address: address.to_owned(),
            prefix: prefix.parse().unwrap_or(full),
        })
    };
    wire::out(reply).map(|text| text.lines().filter_map(line).collect()).into()
}

/// Asks what a name stands for.
pub(super) fn add_name(ask: &mut Ask, name: &str) -> usize {
    if name == "localhost" {
        let programs: &[&str] = &["getent hosts $", "getent ahosts $"];
        return ask.add(Probe::Script(scripts::LOCALHOST, vec![name.to_owned()], programs, &[]));
    }
    ask.run(&["getent", "ahosts", "--", name])
}

/// Asks for the names of an address.
pub(super) fn add_reverse(ask: &mut Ask, address: &str) -> usize {
    ask.run(&["getent", "hosts", "--", address])
}

/// What `getent` says: the first column, or all others; nothing where it knows nothing.
pub(super) fn getent(reply: &Reply, forward: bool) -> Answer<Vec<String>> {
    if reply.as_ref().is_ok_and(|said| said.code == 2) {
        return Answer::Got(Vec::new());
    }
    let read = |text: String| {
        let mut found: Vec<String> = Vec::new();
        for line in text.lines() {
            let words = line.split_whitespace().map(str::to_owned);
            let words: Vec<_> = if forward { words.take(1).collect() } else { words.skip(1).collect() };
            for word in words {
                if !found.contains(&word) {
                    found.push(word);
                }
            }
        }
        found
    };
    wire::out(reply).map(read).into()
}

/// Asks whether something keeps the time right.
pub(super) fn add_synchronised(ask: &mut Ask) -> usize {
    ask.run(&["timedatectl", "show", "-p", "NTPSynchronized"])
}

/// Whether something keeps the time right.
pub(super) fn synchronised(reply: &Reply) -> Answer<bool> {
    let read = |text: String| match text.trim() {
        "NTPSynchronized=yes" => Ok(true),
        "NTPSynchronized=no" => Ok(false),
        other => Err(Miss { why: GapReason::Unreadable, detail: format!("`timedatectl` says: {other}") }),
    };
    wire::out(reply).and_then(read).into()
}

#[cfg(test)]
mod tests {
    use super::super::eye::Said;
    use super::*;

    #[test]
    fn addresses_and_names_are_read() {
        let said = |out: &str, code| Ok(Said { out: out.into(), code, ..Said::default() });
        let ip = "1: lo    inet 127.0.0.1/8 scope host lo\\ valid_lft forever\n2: eth0    inet6 fe80::1/64 scope link\n3: tun0    inet 10.0.0.1 peer 10.0.0.2/32\n";
        let addresses = addresses(&said(ip, 0));
        let shown: Vec<_> = addresses
            .got()
            .expect("some")
            .iter()
            .map(|a| format!("{} {}/{}", a.interface, a.address, a.prefix))
            .collect();
        assert_eq!(shown, ["lo 127.0.0.1/8", "eth0 fe80::1/64", "tun0 10.0.0.1/32"]);
        let hosts = "::1 STREAM localhost\n::1 DGRAM\n127.0.0.1 STREAM\n";
        assert_eq!(getent(&said(hosts, 0), true), Answer::Got(vec!["::1".to_owned(), "127.0.0.1".to_owned()]));
        assert_eq!(getent(&said("", 2), true), Answer::Got(Vec::new()));
        assert!(getent(&said("", 127), true).got().is_none());
    }
}
