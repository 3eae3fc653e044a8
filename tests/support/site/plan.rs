//! What a site is to be.

use serde_json::{Map, Value as Json, json};

use super::{OPERATOR, Site, files};
use crate::support::pg;

/// Where files of PostgreSQL lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// `/etc/postgresql/<major>/main` and `/var/lib/postgresql/<major>/main`, made by `pg_createcluster`.
    Debian,
    /// All in `/var/lib/postgresql/data`.
    Directory,
}

/// A plan of a site.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(super) major: u16,
    pub(crate) layout: Layout,
    pub(super) members: Vec<String>,
    pub(super) etcds: usize,
    pub(super) logical: bool,
    pub(super) conf: String,
    pub(super) sql: String,
}

impl Plan {
    /// Where files of PostgreSQL lie; Debian's places when nothing is said.
    pub(crate) fn layout(self, layout: Layout) -> Self {
        Self { layout, ..self }
    }

    /// How many standbys there are: none when nothing is said. Members are called pg1 (the primary), pg2 …
    pub(crate) fn standbys(self, count: usize) -> Self {
        let members = (1..=count + 1).map(|n| format!("pg{n}")).collect();
        Self { members, ..self }
    }

    /// The members by name, the primary first.
    pub(crate) fn members(self, names: &[&str]) -> Self {
        Self { members: names.iter().map(|&n| n.to_owned()).collect(), ..self }
    }

    /// How many hosts of etcd there are, etcd1 …: one when nothing is said.
    pub(crate) fn etcd(self, etcds: usize) -> Self {
        Self { etcds, ..self }
    }

    /// With `wal_level = logical` and a logical slot `cdc` of the database `app`.
    pub(crate) fn logical(self) -> Self {
        Self { logical: true, ..self }
    }

    /// Further settings of each server; the last one of a name counts.
    pub(crate) fn conf(self, conf: &str) -> Self {
        Self { conf: format!("{}{conf}\n", self.conf), ..self }
    }

    /// Statements that the primary runs before there are standbys.
    pub(crate) fn sql(self, sql: &str) -> Self {
        Self { sql: format!("{}{sql};\n", self.sql), ..self }
    }

    /// Starts it: every server runs, standbys stream, etcd answers; Patroni does not run yet.
    ///
    /// # Panics
    /// When something of it does not start; the logs are in the message.
    pub(crate) fn start(self) -> Site {
        Site::start(self)
    }

    pub(super) fn etcd_names(&self) -> Vec<String> {
        (1..=self.etcds).map(|n| format!("etcd{n}")).collect()
    }

    /// The address of a host.
    pub(crate) fn address(&self, host: &str) -> String {
        let members = self.members.iter().zip(11..).find(|(name, _)| *name == host).map(|(_, n)| n);
        let etcds = || self.etcd_names().iter().zip(21..).find(|(name, _)| *name == host).map(|(_, n)| n);
        let last = members.or_else(etcds).or((host == OPERATOR).then_some(9));
        format!("10.77.0.{}", last.unwrap_or_else(|| panic!("there is no host {host}")))
    }

    /// The directory of programs on each member.
    pub(crate) fn bin_dir(&self) -> String {
        format!("/usr/lib/postgresql/{}/bin", self.major)
    }

    /// The data directory on each member.
    pub(crate) fn data_dir(&self) -> String {
        match self.layout {
            Layout::Debian => format!("/var/lib/postgresql/{}/main", self.major),
            Layout::Directory => "/var/lib/postgresql/data".to_owned(),
        }
    }

    /// The directory with `postgresql.conf` and `pg_hba.conf` on each member.
    pub(crate) fn config_dir(&self) -> String {
        match self.layout {
            Layout::Debian => format!("/etc/postgresql/{}/main", self.major),
            Layout::Directory => self.data_dir(),
        }
    }

    /// The words that start a server as it is started without Patroni: those of `pg_ctlcluster`, which takes two seconds for them, or
    /// those of a unit.
    pub(super) fn start_words(&self) -> Vec<String> {
        let (data, config, log) = (self.data_dir(), self.config_dir(), self.postgres_log());
        let words = ["pg_ctl", "-s", "-w", "-t", "20", "-D", &data, "-l", &log];
        let options = format!("-c config_file=\"{config}/postgresql.conf\"");
        let with_options = if self.layout == Layout::Debian { vec!["-o", options.as_str()] } else { Vec::new() };
        words.into_iter().chain(with_options).chain(["start"]).map(str::to_owned).collect()
    }

