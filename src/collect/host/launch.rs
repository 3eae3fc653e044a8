//! What else starts, stops or promotes PostgreSQL: clusters of Debian's packages, cron, rc files, other managers.

use super::eye::{Ask, Probe, Reply};
use super::mask::Masker;
use super::wire;
use crate::bundle::host::{DebianCluster, Launchers};
use crate::bundle::{Answer, Miss};
use crate::gap::GapReason;

const LINE: &str = r"(pg_ctl|pg_ctlcluster|postmaster|patroni|repmgr|pg_auto|stolon|pg_promote|bin/postgres|(systemctl|service|invoke-rc\.d).*postgres|postgres +-D|trigger_file|pg_createsubscriber)";
const FILES: &[&str] = &[
    "/etc/crontab",
    "/etc/anacrontab",
    "/etc/cron.d/*",
    "/etc/cron.hourly/*",
    "/etc/cron.daily/*",
    "/etc/cron.weekly/*",
    "/etc/cron.monthly/*",
    "/var/spool/cron/*",
    "/var/spool/cron/crontabs/*",
    "/etc/rc.local",
    "/etc/rc.d/rc.local",
    "/etc/init.d/*",
    "/etc/rc.d/init.d/*",
    "/etc/inittab",
    "/etc/keepalived/*.conf",
    "/etc/keepalived/*/*.conf",
    "/etc/repmgr.conf",
    "/etc/supervisord.conf",
    "/etc/supervisord.d/*",
    "/etc/supervisor/conf.d/*",
    "/etc/monit/monitrc",
    "/etc/monit/conf.d/*",
    "/etc/monit.d/*",
    "/etc/service/*/run",
    "/etc/sv/*/run",
];
const CLUSTER: &str = "^[[:space:]]*[^#[:space:]]";
const CLUSTER_FILES: &[&str] = &["/etc/postgresql/*/*/postgresql.conf"];

/// What is asked first.
pub(super) struct Questions {
    lines: usize,
    clusters: usize,
}

impl Questions {
    pub(super) fn add(ask: &mut Ask) -> Self {
        Self { lines: ask.add(Probe::Grep(LINE, FILES)), clusters: ask.add(Probe::Grep(CLUSTER, CLUSTER_FILES)) }
    }

    pub(super) fn launchers(&self, replies: &[Reply], masker: &mut Masker) -> Answer<Launchers> {
        let read = |(mut lines, unread): (Vec<crate::bundle::host::Launcher>, _)| {
            lines.retain(|l| !l.text.trim_start().starts_with('#'));
            for line in &mut lines {
                line.text = masker.text(line.text.trim());
            }
            Launchers { lines, unread, containers: Vec::new() }
        };
        wire::lines(&replies[self.lines]).map(read).into()
    }

    /// The clusters; what starts them is asked in the next round.
    pub(super) fn clusters(&self, replies: &[Reply]) -> Result<Vec<DebianCluster>, Miss> {
        let (lines, unread) = wire::lines(&replies[self.clusters])?;
        let hidden = |miss: Miss| {
            let path = miss.detail.rsplit_once(": ").map_or("", |(path, _)| path).to_owned();
            cluster(&path, Answer::Missing(miss))
        };
        let mut all: Vec<DebianCluster> = Vec::new();
        for line in lines {
            let found = data_directory(&line.text);
            match all.last_mut().filter(|c| path(c) == line.file) {
                Some(cluster) => {
                    if let Some(dir) = found {
                        cluster.data_dir = Answer::Got(Some(dir));
                    }
                }
                None => all.extend(cluster(&line.file, Answer::Got(found))),
            }
        }
        for unread in unread {
            match hidden(unread.what.clone()) {
                Some(cluster) => all.push(cluster),
                None => return Err(unread.what),
            }
        }
        all.sort_by(|a, b| (&a.version, &a.name).cmp(&(&b.version, &b.name)));
        Ok(all)
    }
}

fn path(cluster: &DebianCluster) -> String {
    format!("/etc/postgresql/{}/{}/postgresql.conf", cluster.version, cluster.name)
}

fn cluster(path: &str, data_dir: Answer<Option<String>>) -> Option<DebianCluster> {
    let rest = path.strip_prefix("/etc/postgresql/")?.strip_suffix("/postgresql.conf")?;
    let (version, name) = rest.split_once('/')?;
    let unasked = || Miss { why: GapReason::NotGiven, detail: "not asked".to_owned() };
    Some(DebianCluster {
        version: version.to_owned(),
        name: name.to_owned(),
        start: Answer::Missing(unasked()),
        data_dir,
        has_programs: Answer::Missing(unasked()),
    })
}

/// The value of a line that sets the data directory.
fn data_directory(line: &str) -> Option<String> {
    let rest = line.trim_start();
    let rest = rest.get(..14).filter(|k| k.eq_ignore_ascii_case("data_directory")).map(|_| &rest[14..])?;
    if !rest.starts_with([' ', '\t', '=']) {
        return None;
    }
    let rest = rest.trim_start().trim_start_matches('=').trim_start();
    match rest.strip_prefix('\'') {
        None => rest.split([' ', '\t', '#']).next().filter(|t| !t.is_empty()).map(str::to_owned),
        Some(quoted) => {
            let mut out = String::new();
            let mut chars = quoted.chars().peekable();
            while let Some(c) = chars.next() {
                match c {
                    '\'' if chars.peek() == Some(&'\'') => out.extend(chars.next()),
                    '\'' => return Some(out),
                    '\\' => out.extend(chars.next()),
                    c => out.push(c),
                }
            }
            None
        }
    }
}

/// Asks what starts the clusters.
pub(super) fn add_starts(ask: &mut Ask, clusters: &[DebianCluster]) -> Vec<(usize, usize)> {
    let one = |c: &DebianCluster| {
        let start = ask.read(format!("/etc/postgresql/{}/{}/start.conf", c.version, c.name));
        (start, ask.stat(format!("/usr/lib/postgresql/{}/bin/postgres", c.version)))
    };
    clusters.iter().map(one).collect()
}

/// Fills in what starts the clusters.
pub(super) fn read_starts(clusters: &mut [DebianCluster], asked: &[(usize, usize)], replies: &[Reply]) {
    for (cluster, (start, programs)) in clusters.iter_mut().zip(asked) {
        cluster.start =
            wire::text(&replies[*start]).map(|t| t.map_or_else(|| "auto".to_owned(), |t| start_of(&t))).into();
        cluster.has_programs = match wire::entry(&replies[*programs]) {
            Answer::Got(entry) => Answer::Got(entry.is_some_and(|e| e.mode & 0o111 != 0)),
            Answer::Missing(miss) => Answer::Missing(miss),
        };
    }
}

/// What the generator makes of the text: all of it without comments, and not only the first word.
fn start_of(text: &str) -> String {
    let lines = text.lines().map(|l| l.split('#').next().unwrap_or_default().trim()).filter(|l| !l.is_empty());
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_and_starts_are_read() {
        assert_eq!(data_directory("data_directory = '/a''b'\t# x").as_deref(), Some("/a'b"));
        assert_eq!(data_directory("DATA_DIRECTORY /x/y # z").as_deref(), Some("/x/y"));
        assert_eq!(data_directory("data_directory_mode = 0700"), None);
        assert_eq!(start_of("# Automatic\n#\n auto \n"), "auto");
        assert_eq!(start_of("#\n"), "");
    }
}
