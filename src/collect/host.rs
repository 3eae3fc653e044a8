//! What a host says of itself: this machine, another one behind a command such as `ssh TARGET`, or the tree of one that does not run.
//!
//! Nothing is written, locked or started there. What could not be looked at says so, and is never "absent".

mod access;
mod container;
mod data;
mod eye;
pub mod files;
mod lasting;
mod launch;
pub(crate) mod mask;
mod net;
mod passwords;
mod process;
mod program;
mod reach;
mod root;
mod scripts;
mod unit_files;
mod units;
pub mod upgrade;
mod wire;

use std::collections::{BTreeMap, BTreeSet};

use self::eye::{Ask, Eye, Reply};
pub use self::eye::{Limits, Manifest, Way};
use self::mask::Masker;
use crate::bundle::host::{DebianCluster, Entry, Host, Systemd, Unit};
use crate::bundle::{Answer, Miss};
use crate::gap::GapReason;

/// The name of this machine; empty where it cannot be had.
#[must_use]
pub fn name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname").map(|name| name.trim().to_owned()).unwrap_or_default()
}

/// What is asked about a host beside what every host is asked. Paths are absolute, as that host sees them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Questions {
    /// Data directories.
    pub data_dirs: Vec<String>,
    /// Directories of configuration.
    pub config_dirs: Vec<String>,
    /// Directories of PostgreSQL's programs.
    pub bin_dirs: Vec<String>,
    /// Other files and directories: `patroni.yml`, pgpass, scripts, logs, keys.
    pub paths: Vec<String>,
    /// Names that hosts have in the configuration.
    pub names: Vec<String>,
    /// Watchdog devices.
    pub watchdogs: Vec<String>,
    /// Further units.
    pub units: Vec<String>,
    /// Where TCP connections are tried to: `192.0.2.12:5432`.
    pub reach: Vec<String>,
    /// Directories of which it is asked what they lie on, and whether they are made when the host starts.
    pub lasting: Vec<String>,
    /// Password files of libpq.
    pub password_files: Vec<String>,
}

impl Questions {
    /// Every path, each once.
    fn all_paths(&self) -> Vec<String> {
        let lists = [
            &self.data_dirs,
            &self.config_dirs,
            &self.bin_dirs,
            &self.paths,
            &self.watchdogs,
            &self.lasting,
            &self.password_files,
        ];
        let all: BTreeSet<_> = lists.into_iter().flatten().cloned().collect();
        all.into_iter().collect()
    }

    /// Without paths that are not absolute: what they lead to depends on who asks.
    fn absolute(&self) -> Self {
        let keep = |list: &[String]| list.iter().filter(|p| is_plain(p)).cloned().collect();
        Self {
            data_dirs: keep(&self.data_dirs),
            config_dirs: keep(&self.config_dirs),
            bin_dirs: keep(&self.bin_dirs),
            paths: keep(&self.paths),
            watchdogs: keep(&self.watchdogs),
            names: self.names.iter().filter(|n| !n.contains('\0') && !n.is_empty()).cloned().collect(),
            units: self.units.iter().filter(|n| !n.contains(['\0', '/'])).cloned().collect(),
            reach: self.reach.iter().filter(|place| reach::is_place(place)).cloned().collect(),
            lasting: keep(&self.lasting),
            password_files: keep(&self.password_files),
        }
    }
}

fn is_plain(path: &str) -> bool {
    path.starts_with('/') && !path.contains('\0')
}

/// What was seen, and all that was touched for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// The host.
    pub host: Answer<Host>,
    /// What was touched.
    pub manifest: Manifest,
}

