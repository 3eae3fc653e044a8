//! Password files (`passwordFromFile` in `src/interfaces/libpq/fe-connect.c`).

use crate::secret::Secret;

/// What a line is looked up by.
#[derive(Debug, Clone, Copy)]
pub struct Key<'a> {
    /// The host as the connection names it; `localhost` for the default socket directory.
    pub host: &'a str,
    /// The port.
    pub port: &'a str,
    /// The database.
    pub database: &'a str,
    /// The user.
    pub user: &'a str,
}

/// The password of the first line that fits.
#[must_use]
pub fn password(text: &str, key: Key<'_>) -> Option<Secret> {
    text.split('\n').filter(|line| !line.starts_with('#')).find_map(|line| {
        let line = line.strip_suffix('\r').unwrap_or(line);
        let rest =
            [key.host, key.port, key.database, key.user].iter().try_fold(line, |rest, want| field(rest, want))?;
        Some(Secret::new(unescape(rest)))
    })
}

/// What follows a field and its colon when the field is `want` or `*`.
fn field<'a>(text: &'a str, want: &str) -> Option<&'a str> {
    if let Some(rest) = text.strip_prefix("*:") {
        return Some(rest);
    }
    let mut want = want.chars();
    let mut chars = text.chars();
    loop {
        let c = match chars.next()? {
            ':' if want.as_str().is_empty() => return Some(chars.as_str()),
            '\\' => chars.next()?,
            c => c,
        };
        if want.next()? != c {
            return None;
        }
    }
}

/// A password ends at a colon that is not escaped.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            ':' => break,
            '\\' => out.push(chars.next().unwrap_or('\\')),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Key, password};

    #[test]
    fn the_first_fitting_line_counts() {
        let text =
            "# h:*:*:*:no\nh:5432:db:u\\:x:a\\:b\\\\c:rest\r\n*:5432:*:u:second\n*:*:*:u:\nlocalhost:*:d*:v:star\\";
        let get = |host, port, database, user| {
            password(text, Key { host, port, database, user }).map(|s| s.reveal().to_owned())
        };
        assert_eq!(get("h", "5432", "db", "u:x").as_deref(), Some("a:b\\c"));
        assert_eq!(get("h", "5432", "db", "u").as_deref(), Some("second"));
        assert_eq!(get("h", "5433", "db", "u").as_deref(), Some(""));
        assert_eq!(get("localhost", "1", "d*", "v").as_deref(), Some("star\\"));
        assert_eq!(get("localhost", "1", "dx", "v"), None);
        assert_eq!(get("h", "5432", "db", "w"), None);
    }
}
