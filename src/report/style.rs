//! How a report for people may look: colours and links, or neither.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// What the reader's terminal can show.
#[derive(Debug, Clone, Default)]
pub struct Style {
    /// Colours.
    pub colour: bool,
    /// Links on rules and places; none when they must not be written.
    pub links: Option<Links>,
}

/// What a link to a file needs.
#[derive(Debug, Clone)]
pub struct Links {
    /// The machine that the files lie on, so that a terminal elsewhere does not open its own.
    pub host: String,
    /// Where relative paths start; absolute.
    pub base: PathBuf,
}

impl Links {
    /// The URL of a file.
    #[must_use]
    pub fn file(&self, name: &str) -> String {
        format!("file://{}{}", uri_path(&self.host), uri_path(&self.base.join(Path::new(name)).to_string_lossy()))
    }
}

/// A text that leads to a URL, as terminals take it.
/// <https://gist.github.com/egmontkob/eb114294efbcd5adb1944c9f3cb5feda>
#[must_use]
pub fn link(url: &str, text: &str) -> String {
    format!("\u{1b}]8;;{url}\u{1b}\\{text}\u{1b}]8;;\u{1b}\\")
}

/// A path in a URI: all but letters, digits, `-._~` and slashes is written as `%XX` (RFC 3986).
#[must_use]
pub fn uri_path(path: &str) -> String {
    path.bytes().fold(String::with_capacity(path.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_hold_no_character_that_ends_them() {
        let links = Links { host: "db1".to_owned(), base: "/srv/a b".into() };
        assert_eq!(links.file("pg1/ü\u{1b};.yml"), "file://db1/srv/a%20b/pg1/%C3%BC%1B%3B.yml");
        assert_eq!(links.file("/etc/x"), "file://db1/etc/x");
    }
}
