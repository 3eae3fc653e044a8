//! Containers that are started with the host: those of Docker by their restart policy, those of Podman by its units (quadlets).
//!
//! No daemon is asked. Docker keeps what it knows of a container in two files (`config.v2.json` and `hostconfig.json` below
//! `containers/` of its `data-root`); what starts again with it was seen with Docker 20.10: a container that was started once, with the
//! policy `always`, with `unless-stopped` when nobody has stopped it, with `on-failure` when it ended with another code than 0. One that
//! Compose has made stands there too, and names its files in a label; a compose file starts nothing by itself, so none is looked for.
//! Where quadlets lie and what they say is told by podman-systemd.unit(5); those in the homes of users are not looked for. A container
//! that `podman run` has made stands in a database of Podman's, which is not read.
//!
//! Variables and arguments hold passwords: of both only what tells PostgreSQL and Patroni apart from others is looked at, and nothing kept.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::eye::{Ask, Probe, Reply};
use super::wire;
use crate::bundle::Miss;
use crate::bundle::host::{Container, Engine, Runs, Unread};
use crate::gap::GapReason;
use crate::parse::unit::{self, Unit, split_words};
use crate::source::Source;

/// Docker's own configuration, and where its data is when that says nothing.
const DAEMON: &str = "/etc/docker/daemon.json";
const DATA_ROOT: &str = "/var/lib/docker";

/// Where quadlets are: the first one of a name counts.
const QUADLETS: [(&str, Engine); 4] = [
    ("/run/containers/systemd", Engine::Podman),
    ("/etc/containers/systemd", Engine::Podman),
    ("/usr/share/containers/systemd", Engine::Podman),
    ("/etc/containers/systemd/users", Engine::PodmanOfUser),
];

/// What is asked first.
pub(super) struct Questions {
    daemon: usize,
    containers: usize,
    quadlets: [usize; 4],
}

impl Questions {
    pub(super) fn add(ask: &mut Ask) -> Self {
        Self {
            daemon: ask.read(DAEMON),
            containers: ask.list(format!("{DATA_ROOT}/containers")),
            quadlets: QUADLETS.map(|(dir, _)| ask.add(Probe::Tree(dir.to_owned()))),
        }
    }

    /// What there is, to be read.
    pub(super) fn found(&self, replies: &[Reply]) -> Found {
        let mut found = Found::default();
        if let Some(text) = found.known(wire::text(&replies[self.daemon]), DAEMON).flatten() {
            match serde_json::from_str::<Daemon>(&text) {
                Ok(daemon) => found.todo.extend(daemon.root().map(|root| Todo::List(format!("{root}/containers")))),
                Err(_) => found.missed(DAEMON, "not understood"),
            }
        }
        if found.todo.is_empty() {
            found.list(&format!("{DATA_ROOT}/containers"), wire::names(&replies[self.containers]));
        }
        let mut seen: Vec<String> = Vec::new();
        for ((dir, engine), at) in QUADLETS.into_iter().zip(self.quadlets) {
            let nodes = found.known(wire::tree(&replies[at]), dir).unwrap_or_default();
            // Those of users have a directory of their own, and what is added to a file stands with it.
            let names =
                nodes.iter().map(|n| n.name.as_str()).filter(|n| engine != Engine::Podman || !n.starts_with("users/"));
            let names: Vec<&str> = names.collect();
            let files = names.iter().filter(|n| n.ends_with(".container"));
            for name in files {
                let base = name.rsplit('/').next().unwrap_or(name).to_owned();
                if engine == Engine::Podman && seen.contains(&base) {
                    continue;
                }
                let more = format!("{name}.d/");
                let drop_ins = names
                    .iter()
                    .filter(|n| n.starts_with(&more) && Path::new(n).extension().is_some_and(|end| end == "conf"));
                let files = std::iter::once(name).chain(drop_ins).map(|n| format!("{dir}/{n}")).collect();
                found.todo.push(Todo::Quadlet(engine, files));
                seen.push(base);
            }
        }
        found
    }
}

/// What is known so far.
#[derive(Default)]
pub(super) struct Found {
    /// The containers.
    pub(super) containers: Vec<Container>,
    /// What could not be read.
    pub(super) unread: Vec<Unread>,
    todo: Vec<Todo>,
    asked: Vec<(Todo, Vec<usize>)>,
}

