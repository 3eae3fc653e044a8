//! How Patroni itself logs in to the server of a member, as a connection string.

use crate::bundle::Miss;
use crate::collect::sql::Environment;
use crate::gap::GapReason;
use crate::parse::patroni::{Item, ItemValue, Patroni};

/// What Patroni hands to libpq of `postgresql.authentication.superuser` (`config.py:ConfigHandler`), beside name and password.
const OPTIONS: [&str; 10] = [
    "sslmode",
    "sslcert",
    "sslkey",
    "sslpassword",
    "sslrootcert",
    "sslcrl",
    "sslcrldir",
    "gssencmode",
    "channel_binding",
    "sslnegotiation",
];

/// Where the login stands.
const ROLE: &str = "postgresql.authentication.superuser";

/// The connection string for a member of this machine, or for one elsewhere by the address that it tells others.
pub(super) fn dsn(config: &Patroni, is_here: bool) -> Result<String, Miss> {
    let unknown = |what: &str| Miss {
        why: GapReason::NotGiven,
        detail: format!("{what} is not known; say how to connect with --dsn NAME=DSN"),
    };
    if !config.is_decided(ROLE) || config.get(ROLE).is_some_and(|item| !item.is_known()) {
        return Err(unknown(&format!("`{ROLE}`")));
    }
    let (host, port) = place(config, is_here).ok_or_else(|| unknown("the address of the server"))?;
    let mut words = vec![word("host", &host), word("port", &port.to_string())];
    let text = |path: &str| config.get(path).and_then(plain);
    words.push(word("dbname", &text("postgresql.database").unwrap_or_else(|| "postgres".to_owned())));
    let of_role = |name: &str| config.get(&format!("{ROLE}.{name}"));
    words.extend(of_role("username").and_then(plain).map(|user| word("user", &user)));
    words.extend(of_role("password").and_then(plain).map(|password| word("password", &password)));
    for name in OPTIONS {
        words.extend(of_role(name).and_then(plain).map(|value| word(name, &value)));
    }
    Ok(words.join(" "))
}

/// Our surroundings without what they say about connections: Patroni runs in others.
pub(super) fn surroundings(own: &Environment) -> Environment {
    let mut all = own.clone();
    all.variables.retain(|name, _| !name.starts_with("PG"));
    all
}

/// Patroni connects to its own server at the first address that it listens on; an address that stands for all of them is
/// `localhost` then (`postgresql/connection.py`, `config.py:ConfigHandler.local_connect_kwargs`).
fn place(config: &Patroni, is_here: bool) -> Option<(String, i64)> {
    let listen = || config.listen().map(|a| a.value);
    let told = || config.connect_address().map(|a| a.value);
    let (host, port) = if is_here { listen().or_else(told)? } else { told().or_else(listen)? };
    let mut hosts = host.split(',').map(|h| h.trim().trim_matches(['[', ']'])).filter(|h| !h.is_empty());
    let host = hosts.next()?;
    let all = matches!(host, "*" | "0.0.0.0" | "::");
    if all && !is_here {
        return None;
    }
    Some((if all { "localhost".to_owned() } else { host.to_owned() }, port))
}

pub(super) fn plain(item: &Item) -> Option<String> {
    match &item.value {
        ItemValue::Secret(secret, _) => Some(secret.reveal().to_owned()),
        _ => item.as_setting().or_else(|| item.as_str().map(str::to_owned)),
    }
}

fn word(name: &str, value: &str) -> String {
    format!("{name}='{}'", value.replace('\\', "\\\\").replace('\'', "\\'"))
}
