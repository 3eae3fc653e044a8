//! Whether the passwords of a member's configuration are those that its server keeps.

use std::collections::{BTreeMap, BTreeSet};

use super::login::plain;
use crate::bundle::Answer;
use crate::bundle::sql::Compared;
use crate::collect::sql::{Line, kept};
use crate::parse::patroni::{Item, Patroni};
use crate::secret::Secret;

/// Sections of `postgresql.authentication`.
const SECTIONS: [&str; 3] = ["superuser", "replication", "rewind"];

/// A role of Patroni and its password, as the configuration has it.
#[derive(Debug, Clone)]
pub(super) struct Credential {
    section: &'static str,
    role: String,
    password: Secret,
}

/// Those of a configuration. What a template fills in is not there.
pub(super) fn of_configuration(config: &Patroni) -> Vec<Credential> {
    let of = |section: &'static str| {
        let get = |name: &str| {
            config.get(&format!("postgresql.authentication.{section}.{name}")).filter(|item| Item::is_known(item))
        };
        let role = get("username").and_then(plain)?;
        let password = Secret::new(get("password").and_then(plain)?);
        Some(Credential { section, role, password })
    };
    SECTIONS.into_iter().filter_map(of).collect()
}

/// Asks the server.
pub(super) async fn compare(credentials: &[Credential], line: &mut Line) -> BTreeMap<String, Answer<Compared>> {
    if credentials.is_empty() {
        return BTreeMap::new();
    }
    let roles: BTreeSet<&str> = credentials.iter().map(|c| c.role.as_str()).collect();
    let session = line.ask([kept::question(roles)].into()).await;
    let rows = kept::rows(&session);
    let one = |c: &Credential| {
        let answer = match &rows {
            Answer::Got(table) => kept::compare(table, &c.role, c.password.reveal()),
            Answer::Missing(miss) => Answer::Missing(miss.clone()),
        };
        (c.section.to_owned(), answer)
    };
    credentials.iter().map(one).collect()
}
