//! Lines that can never decide anything because one earlier line catches all they would.

use crate::parse::hba::{Address, ConnType, Hba, HbaRule, Meaning, NameToken};
use crate::source::Spanned;

use super::hba_decision::name_fits;

/// The first rule in front of `index` that alone catches every connection that rule `index` would.
///
/// Careful: a line that a template may leave out hides nothing; only what holds on any server counts, so two lines that together hide a third are not found, and a regular
/// expression hides a name but no other expression than itself.
#[must_use]
pub fn hidden_by(hba: &Hba, index: usize) -> Option<usize> {
    let later = hba.rules.get(index)?;
    hba.rules[..index].iter().position(|earlier| !earlier.optional && catches_all(earlier, later))
}

/// Whether every connection that fits `later` fits `earlier`.
#[must_use]
pub fn catches_all(earlier: &HbaRule, later: &HbaRule) -> bool {
    kind_catches(earlier.kind.value, later.kind.value)
        && address_catches(earlier, later)
        && names_catch(&earlier.databases, &later.databases, database_catches)
        && names_catch(&earlier.users, &later.users, user_catches)
}

const fn kind_catches(earlier: ConnType, later: ConnType) -> bool {
    use ConnType::{Host, HostGssEnc, HostNoGssEnc, HostNoSsl, HostSsl, Local};
    // A connection has TLS or GSSAPI encryption, never both.
    matches!(
        (earlier, later),
        (Local, Local)
            | (Host, Host | HostSsl | HostNoSsl | HostGssEnc | HostNoGssEnc)
            | (HostSsl, HostSsl)
            | (HostNoSsl, HostNoSsl | HostGssEnc)
            | (HostGssEnc, HostGssEnc)
            | (HostNoGssEnc, HostNoGssEnc | HostSsl)
    )
}

fn address_catches(earlier: &HbaRule, later: &HbaRule) -> bool {
    let (Some(earlier), Some(later)) = (&earlier.address, &later.address) else { return true };
    match (&earlier.value, &later.value) {
        (Address::All, _)
        | (Address::SameNet, Address::SameNet | Address::SameHost)
        | (Address::SameHost, Address::SameHost) => true,
        (Address::HostName(a), Address::HostName(b)) => a.eq_ignore_ascii_case(b) || name_fits(a, b),
        (Address::Range { addr: a, mask: am }, Address::Range { addr: b, mask: bm }) => {
            use std::net::IpAddr::{V4, V6};
            match (a, am, b, bm) {
                (V4(a), V4(am), V4(b), V4(bm)) => {
                    let am = am.to_bits();
                    am & !bm.to_bits() == 0 && (a.to_bits() ^ b.to_bits()) & am == 0
                }
                (V6(a), V6(am), V6(b), V6(bm)) => {
                    let am = am.to_bits();
                    am & !bm.to_bits() == 0 && (a.to_bits() ^ b.to_bits()) & am == 0
                }
                _ => false,
            }
        }
        _ => false,
    }
}

fn names_catch(
    earlier: &[Spanned<NameToken>],
    later: &[Spanned<NameToken>],
    one: fn(&NameToken, &NameToken) -> bool,
) -> bool {
    later.iter().all(|b| earlier.iter().any(|a| one(&a.value, &b.value)))
}

fn database_catches(a: &NameToken, b: &NameToken) -> bool {
    match (&a.meaning, &b.meaning) {
        (Meaning::All, Meaning::Replication) => false,
        (Meaning::All, _)
        | (Meaning::SameUser, Meaning::SameUser)
        | (Meaning::SameRole, Meaning::SameRole)
        | (Meaning::Replication, Meaning::Replication) => true,
        (Meaning::Regex(a), Meaning::Regex(b)) => a == b,
        (Meaning::Regex(a), Meaning::Name) => a.is_match(&b.text) == Some(true),
        (Meaning::Name, Meaning::Name) => a.text == b.text,
        _ => false,
    }
}

fn user_catches(a: &NameToken, b: &NameToken) -> bool {
    match (&a.meaning, &b.meaning) {
        (Meaning::All, _) => true,
        (Meaning::Regex(a), Meaning::Regex(b)) => a == b,
        (Meaning::Regex(a), Meaning::Name) => a.is_match(&b.text) == Some(true),
        (Meaning::MemberOf, Meaning::MemberOf) | (Meaning::Name, Meaning::Name) => a.text == b.text,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::hidden_by;
    use crate::parse::hba::tests::NoFiles;
    use crate::parse::hba::{Hba, parse};
    use crate::source::Source;

    fn last_is_hidden(text: &str) -> bool {
        let hba: Hba = parse(&Source::lone("pg_hba.conf", text), &NoFiles, 18).tree;
        hidden_by(&hba, hba.rules.len() - 1).is_some()
    }

    #[test]
    fn a_wider_line_hides_a_narrower_one() {
        assert!(last_is_hidden("host all all 10.0.0.0/8 reject\nhostssl app joe 10.1.0.0/16 md5"));
        assert!(last_is_hidden("host all /^j all reject\nhost app joe .example.com md5"));
        assert!(!last_is_hidden("host all all 0.0.0.0/0 reject\nhost app joe all md5"));
        assert!(!last_is_hidden("host all all all reject\nhost replication joe all md5"));
        assert!(!last_is_hidden("hostssl all all all reject\nhost app joe all md5"));
        assert!(!last_is_hidden("host app joe 10.0.0.0/16 reject\nhost app joe 10.0.0.0/8 md5"));
    }
}
