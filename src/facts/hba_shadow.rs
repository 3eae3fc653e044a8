//! Lines that can never decide anything because one earlier line catches all they would.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use crate::parse::hba::{Address, ConnType, Hba, HbaRule, Meaning, NameToken, Perhaps};
use crate::source::Spanned;

use super::hba_decision::name_fits;

/// For each rule the first one in front of it that alone catches every connection that it would.
///
/// Careful: only what holds on any server counts, so two lines that together hide a third are not found, and a regular
/// expression hides a name but no other expression than itself.
#[must_use]
pub fn all_hidden(hba: &Hba) -> Vec<Option<usize>> {
    let mut seen = Index::default();
    let mut hidden = Vec::with_capacity(hba.rules.len());
    for (index, later) in hba.rules.iter().enumerate() {
        // What can never match hides nothing, and that it is never reached is no news.
        let matches = later.warning.is_none();
        let candidates = if matches { seen.candidates(later) } else { Vec::new() };
        let first = candidates.into_iter().filter(|c| catches_all(&hba.rules[*c], later)).min();
        // What a template may leave out hides nothing either.
        if matches && first.is_none() && !later.optional {
            seen.add(index, later);
        }
        hidden.push(first);
    }
    hidden
}

/// How many rules of one place are compared: files of many thousand lines must stay cheap, and the first few decide.
const PER_PLACE: usize = 32;
/// A rule with more pairs of database and role is compared with every later one of its kind.
const MAX_PAIRS: usize = 64;

/// What a name catches, roughly: what is caught by a rule stands under the same word, under `all` or under something open.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Word {
    All,
    Name(Box<str>),
    Open,
}

impl Word {
    fn of(token: &NameToken) -> Self {
        match token.meaning {
            Meaning::All => Self::All,
            Meaning::Name => Self::Name(token.text.clone()),
            _ => Self::Open,
        }
    }

    fn caught_by(&self) -> Vec<Self> {
        let mut words = vec![Self::All, Self::Open];
        if let Self::Name(_) = self {
            words.push(self.clone());
        }
        words
    }
}

/// Rules that no earlier one hides, by what they speak of.
#[derive(Debug, Default)]
struct Index {
    places: HashMap<(Word, Word), Place>,
}

/// Rules of one database and role, by address.
#[derive(Debug, Default)]
struct Place {
    /// By mask, then by the bits that it leaves.
    ranges: BTreeMap<IpAddr, HashMap<IpAddr, Vec<usize>>>,
    names: HashMap<String, Vec<usize>>,
    others: Vec<usize>,
}

fn keep(list: &mut Vec<usize>, index: usize) {
    if list.len() < PER_PLACE {
        list.push(index);
    }
}

/// The bits of an address that a mask leaves; `None` when they are not of one family.
fn masked(addr: IpAddr, mask: IpAddr) -> Option<IpAddr> {
    match (addr, mask) {
        (IpAddr::V4(a), IpAddr::V4(m)) => Some(IpAddr::V4((a.to_bits() & m.to_bits()).into())),
        (IpAddr::V6(a), IpAddr::V6(m)) => Some(IpAddr::V6((a.to_bits() & m.to_bits()).into())),
        _ => None,
    }
}

impl Index {
    fn add(&mut self, index: usize, rule: &HbaRule) {
        if rule.databases.len() * rule.users.len() <= MAX_PAIRS {
            for database in &rule.databases {
                for user in &rule.users {
                    let pair = (Word::of(&database.value), Word::of(&user.value));
                    self.places.entry(pair).or_default().add(index, rule);
                }
            }
        } else {
            self.places.entry((Word::Open, Word::Open)).or_default().add(index, rule);
        }
    }

    fn candidates(&self, later: &HbaRule) -> Vec<usize> {
        let mut found = Vec::new();
        let (Some(database), Some(user)) = (later.databases.first(), later.users.first()) else { return found };
        for database in Word::of(&database.value).caught_by() {
            for user in Word::of(&user.value).caught_by() {
                if let Some(place) = self.places.get(&(database.clone(), user)) {
                    place.candidates(later, &mut found);
                }
            }
        }
        found
    }
}

