//! What starts PostgreSQL and Patroni.

use serde::{Deserialize, Serialize};

use super::Entry;
use crate::bundle::{Answer, Miss};

/// What belongs to systemd itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Systemd {
    /// Its version; a tree does not say.
    pub version: Answer<String>,
    /// How often it feeds the watchdog, in milliseconds; 0 when it does not.
    pub runtime_watchdog: Answer<u64>,
    /// The device that it feeds, if one is set.
    pub watchdog_device: Answer<Option<String>>,
}

/// A unit. Of a running systemd these are its properties, with what it has added by itself; of unit files, what they say, and
/// systemd's defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Unit {
    /// `loaded`, `not-found`, `masked`, `bad-setting`.
    pub load: Answer<String>,
    /// `active`, `inactive`, `failed`.
    pub active: Answer<String>,
    /// `running`, `dead`, `auto-restart`.
    pub sub: Answer<String>,
    /// `enabled`, `enabled-runtime`, `disabled`, `static`, `masked`, `alias`, `indirect`, `generated`; empty without a file.
    pub enabled: Answer<String>,
    /// What a preset makes of it: `enabled`, `disabled`.
    pub preset: Answer<String>,
    /// Its file.
    pub fragment: Answer<Option<String>>,
    /// Its drop-ins, in systemd's order.
    pub drop_ins: Answer<Vec<String>>,
    /// The user that it runs as; none is root.
    pub user: Answer<Option<String>>,
    /// `simple`, `notify`, `forking`.
    pub r#type: Answer<String>,
    /// `control-group`, `mixed`, `process`, `none`.
    pub kill_mode: Answer<String>,
    /// `no`, `on-failure`, `always`.
    pub restart: Answer<String>,
    /// How long a start may take, in milliseconds; `None` without end.
    pub timeout_start: Answer<Option<u64>>,
    /// How long a stop may take, in milliseconds; `None` without end.
    pub timeout_stop: Answer<Option<u64>>,
    /// Units that stop when it starts.
    pub conflicts: Answer<Vec<String>>,
    /// Units that it needs.
    pub requires: Answer<Vec<String>>,
    /// Units that are started with it.
    pub wants: Answer<Vec<String>>,
    /// Units that are started before it.
    pub after: Answer<Vec<String>>,
    /// Units that start it.
    pub wanted_by: Answer<Vec<String>>,
    /// The most files that it may have open, as systemd writes it.
    pub limit_nofile: Answer<String>,
    /// How much memory it may lock.
    pub limit_memlock: Answer<String>,
    /// What is added to its badness when memory runs out.
    pub oom_score_adjust: Answer<String>,
    /// What `Environment=` sets.
    pub environment: Answer<Vec<Variable>>,
    /// The files of variables that it reads.
    pub environment_files: Answer<Vec<EnvironmentFile>>,
    /// What it runs before it starts that, secrets replaced.
    pub exec_start_pre: Answer<Vec<Vec<String>>>,
    /// What it starts, secrets replaced.
    pub exec_start: Answer<Vec<Vec<String>>>,
    /// Its first process; 0 without one.
    pub main_pid: Answer<u32>,
}

impl Unit {
    /// Whether it is there and starts Patroni.
    #[must_use]
    pub fn starts_patroni(&self) -> bool {
        let mut words = self.exec_start.got().into_iter().flatten().flat_map(|words| words.iter().take(3));
        self.load.got().is_none_or(|load| load != "not-found")
            && words.any(|w| matches!(w.rsplit('/').next(), Some("patroni" | "patroni.py")))
    }

    /// The file or directory that it hands to Patroni.
    #[must_use]
    pub fn patroni_configuration(&self) -> Option<&str> {
        let is_patroni = |w: &&String| matches!(w.rsplit('/').next(), Some("patroni" | "patroni.py"));
        self.exec_start.got()?.iter().find_map(|words| {
            let at = words.iter().take(3).position(|w| is_patroni(&w))?;
            words[at + 1..].iter().find(|w| !w.starts_with('-')).map(String::as_str)
        })
    }

    /// The files that it is written in: its own, then its drop-ins.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let fragment = self.fragment.got().and_then(Option::as_deref);
        fragment.into_iter().chain(self.drop_ins.got().into_iter().flatten().map(String::as_str))
    }

    /// The files of variables that it reads and that are there, as far as their names are known.
    pub fn environments(&self) -> impl Iterator<Item = &str> {
        let files = self.environment_files.got().into_iter().flatten();
        let is_there =
            |file: &&EnvironmentFile| !matches!(file.entry, Answer::Got(None)) && !file.path.contains(['*', '?', '[']);
        files.filter(is_there).map(|file| file.path.as_str())
    }
}

/// A variable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value, where it is one of Patroni's that cannot be a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// A file of variables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnvironmentFile {
    /// Its path, which may hold wildcards.
    pub path: String,
    /// Whether it may be absent.
    pub optional: bool,
    /// What is there.
    pub entry: Answer<Option<Entry>>,
    /// What it sets; `None` when it does not exist.
    pub variables: Answer<Option<Vec<Variable>>>,
}

/// A cluster of Debian's and Ubuntu's packages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DebianCluster {
    /// `15`.
    pub version: String,
    /// `main`.
    pub name: String,
    /// What `start.conf` says, `auto` when it is absent: with `auto`, a generator has `postgresql@15-main.service` started at boot
    /// by `postgresql.service`, whatever `systemctl is-enabled` says.
    pub start: Answer<String>,
    /// `data_directory` of its `postgresql.conf`; `None` where it says none.
    pub data_dir: Answer<Option<String>>,
    /// Whether the generator finds the programs of that version; it leaves out a cluster without.
    pub has_programs: Answer<bool>,
}

/// Lines of cron tables, rc files and the configuration of other managers that start, stop or promote PostgreSQL, and containers that are
/// started with the host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Launchers {
    /// The lines.
    pub lines: Vec<Launcher>,
    /// The containers that nobody needs to start.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub containers: Vec<Container>,
    /// What could not be read: there may be more.
    pub unread: Vec<Unread>,
}

/// One such line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Launcher {
    /// Its file.
    pub file: String,
    /// Its number.
    pub line: u32,
    /// Its text, secrets replaced.
    pub text: String,
}

/// A container that is started without anybody's doing, whether it runs now or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Container {
    /// What starts it.
    pub engine: Engine,
    /// Its name.
    pub name: String,
    /// Its file.
    pub file: String,
    /// Its image.
    pub image: String,
    /// Why it is started: `always`, `unless-stopped`, `on-failure`; of a unit what wants it: `multi-user.target`.
    pub starts: String,
    /// What runs in it, as far as its image, its command and the names of its variables tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs: Option<Runs>,
    /// The compose files that it was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compose: Option<String>,
    /// The directories of the host that it may write to.
    #[serde(default)]
    pub writes: Vec<String>,
}

/// What starts containers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    /// Docker, when it starts itself.
    Docker,
    /// systemd, by a unit that Podman makes of a `.container` file.
    Podman,
    /// The systemd of a user, by such a unit.
    PodmanOfUser,
}

/// What runs in a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Runs {
    /// A server.
    Postgresql,
    /// Patroni, and a server with it.
    Patroni,
}

/// A file or directory that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unread {
    /// What was said of it, with its path.
    pub what: Miss,
}
