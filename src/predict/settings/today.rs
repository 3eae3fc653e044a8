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

/// What depends on the build, the host, the database or the session where nobody sets it, or is worked out by the server.
const BY_SERVER: [&str; 18] = [
    "client_encoding",
    "commit_timestamp_buffers",
    "dynamic_shared_memory_type",
    "extension_destdir",
    "huge_pages_status",
    "io_max_concurrency",
    "krb_server_keyfile",
    "max_stack_depth",
    "shared_memory_type",
    "ssl_library",
    "subtransaction_buffers",
    "tcp_keepalives_count",
    "tcp_keepalives_idle",
    "tcp_keepalives_interval",
    "timezone_abbreviations",
    "transaction_buffers",
    "unix_socket_directories",
    "wal_buffers",
];

/// What is so at all times: where the server is, and what a transaction may do.
const ALWAYS_BY_SERVER: [&str; 7] = [
    "config_file",
    "data_directory",
    "hba_file",
    "ident_file",
    "transaction_deferrable",
    "transaction_isolation",
    "transaction_read_only",
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
        let stands_in_main = |located: &crate::parse::conf::Located| match main {
            Some(main) => *located.file == *main,
            None => located.file.to_str() == place.as_deref(),
        };
        let parts = Parts::of(&conf.conf, &member.name, conf.is_written_by_patroni(), stands_in_main);
        let last = |name: &str| conf.conf.effective(name).is_some_and(stands_in_main);
        let names = conf.conf.assignments().iter().map(|l| l.set.name.value.to_ascii_lowercase());
        let in_main = names.filter(|name| last(name)).collect();
        let below = match &member.included {
            Ok(Included::Other { custom, conf }) => {
                Files::of_conf(conf, &member.name, if *custom { By::CustomConf } else { By::OldFiles })
            }
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
            let (state, beneath) = if is_own && name == "client_encoding" {
                // A session that does not ask for another one has that of its database.
                (Ok(encoding_of(rows, row)), None)
            } else if is_own {
                // Our session has set it; what the server has for others its files tell, if it has read them.
                let told = server::started(&shape, None, all.get(name), None);
                let read =
                    has_read(node).map_err(|what| patroni.gap(format!("`{name}`, {what},"), GapReason::NotGiven));
                (read.and(told.clone()), told.ok())
            } else {
                (Ok(state_of(row, &self.parts)), None)
            };
            let in_main = row.get("sourcefile") == Some(&*patroni.conf) || (is_own && self.in_main.contains(name));
            settings.insert(name.to_ascii_lowercase(), Today { shape, state, beneath, in_main });
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
            let by_server = guc.context == Context::Internal
                || guc.flags.contains(&Flag::RuntimeComputed)
                || ALWAYS_BY_SERVER.contains(&guc.name);
            let assigned = all.get(guc.name);
            let is_set = matches!(assigned, Ok(Some(_)));
            let state: Fact<State> = if by_server || (!is_set && BY_SERVER.contains(&guc.name)) {
                Err(patroni.gap(format!("`{}`, which only the server knows,", guc.name), GapReason::NotGiven))
            } else {
                server::started(&shape, None, assigned, None)
            };
            let name = guc.name.to_ascii_lowercase();
            let in_main = self.in_main.contains(&name);
            settings.insert(name, Today { shape, state, beneath: None, in_main });
        }
        settings
    }
}

/// Whether a server goes by what its files say now; else why that is not known, behind the name of a setting.
fn has_read(node: &Node) -> Result<(), &'static str> {
    let second = |row: &Row, column: &str| row.get(column).and_then(|time| time.get(..19)).map(str::to_owned);
    let loaded = node.row("server").ok().flatten().and_then(|row| second(row, "configuration_loaded"));
    match (node.rows("file_times"), loaded) {
        // Files tell whole seconds: one that was changed in the second of the reload may have been changed behind it.
        (Ok(rows), Some(loaded)) if rows.iter().all(|row| second(row, "modification").is_some_and(|m| m < loaded)) => {
            Ok(())
        }
        (Ok(_), _) => Err("which our session hides, and whose files may have been changed after the server read them"),
        (Err(_), _) => {
            Err("which our session hides, and of which only superusers learn whether the server has read its files")
        }
    }
}

/// Our session does not write; what others may do, `default_transaction_read_only` says, and that a server is a standby.
fn open_transactions(settings: &mut Settings<'_>) {
    let is_on = |name: &str| Some(settings.get(name)?.before().ok()?.value == Value::Is("on".to_owned()));
    let is_standby = is_on("in_hot_standby").unwrap_or(false);
    let Some(by_default) = is_on("default_transaction_read_only") else { return };
    let now = settings.get("default_transaction_read_only").map(|setting| setting.state.clone());
    let Some(setting) = settings.get_mut("transaction_read_only") else { return };
    let Ok(state) = &setting.state else { return };
    let word = if by_default || is_standby { "on" } else { "off" };
    let read = State { value: Value::Is(word.to_owned()), ..state.clone() };
    setting.state = match now {
        Some(Err(gap)) if !is_standby => Err(gap),
        _ => Ok(read.clone()),
    };
    setting.beneath = Some(read);
}

/// `client_encoding` of a session that does not set it.
fn encoding_of(rows: &[Row], row: &Row) -> State {
    let of_database = rows.iter().find(|r| r.get("name") == Some("server_encoding")).and_then(|r| r.get("setting"));
    let value = Value::Is(of_database.or_else(|| row.get("boot_val")).unwrap_or_default().to_owned());
    State { value, source: DEFAULT.to_owned(), by: By::Server, at: None, pending: false }
}

/// A row of `pg_settings`.
fn state_of(row: &Row, parts: &Parts) -> State {
    let name = row.get("name").unwrap_or_default();
    let source = row.get("source").unwrap_or(DEFAULT).to_owned();
    let line = || {
        let from = [&parts.auto, &parts.written, &parts.old];
        from.into_iter().find_map(|files| files.get(name).ok().flatten())
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
