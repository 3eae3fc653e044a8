//! What the host of a member is asked about: what its configuration names, and what its server says.

use std::collections::BTreeSet;

use crate::bundle::sql::Session;
use crate::collect::host::Questions;
use crate::collect::kind::Kind;
use crate::facts::host_path::{PATH, parent};
use crate::facts::scripts;
use crate::parse::patroni::{Item, Patroni, split_command};

/// Keys that hold the path of a file or directory.
const PATHS: [&str; 16] = [
    "postgresql.pgpass",
    "postgresql.custom_conf",
    "log.dir",
    "restapi.certfile",
    "restapi.keyfile",
    "restapi.cafile",
    "ctl.certfile",
    "ctl.keyfile",
    "ctl.cacert",
    "etcd3.cacert",
    "etcd3.cert",
    "etcd3.key",
    "etcd.cacert",
    "etcd.cert",
    "etcd.key",
    "consul.cacert",
];

/// Files that Patroni reads, writes or makes in the directory of configuration.
const CONFIGURATION: [&str; 4] = ["postgresql.conf", "postgresql.base.conf", "pg_hba.conf", "pg_ident.conf"];

/// Keys that hold a command.
const COMMANDS: [&str; 2] = ["postgresql.before_stop", "bootstrap.post_init"];

/// Settings of a server that hold the path of a file or directory.
const SETTINGS: [&str; 5] = ["config_file", "hba_file", "ident_file", "external_pid_file", "log_directory"];

/// Those of them that hold directories, or a file in one, that have to be there when the server starts.
const LASTING: [&str; 3] = ["unix_socket_directories", "stats_temp_directory", "external_pid_file"];

/// Where the sockets of packages for Debian and of the PostgreSQL project are.
const SOCKETS: [&str; 2] = ["/run/postgresql", "/var/run/postgresql"];

/// The directories that the value of such a setting names.
fn lasting<'a>(name: &str, value: &'a str) -> impl Iterator<Item = &'a str> {
    let is_file = name == "external_pid_file";
    let paths = value.split(',').map(|path| path.trim().trim_matches('"')).filter(|path| path.starts_with('/'));
    paths.map(move |path| if is_file { parent(path) } else { path })
}

/// A directory and all above it.
fn up(dir: &str) -> impl Iterator<Item = String> {
    std::path::Path::new(dir).ancestors().map(|d| d.to_string_lossy().into_owned())
}

/// A script that a command of Patroni may run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Script {
    /// Its path.
    pub(super) path: String,
    /// Whether it is what is run, and not an argument of that.
    pub(super) is_program: bool,
}

/// The scripts that commands may run: what they begin with, and what an interpreter there may be handed.
pub(super) fn scripts(config: &Patroni) -> BTreeSet<Script> {
    let words = |command: scripts::Command<'_>| split_command(command.text).unwrap_or_default();
    let script = |(i, path): (usize, String)| Script { path, is_program: i == 0 };
    let all =
        scripts::commands(config).into_iter().flat_map(|command| words(command).into_iter().enumerate().map(script));
    all.filter(|script| script.path.starts_with('/')).collect()
}

