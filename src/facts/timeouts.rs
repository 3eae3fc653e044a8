//! The leader's time limits, as Patroni works with them (`config.py:Config._validate_and_adjust_timeouts`).

use crate::parse::patroni::{Item, parse_int};

use super::PatroniFile;

/// In seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For how long the leader lock holds.
    pub ttl: i64,
    /// Between two rounds.
    pub loop_wait: i64,
    /// For how long a request to the store is repeated.
    pub retry_timeout: i64,
}

impl Timeouts {
    /// What a new cluster gets, defaults and lowest values applied; `None` when one is no number or a template decides it.
    #[must_use]
    pub fn of(file: &PatroniFile) -> Option<Self> {
        let dcs = file.config.get("bootstrap.dcs");
        let read = |key: &str, default: i64, least: i64| match dcs.and_then(|d| d.get(key)) {
            None => file.is_absent(&format!("bootstrap.dcs.{key}")).then_some(default),
            Some(item) if item.optional => None,
            Some(item) => number(item).map(|n| n.max(least)),
        };
        Some(Self {
            loop_wait: read("loop_wait", 10, 1)?,
            retry_timeout: read("retry_timeout", 10, 3)?,
            ttl: read("ttl", 30, 20)?,
        })
    }

    /// After Patroni has made them fit together: `loop_wait + 2 * retry_timeout <= ttl`.
    #[must_use]
    pub const fn adjusted(self) -> Self {
        let Self { ttl, loop_wait, retry_timeout } = self;
        if 1 + 2 * retry_timeout > ttl {
            Self { ttl, loop_wait: 1, retry_timeout: (ttl - 1) / 2 }
        } else if loop_wait + 2 * retry_timeout > ttl {
            Self { ttl, loop_wait: ttl - 2 * retry_timeout, retry_timeout }
        } else {
            self
        }
    }
}

fn number(item: &Item) -> Option<i64> {
    parse_int(&item.as_setting()?, None)
}
