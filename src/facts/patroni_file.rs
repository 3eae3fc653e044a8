//! One member's Patroni configuration, and what most rules ask of it.

use std::sync::Arc;

use super::host_path;
use crate::parse::patroni::{Item, ItemValue, Key, Pair, Patroni, Type, parse_bool};
use crate::source::{Source, Span, Spanned};

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
                None => return self.config.is_complete() && !matches!(here.value, ItemValue::Unknown),
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

    /// A setting as Patroni writes it into postgresql.conf: the local one, else that of the dynamic configuration. Not for those
    /// that Patroni puts on the command line.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&Item> {
        self.local_parameter(name).or_else(|| self.dynamic_parameter(name))
    }

    /// A key below `postgresql` that the local file overrides as a whole: from there, else from the dynamic configuration of a
    /// new cluster (`config.py:Config._build_effective_configuration`).
    #[must_use]
    pub fn of_postgresql(&self, key: &str) -> Option<&Item> {
        let dynamic = || self.config.get("bootstrap.dcs.postgresql").and_then(|section| section.get(key));
        self.config.get("postgresql").and_then(|section| section.get(key)).or_else(dynamic)
    }

    /// Whether a key below `postgresql` is on.
    #[must_use]
    pub fn is_on(&self, key: &str) -> bool {
        self.of_postgresql(key).is_some_and(|item| {
            item.kind() == Type::Bool && item.as_setting().is_some_and(|s| parse_bool(&s) == Some(true))
        })
    }

    /// The lines that Patroni replaces `pg_hba.conf` by; none when its list does not count. Items that are no text are left out,
    /// as Patroni does (`ConfigWriter.writelines`).
    #[must_use]
    pub fn hba_lines(&self) -> Vec<Spanned<String>> {
        if self.redirected("hba_file", "pg_hba.conf").is_some() { Vec::new() } else { self.lines("pg_hba") }
    }

    /// The lines that Patroni replaces `pg_ident.conf` by, likewise.
    #[must_use]
    pub fn ident_lines(&self) -> Vec<Spanned<String>> {
        if self.redirected("ident_file", "pg_ident.conf").is_some() { Vec::new() } else { self.lines("pg_ident") }
    }

    fn lines(&self, key: &str) -> Vec<Spanned<String>> {
        let items = self.of_postgresql(key).map_or(&[][..], Item::items);
        items.iter().filter_map(|i| i.as_str().map(|t| Spanned::new(t.to_owned(), i.span))).collect()
    }

    /// The parameter (`hba_file` or `ident_file`) that makes PostgreSQL read another file than the one that Patroni writes into
    /// `config_dir`; then Patroni does not write it (`ConfigHandler.hba_file`). `None` where the two are one or it is not known.
    #[must_use]
    pub fn redirected(&self, parameter: &str, plain: &str) -> Option<&Item> {
        let item = self.parameter(parameter)?;
        let written = item.as_str().filter(|t| !t.is_empty() && !is_placeholder(t))?;
        let home = self.config.config_dir().map(|d| d.value).filter(|d| d.starts_with('/') && !is_placeholder(d))?;
        let home = host_path::normal(home);
        let named = if written.starts_with('/') { written.to_owned() } else { format!("{home}/{written}") };
        (named != format!("{home}/{plain}")).then_some(item)
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

/// Whether a text still has to be filled in by a template, so that its value is not known.
#[must_use]
pub fn is_placeholder(text: &str) -> bool {
    text.contains(['$', '{', '<', '%'])
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
