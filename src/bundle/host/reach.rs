//! What a host reaches through the network.

use serde::{Deserialize, Serialize};

/// What came of a TCP connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reach {
    /// Something listens there; it was sent nothing.
    Open,
    /// The other host, or something on the way, says that nothing listens there.
    Refused,
    /// Nobody answered in time.
    Silent,
    /// Nothing leads there, as this host or another one on the way says.
    NoRoute,
    /// The host itself does not allow it.
    Forbidden,
    /// The name stands for no address.
    NoName,
}

/// How a place is written that connections go to: `192.0.2.12:5432`, `[2001:db8::12]:5432`.
#[must_use]
pub fn place(host: &str, port: i64) -> String {
    let host = host.trim_matches(['[', ']']);
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}
