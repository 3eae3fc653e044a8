//! What Patroni makes of local and dynamic configuration together (`config.py:Config._build_effective_configuration`).

use super::Patroni;
use super::item::{Item, ItemValue, Key, Layer, Pair, Type};
use super::view::{accepted, contains, get, get_mut, int, is_true, no_attribute, pairs_or_none, print, python_type};
use crate::knowledge::patroni::{self as known, Version};
use crate::parse::yaml::Int;
use crate::secret::Secret;
use crate::source::{Span, Spanned};

/// The exception with which Patroni ends while it reads its configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crash {
    /// Python's name of it.
    pub exception: &'static str,
    /// The value that is to blame.
    pub at: Span,
    /// What it trips over.
    pub what: String,
}

impl Crash {
    pub(super) fn new(exception: &'static str, at: Span, what: impl Into<String>) -> Self {
        Self { exception, at, what: what.into() }
    }

    pub(super) fn item_assignment(at: Span) -> Self {
        Self::new("TypeError", at, "'str' object does not support item assignment")
    }
}

const STANDBY_CLUSTER: [&str; 7] = [
    "create_replica_methods",
    "host",
    "port",
    "primary_slot_name",
    "restore_command",
    "archive_cleanup_command",
    "recovery_min_apply_delay",
];

impl Patroni {
    /// The configuration that Patroni works with, given the dynamic configuration of the DCS (or none yet). What Patroni itself
    /// corrects in the timeouts of a dynamic configuration is not done here.
    ///
    /// # Errors
    /// With the exception that ends Patroni at its start. When a later dynamic configuration is to blame, Patroni logs it and goes on with
    /// the configuration it had.
    pub fn effective(&self, dynamic: Option<&Item>) -> Result<Item, Crash> {
        if let Some(crash) = self.crash() {
            return Err(crash.clone());
        }
        let here = self.root().span;
        if self.root().pairs().is_empty() {
            return Err(Crash::new("ConfigParseError", here, "Config is empty."));
        }
        let mut config = Builder { version: self.version(), here, top: Vec::new() };
        config.defaults();
        if let Some(dynamic) = dynamic {
            config.dynamic(dynamic)?;
        }
        config.local(self.root())?;
        config.credentials_of("ctl")?;
        config.credentials_of("restapi")?;
        config.exhibitor()?;
        config.authentication()?;
        config.citus()?;
        config.hand_on();
        config.start_up()?;
        let (value, open) = (ItemValue::Map(config.top), self.root().open);
        Ok(Item { value, span: here, key_span: None, layer: Layer::File, open, optional: false })
    }
}

/// Sets `synchronous_mode` in every other place of the map that was written at `at`: an alias is the same object in Python.
fn set_in_aliases(item: &mut Item, at: Span, mode: &Item) {
    let same = item.span == at && at.start < at.end;
    match &mut item.value {
        ItemValue::Map(pairs) => {
            for pair in pairs.iter_mut() {
                set_in_aliases(&mut pair.item, at, mode);
            }
            if same && get(pairs, "synchronous_mode").is_none() {
                set_str(pairs, "synchronous_mode", mode.clone());
            }
        }
        ItemValue::List(items) => items.iter_mut().for_each(|i| set_in_aliases(i, at, mode)),
        _ => {}
    }
}

struct Builder {
    version: Version,
    here: Span,
    top: Vec<Pair>,
}

fn derived(value: ItemValue, at: Span, layer: Layer) -> Item {
    Item { value, span: at, key_span: None, layer, open: false, optional: false }
}

fn set(map: &mut Vec<Pair>, key: &Spanned<Key>, item: Item) {
    match map.iter_mut().find(|p| p.key.value.canonical() == key.value.canonical()) {
        Some(pair) => pair.item = item,
        None => map.push(Pair { key: key.clone(), item }),
    }
}

fn set_str(map: &mut Vec<Pair>, key: &str, item: Item) {
    let at = item.key_span.unwrap_or(item.span);
    set(map, &Spanned::new(Key::named(key), at), item);
}

