//! What the scanner hands to the parser.

use std::borrow::Cow;

use super::tree::Style;

/// A token and its bytes.
#[derive(Debug)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind<'a>,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// A tag as written: the handle (none for `!<…>` and a lone `!`) and the rest.
pub(super) type RawTag<'a> = (Option<&'a str>, Cow<'a, str>);

#[derive(Debug)]
pub(super) enum Kind<'a> {
    StreamEnd,
    Directive(Directive<'a>),
    DocumentStart,
    DocumentEnd,
    BlockSequenceStart,
    BlockMappingStart,
    BlockEnd,
    FlowSequenceStart,
    FlowMappingStart,
    FlowSequenceEnd,
    FlowMappingEnd,
    BlockEntry,
    FlowEntry,
    Key,
    Value,
    Alias(&'a str),
    Anchor(&'a str),
    Tag(Box<RawTag<'a>>),
    Scalar(Cow<'a, str>, Style),
}

/// A line that begins with `%`.
#[derive(Debug)]
pub(super) enum Directive<'a> {
    /// `%YAML`, and whether its major number is 1.
    Yaml(bool),
    /// `%TAG` with handle and prefix.
    Tag(Box<(&'a str, Cow<'a, str>)>),
    /// One that PyYAML passes over.
    Other,
}

impl Kind<'_> {
    /// The token's name in PyYAML's messages.
    pub(super) const fn id(&self) -> &'static str {
        match self {
            Self::StreamEnd => "<stream end>",
            Self::Directive(_) => "<directive>",
            Self::DocumentStart => "<document start>",
            Self::DocumentEnd => "<document end>",
            Self::BlockSequenceStart => "<block sequence start>",
            Self::BlockMappingStart => "<block mapping start>",
            Self::BlockEnd => "<block end>",
            Self::FlowSequenceStart => "[",
            Self::FlowMappingStart => "{",
            Self::FlowSequenceEnd => "]",
            Self::FlowMappingEnd => "}",
            Self::BlockEntry => "-",
            Self::FlowEntry => ",",
            Self::Key => "?",
            Self::Value => ":",
            Self::Alias(_) => "<alias>",
            Self::Anchor(_) => "<anchor>",
            Self::Tag(_) => "<tag>",
            Self::Scalar(..) => "<scalar>",
        }
    }
}
