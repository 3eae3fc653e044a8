//! What looks like a secret in a text, with the bytes of the secret alone: rather too much than too little.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::spelling::Layer;
use crate::collect::host::mask::{BEHIND, INNOCENT, is_secret};
use crate::parse::conninfo::{conninfo_secrets, may_hold_secret, secrets_of_setting};
use crate::parse::patroni::names_a_secret;

/// A secret in a text, and how it is spelled besides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) at: Range<usize>,
    pub(super) layer: Option<Layer>,
}

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("invariant: a valid pattern")
}

/// Where the secret is what `v` matches.
static PATTERNS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    [
        r"\s-W\s+(?P<v>[^\s-]\S*)",
        r"\\set[ \t]+\S+[ \t]+(?P<v>\S.*)$",
        // Names that are misspelled, and values whose quotes are not closed.
        r#"(?i)(?:pass?w[a-z]*|pas[a-z]*d|passo[a-z]*|[a-z]*sword|pwd|tok[a-z]*|passphrase|secrets?)["']?\s*[:=]\s*["']*(?P<v>[^\s"']\S*)"#,
        r"(?P<v>SCRAM-SHA-256\$\d+:[\w+/=]+\$[\w+/=]+:[\w+/=]+)",
        r"\b(?P<v>md5[0-9a-f]{32})\b",
        r"(?m)^(?P<v>[A-Za-z0-9+/]{60,}={0,2})$",
    ]
    .map(regex)
    .into()
});
/// A password in SQL, with its quotes.
static SQL: LazyLock<Regex> =
    LazyLock::new(|| regex(r"(?i)\bpassword[ \t]+(?P<v>[eEuU]?&?'(?:[^']|'')*'?|\$\w*\$[^$]*\$\w*\$|\$\w*\$[^$]*)"));