impl Builder {
    fn defaults(&mut self) {
        let at = self.here;
        let text = |t: &str| derived(ItemValue::Str(t.into()), at, Layer::Default);
        let int = |n: i64| derived(ItemValue::Int(Int::Small(n)), at, Layer::Default);
        for (key, value) in [("ttl", 30), ("loop_wait", 10), ("retry_timeout", 10)] {
            set_str(&mut self.top, key, int(value));
        }
        let mut standby = Vec::new();
        for key in STANDBY_CLUSTER {
            set_str(&mut standby, key, text(""));
        }
        set_str(&mut self.top, "standby_cluster", derived(ItemValue::Map(standby), at, Layer::Default));
        let mut parameters = Vec::new();
        for row in known::command_line(self.version).filter(|r| !r.name.starts_with("wal_keep_")) {
            match row.default {
                Some(default) => {
                    set_str(&mut parameters, row.name, default.parse().map_or_else(|_| text(default), int));
                }
                None if self.version < Version::new(3, 2, 0) => {
                    set_str(&mut parameters, row.name, derived(ItemValue::Null, at, Layer::Default));
                }
                None => {}
            }
        }
        let mut postgresql = Vec::new();
        if self.version < Version::new(3, 2, 0) {
            set_str(&mut postgresql, "bin_dir", text(""));
        }
        set_str(&mut postgresql, "use_slots", derived(ItemValue::Bool(true), at, Layer::Default));
        set_str(&mut postgresql, "parameters", derived(ItemValue::Map(parameters), at, Layer::Default));
        set_str(&mut self.top, "postgresql", derived(ItemValue::Map(postgresql), at, Layer::Default));
    }

    fn section(&mut self, name: &str) -> &mut Vec<Pair> {
        match get_mut(&mut self.top, name).map(|i| &mut i.value) {
            Some(ItemValue::Map(pairs)) => pairs,
            _ => unreachable!("the defaults have made this section"),
        }
    }

