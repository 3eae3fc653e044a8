//! Takes secrets out of what stores and REST APIs answer, before anything else sees it.

use std::ops::Range;
use std::rc::Rc;
use std::sync::OnceLock;

use regex::Regex;

use crate::parse::conninfo::{conninfo_secrets, secrets_of_setting};
use crate::parse::patroni::{holds_credentials, names_a_secret, spans_in_text};
use crate::source::Source;

/// What stands in the place of a secret.
const STARS: &str = "***";

/// A text without its secrets. JSON stays JSON with everything else as it was; in other texts rather too much goes than too little.
pub(crate) fn text(text: &str) -> String {
    let is_json = text.trim_start().starts_with(['{', '[']);
    let cuts = if is_json { json(text) } else { None };
    let cuts = cuts.unwrap_or_else(|| {
        let source = Source::lone("answer", text);
        spans_in_text(&source).into_iter().map(|s| (s.range(), STARS)).collect()
    });
    cut(text, cuts)
}

/// The places of secrets in a JSON text, each inside of the quotes of its string; `None` when it is none.
pub(crate) fn places(text: &str) -> Option<Vec<Range<usize>>> {
    let is_json = text.trim_start().starts_with(['{', '[']);
    let cuts = if is_json { json(text) } else { None };
    Some(cuts?.into_iter().map(|(at, _)| at).collect())
}

fn cut(text: &str, mut cuts: Vec<(Range<usize>, &str)>) -> String {
    cuts.sort_by_key(|(at, _)| (at.start, at.end));
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for (at, with) in cuts {
        // A secret in another one, or one that begins in it.
        if at.start >= from {
            out.push_str(&text[from..at.start]);
            out.push_str(with);
        }
        from = from.max(at.end);
    }
    out.push_str(&text[from.min(text.len())..]);
    out
}

/// One map or list that is open.
struct Open {
    is_map: bool,
    is_secret: bool,
    /// The key that the next value belongs to.
    key: Option<Rc<str>>,
    /// The nearest key that all of it belongs to.
    owner: Option<Rc<str>>,
}

impl Open {
    fn name(&self) -> Option<&Rc<str>> {
        self.key.as_ref().or(self.owner.as_ref())
    }
}

/// The places of secrets in a JSON text; `None` when it is none.
fn json(text: &str) -> Option<Vec<(Range<usize>, &'static str)>> {
    let bytes = text.as_bytes();
    let mut open: Vec<Open> = Vec::new();
    let mut cuts = Vec::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'{' | b'[' => {
                let is_secret = value_is_secret(&open);
                let owner = open.last().and_then(Open::name).cloned();
                open.push(Open { is_map: *byte == b'{', is_secret, key: None, owner });
                at += 1;
            }
            b'}' | b']' => {
                let closed = open.pop()?;
                (closed.is_map == (*byte == b'}')).then_some(())?;
                end_value(&mut open);
                at += 1;
            }
            b'"' => {
                let found = Text::read(text, at)?;
                at = found.end;
                let is_key = open.last().is_some_and(|o| o.is_map && o.key.is_none());
                if is_key {
                    open.last_mut()?.key = Some(found.decoded.into());
                } else {
                    let key = open.last().and_then(Open::name).map(AsRef::as_ref).unwrap_or_default();
                    cuts.extend(found.secrets(key, value_is_secret(&open)));
                    end_value(&mut open);
                }
            }
            b',' | b':' | b' ' | b'\t' | b'\r' | b'\n' => at += 1,
            _ => {
                let len = bytes[at..].iter().take_while(|b| b.is_ascii_alphanumeric() || b"+-.".contains(b)).count();
                (len > 0).then_some(())?;
                let is_word = matches!(&text[at..at + len], "null" | "true" | "false");
                if value_is_secret(&open) && !is_word {
                    cuts.push((at..at + len, "\"***\""));
                }
                end_value(&mut open);
                at += len;
            }
        }
    }
    open.is_empty().then_some(cuts)
}

fn value_is_secret(open: &[Open]) -> bool {
    open.last().is_some_and(|o| o.is_secret || o.key.as_deref().is_some_and(names_a_secret))
}

fn end_value(open: &mut [Open]) {
    if let Some(last) = open.last_mut() {
        last.key = None;
    }
}

/// A string of JSON.
struct Text {
    /// What it means.
    decoded: String,
    /// For each byte of `decoded`, and for its end, where it is written.
    places: Vec<usize>,
    /// Behind its closing quote.
    end: usize,
}

