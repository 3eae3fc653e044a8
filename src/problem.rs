//! What a parser or a check has seen, before it gets its words.
//!
//! A [`Problem`] holds facts only: which rule, where, the values that the rule's message names, and the bytes that a fix
//! would change. The words live in the rule files; `rules::engine` joins the two into a `Finding`.

use std::borrow::Cow;

use crate::source::Span;

/// The name of a rule: kebab-case, names the bad state. Built-in ones are static, an organisation's are not.
pub type RuleId = Cow<'static, str>;

/// The value of a placeholder in a rule's texts.
pub type Arg = (Cow<'static, str>, String);

/// A replacement of bytes in a source. An empty range inserts, an empty text deletes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edit {
    /// The bytes that go.
    pub at: Span,
    /// What stands there afterwards.
    pub text: String,
}

/// One thing that is wrong, without its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The rule that was broken.
    pub rule: RuleId,
    /// Where the user would change something.
    pub at: Span,
    /// Values for the placeholders of the rule's texts.
    pub args: Vec<Arg>,
    /// Further places that belong to it, each with what it shows there; a text may be empty.
    pub labels: Vec<(Span, String)>,
    /// Facts of this one case that the rule's own texts cannot know; one line each.
    pub notes: Vec<String>,
    /// The members that it is about, where the places do not tell.
    pub nodes: Vec<String>,
    /// What a fix would change, when the rule has one; they do not overlap.
    pub edits: Vec<Edit>,
}

impl Problem {
    /// A problem at a place.
    #[must_use]
    pub fn new(rule: impl Into<RuleId>, at: Span) -> Self {
        Self {
            rule: rule.into(),
            at,
            args: Vec::new(),
            labels: Vec::new(),
            notes: Vec::new(),
            nodes: Vec::new(),
            edits: Vec::new(),
        }
    }

    /// Gives a placeholder of the rule's texts its value. Never a secret.
    #[must_use]
    pub fn arg(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        self.args.push((name.into(), value.into()));
        self
    }

    /// Points at further evidence.
    #[must_use]
    pub fn label(mut self, at: Span, text: impl Into<String>) -> Self {
        self.labels.push((at, text.into()));
        self
    }

    /// Adds a line of explanation.
    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    /// Says that it is about a member.
    #[must_use]
    pub fn node(mut self, name: impl Into<String>) -> Self {
        self.nodes.push(name.into());
        self
    }

    /// Adds a change of bytes to the fix.
    #[must_use]
    pub fn edit(mut self, at: Span, text: impl Into<String>) -> Self {
        self.edits.push(Edit { at, text: text.into() });
        self
    }
}

/// What a parser returns: what it could make of the text, and what was wrong with it. Never one without the other.
#[derive(Debug, Clone)]
pub struct Parsed<T> {
    /// What was read, as far as it could be.
    pub tree: T,
    /// What was wrong, in the order of the text.
    pub problems: Vec<Problem>,
}
