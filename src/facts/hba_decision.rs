//! Which line of `pg_hba.conf` decides a connection: `check_hba` in `src/backend/libpq/hba.c`.
//!
//! The first line whose type, address, database and role all fit decides, whatever comes of the log-in. A condition that we
//! lack a fact for is a [`Gap`] only if the line's other conditions fit; otherwise it cannot change the outcome.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::facts::gap::{Fact, Gap, GapReason};
use crate::facts::roles::RoleGraph;
use crate::parse::hba::address::in_range;
use crate::parse::hba::{Address, ConnType, Hba, HbaRule, Meaning, NameToken, Perhaps};
use crate::source::Spanned;

/// How a client reaches the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// Unix socket.
    Local,
    /// TCP.
    Host {
        /// The client's address as the server sees it.
        addr: IpAddr,
        /// With TLS.
        tls: bool,
        /// With GSSAPI encryption.
        gss: bool,
    },
}

/// What a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Database {
    /// A database; also for logical replication (`replication=database`).
    Named(String),
    /// Physical replication (`replication=true`): only the keyword `replication` lets it in, not `all`, not a name.
    PhysicalReplication,
}

/// A connection to decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// How.
    pub via: Via,
    /// To what.
    pub database: Database,
    /// As whom.
    pub user: String,
}

/// A network interface of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interface {
    /// Its address.
    pub addr: IpAddr,
    /// Its netmask.
    pub mask: IpAddr,
}

/// What the server's resolver says of a client's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientName {
    /// The name of the address.
    pub name: String,
    /// The addresses of that name.
    pub addresses: Vec<IpAddr>,
}

/// Facts beyond the file that a decision may need.
#[derive(Debug, Clone)]
pub struct Surroundings<'a> {
    /// Roles of the server.
    pub roles: Fact<&'a RoleGraph>,
    /// Interfaces of the server, loopback among them.
    pub interfaces: Fact<&'a [Interface]>,
    /// The client's name; `None` when its address has none.
    pub client_name: Fact<Option<ClientName>>,
}

impl Surroundings<'_> {
    /// Nothing is known but the file.
    #[must_use]
    pub fn unknown() -> Self {
        let missing = |what: &str| Gap::new(what, GapReason::NotGiven);
        Self {
            roles: Err(missing("role memberships")),
            interfaces: Err(missing("network interfaces of the server")),
            client_name: Err(missing("the name that the client's address resolves to")),
        }
    }
}

/// The outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The rule with this index decides.
    Rule(usize),
    /// No rule fits: the server says `no pg_hba.conf entry`.
    NoMatch,
}

/// Finds the rule that decides a connection.
///
/// # Errors
/// When a fact is missing that could change the outcome.
pub fn decide(hba: &Hba, connection: &Connection, around: &Surroundings<'_>) -> Fact<Decision> {
    // What the server warns of (TLS that is off, a build without GSSAPI) can never match.
    decide_by(hba, connection, around, |rule| rule.warning.is_none())
}

/// The same, if the server had TLS: lines for TLS connections, which it passes over now, count.
///
/// # Errors
/// When a fact is missing that could change the outcome.
pub fn decide_with_tls(hba: &Hba, connection: &Connection, around: &Surroundings<'_>) -> Fact<Decision> {
    decide_by(hba, connection, around, |rule| rule.warning.is_none() || rule.kind.value == ConnType::HostSsl)
}

fn decide_by(
    hba: &Hba,
    connection: &Connection,
    around: &Surroundings<'_>,
    counts: impl Fn(&HbaRule) -> bool,
) -> Fact<Decision> {
    let asked = Asked { connection, around, groups: OnceCell::new() };
    let mut perhaps = hba.perhaps.iter().peekable();
    for (index, rule) in hba.rules.iter().enumerate() {
        while let Some(part) = perhaps.next_if(|p| p.before <= index) {
            asked.refuse_doubt(part)?;
        }
        if counts(rule) && asked.fits(rule)? {
            return if rule.optional { Err(filled_in()) } else { Ok(Decision::Rule(index)) };
        }
    }
    perhaps.try_for_each(|part| asked.refuse_doubt(part))?;
    Ok(Decision::NoMatch)
}

/// A template decides what a line says, or whether it is there.
fn filled_in() -> Gap {
    Gap::new("`pg_hba.conf` (a template fills in lines that matter)", GapReason::Unreadable)
}

struct Asked<'a> {
    connection: &'a Connection,
    around: &'a Surroundings<'a>,
    groups: OnceCell<Fact<BTreeSet<&'a str>>>,
}

/// All must hold: what certainly does not outweighs what is not known.
fn all(conditions: impl IntoIterator<Item = Fact<bool>>) -> Fact<bool> {
    let mut missing = None;
    for condition in conditions {
        match condition {
            Ok(true) => {}
            Ok(false) => return Ok(false),
            Err(gap) => missing = missing.or(Some(gap)),
        }
    }
    missing.map_or(Ok(true), Err)
}

