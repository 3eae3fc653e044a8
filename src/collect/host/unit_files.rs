//! Units, as their files tell them: of a tree, and of a host whose systemd does not run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::eye::{Ask, Probe, Reply};
use super::mask::Masker;
use super::units::{self, is_template, matters, milliseconds, new_environment_file};
use super::wire::{self, Node};
use crate::bundle::host::{DebianCluster, Launcher, Systemd, Unit};
use crate::bundle::{Answer, Miss};
use crate::gap::GapReason;
use crate::parse::unit::{self, dropin_dirs, expand, order_dropins};
use crate::source::Source;

/// Where systemd looks, the strongest first.
const DIRS: [&str; 5] = [
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];
const SYSTEM: &str = r"^[[:space:]]*(RuntimeWatchdogSec|WatchdogDevice|DefaultTimeout(Start|Stop)Sec)[[:space:]]*=";
const SYSTEM_FILES: &[&str] = &[
    "/etc/systemd/system.conf",
    "/usr/lib/systemd/system.conf.d/*.conf",
    "/usr/local/lib/systemd/system.conf.d/*.conf",
    "/etc/systemd/system.conf.d/*.conf",
];
const PRESET: &str = r"^[[:space:]]*(enable|disable|ignore)[[:space:]]";
const PRESET_FILES: &[&str] = &[
    "/etc/systemd/system-preset/*.preset",
    "/run/systemd/system-preset/*.preset",
    "/usr/local/lib/systemd/system-preset/*.preset",
    "/usr/lib/systemd/system-preset/*.preset",
    "/lib/systemd/system-preset/*.preset",
];

/// What is asked first.
pub(super) struct Questions {
    dirs: [usize; 5],
    system: usize,
    presets: usize,
}

impl Questions {
    pub(super) fn add(ask: &mut Ask) -> Self {
        Self {
            dirs: DIRS.map(|d| ask.add(Probe::Tree(d.to_owned()))),
            system: ask.add(Probe::Grep(SYSTEM, SYSTEM_FILES)),
            presets: ask.add(Probe::Grep(PRESET, PRESET_FILES)),
        }
    }

    /// What was found.
    pub(super) fn read(&self, replies: &[Reply]) -> Result<Files, Miss> {
        let dirs = DIRS.into_iter().zip(self.dirs);
        let trees = dirs.map(|(dir, at)| Ok((dir, wire::tree(&replies[at])?))).collect::<Result<Vec<_>, Miss>>()?;
        if trees.iter().all(|(_, nodes)| nodes.is_empty()) {
            return Err(Miss { why: GapReason::NotGiven, detail: "there are no unit files".to_owned() });
        }
        let system = wire::lines(&replies[self.system]).map(|(lines, _)| settings(lines));
        let presets = wire::lines(&replies[self.presets]).map(|(lines, _)| presets(lines));
        Ok(Files { trees, system, presets })
    }
}

/// Values of systemd's own configuration; the last one counts.
fn settings(lines: Vec<Launcher>) -> BTreeMap<String, String> {
    let pair = |l: Launcher| l.text.split_once('=').map(|(k, v)| (k.trim().to_owned(), v.trim().to_owned()));
    lines.into_iter().filter_map(pair).collect()
}

/// Lines of presets in systemd's order: by the names of the files, of two with one name the stronger.
fn presets(lines: Vec<Launcher>) -> Vec<(String, String)> {
    let mut files: BTreeMap<String, (String, Vec<String>)> = BTreeMap::new();
    for line in lines {
        let name = line.file.rsplit('/').next().unwrap_or_default().to_owned();
        let (file, texts) = files.entry(name).or_insert_with(|| (line.file.clone(), Vec::new()));
        if *file == line.file {
            texts.push(line.text);
        }
    }
    let words = |text: String| {
        let (word, rest) = text.trim().split_once(char::is_whitespace)?;
        Some((word.to_owned(), rest.split_whitespace().next()?.to_owned()))
    };
    files.into_values().flat_map(|(_, texts)| texts).filter_map(words).collect()
}

