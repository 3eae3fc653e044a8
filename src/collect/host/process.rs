//! Processes, and what listens.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, Ipv6Addr};

use super::eye::{Ask, Probe, Reply};
use super::mask::Masker;
use super::{scripts, wire};
use crate::bundle::host::{Holder, Listener, Place, Process};
use crate::bundle::{Answer, Miss};
use crate::gap::GapReason;

/// Ticks of `/proc/PID/stat` in a second, on all architectures that PostgreSQL is packaged for.
const TICKS: u64 = 100;

/// Who holds devices, by their paths.
pub(super) type Devices = BTreeMap<String, Answer<Vec<Holder>>>;

/// What is asked about processes and sockets.
pub(super) struct Questions {
    processes: usize,
    tcp: [usize; 2],
    unix: usize,
    holders: usize,
}

impl Questions {
    pub(super) fn add(ask: &mut Ask, devices: &[String]) -> Self {
        let script = |text, args: &[String], programs, files| Probe::Script(text, args.to_vec(), programs, files);
        let files =
            &["/proc/*/comm", "/proc/*/stat", "/proc/*/status", "/proc/*/cmdline", "/proc/*/cgroup", "/proc/*/cwd"];
        Self {
            processes: ask.add(script(scripts::PROCESSES, &[], &[], files)),
            tcp: ["/proc/net/tcp", "/proc/net/tcp6"].map(|f| ask.run(&["awk", "$4 == \"0A\"", f])),
            unix: ask.run(&["awk", "$4 == \"00010000\" && index($0, \".s.PGSQL.\")", "/proc/net/unix"]),
            holders: ask.add(script(scripts::HOLDERS, devices, &[], &["/proc/*/fd/*"])),
        }
    }

    pub(super) fn processes(&self, replies: &[Reply], masker: &mut Masker) -> Answer<Vec<Process>> {
        wire::out(&replies[self.processes]).map(|text| processes(&text, masker)).into()
    }

    /// What listens, and who holds the devices that were asked for.
    pub(super) fn listeners(
        &self,
        replies: &[Reply],
        uid: Option<u32>,
        devices: &[String],
        is_little_endian: bool,
    ) -> (Answer<Vec<Listener>>, Devices) {
        let holders = wire::out(&replies[self.holders]).map(|text| holders(&text));
        let held = |target: &str, must: bool| match &holders {
            Err(miss) => Answer::Missing(miss.clone()),
            Ok(all) => match all.get(target) {
                Some(found) => Answer::Got(found.iter().cloned().collect()),
                None if uid != Some(0) => {
                    Answer::missing(GapReason::Denied, "only root sees what processes of others hold")
                }
                None if must => Answer::missing(GapReason::Denied, "no process that can be seen holds it"),
                None => Answer::Got(Vec::new()),
            },
        };
        let sockets = self.sockets(replies, is_little_endian);
        let listeners = sockets.map(|places| {
            let one = |(at, inode): (Place, String)| Listener { at, holders: held(&format!("socket:[{inode}]"), true) };
            let mut list: Vec<_> = places.into_iter().map(one).collect();
            list.sort_by(|a, b| a.at.cmp(&b.at));
            list
        });
        (listeners.into(), devices.iter().map(|d| (d.clone(), held(d, false))).collect())
    }

    fn sockets(&self, replies: &[Reply], is_little_endian: bool) -> Result<Vec<(Place, String)>, Miss> {
        let mut found = Vec::new();
        for (n, at) in self.tcp.into_iter().enumerate() {
            // Without IPv6 there is no such file.
            let without = |said: &super::eye::Said| n == 1 && said.err.contains("/proc/net/tcp6") && said.code == 2;
            if replies[at].as_ref().is_ok_and(without) {
                continue;
            }
            for line in wire::out(&replies[at])?.lines() {
                let fields: Vec<_> = line.split_whitespace().collect();
                let (Some(address), Some(inode)) = (fields.get(1), fields.get(9)) else { continue };
                if let Some((address, port)) = address.split_once(':')
                    && let (Some(address), Ok(port)) = (ip(address, is_little_endian), u16::from_str_radix(port, 16))
                {
                    found.push((Place::Tcp { address, port }, (*inode).to_owned()));
                }
            }
        }
        for line in wire::out(&replies[self.unix])?.lines() {
            let mut rest = line;
            let mut inode = "";
            for _ in 0..7 {
                rest = rest.trim_start();
                let end = rest.find(' ').unwrap_or(rest.len());
                inode = &rest[..end];
                rest = &rest[end..];
            }
            found.push((Place::Unix(rest.strip_prefix(' ').unwrap_or(rest).to_owned()), inode.to_owned()));
        }
        Ok(found)
    }
}

