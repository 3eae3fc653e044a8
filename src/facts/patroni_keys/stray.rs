//! Keys that were meant to stand inside of the section above them and lost their indentation: the section is empty, and what follows
//! it belongs there.

use crate::knowledge::patroni::{self as known, Kind, Version};
use crate::parse::patroni::{Item, Layer, Pair, Type};
use crate::problem::Problem;

/// Fewer keys than this may well have another story.
const LEAST: usize = 2;
/// Most of them that are shown one by one.
const MOST_LABELS: usize = 3;

/// An empty section and the keys behind it that belong into it, as indices into the pairs of the section that holds both.
pub(super) struct Stray {
    section: usize,
    keys: Vec<usize>,
}

impl Stray {
    /// Whether a pair is told of here, so that nothing else needs to be said about it.
    pub(super) fn holds(&self, index: usize) -> bool {
        index == self.section || self.keys.contains(&index)
    }

    /// One problem for all of them, at the empty section; `path` makes the path of a key of `pairs`.
    pub(super) fn problem(&self, pairs: &[Pair], path: impl Fn(&str) -> String) -> Problem {
        let name = |i: usize| pairs[i].key.value.as_str().unwrap_or_default();
        let problem = Problem::new("yaml-section-not-indented", pairs[self.section].key.span)
            .arg("key", name(self.section))
            .arg("path", path(name(self.section)))
            .arg("count", self.keys.len().to_string())
            .arg("first", name(self.keys[0]))
            .arg("last", name(self.keys[self.keys.len() - 1]));
        self.keys.iter().take(MOST_LABELS).fold(problem, |p, i| p.label(pairs[*i].key.span, ""))
    }
}

/// Looks for an empty section with such keys behind it.
pub(super) fn find(pattern: &'static str, section: &Item, version: Version) -> Option<Stray> {
    let pairs = section.pairs();
    pairs.iter().enumerate().find_map(|(index, pair)| {
        let row = known::child(pattern, pair.key.value.as_str()?)?;
        let empty = pair.item.kind() == Type::Null && pair.item.layer == Layer::File;
        if !empty || !matches!(row.kind, Kind::Map | Kind::Free) {
            return None;
        }
        let belongs = |pair: &Pair| {
            let Some(key) = pair.key.value.as_str() else { return false };
            let here = known::child(pattern, key).is_some_and(|r| !r.deprecated);
            let there = match row.kind {
                Kind::Free if row.path.ends_with("parameters") => known::setting(key).next().is_some(),
                Kind::Free => false,
                _ => known::child(row.path, key).is_some_and(|r| r.lifetime.covers(version)),
            };
            !here && there
        };
        let keys: Vec<usize> = (index + 1..pairs.len()).take_while(|i| belongs(&pairs[*i])).collect();
        (keys.len() >= LEAST).then_some(Stray { section: index, keys })
    })
}
