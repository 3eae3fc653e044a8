//! Days of the calendar, as far as "until when" needs them.

use std::str::FromStr;

/// A day. Days compare by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    /// A day that exists, of the years 1 to 9999.
    #[must_use]
    pub fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let exists = (1..=9999).contains(&year) && day >= 1 && day <= days(year, month);
        exists.then_some(Self { year, month, day })
    }

    /// The day, in UTC, that lies so many seconds behind the start of 1970.
    #[must_use]
    pub fn of_unix_time(seconds: u64) -> Option<Self> {
        let mut left = seconds / 86_400;
        let mut year = 1970;
        let length = |year| if is_leap(year) { 366 } else { 365 };
        while left >= length(year) {
            left -= length(year);
            year = year.checked_add(1)?;
        }
        let mut month = 1;
        while left >= u64::from(days(year, month)) {
            left -= u64::from(days(year, month));
            month += 1;
        }
        Self::new(year, month, u8::try_from(left).ok()? + 1)
    }
}

const fn is_leap(year: u16) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

const fn days(year: u16, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        1..=12 => 31,
        _ => 0,
    }
}

impl FromStr for Date {
    type Err = String;

    /// `2026-12-31`, nothing shorter.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no day; write it as 2026-12-31");
        let parts: Vec<&str> = text.split('-').collect();
        let [year, month, day] = parts[..] else { return Err(wrong()) };
        let digits = [year, month, day].iter().all(|p| p.bytes().all(|b| b.is_ascii_digit()));
        if !digits || (year.len(), month.len(), day.len()) != (4, 2, 2) {
            return Err(wrong());
        }
        let number = |p: &str| p.parse().unwrap_or(0);
        Self::new(year.parse().unwrap_or(0), number(month), number(day)).ok_or_else(wrong)
    }
}

impl std::fmt::Display for Date {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

#[cfg(test)]
mod tests {
    use super::Date;

    #[test]
    fn days_are_read_and_compared() {
        let day = |text: &str| text.parse::<Date>();
        assert!(day("2024-02-29").is_ok() && day("2023-02-29").is_err() && day("1900-02-29").is_err());
        for wrong in ["", "2026-1-2", "2026-13-01", "2026-00-01", "2026-04-31", "26-01-01", "2026-01-01x", "+026-01-01"]
        {
            assert!(day(wrong).is_err(), "{wrong}");
        }
        assert!(day("2026-09-30") < day("2026-10-01") && day("2026-12-31") < day("2027-01-01"));
        assert_eq!(day("2026-07-01").map(|d| d.to_string()), Ok("2026-07-01".to_owned()));
    }

    /// Compared with `date -u -d @N +%F`.
    #[test]
    fn unix_time_falls_on_the_right_day() {
        for (seconds, day) in [
            (0, "1970-01-01"),
            (951_782_399, "2000-02-28"),
            (951_782_400, "2000-02-29"),
            (951_868_800, "2000-03-01"),
            (1_798_761_599, "2026-12-31"),
            (1_798_761_600, "2027-01-01"),
        ] {
            assert_eq!(Date::of_unix_time(seconds).map(|d| d.to_string()).as_deref(), Some(day));
        }
        assert_eq!(Date::of_unix_time(u64::MAX), None);
    }
}
