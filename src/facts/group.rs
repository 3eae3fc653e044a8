//! Which files belong together: members of one cluster, and the files that stand nearest to a member.
//!
//! Nothing in a repository says so outright, so this goes by place: members of a cluster lie in one directory or in
//! directories side by side, and a `pg_hba.conf` belongs to the member that it lies closest to.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// What grouping needs to know of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Path of its Patroni file.
    pub path: PathBuf,
    /// Scope, when it is known.
    pub scope: Option<String>,
    /// Whether scope and namespace can be read: a template may fill them in.
    pub is_certain: bool,
    /// Namespace as Patroni uses it.
    pub namespace: String,
    /// Name of the member, when it is known.
    pub name: Option<String>,
    /// Where the store is, in any comparable form.
    pub store: String,
}

/// Groups members into clusters: indices into `candidates`, each in order of paths.
///
/// Members side by side with one scope and namespace are a cluster. One that stands apart from at least one other only by
/// its namespace, or by what looks like a slip in the scope (same store, a name of its own, a few letters), is taken to it, so
/// that the difference is seen. One whose scope or namespace is not known stays alone.
#[must_use]
pub fn clusters(candidates: &[Candidate]) -> Vec<Vec<usize>> {
    let dirs: Vec<Key> = candidates.iter().map(|c| Key::of_dir(&c.path)).collect();
    let mut per_dir: BTreeMap<&Key, usize> = BTreeMap::new();
    for dir in &dirs {
        *per_dir.entry(dir).or_default() += 1;
    }
    let mut by_home: BTreeMap<Key, Vec<usize>> = BTreeMap::new();
    for (i, dir) in dirs.iter().enumerate() {
        // A member alone in its directory shares the one above with its neighbours.
        let home = if per_dir[dir] > 1 { dir.clone() } else { dir.parent().unwrap_or_else(|| dir.clone()) };
        by_home.entry(home).or_default().push(i);
    }
    by_home.into_values().flat_map(|group| split(candidates, &group)).collect()
}

/// For each candidate whether one beside it may be of the same cluster: the scope or namespace of one of the two is not known.
#[must_use]
pub fn has_uncertain_neighbour(candidates: &[Candidate]) -> Vec<bool> {
    if candidates.iter().all(|c| c.is_certain) {
        return vec![false; candidates.len()];
    }
    let homes = |c: &Candidate| {
        let dir = Key::of_dir(&c.path);
        [dir.parent(), Some(dir)].into_iter().flatten()
    };
    // How many there are, and how many of them are not certain.
    let mut known: BTreeMap<Key, (usize, usize)> = BTreeMap::new();
    for (home, c) in candidates.iter().flat_map(|c| homes(c).map(move |home| (home, c))) {
        let entry = known.entry(home).or_default();
        entry.0 += 1;
        entry.1 += usize::from(!c.is_certain);
    }
    let others = |c: &Candidate, home: Key| {
        known.get(&home).is_some_and(|(all, uncertain)| if c.is_certain { *uncertain > 0 } else { *all > 1 })
    };
    candidates.iter().map(|c| homes(c).any(|home| others(c, home))).collect()
}

/// A directory as bytes with a zero between its parts: what lies below it sorts right behind it, and comparing is cheap.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key(Vec<u8>);

impl Key {
    /// The directory of a file.
    pub(super) fn of_dir(file: &Path) -> Self {
        let dir = file.parent().unwrap_or(Path::new(""));
        Self(dir.as_os_str().as_encoded_bytes().iter().map(|b| if *b == b'/' { 0 } else { *b }).collect())
    }

    fn parent(&self) -> Option<Self> {
        let end = self.0.iter().rposition(|b| *b == 0).unwrap_or(0);
        (!self.0.is_empty()).then(|| Self(self.0[..end].to_vec()))
    }

    fn holds(&self, other: &Self) -> bool {
        let rest = other.0.strip_prefix(&self.0[..]);
        rest.is_some_and(|r| r.is_empty() || self.0.is_empty() || r[0] == 0)
    }

    /// Itself and the directories above it.
    fn and_above(&self) -> impl Iterator<Item = Self> {
        std::iter::successors(Some(self.clone()), Self::parent)
    }
}

