//! Data directories and the filesystems that they lie on.

use std::collections::BTreeMap;

use super::eye::{Ask, Probe, Reply};
use super::mask::Masker;
use super::program::as_owner;
use super::{scripts, wire};
use crate::bundle::host::{DataDir, Filesystem, PidFile};
use crate::bundle::{Answer, Miss};
use crate::gap::GapReason;

/// What is asked about a data directory at first.
pub(super) struct Questions {
    entry: usize,
    names: usize,
    version: usize,
    pid_file: usize,
    backup_label: usize,
    dynamic: usize,
    wal: usize,
    tablespaces: usize,
}

impl Questions {
    pub(super) fn add(ask: &mut Ask, dir: &str) -> Self {
        let below = |name: &str| format!("{}/{name}", dir.trim_end_matches('/'));
        Self {
            entry: ask.stat(dir),
            names: ask.list(dir),
            version: ask.read(below("PG_VERSION")),
            pid_file: ask.read(below("postmaster.pid")),
            backup_label: ask.read(below("backup_label")),
            dynamic: ask.read(below("patroni.dynamic.json")),
            wal: ask.stat(below("pg_wal")),
            tablespaces: ask.add(Probe::Tree(below("pg_tblspc"))),
        }
    }

    /// What is there. Whether the process of `postmaster.pid` lives, and `pg_controldata`, are asked in the next round.
    pub(super) fn read(&self, replies: &[Reply], masker: &mut Masker) -> DataDir {
        let text = |at: usize| wire::text(&replies[at]);
        let dynamic = text(self.dynamic).and_then(|t| {
            let unreadable = |detail| Miss { why: GapReason::Unreadable, detail };
            t.map(|t| masker.json(&t).map_err(unreadable)).transpose()
        });
        let absent = || Miss { why: GapReason::NotGiven, detail: "there is no such directory".to_owned() };
        DataDir {
            entry: wire::entry(&replies[self.entry]),
            names: wire::names(&replies[self.names]).and_then(|n| n.ok_or_else(absent)).into(),
            version: text(self.version).map(|t| t.map(|t| t.trim().to_owned())).into(),
            pid_file: text(self.pid_file).and_then(|t| t.map(|t| pid_file(&t)).transpose()).into(),
            backup_label: text(self.backup_label).map(|t| t.map(|t| masker.text(&t))).into(),
            dynamic: dynamic.into(),
            control: Answer::missing(GapReason::NotGiven, "no directory with pg_controldata is known"),
            wal: wire::entry(&replies[self.wal]),
            tablespaces: wire::tree(&replies[self.tablespaces]).map(tablespaces).into(),
        }
    }
}

fn tablespaces(nodes: Vec<wire::Node>) -> BTreeMap<String, String> {
    nodes.into_iter().filter_map(|n| n.target.map(|t| (n.name, t))).collect()
}

fn pid_file(text: &str) -> Result<PidFile, Miss> {
    let lines: Vec<_> = text.lines().map(str::trim_end).collect();
    let broken =
        || Miss { why: GapReason::Unreadable, detail: "postmaster.pid is not as a server writes it".to_owned() };
    let line = |n: usize| lines.get(n).copied().filter(|l| !l.is_empty());
    // A server that runs without a postmaster writes the number of its process with a minus.
    let pid = line(0).and_then(|l| l.trim_start_matches('-').parse().ok()).ok_or_else(broken)?;
    Ok(PidFile {
        pid,
        data_dir: line(1).ok_or_else(broken)?.to_owned(),
        started: line(2).and_then(|l| l.parse().ok()).ok_or_else(broken)?,
        port: line(3).and_then(|l| l.parse().ok()),
        socket_dir: line(4).map(str::to_owned),
        listen: line(5).map(str::to_owned),
        status: line(7).map(|l| l.trim().to_owned()),
        alive: Answer::missing(GapReason::NotGiven, "the host does not run"),
    })
}

/// What is asked about a data directory once its version is known.
pub(super) struct Later {
    control: Option<usize>,
    alive: Option<usize>,
}

