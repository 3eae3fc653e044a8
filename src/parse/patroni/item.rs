//! The values of a configuration after files and environment were joined, each with its place and origin.

use std::borrow::Cow;

use crate::knowledge::names;
use crate::parse::yaml::Int;
use crate::secret::Secret;
use crate::source::{Span, Spanned};

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// Patroni's built-in defaults.
    Default,
    /// The configuration in the DCS.
    Dynamic,
    /// A configuration file.
    File,
    /// An environment variable.
    Environment,
    /// Patroni made it of other values.
    Derived,
}

/// What a scalar is in Python.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Type {
    /// `None`
    Null,
    /// `bool`
    Bool,
    /// `int`
    Int,
    /// `float`
    Float,
    /// `str`
    Str,
    /// `bytes`
    Bytes,
    /// `datetime.date` or `datetime.datetime`
    Date,
    /// `set`
    Set,
    /// `dict`
    Map,
    /// `list`
    List,
    /// The file is broken here.
    Unknown,
}

impl Type {
    /// What a user calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool => "a boolean",
            Self::Int => "an integer",
            Self::Float => "a number with a fraction",
            Self::Str => "a string",
            Self::Bytes => "binary data",
            Self::Date => "a date",
            Self::Set => "a set",
            Self::Map => "a map",
            Self::List => "a list",
            Self::Unknown => "not readable",
        }
    }
}

/// A key of a map. Numbers that Python holds for equal (`1`, `1.0`, `true`) are equal here too.
#[derive(Debug, Clone)]
pub enum Key {
    /// `None`
    Null,
    /// `bool`
    Bool(bool),
    /// `int`
    Int(Int),
    /// `float`
    Float(f64),
    /// `str`; a name that Patroni or PostgreSQL knows takes no memory of its own.
    Str(Cow<'static, str>),
    /// Anything else, as Python prints it.
    Other(Box<str>),
}

impl Key {
    /// A string key.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self::Str(names::shared(name).map_or_else(|| Cow::Owned(name.to_owned()), Cow::Borrowed))
    }

    /// The text of a string key.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }
}

/// What stands behind a key.
#[derive(Debug, Clone)]
pub enum ItemValue {
    /// `None`
    Null,
    /// `bool`
    Bool(bool),
    /// `int`
    Int(Int),
    /// `float`
    Float(f64),
    /// `str`
    Str(Box<str>),
    /// A scalar that must not be seen, as Python prints it, and what it was.
    Secret(Secret, Type),
    /// `bytes`, a date or a `set`, as Python prints it.
    Other(Box<str>, Type),
    /// `dict`
    Map(Vec<Pair>),
    /// `list`
    List(Vec<Item>),
    /// The file is broken here, a template fills it in, or the value is too large to be written out.
    Unknown,
}

/// A key and its value.
#[derive(Debug, Clone)]
pub struct Pair {
    /// The key and where it stands.
    pub key: Spanned<Key>,
    /// The value.
    pub item: Item,
}

/// A value, its place and its origin.
#[derive(Debug, Clone)]
pub struct Item {
    /// What it is.
    pub value: ItemValue,
    /// Where it stands.
    pub span: Span,
    /// Where its key stands, if it has one.
    pub key_span: Option<Span>,
    /// Who set it.
    pub layer: Layer,
    /// A template decides what a map or list holds: there may be more or less in it.
    pub open: bool,
    /// A template decides whether it is there.
    pub optional: bool,
}

impl Item {
    /// Whether all of it is known: it is there, and no part is unknown or open.
    #[must_use]
    pub fn is_known(&self) -> bool {
        let known = !self.open && !self.optional && !matches!(self.value, ItemValue::Unknown);
        known && self.pairs().iter().all(|p| p.item.is_known()) && self.items().iter().all(Self::is_known)
    }

    /// What it is in Python.
    #[must_use]
    pub const fn kind(&self) -> Type {
        match &self.value {
            ItemValue::Null => Type::Null,
            ItemValue::Bool(_) => Type::Bool,
            ItemValue::Int(_) => Type::Int,
            ItemValue::Float(_) => Type::Float,
            ItemValue::Str(_) => Type::Str,
            ItemValue::Secret(_, kind) | ItemValue::Other(_, kind) => *kind,
            ItemValue::Map(_) => Type::Map,
            ItemValue::List(_) => Type::List,
            ItemValue::Unknown => Type::Unknown,
        }
    }