/// A URL with a password that may hold `@`, and one that may hold `/` too.
static URLS: LazyLock<[Regex; 2]> = LazyLock::new(|| {
    [r"(?i)[a-z][a-z0-9+.-]*://[^/\s:@]*:(?P<v>[^/\s]+)@", r#"(?i)[a-z][a-z0-9+.-]*://[^/\s:@]*:(?P<v>[^\s"']+)@"#]
        .map(regex)
});
/// The name in front of a value.
static NAME: LazyLock<Regex> = LazyLock::new(|| regex(r#"([\w.-]+)["'\]]*\s*[:=\s]\s*$"#));
/// Bytes of the shortest secret that a net takes without anything in front of it: `md5` and 32 digits.
const MD5: usize = 35;
/// What ends a value that is not quoted, besides blanks.
const CLOSING: [char; 9] = ['"', '\'', ',', ';', ')', ']', '}', '>', '`'];

/// Whether something of that name is a secret.
pub(super) fn is_name_of_secret(name: &str) -> bool {
    let last = name.rsplit(['_', '-', '.']).next().unwrap_or(name).to_ascii_lowercase();
    let about = ["path", "file", "dir", "name", "type", "url", "ttl", "encryption", "hashing"];
    let is_innocent = INNOCENT.contains(&name.to_ascii_lowercase().as_str());
    !is_innocent && (names_a_secret(name) || (is_secret(name) && !about.contains(&last.as_str())))
}

/// The name that announces what begins at a place of a text: of a key, a variable, an option.
pub(super) fn announced(before: &str) -> Option<&str> {
    let text = before.trim_end_matches([' ', '\t', '\r', '\n', '"', '\'', '=', ':', '|', '>', '[', '{', '(', '&']);
    let start = text
        .rfind(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.' | '-')))
        .map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8));
    (start < text.len()).then(|| text[start..].trim_start_matches('-'))
}

/// Whether a value is none: a word for nothing, a reference, the start of something with parts.
fn is_no_value(value: &str) -> bool {
    let lower = value.to_lowercase();
    !value.contains(char::is_alphanumeric)
        || value.starts_with(['!', '&', '*', '|', '>', '{', '[', '#'])
        || ["null", "~", "true", "false", "yes", "no", "on", "off", "none"].contains(&lower.as_str())
        || is_reference(value)
}

/// Whether a value is filled in by something else.
pub(super) fn is_reference(value: &str) -> bool {
    let between = |a: &str, b: &str| value.len() > a.len() + b.len() && value.starts_with(a) && value.ends_with(b);
    let is_name = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    value.strip_prefix('$').is_some_and(is_name)
        || value.strip_prefix("${").and_then(|v| v.strip_suffix('}')).is_some_and(is_name)
        || [("{{", "}}"), ("<%", "%>"), ("%{", "}"), ("$(", ")"), ("<", ">"), ("@", "@"), ("__", "__")]
            .iter()
            .any(|(a, b)| between(a, b) && !value.contains(['\'', '"']))
}

/// A value without quotes around it and what stands behind it.
fn trimmed(text: &str, at: Range<usize>) -> Range<usize> {
    let value = &text[at.clone()];
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
    if let Some(quote) = quote
        && value.len() > 1
        && value.ends_with(quote)
    {
        return at.start + 1..at.end - 1;
    }
    let opener = |c: char| match c {
        ')' => Some('('),
        ']' => Some('['),
        '}' => Some('{'),
        '>' => Some('<'),
        _ => None,
    };
    let kept = value.trim_end_matches(|c| CLOSING.contains(&c) && !opener(c).is_some_and(|open| value.contains(open)));
    let from = kept.len() - kept.trim_start_matches(['"', '\'']).len();
    at.start + from..at.start + kept.len().max(from)
}

/// The end of what stands in front of a place: as much as a name takes.
fn tail(text: &str, end: usize) -> &str {
    let start = (end.saturating_sub(200)..=end).find(|at| text.is_char_boundary(*at));
    &text[start.unwrap_or(end)..end]
}

/// Whether a text is too short and has none of the characters that stand in front of every secret that the nets know.
fn is_plain(text: &str) -> bool {
    text.len() < MD5 && !text.contains(|c: char| c.is_whitespace() || matches!(c, '=' | ':' | '\'' | '"' | '$'))
}

/// The secrets in a text, from left to right; none lies in another.
pub(super) fn inside(text: &str) -> Vec<Hit> {
    if is_plain(text) { Vec::new() } else { searched(text) }
}

fn searched(text: &str) -> Vec<Hit> {
    let mut hits = Vec::new();
    for at in conninfo_secrets(text) {
        let is_url = tail(text, at.start).rsplit(char::is_whitespace).next().is_some_and(|w| w.contains("://"));
        let is_quoted = text[..at.start].ends_with('\'') && text[at.end..].starts_with('\'');
        let name = NAME.captures(tail(text, at.start).trim_end_matches('\'')).and_then(|c| c.get(1));
        // In a command only what stands behind a quote is surely no part of it.
        let word = trimmed(text, at.clone());
        let is_cut = text[word.end..at.end].contains(['"', '\'']);
        let at = if is_url || is_quoted || !is_cut { at } else { word };
        if name.is_none_or(|n| is_name_of_secret(n.as_str()) || n.as_str().ends_with("-pass")) {
            let layer = if is_url { Layer::Percent } else { Layer::Backslash };
            hits.push(Hit { at, layer: (is_url || is_quoted).then_some(layer) });
        }
    }
    for (i, pattern) in BEHIND.iter().enumerate() {
        for v in pattern.captures_iter(text).filter_map(|c| c.name("v")) {
            // The third is that of URLs, which has patterns of its own.
            let name = NAME.captures(tail(text, v.start())).and_then(|c| c.get(1));
            let is_named = i > 1 || name.is_some_and(|n| is_name_of_secret(n.as_str().trim_start_matches('-')));
            if i != 2 && is_named {
                hits.push(Hit { at: trimmed(text, v.range()), layer: None });
            }
        }
    }
    for pattern in PATTERNS.iter() {
        let found = pattern.captures_iter(text).filter_map(|c| c.name("v"));
        hits.extend(found.map(|v| Hit { at: trimmed(text, v.range()), layer: None }));
    }
    let literals: Vec<Range<usize>> = SQL.captures_iter(text).filter_map(|c| c.name("v")).map(|v| v.range()).collect();
    hits.retain(|h| literals.iter().all(|l| l.end <= h.at.start || h.at.end <= l.start));
    hits.extend(literals.into_iter().map(|at| Hit { at, layer: None }));
    let [narrow, wide] = &*URLS;
    let urls = |pattern: &Regex| -> Vec<Range<usize>> {
        pattern.captures_iter(text).filter_map(|c| c.name("v")).map(|v| v.range()).collect()
    };
    let mut passwords = urls(narrow);
    for at in urls(wide) {
        if passwords.iter().all(|other| other.end <= at.start || at.end <= other.start) {
            passwords.push(at);
        }
    }
    hits.extend(passwords.into_iter().map(|at| Hit { at, layer: Some(Layer::Percent) }));
    hits.retain(|h| !is_no_value(&text[h.at.clone()]) && !is_no_value(&text[trimmed(text, h.at.clone())]));
    hits.sort_by_key(|h| (h.at.start, std::cmp::Reverse(h.at.end)));
    let mut end = 0;
    hits.retain(|h| {
        let is_new = h.at.start >= end;
        end = end.max(h.at.end);
        is_new
    });
    hits
}

/// Whether a value is searched otherwise because of the name of its setting, variable or column.
pub(super) fn is_telling_name(name: &str) -> bool {
    is_name_of_secret(name) || may_hold_secret(name)
}

/// The secrets in the value of a setting, variable or column of some name.
pub(super) fn in_value(name: &str, value: &str) -> Vec<Hit> {
    if is_name_of_secret(name) && !is_no_value(value) {
        return vec![Hit { at: 0..value.len(), layer: None }];
    }
    let mut hits = inside(value);
    let whole = secrets_of_setting(name, value).into_iter().find(|at| *at == (0..value.len()));
    if let Some(at) = whole
        && hits.is_empty()
    {
        hits.push(Hit { at, layer: None });
    }
    hits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        inside(text).into_iter().map(|h| &text[h.at]).collect()
    }

    #[test]
    fn secrets_are_found_without_what_stands_around_them() {
        for (text, secrets) in [
            ("host=a password='s 1' user=b", &["s 1"] as &[_]),
            ("postgres://joe:s1@h/db?x=y", &["s1"]),
            ("http://joe:s%401@h1:2379,http://joe:s2@h2:2379", &["s%401", "s2"]),
            (r#"psql "host=a user=joe password=s1 dbname=x""#, &["s1"]),
            (r#"/x/restore --password=s1 -W s2 --passwd s3 --token "s4" --force"#, &["s1", "s2", "s3", "s4"]),
            ("PGPASSWORD=s1 AWS_SECRET_ACCESS_KEY=s2 cp %p /x", &["s1", "s2"]),
            ("pgbackrest --repo1-cipher-pass=s1 archive-push %p", &["s1"]),
            ("CREATE ROLE a PASSWORD 'x''y' LOGIN", &["'x''y'"]),
            (r#"radius radiussecrets="s1,s2" ldapbindpasswd=s3"#, &["s1,s2", "s3"]),
            (r#"{"password": "s1", "token":"s2"}"#, &["s1", "s2"]),
            ("ldapbindpaswd=s1 PATRONI_RESTAPI_PASWORD='s2", &["s1", "s2"]), // typos: ignore
            ("curl -H 'Authorization: Bearer s1s2s3s4'", &["s1s2s3s4"]),
            ("/x/vip --password = = s1", &["s1"]),
            ("CREATE ROLE a PASSWORD $q$s1$q$;", &["$q$s1$q$"]),
            ("password_encryption = scram-sha-256", &[]),
            ("password: null, token: ${TOKEN}, secret: {{ x }}", &[]),
            ("md50123456789abcdef0123456789abcdef", &["md50123456789abcdef0123456789abcdef"]),
        ] {
            assert_eq!(found(text), secrets, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_not_searched_has_no_secret(words in proptest::collection::vec(
            "[a-zA-Z0-9+/._@%-]{0,12}|password|PGPASSWORD|--token|-pass|-W|-u|sshpass|md5|SCRAM-SHA-256|postgres|basic|bearer", 0..6)) {
            let text: String = words.concat().chars().take(MD5 - 1).collect();
            proptest::prop_assert!(is_plain(&text));
            proptest::prop_assert_eq!(searched(&text), Vec::new());
        }
    }

    #[test]
    fn the_name_in_front_of_a_value_is_found() {
        assert_eq!(announced("a:\n  password: \""), Some("password"));
        assert_eq!(announced("x --token="), Some("token"));
        assert_eq!(announced("é"), Some("é"));
        assert_eq!(announced(": "), None);
    }
}