impl Later {
    /// `bin_dirs` are directories of programs with what `postgres -V` says there.
    pub(super) fn add(
        ask: &mut Ask,
        dir: &str,
        data: &DataDir,
        bin_dirs: &[(String, String)],
        is_running: bool,
    ) -> Self {
        let version = data.version.got().and_then(Option::as_deref).unwrap_or_default();
        let fits = |said: &str| !version.is_empty() && said.split(' ').any(|w| w.split('.').next() == Some(version));
        let bin = bin_dirs.iter().find(|(_, said)| fits(said)).or_else(|| bin_dirs.first()).map(|(bin, _)| bin.clone());
        let packaged = || {
            let plain = !version.is_empty() && version.bytes().all(|b| b.is_ascii_digit());
            plain.then(|| format!("/usr/lib/postgresql/{version}/bin"))
        };
        let control = bin.or_else(packaged).map(|bin| {
            let program = format!("{}/pg_controldata", bin.trim_end_matches('/'));
            ask.add(as_owner(&[&program, "-D", dir]))
        });
        let pid = data.pid_file.got().and_then(Option::as_ref).filter(|_| is_running).map(|f| f.pid);
        Self { control, alive: pid.map(|pid| ask.read(format!("/proc/{pid}/comm"))) }
    }

    /// `first` is what was asked of the first process, which shows whether those of others can be seen.
    pub(super) fn read(&self, data: &mut DataDir, replies: &[Reply], first: &Result<Option<String>, Miss>) {
        if let Some(at) = self.control {
            data.control = wire::out(&replies[at]).map(|text| fields(&text)).into();
        }
        if let (Some(at), Answer::Got(Some(file))) = (self.alive, &mut data.pid_file) {
            file.alive = match (wire::text(&replies[at]), first) {
                (Ok(Some(name)), _) => Answer::Got(Some(name.trim_end().to_owned())),
                (Ok(None), Ok(Some(_))) => Answer::Got(None),
                (Ok(None), Err(miss)) => Answer::Missing(miss.clone()),
                (Err(miss), _) => Answer::Missing(miss),
                (Ok(None), Ok(None)) => Answer::missing(GapReason::Denied, "processes of others are hidden"),
            };
        }
    }
}

/// `Label:   value` lines.
fn fields(text: &str) -> BTreeMap<String, String> {
    // The WAL's name and a time hold colons, labels do not.
    let pair = |l: &str| l.split_once(':').map(|(k, v)| (k.trim().to_owned(), v.trim().to_owned()));
    text.lines().filter_map(pair).collect()
}

/// Asks for the filesystem of a path.
pub(super) fn add_space(ask: &mut Ask, path: &str) -> usize {
    ask.add(Probe::Script(scripts::SPACE, vec![path.to_owned()], &["df -Pk $", "stat -f $"], &[]))
}

/// The filesystem.
pub(super) fn space(reply: &Reply) -> Answer<Filesystem> {
    let read = |text: String| {
        let (table, kind) = text.split_once("\n\n").unwrap_or((&text, ""));
        let line = table.lines().last().unwrap_or_default();
        // The name of a device may hold blanks: the numbers are found by the percentage behind them.
        let words: Vec<_> = line.split_whitespace().collect();
        let number = |w: Option<&&str>| w.and_then(|w| w.parse::<u64>().ok());
        let at = (4..words.len())
            .find(|n| (words[*n].ends_with('%') || words[*n] == "-") && number(words.get(n - 3)).is_some());
        let mounted = line.find(" /").and_then(|_| line.rsplit_once("% ").or_else(|| line.rsplit_once("- ")));
        match (at, mounted) {
            (Some(at), Some((_, mounted))) => Ok(Filesystem {
                total: number(words.get(at - 3)).unwrap_or(0),
                free: number(words.get(at - 1)).unwrap_or(0),
                mounted: mounted.trim_start().to_owned(),
                kind: match kind.trim() {
                    "" => Answer::missing(GapReason::Unreadable, "`stat -f` does not say"),
                    kind => Answer::Got(kind.to_owned()),
                },
            }),
            _ => Err(Miss { why: GapReason::Unreadable, detail: format!("`df` says: {line}") }),
        }
    };
    wire::out(reply).and_then(read).into()
}

#[cfg(test)]
mod tests {
    use super::super::eye::Said;
    use super::*;

    #[test]
    fn a_filesystem_is_read_whatever_its_names() {
        let df = "Filesystem 1024-blocks Used Available Capacity Mounted on\n//nas/my share 100 40 60 40% /srv/my data\n\nsmb2\n";
        let space = space(&Ok(Said { out: df.into(), ..Said::default() }));
        let space = space.got().expect("a filesystem");
        assert_eq!((space.total, space.free, space.mounted.as_str()), (100, 60, "/srv/my data"));
    }

    #[test]
    fn a_pid_file_is_read_whole_or_not() {
        let file = pid_file("42\n/srv/data\n1700000000\n5432\n/run/postgresql\n*\n  1 2\nready   \n").expect("a file");
        assert_eq!((file.pid, file.port, file.status.as_deref()), (42, Some(5432), Some("ready")));
        assert!(pid_file("x\n").is_err());
    }
}
