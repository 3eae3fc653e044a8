//! The connections that Patroni and its standbys need, and whether `pg_hba.conf` lets them in.

use std::net::{IpAddr, Ipv4Addr};

use super::gap::{Fact, Gap, GapReason};
use super::hba_decision::{Connection, Database, Decision, Surroundings, Via, decide, decide_with_tls};
use super::{Member, PatroniFile, Whole};
use crate::parse::hba::{ConnType, Hba, HbaRule, Method};
use crate::parse::patroni::{Item, Type};

/// What `pg_hba.conf` makes of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// The rule with this index asks it for its credentials, or lets it in.
    Asked(usize),
    /// The rule with this index turns it away.
    Refused(usize),
    /// Only the rule with this index would let it in, which is for TLS connections, and the server has TLS off.
    NeedsTls(usize),
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

impl Login {
    /// The transports that libpq tries over TCP, in order (true: TLS), with a server that offers TLS or does not; none when it insists on what
    /// the server does not have.
    #[must_use]
    pub fn tried(&self, has_tls: bool) -> &'static [bool] {
        match (has_tls, self.transports) {
            (true, transports) => transports,
            // `N` of the server, and the log-in goes on in clear.
            (false, transports) if transports.contains(&false) => &[false],
            (false, _) => &[],
        }
    }
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

/// The end of Patroni's own connections to its server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LocalEnd {
    /// A unix socket in that directory, or in the one that libpq was built with.
    Socket(Option<String>),
    /// TCP to the name `localhost`.
    Localhost,
    /// TCP to the first host of `postgresql.listen`.
    Host(String),
}

/// Where Patroni connects to its own server (`ConfigHandler.resolve_connection_addresses`); `switch` is `use_unix_socket` for
/// the superuser and `use_unix_socket_repl` for replication.
///
/// # Errors
/// When `postgresql.listen` is not known.
pub fn local_end(facts: &Whole, member: &Member, switch: &str) -> Fact<LocalEnd> {
    let file = &facts.patroni[member.file];
    file.known_postgresql(switch).map_err(|gap| gap.on(&member.name))?;
    if file.is_on(switch) {
        let directories = file.known_parameter("unix_socket_directories").map_err(|gap| gap.on(&member.name))?;
        match directories.map(Item::as_str) {
            None => return Ok(LocalEnd::Socket(None)),
            // Without an absolute one Patroni falls back to TCP.
            Some(directories) => {
                let all = directories.unwrap_or_default().split(',').map(str::trim);
                if let Some(dir) = all.into_iter().find(|d| d.starts_with('/')) {
                    return Ok(LocalEnd::Socket(Some(dir.to_owned())));
                }
            }
        }
    }
    let Some(listen) = file.config.listen() else {
        return Err(Gap::new("`postgresql.listen`", GapReason::Unreadable).on(&member.name));
    };
    let hosts: Vec<&str> = listen.value.0.split(',').map(str::trim).collect();
    if hosts.iter().any(|h| ["*", "localhost", "0.0.0.0", "127.0.0.1"].contains(&h.to_ascii_lowercase().as_str())) {
        return Ok(LocalEnd::Localhost);
    }
    Ok(LocalEnd::Host(hosts[0].trim_matches(['[', ']']).to_owned()))
}

/// The address that Patroni's own connections to its server come from; `None` for the unix socket.
///
/// # Errors
/// When that needs a name to be resolved.
pub fn own_address(facts: &Whole, member: &Member, switch: &str) -> Fact<Option<IpAddr>> {
    match local_end(facts, member, switch)? {
        LocalEnd::Socket(_) => Ok(None),
        LocalEnd::Localhost => Ok(Some(IpAddr::V4(Ipv4Addr::LOCALHOST))),
        LocalEnd::Host(host) => host
            .parse()
            .map(Some)
            .map_err(|_| Gap::new(format!("the address of `{host}`"), GapReason::NotGiven).on(&member.name)),
    }
}

/// Where a member's connections to other members come from: its published address, as long as that is a number.
///
/// # Errors
/// When that needs a name to be resolved.
pub fn address_of(facts: &Whole, member: &Member) -> Fact<IpAddr> {
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
    let transports: &[bool] = if from.is_none() { &[false] } else { login.transports };
    let asked = Attempt { user: &login.user, transports, from, database };
    admitted(hba, &asked, &Surroundings::unknown()).map(|(outcome, _)| outcome).map_err(|gap| gap.on(member))
}

/// A log-in that is tried.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// As whom.
    pub user: &'a str,
    /// By which transports, in order (true: TLS).
    pub transports: &'a [bool],
    /// From where; `None` for the unix socket.
    pub from: Option<IpAddr>,
    /// To what.
    pub database: &'a Database,
}

/// The same with what is known beside the file, and the transport that counts.
///
/// # Errors
/// When a fact that matters is missing, or when the server would refuse the file as a whole.
pub fn admitted(hba: &Hba, asked: &Attempt<'_>, around: &Surroundings<'_>) -> Fact<(Admission, bool)> {
    if !hba.unreadable.is_empty() {
        return Err(Gap::new("`pg_hba.conf` (it has lines that no server takes)", GapReason::Unreadable));
    }
    let Attempt { user, transports, from, database } = *asked;
    let mut outcome = Admission::NoLine;
    for tls in transports {
        let via = from.map_or(Via::Local, |addr| Via::Host { addr, tls: *tls, gss: false });
        let connection = Connection { via, database: database.clone(), user: user.to_owned() };
        outcome = match decide(hba, &connection, around)? {
            Decision::Rule(rule) if hba.rules[rule].method.value == Method::Reject => Admission::Refused(rule),
            Decision::Rule(rule) => return Ok((Admission::Asked(rule), *tls)),
            Decision::NoMatch if outcome == Admission::NoLine => Admission::NoLine,
            Decision::NoMatch => outcome,
        };
    }
    let passed_over = |rule: &HbaRule| rule.kind.value == ConnType::HostSsl && rule.warning.is_some();
    if let (Admission::NoLine, Some(addr), true) = (outcome, from, hba.rules.iter().any(passed_over)) {
        let via = Via::Host { addr, tls: true, gss: false };
        let connection = Connection { via, database: database.clone(), user: user.to_owned() };
        // Where a template decides about that line, it decides what is to be done.
        let decision = decide_with_tls(hba, &connection, around)?;
        if let Decision::Rule(rule) = decision
            && hba.rules[rule].method.value != Method::Reject
        {
            return Ok((Admission::NeedsTls(rule), true));
        }
    }
    Ok((outcome, transports.last().copied().unwrap_or(false)))
}