/// One must hold: what certainly does outweighs what is not known.
fn any(conditions: impl IntoIterator<Item = Fact<bool>>) -> Fact<bool> {
    let mut missing = None;
    for condition in conditions {
        match condition {
            Ok(false) => {}
            Ok(true) => return Ok(true),
            Err(gap) => missing = missing.or(Some(gap)),
        }
    }
    missing.map_or(Ok(false), Err)
}

impl<'a> Asked<'a> {
    fn fits(&self, rule: &HbaRule) -> Fact<bool> {
        if !self.kind_fits(rule.kind.value) {
            return Ok(false);
        }
        let address = self.address_fits(rule.address.as_ref().map(|a| &a.value));
        if address == Ok(false) {
            return Ok(false);
        }
        all([
            address,
            any(rule.databases.iter().map(|d| self.database_fits(d))),
            any(rule.users.iter().map(|u| self.user_fits(u))),
        ])
    }

    /// A gap when a line of which not all is known could decide.
    fn refuse_doubt(&self, part: &Perhaps) -> Fact<()> {
        let fits = |names: &Option<Box<[Spanned<NameToken>]>>, one: &dyn Fn(&Spanned<NameToken>) -> Fact<bool>| {
            names.as_ref().is_none_or(|names| any(names.iter().map(one)) != Ok(false))
        };
        let may_fit = part.kind.is_none_or(|kind| self.kind_fits(kind))
            && self.address_fits(part.address.as_ref()) != Ok(false)
            && fits(&part.databases, &|d| self.database_fits(d))
            && fits(&part.users, &|u| self.user_fits(u));
        if may_fit { Err(filled_in()) } else { Ok(()) }
    }

    const fn kind_fits(&self, kind: ConnType) -> bool {
        match (self.connection.via, kind) {
            (Via::Local, kind) => matches!(kind, ConnType::Local),
            (Via::Host { .. }, ConnType::Local) => false,
            (Via::Host { .. }, ConnType::Host) => true,
            (Via::Host { tls, .. }, ConnType::HostSsl) => tls,
            (Via::Host { tls, .. }, ConnType::HostNoSsl) => !tls,
            (Via::Host { gss, .. }, ConnType::HostGssEnc) => gss,
            (Via::Host { gss, .. }, ConnType::HostNoGssEnc) => !gss,
        }
    }

    fn address_fits(&self, address: Option<&Address>) -> Fact<bool> {
        let (Via::Host { addr, .. }, Some(address)) = (self.connection.via, address) else { return Ok(true) };
        match address {
            Address::All => Ok(true),
            Address::Range { addr: base, mask } => Ok(in_range(addr, *base, *mask)),
            Address::SameHost => Ok(self.around.interfaces.clone()?.iter().any(|i| i.addr == addr)),
            Address::SameNet => Ok(self.around.interfaces.clone()?.iter().any(|i| in_range(addr, i.addr, i.mask))),
            Address::HostName(pattern) => match &self.around.client_name {
                Ok(known) => Ok(known
                    .as_ref()
                    .is_some_and(|client| name_fits(pattern, &client.name) && client.addresses.contains(&addr))),
                Err(gap) => Err(gap.clone()),
            },
        }
    }

    fn groups(&self) -> Fact<&BTreeSet<&'a str>> {
        let known =
            self.groups.get_or_init(|| self.around.roles.clone().map(|roles| roles.memberships(&self.connection.user)));
        known.as_ref().map_err(Clone::clone)
    }

    fn is_member(&self, group: &str) -> Fact<bool> {
        self.groups().map(|groups| groups.contains(group))
    }

    fn database_fits(&self, token: &Spanned<NameToken>) -> Fact<bool> {
        let Database::Named(database) = &self.connection.database else {
            return Ok(token.value.meaning == Meaning::Replication);
        };
        match &token.value.meaning {
            Meaning::All => Ok(true),
            Meaning::SameUser => Ok(*database == self.connection.user),
            Meaning::SameRole => self.is_member(database),
            Meaning::Replication => Ok(false),
            Meaning::Regex(are) => are.is_match(database).ok_or_else(|| not_understood(are.pattern())),
            Meaning::Name | Meaning::MemberOf => Ok(*token.value.text == **database),
        }
    }

    fn user_fits(&self, token: &Spanned<NameToken>) -> Fact<bool> {
        let user = self.connection.user.as_str();
        match &token.value.meaning {
            Meaning::All => Ok(true),
            Meaning::MemberOf => self.is_member(token.value.group().unwrap_or_default()),
            Meaning::Regex(are) => are.is_match(user).ok_or_else(|| not_understood(are.pattern())),
            Meaning::Name | Meaning::SameUser | Meaning::SameRole | Meaning::Replication => {
                Ok(*token.value.text == *user)
            }
        }
    }
}

