//! The address column: what glibc takes for a numeric address, and everything else, which is a host name.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Which clients a line speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// `all`.
    All,
    /// `samehost`: any address of the server itself.
    SameHost,
    /// `samenet`: any address in a network the server has an interface in.
    SameNet,
    /// A name, or with a leading dot the end of one. Anything that is no numeric address is one.
    HostName(String),
    /// A range. The address keeps the bits that the mask drops.
    Range {
        /// The address as written.
        addr: IpAddr,
        /// The bits that count, also when they are no prefix.
        mask: IpAddr,
    },
}

/// `getaddrinfo(text, AI_NUMERICHOST)` of glibc: `None` stands for `EAI_NONAME`.
///
/// Versions of IPv4 with fewer parts, in hexadecimal or octal, are addresses too: `10` is `0.0.0.10`. The zone of
/// `fe80::1%eth0` must be a number or the name of an interface; PostgreSQL ignores it when it compares.
pub(crate) fn numeric(text: &str, interfaces: Option<&[String]>) -> Option<IpAddr> {
    if text.is_empty() {
        return None;
    }
    if let Some(v4) = inet_aton(text) {
        return Some(IpAddr::V4(v4));
    }
    let (address, zone) = text.split_once('%').map_or((text, None), |(a, z)| (a, Some(z)));
    let address: Ipv6Addr = address.parse().ok()?;
    match zone {
        Some(zone) if !is_zone(address, zone, interfaces) => None,
        _ => Some(IpAddr::V6(address)),
    }
}

fn is_zone(address: Ipv6Addr, zone: &str, interfaces: Option<&[String]>) -> bool {
    let first = address.segments()[0];
    let link_local = first & 0xffc0 == 0xfe80 || first & 0xff0f == 0xff02;
    if link_local && !zone.is_empty() && interfaces.is_none_or(|names| names.iter().any(|n| n == zone)) {
        return true;
    }
    !zone.is_empty() && zone.bytes().all(|b| b.is_ascii_digit()) && zone.parse::<u32>().is_ok()
}

/// `inet_aton` of glibc, nothing allowed behind the address.
fn inet_aton(text: &str) -> Option<Ipv4Addr> {
    let parts: Vec<&str> = text.split('.').collect();
    if parts.len() > 4 {
        return None;
    }
    let mut value = 0_u32;
    for (i, part) in parts.iter().enumerate() {
        let number = c_number(part)?;
        let last = i + 1 == parts.len();
        let bits = if last { 32 - 8 * i } else { 8 };
        if bits < 32 && number >> bits != 0 {
            return None;
        }
        value |= if last { number } else { number << (24 - 8 * i) };
    }
    Some(Ipv4Addr::from_bits(value))
}

/// `strtoul` with base 0 over a whole string that begins with a digit.
fn c_number(text: &str) -> Option<u32> {
    if !text.bytes().next()?.is_ascii_digit() {
        return None;
    }
    let (digits, radix) = match text.as_bytes() {
        [b'0', b'x' | b'X', _, ..] => (&text[2..], 16),
        [b'0', _, ..] => (&text[1..], 8),
        _ => (text, 10),
    };
    let plain = digits.bytes().all(|b| b.is_ascii_hexdigit());
    if plain { u32::from_str_radix(digits, radix).ok() } else { None }
}

/// The mask of a prefix length as `pg_sockaddr_cidr_mask` reads it, with `strtol`: white space, a sign and zeros may lead.
pub(crate) fn prefix_mask(text: &str, addr: IpAddr) -> Option<IpAddr> {
    let digits = text.trim_start_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
    let (negative, digits) = match digits.as_bytes().first()? {
        b'-' => (true, &digits[1..]),
        b'+' => (false, &digits[1..]),
        _ => (false, digits),
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let bits = digits.trim_start_matches('0');
    let bits: u32 = if bits.is_empty() { 0 } else { bits.parse().ok()? };
    if negative && bits != 0 {
        return None;
    }
    match addr {
        IpAddr::V4(_) if bits <= 32 => {
            Some(IpAddr::V4(Ipv4Addr::from_bits(u32::MAX.checked_shl(32 - bits).unwrap_or(0))))
        }
        IpAddr::V6(_) if bits <= 128 => {
            Some(IpAddr::V6(Ipv6Addr::from_bits(u128::MAX.checked_shl(128 - bits).unwrap_or(0))))
        }
        _ => None,
    }
}

/// Whether an address lies in a range; families never mix, not even for IPv4 inside IPv6.
#[must_use]
pub fn in_range(client: IpAddr, addr: IpAddr, mask: IpAddr) -> bool {
    match (client, addr, mask) {
        (IpAddr::V4(c), IpAddr::V4(a), IpAddr::V4(m)) => (c.to_bits() ^ a.to_bits()) & m.to_bits() == 0,
        (IpAddr::V6(c), IpAddr::V6(a), IpAddr::V6(m)) => (c.to_bits() ^ a.to_bits()) & m.to_bits() == 0,
        _ => false,
    }
}

/// An address as `getnameinfo` of glibc prints it; it writes `::1.2.3.4` where Rust writes `::102:304`.
#[must_use]
pub fn show(addr: IpAddr) -> String {
    match addr {
        IpAddr::V6(v6) => {
            let s = v6.segments();
            if s[..6] == [0; 6] && s[6] != 0 {
                format!("::{}", Ipv4Addr::from_bits(u32::from(s[6]) << 16 | u32::from(s[7])))
            } else {
                v6.to_string()
            }
        }
        IpAddr::V4(v4) => v4.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::{numeric, prefix_mask, show};

    #[test]
    fn short_and_octal_forms_are_addresses() {
        let shown = |t| numeric(t, None).map(show);
        assert_eq!(shown("10").as_deref(), Some("0.0.0.10"));
        assert_eq!(shown("10.1").as_deref(), Some("10.0.0.1"));
        assert_eq!(shown("0x7f.010.1").as_deref(), Some("127.8.0.1"));
        assert_eq!(shown("1.2.3.256"), None);
        assert_eq!(shown("1.2.3.09"), None);
        assert_eq!(shown("::1.2.3.4").as_deref(), Some("::1.2.3.4"));
        assert_eq!(shown("fe80::1%eth0").as_deref(), Some("fe80::1"));
        assert_eq!(shown("::1%eth0"), None);
    }

    #[test]
    fn prefix_lengths_are_read_by_strtol() {
        let ten = numeric("10.0.0.0", None).expect("an address");
        assert_eq!(prefix_mask(" +08", ten).map(show).as_deref(), Some("255.0.0.0"));
        assert_eq!(prefix_mask("0", ten).map(show).as_deref(), Some("0.0.0.0"));
        assert!(["33", "-1", "", "8x", "x", "99999999999999999999"].iter().all(|t| prefix_mask(t, ten).is_none()));
    }
}