/// What is to be read next.
enum Todo {
    /// The directory of Docker's containers.
    List(String),
    /// How a container of Docker's is started; its directory.
    Policy(String),
    /// The container itself, with its policy.
    Config(String, Policy),
    /// A quadlet and what is added to it.
    Quadlet(Engine, Vec<String>),
}

impl Found {
    /// The questions of a round; nothing when all is known.
    pub(super) fn ask(&mut self) -> Option<Ask> {
        let mut ask = Ask::default();
        for todo in std::mem::take(&mut self.todo) {
            let at = match &todo {
                Todo::List(dir) => vec![ask.list(dir.clone())],
                Todo::Policy(dir) => vec![ask.read(format!("{dir}/hostconfig.json"))],
                Todo::Config(dir, _) => vec![ask.read(format!("{dir}/config.v2.json"))],
                Todo::Quadlet(_, files) => files.iter().map(|f| ask.read(f.clone())).collect(),
            };
            self.asked.push((todo, at));
        }
        (ask.len() > 0).then_some(ask)
    }

    /// Reads what was asked.
    pub(super) fn read(&mut self, replies: &[Reply]) {
        for (todo, at) in std::mem::take(&mut self.asked) {
            match todo {
                Todo::List(dir) => self.list(&dir, wire::names(&replies[at[0]])),
                Todo::Policy(dir) => {
                    let policy = self.json::<HostConfig>(&replies[at[0]], &format!("{dir}/hostconfig.json"));
                    let policy = policy.and_then(|config| config.restart_policy);
                    let is_some = |policy: &Policy| matches!(&*policy.name, "always" | "unless-stopped" | "on-failure");
                    self.todo.extend(policy.filter(is_some).map(|policy| Todo::Config(dir, policy)));
                }
                Todo::Config(dir, policy) => {
                    let file = format!("{dir}/config.v2.json");
                    let config = self.json::<Config>(&replies[at[0]], &file);
                    self.containers.extend(config.filter(|c| c.starts(&policy)).map(|c| c.container(file, policy)));
                }
                Todo::Quadlet(engine, files) => {
                    let mut units = Vec::new();
                    for (file, at) in files.iter().zip(&at) {
                        let text = self.known(wire::text(&replies[*at]), file).flatten();
                        units.extend(text.map(|text| unit::parse(&Source::lone(file, text)).tree));
                    }
                    self.containers.extend(quadlet(engine, &files[0], &unit::merge(units)));
                }
            }
        }
    }

    fn list(&mut self, dir: &str, names: Result<Option<Vec<String>>, Miss>) {
        let names = self.known(names, dir).flatten().unwrap_or_default();
        // A container has 64 digits for its directory.
        let names = names.into_iter().filter(|n| n.bytes().all(|b| b.is_ascii_hexdigit()));
        self.todo.extend(names.map(|name| Todo::Policy(format!("{dir}/{name}"))));
    }

    fn json<T: for<'a> Deserialize<'a>>(&mut self, reply: &Reply, file: &str) -> Option<T> {
        let text = self.known(wire::text(reply), file).flatten()?;
        let read = serde_json::from_str(&text).ok();
        if read.is_none() {
            self.missed(file, "not understood");
        }
        read
    }

    /// What was answered; why there is nothing is kept.
    fn known<T>(&mut self, answer: Result<T, Miss>, path: &str) -> Option<T> {
        let note = |miss: Miss| {
            let detail = if miss.detail.contains(path) { miss.detail } else { format!("{path}: {}", miss.detail) };
            Unread { what: Miss { why: miss.why, detail } }
        };
        answer.map_err(|miss| self.unread.push(note(miss))).ok()
    }

    fn missed(&mut self, path: &str, why: &str) {
        let what = Miss { why: GapReason::Unreadable, detail: format!("{path}: {why}") };
        self.unread.push(Unread { what });
    }
}

/// `daemon.json`; `graph` is what `data-root` was called before Docker 17.05.
#[derive(Deserialize)]
struct Daemon {
    #[serde(rename = "data-root")]
    data_root: Option<String>,
    graph: Option<String>,
}

impl Daemon {
    fn root(self) -> Option<String> {
        self.data_root.or(self.graph).filter(|dir| dir.starts_with('/')).map(|d| d.trim_end_matches('/').to_owned())
    }
}

/// `hostconfig.json`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HostConfig {
    restart_policy: Option<Policy>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Policy {
    name: String,
    #[serde(default)]
    maximum_retry_count: u64,
}

