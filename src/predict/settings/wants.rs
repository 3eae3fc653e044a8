//! What Patroni wants of a server: its settings (`ConfigHandler.get_server_parameters`), the file that it writes
//! (`ConfigHandler.write_postgresql_conf`), and the options that it starts the server with (`Postgresql.start`).

use std::collections::BTreeMap;

use super::By;
use super::files::{Files, Line};
use crate::facts::clamp;
use crate::facts::gap::{Fact, Gap, GapReason};
use crate::facts::host_path::normal;
use crate::facts::{Facts, Member, PatroniFile};
use crate::knowledge::patroni::{Version, command_line_setting};
use crate::parse::patroni::{Item, Layer, Type};
use crate::source::Span;

/// What Patroni goes by when it looks after the server of a member.
pub(super) struct Patroni<'a> {
    pub(super) facts: &'a Facts,
    /// Its file.
    pub(super) file: &'a PatroniFile,
    /// The member's name.
    pub(super) member: &'a Member,
    /// Everything that it goes by, of file, environment and dynamic configuration.
    pub(super) effective: Item,
    /// `server_version_num`
    pub(super) server: u32,
    /// The major.
    pub(super) major: u16,
    /// Where postgresql.conf lies: `config_dir`, else the data directory.
    pub(super) config_dir: String,
    /// The directory of the data.
    pub(super) data_dir: String,
    /// The file that it writes: `<config_dir>/postgresql.conf`.
    pub(super) conf: String,
}

/// A setting that it wants, by its name in small letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parameter {
    /// As it is written.
    pub(super) name: String,
    /// `str()` of the value.
    pub(super) text: String,
    /// Whether it holds a secret.
    pub(super) is_secret: bool,
    pub(super) by: By,
    pub(super) at: Option<Span>,
}

/// What it wants, by names in small letters.
pub(super) type Parameters = BTreeMap<String, Fact<Parameter>>;

impl<'a> Patroni<'a> {
    /// # Errors
    /// When Patroni ends while it reads its configuration, or what it needs is not known.
    pub(super) fn of(facts: &'a Facts, member: &'a Member) -> Fact<Self> {
        let file = &facts.patroni[member.file];
        let gap = |what: &str| Gap::new(what, GapReason::Unreadable).on(&member.name);
        let dynamic = file.config.get("bootstrap.dcs");
        let effective = file.config.effective(dynamic).map_err(|crash| {
            let what = "what Patroni goes by: it ends when it reads its configuration";
            gap(what).because(&format!("{}: {}", crash.exception, crash.what))
        })?;
        let Some(major) = member.postgresql else {
            return Err(Gap::new("the major version of PostgreSQL", GapReason::NotGiven).on(&member.name));
        };
        let server = facts.node_of(member).and_then(|node| node.version);
        let data_dir = file.config.data_dir().ok_or_else(|| gap("`postgresql.data_dir`"))?.value;
        let config_dir = file.config.config_dir().ok_or_else(|| gap("`postgresql.config_dir`"))?.value;
        let (data_dir, config_dir) = (normal(data_dir), normal(config_dir));
        let base = file.known_postgresql("config_base_name").map_err(|gap| gap.on(&member.name))?;
        let base = base.and_then(Item::as_str).unwrap_or("postgresql");
        let conf = format!("{config_dir}/{base}.conf");
        let server = server.unwrap_or(u32::from(major) * 10_000);
        Ok(Self { facts, file, member, effective, server, major, config_dir, data_dir, conf })
    }

    /// The release that takes over.
    pub(super) const fn version(&self) -> Version {
        self.file.version
    }

    /// A gap of this member.
    pub(super) fn gap(&self, what: impl Into<String>, why: GapReason) -> Gap {
        Gap::new(what, why).on(&self.member.name)
    }

    /// A key of `postgresql`, of file or dynamic configuration.
    pub(super) fn postgresql(&self, key: &str) -> Option<&Item> {
        self.effective.get("postgresql")?.get(key)
    }

    /// What it wants (`get_server_parameters`), without `synchronous_standby_names` where it looks after that.
    pub(super) fn parameters(&self) -> Parameters {
        let mut all = Parameters::new();
        for pair in self.postgresql("parameters").map_or(&[][..], Item::pairs) {
            if let Some(name) = pair.key.value.as_str()
                && let Some(parameter) = self.parameter(name, &pair.item)
            {
                all.insert(name.to_ascii_lowercase(), parameter);
            }
        }
        self.put_own(&mut all);
        if self.file.is_synchronous() {
            all.remove("synchronous_standby_names");
        }
        if let Some(Ok(level)) = all.get_mut("wal_level")
            && level.text == "hot_standby"
        {
            "replica".clone_into(&mut level.text);
        }
        Self::convert_wal_keep(&mut all);
        for name in ["hba_file", "ident_file"] {
            if let Some(Ok(path)) = all.get_mut(name)
                && !path.text.starts_with('/')
            {
                path.text = format!("{}/{}", self.config_dir, path.text);
            }
        }
        self.hide_citus(&mut all);
        all
    }

