//! Units, as a systemd that runs tells them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;

use super::eye::{Ask, Probe, Reply};
use super::mask::Masker;
use super::wire;
use crate::bundle::host::{EnvironmentFile, Process, Systemd, Unit, Variable};
use crate::bundle::{Answer, Miss};
use crate::gap::GapReason;
use crate::parse::unit::{self, TimeSpan, parse_time_span};
use crate::source::Source;

/// Units that matter by their names.
static NAME: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(?:postgres|postgresql|pgsql|edb-as|patroni|repmgr|keepalived|pg_?auto|stolon|pacemaker|corosync|vip-manager)[^/]*\.service$")
        .expect("invariant: a valid pattern")
});
/// Units that matter by what they run.
const COMMAND: &str = r"^[[:space:]]*Exec[A-Za-z]*=.*(patroni|postgres|postmaster|pg_ctl|repmgrd|pg_autoctl|stolon)";
const FILES: &[&str] = &[
    "/etc/systemd/system/*.service",
    "/run/systemd/system/*.service",
    "/run/systemd/generator/*.service",
    "/usr/local/lib/systemd/system/*.service",
    "/usr/lib/systemd/system/*.service",
    "/lib/systemd/system/*.service",
];

/// Whether a unit of this name matters.
pub(super) fn matters(name: &str) -> bool {
    NAME.is_match(name)
}

/// Whether a name is that of a template, which is no unit by itself.
pub(super) fn is_template(name: &str) -> bool {
    name.contains("@.")
}

/// What is asked first.
pub(super) struct Questions {
    manager: usize,
    loaded: usize,
    files: usize,
    texts: usize,
}

impl Questions {
    pub(super) fn add(ask: &mut Ask) -> Self {
        let list = ["--no-legend", "--no-pager", "--full"];
        Self {
            manager: ask.run(&[
                "systemctl",
                "show",
                "-p",
                "Version",
                "-p",
                "RuntimeWatchdogUSec",
                "-p",
                "WatchdogDevice",
            ]),
            loaded: ask.run(&[&["systemctl", "list-units", "--all", "--plain", "--type=service"], &list[..]].concat()),
            files: ask.run(&[&["systemctl", "list-unit-files", "--type=service"], &list[..]].concat()),
            texts: ask.add(Probe::Grep(COMMAND, FILES)),
        }
    }

    /// What systemd itself says, or why there is none that runs.
    pub(super) fn systemd(&self, replies: &[Reply]) -> Result<Systemd, Miss> {
        let text = wire::out(&replies[self.manager])?;
        let all = properties(&text);
        let one = |key: &str| all.get(key).and_then(|v| v.first()).copied();
        let unsaid = |key: &str| Miss { why: GapReason::TooOld, detail: format!("systemd does not tell {key}") };
        let watchdog = one("RuntimeWatchdogUSec").ok_or_else(|| unsaid("RuntimeWatchdogUSec")).and_then(milliseconds);
        Ok(Systemd {
            version: one("Version").map(str::to_owned).ok_or_else(|| unsaid("Version")).into(),
            runtime_watchdog: watchdog.map(Option::unwrap_or_default).into(),
            watchdog_device: one("WatchdogDevice").map(filled).ok_or_else(|| unsaid("WatchdogDevice")).into(),
        })
    }

    /// Names of units that matter: by their names, by their texts, and those that processes run in. Without templates.
    pub(super) fn names(&self, replies: &[Reply], processes: &Answer<Vec<Process>>) -> Result<BTreeSet<String>, Miss> {
        let mut names = self.by_text(replies)?;
        for at in [self.loaded, self.files] {
            let text = wire::out(&replies[at])?;
            let first = text.lines().filter_map(|l| l.split_whitespace().next());
            names.extend(first.filter(|n| matters(n)).map(str::to_owned));
        }
        let groups = processes.got().into_iter().flatten().filter_map(|p| p.cgroup.got());
        names.extend(groups.filter_map(|g| g.split('/').rfind(|p| p.ends_with(".service"))).map(str::to_owned));
        names.retain(|n| !is_template(n));
        Ok(names)
    }

    /// Names of unit files whose commands matter.
    pub(super) fn by_text(&self, replies: &[Reply]) -> Result<BTreeSet<String>, Miss> {
        let (lines, unread) = wire::lines(&replies[self.texts])?;
        match unread.into_iter().next() {
            Some(unread) => Err(unread.what),
            None => Ok(lines.iter().filter_map(|l| l.file.rsplit('/').next()).map(str::to_owned).collect()),
        }
    }
}

