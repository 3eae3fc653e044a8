//! The connections that Patroni and its standbys need, and whether `pg_hba.conf` lets them in.

use std::net::{IpAddr, Ipv4Addr};

use super::gap::{Fact, Gap, GapReason};
use super::hba_decision::{Connection, Database, Decision, Surroundings, Via, decide};
use super::{Facts, Member, PatroniFile};
use crate::parse::hba::{Hba, Method};
use crate::parse::patroni::{Type, parse_bool};

/// What `pg_hba.conf` makes of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// The rule with this index asks it for its credentials, or lets it in.
    Asked(usize),
    /// The rule with this index turns it away.
    Refused(usize),
    /// No rule speaks of it.
    NoLine,
}

impl Admission {
    /// Whether the client gets as far as a log-in.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Asked(_))
    }
}

/// A login of Patroni: who, and which kinds of transport its `sslmode` lets libpq try, in order (true: TLS).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The role.
    pub user: String,
    transports: &'static [bool],
}

/// The login of a role of `postgresql.authentication`. Without the section for rewinding, Patroni rewinds as superuser
/// (`ConfigHandler.rewind_credentials`).
#[must_use]
pub fn login(file: &PatroniFile, role: &str) -> Option<Login> {
    let authentication = file.config.get("postgresql.authentication")?;
    let section = match authentication.get(role) {
        None if role == "rewind" => authentication.get("superuser")?,
        other => other?,
    };
    let user = section.get("username")?.as_str()?.to_owned();
    let transports: &[bool] = match section.get("sslmode").and_then(|s| s.as_str()) {
        Some("disable") => &[false],
        Some("require" | "verify-ca" | "verify-full") => &[true],
        Some("allow") => &[false, true],
        _ => &[true, false],
    };
    Some(Login { user, transports })
}

/// The same, where a template may decide who logs in.
///
/// # Errors
/// When the role's name or how it connects is not known.
pub fn known_login(file: &PatroniFile, role: &str, member: &Member) -> Fact<Option<Login>> {
    let found = login(file, role);
    let path = format!("postgresql.authentication.{role}.sslmode");
    if file.config.get(&path).is_some_and(|i| i.kind() == Type::Unknown) {
        return Err(Gap::new(format!("`{path}`"), GapReason::Unreadable).on(&member.name));
    }
    let path = format!("postgresql.authentication.{role}.username");
    if found.is_some() || file.is_absent(&path) || !file.config.is_complete() {
        return Ok(found);
    }
    match file.config.get(&path) {
        Some(item) if item.kind() != Type::Unknown => Ok(None),
        _ => Err(Gap::new(format!("`{path}`"), GapReason::Unreadable).on(&member.name)),
    }
}

/// Where Patroni's own connections to its server come from (`ConfigHandler.resolve_connection_addresses`).
///
/// # Errors
/// When that needs a name to be resolved.
pub fn own_address(facts: &Facts, member: &Member) -> Fact<Option<IpAddr>> {
    let config = &facts.patroni[member.file].config;
    let truthy = |key: &str| {
        config
            .get(key)
            .is_some_and(|i| i.kind() == Type::Bool && i.as_setting().is_some_and(|s| parse_bool(&s) == Some(true)))
    };
    let sockets = config.get("postgresql.parameters.unix_socket_directories").is_some();
    if config.get("postgresql.use_unix_socket").is_some_and(|i| i.kind() == Type::Unknown) {
        return Err(Gap::new("`postgresql.use_unix_socket`", GapReason::Unreadable).on(&member.name));
    }
    if truthy("postgresql.use_unix_socket") && sockets {
        return Ok(None);
    }
    let unknown = |what: &str, why| Err(Gap::new(what, why).on(&member.name));
    let Some(listen) = config.listen() else { return unknown("`postgresql.listen`", GapReason::Unreadable) };
    let hosts: Vec<&str> = listen.value.0.split(',').map(str::trim).collect();
    if hosts.iter().any(|h| ["*", "localhost", "0.0.0.0", "127.0.0.1"].contains(&h.to_ascii_lowercase().as_str())) {
        return Ok(Some(IpAddr::V4(Ipv4Addr::LOCALHOST)));
    }
    match hosts[0].trim_matches(['[', ']']).parse() {
        Ok(address) => Ok(Some(address)),
        Err(_) => unknown(&format!("the address of `{}`", hosts[0]), GapReason::NotGiven),
    }
}

/// Where a member's connections to other members come from: its published address, as long as that is a number.
///
/// # Errors
/// When that needs a name to be resolved.
pub fn address_of(facts: &Facts, member: &Member) -> Fact<IpAddr> {
    let config = &facts.patroni[member.file].config;
    let is_filled_in = config.get("postgresql.connect_address").is_some_and(|i| i.kind() == Type::Unknown);
    let host = config.connect_address().or_else(|| config.listen().filter(|_| !is_filled_in)).map(|a| a.value.0);
    let Some(host) = host else {
        return Err(Gap::new("`postgresql.connect_address`", GapReason::Unreadable).on(&member.name));
    };
    let address: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
    match address {
        Some(address) if !address.is_unspecified() && !address.is_loopback() => Ok(address),
        Some(_) => Err(Gap::new("an address that others can reach", GapReason::NotGiven).on(&member.name)),
        None => Err(Gap::new(format!("the address of host `{host}`"), GapReason::NotGiven).on(&member.name)),
    }
}

/// Whether a login gets in: the first transport that is not turned away counts, as libpq tries them in turn.
///
/// # Errors
/// When a fact that matters is missing, or when the server would refuse the file as a whole.
pub fn admission(hba: &Hba, login: &Login, from: Option<IpAddr>, database: &Database, member: &str) -> Fact<Admission> {
    if !hba.unreadable.is_empty() {
        return Err(Gap::new("`pg_hba.conf` (it has lines that no server takes)", GapReason::Unreadable).on(member));
    }
    let mut outcome = Admission::NoLine;
    let transports: &[bool] = if from.is_none() { &[false] } else { login.transports };
    for tls in transports {
        let via = from.map_or(Via::Local, |addr| Via::Host { addr, tls: *tls, gss: false });
        let connection = Connection { via, database: database.clone(), user: login.user.clone() };
        let decision = decide(hba, &connection, &Surroundings::unknown()).map_err(|gap| gap.on(member))?;
        outcome = match decision {
            Decision::Rule(rule) if hba.rules[rule].method.value == Method::Reject => Admission::Refused(rule),
            Decision::Rule(rule) => return Ok(Admission::Asked(rule)),
            Decision::NoMatch if outcome == Admission::NoLine => Admission::NoLine,
            Decision::NoMatch => outcome,
        };
    }
    Ok(outcome)
}
