//! What changed in a text, line by line.

/// Where more pairs of lines would have to be looked at, everything between the first and the last difference counts as changed.
const MOST_PAIRS: usize = 4_000_000;

/// One text for each line that is gone, new or another.
pub(super) fn differences(before: &str, now: &str) -> Vec<String> {
    if before == now {
        return Vec::new();
    }
    let (one, other): (Vec<&str>, Vec<&str>) = (before.lines().collect(), now.lines().collect());
    let start = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
    let most = one.len().min(other.len()) - start;
    let same_end = one.iter().rev().zip(other.iter().rev()).take(most).take_while(|(a, b)| a == b).count();
    let (one, other) = (&one[start..one.len() - same_end], &other[start..other.len() - same_end]);
    let mut found = Vec::new();
    let (mut i, mut j) = (0, 0);
    for (a, b) in matches(one, other).into_iter().chain([(one.len(), other.len())]) {
        while i < a && j < b {
            found.push(format!("line {} was `{}`, is `{}`", start + j + 1, one[i].trim(), other[j].trim()));
            (i, j) = (i + 1, j + 1);
        }
        found.extend(
            one[i..a].iter().enumerate().map(|(n, l)| format!("line {} is gone: `{}`", start + i + n + 1, l.trim())),
        );
        found.extend(
            other[j..b].iter().enumerate().map(|(n, l)| format!("line {} is new: `{}`", start + j + n + 1, l.trim())),
        );
        (i, j) = (a + 1, b + 1);
    }
    if found.is_empty() {
        found.push("only its line ends changed".to_owned());
    }
    found
}

/// The places of the lines of a longest common part.
fn matches(one: &[&str], other: &[&str]) -> Vec<(usize, usize)> {
    if one.len().saturating_mul(other.len()) > MOST_PAIRS {
        return Vec::new();
    }
    let width = other.len() + 1;
    let mut best = vec![0_u32; (one.len() + 1) * width];
    for i in (0..one.len()).rev() {
        for j in (0..other.len()).rev() {
            best[i * width + j] = if one[i] == other[j] {
                best[(i + 1) * width + j + 1] + 1
            } else {
                best[(i + 1) * width + j].max(best[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut pairs = Vec::new();
    while i < one.len() && j < other.len() {
        if one[i] == other[j] {
            pairs.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if best[(i + 1) * width + j] >= best[i * width + j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::differences;

    #[test]
    fn lines_are_compared() {
        assert_eq!(differences("a\nb\nc\n", "a\nb\nc\n"), Vec::<String>::new());
        assert_eq!(differences("a\nb\nc\n", "a\nx\nc\n"), ["line 2 was `b`, is `x`"]);
        assert_eq!(differences("a\nc\n", "a\nb\nc\nd\n"), ["line 2 is new: `b`", "line 4 is new: `d`"]);
        assert_eq!(differences("a\nb\nc\nd\n", "b\nd\n"), ["line 1 is gone: `a`", "line 3 is gone: `c`"]);
        assert_eq!(differences("a\n", "a\r\n"), ["only its line ends changed"]);
    }
}