/// An address as the kernel prints it: words of 32 bits in the order of the machine.
fn ip(hex: &str, is_little_endian: bool) -> Option<String> {
    let mut bytes = wire::unhex(hex)?;
    if is_little_endian {
        bytes.chunks_mut(4).for_each(<[u8]>::reverse);
    }
    match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(|b| Ipv4Addr::from(b).to_string()),
        16 => <[u8; 16]>::try_from(bytes).ok().map(|b| Ipv6Addr::from(b).to_string()),
        _ => None,
    }
}

fn holders(text: &str) -> BTreeMap<String, BTreeSet<Holder>> {
    let mut all: BTreeMap<String, BTreeSet<Holder>> = BTreeMap::new();
    for line in text.lines() {
        let mut fields = line.splitn(3, ' ');
        if let (Some(Ok(pid)), Some(target), Some(name)) = (fields.next().map(str::parse), fields.next(), fields.next())
        {
            all.entry(target.to_owned()).or_default().insert(Holder { pid, name: name.to_owned() });
        }
    }
    all
}

fn processes(text: &str, masker: &mut Masker) -> Vec<Process> {
    let mut blocks = text.split("pid ");
    let boot: u64 = blocks.next().and_then(|b| b.trim().parse().ok()).unwrap_or(0);
    let mut list: Vec<_> = blocks.filter_map(|block| process(block, boot, masker)).collect();
    list.sort_by_key(|p| p.pid);
    list
}

fn process(block: &str, boot: u64, masker: &mut Masker) -> Option<Process> {
    let mut lines = block.lines();
    let pid = lines.next()?.parse().ok()?;
    let fields: BTreeMap<_, _> = lines.filter_map(|l| l.split_once(' ')).map(|(k, v)| (k, wire::unhex(v))).collect();
    let field = |name: &str| fields.get(name).cloned().flatten().filter(|b| !b.is_empty());
    let text = |name: &str| field(name).map(|b| String::from_utf8_lossy(&b).into_owned());
    // The name stands in brackets, and may hold any.
    let stat = text("stat")?;
    let (head, rest) = stat.rsplit_once(')')?;
    let name = head.split_once('(')?.1.to_owned();
    let rest: Vec<_> = rest.split_whitespace().collect();
    let started = boot + rest.get(19)?.parse::<u64>().ok()? / TICKS;
    let command = field("cmdline").unwrap_or_default();
    let command: Vec<_> = command
        .strip_suffix(b"\0")
        .unwrap_or(&command)
        .split(|b| *b == 0)
        .map(|w| String::from_utf8_lossy(w).into_owned())
        .collect();
    let hidden = || Answer::missing(GapReason::Denied, format!("/proc/{pid}: Permission denied"));
    Some(Process {
        pid,
        ppid: rest.get(1)?.parse().ok()?,
        uid: text("uid")?.split_whitespace().nth(1)?.parse().ok()?,
        name,
        started,
        command: masker.words(&command),
        cgroup: text("cgroup").map_or_else(hidden, |t| Answer::Got(cgroup(&t))),
        directory: text("cwd").map_or_else(hidden, |t| Answer::Got(t.strip_suffix('\n').unwrap_or(&t).to_owned())),
    })
}

/// The group that tells the unit or the container: systemd's own hierarchy, else the one of version 2, else the longest.
fn cgroup(text: &str) -> String {
    let groups: Vec<(&str, &str)> =
        text.lines().filter_map(|l| l.split_once(':')?.1.split_once(':')).filter(|(_, path)| *path != "/").collect();
    let named = |name: &str| groups.iter().find(|(n, _)| *n == name);
    let longest = || groups.iter().max_by_key(|(_, path)| path.len());
    named("name=systemd").or_else(|| named("")).or_else(longest).map_or("/", |(_, path)| path).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_kernel_are_read() {
        assert_eq!(ip("0100007F", true).as_deref(), Some("127.0.0.1"));
        assert_eq!(ip("7F000001", false).as_deref(), Some("127.0.0.1"));
        assert_eq!(ip("00000000000000000000000001000000", true).as_deref(), Some("::1"));
        assert_eq!(ip("xx", true), None);
    }

    #[test]
    fn a_group_tells_the_unit_or_the_container() {
        assert_eq!(cgroup("0::/system.slice/patroni.service\n"), "/system.slice/patroni.service");
        let hybrid = "12:cpu:/\n1:name=systemd:/system.slice/a.service\n0::/x\n";
        assert_eq!(cgroup(hybrid), "/system.slice/a.service");
        assert_eq!(cgroup("4:cpu,cpuacct:/docker/abc\n1:name=systemd:/\n"), "/docker/abc");
        assert_eq!(cgroup("0::/\n"), "/");
    }
}