fn split(candidates: &[Candidate], group: &[usize]) -> Vec<Vec<usize>> {
    let mut buckets: BTreeMap<(Option<&str>, &str), Vec<usize>> = BTreeMap::new();
    let mut clusters: Vec<Vec<usize>> = Vec::new();
    for i in group {
        let c = &candidates[*i];
        if c.is_certain {
            buckets.entry((c.scope.as_deref(), &c.namespace)).or_default().push(*i);
        } else {
            clusters.push(vec![*i]);
        }
    }
    clusters.extend(buckets.into_values());
    clusters.sort_by_key(|c| (std::cmp::Reverse(c.len()), c[0]));
    let mut kept: Vec<Vec<usize>> = Vec::new();
    for cluster in clusters {
        let home = if cluster.len() == 1 { kept.iter_mut().find(|k| strays(candidates, k, cluster[0])) } else { None };
        match home {
            Some(home) => home.extend(cluster),
            None => kept.push(cluster),
        }
    }
    for cluster in &mut kept {
        cluster.sort_unstable();
    }
    kept
}

/// Whether a lone member looks like one of that cluster with a slip in its scope or namespace.
fn strays(candidates: &[Candidate], cluster: &[usize], lone: usize) -> bool {
    let (one, other) = (&candidates[lone], &candidates[cluster[0]]);
    if !one.is_certain || !other.is_certain {
        return false;
    }
    let own_name = cluster.iter().all(|i| candidates[*i].name != one.name);
    let (Some(scope), Some(theirs)) = (&one.scope, &other.scope) else { return false };
    let slip = scope != theirs
        && scope.len() > 3
        && strsim::damerau_levenshtein(scope, theirs) <= 2
        && !differ_in_digits(scope, theirs);
    own_name && one.store == other.store && (scope == theirs || (slip && cluster.len() > 1))
}

/// `shop1` and `shop2` are two clusters, not a slip.
fn differ_in_digits(a: &str, b: &str) -> bool {
    let letters = |s: &str| s.chars().filter(|c| !c.is_ascii_digit()).collect::<String>();
    letters(a) == letters(b)
}

/// Files by their directory, to find those below one without looking at all others.
#[derive(Debug)]
pub struct Places<'a> {
    paths: Vec<&'a Path>,
    dirs: Vec<Key>,
    by_dir: BTreeMap<Key, Vec<usize>>,
}

impl<'a> Places<'a> {
    /// Of these files.
    #[must_use]
    pub fn new(paths: Vec<&'a Path>) -> Self {
        let dirs: Vec<Key> = paths.iter().map(|p| Key::of_dir(p)).collect();
        let mut by_dir: BTreeMap<Key, Vec<usize>> = BTreeMap::new();
        for (i, dir) in dirs.iter().enumerate() {
            by_dir.entry(dir.clone()).or_default().push(i);
        }
        Self { paths, dirs, by_dir }
    }

    /// Directories at or below one that hold files.
    fn below<'b>(&'b self, top: &'b Key) -> impl Iterator<Item = (&'b Key, &'b [usize])> {
        self.by_dir
            .range(top.clone()..)
            .take_while(move |(dir, _)| top.holds(dir))
            .map(|(dir, files)| (dir, files.as_slice()))
    }

    /// The files nearest to each member of a cluster, of which `cluster` holds the indices in `owners`; one list per member.
    ///
    /// The member's own directory comes first, then one directory up at a time, to the directory that holds the whole
    /// cluster. The directories of other members do not count.
    #[must_use]
    pub fn nearest(&self, owners: &Places<'_>, cluster: &[usize]) -> Vec<Vec<usize>> {
        if self.paths.is_empty() {
            return vec![Vec::new(); cluster.len()];
        }
        let top = common(cluster.iter().map(|i| &owners.dirs[*i]));
        cluster.iter().map(|i| self.nearest_to(owners, &owners.dirs[*i], &top, cluster.len())).collect()
    }

    fn nearest_to(&self, owners: &Places<'_>, own: &Key, top: &Key, members: usize) -> Vec<usize> {
        let is_others = |dir: &Key| dir != own && owners.by_dir.contains_key(dir);
        let mut level = own.clone();
        loop {
            let here: Vec<usize> = self
                .below(&level)
                .filter(|(home, _)| !home.and_above().take_while(|a| *a != level).any(|a| is_others(&a)))
                .flat_map(|(_, files)| files.iter().copied())
                .collect();
            let last = if members > 1 { level == *top } else { level != *own };
            match level.parent() {
                Some(up) if here.is_empty() && !last => level = up,
                _ => return here,
            }
        }
    }

    /// Of several files of one kind, the one for a member: the only one, the one that carries the member's name, or the one
    /// with the kind's plain name.
    #[must_use]
    pub fn choose(&self, member: &str, plain: &str, near: &[usize]) -> Option<usize> {
        let named = |f: &&usize| self.paths[**f].to_str().is_some_and(|p| !member.is_empty() && p.contains(member));
        let plainly = |f: &&usize| self.paths[**f].file_name().is_some_and(|n| n == plain);
        let only = |found: Vec<&usize>| if let [one] = found[..] { Some(*one) } else { None };
        only(near.iter().collect())
            .or_else(|| only(near.iter().filter(named).collect()))
            .or_else(|| only(near.iter().filter(plainly).collect()))
    }

    /// The one for a member that is called something else than its kind is: no file counts whose name does not hold that.
    #[must_use]
    pub fn choose_called(&self, member: &str, called: &str, near: &[usize]) -> Option<usize> {
        let is_called = |f: &usize| {
            let name = self.paths[*f].file_name().and_then(OsStr::to_str).unwrap_or_default();
            // `pg_hba.conf` is not what `hba.conf` means.
            name.match_indices(called).any(|(at, _)| at == 0 || name[..at].ends_with(['-', '.']))
        };
        self.choose(member, called, &near.iter().copied().filter(is_called).collect::<Vec<_>>())
    }
}