    /// What Patroni makes of other keys.
    fn put_own(&self, all: &mut Parameters) {
        let own = |name: &str, text: String, at| Parameter {
            name: name.to_owned(),
            text,
            is_secret: false,
            by: By::Patroni,
            at: Some(at),
        };
        let unreadable = |what: &str| Err(self.gap(what, GapReason::Unreadable));
        let listen = self.file.config.listen();
        let (hosts, port) = listen.map_or_else(
            || (unreadable("`postgresql.listen`"), unreadable("`postgresql.listen`")),
            |l| {
                let (hosts, port) = l.value;
                (Ok(own("listen_addresses", hosts, l.span)), Ok(own("port", port.to_string(), l.span)))
            },
        );
        let scope = self.file.config.scope();
        let scope =
            scope.map_or_else(|| unreadable("`scope`"), |s| Ok(own("cluster_name", s.value.to_owned(), s.span)));
        all.insert("listen_addresses".to_owned(), hosts);
        all.insert("port".to_owned(), port);
        all.insert("cluster_name".to_owned(), scope);
    }

    /// `wal_keep_segments` means `wal_keep_size` since 13.
    fn convert_wal_keep(all: &mut Parameters) {
        let segments = all.remove("wal_keep_segments");
        if all.contains_key("wal_keep_size") {
            return;
        }
        let size = match segments {
            Some(Err(gap)) => Err(gap),
            Some(Ok(old)) => {
                let number = crate::parse::patroni::parse_int(&old.text, None).unwrap_or(8);
                Ok(Parameter { name: "wal_keep_size".to_owned(), text: format!("{}MB", number * 16), ..old })
            }
            None => Ok(Parameter {
                name: "wal_keep_size".to_owned(),
                text: "128MB".to_owned(),
                is_secret: false,
                by: By::PatroniDefault,
                at: None,
            }),
        };
        all.insert("wal_keep_size".to_owned(), size);
    }

    /// Citus changes some settings by what it is told about other nodes (`CitusHandler.adjust_postgres_gucs`).
    fn hide_citus(&self, all: &mut Parameters) {
        if self.effective.get("citus").is_some() {
            for name in ["shared_preload_libraries", "max_prepared_transactions", "wal_level", "citus.local_hostname"] {
                all.insert(
                    name.to_owned(),
                    Err(self.gap(format!("what Citus makes of `{name}`"), GapReason::NotGiven)),
                );
            }
        }
    }

    /// One of `postgresql.parameters`; `None` for null, which is not written.
    fn parameter(&self, name: &str, item: &Item) -> Option<Fact<Parameter>> {
        let path = format!("postgresql.parameters.{name}");
        if item.optional || item.kind() == Type::Unknown {
            return Some(Err(self.gap(format!("`{path}`"), GapReason::Unreadable)));
        }
        let by = self.by(name, item);
        let at = (item.layer != Layer::Default).then(|| item.key_or_value());
        let named = |text: String, is_secret| Parameter { name: name.to_owned(), text, is_secret, by, at };
        if let Some(text) = item.as_written() {
            return Some(Ok(named(text, false)));
        }
        match item.kind() {
            Type::Null => None,
            Type::Map | Type::List | Type::Set => Some(Err(
                self.gap(format!("what Python makes of `{path}`, which is no scalar,"), GapReason::Unreadable)
            )),
            _ => Some(Ok(named(String::new(), true))),
        }
    }

    /// Who sets one of `postgresql.parameters`.
    fn by(&self, name: &str, item: &Item) -> By {
        match item.layer {
            Layer::Default => By::PatroniDefault,
            Layer::Environment => By::Variable,
            Layer::Derived => By::Patroni,
            Layer::Dynamic => By::Dynamic,
            Layer::File => {
                let local = self.file.local_parameter(name).is_some_and(|own| own.span == item.span);
                if local { By::Local } else { By::Dynamic }
            }
        }
    }

    /// The lines of its file: what it wants, as far as it takes the values, and where the server finds its other files.
    pub(super) fn lines(&self, parameters: &Parameters) -> Files {
        let written = parameters.iter().filter_map(|(name, parameter)| {
            let line = match parameter {
                Err(gap) => Err(gap.clone()),
                Ok(_) if clamp::is_recovery(name) => return None,
                Ok(p) if p.is_secret => Ok(p.line(String::new())),
                Ok(p) => Ok(p.line(clamp::written(&p.name, &p.text, self.server)?)),
            };
            Some((name.clone(), line))
        });
        let places = [("hba_file", "pg_hba.conf"), ("ident_file", "pg_ident.conf")];
        let own = places.into_iter().filter(|(name, _)| !parameters.contains_key(*name)).map(|(name, plain)| {
            let value = format!("{}/{plain}", self.config_dir);
            (name.to_owned(), Ok(Line { value, is_secret: false, by: By::Patroni, at: None }))
        });
        Files::of_patroni(written.chain(own))
    }

    /// The options that it starts the server with.
    pub(super) fn options(&self, parameters: &Parameters) -> BTreeMap<String, Fact<Line>> {
        let given = |name: &str| {
            let row = command_line_setting(name, self.version());
            row.is_some_and(|row| !row.name.starts_with("wal_keep_"))
        };
        let all = parameters.iter().filter(|(name, _)| given(name));
        all.map(|(name, p)| (name.clone(), p.as_ref().map(|p| p.line(p.text.clone())).map_err(Clone::clone))).collect()
    }
}

impl Parameter {
    fn line(&self, value: String) -> Line {
        Line { value, is_secret: self.is_secret, by: self.by, at: self.at }
    }
}