/// `config.v2.json`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Config {
    name: String,
    #[serde(default)]
    path: String,
    #[serde(default)]
    args: Option<Vec<String>>,
    state: State,
    #[serde(rename = "Config")]
    settings: Settings,
    #[serde(default)]
    restart_count: u64,
    #[serde(default)]
    has_been_started_before: bool,
    #[serde(default)]
    has_been_manually_stopped: bool,
    mount_points: Option<BTreeMap<String, MountPoint>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct State {
    running: bool,
    exit_code: i64,
    #[serde(default)]
    removal_in_progress: bool,
    #[serde(default)]
    dead: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Settings {
    image: String,
    env: Option<Vec<String>>,
    labels: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MountPoint {
    #[serde(default)]
    source: String,
    #[serde(default, rename = "RW")]
    rw: bool,
}

impl Config {
    /// Whether Docker starts it when it starts itself.
    fn starts(&self, policy: &Policy) -> bool {
        let again = match &*policy.name {
            "always" => true,
            "unless-stopped" => !self.has_been_manually_stopped,
            _ => {
                let is_left = policy.maximum_retry_count == 0 || self.restart_count < policy.maximum_retry_count;
                self.state.running || (self.state.exit_code != 0 && is_left)
            }
        };
        again && self.has_been_started_before && !self.state.removal_in_progress && !self.state.dead
    }

    fn container(self, file: String, policy: Policy) -> Container {
        let words: Vec<&str> =
            std::iter::once(&self.path).chain(self.args.iter().flatten()).map(String::as_str).collect();
        let variables = self.settings.env.iter().flatten().map(|v| v.split('=').next().unwrap_or_default());
        let runs = runs(&self.settings.image, &words, variables);
        let mounts = self.mount_points.into_iter().flatten().map(|(_, mount)| mount);
        let writes = mounts.filter(|m| m.rw && m.source.starts_with('/')).map(|m| m.source).collect();
        Container {
            engine: Engine::Docker,
            name: self.name.trim_start_matches('/').to_owned(),
            file,
            image: self.settings.image,
            starts: policy.name,
            runs,
            compose: self.settings.labels.and_then(|mut l| l.remove("com.docker.compose.project.config_files")),
            writes,
        }
    }
}

/// The container of a quadlet that systemd starts.
fn quadlet(engine: Engine, file: &str, unit: &Unit) -> Option<Container> {
    let wanted = ["WantedBy", "RequiredBy", "UpheldBy"].into_iter().flat_map(|key| unit.names("Install", key));
    let wanted: Vec<String> = wanted.map(|name| name.value).collect();
    if wanted.is_empty() {
        return None;
    }
    let last = |key| unit.last("Container", key).map(|v| v.text.trim().to_owned());
    let words = |key| {
        let words = unit.all("Container", key).into_iter().flat_map(|v| split_words(v).0);
        words.map(|w| String::from_utf8_lossy(&w.bytes).into_owned()).collect::<Vec<_>>()
    };
    let base = file.rsplit('/').next().unwrap_or(file).trim_end_matches(".container");
    let image = last("Image").unwrap_or_default();
    let (command, variables) = ([words("Entrypoint"), words("Exec")].concat(), words("Environment"));
    let command: Vec<&str> = command.iter().map(String::as_str).collect();
    let variables = variables.iter().map(|v| v.split('=').next().unwrap_or_default());
    let volumes = unit.all("Container", "Volume").into_iter().filter_map(|v| volume(&v.text));
    let mounts = unit.all("Container", "Mount").into_iter().filter_map(|v| mount(&v.text));
    Some(Container {
        engine,
        name: last("ContainerName").unwrap_or_else(|| format!("systemd-{base}")),
        file: file.to_owned(),
        starts: wanted.join(" "),
        runs: runs(&image, &command, variables),
        image,
        compose: None,
        writes: volumes.chain(mounts).collect(),
    })
}

/// The directory of the host in `SOURCE:TARGET[:OPTIONS]` that may be written to. A volume lies where Podman keeps it for root.
fn volume(text: &str) -> Option<String> {
    let mut parts = text.trim().splitn(3, ':');
    let (source, _, options) = (parts.next()?, parts.next()?, parts.next().unwrap_or_default());
    let is_read_only = options.split(',').any(|o| o == "ro");
    let of_podman = |name: &str| format!("/var/lib/containers/storage/volumes/{name}/_data");
    let dir = match source.strip_suffix(".volume") {
        Some(unit) => of_podman(&format!("systemd-{unit}")),
        None if source.contains('/') => source.to_owned(),
        None => of_podman(source),
    };
    (!is_read_only && dir.starts_with('/')).then_some(dir)
}

/// The same in `type=bind,source=…,destination=…`.
fn mount(text: &str) -> Option<String> {
    let parts: BTreeMap<&str, &str> =
        text.trim().split(',').map(|p| p.split_once('=').unwrap_or((p, "true"))).collect();
    let is_read_only = ["ro", "readonly"].iter().any(|key| parts.get(key).is_some_and(|v| *v != "false"));
    let source = parts.get("source").or_else(|| parts.get("src"))?;
    (parts.get("type") == Some(&"bind") && !is_read_only && source.starts_with('/')).then(|| (*source).to_owned())
}

/// Words in the name of an image that holds a server, and of one that only has to do with one.
const OF_SERVERS: [&str; 7] = ["postgres", "postgis", "timescale", "pgvector", "citus", "pgautoupgrade", "edb-"];
const OF_OTHERS: [&str; 8] = ["exporter", "backup", "admin", "bouncer", "pgpool", "client", "rest", "operator"];

fn runs<'a>(image: &str, words: &[&str], mut variables: impl Iterator<Item = &'a str>) -> Option<Runs> {
    let program = |names: &[&str]| words.iter().any(|w| names.contains(&w.rsplit('/').next().unwrap_or(w)));
    let image = image.rsplit('/').next().unwrap_or(image).to_ascii_lowercase();
    let is_of = |list: &[&str]| list.iter().any(|word| image.contains(word));
    let is_other = is_of(&OF_OTHERS);
    if program(&["patroni", "patroni.py"]) || (is_of(&["patroni", "spilo"]) && !is_other) {
        return Some(Runs::Patroni);
    }
    let is_server = program(&["postgres", "postmaster", "edb-postgres", "pg_ctl", "pg_ctlcluster"])
        // The images of servers have set it themselves.
        || variables.any(|name| name == "PGDATA")
        || (is_of(&OF_SERVERS) && !is_other);
    is_server.then_some(Runs::Postgresql)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_told_from_what_only_speaks_to_one() {
        let of = |image, words: &[&str], variables: &[&str]| runs(image, words, variables.iter().copied());
        for (image, words, variables) in [
            ("postgres:15", &["docker-entrypoint.sh", "-c", "a=b"][..], &[][..]),
            ("docker.io/timescale/timescaledb-ha@sha256:0", &[], &[]),
            ("registry.example:5000/shop/db:7", &["docker-entrypoint.sh", "postgres"], &[]),
            ("registry.example:5000/shop/db:7", &["/run"], &["LANG", "PGDATA"]),
            ("debian:12", &["/usr/lib/postgresql/15/bin/postgres", "-D", "/data"], &[]),
        ] {
            assert_eq!(of(image, words, variables), Some(Runs::Postgresql), "{image} {words:?}");
        }
        assert_eq!(of("ghcr.io/zalando/spilo-16:3.2-p3", &["/bin/sh", "/launch.sh"], &[]), Some(Runs::Patroni));
        assert_eq!(of("db:1", &["/usr/bin/patroni", "/etc/patroni.yml"], &["PGDATA"]), Some(Runs::Patroni));
        for image in ["prodrigestivill/postgres-backup-local", "quay.io/prometheuscommunity/postgres-exporter", "nginx"]
        {
            assert_eq!(of(image, &["/run"], &["PGHOST"]), None, "{image}");
        }
    }

    #[test]
    fn directories_that_may_be_written_to() {
        assert_eq!(volume("/srv/pg:/var/lib/postgresql/data:Z").as_deref(), Some("/srv/pg"));
        assert_eq!(volume("/srv/pg:/backup:ro,Z"), None);
        assert_eq!(volume("/data"), None);
        assert_eq!(volume("./pg:/data"), None);
        assert_eq!(volume("pg.volume:/d").as_deref(), Some("/var/lib/containers/storage/volumes/systemd-pg/_data"));
        assert_eq!(volume("pg:/d").as_deref(), Some("/var/lib/containers/storage/volumes/pg/_data"));
        assert_eq!(mount("type=bind,source=/srv/pg,destination=/d").as_deref(), Some("/srv/pg"));
        assert_eq!(mount("type=bind,src=/srv/pg,dst=/d,ro"), None);
        assert_eq!(mount("type=tmpfs,tmpfs-size=1,destination=/d"), None);
    }
}
