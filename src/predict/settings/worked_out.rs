//! What a server works out of other settings when it starts.

use std::collections::BTreeMap;

use super::loaded::{Settings, Today};
use super::server::{DEFAULT, OVERRIDE};
use super::{By, State, Value};
use crate::facts::gap::Fact;
use crate::knowledge::guc::Context;

/// Sizes of shared memory: of everything that is in it.
const OF_ALL: [&str; 3] = ["shared_memory_size", "shared_memory_size_in_huge_pages", "num_os_semaphores"];
/// Caches whose size 0 stands for a part of `shared_buffers` (`SimpleLruAutotuneBuffers` in `slru.c`).
const CACHES: [&str; 3] = ["commit_timestamp_buffers", "subtransaction_buffers", "transaction_buffers"];

/// What 18 and later work out of the number of processes (`AioChooseMaxConcurrency` in `aio_init.c`).
const FOLLOWS: &str = "io_max_concurrency";

/// Whether shared memory may depend on a setting: on numbers, but for the port, and on few others.
fn takes_memory(name: &str, kind: &str) -> bool {
    const OTHERS: [&str; 4] = ["huge_pages", "io_method", "shared_preload_libraries", "track_commit_timestamp"];
    (kind == "integer" && name != "port") || OTHERS.contains(&name)
}

/// Whether a setting is left to the server.
enum Left {
    Not,
    /// It is, and what comes of it is not known.
    Unknown,
    Number(i64),
}

/// What is known of two starts.
#[derive(Debug, Default)]
pub(super) struct WorkedOut {
    /// Whether something that takes shared memory is not as today.
    is_changed: [bool; 2],
    /// `shared_buffers`, in blocks.
    buffers: [Option<i64>; 2],
    /// The size of a WAL segment, in blocks of WAL.
    segment: Option<i64>,
}

impl WorkedOut {
    pub(super) fn of(today: &Settings<'_>, starts: impl Fn(&Today<'_>) -> (Fact<State>, Fact<State>)) -> Self {
        let mut states: BTreeMap<&str, [Fact<State>; 2]> = BTreeMap::new();
        for (name, setting) in today {
            if setting.shape.context() == Context::Postmaster && takes_memory(name, setting.shape.kind()) {
                let (restarted, started) = starts(setting);
                states.insert(name, [restarted, started]);
            }
        }
        let value = |state: &Fact<State>| match state.as_ref().ok().map(|s| &s.value) {
            Some(Value::Is(value)) => Some(value.clone()),
            _ => None,
        };
        let number = |name: &str, which: usize| value(&states.get(name)?[which])?.parse::<i64>().ok();
        let segment = today.get("wal_segment_size").and_then(|s| value(&s.state)?.parse::<i64>().ok());
        let buffers = [number("shared_buffers", 0), number("shared_buffers", 1)];
        let mut all = Self { is_changed: [false; 2], buffers, segment: segment.map(|bytes| bytes / 8192) };
        all.is_changed = [0, 1].map(|which| {
            states.iter().any(|(name, both)| {
                let now = today.get(*name).and_then(|setting| value(&setting.state));
                let later = match both[which].as_ref().map_or(Left::Not, |state| all.left(name, state, which)) {
                    Left::Number(n) => Some(n.to_string()),
                    Left::Unknown if *name != FOLLOWS => None,
                    _ => value(&both[which]),
                };
                later.is_none() || now != later
            })
        });
        all
    }

    /// A setting behind one of the starts.
    pub(super) fn apply(&self, today: &Today<'_>, which: usize, state: Fact<State>) -> Fact<State> {
        let mut state = state?;
        let name = today.shape.name();
        if OF_ALL.contains(&name) && self.is_changed[which] {
            return Ok(State { value: Value::Computed, by: By::Server, ..state });
        }
        let out = match self.left(name, &state, which) {
            Left::Not => return Ok(state),
            Left::Unknown => None,
            Left::Number(n) => Some(n),
        };
        // Where a line leaves it to the server, that shows in the source.
        if state.source != DEFAULT {
            OVERRIDE.clone_into(&mut state.source);
        }
        state.by = By::Server;
        state.value = match (&today.state, out) {
            // Of the same settings the server works out the same.
            (Ok(now), None) if !self.is_changed[which] => now.value.clone(),
            (_, None) => Value::Computed,
            (_, Some(n)) => Value::Is(n.to_string()),
        };
        Ok(state)
    }

    /// What the server works out behind one of the starts, where a line, or that there is none, leaves a setting to it.
    fn left(&self, name: &str, state: &State, which: usize) -> Left {
        let Value::Is(value) = &state.value else { return Left::Not };
        let is_left = |word: &str| value == word || matches!(&*state.source, DEFAULT | OVERRIDE);
        let number = match name {
            "wal_buffers" if is_left("-1") => self.wal_buffers(which),
            name if CACHES.contains(&name) && is_left("0") => self.cache(which),
            FOLLOWS if is_left("-1") => None,
            _ => return Left::Not,
        };
        number.map_or(Left::Unknown, Left::Number)
    }

    /// `XLOGChooseNumBuffers` in `xlog.c`.
    fn wal_buffers(&self, which: usize) -> Option<i64> {
        Some((self.buffers[which]? / 32).min(self.segment?).max(8))
    }

    /// `SimpleLruAutotuneBuffers` in `slru.c`, with the divisor 512 and at most 1024.
    fn cache(&self, which: usize) -> Option<i64> {
        let most = self.buffers[which]? / 512;
        Some((most - most % 16).clamp(16, 1024))
    }
}