/// Unit files and what leads to them.
pub(super) struct Files {
    trees: Vec<(&'static str, Vec<Node>)>,
    system: Result<BTreeMap<String, String>, Miss>,
    presets: Result<Vec<(String, String)>, Miss>,
}

/// The texts that make a unit.
pub(super) struct Texts {
    name: String,
    /// The file, `None` when there is none, and the link that leads to it under another name.
    fragment: Option<(String, Option<usize>)>,
    alias: bool,
    drop_ins: Vec<(String, Option<usize>)>,
}

impl Files {
    /// The names of units that matter.
    pub(super) fn names(&self, by_text: &BTreeSet<String>, clusters: &[DebianCluster]) -> BTreeSet<String> {
        let last = |n: &Node| n.name.rsplit('/').next().unwrap_or_default().to_owned();
        let of_template = |name: &str| {
            name.split_once('@').is_some_and(|(prefix, _)| by_text.contains(&format!("{prefix}@.service")))
        };
        let nodes = self.trees.iter().flat_map(|(_, nodes)| nodes).map(last);
        let debian = clusters.iter().map(|c| format!("postgresql@{}-{}.service", c.version, c.name));
        let mut names: BTreeSet<_> =
            nodes.filter(|n| matters(n) || by_text.contains(n) || of_template(n)).chain(debian).collect();
        names.retain(|n| !is_template(n) && n.ends_with(".service"));
        names
    }

    fn node(&self, name: &str) -> Option<(&'static str, &Node)> {
        self.trees.iter().find_map(|(dir, nodes)| nodes.iter().find(|n| n.name == name).map(|n| (*dir, n)))
    }

    /// Asks for the texts of a unit.
    pub(super) fn ask(&self, ask: &mut Ask, name: &str) -> Texts {
        let (real, found) = self.fragment(name);
        let mut add = |path: String, node: &Node| {
            let at = (node.target.as_deref() != Some("/dev/null")).then(|| ask.read(path.as_str()));
            (path, at)
        };
        let fragment = found.map(|(dir, node)| add(format!("{dir}/{}", node.name), node));
        let mut files = BTreeMap::new();
        let mut paths = Vec::new();
        for below in dropin_dirs(&real) {
            for (dir, nodes) in &self.trees {
                for node in nodes.iter().filter(|n| n.name.strip_prefix(&below).is_some_and(|r| r.starts_with('/'))) {
                    let path = PathBuf::from(format!("{dir}/{}", node.name));
                    paths.push(path.clone());
                    files.insert(path, node);
                }
            }
        }
        let drop_ins = order_dropins(paths).into_iter().map(|p| add(p.to_string_lossy().into_owned(), files[&p]));
        Texts { name: name.to_owned(), alias: real != name, fragment, drop_ins: drop_ins.collect() }
    }