/// The lowest directory that holds all of them.
fn common<'a>(mut dirs: impl Iterator<Item = &'a Key>) -> Key {
    let first = dirs.next().cloned().unwrap_or(Key(Vec::new()));
    dirs.fold(first, |common, dir| common.and_above().find(|a| a.holds(dir)).unwrap_or(Key(Vec::new())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(path: &str, scope: &str, namespace: &str) -> Candidate {
        let name = path.replace('/', "-");
        Candidate {
            path: path.into(),
            scope: Some(scope.into()),
            is_certain: true,
            namespace: namespace.into(),
            name: Some(name),
            store: "e".into(),
        }
    }

    #[test]
    fn members_side_by_side_are_a_cluster() {
        let all = [member("a/1/p.yml", "x", "/s"), member("a/2/p.yml", "x", "/s"), member("b/1/p.yml", "x", "/s")];
        assert_eq!(clusters(&all), [vec![0, 1], vec![2]]);
        let flat = [member("a/1.yml", "x", "/s"), member("a/2.yml", "y", "/s"), member("a/3.yml", "x", "/s")];
        assert_eq!(clusters(&flat), [vec![0, 2], vec![1]]);
    }

    #[test]
    fn a_slip_does_not_leave_the_cluster() {
        let all = [
            member("a/1.yml", "shop", "/s"),
            member("a/2.yml", "shop", "/s"),
            member("a/3.yml", "shpo", "/s"),
            member("a/4.yml", "shop", "/t"),
        ];
        assert_eq!(clusters(&all), [vec![0, 1, 2, 3]]);
        let numbered =
            [member("a/1.yml", "shop1", "/s"), member("a/2.yml", "shop1", "/s"), member("a/3.yml", "shop2", "/s")];
        assert_eq!(clusters(&numbered), [vec![0, 1], vec![2]]);
    }

    #[test]
    fn the_nearest_file_counts_and_other_members_files_do_not() {
        let owners = [Path::new("c/1/p.yml"), Path::new("c/2/p.yml"), Path::new("d/1/p.yml")];
        let owners = Places::new(owners.to_vec());
        let files = ["c/1/pg_hba.conf", "c/all/pg_hba.conf", "d/1/pg_hba.conf", "c-d/x"].map(Path::new);
        let files = Places::new(files.to_vec());
        assert_eq!(files.nearest(&owners, &[0, 1]), [vec![0], vec![1]]);
        assert_eq!(files.nearest(&owners, &[2]), [vec![2]]);
    }

    #[test]
    fn of_several_files_the_named_one_is_chosen() {
        let files = Places::new(["c/pg1-pg_hba.conf", "c/pg2-pg_hba.conf", "c/pg_hba.conf"].map(Path::new).to_vec());
        assert_eq!(files.choose("pg2", "pg_hba.conf", &[0, 1, 2]), Some(1));
        assert_eq!(files.choose("pg9", "pg_hba.conf", &[0, 1, 2]), Some(2));
        assert_eq!(files.choose("pg9", "pg_hba.conf", &[0, 1]), None);
    }
}
