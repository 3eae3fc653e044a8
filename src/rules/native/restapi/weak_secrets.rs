//! Passwords that everybody knows.

use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::knowledge::patroni::Version;
use crate::parse::patroni::{ItemValue, Type};
use crate::rules::report::Report;

/// From the sample files and the documentation of Patroni and of what is built on it, and those that are tried first anywhere.
const KNOWN: [&str; 24] = [
    "1234",
    "12345",
    "123456",
    "12345678",
    "admin",
    "admin%",
    "change_me",
    "changeit",
    "changeme",
    "default",
    "p@ssw0rd",
    "passw0rd",
    "password",
    "patroni",
    "postgres",
    "qwerty",
    "rep-pass",
    "replicate",
    "replicator",
    "rewind_password",
    "secret",
    "test",
    "vagrant",
    "zalando",
];

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files() {
        // Patroni reads these no more since 4.0.
        let dead = |path: &str| path.starts_with("bootstrap.users.") && facts.patroni_version >= Version::new(4, 0, 0);
        for named in file.secrets().into_iter().filter(|n| n.path.ends_with("password") && !dead(&n.path)) {
            // What YAML does not read as text has a finding of its own.
            let ItemValue::Secret(secret, Type::Str) = &named.item.value else { continue };
            if KNOWN.binary_search(&secret.reveal().to_lowercase().as_str()).is_ok() {
                report.add(report.problem(named.item.key_or_value()).arg("path", named.path));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_list_is_sorted() {
        assert!(super::KNOWN.is_sorted());
    }
}
