//! Dates and times: when a plain scalar is one, and what Python makes of it.

use super::scalar::PyError;

/// The parts of a timestamp, as `SafeConstructor.timestamp_regexp` takes them apart.
#[derive(Debug, Default)]
struct Parts<'a> {
    year: &'a str,
    month: &'a str,
    day: &'a str,
    time: Option<[&'a str; 3]>,
    fraction: &'a str,
    zone: Option<Zone<'a>>,
}

#[derive(Debug)]
enum Zone<'a> {
    Utc,
    Offset { west: bool, hours: &'a str, minutes: &'a str },
}

/// A text with a position, to take pieces off its front.
struct Cut<'a>(&'a str);

impl<'a> Cut<'a> {
    fn digits(&mut self, least: usize, most: usize) -> Option<&'a str> {
        let len = self.0.bytes().take(most).take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.0.split_at(len);
        self.0 = rest;
        (len >= least).then_some(digits)
    }

    fn one_of(&mut self, set: &[char]) -> Option<char> {
        let c = self.0.chars().next().filter(|c| set.contains(c))?;
        self.0 = &self.0[c.len_utf8()..];
        Some(c)
    }

    fn blanks(&mut self) -> usize {
        let rest = self.0.trim_start_matches([' ', '\t']);
        let len = self.0.len() - rest.len();
        self.0 = rest;
        len
    }

    /// The end of the text; a last line break does not count, as for `$` in Python.
    fn is_done(&self) -> bool {
        self.0.is_empty() || self.0 == "\n"
    }
}

fn parts(text: &str) -> Option<Parts<'_>> {
    let mut cut = Cut(text);
    let mut parts = Parts { year: cut.digits(4, 4)?, ..Parts::default() };
    cut.one_of(&['-'])?;
    parts.month = cut.digits(1, 2)?;
    cut.one_of(&['-'])?;
    parts.day = cut.digits(1, 2)?;
    if cut.is_done() {
        return Some(parts);
    }
    if cut.one_of(&['T', 't']).is_none() && cut.blanks() == 0 {
        return None;
    }
    let hour = cut.digits(1, 2)?;
    cut.one_of(&[':'])?;
    let minute = cut.digits(2, 2)?;
    cut.one_of(&[':'])?;
    parts.time = Some([hour, minute, cut.digits(2, 2)?]);
    if cut.one_of(&['.']).is_some() {
        parts.fraction = cut.digits(0, usize::MAX)?;
    }
    if cut.is_done() {
        return Some(parts);
    }
    cut.blanks();
    parts.zone = Some(match cut.one_of(&['Z', '+', '-'])? {
        'Z' => Zone::Utc,
        sign => {
            let hours = cut.digits(1, 2)?;
            let minutes = if cut.one_of(&[':']).is_some() { cut.digits(2, 2)? } else { "" };
            Zone::Offset { west: sign == '-', hours, minutes }
        }
    });
    cut.is_done().then_some(parts)
}

/// Whether a plain scalar is a timestamp: a date alone needs two digits for month and day.
pub(super) fn is_timestamp(text: &str) -> bool {
    parts(text).is_some_and(|p| p.time.is_some() || (p.month.len() == 2 && p.day.len() == 2))
}

fn number(digits: &str) -> u32 {
    digits.parse().unwrap_or(0)
}

/// `construct_yaml_timestamp`, written as `isoformat()` writes it.
pub(super) fn construct(text: &str) -> Result<String, PyError> {
    let Some(parts) = parts(text) else {
        return Err(PyError::new("AttributeError", "'NoneType' object has no attribute 'groupdict'"));
    };
    let [year, month, day] = [parts.year, parts.month, parts.day].map(number);
    let Some(time) = parts.time else {
        check_date(year, month, day)?;
        return Ok(format!("{year:04}-{month:02}-{day:02}"));
    };
    let zone = match parts.zone {
        None => String::new(),
        Some(Zone::Utc) => "+00:00".to_owned(),
        Some(Zone::Offset { west, hours, minutes }) => offset(west, number(hours), number(minutes))?,
    };
    check_date(year, month, day)?;
    let [hour, minute, second] = time.map(number);
    for (value, limit, problem) in [
        (hour, 24, "hour must be in 0..23"),
        (minute, 60, "minute must be in 0..59"),
        (second, 60, "second must be in 0..59"),
    ] {
        if value >= limit {
            return Err(PyError::value(problem));
        }
    }
    let digits = &parts.fraction[..parts.fraction.len().min(6)];
    let fraction = if number(digits) == 0 { String::new() } else { format!(".{digits:0<6}") };
    Ok(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}{zone}"))
}

fn check_date(year: u32, month: u32, day: u32) -> Result<(), PyError> {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 31,
    };
    if year == 0 {
        Err(PyError::value("year 0 is out of range"))
    } else if !(1..=12).contains(&month) {
        Err(PyError::value("month must be in 1..12"))
    } else if !(1..=days).contains(&day) {
        Err(PyError::value("day is out of range for month"))
    } else {
        Ok(())
    }
}

/// An offset from UTC, less than a day.
fn offset(west: bool, hours: u32, minutes: u32) -> Result<String, PyError> {
    let total = i64::from(hours * 60 + minutes) * if west { -1 } else { 1 };
    if total.abs() < 24 * 60 {
        let sign = if total < 0 { '-' } else { '+' };
        return Ok(format!("{sign}{:02}:{:02}", total.abs() / 60, total.abs() % 60));
    }
    let (days, seconds) = (total.div_euclid(24 * 60), total.rem_euclid(24 * 60) * 60);
    let seconds = if seconds == 0 { String::new() } else { format!(", seconds={seconds}") };
    Err(PyError::value(format!(
        "offset must be a timedelta strictly between -timedelta(hours=24) and timedelta(hours=24), not \
         datetime.timedelta(days={days}{seconds})."
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_isoformat_writes_them() {
        for (text, iso) in [
            ("2024-01-02", "2024-01-02"),
            ("2024-1-2 3:04:05.1 -5:30", "2024-01-02T03:04:05.100000-05:30"),
            ("2024-01-02t03:04:05.0000001Z", "2024-01-02T03:04:05+00:00"),
        ] {
            assert_eq!(construct(text).expect(text), iso);
        }
        assert!(is_timestamp("2024-1-2 3:04:05") && !is_timestamp("2024-1-2") && !is_timestamp("2024-01-02 3:4:5"));
    }
}
