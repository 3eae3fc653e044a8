//! Which day it is.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::date::Date;

/// Today, in UTC; `None` when the clock stands outside of the calendar.
#[must_use]
pub fn today() -> Option<Date> {
    Date::of_unix_time(SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs())
}
