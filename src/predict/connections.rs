//! Every connection that a cluster under Patroni needs, and what lets it in.

use std::net::IpAddr;

use serde::Serialize;

use crate::facts::gap::Fact;
use crate::facts::{Facts, Member};
use crate::source::Span;

/// A connection to the server of a member, to its REST API, or from its host to the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// What it is for.
    pub purpose: Purpose,
    /// Who opens it: a member.
    pub from: String,
    /// Who takes it: a member, or `host:port` of a server of the store.
    pub to: String,
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
    /// A member asks the leader about its state.
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
        /// How the server keeps the role's password, where that is known: `scram-sha-256`, `md5`, or none at all.
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
pub fn of_member(_facts: &Facts, _member: &Member) -> Vec<Connection> {
    Vec::new()
}
