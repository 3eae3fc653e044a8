//! Where a server is.

use std::fmt;

use crate::secret::Secret;

/// A server: protocol, host and port. A path is given with each request, and passwords are kept apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Url {
    /// Whether it is asked through TLS.
    pub https: bool,
    /// A name or address, an address of IPv6 without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
}

impl Url {
    /// Takes a URL apart, as Python's `urlparse` does; with name and password, which stay as they are written.
    #[must_use]
    pub fn parse(text: &str, default_port: u16) -> Option<(Self, Option<(String, Secret)>)> {
        let (scheme, rest) = text.trim().split_once("://")?;
        let https = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ => return None,
        };
        let netloc = rest.split(['/', '?', '#']).next()?;
        let (user, place) = match netloc.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, netloc),
        };
        let (host, port) = match place.strip_prefix('[') {
            Some(inner) => {
                let (host, rest) = inner.split_once(']')?;
                (host, rest.strip_prefix(':').unwrap_or_default())
            }
            None => place.split_once(':').unwrap_or((place, "")),
        };
        let port = if port.is_empty() { default_port } else { port.parse().ok()? };
        let login = user.and_then(|u| u.split_once(':')).map(|(u, p)| (u.to_owned(), Secret::new(p)));
        (!host.is_empty()).then(|| (Self { https, host: host.to_owned(), port }, login))
    }

    /// Of a host and port.
    #[must_use]
    pub fn new(https: bool, host: &str, port: i64) -> Option<Self> {
        let host = host.trim_matches(['[', ']']);
        let port = u16::try_from(port).ok()?;
        (!host.is_empty()).then(|| Self { https, host: host.to_owned(), port })
    }

    /// As `Host` wants it.
    #[must_use]
    pub fn host_and_port(&self) -> String {
        let Self { host, port, .. } = self;
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }

    /// Whether it is an address that each machine has for itself.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.host.eq_ignore_ascii_case("localhost")
            || self.host.parse::<std::net::IpAddr>().is_ok_and(|a| a.is_loopback() || a.is_unspecified())
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.https { "https" } else { "http" }, self.host_and_port())
    }
}

#[cfg(test)]
mod tests {
    use super::Url;

    #[test]
    fn urls_are_taken_apart() {
        let parse = |t: &str| {
            Url::parse(t, 2379).map(|(u, login)| (u.to_string(), login.map(|(u, p)| format!("{u} {}", p.reveal()))))
        };
        assert_eq!(parse("HTTP://h"), Some(("http://h:2379".into(), None)));
        assert_eq!(parse("https://joe:a@b:c@[::1]:1/x?y"), Some(("https://[::1]:1".into(), Some("joe a@b:c".into()))));
        assert_eq!(parse("http://h:99999"), None);
        assert_eq!(parse("h:1"), None);
        assert_eq!(parse("http://:1"), None);
    }
}
