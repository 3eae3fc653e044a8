//! What the REST API of a running Patroni answers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Answer;

/// The answers of one member.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rest {
    /// Where it was asked: `https://192.0.2.11:8008`.
    pub url: String,
    /// Whether something listens there: not, when the connection is refused. Missing when the network does not tell.
    pub listens: Answer<bool>,
    /// Why `patronictl` would not trust its certificate. Where other members do, since they check less, the answers are had as they have them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untrusted: Option<String>,
    /// By path: `/patroni`, `/cluster`, `/config`, `/history`, `/liveness`.
    pub answers: BTreeMap<String, Answer<Response>>,
}

/// Who answers where a REST API should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Speaker {
    /// Nobody: connections are refused.
    Nobody,
    /// A Patroni.
    Patroni {
        /// The cluster that it says it belongs to.
        scope: String,
        /// Its name; versions before 3.0.3 do not say it.
        name: Option<String>,
        /// Its version.
        version: String,
    },
    /// Another program.
    Other,
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

impl Rest {
    /// Who answers there; `None` when that cannot be said.
    #[must_use]
    pub fn speaker(&self) -> Option<Speaker> {
        if self.listens == Answer::Got(false) {
            return Some(Speaker::Nobody);
        }
        match self.answers.get("/patroni")? {
            Answer::Got(response) => Some(response.speaker()),
            Answer::Missing(miss) => {
                // What answers something else than HTTP is not Patroni; what breaks off may be, if it wants TLS.
                (miss.why == crate::gap::GapReason::Unreadable).then_some(Speaker::Other)
            }
        }
    }
}

impl Response {
    /// Who has written an answer to `GET /patroni`, whatever its status.
    #[must_use]
    pub fn speaker(&self) -> Speaker {
        let said: serde_json::Value = serde_json::from_str(&self.body).unwrap_or_default();
        let text = |key: &str| said["patroni"][key].as_str().map(str::to_owned);
        match (text("version"), text("scope")) {
            (Some(version), Some(scope)) => Speaker::Patroni { scope, name: text("name"), version },
            _ => Speaker::Other,
        }
    }
}
