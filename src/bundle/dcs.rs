//! What a store of cluster states (DCS) answers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Answer;

/// One store, as members name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Store {
    /// The section of Patroni's configuration: `etcd3`, `consul`, `zookeeper`.
    pub kind: String,
    /// The members that name it so, sorted.
    pub members: Vec<String>,
    /// Each place that was asked, in the order of the configuration.
    pub endpoints: Vec<Endpoint>,
    /// The keys below a scope, by the path of the scope (`/service/orders`).
    pub scopes: BTreeMap<String, Answer<Scope>>,
}

/// One server of a store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// `http://192.0.2.21:2379`.
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
}

/// The keys of a scope, without the scope's path: `initialize`, `leader`, `config`, `members/pg1`. Secrets in values are replaced.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// Key and value.
    pub keys: BTreeMap<String, String>,
}
