//! Scalars to values, by their tag (`SafeConstructor`).

use std::borrow::Cow;

use super::chars::repr;
use super::tag::Tag;
use super::tree::Value;
use super::{binary, number, timestamp};

/// An exception without a place.
#[derive(Debug)]
pub(super) struct PyError {
    pub(super) class: &'static str,
    pub(super) problem: Cow<'static, str>,
}

impl PyError {
    pub(super) fn new(class: &'static str, problem: impl Into<Cow<'static, str>>) -> Self {
        Self { class, problem: problem.into() }
    }

    pub(super) fn value(problem: impl Into<Cow<'static, str>>) -> Self {
        Self::new("ValueError", problem)
    }

    pub(super) fn index() -> Self {
        Self::new("IndexError", "string index out of range")
    }

    /// Not an exception of Python, which would go on for minutes or until it has no memory left.
    pub(super) fn too_large() -> Self {
        Self::new(TOO_LARGE, "the value takes more work than any configuration needs")
    }
}

/// The class of what is refused here and not by Python.
pub(super) const TOO_LARGE: &str = "TooLarge";

/// What a scalar of a known tag is in Python.
pub(super) fn value(tag: &Tag, text: Cow<'_, str>) -> Result<Value, PyError> {
    match tag {
        Tag::Null => Ok(Value::Null),
        Tag::Bool => boolean(&text).map(Value::Bool),
        Tag::Int => number::int(&text).map(Value::Int),
        Tag::Float => number::float(&text).map(Value::Float),
        Tag::Binary => binary::decode(&text).map(|bytes| Value::Binary(bytes.into())),
        Tag::Timestamp => timestamp::construct(&text).map(|iso| Value::Timestamp(iso.into())),
        _ => Ok(Value::Str(text.into())),
    }
}

/// What a plain scalar becomes in Python, in a word: `str`, `int`, `bool`; `None` for one that ends the reading of its file.
pub(super) fn kind_of_plain(text: &str) -> Option<&'static str> {
    Some(match value(&Tag::resolved(text), Cow::Borrowed(text)).ok()? {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Int(_) => "int",
        Value::Float(_) => "float",
        Value::Timestamp(_) => "datetime",
        _ => "str",
    })
}

fn boolean(text: &str) -> Result<bool, PyError> {
    let lower = text.to_lowercase();
    match lower.as_str() {
        "yes" | "true" | "on" => Ok(true),
        "no" | "false" | "off" => Ok(false),
        _ => Err(PyError::new("KeyError", repr(&lower))),
    }
}
