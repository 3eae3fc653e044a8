//! What a running server answers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Answer;

/// One session: who we were, and all answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// Where we connected to: `192.0.2.11:5432`, or the directory of a socket with the port behind it.
    pub address: String,
    /// The role that we logged in as.
    pub user: String,
    /// The database.
    pub database: String,
    /// The version of TLS, as the server says it; `None` without TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<String>,
    /// `server_version_num`: 150018.
    pub version: u32,
    /// The answers by the name of the question: an entry of `knowledge::queries`, or the id of a rule of the `rows` kind.
    pub answers: BTreeMap<String, Answer<Table>>,
}

impl Session {
    /// The settings of the server that it shows us, with their values.
    pub fn settings(&self) -> impl Iterator<Item = (&str, &str)> {
        self.answers.get("settings").and_then(Answer::got).into_iter().flat_map(|table| {
            let column = |name: &str| table.columns.iter().position(|c| c == name);
            let (name, value) = (column("name"), column("setting"));
            table.rows.iter().filter_map(move |row| Some((row.get(name?)?.as_deref()?, row.get(value?)?.as_deref()?)))
        })
    }
}

/// What came of comparing a password of Patroni's configuration with what the server keeps of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compared {
    /// Whether they agree.
    pub kind: Agreement,
}

/// Whether a password is the one that a server keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Agreement {
    /// It is.
    Same,
    /// It is another one.
    Different,
    /// The server keeps none for the role.
    NoPassword,
    /// The server has no such role.
    NoRole,
}

/// Rows, with all values as the server writes them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// Values in the order of the columns; `None` is NULL.
    pub rows: Vec<Vec<Option<String>>>,
}
