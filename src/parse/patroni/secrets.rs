//! What must not be seen: where secrets stand in a configuration, and how they look in a text that does not parse.

use std::sync::OnceLock;

use regex::bytes::Regex;

use super::item::{Item, ItemValue};
use crate::knowledge::patroni as known;
use crate::source::{Source, Span};

/// Where a walk through a configuration stands, as far as secrets depend on it.
#[derive(Debug)]
pub(super) struct Place {
    /// The path pattern in the table of keys; `None` below keys that it does not have.
    pattern: Option<&'static str>,
    secret: bool,
}

/// What [`Place::enter`] changed.
#[derive(Debug)]
pub(super) struct Mark {
    pattern: Option<&'static str>,
    secret: bool,
}

impl Place {
    pub(super) const fn at(pattern: &'static str) -> Self {
        Self { pattern: Some(pattern), secret: false }
    }

    pub(super) const fn is_secret(&self) -> bool {
        self.secret
    }

    pub(super) fn enter(&mut self, key: Option<&str>) -> Mark {
        let mark = Mark { pattern: self.pattern, secret: self.secret };
        let row = self.pattern.zip(key).and_then(|(p, k)| {
            known::child(p, k).or_else(|| known::list_item(p, k)).or_else(|| known::method_section(p))
        });
        self.pattern = row.map(|r| r.path);
        self.secret |= row.is_some_and(|r| r.secret) || key.is_some_and(names_a_secret);
        mark
    }

    pub(super) const fn enter_list(&mut self) -> Mark {
        Mark { pattern: self.pattern, secret: self.secret }
    }

    pub(super) const fn leave(&mut self, mark: &Mark) {
        self.pattern = mark.pattern;
        self.secret = mark.secret;
    }
}

/// Whether a key or variable is called like something that holds a secret: its last word is `password`, `token` and so on, or a
/// slip of one of them.
#[must_use]
pub fn names_a_secret(key: &str) -> bool {
    let last = key.rsplit(['_', '-', '.', ' ']).next().unwrap_or(key);
    let ends = |word: &str| {
        let tail = last.len().checked_sub(word.len()).map(|start| &last.as_bytes()[start..]);
        tail.is_some_and(|tail| tail.eq_ignore_ascii_case(word.as_bytes()))
    };
    let starts = |word: &str| last.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word));
    ["password", "passwd", "passphrase", "pwd", "secret", "token", "apikey", "sword"].into_iter().any(ends)
        || ["passw", "pasw", "passo", "tok"].into_iter().any(starts)
        || last.eq_ignore_ascii_case("pass")
        || (starts("pass") && ends("d"))
        || key
            .split(['_', '-', '.'])
            .any(|word| word.eq_ignore_ascii_case("secret") || word.eq_ignore_ascii_case("passphrase"))
}

/// One of the patterns of this module.
fn compiled(pattern: &str) -> Regex {
    Regex::new(pattern).expect("invariant: the pattern is right")
}

/// Whether a value carries a password inside: a connection string, a URL with a password, an assignment in a command.
#[must_use]
pub fn holds_credentials(text: &str) -> bool {
    static PATTERN: OnceLock<Regex> = OnceLock::new();
    let pattern = PATTERN.get_or_init(|| {
        compiled(
            r"(?i)(password|passwd|passphrase|token|secret|secret_access_key|-pass)\s*=\s*\S|--(password|passwd|token|secret)\s+[^\s-]|\s-(?-i:W)\s+[^\s-]|[a-z][a-z0-9+.-]*://[^/\s:@]*:[^/\s@]+@",
        )
    });
    pattern.is_match(text.as_bytes())
}

/// The places of every secret of a configuration.
pub(super) fn spans_of(item: &Item, out: &mut Vec<Span>) {
    match &item.value {
        ItemValue::Secret(..) => out.push(item.span),
        ItemValue::Map(pairs) => pairs.iter().for_each(|p| spans_of(&p.item, out)),
        ItemValue::List(items) => items.iter().for_each(|i| spans_of(i, out)),
        _ => {}
    }
}

