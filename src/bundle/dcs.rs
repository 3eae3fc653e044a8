//! What a store of cluster states (DCS) answers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Answer;

/// One store, as members name it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Store {
    /// The section of Patroni's configuration: `etcd3`, `etcd`, `consul`, `zookeeper` and so on; `none` when there is none.
    pub kind: String,
    /// The members that name it so, sorted.
    pub members: Vec<String>,
    /// Each server that was asked: those of the configuration in its order, then those that they name. None when it is not known where
    /// they are; the scopes say why.
    pub endpoints: Vec<Endpoint>,
    /// The keys below a scope, by the path of the scope (`/service/orders`; empty when the configuration does not say it for certain).
    pub scopes: BTreeMap<String, Answer<Scope>>,
}

/// One server of a store.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Endpoint {
    /// `http://192.0.2.21:2379`; without a protocol for ZooKeeper.
    pub url: String,
    /// Whether it was named in the configuration, and not only by another server of the store.
    pub configured: bool,
    /// The version of the server.
    pub version: Answer<String>,
    /// Whether it says that it is healthy.
    pub healthy: Answer<bool>,
    /// Whether it answers the API of version 2 (etcd).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub v2: Option<Answer<bool>>,
    /// The URLs that its cluster tells clients to use (etcd).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advertised: Option<Answer<Vec<String>>>,
    /// What its cluster is called, the same for all of its servers (etcd).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// The shortest time to live of a session that it takes, in milliseconds (Consul).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_ttl_min: Option<Answer<u64>>,
}

/// The keys of a scope, without the scope's path: `initialize`, `leader`, `config`, `members/pg1`. Secrets in values are replaced.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// Key and value.
    pub keys: BTreeMap<String, String>,
}