    pub(super) fn postgres_log(&self) -> String {
        match self.layout {
            Layout::Debian => format!("/var/log/postgresql/postgresql-{}-main.log", self.major),
            Layout::Directory => "/var/log/postgresql/postgresql.log".to_owned(),
        }
    }

    fn member(&self, number: usize, name: &str) -> Json {
        let (data, config) = (self.data_dir(), self.config_dir());
        let mut texts = Map::new();
        let mut put = |file: String, text: String| texts.insert(file, json!(text));
        match self.layout {
            Layout::Debian => put(format!("{config}/conf.d/10-site.conf"), files::conf(self, name)),
            Layout::Directory => put(format!("{config}/postgresql.conf"), files::conf(self, name)),
        };
        put(format!("{config}/pg_hba.conf"), files::hba(self));
        put(format!("/etc/patroni/{name}.yml"), files::patroni(self, name));
        let mut secret = vec![format!("/etc/patroni/{name}.yml"), format!("{config}/pg_hba.conf")];
        if number > 0 {
            put(format!("{data}/standby.signal"), String::new());
            put(format!("{data}/postgresql.auto.conf"), files::auto_conf(self, number));
            secret.extend([format!("{data}/standby.signal"), format!("{data}/postgresql.auto.conf")]);
        }
        json!({"name": name, "address": self.address(name), "kind": "member", "files": texts, "secret": secret})
    }

    pub(super) fn etcd_member(&self, name: &str) -> Json {
        let url = |host: &str, port: u16| format!("http://{}:{port}", self.address(host));
        let all: Vec<String> = self.etcd_names().iter().map(|e| format!("{e}={}", url(e, 2380))).collect();
        let (clients, peers, local) = (url(name, 2379), url(name, 2380), "http://127.0.0.1:2379");
        let words = ["etcd", "--name", name, "--data-dir", "/srv/etcd", "--advertise-client-urls", &clients];
        let mut words: Vec<String> = words.map(str::to_owned).to_vec();
        words.extend(["--listen-client-urls".to_owned(), format!("{clients},{local}")]);
        let words = words.into_iter().chain(
            [
                "--listen-peer-urls",
                &peers,
                "--initial-advertise-peer-urls",
                &peers,
                "--initial-cluster",
                &all.join(","),
            ]
            .map(str::to_owned),
        );
        // Quick to elect a leader.
        let words: Vec<String> =
            words.chain(["--heartbeat-interval=50", "--election-timeout=500"].map(str::to_owned)).collect();
        json!({"name": name, "address": self.address(name), "kind": "etcd", "files": {}, "secret": [], "etcd": words})
    }

    pub(super) fn request(&self) -> Json {
        let mut hosts: Vec<Json> = self.etcd_names().iter().map(|e| self.etcd_member(e)).collect();
        hosts.extend(self.members.iter().enumerate().map(|(n, name)| self.member(n, name)));
        let mine = |name: &String| format!("/etc/patroni/{name}.yml");
        let texts: Map<String, Json> = self.members.iter().map(|m| (mine(m), json!(files::patroni(self, m)))).collect();
        let secret: Vec<String> = self.members.iter().map(mine).collect();
        hosts.push(json!({"name": OPERATOR, "address": self.address(OPERATOR), "kind": "operator", "files": texts, "secret": secret}));
        let mut primary: Vec<String> = (1..self.members.len())
            .map(|n| format!("SELECT pg_create_physical_replication_slot('standby_{n}', true);"))
            .collect();
        primary.push(self.sql.clone());
        if self.logical {
            primary.push("\\c app\nSELECT pg_create_logical_replication_slot('cdc', 'pgoutput');".to_owned());
        }
        json!({
            "major": self.major,
            "bin": pg::program(self.major, "psql").parent(),
            "template": pg::template(self.major),
            "sql": files::sql(),
            "conf": files::conf(self, &self.members[0]),
            "tools": pg::tools(),
            "program": env!("CARGO_BIN_EXE_patroni-preflight"),
            "bridge": "10.77.0.1",
            "data": self.data_dir(),
            "debian": self.layout == Layout::Debian,
            "start": self.start_words(),
            "primary": primary,
            "hosts": hosts,
        })
    }
}
