//! One member's Patroni configuration, and what most rules ask of it.

use std::sync::Arc;

use crate::parse::patroni::{Item, ItemValue, Key, Pair, Patroni, Type};
use crate::source::{Source, Span};

/// A configuration file of Patroni.
#[derive(Debug)]
pub struct PatroniFile {
    /// Its text.
    pub source: Arc<Source>,
    /// What it says.
    pub config: Patroni,
    /// Permission bits, where they count.
    pub mode: Option<u32>,
}

/// A value and the path of its key.
#[derive(Debug, Clone)]
pub struct Named<'a> {
    /// Keys with dots between them.
    pub path: String,
    /// The value.
    pub item: &'a Item,
}

impl PatroniFile {
    /// Whether the file is a member's whole configuration, and not a part in a configuration directory.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        ["scope", "name", "restapi", "postgresql"].iter().filter(|k| self.config.get(k).is_some()).count() >= 3
    }

    /// Whether it is certain that there is nothing at a path: the file could be read there.
    #[must_use]
    pub fn is_absent(&self, path: &str) -> bool {
        let mut here = self.config.root();
        for key in path.split('.') {
            match here.get(key) {
                Some(next) => here = next,
                None => return self.config.is_complete() && !here.open && !matches!(here.value, ItemValue::Unknown),
            }
        }
        false
    }

    /// Where something at a path would stand: the key of the nearest section above it, or the first key of the file.
    #[must_use]
    pub fn place_of(&self, path: &str) -> Span {
        let mut here = self.config.root();
        let mut place = here.pairs().first().map_or(self.source.span(0, 0), |p| p.key.span);
        for key in path.split('.') {
            let Some(next) = here.get(key) else { break };
            place = next.key_or_value();
            here = next;
        }
        place
    }

    /// Settings of PostgreSQL in the local configuration.
    pub fn local_parameters(&self) -> impl Iterator<Item = (&str, &Item)> {
        named(self.config.get("postgresql.parameters"))
    }

    /// Settings of PostgreSQL that a new cluster gets.
    pub fn dynamic_parameters(&self) -> impl Iterator<Item = (&str, &Item)> {
        named(self.config.get("bootstrap.dcs.postgresql.parameters"))
    }

    /// One of [`Self::local_parameters`]; capitals do not matter.
    #[must_use]
    pub fn local_parameter(&self, name: &str) -> Option<&Item> {
        self.local_parameters().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, item)| item)
    }

    /// One of [`Self::dynamic_parameters`]; capitals do not matter.
    #[must_use]
    pub fn dynamic_parameter(&self, name: &str) -> Option<&Item> {
        self.dynamic_parameters().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, item)| item)
    }

    /// Every secret, in order.
    #[must_use]
    pub fn secrets(&self) -> Vec<Named<'_>> {
        self.named(|_, item| matches!(item.value, ItemValue::Secret(..)))
    }

    /// Every password and user name that YAML does not read as text, in order.
    #[must_use]
    pub fn credentials_not_text(&self) -> Vec<Named<'_>> {
        self.named(|key, item| match item.value {
            ItemValue::Secret(_, kind) => kind != Type::Str,
            ItemValue::Bool(_) | ItemValue::Int(_) | ItemValue::Float(_) | ItemValue::Other(..) => key == "username",
            _ => false,
        })
    }

    fn named(&self, wanted: impl Fn(&str, &Item) -> bool) -> Vec<Named<'_>> {
        let mut found = Vec::new();
        walk(self.config.root(), &mut Vec::new(), &wanted, &mut found);
        found
    }
}

fn named(section: Option<&Item>) -> impl Iterator<Item = (&str, &Item)> {
    section.map_or(&[][..], Item::pairs).iter().filter_map(|p| p.key.value.as_str().map(|name| (name, &p.item)))
}

fn walk<'a>(
    item: &'a Item,
    path: &mut Vec<&'a str>,
    wanted: &impl Fn(&str, &Item) -> bool,
    found: &mut Vec<Named<'a>>,
) {
    if wanted(path.last().copied().unwrap_or_default(), item) {
        found.push(Named { path: path.join("."), item });
    }
    for Pair { key, item } in item.pairs() {
        if let Key::Str(key) = &key.value {
            path.push(key);
            walk(item, path, wanted, found);
            path.pop();
        }
    }
    for item in item.items() {
        walk(item, path, wanted, found);
    }
}