/// Looks at a host.
pub async fn look(way: &Way, questions: &Questions, limits: Limits) -> Looked {
    let eye = Eye { way, limits, manifest: Manifest::default(), clock: None };
    let mut look = Look { eye, questions: questions.absolute(), masker: Masker::default() };
    let host = look.all().await.and_then(|mut host| {
        for path in questions.all_paths().into_iter().filter(|p| !is_plain(p)) {
            host.paths.insert(path, Answer::missing(GapReason::Unreadable, "not an absolute path"));
        }
        scrubbed(&host, &look.masker)
    });
    Looked { host: host.into(), manifest: look.eye.manifest }
}

/// Without the secrets that were seen, wherever they stand.
fn scrubbed(host: &Host, masker: &Masker) -> Result<Host, Miss> {
    let broken = |e: serde_json::Error| Miss { why: GapReason::Unreadable, detail: format!("an error of ours: {e}") };
    let mut value = serde_json::to_value(host).map_err(broken)?;
    masker.scrub(&mut value);
    serde_json::from_value(value).map_err(broken)
}

struct Look<'a> {
    eye: Eye<'a>,
    questions: Questions,
    masker: Masker,
}

/// What is asked in the first round.
struct First {
    hostname: usize,
    kernel: usize,
    uid: usize,
    init: usize,
    addresses: usize,
    synchronised: usize,
    names: Vec<usize>,
    paths: Vec<usize>,
    units: units::Questions,
    launch: launch::Questions,
    containers: container::Questions,
    processes: process::Questions,
    data: Vec<data::Questions>,
    reach: reach::Questions,
    lasting: lasting::Questions,
    passwords: Vec<usize>,
    programs: Vec<program::Questions>,
    patroni: Vec<usize>,
}

/// Units, and what they were read from.
struct Units {
    systemd: Answer<Systemd>,
    units: Answer<BTreeMap<String, Answer<Unit>>>,
}