    /// The unit's own name, with aliases followed, and its file.
    fn fragment(&self, name: &str) -> (String, Option<(&'static str, &Node)>) {
        let mut name = name.to_owned();
        for _ in 0..8 {
            let template =
                name.split_once('@').and_then(|(p, rest)| Some(format!("{p}@.{}", rest.rsplit_once('.')?.1)));
            let found = self.node(&name).or_else(|| template.and_then(|t| self.node(&t)));
            let Some((_, node)) = found else { return (name, None) };
            let target = node.target.as_deref().filter(|t| *t != "/dev/null");
            let other = target.and_then(|t| Path::new(t).file_name()).map(|n| n.to_string_lossy().into_owned());
            match other.filter(|o| *o != node.name && !is_template(o)) {
                Some(other) => name = other,
                None => return (name, found),
            }
        }
        (name, None)
    }

    /// What leads to a unit: names of units, and the strongest directory that holds a link.
    fn wanted_by(&self, name: &str) -> (BTreeSet<String>, Option<&'static str>) {
        let mut names = BTreeSet::new();
        let mut strongest = None;
        for (dir, nodes) in &self.trees {
            for node in nodes {
                let wants = node.name.split_once('/').filter(|(_, n)| *n == name);
                let by = wants.and_then(|(d, _)| d.strip_suffix(".wants").or_else(|| d.strip_suffix(".requires")));
                let alias = node.target.as_deref().and_then(|t| t.rsplit('/').next()) == Some(name)
                    && !node.name.contains('/')
                    && node.name != name;
                names.extend(by.map(str::to_owned));
                if by.is_some() || alias {
                    strongest = strongest.or(Some(*dir));
                }
            }
        }
        (names, strongest)
    }

    /// What its texts say of a unit.
    pub(super) fn unit(&self, texts: &Texts, replies: &[Reply], running: &Miss, masker: &mut Masker) -> Unit {
        let name = texts.name.as_str();
        let mut parts = Vec::new();
        let mut wrong = None;
        let mut is_masked = false;
        for (n, (path, at)) in texts.fragment.iter().chain(&texts.drop_ins).enumerate() {
            let is_fragment = n == 0 && texts.fragment.is_some();
            match at.map_or(Ok(Some(String::new())), |at| wire::text(&replies[at])) {
                // A file without a byte is a mask, and so is a link to /dev/null.
                Ok(Some(text)) if text.is_empty() && is_fragment => is_masked = true,
                Ok(Some(text)) => parts.push(unit::parse(&Source::lone(path, text)).tree),
                Ok(None) => {
                    wrong = wrong.or(Some(Miss { why: GapReason::Unreadable, detail: format!("{path}: a dead link") }));
                }
                Err(miss) => wrong = wrong.or(Some(miss)),
            }
        }
        let merged = unit::merge(parts);
        let read = Read { name, unit: &merged, wrong: wrong.as_ref() };
        let (wanted_by, strongest) = self.wanted_by(name);
        let enabled = match () {
            () if texts.fragment.is_none() => Ok(String::new()),
            () if is_masked => Ok("masked".to_owned()),
            () if texts.alias => Ok("alias".to_owned()),
            () => read.enabled(strongest),
        };
        let load = match () {
            () if texts.fragment.is_none() => "not-found",
            () if is_masked => "masked",
            () if merged.is_refused() => "bad-setting",
            () => "loaded",
        };
        let system = |key: &str, default: u64| {
            let all = self.system.as_ref().map_err(Clone::clone)?;
            Ok(all.get(key).and_then(|v| milliseconds(v).ok()).unwrap_or(Some(default)))
        };
        let not_running = || Answer::Missing(running.clone());
        let kind = read.kind();
        let oneshot = kind.as_ref().is_ok_and(|t| t == "oneshot");
        let start = if oneshot { Ok(None) } else { system("DefaultTimeoutStartSec", 90_000) };
        Unit {
            load: Answer::Got(load.to_owned()),
            active: not_running(),
            sub: not_running(),
            enabled: enabled.into(),
            preset: self.preset(name).into(),
            fragment: Answer::Got(texts.fragment.as_ref().map(|(path, _)| path.clone())),
            drop_ins: Answer::Got(texts.drop_ins.iter().map(|(path, _)| path.clone()).collect()),
            user: read.value("User").into(),
            r#type: kind.into(),
            kill_mode: read.or("KillMode", "control-group").into(),
            restart: read.or("Restart", "no").into(),
            timeout_start: read.span("TimeoutStartSec", start).into(),
            timeout_stop: read.span("TimeoutStopSec", system("DefaultTimeoutStopSec", 90_000)).into(),
            conflicts: read.names("Conflicts").into(),
            requires: read.names("Requires").into(),
            wants: read.names("Wants").into(),
            after: read.names("After").into(),
            wanted_by: Answer::Got(wanted_by.into_iter().collect()),
            limit_nofile: read.told("LimitNOFILE").into(),
            limit_memlock: read.told("LimitMEMLOCK").into(),
            oom_score_adjust: read.or("OOMScoreAdjust", "0").into(),
            environment: read.here().map(|u| units::variables(&u.environment().tree, masker)).into(),
            environment_files: read.environment_files().into(),
            exec_start_pre: read.commands("ExecStartPre", masker).into(),
            exec_start: read.commands("ExecStart", masker).into(),
            main_pid: Answer::Missing(running.clone()),
        }
    }

    fn preset(&self, name: &str) -> Result<String, Miss> {
        let presets = self.presets.as_ref().map_err(Clone::clone)?;
        let fits = |pattern: &str| globset::Glob::new(pattern).is_ok_and(|g| g.compile_matcher().is_match(name));
        let word = presets.iter().find(|(_, pattern)| fits(pattern)).map(|(word, _)| word.as_str());
        Ok(match word {
            Some("disable") => "disabled",
            Some("ignore") => "ignored",
            _ => "enabled",
        }
        .to_owned())
    }

    /// What belongs to systemd itself.
    pub(super) fn systemd(&self) -> Systemd {
        let one = |key: &str| self.system.as_ref().map(|s| s.get(key).cloned()).map_err(Clone::clone);
        let watchdog = one("RuntimeWatchdogSec").and_then(|text| match text.as_deref() {
            None | Some("" | "off") => Ok(0),
            Some(text) => milliseconds(text).map(Option::unwrap_or_default),
        });
        Systemd {
            version: Answer::missing(GapReason::NotGiven, "systemd does not run"),
            runtime_watchdog: watchdog.into(),
            watchdog_device: one("WatchdogDevice").map(|d| d.filter(|d| !d.is_empty())).into(),
        }
    }
}

/// A unit's texts, or why they could not be read.
struct Read<'a> {
    name: &'a str,
    unit: &'a unit::Unit,
    wrong: Option<&'a Miss>,
}

impl Read<'_> {
    fn here(&self) -> Result<&unit::Unit, Miss> {
        self.wrong.map_or(Ok(self.unit), |miss| Err(miss.clone()))
    }

