//! Where every path of keys leads, so that a question costs no walk through the tree: most questions are for keys that are not
//! there, and thousands of files are asked hundreds of them.

use std::hash::Hasher as _;

use rustc_hash::FxHasher;

use super::item::{Item, Key};

/// A tree with more paths is walked.
const MOST: usize = 4096;
/// Keys below that depth are no question of ours.
const DEEPEST: usize = 8;

/// The paths of one tree, by a hash of their text.
#[derive(Debug, Clone, Default)]
pub(super) struct Paths {
    /// Sorted into places by [`Self::home`], each in the first free one from there; as many as a power of two, a quarter of them free.
    slots: Box<[Slot]>,
    /// The steps of all paths, each the number of a pair.
    steps: Box<[u16]>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    hash: u32,
    /// Behind the last of its steps; [`MOST`] and [`DEEPEST`] keep it that small.
    end: u16,
    /// How many there are; none in a free place.
    len: u8,
}

/// What a path leads to.
pub(super) enum Led<'a> {
    /// Such a value.
    To(&'a Item),
    /// Nowhere.
    Nowhere,
    /// The tree has to be walked.
    Unknown,
}

fn hash(path: &str) -> u32 {
    let mut hasher = FxHasher::default();
    hasher.write(path.as_bytes());
    let hash = hasher.finish();
    #[expect(clippy::cast_possible_truncation, reason = "both halves are in it")]
    let folded = (hash ^ (hash >> 32)) as u32;
    folded
}

impl Paths {
    pub(super) fn of(root: &Item) -> Self {
        let mut found = Vec::new();
        let mut steps = Vec::new();
        if !collect(root, &mut String::new(), &mut Vec::new(), &mut found, &mut steps) {
            return Self::default();
        }
        let mut slots = vec![Slot::default(); (found.len() + found.len() / 3 + 1).next_power_of_two()];
        for slot in found {
            let mut at = Self::home(slot.hash, slots.len());
            while slots[at].len > 0 {
                at = (at + 1) & (slots.len() - 1);
            }
            slots[at] = slot;
        }
        Self { slots: slots.into(), steps: steps.into() }
    }

    const fn home(hash: u32, slots: usize) -> usize {
        (hash ^ (hash >> 15)) as usize & (slots - 1)
    }

    /// Follows a path from the root that the paths were taken of.
    pub(super) fn follow<'a>(&self, root: &'a Item, path: &str) -> Led<'a> {
        if self.slots.is_empty() {
            return Led::Unknown;
        }
        let hash = hash(path);
        let mut at = Self::home(hash, self.slots.len());
        loop {
            let slot = self.slots[at];
            if slot.len == 0 {
                return Led::Nowhere;
            }
            if slot.hash == hash
                && let Some(item) = self.led(root, path, slot)
            {
                return Led::To(item);
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
    }

    /// The value behind the steps of a place, if its keys are those of the path: another path may have the same hash.
    fn led<'a>(&self, root: &'a Item, path: &str, slot: Slot) -> Option<&'a Item> {
        let end = slot.end as usize;
        let mut here = root;
        let mut keys = path.split('.');
        for step in &self.steps[end - usize::from(slot.len)..end] {
            let pair = &here.pairs()[usize::from(*step)];
            if pair.key.value.as_str() != keys.next() {
                return None;
            }
            here = &pair.item;
        }
        keys.next().is_none().then_some(here)
    }
}

/// Notes every path below an item; false when there are too many.
fn collect(
    item: &Item,
    path: &mut String,
    numbers: &mut Vec<u16>,
    found: &mut Vec<Slot>,
    steps: &mut Vec<u16>,
) -> bool {
    let above = path.len();
    for (number, pair) in item.pairs().iter().enumerate() {
        let Key::Str(key) = &pair.key.value else { continue };
        // No path can name such a key.
        if key.contains('.') {
            continue;
        }
        let Ok(number) = u16::try_from(number) else { return false };
        if found.len() == MOST {
            return false;
        }
        if !numbers.is_empty() {
            path.push('.');
        }
        path.push_str(key);
        numbers.push(number);
        steps.extend_from_slice(numbers);
        let (Ok(end), Ok(len)) = (u16::try_from(steps.len()), u8::try_from(numbers.len())) else { return false };
        found.push(Slot { hash: hash(path), end, len });
        if !pair.item.pairs().is_empty()
            && (numbers.len() == DEEPEST || !collect(&pair.item, path, numbers, found, steps))
        {
            return false;
        }
        numbers.pop();
        path.truncate(above);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::super::tests::load;

    #[test]
    fn paths_lead_where_a_walk_leads() {
        let parsed =
            load("scope: x\n'a.b': 1\na: {b: {c: 2, '': 3}, 7: 4}\npostgresql: {parameters: {work_mem: 1MB}}\n");
        for path in [
            "scope",
            "a",
            "a.b",
            "a.b.c",
            "a.b.",
            "a.7",
            "a.b.c.d",
            "",
            ".",
            "scope.",
            "ab",
            "a.bc",
            "postgresql.parameters.work_mem",
            "postgresql.parameters",
            "postgresqlparameters",
        ] {
            let walked = parsed.root().at(path).map(|i| i.span);
            assert_eq!(parsed.get(path).map(|i| i.span), walked, "{path}");
        }
    }

    #[test]
    fn a_tree_with_too_many_paths_is_walked() {
        use std::fmt::Write as _;
        let mut text = String::from("postgresql:\n  parameters:\n");
        for n in 0..5000 {
            let _ = writeln!(text, "    x.n{n}: {n}\n    n{n}: {n}");
        }
        let parsed = load(&text);
        assert!(parsed.get("postgresql.parameters.n4999").is_some() && parsed.get("postgresql.n1").is_none());
        let deep = load("a: {b: {c: {d: {e: {f: {g: {h: {i: {j: 1}}}}}}}}}\n");
        assert!(deep.get("a.b.c.d.e.f.g.h.i.j").is_some() && deep.get("a.b.c.d.e.f.g.h.i.k").is_none());
    }
}
