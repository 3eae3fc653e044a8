//! Time spans as systemd reads them (`src/basic/time-util.c:parse_time`).

use std::time::Duration;

/// Units and how many microseconds each is.
const UNITS: [(&str, f64); 29] = [
    ("seconds", 1e6),
    ("second", 1e6),
    ("sec", 1e6),
    ("s", 1e6),
    ("minutes", 6e7),
    ("minute", 6e7),
    ("min", 6e7),
    ("months", 2_629_800e6),
    ("month", 2_629_800e6),
    ("M", 2_629_800e6),
    ("msec", 1e3),
    ("ms", 1e3),
    ("m", 6e7),
    ("hours", 3.6e9),
    ("hour", 3.6e9),
    ("hr", 3.6e9),
    ("h", 3.6e9),
    ("days", 8.64e10),
    ("day", 8.64e10),
    ("d", 8.64e10),
    ("weeks", 6.048e11),
    ("week", 6.048e11),
    ("w", 6.048e11),
    ("years", 31_557_600e6),
    ("year", 31_557_600e6),
    ("y", 31_557_600e6),
    ("usec", 1.0),
    ("us", 1.0),
    ("µs", 1.0),
];

/// How long a timeout is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
pub enum TimeSpan {
    /// So long.
    For(Duration),
    /// Without end.
    Infinity,
}

/// Reads a time span: `90`, `1min 30s`, `1.5h`, `infinity`; a number without unit is seconds. `None` for what systemd ignores.
#[must_use]
pub fn parse_time_span(text: &str) -> Option<TimeSpan> {
    let mut rest = text.trim();
    if rest == "infinity" {
        return Some(TimeSpan::Infinity);
    }
    if rest.is_empty() {
        return None;
    }
    let mut microseconds = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let number: f64 = rest[..digits].parse().ok()?;
        rest = rest[digits..].trim_start();
        let letters = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
        let unit = match &rest[..letters] {
            "" => 1e6,
            name => UNITS.iter().find(|(n, _)| *n == name)?.1,
        };
        microseconds += number * unit;
        rest = rest[letters..].trim_start();
    }
    Duration::try_from_secs_f64(microseconds / 1e6).ok().map(TimeSpan::For)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_as_systemd_reads_them() {
        let seconds = |n| Some(TimeSpan::For(Duration::from_secs(n)));
        for (text, span) in [
            ("90", seconds(90)),
            ("1min 30s", seconds(90)),
            ("1min30s", seconds(90)),
            ("1.5h", seconds(5400)),
            ("0", seconds(0)),
            ("5 min", seconds(300)),
            ("infinity", Some(TimeSpan::Infinity)),
            ("{{ t }}", None),
            ("", None),
            ("10x", None),
        ] {
            assert_eq!(parse_time_span(text), span, "{text}");
        }
    }
}