/// What a configuration names.
pub(super) fn of_configuration(config: &Patroni) -> Questions {
    let text = |path: &str| config.get(path).and_then(Item::as_str).map(str::to_owned);
    let mut paths: BTreeSet<String> =
        PATHS.iter().filter_map(|path| text(path)).filter(|p| p.starts_with('/')).collect();
    let commands = COMMANDS.iter().filter_map(|path| text(path));
    let commands = commands.chain(scripts::commands(config).into_iter().map(|command| command.text.to_owned()));
    paths.extend(commands.filter_map(|command| split_command(&command).ok()?.into_iter().next()));
    paths.extend(scripts(config).into_iter().map(|script| script.path));
    let data_dir = config.data_dir().map(|d| d.value.to_owned());
    paths.extend(data_dir.iter().map(|d| parent(d).to_owned()));
    // A server that does not run does not tell where its sockets are; packages put them here.
    let mut directories = BTreeSet::from(SOCKETS.map(str::to_owned));
    for section in ["postgresql.parameters", "bootstrap.dcs.postgresql.parameters"] {
        for name in LASTING {
            let value = text(&format!("{section}.{name}")).unwrap_or_default();
            directories.extend(lasting(name, &value).map(str::to_owned));
        }
    }
    // What is not there is made, with all above it, as far as the directory that is there allows.
    for dir in directories.iter().cloned().chain(text("postgresql.pgpass").map(|p| parent(&p).to_owned())) {
        paths.extend(up(&dir));
    }
    if let Some(dir) = config.config_dir().map(|d| d.value.trim_end_matches('/')) {
        let custom = ["postgresql.custom_conf", "bootstrap.dcs.postgresql.custom_conf"].into_iter().filter_map(text);
        paths.extend(custom.map(|file| if file.starts_with('/') { file } else { format!("{dir}/{file}") }));
        paths.extend(CONFIGURATION.iter().map(|name| format!("{dir}/{name}")));
        if let Some(base) = text("postgresql.config_base_name") {
            paths.extend([format!("{dir}/{base}.conf"), format!("{dir}/{base}.base.conf")]);
        }
    }
    if config.bin_dir().is_none_or(|dir| dir.value.is_empty()) {
        let programs = ["pg_controldata", "pg_ctl", "postgres"];
        paths.extend(programs.iter().flat_map(|name| PATH.map(|dir| format!("{dir}/{name}"))));
    }
    paths.retain(|path| path.starts_with('/'));
    let is_off = config.get("watchdog.mode").is_some_and(|mode| !mode.is_true() || mode.as_str() == Some("off"));
    let device = text("watchdog.device").unwrap_or_else(|| "/dev/watchdog".to_owned());
    Questions {
        data_dirs: data_dir.into_iter().collect(),
        config_dirs: config.config_dir().map(|d| d.value.to_owned()).into_iter().collect(),
        bin_dirs: config.bin_dir().map(|d| d.value.to_owned()).into_iter().collect(),
        paths: paths.into_iter().collect(),
        names: Vec::new(),
        watchdogs: if is_off { Vec::new() } else { vec![device] },
        units: Vec::new(),
        reach: Vec::new(),
        lasting: directories.into_iter().collect(),
        password_files: text("postgresql.pgpass").into_iter().collect(),
    }
}

/// The files of access rules and user name maps that parameters of Patroni make a server read in place of those in `config_dir`, with what they are.
pub(super) fn access_files(config: &Patroni) -> Vec<(String, Kind)> {
    let Some(dir) = config.config_dir().map(|d| d.value.trim_end_matches('/')) else { return Vec::new() };
    let mut all = Vec::new();
    for section in ["postgresql.parameters", "bootstrap.dcs.postgresql.parameters"] {
        for (name, kind) in [("hba_file", Kind::Hba), ("ident_file", Kind::Ident)] {
            let path = config.get(&format!("{section}.{name}")).and_then(Item::as_str);
            let path = path.map(|path| if path.starts_with('/') { path.to_owned() } else { format!("{dir}/{path}") });
            all.extend(path.filter(|path| path.starts_with('/')).map(|path| (path, kind)));
        }
    }
    all
}

/// The names of hosts that members are told, or listen on, and the one by which Patroni connects to its own server.
pub(super) fn names<'a>(configs: impl Iterator<Item = &'a Patroni>) -> Vec<String> {
    let mut all = BTreeSet::from(["localhost".to_owned()]);
    for config in configs {
        let own = config.connect_address().map(|a| a.value.0);
        let rest = config.address("restapi.connect_address", 8008).map(|a| a.value.0);
        let stores = crate::facts::endpoints::hosts(config).unwrap_or_default().into_iter().map(|(host, _)| host);
        all.extend(own.into_iter().chain(rest).chain(stores));
        let listen = config.listen().map(|a| a.value.0).unwrap_or_default();
        all.extend(listen.split(',').map(|host| host.trim().trim_matches(['[', ']']).to_ascii_lowercase()));
    }
    all.retain(|name| {
        name.parse::<std::net::IpAddr>().is_err() && !name.contains([',', '*', '{', '$']) && !name.is_empty()
    });
    all.into_iter().collect()
}

/// What a server says of its host, added to what is asked.
pub(super) fn add_server(questions: &mut Questions, session: &Session) {
    let add = |list: &mut Vec<String>, path: &str| {
        if path.starts_with('/') && !list.iter().any(|p| p == path) {
            list.push(path.to_owned());
        }
    };
    for (name, value) in session.settings() {
        match name {
            "data_directory" => add(&mut questions.data_dirs, value),
            "config_file" => add(&mut questions.config_dirs, parent(value)),
            _ => {}
        }
        for dir in lasting(name, value).filter(|_| LASTING.contains(&name)) {
            up(dir).for_each(|dir| add(&mut questions.paths, &dir));
            add(&mut questions.lasting, dir);
        }
        if SETTINGS.contains(&name) {
            add(&mut questions.paths, value);
        }
    }
}