    /// `_safe_copy_dynamic_configuration`
    fn dynamic(&mut self, dynamic: &Item) -> Result<(), Crash> {
        if dynamic.kind() != Type::Map {
            return Err(no_attribute(dynamic, "items"));
        }
        for pair in dynamic.pairs() {
            match pair.key.value.as_str() {
                Some("postgresql") => {
                    for inner in pairs_or_none(&pair.item)? {
                        match inner.key.value.as_str() {
                            Some("parameters") => self.parameters(&inner.item, false)?,
                            Some(name) if known::LOCAL_ONLY.contains(&name) => {}
                            _ => set(self.section("postgresql"), &inner.key, inner.item.clone()),
                        }
                    }
                }
                Some("standby_cluster") => {
                    for inner in pairs_or_none(&pair.item)? {
                        if inner.key.value.as_str().is_some_and(|k| STANDBY_CLUSTER.contains(&k)) {
                            set(self.section("standby_cluster"), &inner.key, inner.item.clone());
                        }
                    }
                }
                Some("ttl" | "loop_wait" | "retry_timeout") => {
                    let number = int(&pair.item)?;
                    set(&mut self.top, &pair.key, Item { value: ItemValue::Int(number), ..pair.item.clone() });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// `_process_postgresql_parameters`, and what it returns put over what is there.
    fn parameters(&mut self, parameters: &Item, local: bool) -> Result<(), Crash> {
        if is_true(parameters) && parameters.kind() != Type::Map {
            // Until 3.3.0 nobody asked; the next step failed.
            return Err(if self.version > Version::new(3, 3, 0) {
                Crash::new("ConfigParseError", parameters.span, "postgresql.parameters is not a dictionary")
            } else {
                no_attribute(parameters, "items")
            });
        }
        let mut taken: Vec<Pair> = Vec::new();
        for pair in parameters.pairs() {
            let Some(name) = pair.key.value.as_str() else {
                return Err(Crash::new(
                    "AttributeError",
                    pair.key.span,
                    "a name that is no string has no attribute 'lower'",
                ));
            };
            match known::command_line_setting(name, self.version) {
                None => taken.push(pair.clone()),
                Some(_) if local => {}
                Some(row) => {
                    if let Some(mut value) = accepted(row.accepts, &pair.item) {
                        // Numbers are kept as they are written up to 3.1.1.
                        if self.version < Version::new(3, 1, 2) {
                            value = pair.item.value.clone();
                        }
                        taken.push(Pair { key: pair.key.clone(), item: Item { value, ..pair.item.clone() } });
                    }
                }
            }
        }
        let Some(ItemValue::Map(into)) = get_mut(self.section("postgresql"), "parameters").map(|i| &mut i.value) else {
            return Ok(());
        };
        for pair in taken {
            let lower = pair.key.value.as_str().map(str::to_lowercase);
            match into.iter_mut().find(|p| p.key.value.as_str().map(str::to_lowercase) == lower) {
                Some(same) => *same = pair,
                None => into.push(pair),
            }
        }
        Ok(())
    }

    fn local(&mut self, local: &Item) -> Result<(), Crash> {
        for pair in local.pairs() {
            match pair.key.value.as_str() {
                Some("citus") => {
                    let group = pair.item.get("group").map(Item::kind);
                    let database = pair.item.get("database").map(Item::kind);
                    if matches!(group, Some(Type::Int | Type::Bool)) && database == Some(Type::Str) {
                        set(&mut self.top, &pair.key, pair.item.clone());
                    }
                }
                Some("postgresql") => {
                    for inner in pairs_or_none(&pair.item)? {
                        match inner.key.value.as_str() {
                            Some("parameters") => self.parameters(&inner.item, true)?,
                            Some("use_slots") => {}
                            _ => set(self.section("postgresql"), &inner.key, inner.item.clone()),
                        }
                    }
                }
                Some("ttl" | "loop_wait" | "retry_timeout" | "standby_cluster") => {}
                _ => {
                    let mut item = pair.item.clone();
                    if !is_true(&item) {
                        item.value = ItemValue::Map(Vec::new());
                    }
                    set(&mut self.top, &pair.key, item);
                }
            }
        }
        Ok(())
    }

    /// `auth` of `authentication`, as `user:password`.
    fn credentials_of(&mut self, section: &str) -> Result<(), Crash> {
        if section == "ctl" && self.version < Version::new(3, 1, 0) {
            return Ok(());
        }
        let Some(item) = get(&self.top, section) else { return Ok(()) };
        if !contains(item, "authentication")? {
            return Ok(());
        }
        let Some(authentication) = item.get("authentication") else {
            return Err(Crash::new("TypeError", item.span, format!("{section} is no map")));
        };
        if authentication.kind() != Type::Map {
            return Err(Crash::new("TypeError", authentication.span, "argument after ** must be a mapping"));
        }
        let part = |name: &'static str| {
            authentication
                .get(name)
                .map(print)
                .ok_or_else(|| Crash::new("KeyError", authentication.span, format!("'{name}'")))
        };
        let auth = Secret::new(format!("{}:{}", part("username")?, part("password")?));
        let made = derived(ItemValue::Secret(auth, Type::Str), authentication.span, Layer::Derived);
        if let Some(ItemValue::Map(pairs)) = get_mut(&mut self.top, section).map(|i| &mut i.value) {
            set_str(pairs, "auth", made);
        }
        Ok(())
    }

    /// `exhibitor` inside `zookeeper`.
    fn exhibitor(&mut self) -> Result<(), Crash> {
        let Some(zookeeper) = get(&self.top, "zookeeper") else { return Ok(()) };
        if !contains(zookeeper, "exhibitor")? {
            return Ok(());
        }
        let Some(exhibitor) = zookeeper.get("exhibitor").cloned() else {
            return Err(match zookeeper.kind() {
                Type::List => {
                    Crash::new("TypeError", zookeeper.span, "'str' object cannot be interpreted as an integer")
                }
                _ => no_attribute(zookeeper, "pop"),
            });
        };
        set_str(&mut self.top, "exhibitor", exhibitor);
        self.top.retain(|p| p.key.value.as_str() != Some("zookeeper"));
        Ok(())
    }

    /// Users and passwords, from their old places too, with what libpq would not be given left out.
    fn authentication(&mut self) -> Result<(), Crash> {
        let here = self.here;
        let version = self.version;
        let postgresql = self.section("postgresql");
        if get(postgresql, "authentication").is_none() {
            let rewind = get(postgresql, "pg_rewind").is_some();
            set_str(postgresql, "use_pg_rewind", derived(ItemValue::Bool(rewind), here, Layer::Derived));
            let mut users = Vec::new();
            for user in ["replication", "superuser"] {
                if let Some(item) = get(postgresql, user).cloned() {
                    set_str(&mut users, user, item);
                }
            }
            set_str(postgresql, "authentication", derived(ItemValue::Map(users), here, Layer::Derived));
        }
        let rewind = get(postgresql, "pg_rewind").cloned();
        let name = get(postgresql, "name").cloned();
        let Some(authentication) = get_mut(postgresql, "authentication") else { return Ok(()) };
        if !contains(authentication, "superuser")?
            && let Some(rewind) = rewind
        {
            let ItemValue::Map(users) = &mut authentication.value else {
                return Err(Crash::new(
                    "TypeError",
                    authentication.span,
                    "the object does not support item assignment",
                ));
            };
            set_str(users, "superuser", rewind);
        }
        let blame = no_attribute(authentication, "items");
        let ItemValue::Map(users) = &mut authentication.value else { return Err(blame) };
        for user in users {
            let blame = no_attribute(&user.item, "items");
            let ItemValue::Map(pairs) = &mut user.item.value else { return Err(blame) };
            pairs.retain(|p| p.key.value.as_str().is_some_and(|k| known::authentication_key(k, version)));
        }
        if get(&self.top, "name").is_none()
            && let Some(name) = name
        {
            set_str(&mut self.top, "name", name);
        }
        Ok(())
    }

    /// A Citus cluster starts with synchronous replication.
    fn citus(&mut self) -> Result<(), Crash> {
        if get(&self.top, "citus").is_none() {
            return Ok(());
        }
        let here = self.here;
        let empty = || derived(ItemValue::Map(Vec::new()), here, Layer::Derived);
        if get(&self.top, "bootstrap").is_none() {
            set_str(&mut self.top, "bootstrap", empty());
        }
        let Some(bootstrap) = get_mut(&mut self.top, "bootstrap") else { return Ok(()) };
        let blame = no_attribute(bootstrap, "setdefault");
        let ItemValue::Map(bootstrap) = &mut bootstrap.value else { return Err(blame) };
        if get(bootstrap, "dcs").is_none() {
            set_str(bootstrap, "dcs", empty());
        }
        let Some(dcs) = get_mut(bootstrap, "dcs") else { return Ok(()) };
        let blame = no_attribute(dcs, "setdefault");
        let at = dcs.span;
        let ItemValue::Map(dcs) = &mut dcs.value else { return Err(blame) };
        if get(dcs, "synchronous_mode").is_none() {
            let mode = if self.version < Version::new(4, 0, 0) {
                ItemValue::Bool(true)
            } else {
                ItemValue::Str("quorum".into())
            };
            let mode = derived(mode, here, Layer::Derived);
            set_str(dcs, "synchronous_mode", mode.clone());
            for pair in bootstrap {
                set_in_aliases(&mut pair.item, at, &mode);
            }
        }
        Ok(())
    }

    fn hand_on(&mut self) {
        for key in ["name", "scope", "retry_timeout", "citus"] {
            if let Some(item) = get(&self.top, key).cloned() {
                set_str(self.section("postgresql"), key, item);
            }
        }
    }

    /// What the constructor does with the result.
    fn start_up(&mut self) -> Result<(), Crash> {
        if let Some(dir) = get(self.section("postgresql"), "data_dir")
            && !matches!(dir.kind(), Type::Str | Type::Unknown)
        {
            return Err(Crash::new(
                "TypeError",
                dir.span,
                format!("join() argument must be str, not {:?}", python_type(dir)),
            ));
        }
        let Some(tags) = get(&self.top, "tags") else { return Ok(()) };
        let names: &[&str] = if self.version < Version::new(3, 2, 0) {
            &[]
        } else if self.version < Version::new(4, 1, 0) {
            &["nofailover"]
        } else {
            &["nofailover", "nosync"]
        };
        for name in names {
            if contains(tags, name)? && tags.kind() != Type::Map {
                return Err(no_attribute(tags, "get"));
            }
        }
        Ok(())
    }
}