impl Text {
    fn read(text: &str, quote: usize) -> Option<Self> {
        let mut decoded = String::new();
        let mut places = Vec::new();
        let mut at = quote + 1;
        loop {
            let c = text[at..].chars().next()?;
            let (meant, len) = match c {
                '"' => break,
                '\\' => match text.as_bytes().get(at + 1)? {
                    b'u' => {
                        let code = u32::from_str_radix(text.get(at + 2..at + 6)?, 16).ok()?;
                        (char::from_u32(code).unwrap_or('\u{fffd}'), 6)
                    }
                    b'n' => ('\n', 2),
                    b't' => ('\t', 2),
                    b'r' => ('\r', 2),
                    b'b' => ('\u{8}', 2),
                    b'f' => ('\u{c}', 2),
                    other if b"\"\\/".contains(other) => (char::from(*other), 2),
                    _ => return None,
                },
                _ => (c, c.len_utf8()),
            };
            decoded.push(meant);
            places.resize(decoded.len(), at);
            at += len;
        }
        places.push(at);
        Some(Self { decoded, places, end: at + 1 })
    }

    fn secrets(&self, key: &str, all: bool) -> Vec<(Range<usize>, &'static str)> {
        let text = &self.decoded;
        let mut found = if all && !text.is_empty() { std::iter::once(0..text.len()).collect() } else { Vec::new() };
        if found.is_empty() {
            found.extend(secrets_of_setting(key, text));
            if holds_credentials(text) {
                found.extend(conninfo_secrets(text));
                found.extend(passwords_of_urls(text));
                if found.is_empty() {
                    found.push(0..text.len());
                }
            }
        }
        let at = |n: usize| self.places.get(n).copied().unwrap_or(self.end - 1);
        found.into_iter().map(|r| (at(r.start)..at(r.end), STARS)).collect()
    }
}

fn passwords_of_urls(text: &str) -> Vec<Range<usize>> {
    static PATTERN: OnceLock<Regex> = OnceLock::new();
    let pattern = PATTERN.get_or_init(|| {
        Regex::new(r"(?i)[a-z][a-z0-9+.-]*://[^/\s:@]*:([^/\s]+)@").expect("invariant: the pattern is right")
    });
    pattern.captures_iter(text).filter_map(|c| c.get(1)).map(|m| m.range()).collect()
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn secrets_go_and_the_rest_stays() {
        let config = r#"{"ttl":30,"postgresql":{"parameters":{"archive_command":"PGPASSWORD=s3cr cp %p \"x\"","primary_conninfo":"host=a password='s3cr \u0041' user=b"},"authentication":{"superuser":{"username":"su","password":12345,"sslpassword":["s3cr",null]}}},"x":[1.5e3,true]}"#;
        let want = r#"{"ttl":30,"postgresql":{"parameters":{"archive_command":"PGPASSWORD=*** cp %p \"x\"","primary_conninfo":"host=a password='***' user=b"},"authentication":{"superuser":{"username":"su","password":"***","sslpassword":["***",null]}}},"x":[1.5e3,true]}"#;
        assert_eq!(text(config), want);
        let member = r#"{"conn_url":"postgres://joe:s3cr@192.0.2.1:5432/postgres","api_url":"http:\/\/a:s3cr@h:8008/patroni","role":"replica"}"#;
        let want = r#"{"conn_url":"postgres://joe:***@192.0.2.1:5432/postgres","api_url":"http:\/\/a:***@h:8008/patroni","role":"replica"}"#;
        assert_eq!(text(member), want);
    }

    #[test]
    fn what_is_no_json_is_masked_as_text() {
        for broken in [
            "{\"a\": \"password=s3cr",
            "[1}, password: s3cr",
            "token=s3cr",
            "<p>http://u:s3cr@h</p>",
            "{\"a\":\"\\q\"} password: s3cr",
        ] {
            assert!(!text(broken).contains("s3cr"), "{}", text(broken));
        }
        assert_eq!(text("7430101010101010101"), "7430101010101010101");
        assert_eq!(text("pg1"), "pg1");
    }

    #[test]
    fn depth_costs_no_time() {
        let depth = 300_000;
        let deep = format!("{}{}\"password=s3cr\"{}", "[".repeat(depth), "\"a\",".repeat(depth), "]".repeat(depth));
        let since = std::time::Instant::now();
        assert!(text(&deep).contains("\"password=***\""));
        assert!(since.elapsed().as_secs() < 20, "{:?}", since.elapsed());
    }
}
