//! Which day it is, and what time.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::date::Date;

/// Today, in UTC; `None` when the clock stands outside of the calendar.
#[must_use]
pub fn today() -> Option<Date> {
    Date::of_unix_time(SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs())
}

/// Now, in UTC, as `2026-01-31T12:00:00Z`; empty when the clock stands outside of the calendar.
#[must_use]
pub fn now() -> String {
    let Ok(since) = SystemTime::now().duration_since(UNIX_EPOCH) else { return String::new() };
    let seconds = since.as_secs();
    let Some(day) = Date::of_unix_time(seconds) else { return String::new() };
    let (hours, minutes) = (seconds / 3600 % 24, seconds / 60 % 60);
    format!("{day}T{hours:02}:{minutes:02}:{:02}Z", seconds % 60)
}
