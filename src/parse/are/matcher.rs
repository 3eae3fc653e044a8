//! Matching with the `regex` crate, for patterns that mean the same there.
//!
//! Whether a pattern is found at all does not depend on greed or on which alternative is tried first. What its first group
//! takes does: PostgreSQL looks for the longest match as a whole, `regex` for the first one that works. So a group's text is
//! given only for patterns without alternatives, lazy quantifiers and repeated groups.

use regex::bytes::{Regex, RegexBuilder};

use super::GroupMatch;
use super::syntax::{Item, Node, Set};

/// A compiled pattern.
#[derive(Debug)]
pub(crate) struct Matcher {
    regex: Regex,
    plain_groups: bool,
}

impl Matcher {
    pub(super) fn new(node: &Node, ignore_case: bool) -> Option<Self> {
        let mut text = String::new();
        write(node, &mut text)?;
        let regex = RegexBuilder::new(&text)
            .unicode(false)
            .case_insensitive(ignore_case)
            .dot_matches_new_line(true)
            .size_limit(1 << 20)
            .build()
            .ok()?;
        Some(Self { regex, plain_groups: has_plain_groups(node) })
    }

    pub(super) fn is_match(&self, text: &[u8]) -> bool {
        self.regex.is_match(text)
    }

    pub(super) fn first_group(&self, text: &[u8]) -> Option<GroupMatch> {
        if self.regex.captures_len() < 2 {
            return Some(if self.is_match(text) { GroupMatch::NoGroup } else { GroupMatch::NoMatch });
        }
        match self.regex.captures(text) {
            None => Some(GroupMatch::NoMatch),
            Some(_) if !self.plain_groups => None,
            Some(found) => Some(found.get(1).map_or(GroupMatch::NoGroup, |group| {
                GroupMatch::Text(String::from_utf8_lossy(group.as_bytes()).into_owned())
            })),
        }
    }
}

/// No alternatives, no lazy quantifier, and what is repeated takes one byte.
fn has_plain_groups(node: &Node) -> bool {
    match node {
        Node::Alternatives(_) => false,
        Node::Sequence(items) => items.iter().all(has_plain_groups),
        Node::Group(inner) | Node::Capture(inner) => has_plain_groups(inner),
        Node::Repeat(inner, _, _, greedy) => *greedy && matches!(**inner, Node::Set(_) | Node::Byte(_)),
        _ => true,
    }
}

/// The same pattern for `regex`; `None` when it has no equal.
fn write(node: &Node, out: &mut String) -> Option<()> {
    match node {
        Node::Alternatives(branches) => {
            out.push_str("(?:");
            for (i, branch) in branches.iter().enumerate() {
                if i > 0 {
                    out.push('|');
                }
                write(branch, out)?;
            }
            out.push(')');
        }
        Node::Sequence(items) => items.iter().try_for_each(|item| write(item, out))?,
        Node::Group(inner) => wrapped("(?:", inner, out)?,
        Node::Capture(inner) => wrapped("(", inner, out)?,
        Node::Repeat(inner, min, max, greedy) => {
            wrapped("(?:", inner, out)?;
            let max = max.map_or(String::new(), |m| m.to_string());
            out.extend([format!("{{{min},{max}}}{}", if *greedy { "" } else { "?" })]);
        }
        Node::Set(set) => write_set(set, out)?,
        Node::Byte(n) => out.push_str(&byte(*n).unwrap_or_else(|| NOTHING.to_owned())),
        Node::LineStart => out.push_str("(?m:^)"),
        Node::LineEnd => out.push_str("(?m:$)"),
        Node::TextStart => out.push_str(r"\A"),
        Node::TextEnd => out.push_str(r"\z"),
        Node::WordStart => out.push_str(r"\b{start}"),
        Node::WordEnd => out.push_str(r"\b{end}"),
        Node::WordEdge => out.push_str(r"\b"),
        Node::NotWordEdge => out.push_str(r"\B"),
        Node::Beyond => return None,
    }
    Some(())
}

/// Matches no byte: what a code point over 255 comes to where every character is a byte.
const NOTHING: &str = r"[^\x00-\xff]";

fn wrapped(open: &str, inner: &Node, out: &mut String) -> Option<()> {
    out.push_str(open);
    write(inner, out)?;
    out.push(')');
    Some(())
}

fn byte(n: u32) -> Option<String> {
    (n <= 0xff).then(|| format!("\\x{n:02x}"))
}

fn write_set(set: &Set, out: &mut String) -> Option<()> {
    let mut inner = String::new();
    for item in &set.items {
        match item {
            Item::Range(first, last) => {
                if *first <= 0xff {
                    inner.extend([format!("\\x{first:02x}-\\x{:02x}", (*last).min(0xff))]);
                }
            }
            Item::Class(class) => inner.extend([format!("[:{class}:]")]),
            // What such a complement leaves out under the newline-sensitive options is not modelled.
            Item::NotClass(_) if set.no_newline => return None,
            Item::NotClass(class) => inner.extend([format!("[:^{class}:]")]),
        }
    }
    if set.complement && set.no_newline {
        inner.push_str(r"\n");
    }
    match (inner.is_empty(), set.complement) {
        (true, true) => out.push_str(r"[\x00-\xff]"),
        (true, false) => out.push_str(NOTHING),
        (false, true) => out.extend([format!("[^{inner}]")]),
        (false, false) => out.extend([format!("[{inner}]")]),
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use crate::parse::are::{Are, GroupMatch};

    fn is_match(pattern: &str, text: &str) -> Option<bool> {
        Are::parse(pattern, 18).expect("a good pattern").is_match(text)
    }

    #[test]
    fn patterns_are_unanchored_and_go_by_bytes() {
        assert_eq!(is_match("b", "abc"), Some(true));
        assert_eq!(is_match("^db[[:digit:]]{2,3}$", "db12"), Some(true));
        assert_eq!(is_match("^.$", "é"), Some(false));
        assert_eq!(is_match("(a)\\1", "aa"), None);
        assert_eq!(is_match("***:(?i)ABC", "abc"), Some(true));
    }

    #[test]
    fn errors_are_the_servers() {
        let error = |p| Are::parse(p, 18).expect_err("a bad pattern");
        assert_eq!(error("("), "parentheses () not balanced");
        assert_eq!(error("["), "brackets [] not balanced");
        assert_eq!(error("^*"), "quantifier operand invalid");
        assert_eq!(error("a{2,1}"), "invalid repetition count(s)");
        assert_eq!(error("[z-a]"), "invalid character range");
    }

    #[test]
    fn a_group_is_given_only_where_greed_cannot_matter() {
        let group = |p, t| Are::parse(p, 18).expect("a good pattern").first_group(t);
        assert_eq!(group("^(.*)@example\\.com$", "joe@example.com"), Some(GroupMatch::Text("joe".to_owned())));
        assert_eq!(group("^joe$", "joe"), Some(GroupMatch::NoGroup));
        assert_eq!(group("^(a|ab)c?", "ab"), None);
    }
}
