//! Facts that we do not have. A gap means "not checked", never "fine".

/// Why a fact is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum GapReason {
    /// Nobody told us.
    NotGiven,
    /// The node, file or service cannot be reached.
    Unreachable,
    /// We may not see it.
    Denied,
    /// The server is too old to tell.
    TooOld,
    /// It took too long.
    TimedOut,
    /// It is there and we do not understand it.
    Unreadable,
}

/// One missing fact.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gap {
    /// The node that it belongs to, if it belongs to one.
    pub node: Option<String>,
    /// What is missing, for a user.
    pub what: String,
    /// Why.
    pub why: GapReason,
}

impl Gap {
    /// A gap that belongs to no node.
    #[must_use]
    pub fn new(what: impl Into<String>, why: GapReason) -> Self {
        Self { node: None, what: what.into(), why }
    }
}

/// A value, or why there is none.
pub type Fact<T> = Result<T, Gap>;
