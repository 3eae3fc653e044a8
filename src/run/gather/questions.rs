//! What the host of a member is asked about: what its configuration names, and what its server says.

use std::collections::BTreeSet;

use crate::bundle::sql::Session;
use crate::collect::host::Questions;
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

/// Keys of lists of directories that Patroni makes where they are not there.
const DIRECTORIES: [&str; 4] = [
    "postgresql.parameters.unix_socket_directories",
    "postgresql.parameters.stats_temp_directory",
    "bootstrap.dcs.postgresql.parameters.unix_socket_directories",
    "bootstrap.dcs.postgresql.parameters.stats_temp_directory",
];

/// Keys that hold a command.
const COMMANDS: [&str; 2] = ["postgresql.before_stop", "bootstrap.post_init"];

/// Settings of a server that hold the path of a file or directory.
const SETTINGS: [&str; 5] = ["config_file", "hba_file", "ident_file", "external_pid_file", "log_directory"];

/// What a configuration names.
pub(super) fn of_configuration(config: &Patroni) -> Questions {
    let text = |path: &str| config.get(path).and_then(Item::as_str).map(str::to_owned);
    let mut paths: BTreeSet<String> =
        PATHS.iter().filter_map(|path| text(path)).filter(|p| p.starts_with('/')).collect();
    let commands = COMMANDS.iter().filter_map(|path| text(path));
    let commands = commands.chain(scripts::commands(config).into_iter().map(|command| command.text.to_owned()));
    paths.extend(commands.filter_map(|command| split_command(&command).ok()?.into_iter().next()));
    let data_dir = config.data_dir().map(|d| d.value.to_owned());
    paths.extend(data_dir.iter().map(|d| parent(d).to_owned()));
    let made = DIRECTORIES.iter().filter_map(|path| text(path));
    let made = made.flat_map(|list| list.split(',').map(|d| d.trim().to_owned()).collect::<Vec<_>>());
    // What is not there is made, with all above it, as far as the directory that is there allows.
    for dir in made.chain(text("postgresql.pgpass").map(|p| parent(&p).to_owned())) {
        paths.extend(std::path::Path::new(&dir).ancestors().map(|d| d.to_string_lossy().into_owned()));
    }
    if let Some(dir) = config.config_dir().map(|d| d.value.trim_end_matches('/')) {
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
    }
}

/// The names of hosts that members are told.
pub(super) fn names<'a>(configs: impl Iterator<Item = &'a Patroni>) -> Vec<String> {
    let mut all = BTreeSet::new();
    for config in configs {
        let own = config.connect_address().map(|a| a.value.0);
        let rest = config.address("restapi.connect_address", 8008).map(|a| a.value.0);
        let stores = crate::facts::endpoints::hosts(config).unwrap_or_default().into_iter().map(|(host, _)| host);
        let listen = config.listen().map(|a| a.value.0).unwrap_or_default();
        let listen: Vec<String> = listen.split(',').map(|host| host.trim().to_owned()).collect();
        all.extend(own.into_iter().chain(rest).chain(stores).chain(listen));
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
    for (name, value) in settings(session) {
        match name {
            "data_directory" => add(&mut questions.data_dirs, value),
            "config_file" => add(&mut questions.config_dirs, parent(value)),
            "unix_socket_directories" => value.split(',').for_each(|dir| add(&mut questions.paths, dir.trim())),
            _ => {}
        }
        if SETTINGS.contains(&name) {
            add(&mut questions.paths, value);
        }
    }
}

/// Settings of a server with their values.
pub(super) fn settings(session: &Session) -> impl Iterator<Item = (&str, &str)> {
    let table = session.answers.get("settings").and_then(|a| a.got());
    table.into_iter().flat_map(|table| {
        let column = |name: &str| table.columns.iter().position(|c| c == name);
        let (name, value) = (column("name"), column("setting"));
        table.rows.iter().filter_map(move |row| Some((row.get(name?)?.as_deref()?, row.get(value?)?.as_deref()?)))
    })
}
