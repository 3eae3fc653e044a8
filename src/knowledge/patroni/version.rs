//! Releases of Patroni, and the span of releases for which a fact holds.

use std::str::FromStr;

/// A release of Patroni.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// 4 of 4.1.5
    pub major: u8,
    /// 1 of 4.1.5
    pub minor: u8,
    /// 5 of 4.1.5
    pub patch: u8,
}

impl Version {
    /// The newest release that the tables speak of.
    pub const LATEST: Self = Self::new(4, 1, 5);

    /// A release by its numbers.
    #[must_use]
    pub const fn new(major: u8, minor: u8, patch: u8) -> Self {
        Self { major, minor, patch }
    }

    const fn line(self) -> (u8, u8) {
        (self.major, self.minor)
    }
}

impl Default for Version {
    fn default() -> Self {
        Self::LATEST
    }
}

impl FromStr for Version {
    type Err = ();

    /// `4.1.5` or `4.1`, which stands for the first release of that line; a trailing suffix such as `rc1` is refused.
    fn from_str(text: &str) -> Result<Self, ()> {
        let mut numbers = [0_u8; 3];
        let mut parts = text.split('.');
        for (i, number) in numbers.iter_mut().enumerate() {
            match parts.next() {
                Some(part) => *number = part.parse().map_err(|_| ())?,
                None if i >= 2 => {}
                None => return Err(()),
            }
        }
        if parts.next().is_some() { Err(()) } else { Ok(Self::new(numbers[0], numbers[1], numbers[2])) }
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// The releases for which a fact holds.
#[derive(Debug, Clone, Copy)]
pub struct Lifetime {
    /// First release; when several lines got it, the first of each, oldest line first.
    pub since: &'static [Version],
    /// First release for which it holds no longer.
    pub removed: Option<Version>,
}

impl Lifetime {
    /// Whether the fact holds for a release.
    #[must_use]
    pub fn covers(&self, version: Version) -> bool {
        let same_line = self.since.iter().find(|s| s.line() == version.line());
        let begun =
            same_line.map_or_else(|| self.since.iter().any(|s| s.line() < version.line()), |first| version >= *first);
        begun && self.removed.is_none_or(|r| version < r)
    }

    /// The first release of all that has it.
    #[must_use]
    pub fn begins(&self) -> Version {
        self.since.first().copied().unwrap_or(Version::new(0, 0, 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_has_its_own_beginning() {
        static SINCE: [Version; 3] = [Version::new(3, 3, 9), Version::new(4, 0, 8), Version::new(4, 1, 1)];
        let life = Lifetime { since: &SINCE, removed: Some(Version::new(5, 0, 0)) };
        for (text, covered) in [
            ("3.2.2", false),
            ("3.3.8", false),
            ("3.3.9", true),
            ("4.0.7", false),
            ("4.0.11", true),
            ("4.1.0", false),
            ("4.1.1", true),
            ("4.2.0", true),
            ("5.0.0", false),
        ] {
            assert_eq!(life.covers(text.parse().expect("a version")), covered, "{text}");
        }
    }

    #[test]
    fn versions_are_two_or_three_numbers() {
        assert_eq!("4.1".parse(), Ok(Version::new(4, 1, 0)));
        assert!(["4", "4.x", "4.1.5.1", "4.1.5rc1", ""].iter().all(|t| t.parse::<Version>().is_err()));
    }
}