    /// The text of a string that is no secret.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            ItemValue::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The pairs of a map; none for anything else.
    #[must_use]
    pub fn pairs(&self) -> &[Pair] {
        match &self.value {
            ItemValue::Map(pairs) => pairs,
            _ => &[],
        }
    }

    /// The items of a list; none for anything else.
    #[must_use]
    pub fn items(&self) -> &[Self] {
        match &self.value {
            ItemValue::List(items) => items,
            _ => &[],
        }
    }

    /// The value of a string key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.pairs().iter().find(|p| p.key.value.as_str() == Some(key)).map(|p| &p.item)
    }

    /// Follows string keys, which stand between dots, through maps.
    #[must_use]
    pub fn at(&self, path: &str) -> Option<&Self> {
        path.split('.').try_fold(self, |here, key| here.get(key))
    }

    /// Whether Python takes it for true: not what is empty, zero, null or false.
    #[must_use]
    pub fn is_truthy(&self) -> bool {
        super::view::is_true(self)
    }

    /// Where its key stands, or the value itself when it has none.
    #[must_use]
    pub fn key_or_value(&self) -> Span {
        self.key_span.unwrap_or(self.span)
    }

    /// A scalar as Patroni would hand it to PostgreSQL as a setting: booleans as `on` and `off`
    /// (`ConfigWriter.write_param` writes `True`, which the server reads the same way). `None` for anything else.
    #[must_use]
    pub fn as_setting(&self) -> Option<String> {
        match &self.value {
            ItemValue::Bool(value) => Some(if *value { "on" } else { "off" }.to_owned()),
            ItemValue::Int(Int::Small(value)) => Some(value.to_string()),
            ItemValue::Int(Int::Big(digits)) => Some(digits.to_string()),
            ItemValue::Float(value) => Some(super::python::float(*value)),
            ItemValue::Str(text) => Some(text.to_string()),
            _ => None,
        }
    }

    /// Whether Python takes it for true: what is not empty, zero, `None` or `False`. A quoted `"false"` is true.
    #[must_use]
    pub fn is_true(&self) -> bool {
        super::view::is_true(self)
    }

    /// `str()` of a scalar, as Patroni writes it into a file or on a command line; `None` for null, which it does not write, for what is
    /// no scalar, and for secrets.
    #[must_use]
    pub fn as_written(&self) -> Option<String> {
        match self.value {
            ItemValue::Bool(value) => Some(if value { "True" } else { "False" }.to_owned()),
            _ => self.as_setting(),
        }
    }

    /// `utils.py:parse_bool` of the value: `on`, `"off"`, `1` are booleans too.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        super::python::parse_bool(&self.as_setting()?)
    }

    /// Whether YAML reads a plain word as this value.
    #[must_use]
    pub fn is_yaml(&self, word: &str) -> bool {
        match &self.value {
            ItemValue::Bool(value) => super::python::parse_bool(word) == Some(*value),
            ItemValue::Null => matches!(word, "" | "~" | "null"),
            // A quoted word is a string, whatever it says.
            ItemValue::Str(_) if super::python::parse_bool(word).is_some() => false,
            _ => self.as_setting().is_some_and(|text| text == word),
        }
    }

    /// A text that is equal for equal values. It may hold secrets: for comparing only.
    #[must_use]
    pub fn comparable(&self) -> String {
        match &self.value {
            ItemValue::Null => "null".to_owned(),
            ItemValue::Secret(secret, _) => secret.reveal().to_owned(),
            ItemValue::Other(text, _) => text.to_string(),
            ItemValue::Map(pairs) => {
                let mut all: Vec<String> = pairs
                    .iter()
                    .map(|p| format!("{}: {}", p.key.value.as_str().unwrap_or("?"), p.item.comparable()))
                    .collect();
                all.sort();
                format!("{{{}}}", all.join(", "))
            }
            ItemValue::List(items) => {
                format!("[{}]", items.iter().map(Self::comparable).collect::<Vec<_>>().join(", "))
            }
            ItemValue::Unknown => "?".to_owned(),
            _ => self.as_setting().unwrap_or_default(),
        }
    }
}
