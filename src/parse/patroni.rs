//! The configuration of one Patroni node, as files and environment make it: `config.py:Config` before the DCS is asked.
//!
//! A file, or the files of a directory in the order of their names, are joined (maps deeply, everything else replaced, a null
//! in a later place deletes); then `PATRONI_*` variables go over it. Every value keeps its place and origin. What Patroni then
//! makes of it together with the dynamic configuration is in [`effective`](Patroni::effective).
//!
//! Passwords, tokens and strings that carry one are [`ItemValue::Secret`] from here on.

mod access;
mod address;
mod command;
mod effective;
mod environment;
mod graph;
mod item;
mod load;
mod paths;
mod python;
mod recognise;
mod secrets;
mod view;

pub use address::split_host_port;
pub use command::split_command;
pub use effective::Crash;
pub use environment::PREFIX;
pub use item::{Item, ItemValue, Key, Layer, Pair, Type};
pub use load::dynamic_configuration;
pub use python::{parse_bool, parse_int, parse_real};
pub use recognise::looks_like_patroni;
pub use secrets::{holds_credentials, names_a_secret, spans_in_text};

use crate::knowledge::patroni::Version;
use crate::source::{Span, Spanned};

/// What one Patroni node is configured with locally.
#[derive(Debug, Clone)]
pub struct Patroni {
    root: Item,
    paths: paths::Paths,
    version: Version,
    complete: bool,
    /// No template decides anything in it, and nothing in it is unknown.
    settled: bool,
    crash: Option<Crash>,
}

impl Patroni {
    /// Everything, as a map.
    #[must_use]
    pub const fn root(&self) -> &Item {
        &self.root
    }

    /// The release whose reading this is.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version
    }

    /// Whether all of it could be read. If not, what is absent may stand in a file.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.complete
    }

    /// How Patroni ends while it reads this, if it does.
    #[must_use]
    pub const fn crash(&self) -> Option<&Crash> {
        self.crash.as_ref()
    }

    /// Puts another dynamic configuration in the place of `bootstrap.dcs`; returns what stood there.
    pub fn put_dynamic(&mut self, mut dynamic: Item) -> Option<Item> {
        let at = dynamic.span;
        let key = |name: &str| Spanned::new(Key::named(name), at);
        let map = |pairs| Item { value: ItemValue::Map(pairs), key_span: None, ..dynamic.clone() };
        let ItemValue::Map(pairs) = &mut self.root.value else { return None };
        let is = |name: &'static str| move |pair: &Pair| pair.key.value.as_str() == Some(name);
        if !pairs.iter().any(is("bootstrap")) {
            pairs.push(Pair { key: key("bootstrap"), item: map(Vec::new()) });
        }
        let bootstrap = &mut pairs.iter_mut().find(|p| is("bootstrap")(p))?.item;
        if !matches!(bootstrap.value, ItemValue::Map(_)) {
            bootstrap.value = ItemValue::Map(Vec::new());
        }
        let ItemValue::Map(pairs) = &mut bootstrap.value else { return None };
        let before = if let Some(pair) = pairs.iter_mut().find(|p| is("dcs")(p)) {
            Some(std::mem::replace(&mut pair.item, dynamic))
        } else {
            dynamic.key_span = None;
            pairs.push(Pair { key: key("dcs"), item: dynamic });
            None
        };
        self.paths = paths::Paths::of(&self.root);
        self.settled = self.root.is_known();
        before
    }

    /// The places of all secrets that the configuration holds.
    #[must_use]
    pub fn secret_spans(&self) -> Vec<Span> {
        let mut spans = Vec::new();
        secrets::spans_of(&self.root, &mut spans);
        spans.sort_unstable();
        spans.dedup();
        spans
    }
}

#[cfg(test)]
mod tests;