impl Place {
    fn add(&mut self, index: usize, rule: &HbaRule) {
        match rule.address.as_ref().map(|a| &a.value) {
            Some(Address::Range { addr, mask }) => {
                if let Some(bits) = masked(*addr, *mask) {
                    keep(self.ranges.entry(*mask).or_default().entry(bits).or_default(), index);
                }
            }
            Some(Address::HostName(name)) if !name.starts_with('.') => {
                keep(self.names.entry(name.to_ascii_lowercase()).or_default(), index);
            }
            _ => keep(&mut self.others, index),
        }
    }

    fn candidates(&self, later: &HbaRule, found: &mut Vec<usize>) {
        found.extend(&self.others);
        match later.address.as_ref().map(|a| &a.value) {
            Some(Address::Range { addr, .. }) => {
                for (mask, by_bits) in &self.ranges {
                    found.extend(masked(*addr, *mask).and_then(|bits| by_bits.get(&bits)).into_iter().flatten());
                }
            }
            Some(Address::HostName(name)) => {
                found.extend(self.names.get(&name.to_ascii_lowercase()).into_iter().flatten());
            }
            _ => {}
        }
    }
}

/// Whether every connection that fits `later` fits `earlier`.
#[must_use]
pub fn catches_all(earlier: &HbaRule, later: &HbaRule) -> bool {
    kind_catches(earlier.kind.value, later.kind.value)
        && address_catches(earlier, later)
        && names_catch(&earlier.databases, &later.databases, database_catches)
        && names_catch(&earlier.users, &later.users, user_catches)
}

/// Whether a line of which a template fills in parts may catch every connection of a rule.
#[must_use]
pub fn may_catch_all(part: &Perhaps, later: &HbaRule) -> bool {
    let address = match (&part.address, &later.address) {
        (Some(earlier), Some(later)) => range_catches(earlier, &later.value),
        (None, Some(later)) => part.bits.is_none_or(|bits| has_bits(&later.value, bits)),
        (_, None) => true,
    };
    address
        && part.kind.is_none_or(|kind| kind_catches(kind, later.kind.value))
        && part.databases.as_ref().is_none_or(|own| names_catch(own, &later.databases, database_catches))
        && part.users.as_ref().is_none_or(|own| names_catch(own, &later.users, user_catches))
}

/// Whether an address may lie in a range of which so many bits count.
fn has_bits(address: &Address, bits: u8) -> bool {
    match address {
        Address::Range { mask: IpAddr::V4(mask), .. } => mask.to_bits().leading_ones() >= bits.into(),
        Address::Range { mask: IpAddr::V6(mask), .. } => mask.to_bits().leading_ones() >= bits.into(),
        Address::All | Address::HostName(_) | Address::SameHost | Address::SameNet => false,
    }
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
    range_catches(&earlier.value, &later.value)
}

fn range_catches(earlier: &Address, later: &Address) -> bool {
    match (earlier, later) {
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
    use super::{all_hidden, catches_all};
    use crate::parse::hba::tests::NoFiles;
    use crate::parse::hba::{Hba, parse};
    use crate::source::Source;

    fn last_is_hidden(text: &str) -> bool {
        let hba: Hba = parse(&Source::lone("pg_hba.conf", text), &NoFiles, 18).tree;
        all_hidden(&hba).last().copied().flatten().is_some()
    }

    #[test]
    fn the_index_finds_what_comparing_each_with_each_finds() {
        let (kinds, databases) =
            (["host", "hostssl", "hostnossl", "local"], ["all", "a", "a,b", "replication", "/^a", "sameuser"]);
        let users = ["all", "joe", "joe,ann", "+staff", "/^j"];
        let addresses =
            ["all", "10.0.0.0/8", "10.1.0.0/16", "10.1.2.3/32", "::/0", "::1/128", "samenet", "db1.x", ".x"];
        let mut seed = 7_u64;
        let mut pick = |n: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(seed >> 33).expect("31 bits") % n
        };
        for _ in 0..200 {
            let mut text = String::new();
            for _ in 0..12 {
                let kind = kinds[pick(4)];
                let address = if kind == "local" { "" } else { addresses[pick(9)] };
                text += [kind, databases[pick(6)], users[pick(5)], address, "md5\n"].join(" ").as_str();
            }
            let hba: Hba = parse(&Source::lone("pg_hba.conf", text.clone()), &NoFiles, 18).tree;
            for (index, hidden) in all_hidden(&hba).into_iter().enumerate() {
                let plain = hba.rules[..index].iter().position(|e| catches_all(e, &hba.rules[index]));
                assert_eq!(hidden.is_some(), plain.is_some(), "line {} of\n{text}", index + 1);
            }
        }
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