    fn expanded(&self, text: &str) -> String {
        expand(text, Path::new(self.name)).unwrap_or_else(|| text.to_owned())
    }

    fn value(&self, key: &str) -> Result<Option<String>, Miss> {
        Ok(self.here()?.last("Service", key).map(|v| self.expanded(&v.text)))
    }

    fn or(&self, key: &str, default: &str) -> Result<String, Miss> {
        Ok(self.value(key)?.unwrap_or_else(|| default.to_owned()))
    }

    fn told(&self, key: &str) -> Result<String, Miss> {
        let unset =
            || Miss { why: GapReason::NotGiven, detail: format!("no {key}= is set: the default of its systemd") };
        self.value(key)?.ok_or_else(unset)
    }

    fn kind(&self) -> Result<String, Miss> {
        let bus = self.value("BusName")?.is_some();
        let starts = !self.here()?.all("Service", "ExecStart").is_empty();
        self.or(
            "Type",
            if bus {
                "dbus"
            } else if starts {
                "simple"
            } else {
                "oneshot"
            },
        )
    }

    fn span(&self, key: &str, default: Result<Option<u64>, Miss>) -> Result<Option<u64>, Miss> {
        let both = self.value("TimeoutSec")?;
        match self.value(key)?.or(both) {
            None => default,
            // Nought is without end.
            Some(text) => match milliseconds(&text) {
                Ok(Some(0)) => Ok(None),
                Ok(span) => Ok(span),
                // systemd passes over what it cannot read.
                Err(_) => default,
            },
        }
    }

    fn names(&self, key: &str) -> Result<Vec<String>, Miss> {
        let names = self.here()?.names("Unit", key);
        let names: BTreeSet<_> = names.into_iter().map(|n| self.expanded(&n.value)).collect();
        Ok(names.into_iter().collect())
    }

    /// As `systemctl is-enabled` says it, from the directory of the strongest link.
    fn enabled(&self, strongest: Option<&str>) -> Result<String, Miss> {
        let has = |keys: &[&str]| keys.iter().any(|k| self.here().is_ok_and(|u| !u.all("Install", k).is_empty()));
        self.here()?;
        Ok(match strongest {
            Some("/etc/systemd/system") => "enabled",
            Some("/run/systemd/system") => "enabled-runtime",
            _ if has(&["WantedBy", "RequiredBy", "UpheldBy", "Alias"]) => "disabled",
            _ if has(&["Also"]) => "indirect",
            _ => "static",
        }
        .to_owned())
    }

    fn environment_files(&self) -> Result<Vec<crate::bundle::host::EnvironmentFile>, Miss> {
        let files = self.here()?.environment_files();
        Ok(files.iter().map(|f| new_environment_file(&self.expanded(&f.path.value), f.optional)).collect())
    }

    fn commands(&self, key: &str, masker: &mut Masker) -> Result<Vec<Vec<String>>, Miss> {
        let commands = self.here()?.commands(key).tree;
        let words = |c: &unit::Command| {
            let words = std::iter::once(&c.path).chain(&c.args).map(|w| self.expanded(&w.value));
            words.collect::<Vec<_>>()
        };
        Ok(commands.iter().map(|c| masker.words(&words(c))).collect())
    }
}
