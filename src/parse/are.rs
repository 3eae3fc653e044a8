//! PostgreSQL's advanced regular expressions, as `pg_hba.conf` and `pg_ident.conf` use them: compiled before any database
//! is known, hence byte by byte and with the C collation.
//!
//! [`Are::parse`] accepts and refuses as `pg_regcomp` does, with its words (`src/backend/regex/regc_lex.c`, `regcomp.c`).
//! Matching is left to the `regex` crate where a pattern means the same there; where it does not (back references,
//! lookaround, literal and basic flavours) the answer is "not understood", never a guess.

mod lex;
mod matcher;
mod syntax;

use std::sync::OnceLock;

pub(crate) use matcher::Matcher;

/// Why a pattern is refused, in the server's words, or that we cannot tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AreError {
    /// The server refuses it with this text.
    Refused(&'static str),
    /// The server may take it; it is written in a way that is not modelled.
    NotModelled,
}

/// A pattern that the server accepts.
#[derive(Debug)]
pub struct Are {
    pattern: String,
    node: Option<syntax::Node>,
    ignore_case: bool,
    matcher: OnceLock<Option<Matcher>>,
}

impl Clone for Are {
    fn clone(&self) -> Self {
        Self {
            pattern: self.pattern.clone(),
            node: self.node.clone(),
            ignore_case: self.ignore_case,
            matcher: OnceLock::new(),
        }
    }
}

impl PartialEq for Are {
    fn eq(&self, other: &Self) -> bool {
        self.pattern == other.pattern
    }
}

impl Eq for Are {}

impl Are {
    /// Reads a pattern (without the slash in front of it) as a server of this major version does.
    ///
    /// # Errors
    /// What the server says behind `invalid regular expression "…": `.
    pub fn parse(pattern: &str, version: u16) -> Result<Self, &'static str> {
        match syntax::parse(pattern.as_bytes(), version) {
            Ok((node, ignore_case)) => {
                Ok(Self { pattern: pattern.to_owned(), node: Some(node), ignore_case, matcher: OnceLock::new() })
            }
            Err(AreError::Refused(text)) => Err(text),
            Err(AreError::NotModelled) => {
                Ok(Self { pattern: pattern.to_owned(), node: None, ignore_case: false, matcher: OnceLock::new() })
            }
        }
    }

    /// The pattern as written.
    #[must_use]
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    fn matcher(&self) -> Option<&Matcher> {
        let made = self.matcher.get_or_init(|| self.node.as_ref().and_then(|n| Matcher::new(n, self.ignore_case)));
        made.as_ref()
    }

    /// Whether it is found anywhere in the text; `None` when the pattern is not understood.
    #[must_use]
    pub fn is_match(&self, text: &str) -> Option<bool> {
        Some(self.matcher()?.is_match(text.as_bytes()))
    }

    /// What the first group takes from the text: no match, a match in which it takes no part, or its text.
    /// `None` when the pattern is not understood, or which of several possible texts the server takes is not.
    #[must_use]
    pub fn first_group(&self, text: &str) -> Option<GroupMatch> {
        self.matcher()?.first_group(text.as_bytes())
    }
}

/// The outcome of matching a pattern whose first group is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupMatch {
    /// The pattern does not match.
    NoMatch,
    /// It does, without a first group.
    NoGroup,
    /// It does, and this is what the first group took; bytes that are no UTF-8 become U+FFFD.
    Text(String),
}
