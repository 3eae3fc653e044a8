//! Whether a password is the one that a server keeps.
//!
//! The server is asked for no more than an attempt to log in would show: the salt and the number of rounds of a SCRAM secret, and a hash of the
//! rest, with which nobody can log in. The password itself does not leave this program. Only superusers may ask.

use std::num::NonZeroU32;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use ring::{digest, hmac, pbkdf2};
use sha2::{Digest as _, Sha256};

use crate::bundle::sql::{Agreement, Compared, Session, Table};
use crate::bundle::{Answer, Miss};
use crate::gap::GapReason;
use crate::knowledge::queries::Question;

/// The name of the question among the answers.
const NAME: &str = "kept_passwords";
/// What is hashed in front of what a server keeps.
const PREFIX: &str = "patroni-preflight:";
/// More rounds than anybody uses; a server that names more is not followed.
const MOST_ROUNDS: u32 = 10_000_000;

/// The question for some roles.
pub fn question<'a>(roles: impl IntoIterator<Item = &'a str>) -> Question {
    let roles: Vec<String> = roles.into_iter().map(literal).collect();
    let hashed = |kept: &str| format!("encode(sha256(convert_to('{PREFIX}' || {kept}, 'UTF8')), 'hex')");
    let sql = format!(
        "SELECT rolname, rolpassword IS NULL AS has_none, split_part(split_part(scram, '$', 2), ':', 1) AS rounds, \
         split_part(split_part(scram, '$', 2), ':', 2) AS salt, {} AS of_scram, {} AS of_md5 FROM (SELECT rolname, rolpassword, \
         substring(rolpassword FROM '^SCRAM-SHA-256[$].*') AS scram, substring(rolpassword FROM '^md5([0-9a-f]{{32}})$') AS md5 \
         FROM pg_catalog.pg_authid WHERE rolname IN ({})) AS kept ORDER BY rolname",
        hashed("split_part(split_part(scram, '$', 3), ':', 1)"),
        hashed("md5"),
        roles.join(", ")
    );
    Question { name: NAME.to_owned(), from: None, until: None, sql }
}

/// The rows that came, or why none did.
#[must_use]
pub fn rows(session: &Answer<Session>) -> Answer<Table> {
    match session {
        Answer::Got(session) => session.answers.get(NAME).cloned().unwrap_or_default(),
        Answer::Missing(miss) => Answer::Missing(miss.clone()),
    }
}

/// Compares a password of a role with what the server keeps.
#[must_use]
pub fn compare(table: &Table, role: &str, password: &str) -> Answer<Compared> {
    let got = |kind| Answer::Got(Compared { kind });
    let column = |name: &str| table.columns.iter().position(|c| c == name);
    let Some(row) = table.rows.iter().find(|row| field(row, column("rolname")) == Some(role)) else {
        return got(Agreement::NoRole);
    };
    let get = |name: &str| field(row, column(name));
    let strange = |detail: &str| Answer::Missing(Miss { why: GapReason::Unreadable, detail: detail.to_owned() });
    if get("has_none") == Some("t") {
        return got(Agreement::NoPassword);
    }
    let (ours, theirs) = if let Some(theirs) = get("of_md5") {
        (of_md5(role, password), theirs)
    } else if let Some(theirs) = get("of_scram") {
        let rounds = get("rounds").and_then(|n| n.parse::<NonZeroU32>().ok()).filter(|n| n.get() <= MOST_ROUNDS);
        let salt = get("salt").and_then(|salt| STANDARD.decode(salt).ok());
        let (Some(rounds), Some(salt)) = (rounds, salt) else { return strange("the SCRAM secret of the role is none") };
        (of_scram(password, rounds, &salt), theirs)
    } else {
        return strange("what the server keeps of the role's password is neither SCRAM-SHA-256 nor MD5");
    };
    got(if ours == theirs { Agreement::Same } else { Agreement::Different })
}

fn field(row: &[Option<String>], column: Option<usize>) -> Option<&str> {
    row.get(column?)?.as_deref()
}

/// What the server would answer for a SCRAM secret of this password (RFC 5802, section 3: `StoredKey`; `scram_build_secret` in
/// `src/common/scram-common.c`).
fn of_scram(password: &str, rounds: NonZeroU32, salt: &[u8]) -> String {
    // One that cannot be prepared is used as it is, as the server does (`pg_saslprep`).
    let prepared = stringprep::saslprep(password);
    let password = prepared.as_deref().unwrap_or(password);
    let mut salted = [0; digest::SHA256_OUTPUT_LEN];
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, rounds, salt, password.as_bytes(), &mut salted);
    let key = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &salted), b"Client Key");
    let stored = digest::digest(&digest::SHA256, key.as_ref());
    hashed(&STANDARD.encode(stored.as_ref()))
}

/// The same for an MD5 hash (`pg_md5_encrypt` in `src/common/md5_common.c`).
fn of_md5(role: &str, password: &str) -> String {
    hashed(&hex(&Md5::digest(format!("{password}{role}"))))
}

fn hashed(kept: &str) -> String {
    hex(&Sha256::digest(format!("{PREFIX}{kept}")))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// A text as a string of SQL, whatever `standard_conforming_strings` says.
fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if quoted.contains('\\') { format!("E'{}'", quoted.replace('\\', "\\\\")) } else { format!("'{quoted}'") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(row: [Option<&str>; 6]) -> Table {
        let columns = ["rolname", "has_none", "rounds", "salt", "of_scram", "of_md5"].map(str::to_owned).to_vec();
        Table { columns, rows: vec![row.map(|v| v.map(str::to_owned)).to_vec()] }
    }

    fn kind(table: &Table, role: &str) -> Option<Agreement> {
        compare(table, role, "x").got().map(|compared| compared.kind)
    }

    #[test]
    fn a_role_without_a_password_and_one_that_is_not_there() {
        let none = table([Some("u"), Some("t"), None, None, None, None]);
        assert_eq!(kind(&none, "u"), Some(Agreement::NoPassword));
        assert_eq!(kind(&none, "v"), Some(Agreement::NoRole));
    }

    #[test]
    fn what_is_neither_is_not_known() {
        assert_eq!(kind(&table([Some("u"), Some("f"), None, None, None, None]), "u"), None);
        let bad = table([Some("u"), Some("f"), Some("0"), Some("c2FsdA=="), Some("00"), None]);
        assert_eq!(kind(&bad, "u"), None);
    }

    #[test]
    fn names_are_quoted() {
        assert_eq!(literal("o'neil\\"), "E'o''neil\\\\'");
        assert!(question(["a", "b'"]).sql.contains("IN ('a', 'b''')"));
    }
}
