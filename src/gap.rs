//! What we could not look at. Unknown is never "fine".

/// Why a fact could not be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GapReason {
    /// Nobody handed it to us.
    NotGiven,
    /// It does not answer.
    Unreachable,
    /// Nothing listens there: the host itself says so.
    Closed,
    /// It answers, and refuses.
    Denied,
    /// Its version does not know of it.
    TooOld,
    /// It took too long.
    TimedOut,
    /// It was handed to us and cannot be understood.
    Unreadable,
}

impl GapReason {
    /// Words for a user, behind "not checked, because it is …".
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::NotGiven => "not given",
            Self::Unreachable => "unreachable",
            Self::Closed => "not there: nothing listens",
            Self::Denied => "refused to us",
            Self::TooOld => "not in a version this old",
            Self::TimedOut => "too slow to answer",
            Self::Unreadable => "not readable",
        }
    }
}

/// A fact that a check needed and did not get.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Gap {
    /// The member it belongs to.
    pub node: Option<String>,
    /// What is missing: a file, a query, a key.
    pub what: String,
    /// Why.
    pub why: GapReason,
    /// What was said about it, without secrets: the server's message, the error of the connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Gap {
    /// A gap of a whole run or cluster.
    #[must_use]
    pub fn new(what: impl Into<String>, why: GapReason) -> Self {
        Self { node: None, what: what.into(), why, detail: None }
    }

    /// The same with what was said about it.
    #[must_use]
    pub fn because(mut self, detail: &str) -> Self {
        self.detail = Some(detail.split_whitespace().collect::<Vec<_>>().join(" ")).filter(|d| !d.is_empty());
        self
    }

    /// The same, of one member.
    #[must_use]
    pub fn on(mut self, node: impl Into<String>) -> Self {
        self.node = Some(node.into());
        self
    }
}

impl std::fmt::Display for Gap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.node {
            Some(node) => write!(f, "{} of {node} is {}", self.what, self.why.words()),
            None => write!(f, "{} is {}", self.what, self.why.words()),
        }?;
        self.detail.iter().try_for_each(|detail| write!(f, " ({detail})"))
    }
}

/// Something we know, or the reason why we do not. `?` in a check means "not checked", never "fine".
pub type Fact<T> = Result<T, Gap>;
