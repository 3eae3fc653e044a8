//! What the answers of probes mean.

use super::eye::{Reply, Said};
use crate::bundle::host::{Entry, Kind, Launcher, Unread};
use crate::bundle::{Answer, Miss};
use crate::gap::GapReason;

/// Why a program that ran has no answer for us.
pub(super) fn miss(said: &Said) -> Miss {
    let detail = if said.err.is_empty() { format!("exit code {}", said.code) } else { said.err.clone() };
    let says = |text: &str| detail.contains(text);
    let why = if says("ermission denied") || says("not permitted") || says("ccess denied") {
        GapReason::Denied
    } else if said.code == 127 || says("not been booted with systemd") || says("connect to bus") {
        GapReason::Unreachable
    } else {
        GapReason::Unreadable
    };
    Miss { why, detail }
}

/// Whether a file does not exist, as a script of ours says it.
fn is_absent(said: &Said) -> bool {
    said.code == 1 && ["No such file or directory", "Not a directory"].iter().any(|e| said.err.ends_with(e))
}

/// What a probe of a file said; `None` for one that does not exist.
fn there(reply: &Reply) -> Result<Option<&Said>, Miss> {
    match reply {
        Err(e) => Err(e.clone()),
        Ok(said) if is_absent(said) => Ok(None),
        Ok(said) if said.code != 0 => Err(miss(said)),
        Ok(said) if said.cut => {
            Err(Miss { why: GapReason::Unreadable, detail: format!("longer than {} bytes", said.out.len()) })
        }
        Ok(said) => Ok(Some(said)),
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn broken() -> Miss {
    Miss { why: GapReason::Unreadable, detail: "an answer that we do not understand".to_owned() }
}

/// The output of a program that had to succeed.
pub(super) fn out(reply: &Reply) -> Result<String, Miss> {
    match reply {
        Err(e) => Err(e.clone()),
        Ok(said) if said.code != 0 => Err(miss(said)),
        Ok(said) if said.cut => {
            Err(Miss { why: GapReason::Unreadable, detail: format!("longer than {} bytes", said.out.len()) })
        }
        Ok(said) => Ok(lossy(&said.out)),
    }
}

/// The bytes of a file.
pub(super) fn bytes(reply: &Reply) -> Result<Option<Vec<u8>>, Miss> {
    Ok(there(reply)?.map(|said| said.out.clone()))
}

/// The text of a file.
pub(super) fn text(reply: &Reply) -> Result<Option<String>, Miss> {
    Ok(there(reply)?.map(|said| lossy(&said.out)))
}

/// What there is at a path.
pub(super) fn entry(reply: &Reply) -> Answer<Option<Entry>> {
    there(reply).and_then(|said| said.map(|s| one_entry(&lossy(&s.out))).transpose()).into()
}

fn one_entry(text: &str) -> Result<Entry, Miss> {
    let mut lines = text.splitn(3, '\n');
    let (itself, target) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let real = lines.next().map(|l| l.strip_suffix('\n').unwrap_or(l)).filter(|l| !l.is_empty()).map(str::to_owned);
    if target == "denied" {
        return Err(Miss { why: GapReason::Denied, detail: "what the link leads to: Permission denied".to_owned() });
    }
    let fields = |line: &str| {
        let fields: Vec<_> = line.split('|').collect();
        let [mode, uid, owner, gid, group, size] = fields[..] else { return None };
        let mode = u32::from_str_radix(mode, 16).ok()?;
        let name = |text: &str| Some(text.to_owned()).filter(|t| t != "UNKNOWN");
        let kind = match mode & 0o170_000 {
            0o100_000 => Kind::File,
            0o040_000 => Kind::Directory,
            0o010_000 => Kind::Fifo,
            0o140_000 => Kind::Socket,
            0o120_000 => Kind::DeadLink,
            _ => Kind::Device,
        };
        let (uid, gid) = (uid.parse().ok()?, gid.parse().ok()?);
        let (owner, group, size) = (name(owner), name(group), size.parse().ok()?);
        // The size of a directory is that of its list of names, which says nothing.
        let size = if kind == Kind::File { size } else { 0 };
        Some(Entry { kind, mode: mode & 0o7777, uid, owner, gid, group, size, real: None, is_link: false })
    };
    let is_link = fields(itself).ok_or_else(broken)?.kind == Kind::DeadLink;
    let is_dead = target == "dead";
    let found = fields(if is_dead { itself } else { target }).ok_or_else(broken)?;
    Ok(Entry { is_link, real: real.filter(|_| !is_dead), ..found })
}

/// The names in a directory, sorted.
pub(super) fn names(reply: &Reply) -> Result<Option<Vec<String>>, Miss> {
    Ok(there(reply)?.map(|said| {
        let mut names: Vec<_> = said.out.split(|b| *b == 0).filter(|n| !n.is_empty()).map(lossy).collect();
        names.sort();
        names
    }))
}

/// A file or link in a directory, or in one directly below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    /// `a.service`, or `multi-user.target.wants/a.service`.
    pub(super) name: String,
    /// What a link leads to.
    pub(super) target: Option<String>,
}

/// Files and links in a directory and those directly below it; none when it does not exist.
pub(super) fn tree(reply: &Reply) -> Result<Vec<Node>, Miss> {
    let Some(said) = there(reply)? else { return Ok(Vec::new()) };
    let parts: Vec<_> = said.out.split(|b| *b == 0).collect();
    let node = |p: &[&[u8]]| Node { name: lossy(p[1]), target: (p[0] == b"l").then(|| lossy(p[2])) };
    let mut nodes: Vec<_> = parts.chunks_exact(3).map(node).collect();
    nodes.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(nodes)
}

/// Lines of files, and what could not be read.
pub(super) fn lines(reply: &Reply) -> Result<(Vec<Launcher>, Vec<Unread>), Miss> {
    let text = out(reply)?;
    let mut parts = text.split('\0').skip(1);
    let mut lines = Vec::new();
    while let (Some(file), Some(found)) = (parts.next(), parts.next()) {
        for (line, text) in found.lines().filter_map(|l| l.split_once(':')) {
            if let Ok(line) = line.parse() {
                lines.push(Launcher { file: file.to_owned(), line, text: text.to_owned() });
            }
        }
    }
    let err = reply.as_ref().map(|said| said.err.as_str()).unwrap_or_default();
    let unread = err.lines().map(|line| {
        let why = if line.ends_with("Permission denied") { GapReason::Denied } else { GapReason::Unreadable };
        Unread { what: Miss { why, detail: line.strip_prefix("grep: ").unwrap_or(line).to_owned() } }
    });
    Ok((lines, unread.collect()))
}

/// Bytes out of hexadecimal digits.
pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim().as_bytes();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.len().is_multiple_of(2).then(|| digits.chunks_exact(2).map(byte).collect::<Option<Vec<_>>>()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(out: &str) -> Answer<Option<Entry>> {
        super::entry(&Ok(Said { out: out.as_bytes().to_vec(), ..Said::default() }))
    }

    #[test]
    fn links_are_followed_and_dead_ones_shown() {
        let link = "a1ff|0|root|0|root|7\n41c0|105|postgres|113|UNKNOWN|4096\n/srv/a\nb\n";
        let Answer::Got(Some(entry)) = seen(link) else { panic!("an entry") };
        assert_eq!((entry.kind, entry.mode, entry.is_link), (Kind::Directory, 0o700, true));
        assert_eq!((entry.real.as_deref(), entry.group), (Some("/srv/a\nb"), None));
        let Answer::Got(Some(entry)) = seen("a1ff|0|root|0|root|7\ndead\n/x\n") else { panic!() };
        assert_eq!((entry.kind, entry.real), (Kind::DeadLink, None));
        assert!(seen("a1ff|0|root|0|root|7\ndenied\n").got().is_none());
    }

    #[test]
    fn only_what_our_script_says_is_absent() {
        let reply = |code, err: &str| Ok(Said { code, err: err.to_owned(), ..Said::default() });
        assert_eq!(entry(&reply(1, "stat: cannot statx '/x': No such file or directory")), Answer::Got(None));
        for (code, err) in [(127, "sh: stat: not found"), (1, "stat: cannot statx '/x/y': Permission denied")] {
            assert!(entry(&reply(code, err)).got().is_none(), "{err}");
        }
        let no_program = "timeout: failed to run command 'stat': No such file or directory";
        assert!(entry(&reply(127, no_program)).got().is_none());
    }
}