/// The places in a text that look like secrets, whether or not the text parses: what follows a key, variable or setting
/// with such a name up to the end of its line (and in deeper lines below it), and passwords in connection strings and URLs. Rather too much than too
/// little: this decides what is masked when the text is shown.
#[must_use]
pub fn spans_in_text(source: &Source) -> Vec<Span> {
    static ASSIGNED: OnceLock<Regex> = OnceLock::new();
    static URL: OnceLock<Regex> = OnceLock::new();
    let assigned = ASSIGNED.get_or_init(|| {
        compiled(r#"(?i-u)(?:pass?w[a-z]*|pas[a-z]*d|passo[a-z]*|[a-z]*sword|passphrase(?:_command)?|pwd|secret(?:_access_key|_key)?|tok[a-z]*|apikey|-pass|digest|auth_data|\bauth)["']?(?:[ \t]*[:=]|[ \t]+)[ \t]*([^ \t\r\n][^\r\n]*)?"#)
    });
    let url = URL.get_or_init(|| compiled(r"(?i-u)[a-z][a-z0-9+.-]*://[^/\s:@]*:([^\s]+)@"));
    let bytes = source.bytes();
    let mut spans: Vec<Span> = Vec::new();
    for found in assigned.captures_iter(bytes) {
        let Some(whole) = found.get(0) else { continue };
        if let Some(value) = found.get(1) {
            spans.push(source.span(value.start(), value.end()));
        }
        let first = source.line_index(u32::try_from(whole.start()).unwrap_or(u32::MAX));
        spans.extend(deeper_lines(source, first));
    }
    spans.extend(url.captures_iter(bytes).filter_map(|c| c.get(1)).map(|m| source.span(m.start(), m.end())));
    spans.sort_unstable();
    spans.dedup();
    spans
}

/// The lines below `first` that are indented more than it: the rest of a block scalar or of a folded value.
fn deeper_lines(source: &Source, first: usize) -> Option<Span> {
    let indent = |line: usize| {
        let span = source.line_span(line)?;
        let bytes = &source.bytes()[span.range()];
        let blank = bytes.iter().take_while(|b| **b == b' ' || **b == b'\t').count();
        Some((blank, blank == bytes.len(), span))
    };
    let (own, _, _) = indent(first)?;
    let mut end: Option<Span> = None;
    let mut begin: Option<Span> = None;
    for line in first + 1.. {
        let Some((depth, empty, span)) = indent(line) else { break };
        if !empty && depth <= own {
            break;
        }
        if !empty {
            begin.get_or_insert(span);
            end = Some(span);
        }
    }
    begin.zip(end).map(|(a, b)| a.to(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_judged_by_their_last_word() {
        assert!(
            ["password", "keyfile_password", "PATRONI_CONSUL_TOKEN", "sslpassword"].iter().all(|k| names_a_secret(k))
        );
        assert!(!["password_encryption", "tokens_path", "username", "passfile"].iter().any(|k| names_a_secret(k)));
    }

    #[test]
    fn a_broken_text_hides_its_passwords_too() {
        let text = "postgresql:\n  authentication: {\n    password: 's3cr@t\n    token: |\n      line1\n      line2\nx: host=a password=hunter2 port=1\nu: http://joe:pw1@h\n#  password: old\n";
        let source = Source::lone("p", text);
        let mut shown = text.as_bytes().to_vec();
        for span in spans_in_text(&source) {
            shown[span.range()].fill(b'*');
        }
        let shown = String::from_utf8(shown).expect("stars are text");
        for secret in ["s3cr", "line1", "line2", "hunter2", "pw1", "old"] {
            assert!(!shown.contains(secret), "{shown}");
        }
        assert!(shown.contains("authentication") && shown.contains("x: host=a"));
    }
}