impl Look<'_> {
    fn is_running(&self) -> bool {
        !matches!(self.eye.way, Way::Root(_))
    }

    /// A further round: when the host is gone by then, what was seen before stays.
    async fn again(&mut self, ask: Ask) -> Vec<Reply> {
        let count = ask.len();
        self.eye.ask(ask).await.unwrap_or_else(|miss| vec![Err(miss); count])
    }

    fn first(&self, ask: &mut Ask) -> First {
        let q = &self.questions;
        let hostname = if self.is_running() { "/proc/sys/kernel/hostname" } else { "/etc/hostname" };
        First {
            hostname: ask.read(hostname),
            kernel: ask.run(&["uname", "-srm"]),
            uid: ask.run(&["id", "-u"]),
            init: ask.read("/proc/1/comm"),
            addresses: net::add_addresses(ask),
            synchronised: net::add_synchronised(ask),
            names: q.names.iter().map(|n| net::add_name(ask, n)).collect(),
            units: units::Questions::add(ask),
            launch: launch::Questions::add(ask),
            containers: container::Questions::add(ask),
            processes: process::Questions::add(ask, &q.watchdogs),
            programs: q.bin_dirs.iter().map(|d| program::Questions::add(ask, d)).collect(),
            patroni: program::add_places(ask),
            paths: q.all_paths().into_iter().map(|p| ask.stat(p)).collect(),
            data: q.data_dirs.iter().map(|d| data::Questions::add(ask, d)).collect(),
            reach: reach::Questions::add(ask, &q.reach),
            lasting: lasting::Questions::add(ask, &q.lasting),
            passwords: q.password_files.iter().map(|p| ask.read(p)).collect(),
        }
    }

    async fn all(&mut self) -> Result<Host, Miss> {
        let mut ask = Ask::default();
        let first = self.first(&mut ask);
        let replies = self.eye.ask(ask).await?;
        let mut host = self.first_answers(&first, &replies);
        let clusters = first.launch.clusters(&replies);
        let seen = first.units.systemd(&replies);
        let by_text = first.units.by_text(&replies);
        let known = first.units.names(&replies, &host.processes);
        let mut names = known.clone().unwrap_or_default();
        names.extend(self.questions.units.iter().filter(|n| !units::is_template(n)).cloned());
        for cluster in clusters.as_ref().ok().into_iter().flatten() {
            names.insert(format!("postgresql@{}-{}.service", cluster.version, cluster.name));
        }
        let first_process = wire::text(&replies[first.init]);
        let found = self.second(&mut host, clusters, &seen, &names, &first_process).await;
        let found = match (found, seen, by_text, known) {
            // There may be more units than those that were found.
            (Some(found), _, _, Err(miss)) => Units { units: Answer::Missing(miss), ..found },
            (Some(found), ..) => found,
            (None, Err(running), Ok(by_text), _) => self.unit_files(&by_text, &host, &running).await,
            (None, Err(running), Err(miss), _) => {
                Units { systemd: Answer::Missing(running), units: Answer::Missing(miss) }
            }
            (None, Ok(systemd), ..) => {
                Units { systemd: Answer::Got(systemd), units: Answer::missing(GapReason::NotGiven, "not asked") }
            }
        };
        host.systemd = found.systemd;
        host.units = found.units;
        let programs = program::installations(&first.patroni, &replies, &host.units, &host.processes);
        self.third(&mut host, programs).await;
        self.containers(&mut host, first.containers.found(&replies)).await;
        Ok(host)
    }

    fn first_answers(&mut self, first: &First, replies: &[Reply]) -> Host {
        let q = &self.questions;
        let unread = || Miss { why: GapReason::NotGiven, detail: "not read".to_owned() };
        let line = |at: usize| wire::out(&replies[at]).map(|t| t.trim().to_owned());
        let uid = line(first.uid).and_then(|t| t.parse().map_err(|_| unread()));
        let kernel = line(first.kernel);
        let is_big =
            kernel.as_ref().is_ok_and(|k| [" s390x", " ppc64", " sparc64", " mips"].iter().any(|m| k.ends_with(m)));
        let own = uid.as_ref().ok().copied();
        let (listeners, watchdogs) = first.processes.listeners(replies, own, &q.watchdogs, !is_big);
        let hostname = wire::text(&replies[first.hostname]).and_then(|t| t.ok_or_else(unread));
        let not_running = || Miss { why: GapReason::NotGiven, detail: "the host does not run".to_owned() };
        let zip = |names: &[String], asked: &[usize], forward| {
            let one = |(name, at): (&String, &usize)| (name.clone(), net::getent(&replies[*at], forward));
            names.iter().zip(asked).map(one).collect()
        };
        let paths: BTreeMap<String, Answer<Option<Entry>>> =
            q.all_paths().into_iter().zip(&first.paths).map(|(p, at)| (p, wire::entry(&replies[*at]))).collect();
        let masker = &mut self.masker;
        Host {
            running: !matches!(self.eye.way, Way::Root(_)),
            uid: uid.into(),
            name: hostname.map(|t| t.trim().to_owned()).into(),
            kernel: kernel.into(),
            clock: self.eye.clock.ok_or_else(not_running).into(),
            synchronised: net::synchronised(&replies[first.synchronised]),
            addresses: net::addresses(&replies[first.addresses]),
            names: zip(&q.names, &first.names, true),
            reverse: BTreeMap::new(),
            systemd: Answer::Missing(unread()),
            units: Answer::Missing(unread()),
            clusters: Answer::Missing(unread()),
            launchers: first.launch.launchers(replies, masker),
            processes: first.processes.processes(replies, masker),
            listeners,
            paths,
            data: q.data_dirs.iter().zip(&first.data).map(|(d, q)| (d.clone(), q.read(replies, masker))).collect(),
            filesystems: BTreeMap::new(),
            made_at_boot: first.lasting.made(replies, &q.lasting),
            password_files: passwords::files(&q.password_files, &first.passwords, replies),
            programs: q.bin_dirs.iter().zip(&first.programs).map(|(d, q)| (d.clone(), q.read(replies))).collect(),
            patroni: Answer::Missing(unread()),
            watchdogs,
            reach: first.reach.read(replies),
            access: BTreeMap::new(),
        }
    }

    /// The second round. Units come out of it where a systemd runs.
    async fn second(
        &mut self,
        host: &mut Host,
        clusters: Result<Vec<DebianCluster>, Miss>,
        systemd: &Result<Systemd, Miss>,
        names: &BTreeSet<String>,
        first_process: &Result<Option<String>, Miss>,
    ) -> Option<Units> {
        let is_running = self.is_running();
        let mut ask = Ask::default();
        let shown: Vec<_> = match systemd {
            Ok(_) => names.iter().map(|n| (n.clone(), units::add(&mut ask, n))).collect(),
            Err(_) => Vec::new(),
        };
        let starts = clusters.as_ref().map(|c| launch::add_starts(&mut ask, c)).unwrap_or_default();
        let said = |p: &crate::bundle::host::Programs| p.version.got().cloned().unwrap_or_default();
        let bins: Vec<_> = self
            .questions
            .bin_dirs
            .iter()
            .map(|d| (d.clone(), host.programs.get(d).map(said).unwrap_or_default()))
            .collect();
        let later: Vec<_> = host
            .data
            .iter()
            .map(|(dir, data)| (dir.clone(), data::Later::add(&mut ask, dir, data, &bins, is_running)))
            .collect();
        let mut spaces: BTreeSet<_> =
            self.questions.config_dirs.iter().chain(&self.questions.lasting).cloned().collect();
        for dir in &self.questions.data_dirs {
            spaces.extend([dir.clone(), format!("{}/pg_wal", dir.trim_end_matches('/'))]);
        }
        let spaces: Vec<_> = spaces.into_iter().map(|p| (data::add_space(&mut ask, &p), p)).collect();
        let own = host.addresses.got().into_iter().flatten().map(|a| a.address.clone());
        let own: BTreeSet<_> =
            own.filter(|a| !a.starts_with("127.") && a != "::1" && !a.starts_with("fe80:")).collect();
        let reverse: Vec<_> = own.into_iter().map(|a| (net::add_reverse(&mut ask, &a), a)).collect();
        let replies = self.again(ask).await;
        host.clusters = clusters
            .map(|mut clusters| {
                launch::read_starts(&mut clusters, &starts, &replies);
                clusters
            })
            .into();
        for (dir, later) in later {
            if let Some(data) = host.data.get_mut(&dir) {
                later.read(data, &replies, first_process);
            }
        }
        host.filesystems = spaces.into_iter().map(|(at, path)| (path, data::space(&replies[at]))).collect();
        host.reverse = reverse.into_iter().map(|(at, a)| (a, net::getent(&replies[at], false))).collect();
        let systemd = systemd.as_ref().ok()?.clone();
        let units = shown.into_iter().map(|(name, at)| (name, units::unit(&replies[at], &mut self.masker).into()));
        let units = units.collect();
        Some(Units { systemd: Answer::Got(systemd), units: Answer::Got(units) })
    }

    /// Units out of their files, where no systemd runs.
    async fn unit_files(&mut self, by_text: &BTreeSet<String>, host: &Host, running: &Miss) -> Units {
        let mut ask = Ask::default();
        let questions = unit_files::Questions::add(&mut ask);
        let replies = self.again(ask).await;
        let files = match questions.read(&replies) {
            Ok(files) => files,
            Err(miss) => return Units { systemd: Answer::Missing(running.clone()), units: Answer::Missing(miss) },
        };
        let clusters = host.clusters.got().map(Vec::as_slice).unwrap_or_default();
        let mut names = files.names(by_text, clusters);
        names.extend(self.questions.units.iter().filter(|n| !units::is_template(n)).cloned());
        let mut ask = Ask::default();
        let texts: Vec<_> = names.into_iter().map(|n| (files.ask(&mut ask, &n), n)).collect();
        let replies = self.again(ask).await;
        let units =
            texts.into_iter().map(|(t, name)| (name, Answer::Got(files.unit(&t, &replies, running, &mut self.masker))));
        Units { units: Answer::Got(units.collect()), systemd: Answer::Got(files.systemd()) }
    }

    /// Containers that are started with the host. Most hosts have none, and are not asked again.
    async fn containers(&mut self, host: &mut Host, mut found: container::Found) {
        while let Some(asked) = found.ask() {
            let replies = self.again(asked).await;
            found.read(&replies);
        }
        if let Answer::Got(launchers) = &mut host.launchers {
            launchers.containers = found.containers;
            launchers.unread.extend(found.unread);
        }
    }

    /// The third round and the fourth: what units name, and what Patroni's Python has.
    async fn third(&mut self, host: &mut Host, installations: BTreeSet<String>) {
        let mut ask = Ask::default();
        let files = host.units.got().map(|units| units::add_environment_files(&mut ask, units)).unwrap_or_default();
        let mut paths = self.questions.all_paths();
        // The configuration that units hand to Patroni.
        let named: BTreeSet<String> = host.units.got().map(configurations).unwrap_or_default();
        let named: Vec<_> = named.into_iter().filter(|path| !host.paths.contains_key(path)).collect();
        let configurations: Vec<_> = named.iter().map(|path| ask.stat(path)).collect();
        paths.extend(named.iter().cloned());
        let mut users: BTreeSet<_> = host.units.got().map(users).unwrap_or_default();
        if users.len() != 1 {
            // Only the owner of the data can start a server on it.
            users.extend(host.data.values().filter_map(|data| data.entry.got()?.as_ref()?.owner.clone()));
        }
        let access: Vec<_> = users.iter().map(|u| access::Questions::add(&mut ask, u, &paths)).collect();
        let installed: Vec<_> = installations.iter().map(|p| program::Installation::add(&mut ask, p)).collect();
        let replies = self.again(ask).await;
        if let Answer::Got(units) = &mut host.units {
            units::read_environment_files(units, &files, &replies, &mut self.masker);
        }
        host.access = access.iter().map(|q| q.read(&replies)).collect();
        host.paths.extend(named.into_iter().zip(configurations).map(|(path, at)| (path, wire::entry(&replies[at]))));
        let mut ask = Ask::default();
        let pythons: Vec<_> = installed.into_iter().map(|i| i.ask_python(&replies, &mut ask)).collect();
        let replies = if pythons.is_empty() { Vec::new() } else { self.again(ask).await };
        host.patroni = Answer::Got(pythons.into_iter().map(|p| p.read(&replies)).collect());
    }
}

/// The files and directories that units hand to Patroni, as far as they are plain paths.
fn configurations(units: &BTreeMap<String, Answer<Unit>>) -> BTreeSet<String> {
    let units = units.values().filter_map(Answer::got);
    units.filter_map(Unit::patroni_configuration).filter(|path| is_plain(path)).map(str::to_owned).collect()
}

/// The users that units of Patroni run as.
fn users(units: &BTreeMap<String, Answer<Unit>>) -> BTreeSet<String> {
    let runs = |unit: &Unit| {
        let commands = unit.exec_start.got().into_iter().flatten().flatten();
        commands.take(3).any(|w| w.rsplit('/').next() == Some("patroni"))
    };
    let units = units.iter().filter_map(|(name, unit)| Some((name, unit.got()?)));
    let patroni = units.filter(|(name, unit)| name.starts_with("patroni") || runs(unit)).map(|(_, unit)| unit);
    let exists = patroni.filter(|u| u.load.got().is_none_or(|l| l != "not-found"));
    exists.filter_map(|u| u.user.got()).map(|u| u.clone().unwrap_or_else(|| "root".to_owned())).collect()
}