/// The properties that make a [`Unit`].
const PROPERTIES: [&str; 28] = [
    "After",
    "ActiveState",
    "Conflicts",
    "DropInPaths",
    "Environment",
    "EnvironmentFiles",
    "ExecStart",
    "ExecStartPre",
    "FragmentPath",
    "KillMode",
    "LimitMEMLOCK",
    "LimitNOFILE",
    "LoadState",
    "MainPID",
    "OOMScoreAdjust",
    "Requires",
    "RequiredBy",
    "Restart",
    "SubState",
    "TimeoutStartUSec",
    "TimeoutStopUSec",
    "Type",
    "UnitFilePreset",
    "UnitFileState",
    "User",
    "WantedBy",
    "Wants",
    "Id",
];

/// Asks for a unit.
pub(super) fn add(ask: &mut Ask, name: &str) -> usize {
    let mut words = vec!["systemctl", "show", "--no-pager"];
    for property in &PROPERTIES {
        words.extend(["-p", property]);
    }
    words.extend(["--", name]);
    ask.run(&words)
}

/// `key=value` lines; a key may come several times.
fn properties(text: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut all: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (key, value) in text.lines().filter_map(|l| l.split_once('=')) {
        all.entry(key).or_default().push(value);
    }
    all
}

fn filled(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|t| !t.is_empty())
}

/// A time span in milliseconds; `Ok(None)` is without end.
pub(super) fn milliseconds(text: &str) -> Result<Option<u64>, Miss> {
    let no_span = || Miss { why: GapReason::Unreadable, detail: format!("`{text}` is no time span") };
    match parse_time_span(text).ok_or_else(no_span)? {
        TimeSpan::Infinity => Ok(None),
        TimeSpan::For(span) => Ok(u64::try_from(span.as_millis()).ok()),
    }
}

/// What systemd says of a unit. Files of variables are read in the next round.
pub(super) fn unit(reply: &Reply, masker: &mut Masker) -> Result<Unit, Miss> {
    let text = wire::out(reply)?;
    let all = properties(&text);
    let unsaid = |key: &str| Miss { why: GapReason::NotGiven, detail: format!("systemd does not tell {key} of it") };
    let one = |key: &str| all.get(key).and_then(|v| v.first()).copied().ok_or_else(|| unsaid(key));
    let string = |key: &str| Answer::from(one(key).map(str::to_owned));
    let list = |keys: &[&str]| {
        let mut names = BTreeSet::new();
        for key in keys {
            match one(key) {
                Ok(text) => names.extend(text.split_whitespace().map(str::to_owned)),
                Err(miss) => return Answer::Missing(miss),
            }
        }
        Answer::Got(names.into_iter().collect())
    };
    let span = |key: &str| Answer::from(one(key).and_then(milliseconds));
    let files = all.get("EnvironmentFiles").into_iter().flatten().filter(|t| !t.is_empty());
    let mut commands = |key: &str| {
        let commands = all.get(key).into_iter().flatten().filter_map(|t| command(t));
        Answer::Got(commands.map(|words| masker.words(&words)).collect())
    };
    let (before, start) = (commands("ExecStartPre"), commands("ExecStart"));
    Ok(Unit {
        load: string("LoadState"),
        active: string("ActiveState"),
        sub: string("SubState"),
        enabled: string("UnitFileState"),
        preset: string("UnitFilePreset"),
        fragment: one("FragmentPath").map(filled).into(),
        // Words are parted by blanks, and paths of drop-ins hold none but by malice.
        drop_ins: one("DropInPaths").map(|t| t.split_whitespace().map(str::to_owned).collect()).into(),
        user: one("User").map(filled).into(),
        r#type: string("Type"),
        kill_mode: string("KillMode"),
        restart: string("Restart"),
        timeout_start: span("TimeoutStartUSec"),
        timeout_stop: span("TimeoutStopUSec"),
        conflicts: list(&["Conflicts"]),
        requires: list(&["Requires"]),
        wants: list(&["Wants"]),
        after: list(&["After"]),
        wanted_by: list(&["WantedBy", "RequiredBy"]),
        limit_nofile: string("LimitNOFILE"),
        limit_memlock: string("LimitMEMLOCK"),
        oom_score_adjust: string("OOMScoreAdjust"),
        environment: one("Environment").map(|text| environment(text, masker)).into(),
        environment_files: Answer::Got(files.map(|t| environment_file(t)).collect()),
        exec_start_pre: before,
        exec_start: start,
        main_pid: one("MainPID").and_then(|t| t.parse().map_err(|_| unsaid("MainPID"))).into(),
    })
}

/// `A=b "C=d e"`, written as in a unit file.
fn environment(text: &str, masker: &mut Masker) -> Vec<Variable> {
    let unit = unit::parse(&Source::lone("x.service", format!("[Service]\nEnvironment={text}\n"))).tree;
    variables(&unit.environment().tree, masker)
}

