//! A user or password that is there and empty.

use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::parse::patroni::{Item, Type};
use crate::rules::report::Report;

const ROLES: [&str; 3] = ["superuser", "replication", "rewind"];
/// With these Patroni does not log in by password.
const WITHOUT_PASSWORD: [&str; 2] = ["sslcert", "gssencmode"];
/// Credentials that Patroni prints into one text, `None` for what is empty (`config.py:Config._build_effective_configuration`).
const PRINTED: [&str; 2] = ["restapi", "ctl"];

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files() {
        let is_null = |item: &&Item| item.kind() == Type::Null;
        let mut found = Vec::new();
        for role in ROLES {
            let path = format!("postgresql.authentication.{role}");
            let Some(section) = file.config.get(&path) else { continue };
            if let Some(item) = section.get("username").filter(is_null) {
                let effect = "Patroni logs in with the name of its system user";
                found.push((item, format!("{path}.username"), effect));
            }
            let otherwise = section.open || WITHOUT_PASSWORD.iter().any(|key| section.get(key).is_some());
            if let Some(item) = section.get("password").filter(is_null).filter(|_| !otherwise) {
                let effect = "Patroni logs in without a password, which only `trust`, `peer` and `cert` let in";
                found.push((item, format!("{path}.password"), effect));
            }
        }
        for section in PRINTED {
            for key in ["username", "password"] {
                let path = format!("{section}.authentication.{key}");
                if let Some(item) = file.config.get(&path).filter(is_null) {
                    found.push((item, path, "Patroni takes the word `None` for it"));
                }
            }
        }
        for (item, path, effect) in found {
            report.add(report.problem(item.key_or_value()).arg("path", path).arg("effect", effect));
        }
    }
    Ok(())
}