pub(crate) fn not_understood(pattern: &str) -> Gap {
    Gap::new(format!("regular expression \"{pattern}\" is not understood"), GapReason::Unreadable)
}

/// `hostname_match`: case does not matter, a leading dot asks for the end of the name.
pub(crate) fn name_fits(pattern: &str, name: &str) -> bool {
    if pattern.starts_with('.') {
        let (name, pattern) = (name.as_bytes(), pattern.as_bytes());
        return name.len() >= pattern.len() && name[name.len() - pattern.len()..].eq_ignore_ascii_case(pattern);
    }
    pattern.eq_ignore_ascii_case(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::hba::tests::NoFiles;
    use crate::source::Source;

    fn hba(text: &str) -> Hba {
        crate::parse::hba::parse(&Source::lone("pg_hba.conf", text), &NoFiles, 18).tree
    }

    fn host(addr: &str, database: Database) -> Connection {
        let addr = addr.parse().expect("an address");
        Connection { via: Via::Host { addr, tls: false, gss: false }, database, user: "joe".to_owned() }
    }

    #[test]
    fn all_does_not_let_physical_replication_in() {
        let rules = hba("host all all all trust\nhost replication joe 10.0.0.0/8 md5\n");
        let decided = |c: &Connection| decide(&rules, c, &Surroundings::unknown());
        assert_eq!(decided(&host("10.0.0.1", Database::PhysicalReplication)), Ok(Decision::Rule(1)));
        assert_eq!(decided(&host("11.0.0.1", Database::PhysicalReplication)), Ok(Decision::NoMatch));
        assert_eq!(decided(&host("11.0.0.1", Database::Named("replication".to_owned()))), Ok(Decision::Rule(0)));
    }

    #[test]
    fn a_missing_fact_matters_only_where_the_rest_of_the_line_fits() {
        let rules = hba("host other all samenet trust\nhost app +staff,joe all md5\nhost app all db.example.com md5\n");
        let app = || Database::Named("app".to_owned());
        assert_eq!(decide(&rules, &host("10.0.0.1", app()), &Surroundings::unknown()), Ok(Decision::Rule(1)));
        let mut ann = host("10.0.0.1", app());
        ann.user = "ann".to_owned();
        let gap = decide(&rules, &ann, &Surroundings::unknown()).expect_err("membership is not known");
        assert_eq!(gap.what, "role memberships");
    }

    #[test]
    fn a_client_must_have_a_name_that_leads_back_to_it() {
        let rules = hba("host all all .example.com trust\n");
        let client = host("10.0.0.1", Database::Named("app".to_owned()));
        let with = |addresses: Vec<IpAddr>| Surroundings {
            client_name: Ok(Some(ClientName { name: "DB1.Example.com".to_owned(), addresses })),
            ..Surroundings::unknown()
        };
        assert_eq!(decide(&rules, &client, &with(vec!["10.0.0.1".parse().expect("ip")])), Ok(Decision::Rule(0)));
        assert_eq!(decide(&rules, &client, &with(vec!["10.0.0.2".parse().expect("ip")])), Ok(Decision::NoMatch));
    }

    #[test]
    fn what_a_template_fills_in_matters_only_where_the_rest_of_the_line_fits() {
        use crate::parse::template::{Engine, Format, scan};
        let text = "local all all {{ m }}\nhost other {{ u }} all md5\nhost all {{ u }} 10.0.0.0/8 md5\n\
                    host all all 11.0.0.0/8 trust\n{% if x %}\nhost all all 12.0.0.0/8 trust\n{% endif %}\n\
                    host all all 13.0.0.0/8 trust\n{{ more }}\n";
        let template = scan(text.as_bytes(), Engine::Jinja, Format::Lines);
        let source = Source::lone("pg_hba.conf", text).with_template(template);
        let parsed = crate::parse::hba::parse(&source, &NoFiles, 18);
        assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
        let decided = |addr: &str| {
            let connection = host(addr, Database::Named("app".to_owned()));
            decide(&parsed.tree, &connection, &Surroundings::unknown()).map_err(|gap| gap.why)
        };
        assert_eq!(decided("10.0.0.1"), Err(GapReason::Unreadable));
        assert_eq!(decided("11.0.0.1"), Ok(Decision::Rule(0)));
        assert_eq!(decided("12.0.0.1"), Err(GapReason::Unreadable));
        assert_eq!(decided("13.0.0.1"), Ok(Decision::Rule(2)));
        assert_eq!(decided("14.0.0.1"), Err(GapReason::Unreadable));
    }
}
