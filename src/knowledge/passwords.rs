//! Passwords that everybody knows.

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

/// Whether a password is one of them, in whatever case.
#[must_use]
pub fn is_well_known(password: &str) -> bool {
    KNOWN.binary_search(&password.to_lowercase().as_str()).is_ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_list_is_sorted() {
        assert!(super::KNOWN.is_sorted());
    }
}
