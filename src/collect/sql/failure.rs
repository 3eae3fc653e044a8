//! Why something could not be had from a server, in our words and in its own.

use std::error::Error as _;

use tokio_postgres::error::DbError;

use crate::bundle::Miss;
use crate::gap::GapReason;

/// What was being done when it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Logging in.
    Connecting,
    /// Asking a question; whether it needs a minimum version.
    Asking { needs_version: bool },
}

/// What is said of bytes that are none of the protocol's.
const NONSENSE: [&str; 5] =
    ["unexpected message", "error parsing", "invalid message", "unknown message tag", "bytes remaining on stream"];

/// The gap that an error leaves.
pub(super) fn miss(error: &tokio_postgres::Error, phase: Phase) -> Miss {
    if let Some(said) = error.as_db_error() {
        return Miss { why: reason(said.code().code(), said.message(), phase), detail: server_words(said) };
    }
    let detail = causes(error);
    let begin = error.to_string();
    let why = if detail.contains("password missing") {
        return Miss { why: GapReason::Denied, detail: "the server asks for a password, and none is given".to_owned() };
    } else if begin.starts_with("authentication error") || begin.starts_with("invalid configuration") {
        GapReason::Denied
    } else if NONSENSE.iter().any(|words| detail.contains(words)) {
        GapReason::Unreadable
    } else {
        GapReason::Unreachable
    };
    Miss { why, detail }
}

/// `28P01: password authentication failed for user "x"`, with detail and hint.
fn server_words(said: &DbError) -> String {
    let mut words = format!("{}: {}", said.code().code(), said.message());
    for (name, text) in [("DETAIL", said.detail()), ("HINT", said.hint())] {
        if let Some(text) = text {
            words = format!("{words}; {name}: {text}");
        }
    }
    if said.message().contains("startup parameter") {
        words.push_str("; this looks like a connection pooler: give the address of the server itself");
    }
    words
}

fn reason(code: &str, message: &str, phase: Phase) -> GapReason {
    match (code, phase) {
        ("57014" | "55P03", _) => GapReason::TimedOut,
        ("42501" | "25006", _) => GapReason::Denied,
        ("42883" | "42P01" | "42703", Phase::Asking { needs_version: true }) => GapReason::TooOld,
        ("08P01", Phase::Connecting) if message.contains("startup parameter") => GapReason::Denied,
        _ if code.starts_with("28") => GapReason::Denied,
        _ if code.starts_with("08") || code.starts_with("57P") => GapReason::Unreachable,
        (_, Phase::Connecting) => GapReason::Denied,
        (_, Phase::Asking { .. }) => GapReason::Unreadable,
    }
}

/// An error with all that caused it.
pub(super) fn causes(error: &tokio_postgres::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(e) = cause {
        let text = e.to_string();
        // rustls says what kind of an error it has before the words of our own verifier.
        let text = text.strip_prefix("unexpected error: ").unwrap_or(&text);
        if !words.contains(text) {
            words = format!("{words}: {text}");
        }
        cause = e.source();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::{Phase, reason};
    use crate::gap::GapReason;

    #[test]
    fn states_are_sorted() {
        let old = Phase::Asking { needs_version: true };
        let ask = Phase::Asking { needs_version: false };
        for (code, phase, want) in [
            ("28P01", Phase::Connecting, GapReason::Denied),
            ("28000", Phase::Connecting, GapReason::Denied),
            ("3D000", Phase::Connecting, GapReason::Denied),
            ("53300", Phase::Connecting, GapReason::Denied),
            ("57P03", Phase::Connecting, GapReason::Unreachable),
            ("08P01", Phase::Connecting, GapReason::Unreachable),
            ("42501", ask, GapReason::Denied),
            ("57014", ask, GapReason::TimedOut),
            ("55P03", ask, GapReason::TimedOut),
            ("57P01", ask, GapReason::Unreachable),
            ("42703", old, GapReason::TooOld),
            ("42P01", old, GapReason::TooOld),
            ("42883", ask, GapReason::Unreadable),
            ("22012", ask, GapReason::Unreadable),
        ] {
            assert_eq!(reason(code, "", phase), want, "{code}");
        }
    }
}
