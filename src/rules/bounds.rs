//! Ranges of releases, as rule files write them: `>=3.0, <4.0`. The build script reads the same.

/// The numbers of a release; those that are not written are 0.
pub type Numbers = [u16; 3];

/// One end of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// `>=`
    AtLeast(Numbers),
    /// `<`
    Below(Numbers),
}

impl Bound {
    /// Whether a release lies on the right side.
    #[must_use]
    pub fn holds(self, version: Numbers) -> bool {
        match self {
            Self::AtLeast(bound) => version >= bound,
            Self::Below(bound) => version < bound,
        }
    }
}

/// The ends of a range; none for an empty text, which stands for every release.
///
/// # Errors
/// What is wrong with it.
pub fn parse(range: &str) -> Result<Vec<Bound>, String> {
    if range.trim().is_empty() {
        return Ok(Vec::new());
    }
    range.split(',').map(|part| bound(part.trim())).collect()
}

fn bound(part: &str) -> Result<Bound, String> {
    let wrong = || format!("`{part}` is no bound of releases; write `>=3.0`, `<4.0` or both with a comma between them");
    let numbers = |text: &str| {
        let mut numbers = [0; 3];
        let parts: Vec<&str> = text.trim().split('.').collect();
        let slots = numbers.get_mut(..parts.len())?;
        for (slot, part) in slots.iter_mut().zip(parts) {
            *slot = part.parse().ok().filter(|_| part.bytes().all(|b| b.is_ascii_digit()))?;
        }
        Some(numbers)
    };
    match (part.strip_prefix(">="), part.strip_prefix('<')) {
        (Some(text), _) => numbers(text).map(Bound::AtLeast).ok_or_else(wrong),
        (_, Some(text)) => numbers(text).map(Bound::Below).ok_or_else(wrong),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn bounds_are_read_and_nothing_else() {
        let holds = |range: &str, v| parse(range).expect("a range").iter().all(|b| b.holds(v));
        assert!(holds(" >=3.0 , <4 ", [3, 3, 8]) && !holds(">=3.0, <4", [4, 0, 0]) && holds("", [1, 0, 0]));
        assert!(holds(">=16", [16, 0, 0]) && !holds("<16", [16, 0, 0]) && !holds("<3.3.8", [3, 3, 8]));
        for wrong in ["3", "=3", ">3", "<=3", ">=", "<3.x", ">=1.2.3.4", ",", ">=3,", ">=3 <4", ">=+3", "< -1"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