/// Variables without what may be secret.
pub(super) fn variables(list: &[unit::Variable], masker: &mut Masker) -> Vec<Variable> {
    list.iter().map(|v| masker.variable(&v.name.value, v.value.value.reveal())).collect()
}

/// `/etc/x (ignore_errors=yes)`
fn environment_file(text: &str) -> EnvironmentFile {
    let (path, rest) = text.rsplit_once(" (ignore_errors=").unwrap_or((text, "no)"));
    new_environment_file(path, rest == "yes)")
}

/// One that was not read yet.
pub(super) fn new_environment_file(path: &str, optional: bool) -> EnvironmentFile {
    let unread = || Miss { why: GapReason::NotGiven, detail: "not read".to_owned() };
    EnvironmentFile {
        path: path.to_owned(),
        optional,
        entry: Answer::Missing(unread()),
        variables: Answer::Missing(unread()),
    }
}

/// `{ path=/bin/x ; argv[]=/bin/x -y ; ignore_errors=no ; … }`; how words were quoted is lost.
fn command(text: &str) -> Option<Vec<String>> {
    let words = text.split_once("argv[]=")?.1.rsplit_once(" ; ignore_errors=")?.0;
    Some(words.split_whitespace().map(str::to_owned).collect())
}

/// Asks for the files of variables of all units: path, file and what is there.
pub(super) fn add_environment_files(
    ask: &mut Ask,
    units: &BTreeMap<String, Answer<Unit>>,
) -> BTreeMap<String, (usize, usize)> {
    let files = units.values().filter_map(|u| u.got()?.environment_files.got()).flatten();
    files.map(|f| (f.path.clone(), (ask.stat(f.path.as_str()), ask.read(f.path.as_str())))).collect()
}

/// Fills in what files of variables say.
pub(super) fn read_environment_files(
    units: &mut BTreeMap<String, Answer<Unit>>,
    asked: &BTreeMap<String, (usize, usize)>,
    replies: &[Reply],
    masker: &mut Masker,
) {
    for unit in units.values_mut() {
        let Answer::Got(unit) = unit else { continue };
        let Answer::Got(files) = &mut unit.environment_files else { continue };
        for file in files {
            if file.path.contains(['*', '?', '[', '%']) {
                let detail = "its path is a pattern, which is not followed";
                file.entry = Answer::missing(GapReason::Unreadable, detail);
                file.variables = Answer::missing(GapReason::Unreadable, detail);
            } else if let Some((entry, text)) = asked.get(&file.path) {
                let read = |text: String| {
                    let list = unit::parse_env_file(&Source::lone(&file.path, text)).tree;
                    variables(&list, masker)
                };
                file.entry = wire::entry(&replies[*entry]);
                file.variables = wire::text(&replies[*text]).map(|t| t.map(read)).into();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::eye::Said;
    use super::*;

    #[test]
    fn properties_become_a_unit() {
        let text = "Type=simple\nRestart=no\nExecStart={ path=/bin/a ; argv[]=/bin/a /etc/a.yml --password=s3cret ; ignore_errors=no ; pid=0 }\n\
                    User=postgres\nEnvironment=PATRONI_SCOPE=x \"PATRONI_NAME=a b\" PGPASSWORD=s3cret\n\
                    EnvironmentFiles=/etc/my env (ignore_errors=yes)\nTimeoutStopUSec=1min 30s\nTimeoutStartUSec=infinity\nKillMode=process\n\
                    LoadState=loaded\nAfter=b.service a.service\nFragmentPath=\n";
        let said = Ok(Said { out: text.into(), ..Said::default() });
        let unit = unit(&said, &mut Masker::default()).expect("a unit");
        assert_eq!(
            unit.exec_start,
            Answer::Got(vec![["/bin/a", "/etc/a.yml", "--password=***"].map(str::to_owned).into()])
        );
        assert_eq!((unit.timeout_stop, unit.timeout_start), (Answer::Got(Some(90_000)), Answer::Got(None)));
        let values: Vec<_> = unit.environment.got().expect("some").iter().map(|v| v.value.as_deref()).collect();
        assert_eq!(values, [Some("x"), Some("a b"), None]);
        let files = unit.environment_files.got().expect("some");
        assert_eq!((files[0].path.as_str(), files[0].optional), ("/etc/my env", true));
        assert_eq!((unit.fragment, unit.user), (Answer::Got(None), Answer::Got(Some("postgres".to_owned()))));
        assert!(unit.conflicts.got().is_none(), "what is not told is not empty");
    }
}
