//! Why PyYAML refuses a text: the exception as Python raises it, with the bytes it points at.

use std::borrow::Cow;

/// An exception that leaves `yaml.safe_load`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// Its class: one of PyYAML's (`ScannerError`, `ParserError`, `ComposerError`, `ConstructorError`, `ReaderError`) or
    /// of Python's own (`ValueError`, `RecursionError`, …).
    pub class: &'static str,
    /// What PyYAML was doing, if it says so, and the byte where it had begun (`context`, `context_mark`).
    pub context: Option<(Cow<'static, str>, Option<usize>)>,
    /// What is wrong (`problem`), or the whole message of one of Python's own exceptions. It may quote the text.
    pub problem: Cow<'static, str>,
    /// The byte that PyYAML points at (`problem_mark`); for Python's own exceptions, which point at nothing, the start
    /// of what was read.
    pub at: usize,
    /// Behind the last byte of the offending token; not before `at`.
    pub end: usize,
}

/// The way out of the parser at the first thing that PyYAML refuses.
pub(super) type Refused<T> = Result<T, Box<Exception>>;

impl Exception {
    pub(super) fn new(class: &'static str, problem: impl Into<Cow<'static, str>>, at: usize) -> Box<Self> {
        Box::new(Self { class, context: None, problem: problem.into(), at, end: at })
    }

    pub(super) fn scanner(problem: impl Into<Cow<'static, str>>, at: usize) -> Box<Self> {
        Self::new("ScannerError", problem, at)
    }

    pub(super) fn constructor(problem: impl Into<Cow<'static, str>>, at: usize) -> Box<Self> {
        Self::new("ConstructorError", problem, at)
    }

    pub(super) fn during(mut self: Box<Self>, context: impl Into<Cow<'static, str>>, since: usize) -> Box<Self> {
        self.context = Some((context.into(), Some(since)));
        self
    }

    pub(super) fn to(mut self: Box<Self>, end: usize) -> Box<Self> {
        self.end = end.max(self.at);
        self
    }

    /// Whether Python raised it without a place in the text.
    #[must_use]
    pub fn is_python(&self) -> bool {
        !matches!(self.class, "ScannerError" | "ParserError" | "ComposerError" | "ConstructorError")
    }
}
