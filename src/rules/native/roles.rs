//! The roles that Patroni logs in as, against the servers that have them or the SQL that makes them.

pub(super) mod datestyle_not_iso;
pub(super) mod rewind_grants_missing;
pub(super) mod role_attribute;
pub(super) mod role_missing;
pub(super) mod role_password_expires;
pub(super) mod role_password_md5;
pub(super) mod role_password_mismatch;

/// The sections of `postgresql.authentication`, one for each role that Patroni logs in as.
const USERS: [&str; 3] = ["superuser", "replication", "rewind"];

/// A name as SQL wants it.
fn quoted(name: &str) -> String {
    let plain = !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && !name.as_bytes()[0].is_ascii_digit();
    if plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}
