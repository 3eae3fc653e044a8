//! Every connection that a cluster under Patroni needs, and what lets it in.

mod decided;
mod elsewhere;
mod ends;

use std::net::IpAddr;

use serde::Serialize;

use crate::bundle::host::place;
use crate::facts::connections::{LocalEnd, Login, known_login, local_end};
use crate::facts::gap::{Fact, Gap};
use crate::facts::hba_decision::Database;
use crate::facts::slot_fate::{is_logical, permanent};
use crate::facts::{Facts, Member, PatroniFile};
use crate::parse::patroni::Item;
use crate::source::Span;
use decided::Server;

/// A connection to the server of a member, to its REST API, or from its host to the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// What it is for.
    pub purpose: Purpose,
    /// Who opens it: a member.
    pub from: String,
    /// Who takes it: a member, or `host:port` of a server of the store.
    pub to: String,
    /// Where it goes: `192.0.2.11:5432`, or the directory of a unix socket; none where that is not known.
    pub place: Option<String>,
    /// The address that the server sees; none over a unix socket, or where it is not known.
    pub address: Option<IpAddr>,
    /// The role of PostgreSQL.
    pub user: Option<String>,
    /// The database, or `replication`.
    pub database: Option<String>,
    /// Whether the transport that gets in is TLS, where that is known.
    pub tls: Option<bool>,
    /// What decides.
    pub decided: Fact<Decided>,
    /// What decides today, where that is another `pg_hba.conf` than the one that counts once Patroni has taken over.
    pub today: Option<Fact<Decided>>,
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// Patroni watches and commands the server on its own host.
    Watch,
    /// Patroni reads the timelines of its own server.
    OwnReplication,
    /// A standby streams.
    Stream,
    /// A new standby is made.
    BaseBackup,
    /// A former primary is rewound.
    Rewind,
    /// A member asks the leader about its state, and copies its logical slots.
    Check,
    /// Members, balancers and people ask the REST API.
    RestApi,
    /// Patroni keeps its state.
    Store,
}

/// What decides about a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decided {
    /// A line of `pg_hba.conf` lets it in, or asks for its credentials.
    Line {
        /// The line.
        at: Span,
        /// Its method: `scram-sha-256`.
        method: String,
        /// How the server keeps the role's password, where that is known: `scram-sha-256`, `md5`, `other`, `none` of a role without one; `no role` where
        /// there is no such role.
        stored: Option<String>,
    },
    /// A line refuses it.
    Refused {
        /// The line.
        at: Span,
    },
    /// A line would let it in, if the server had TLS.
    NeedsTls {
        /// The line.
        at: Span,
    },
    /// The client insists on TLS, and the server has it off.
    ServerWithoutTls,
    /// No line speaks of it.
    NoLine,
    /// It is no connection to PostgreSQL: where it goes, and whether the host was seen to reach it.
    Endpoint {
        /// What was seen, in words: `answers`, `refused`, `not tried`.
        seen: String,
    },
}

/// To the server of a member and its REST API, and from its host to the store.
#[must_use]
pub fn of_member(facts: &Facts, member: &Member) -> Vec<Connection> {
    let mut all = own(facts, member);
    for peer in peers(facts, member) {
        all.extend(of_peer(facts, member, peer));
    }
    all.extend(elsewhere::rest_api(facts, member));
    all.extend(elsewhere::store(facts, member));
    all
}

/// The other members of its cluster.
fn peers<'a>(facts: &'a Facts, member: &'a Member) -> impl Iterator<Item = &'a Member> {
    let members = facts.cluster_of(member.file).map_or(&[][..], |cluster| &cluster.members);
    members.iter().filter(|other| other.file != member.file)
}

/// `postgresql.database`
fn database(file: &PatroniFile) -> String {
    file.config.get("postgresql.database").and_then(Item::as_str).unwrap_or("postgres").to_owned()
}

