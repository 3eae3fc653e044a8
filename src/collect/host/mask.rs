//! Takes secrets out of what was seen on a host, before anything is kept.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use crate::bundle::host::Variable;
use crate::parse::conninfo::{conninfo_secrets, secrets_of_setting};
use crate::secret::Secret;

/// What stands in the place of a secret.
const MASK: &str = "***";

/// Replaces secrets, and remembers them: one that was seen in one place is replaced wherever else it stands.
#[derive(Debug, Default)]
pub(super) struct Masker(Vec<Secret>);

fn regex(text: &str) -> Regex {
    Regex::new(text).expect("invariant: a valid pattern")
}

/// Names of what is secret.
static NAME: LazyLock<Regex> = LazyLock::new(|| {
    regex(r"(?i)passw|passphrase|secret|token|credential|(?:access|api|private|account|encryption)[_-]?key|pwd$|passwd")
});
/// Names that only sound so.
pub(crate) const INNOCENT: [&str; 3] =
    ["password_encryption", "ssl_passphrase_command_supports_reload", "scram_iterations"];
/// What stands behind such a name, in any text.
pub(crate) static BEHIND: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    [
        r#"(?i)(?:passw(?:or)?d|passphrase|secret|token|credentials?|(?:access|api|private|account|encryption)[_-]?key|\bpwd)[\w-]*["']?\s*[:=]\s*(?P<v>"[^"]*"|'[^']*'|[^\s"']\S*)"#,
        r#"(?i)--?[\w-]*(?:passw(?:or)?d|passphrase|secret|token)[\w-]*\s+(?P<v>"[^"]*"|'[^']*'|[^\s"'-]\S*)"#,
        r"[A-Za-z0-9+]://[^:/@\s]*:(?P<v>[^@\s]+)@",
        r"(?i)\b(?:bearer|basic)\s+(?P<v>[\w.~+/=-]{6,})",
        r"(?:\s|^)(?:-u|--user)[\s=]+[^\s:]+:(?P<v>\S+)",
        r"sshpass\s+-p\s*(?P<v>\S+)",
    ]
    .map(regex)
    .into()
});
/// A word that is nothing but an option whose value is a secret.
pub(crate) static OPTION: LazyLock<Regex> =
    LazyLock::new(|| regex(r"(?i)^--?[\w-]*(?:passw(?:or)?d|passphrase|secret|token|api-?key)$"));
/// A word that is such an option with its value.
pub(crate) static ASSIGNED: LazyLock<Regex> = LazyLock::new(|| {
    regex(r"(?is)^(?:-*|\w*)[\w-]*(?:passw(?:or)?d|passphrase|secret|token|(?:access|api)[_-]?key)[\w-]*=(?P<v>.+)$")
});

/// Whether a name is one of something secret.
pub(crate) fn is_secret(name: &str) -> bool {
    NAME.is_match(name) && !INNOCENT.contains(&name.to_ascii_lowercase().as_str())
}

