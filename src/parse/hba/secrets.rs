//! Keeping secrets of a line out of everything that is shown, also when the line is not one that the server takes.

use crate::source::Span;

use super::options::SECRET;
use super::tokenize::TokenLine;

/// The tokens from the first secret option on: in a broken line a secret with a space in it goes on behind its token.
fn suspicious(line: &TokenLine) -> impl Iterator<Item = &super::tokenize::Token> {
    let holds =
        |text: &str, word: &str| text.as_bytes().windows(word.len()).any(|w| w.eq_ignore_ascii_case(word.as_bytes()));
    // A URL may carry a user and a password.
    let is_secret = move |text: &str| {
        ["ldapbindpasswd", "passwd=", "radiussecret"].iter().any(|w| holds(text, w))
            || text.split_once("://").is_some_and(|(_, rest)| rest.contains('@'))
    };
    line.fields.iter().flatten().skip_while(move |t| !is_secret(&t.text)).filter(move |t| {
        let name = t.text.split_once('=').map_or("", |(name, _)| name);
        !super::options::NAMES.contains(&name) || is_secret(&t.text)
    })
}

/// The bytes of a line that must never be shown.
pub(super) fn spans(line: &TokenLine) -> Vec<Span> {
    suspicious(line).map(|t| t.span).collect()
}

/// A message without the secrets that it may quote: the server puts them between quotes or at the end.
pub(super) fn redact(line: &TokenLine, mut message: String) -> String {
    for token in suspicious(line) {
        let (name, value) = token.text.split_once('=').unwrap_or((&token.text, &token.text));
        let name = if super::options::NAMES.contains(&name) { value } else { name };
        for part in [token.text.as_str(), value, name] {
            message = message.replace(&format!("\"{part}\""), "\"***\"");
            if message.ends_with(&format!(": {part}")) {
                message.truncate(message.len() - part.len());
                message.push_str("***");
            }
        }
    }
    message
}

/// Values of secret options in a comment, as ranges of its bytes: up to a blank, or up to the closing quote.
pub(super) fn in_comment(comment: &[u8]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for name in SECRET {
        let mut from = 0;
        while let Some(at) = comment[from..].windows(name.len()).position(|w| w.eq_ignore_ascii_case(name.as_bytes())) {
            let start = from + at + name.len();
            let rest = &comment[start..];
            let in_quotes = rest.iter().take(3).any(|b| *b == b'"');
            let mut seen = 0;
            let end = rest.iter().position(|b| {
                seen += usize::from(*b == b'"');
                if in_quotes { seen == 2 } else { b.is_ascii_whitespace() }
            });
            let end = end.unwrap_or(rest.len());
            if end > 0 {
                found.push((start, start + end));
            }
            from = start + end;
        }
    }
    found
}
