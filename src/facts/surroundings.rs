//! What a server and its host tell of roles and interfaces, for decisions of `pg_hba.conf`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::gap::Fact;
use super::hba_decision::{Interface, Surroundings};
use super::nodes::Node;
use super::roles::RoleGraph;

/// What is known around a server.
#[derive(Debug, Clone)]
pub struct Around {
    roles: Fact<RoleGraph>,
    interfaces: Fact<Vec<Interface>>,
}

impl Around {
    /// As a server and its host tell it; nothing without one.
    #[must_use]
    pub fn of(node: Option<&Node>) -> Option<Self> {
        let node = node?;
        Some(Self { roles: roles(node), interfaces: interfaces(node) })
    }

    /// For a decision.
    #[must_use]
    pub fn surroundings(&self) -> Surroundings<'_> {
        Surroundings {
            roles: self.roles.as_ref().map_err(Clone::clone),
            interfaces: self.interfaces.as_deref().map_err(Clone::clone),
            ..Surroundings::unknown()
        }
    }
}

fn roles(node: &Node) -> Fact<RoleGraph> {
    let mut graph = RoleGraph::default();
    for row in node.rows("roles")? {
        graph.add(row.get("rolname").unwrap_or_default());
    }
    for row in node.rows("role_members")? {
        graph.grant(row.get("role").unwrap_or_default(), row.get("member").unwrap_or_default());
    }
    Ok(graph)
}

fn interfaces(node: &Node) -> Fact<Vec<Interface>> {
    let addresses = node.answer("the addresses of its interfaces", &node.host()?.value().addresses)?;
    let one = |a: &crate::bundle::host::Address| {
        let addr: IpAddr = a.address.parse().ok()?;
        Some(Interface { addr, mask: mask(addr, a.prefix) })
    };
    Ok(addresses.iter().filter_map(one).collect())
}

/// The netmask of that length.
fn mask(addr: IpAddr, prefix: u8) -> IpAddr {
    match addr {
        IpAddr::V4(_) => {
            let bits = u32::MAX.checked_shl(32_u32.saturating_sub(prefix.into())).unwrap_or(0);
            Ipv4Addr::from(bits).into()
        }
        IpAddr::V6(_) => {
            let bits = u128::MAX.checked_shl(128_u32.saturating_sub(prefix.into())).unwrap_or(0);
            Ipv6Addr::from(bits).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::mask;

    #[test]
    fn masks_have_the_length_of_the_prefix() {
        for (address, prefix, wanted) in [
            ("10.0.0.1", 24, "255.255.255.0"),
            ("10.0.0.1", 32, "255.255.255.255"),
            ("10.0.0.1", 0, "0.0.0.0"),
            ("fd00::1", 64, "ffff:ffff:ffff:ffff::"),
            ("::1", 128, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ] {
            let found = mask(address.parse().expect("an address"), prefix);
            assert_eq!(found.to_string(), wanted, "{address}/{prefix}");
        }
    }
}
