//! What a server runs with today: as it says itself, or as its files say it.

use std::collections::{BTreeMap, BTreeSet};

use super::files::{Files, Today as Parts};
use super::loaded::{Settings, Today};
use super::server::{self, COMMAND_LINE, DEFAULT, ENVIRONMENT, FILE, OVERRIDE};
use super::shape::Shape;
use super::wants::Patroni;
use super::{By, State, Value};
use crate::facts::gap::{Fact, GapReason};
use crate::facts::nodes::{Node, Row};
use crate::facts::running::told;
use crate::facts::{Facts, Included};
use crate::knowledge::guc::{self, Context, Flag};
use crate::knowledge::queries::OWN_SETTINGS;

/// The files of today, and the server, where it was asked.
pub(super) struct Known<'a> {
    /// What the files say.
    pub(super) parts: Parts,
    /// What Patroni's file will include.
    pub(super) below: Files,
    node: Option<&'a Node>,
    /// The names that the main file itself sets last, in small letters.
    in_main: BTreeSet<String>,
}

/// Defaults that depend on the build or the host.
const BY_BUILD: [&str; 8] = [
    "unix_socket_directories",
    "krb_server_keyfile",
    "max_stack_depth",
    "ssl_library",
    "extension_destdir",
    "dynamic_shared_memory_type",
    "shared_memory_type",
    "huge_pages_status",
];

impl<'a> Known<'a> {
    pub(super) fn of(facts: &'a Facts, patroni: &Patroni<'a>) -> Self {
        let member = patroni.member;
        let node = told(facts, member);
        let conf = match &member.conf {
            Ok(conf) => &facts.confs[*conf],
            Err(gap) => {
                let unknown = || Files::unknown(gap.clone());
                let parts = Parts { old: unknown(), auto: unknown(), ..Parts::default() };
                return Self { parts, below: unknown(), node, in_main: BTreeSet::new() };
            }
        };
        let (main, place) = (conf.source.path(), conf.place());
        let is_main = |located: &crate::parse::conf::Located| match main {
            Some(main) => *located.file == *main,
            None => located.file.to_str() == place.as_deref(),
        };
        let parts = Parts::of(&conf.conf, &member.name, conf.is_written_by_patroni(), is_main);
        let last = |name: &str| conf.conf.effective(name).is_some_and(is_main);
        let names = conf.conf.assignments().iter().map(|l| l.set.name.value.to_ascii_lowercase());
        let in_main = names.filter(|name| last(name)).collect();
        let below = match &member.included {
            Ok(Included::Other { custom, conf }) => Files::of_conf(conf, &member.name, if *custom { By::CustomConf } else { By::OldFiles }),
            // That there is no file of an earlier Patroni is taken for granted where nobody could look.
            Err(gap) if patroni.postgresql("custom_conf").is_some() => Files::unknown(gap.clone()),
            Ok(Included::Today) | Err(_) => parts.old.clone(),
        };
        Self { parts, below, node, in_main }
    }

    /// Every setting of today.
    pub(super) fn settings(&self, patroni: &Patroni<'_>) -> Settings<'a> {
        match self.node {
            Some(node) => self.told(patroni, node),
            None => self.read(patroni),
        }
    }

    /// As the server says it.
    fn told(&self, patroni: &Patroni<'_>, node: &'a Node) -> Settings<'a> {
        let rows = node.rows("settings").unwrap_or_default();
        let all = self.parts.all();
        let mut settings = BTreeMap::new();
        for row in rows {
            let Some(name) = row.get("name") else { continue };
            let shape = Shape::new(name, patroni.major, guc::find(name, patroni.major), Some(row));
            let is_own = OWN_SETTINGS.contains(&name) && row.get("source") == Some("client");
            let state = if is_own && name == "client_encoding" {
                // A session that does not ask for another one has that of its database.
                encoding_of(rows, row)
            } else if is_own {
                // Our session has set it; what the server has for others, its files tell.
                server::started(&shape, None, all.get(name), None)
            } else {
                Ok(state_of(row, &self.parts))
            };
            let in_main = row.get("sourcefile") == Some(&*patroni.conf) || (is_own && self.in_main.contains(name));
            settings.insert(name.to_ascii_lowercase(), Today { shape, state, in_main });
        }
        open_transactions(&mut settings);
        settings
    }

    /// As the files say it.
    fn read(&self, patroni: &Patroni<'_>) -> Settings<'a> {
        let all = self.parts.all();
        let mut settings: Settings<'a> = BTreeMap::new();
        for guc in guc::all(patroni.major).filter(|guc| !guc.flags.contains(&Flag::NoShowAll)) {
            let shape = Shape::new(guc.name, patroni.major, Some(guc), None);
            let by_server = guc.context == Context::Internal || guc.flags.contains(&Flag::RuntimeComputed);
            let assigned = all.get(guc.name);
            let is_set = matches!(assigned, Ok(Some(_)));
            let state: Fact<State> = if by_server || (!is_set && BY_BUILD.contains(&guc.name)) {
                Err(patroni.gap(format!("`{}`, which only the server knows,", guc.name), GapReason::NotGiven))
            } else {
                server::started(&shape, None, assigned, None)
            };
            let name = guc.name.to_ascii_lowercase();
            let in_main = self.in_main.contains(&name);
            settings.insert(name, Today { shape, state, in_main });
        }
        settings
    }
}

/// Our session does not write; what others may do, `default_transaction_read_only` says, and that a server is a standby.
fn open_transactions(settings: &mut Settings<'_>) {
    let is_on = |name: &str| {
        let state = settings.get(name)?.state.as_ref().ok()?;
        Some(state.value == Value::Is("on".to_owned()))
    };
    let is_read_only = is_on("default_transaction_read_only").zip(is_on("in_hot_standby").or(Some(false)));
    if let Some(Ok(state)) = settings.get_mut("transaction_read_only").map(|setting| &mut setting.state)
        && let Some((by_default, standby)) = is_read_only
    {
        state.value = Value::Is(if by_default || standby { "on" } else { "off" }.to_owned());
    }
}

/// `client_encoding` of a session that does not set it.
fn encoding_of(rows: &[Row], row: &Row) -> Fact<State> {
    let of_database = rows.iter().find(|r| r.get("name") == Some("server_encoding")).and_then(|r| r.get("setting"));
    let value = Value::Is(of_database.or_else(|| row.get("boot_val")).unwrap_or_default().to_owned());
    Ok(State { value, source: DEFAULT.to_owned(), by: By::Server, at: None, pending: false })
}

/// A row of `pg_settings`.
fn state_of(row: &Row, parts: &Parts) -> State {
    let name = row.get("name").unwrap_or_default();
    let source = row.get("source").unwrap_or(DEFAULT).to_owned();
    let line = || {
        let from = [&parts.auto, &parts.written, &parts.old].into_iter();
        from.filter_map(|files| files.get(name).ok().flatten()).next()
    };
    let is_file = source == FILE;
    let by = match &*source {
        FILE => line().map_or(By::OldFiles, |line| line.by),
        COMMAND_LINE => By::CommandLine,
        ENVIRONMENT => By::Environment,
        DEFAULT | OVERRIDE => By::Server,
        _ => By::Role,
    };
    let is_secret = is_file && line().is_some_and(|line| line.is_secret);
    let value = row.get("setting").unwrap_or_default();
    let value = if is_secret { Value::Hidden } else { Value::Is(value.to_owned()) };
    State { value, source, by, at: Some(row.at), pending: row.is("pending_restart") }
}
