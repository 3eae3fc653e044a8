//! What the REST API of a running Patroni answers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Answer;

/// The answers of one member.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rest {
    /// Where it was asked: `https://192.0.2.11:8008`.
    pub url: String,
    /// By path: `/patroni`, `/cluster`, `/config`, `/history`, `/liveness`.
    pub answers: BTreeMap<String, Answer<Response>>,
}

/// One answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Response {
    /// Its status: 200, 503.
    pub status: u16,
    /// What `Server` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// The text, secrets replaced.
    pub body: String,
}
