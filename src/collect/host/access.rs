//! What a user may do with files: tried where we are root, computed from owners and modes elsewhere.

use std::collections::BTreeMap;
use std::path::Path;

use super::eye::{Ask, Probe, Reply};
use super::{scripts, wire};
use crate::bundle::host::{Access, Entry, Kind};
use crate::bundle::{Answer, Miss};
use crate::gap::GapReason;

/// What is asked about a user and paths.
pub(super) struct Questions {
    user: String,
    paths: Vec<String>,
    tried: usize,
    ids: usize,
    /// Every path with those above it, from the root on.
    chains: Vec<Vec<usize>>,
}

impl Questions {
    pub(super) fn add(ask: &mut Ask, user: &str, paths: &[String]) -> Self {
        let words = std::iter::once(user.to_owned()).chain(paths.iter().cloned()).collect();
        let above = |path: &String| {
            let mut chain: Vec<_> = Path::new(path).ancestors().map(|p| p.to_string_lossy().into_owned()).collect();
            chain.reverse();
            chain
        };
        let programs = &["setpriv (as the user) test -r -w -x $"];
        Self {
            user: user.to_owned(),
            paths: paths.to_vec(),
            tried: ask.add(Probe::Script(scripts::ACCESS, words, programs, &[])),
            ids: ask.add(Probe::User(user.to_owned())),
            chains: paths.iter().map(|p| above(p).into_iter().map(|p| ask.stat(p)).collect()).collect(),
        }
    }

    /// User, and the answer for each path that exists.
    pub(super) fn read(&self, replies: &[Reply]) -> (String, Answer<BTreeMap<String, Answer<Access>>>) {
        (self.user.clone(), self.tried(replies).or_else(|_| self.computed(replies)).into())
    }

    fn tried(&self, replies: &[Reply]) -> Result<BTreeMap<String, Answer<Access>>, Miss> {
        let text = wire::out(&replies[self.tried])?;
        let lines: Vec<_> = text.lines().collect();
        if lines.len() != self.paths.len() || !lines.iter().all(|l| l.starts_with('=')) {
            return Err(Miss { why: GapReason::Unreadable, detail: "an answer that we do not understand".to_owned() });
        }
        let one = |line: &&str| Access {
            read: line.contains('r'),
            write: line.contains('w'),
            execute: line.contains('x'),
            tried: true,
        };
        let exists = |n: usize| {
            let last = self.chains[n].last().map(|at| wire::entry(&replies[*at]));
            last.is_none_or(|e| !matches!(e, Answer::Got(None)))
        };
        let all = self.paths.iter().zip(&lines).enumerate().filter(|(n, _)| exists(*n));
        Ok(all.map(|(_, (path, line))| (path.clone(), Answer::Got(one(line)))).collect())
    }

    fn computed(&self, replies: &[Reply]) -> Result<BTreeMap<String, Answer<Access>>, Miss> {
        let ids = wire::out(&replies[self.ids])?;
        let mut numbers = ids.split_whitespace().filter_map(|n| n.parse::<u32>().ok());
        let uid = numbers.next().ok_or_else(|| Miss { why: GapReason::Unreadable, detail: ids.clone() })?;
        let groups: Vec<_> = numbers.collect();
        let mut all = BTreeMap::new();
        for (path, chain) in self.paths.iter().zip(&self.chains) {
            let mut reach = true;
            let mut last = None;
            let mut hidden = None;
            for at in chain {
                match wire::entry(&replies[*at]) {
                    Answer::Missing(miss) => hidden = hidden.or(Some(miss)),
                    Answer::Got(None) => last = None,
                    Answer::Got(Some(entry)) => {
                        reach &= last.is_none_or(|bits| bits & 1 == 1);
                        last = Some(bits(&entry, uid, &groups));
                    }
                }
            }
            if let Some(miss) = hidden {
                all.insert(path.clone(), Answer::Missing(miss));
            } else if let Some(bits) = last {
                let may = |bit| reach && bits & bit == bit;
                let access = Access { read: may(4), write: may(2), execute: may(1), tried: false };
                all.insert(path.clone(), Answer::Got(access));
            }
        }
        Ok(all)
    }
}

/// The three bits that count for a user.
fn bits(entry: &Entry, uid: u32, groups: &[u32]) -> u32 {
    let mode = entry.mode;
    if uid == 0 {
        return 6 | u32::from(entry.kind == Kind::Directory || mode & 0o111 != 0);
    }
    let shift = if entry.uid == uid {
        6
    } else if groups.contains(&entry.gid) {
        3
    } else {
        0
    };
    mode >> shift & 7
}
