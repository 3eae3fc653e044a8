//! One member's Patroni configuration, and what most rules ask of it.

use std::sync::Arc;

use super::gap::{Fact, Gap, GapReason};
use super::host_path;
use super::patroni_keys::meant;
use super::scripts::Script;
use crate::knowledge::patroni::Version;
use crate::parse::patroni::{Item, ItemValue, Key, Pair, Patroni, Type};
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
    /// The release of Patroni that reads it.
    pub version: Version,
    /// The scripts that it names, as far as they lie among the files given.
    pub scripts: Vec<Script>,
    /// Where the dynamic configuration that counts comes from; it stands under `bootstrap.dcs` of [`Self::config`].
    pub dynamic_from: DynamicFrom,
    /// What the file itself says under `bootstrap.dcs`, where that does not count.
    pub written_dynamic: Option<Item>,
}

/// Where the dynamic configuration comes from that counts at the next start of Patroni.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DynamicFrom {
    /// `bootstrap.dcs` of the file.
    #[default]
    File,
    /// The key `config` of the store.
    Store,
    /// `patroni.dynamic.json` in the data directory.
    Cache,
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
        self.config.is_absent(path)
    }

    /// Whether all is known that may tell the major version of PostgreSQL.
    ///
    /// # Errors
    /// When a template or a broken part decides.
    pub fn knows_version(&self) -> Fact<()> {
        if self.config.is_certain() {
            return Ok(());
        }
        super::join::VERSIONED.iter().try_for_each(|path| self.known(path).map(drop))
    }

    /// What stands at a path.
    ///
    /// # Errors
    /// When a template or a broken part decides.
    pub fn known(&self, path: &str) -> Fact<Option<&Item>> {
        if self.config.is_decided(path) {
            return Ok(self.config.get(path));
        }
        Err(Gap::new(format!("`{path}`"), GapReason::Unreadable).on(self.source.name()))
    }

    /// [`Self::postgresql`], where it is certain.
    ///
    /// # Errors
    /// When a template or a broken part decides.
    pub fn known_postgresql(&self, key: &str) -> Fact<Option<&Item>> {
        if self.config.is_certain() {
            return Ok(self.postgresql(key));
        }
        match self.known(&format!("postgresql.{key}"))? {
            Some(item) => Ok(Some(item)),
            None => self.known(&format!("bootstrap.dcs.postgresql.{key}")),
        }
    }

    /// Whether it is certain which file PostgreSQL reads: the one that Patroni writes, or another that the parameter (`hba_file` or
    /// `ident_file`) names ([`Self::redirected`]).
    ///
    /// # Errors
    /// When a template or a broken part decides.
    pub fn knows_file(&self, parameter: &str) -> Fact<()> {
        if self.known_parameter(parameter)?.is_some() {
            self.known("postgresql.config_dir").and(self.known("postgresql.data_dir"))?;
        }
        Ok(())
    }

    /// [`Self::written_parameter`], where it is certain.
    ///
    /// # Errors
    /// When a template or a broken part decides.
    pub fn known_parameter(&self, name: &str) -> Fact<Option<&Item>> {
        if self.config.is_certain() {
            return Ok(self.written_parameter(name));
        }
        let places = [
            (self.local_parameter(name), "postgresql.parameters"),
            (self.dynamic_parameter(name), "bootstrap.dcs.postgresql.parameters"),
        ];
        for (item, section) in places {
            let certain = match item {
                Some(item) => !item.optional && item.kind() != Type::Unknown && self.config.is_decided(section),
                None => self.is_absent(&format!("{section}.{name}")),
            };
            if !certain {
                let what = format!("`{section}.{name}`");
                return Err(Gap::new(what, GapReason::Unreadable).on(self.source.name()));
            }
            if item.is_some() {
                return Ok(item);
            }
        }
        Ok(None)
    }

    /// Whether a key beside it is so much like the wanted one that it was meant; that it is unknown has a finding of its own.
    #[must_use]
    pub fn is_misspelt(&self, path: &str) -> bool {
        let (parent, name) = path.rsplit_once('.').unwrap_or(("", path));
        let section = if parent.is_empty() { Some(self.config.root()) } else { self.config.get(parent) };
        let near = |key: &str| key != name && meant(parent, key, self.version) == Some(name);
        section.is_some_and(|s| s.pairs().iter().any(|p| p.key.value.as_str().is_some_and(near)))
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

    /// A setting that Patroni writes into postgresql.conf: the local one goes over that of the dynamic configuration. The
    /// settings of the command line are in [`super::enforced`].
    #[must_use]
    pub fn written_parameter(&self, name: &str) -> Option<&Item> {
        self.local_parameter(name).or_else(|| self.dynamic_parameter(name))
    }

    /// A key of the dynamic configuration that a new cluster gets, `slots` or `postgresql.use_slots`.
    #[must_use]
    pub fn dynamic(&self, path: &str) -> Option<&Item> {
        self.config.get("bootstrap.dcs")?.at(path)
    }

    /// A key of `postgresql` that may stand in the local and in the dynamic configuration: the local one goes first
    /// (`config.py:Config._build_effective_configuration`).
    #[must_use]
    pub fn postgresql(&self, key: &str) -> Option<&Item> {
        self.config.get("postgresql").and_then(|p| p.get(key)).or_else(|| self.dynamic("postgresql")?.get(key))
    }

    /// Whether the cluster replicates synchronously for certain, with a quorum or without
    /// (`global_config.py:GlobalConfig.is_synchronous_mode`); a standby cluster never does.
    #[must_use]
    pub fn is_synchronous(&self) -> bool {
        let mode = self.dynamic("synchronous_mode");
        let quorum = |i: &Item| i.as_str().is_some_and(|t| t.eq_ignore_ascii_case("quorum"));
        let standby = || self.known("bootstrap.dcs.standby_cluster").map_or(true, |s| s.is_some_and(|s| s.open));
        mode.is_some_and(|i| i.as_bool() == Some(true) || quorum(i)) && !self.is_standby_cluster() && !standby()
    }

    /// Whether the cluster follows another one (`global_config.py:GlobalConfig.is_standby_cluster`).
    #[must_use]
    pub fn is_standby_cluster(&self) -> bool {
        self.dynamic("standby_cluster").is_some_and(|s| {
            ["host", "port", "restore_command"].iter().any(|key| s.get(key).is_some_and(Item::is_true))
        })
    }

    /// Whether members get slots for certain (`global_config.py:GlobalConfig.use_slots`): unless they are switched off.
    #[must_use]
    pub fn uses_slots(&self) -> bool {
        self.known("bootstrap.dcs.postgresql.use_slots").is_ok_and(|i| i.is_none_or(|i| i.as_bool() != Some(false)))
    }

    /// Every text that holds some words, keys left out, in order.
    #[must_use]
    pub fn holding(&self, words: &str) -> Vec<Named<'_>> {
        self.named(|_, item| match &item.value {
            ItemValue::Str(text) => text.contains(words),
            ItemValue::Secret(text, Type::Str) => text.reveal().contains(words),
            _ => false,
        })
    }

    /// Whether a key below `postgresql` is on for certain.
    #[must_use]
    pub fn is_on(&self, key: &str) -> bool {
        self.known_postgresql(key).ok().flatten().and_then(Item::as_bool) == Some(true)
    }

    /// The lines that Patroni replaces `pg_hba.conf` by; none when its list does not count. Items that are no text are left out,
    /// as Patroni does (`ConfigWriter.writelines`). An item without a text stands for any lines: a template fills it in. A list
    /// that a template decides begins with one, because what it adds may stand anywhere.
    #[must_use]
    pub fn hba_lines(&self) -> Vec<Spanned<Option<String>>> {
        if self.redirected("hba_file", "pg_hba.conf").is_some() {
            return Vec::new();
        }
        let Some(list) = self.postgresql("pg_hba") else { return Vec::new() };
        let unknown = |item: &Item| Spanned::new(None, item.span);
        let first = (list.open || matches!(list.value, ItemValue::Unknown)).then(|| unknown(list));
        let items = list.items().iter().filter_map(|item| match &item.value {
            ItemValue::Str(text) => Some(Spanned::new(Some(text.to_string()), item.span)),
            ItemValue::Unknown => Some(unknown(item)),
            _ => None,
        });
        first.into_iter().chain(items).collect()
    }

    /// The lines that Patroni replaces `pg_ident.conf` by, likewise.
    #[must_use]
    pub fn ident_lines(&self) -> Vec<Spanned<String>> {
        if self.redirected("ident_file", "pg_ident.conf").is_some() { Vec::new() } else { self.lines("pg_ident") }
    }

    fn lines(&self, key: &str) -> Vec<Spanned<String>> {
        let items = self.postgresql(key).map_or(&[][..], Item::items);
        items.iter().filter_map(|i| i.as_str().map(|t| Spanned::new(t.to_owned(), i.span))).collect()
    }

    /// The parameter (`hba_file` or `ident_file`) that makes PostgreSQL read another file than the one that Patroni writes into
    /// `config_dir`; then Patroni does not write it (`ConfigHandler.hba_file`). `None` where the two are one or it is not known.
    #[must_use]
    pub fn redirected(&self, parameter: &str, plain: &str) -> Option<&Item> {
        self.redirection(parameter, plain).map(|(item, _)| item)
    }

    /// The path on the host of the file that is read then, in place of the one called `plain`.
    #[must_use]
    pub fn redirected_to(&self, parameter: &str, plain: &str) -> Option<String> {
        self.redirection(parameter, plain).map(|(_, path)| path)
    }

    fn redirection(&self, parameter: &str, plain: &str) -> Option<(&Item, String)> {
        let item = self.written_parameter(parameter)?;
        let written = item.as_str().filter(|t| !t.is_empty() && !is_placeholder(t))?;
        let home = self.config.config_dir().map(|d| d.value).filter(|d| d.starts_with('/') && !is_placeholder(d))?;
        let home = host_path::normal(home);
        let named = if written.starts_with('/') { written.to_owned() } else { format!("{home}/{written}") };
        (named != format!("{home}/{plain}")).then_some((item, named))
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