/// Patroni to the server on its own host.
fn own(facts: &Facts, member: &Member) -> Vec<Connection> {
    let file = &facts.patroni[member.file];
    let mut databases = vec![database(file)];
    // It makes logical slots from inside of their databases, and advances them there.
    for (_, slot) in permanent(file).filter(|(_, slot)| is_logical(slot)) {
        let database = slot.get("database").and_then(Item::as_str).unwrap_or_default().to_owned();
        if !databases.contains(&database) {
            databases.push(database);
        }
    }
    let watched = databases.into_iter().map(Database::Named);
    let watched = watched.map(|database| (Purpose::Watch, "superuser", "use_unix_socket", database));
    let replication = (Purpose::OwnReplication, "replication", "use_unix_socket_repl", Database::PhysicalReplication);
    let server = Server { facts, member };
    let port = file.config.listen().map(|listen| listen.value.1);
    watched
        .chain([replication])
        .map(|(purpose, section, switch, database)| {
            let end = local_end(facts, member, switch);
            let place = match (&end, port) {
                (Ok(LocalEnd::Socket(dir)), _) => dir.clone(),
                (Ok(LocalEnd::Localhost), Some(port)) => Some(format!("localhost:{port}")),
                (Ok(LocalEnd::Host(host)), Some(port)) => Some(place(host, port)),
                _ => None,
            };
            let from = end.and_then(|end| ends::local(facts, member, &end));
            connection(&server, &Call { purpose, client: member, section, database, place }, &from)
        })
        .collect()
}

/// Another member to the server of this one, which may lead at any time.
fn of_peer(facts: &Facts, member: &Member, peer: &Member) -> Vec<Connection> {
    let file = &facts.patroni[peer.file];
    let named = Database::Named(database(file));
    let mut wanted = Vec::new();
    if file.config.get("tags.nostream").and_then(Item::as_bool) != Some(true) {
        wanted.push((Purpose::Stream, "replication", Database::PhysicalReplication));
    }
    wanted.push((Purpose::BaseBackup, "replication", Database::PhysicalReplication));
    let rewinds = file.is_on("use_pg_rewind");
    let has_logical = permanent(file).any(|(_, slot)| is_logical(slot));
    if rewinds || has_logical || file.is_on("remove_data_directory_on_diverged_timelines") {
        wanted.push((Purpose::Check, "rewind", named.clone()));
    }
    if rewinds {
        wanted.push((Purpose::Rewind, "rewind", named));
    }
    let own = &facts.patroni[member.file].config;
    let address = own.connect_address().or_else(|| own.listen());
    let from = ends::of_peer(facts, peer, member).map(Some);
    let server = Server { facts, member };
    let one = |(purpose, section, database)| {
        let place = address.as_ref().map(|a| place(&a.value.0, a.value.1));
        connection(&server, &Call { purpose, client: peer, section, database, place }, &from)
    };
    wanted.into_iter().map(one).collect()
}

/// A connection that is to be decided.
struct Call<'a> {
    purpose: Purpose,
    client: &'a Member,
    section: &'static str,
    database: Database,
    place: Option<String>,
}

fn connection(server: &Server<'_>, call: &Call<'_>, from: &Fact<Option<IpAddr>>) -> Connection {
    let file = &server.facts.patroni[call.client.file];
    let login = login_of(file, call.section, call.client);
    let asked = || -> Fact<(&Login, Option<IpAddr>)> { Ok((login.as_ref().map_err(Clone::clone)?, from.clone()?)) };
    let later = asked().and_then(|(login, from)| server.later(login, from, &call.database));
    let today =
        server.is_replaced().then(|| asked().and_then(|(login, from)| server.today(login, from, &call.database)));
    let (decided, tls) = match later {
        Ok((decided, tls)) => (Ok(decided), tls),
        Err(gap) => (Err(gap), None),
    };
    Connection {
        purpose: call.purpose,
        from: call.client.name.clone(),
        to: server.member.name.clone(),
        place: call.place.clone(),
        address: from.clone().ok().flatten(),
        user: login.ok().map(|login| login.user),
        database: Some(match &call.database {
            Database::Named(name) => name.clone(),
            Database::PhysicalReplication => "replication".to_owned(),
        }),
        tls,
        decided,
        today: today.map(|today| today.map(|(decided, _)| decided)),
    }
}

/// Who logs in. Without a section for rewinding it is the superuser.
fn login_of(file: &PatroniFile, section: &str, client: &Member) -> Fact<Login> {
    let missing = || {
        let what = format!("`postgresql.authentication.{section}.username`");
        Gap::new(what, crate::facts::gap::GapReason::NotGiven).on(&client.name)
    };
    known_login(file, section, client)?.ok_or_else(missing)
}