/// A value this short, or this much like a name, would also blot out innocent words.
pub(crate) fn is_telling(value: &str) -> bool {
    value.chars().count() >= 6 && !(value.len() < 12 && value.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
}

impl Masker {
    fn keep(&mut self, value: &str) {
        let value = value.trim_matches(['"', '\'']);
        if is_telling(value) && !self.0.iter().any(|s| s.reveal() == value) {
            self.0.push(Secret::new(value));
        }
    }

    fn hide(&mut self, text: &str, mut ranges: Vec<Range<usize>>) -> String {
        ranges.retain(|r| !r.is_empty());
        ranges.sort_by_key(|r| (r.start, std::cmp::Reverse(r.end)));
        let (mut out, mut at) = (String::new(), 0);
        for range in ranges {
            if let Some(value) = text.get(range.clone()) {
                self.keep(value);
            }
            if range.start >= at {
                out.push_str(text.get(at..range.start).unwrap_or_default());
                out.push_str(MASK);
            }
            at = at.max(range.end);
        }
        out.push_str(text.get(at..).unwrap_or_default());
        out
    }

    /// A text of any kind: a connection string, a command, a line of a file.
    pub(super) fn text(&mut self, text: &str) -> String {
        let mut ranges = conninfo_secrets(text);
        for pattern in BEHIND.iter() {
            ranges.extend(pattern.captures_iter(text).filter_map(|c| c.name("v")).map(|m| m.range()));
        }
        self.hide(text, ranges)
    }

    /// A command line.
    pub(super) fn words(&mut self, words: &[String]) -> Vec<String> {
        let mut after_option = false;
        let mut out = Vec::with_capacity(words.len());
        for word in words {
            let assigned = ASSIGNED.captures(word).and_then(|c| c.name("v")).map(|m| m.range());
            out.push(if after_option && !word.starts_with('-') {
                self.keep(word);
                MASK.to_owned()
            } else if let Some(range) = assigned {
                self.hide(word, vec![range])
            } else {
                self.text(word)
            });
            after_option = OPTION.is_match(word);
        }
        out
    }

    /// A variable; only values of Patroni's that cannot be secret are shown.
    pub(super) fn variable(&mut self, name: &str, value: &str) -> Variable {
        let shown = if is_secret(name) {
            self.keep(value);
            None
        } else {
            let shown = self.text(value);
            (name.starts_with("PATRONI_") && name != "PATRONI_CONFIGURATION").then_some(shown)
        };
        Variable { name: name.to_owned(), value: shown }
    }

    /// A JSON text, with its keys sorted.
    pub(super) fn json(&mut self, text: &str) -> Result<String, String> {
        let mut value: Value =
            serde_json::from_str(text).map_err(|e| format!("no JSON: {:?} at line {}", e.classify(), e.line()))?;
        self.value("", &mut value);
        Ok(value.to_string())
    }

    fn value(&mut self, key: &str, value: &mut Value) {
        match value {
            Value::Object(map) => map.iter_mut().for_each(|(key, value)| self.value(key, value)),
            Value::Array(list) => list.iter_mut().for_each(|value| self.value(key, value)),
            Value::String(text) if is_secret(key) => {
                self.keep(text);
                MASK.clone_into(text);
            }
            Value::String(text) => {
                let ranges = secrets_of_setting(key, text);
                let hidden = self.hide(text, ranges);
                *text = self.text(&hidden);
            }
            Value::Number(_) if is_secret(key) => {
                self.keep(&value.to_string());
                *value = Value::String(MASK.to_owned());
            }
            _ => {}
        }
    }

    /// Replaces every secret that was seen, wherever it stands, but not in keys.
    pub(super) fn scrub(&self, value: &mut Value) {
        match value {
            Value::Object(map) => map.values_mut().for_each(|value| self.scrub(value)),
            Value::Array(list) => list.iter_mut().for_each(|value| self.scrub(value)),
            Value::String(text) => {
                for secret in &self.0 {
                    if text.contains(secret.reveal()) {
                        *text = text.replace(secret.reveal(), MASK);
                    }
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_taken_out_of_commands() {
        let mut masker = Masker::default();
        let words = |w: &[&str]| w.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
        let said = masker.words(&words(&[
            "/usr/bin/x",
            "--password",
            "s3cret-one",
            "--db-password=s3cret two",
            "host=a password='s3cret three' port=1",
            "postgres://u:s3cretfour@h/d",
            "-c",
            "password_encryption=scram",
            "-D",
            "/srv/data",
        ]));
        assert!(!said.join("|").contains("s3cret"), "{said:?}");
        assert!(said.ends_with(&words(&["-D", "/srv/data"])), "{said:?}");
        assert_eq!(masker.text("PGPASSWORD=s3cret pg_ctl -D /x"), "PGPASSWORD=*** pg_ctl -D /x");
        let mut value = serde_json::json!({"a": "and s3cret-one, s3cretfour"});
        masker.scrub(&mut value);
        assert_eq!(value["a"], "and ***, ***");
    }

    #[test]
    fn secrets_are_taken_out_of_dynamic_configuration() {
        let text = r#"{"ttl": 30, "postgresql": {"parameters": {"primary_conninfo": "user=a password=s3cret", "password_encryption": "md5",
            "archive_command": "AWS_SECRET_ACCESS_KEY=s3cret cp %p x"}}, "standby_cluster": {"host": "a"}, "restapi": {"password": "s3cret"}}"#;
        let said = Masker::default().json(text).expect("JSON");
        assert!(!said.contains("s3cret") && said.contains("md5") && said.contains("cp %p x"), "{said}");
        assert!(Masker::default().json("{").is_err());
    }

    #[test]
    fn variables_are_shown_where_they_cannot_be_secret() {
        let mut masker = Masker::default();
        let mut value = |name: &str, value: &str| masker.variable(name, value).value;
        assert_eq!(value("PATRONI_SCOPE", "orders").as_deref(), Some("orders"));
        assert_eq!(value("PATRONI_ETCD_URL", "http://u:s3cret@h:1").as_deref(), Some("http://u:***@h:1"));
        for name in
            ["PATRONI_CONFIGURATION", "PATRONI_SUPERUSER_PASSWORD", "PGPASSWORD", "LANG", "PATRONI_CONSUL_TOKEN"]
        {
            assert_eq!(value(name, "x: s3cret"), None, "{name}");
        }
    }
}
