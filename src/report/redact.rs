//! What must not be seen, and how a line of a file is shown without it.
//!
//! Three nets, one behind the other: the bytes that parsers marked as secret; words in front of a value that name a secret,
//! for text that no parser understood; and the secret values themselves, wherever else they turn up. Control and
//! direction characters are replaced too: a report must not drive the terminal.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use crate::secret::Secret;
use crate::source::{Source, SourceId, Span};

/// What stands in the place of a secret.
pub const MASK: &str = "***";

/// Knows what is secret in a run.
#[derive(Debug, Default)]
pub struct Redactor {
    spans: BTreeMap<SourceId, Vec<Span>>,
    values: BTreeMap<SourceId, Vec<Secret>>,
}

/// A line as it is shown, and where the bytes of the file went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The line, without secrets and control characters.
    pub text: String,
    /// `(byte in the source, byte in text)` at every place where a shown character begins, ascending.
    map: Vec<(u32, usize)>,
}

impl Shown {
    /// Where a byte of the source is shown.
    #[must_use]
    pub fn at(&self, byte: u32) -> usize {
        let i = self.map.partition_point(|(from, _)| *from <= byte);
        match i.checked_sub(1).map(|i| self.map[i]) {
            Some((from, to)) if from == byte || i < self.map.len() => to,
            Some(_) => self.text.len(),
            None => 0,
        }
    }
}

/// Words that announce a secret, and the value behind them.
static ANNOUNCED: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    [
        r#"(?i)(?:password|passwd|passphrase(?:_command)?|secrets?|token)["']?[ \t]*[:=][ \t]*(?P<v>\S.*)$"#,
        r"(?i)\bpassword[ \t]+(?P<v>[eEuU]?&?'(?:[^']|'')*'?|\$\w*\$.*)",
        r"[a-z]://[^:/@\s]*:(?P<v>[^@\s]+)@",
        // A variable of psql may hold anything.
        r"\\set[ \t]+\S+[ \t]+(?P<v>\S.*)$",
    ]
    .iter()
    .map(|r| Regex::new(r).expect("invariant: a valid pattern"))
    .collect()
});

/// A comment in YAML, in a configuration file, or in SQL.
static COMMENT: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?m)(?:[ \t;](?:#|--[ \t]))[ \t]*(?P<c>\S.*)$").expect("invariant: a valid pattern"));

/// A value this short, or this much like a name, would also blot out innocent words.
fn is_telling(value: &str) -> bool {
    value.chars().count() >= 6 && !(value.len() < 12 && value.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
}

impl Redactor {
    /// From the bytes that parsers marked and the secrets that they read.
    #[must_use]
    pub fn new(spans: impl IntoIterator<Item = Span>, values: impl IntoIterator<Item = (SourceId, Secret)>) -> Self {
        let mut redactor = Self::default();
        for span in spans {
            redactor.spans.entry(span.source).or_default().push(span);
        }
        for spans in redactor.spans.values_mut() {
            spans.sort_unstable();
        }
        for (source, value) in values {
            if is_telling(value.reveal()) {
                redactor.values.entry(source).or_default().push(value);
            }
        }
        for values in redactor.values.values_mut() {
            values.sort_by_key(|v| std::cmp::Reverse(v.reveal().len()));
        }
        redactor
    }

    /// Words of ours about some texts, without the secrets of those texts and without control characters.
    #[must_use]
    pub fn words(&self, about: &[SourceId], text: &str) -> String {
        hidden(about.iter().filter_map(|id| self.values.get(id)).flatten(), text)
    }

    /// The same without the secrets of any text.
    #[must_use]
    pub fn everywhere(&self, text: &str) -> String {
        // A longer one first: one that is a part of another would leave the rest of it.
        let mut values: Vec<&Secret> = self.values.values().flatten().collect();
        values.sort_by_key(|v| std::cmp::Reverse(v.reveal().len()));
        hidden(values.into_iter(), text)
    }

    /// The part of a line of a file between two bytes, as it may be shown.
    #[must_use]
    pub fn line(&self, source: &Source, part: Span) -> Shown {
        let masks = self.masks(source, part);
        let mut shown = Shown { text: String::new(), map: Vec::new() };
        let mut at = part.start;
        for chunk in source.bytes()[part.range()].utf8_chunks() {
            for c in chunk.valid().chars() {
                push(&mut shown, at, c, &masks);
                at += u32::try_from(c.len_utf8()).unwrap_or(1);
            }
            if !chunk.invalid().is_empty() {
                push(&mut shown, at, char::REPLACEMENT_CHARACTER, &masks);
                at += u32::try_from(chunk.invalid().len()).unwrap_or(1);
            }
        }
        shown
    }

    /// The secret bytes of a part of a source, sorted, in bytes of the source.
    fn masks(&self, source: &Source, part: Span) -> Vec<Range<u32>> {
        let mut masks: Vec<Range<u32>> = self
            .spans
            .get(&source.id())
            .into_iter()
            .flatten()
            .filter(|s| s.start < part.end && s.end > part.start)
            .map(|s| s.start..s.end)
            .collect();
        let raw = &source.bytes()[part.range()];
        let offset = |n: usize| part.start + u32::try_from(n).unwrap_or(0);
        if let Ok(text) = std::str::from_utf8(raw) {
            for pattern in ANNOUNCED.iter() {
                let values = pattern.captures_iter(text).filter_map(|c| c.name("v"));
                masks.extend(values.map(|v| offset(v.start())..offset(v.end())));
            }
        }
        for value in self.values.get(&source.id()).into_iter().flatten() {
            let found = memchr::memmem::find_iter(raw, value.reveal().as_bytes());
            masks.extend(found.map(|i| offset(i)..offset(i + value.reveal().len())));
        }
        // A comment behind a secret is often the one before it.
        if !masks.is_empty()
            && let Ok(text) = std::str::from_utf8(raw)
        {
            let comments = COMMENT.captures_iter(text).filter_map(|c| c.name("c"));
            let comments = comments.filter(|c| !c.as_str().starts_with("preflight:"));
            let behind = comments.filter(|c| {
                let line = text[..c.start()].rfind('\n').map_or(0, |n| n + 1);
                masks.iter().any(|m| m.start < offset(c.start()) && m.end > offset(line))
            });
            let behind: Vec<_> = behind.map(|c| offset(c.start())..offset(c.end())).collect();
            masks.extend(behind);
        }
        masks.sort_by_key(|m| (m.start, m.end));
        masks
    }
}

/// A text without some secrets and without control characters.
fn hidden<'a>(secrets: impl Iterator<Item = &'a Secret>, text: &str) -> String {
    let mut out = text.to_owned();
    for value in secrets {
        if out.contains(value.reveal()) {
            out = out.replace(value.reveal(), MASK);
        }
    }
    if !out.chars().any(|c| visible(c).is_some()) {
        return out;
    }
    let mut clean = String::with_capacity(out.len());
    for c in out.chars() {
        match visible(c) {
            Some(text) => clean.push_str(text),
            None => clean.push(c),
        }
    }
    clean
}

fn push(shown: &mut Shown, at: u32, c: char, masks: &[Range<u32>]) {
    shown.map.push((at, shown.text.len()));
    let Some(mask) = masks.iter().find(|m| m.contains(&at)) else {
        match visible(c) {
            Some(text) => shown.text.push_str(text),
            None => shown.text.push(c),
        }
        return;
    };
    let begins = shown.map.len() < 2 || at == mask.start || !masks.iter().any(|m| m.contains(&(at - 1)));
    if begins && !shown.text.ends_with(MASK) {
        shown.text.push_str(MASK);
    }
}

/// How a character is written that would otherwise act on the terminal or turn the reading direction.
fn visible(c: char) -> Option<&'static str> {
    match c {
        '\t' | '\n' => None,
        '\u{1b}' => Some("␛"),
        '\0' => Some("␀"),
        '\r' => Some("␍"),
        '\u{7f}' => Some("␡"),
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' => Some("\u{fffd}"),
        c if c.is_control() => Some("\u{fffd}"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(redactor: &Redactor, text: &str) -> String {
        let source = Source::lone("x", text);
        redactor.line(&source, source.whole()).text
    }

    #[test]
    fn hides_announced_values_without_any_parser() {
        let r = Redactor::default();
        assert_eq!(shown(&r, "    password: @hunter2 # x"), "    password: ***");
        assert_eq!(
            shown(&r, "host all all ::/0 ldap ldapbindpasswd=\"a b\""),
            "host all all ::/0 ldap ldapbindpasswd=***"
        );
        assert_eq!(shown(&r, "CREATE ROLE a PASSWORD 'x''y' LOGIN;"), "CREATE ROLE a PASSWORD *** LOGIN;");
        assert_eq!(shown(&r, "url: postgres://me:pw@host/db"), "url: postgres://me:***@host/db");
        assert_eq!(shown(&r, "password_encryption: md5"), "password_encryption: md5");
        assert_eq!(shown(&r, "pgpass: /tmp/pgpass"), "pgpass: /tmp/pgpass");
        assert_eq!(shown(&r, r"\set word 'x y'"), r"\set word ***");
        assert_eq!(shown(&r, "ssl_xpassphrase_command = 'echo x'"), "ssl_xpassphrase_command = ***");
    }

    #[test]
    fn hides_known_values_everywhere_but_not_plain_names() {
        let here = SourceId::lone();
        let r = Redactor::new([], [(here, Secret::new("s3cret-word")), (here, Secret::new("postgres"))]);
        assert_eq!(r.words(&[here], "it is s3cret-word for postgres"), "it is *** for postgres");
        assert_eq!(shown(&r, "# s3cret-word"), "# ***");
        let there = Source::lone("y", "").id();
        let r = Redactor::new([], [(here, Secret::new("s3cret")), (there, Secret::new("s3cret-word"))]);
        assert_eq!(r.everywhere("s3cret-word, s3cret"), "***, ***");
    }

    #[test]
    fn hides_what_a_comment_says_behind_a_secret() {
        let text = "a: bcdef # was xyz\nb: c # fine";
        let source = Source::lone("x", text);
        let redactor = Redactor::new([source.span(3, 8)], []);
        assert_eq!(redactor.line(&source, source.whole()).text, "a: *** # ***\nb: c # fine");
        let source = Source::lone("x", "a: bcdef # preflight: allow(x) because");
        let redactor = Redactor::new([source.span(3, 8)], []);
        assert_eq!(redactor.line(&source, source.whole()).text, "a: *** # preflight: allow(x) because");
        assert_eq!(shown(&Redactor::default(), "ROLE a PASSWORD 'x'; -- y"), "ROLE a PASSWORD ***; -- ***");
    }

    #[test]
    fn places_follow_the_text_around_a_mask() {
        let source = Source::lone("x", "a: bcdef g");
        let r = Redactor::new([source.span(3, 8)], []);
        let line = r.line(&source, source.whole());
        assert_eq!((line.text.as_str(), line.at(3), line.at(9), line.at(10)), ("a: *** g", 3, 7, 8));
    }

    #[test]
    fn does_not_drive_the_terminal() {
        assert_eq!(shown(&Redactor::default(), "a\u{1b}[31m\u{202e}b"), "a␛[31m\u{fffd}b");
    }
}
