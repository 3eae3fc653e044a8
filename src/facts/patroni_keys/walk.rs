//! Walking down a configuration and the table side by side.

use std::collections::BTreeSet;

use super::old_names::{self, Fate};
use super::types::{self, Verdict};
use super::{required, stray, suggest};
use crate::knowledge::patroni::{self as known, KeyFact, Kind, LOCAL_ONLY, Version};
use crate::parse::patroni::{Item, ItemValue, Layer, Pair, Patroni, Type};
use crate::problem::Problem;

/// Keys that make a section a method of the user.
pub const METHOD_KEYS: [&str; 6] =
    ["command", "no_params", "keep_data", "no_leader", "no_master", "keep_existing_recovery_conf"];

pub(super) fn check(patroni: &Patroni) -> Vec<Problem> {
    let mut walk = Walk {
        version: patroni.version(),
        methods: methods(patroni),
        any_method: may_name_others(patroni),
        problems: Vec::new(),
        listed: BTreeSet::new(),
        top: patroni.root(),
    };
    walk.section("", &Path::TOP, patroni.root());
    walk.problems
}

struct Walk<'a> {
    version: Version,
    methods: BTreeSet<&'a str>,
    /// A template names further methods.
    any_method: bool,
    problems: Vec<Problem>,
    /// The sections whose keys have been listed.
    listed: BTreeSet<&'static str>,
    top: &'a Item,
}

/// The names of methods that the configuration uses.
fn methods(patroni: &Patroni) -> BTreeSet<&str> {
    let mut names: BTreeSet<&str> = patroni.get("bootstrap.method").and_then(Item::as_str).into_iter().collect();
    for section in ["postgresql", "bootstrap.dcs.postgresql", "bootstrap.dcs.standby_cluster"] {
        for key in ["create_replica_methods", "create_replica_method"] {
            let list = patroni.get(&format!("{section}.{key}")).map_or(&[][..], Item::items);
            names.extend(list.iter().filter_map(Item::as_str));
        }
    }
    names
}

/// Whether a template names methods that are not known.
fn may_name_others(patroni: &Patroni) -> bool {
    let lists = ["postgresql", "bootstrap.dcs.postgresql", "bootstrap.dcs.standby_cluster"];
    let lists = lists.iter().flat_map(|s| ["methods", "method"].map(|m| format!("{s}.create_replica_{m}")));
    std::iter::once("bootstrap.method".to_owned())
        .chain(lists)
        .filter_map(|path| patroni.get(&path))
        .any(|item| item.open || item.kind() == Type::Unknown || item.items().iter().any(|i| i.kind() == Type::Unknown))
}

/// Where a key stands. Written out only for a problem: most keys have none.
#[derive(Clone, Copy)]
struct Path<'a> {
    above: Option<&'a Self>,
    last: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Key(&'a str),
    Item(usize),
}

impl<'a> Path<'a> {
    const TOP: Self = Self { above: None, last: Step::Key("") };

    const fn key(&'a self, key: &'a str) -> Self {
        Self { above: Some(self), last: Step::Key(key) }
    }

    const fn item(&'a self, index: usize) -> Self {
        Self { above: Some(self), last: Step::Item(index) }
    }
}

impl std::fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Some(above) = self.above else { return Ok(()) };
        above.fmt(f)?;
        match self.last {
            Step::Key(key) if above.above.is_none() => f.write_str(key),
            Step::Key(key) => write!(f, ".{key}"),
            Step::Item(index) => write!(f, "[{index}]"),
        }
    }
}

impl Walk<'_> {
    fn section(&mut self, pattern: &'static str, path: &Path<'_>, item: &Item) {
        let stray = stray::find(pattern, item, self.version);
        self.problems.extend(stray.as_ref().map(|s| s.problem(item.pairs(), |key| path.key(key).to_string())));
        for (index, pair) in item.pairs().iter().enumerate() {
            if stray.as_ref().is_some_and(|s| s.holds(index)) {
                continue;
            }
            let Some(key) = pair.key.value.as_str() else {
                self.odd_key(pattern, path, pair);
                continue;
            };
            let row = known::child(pattern, key).or_else(|| known::list_item(pattern, key));
            let here = path.key(key);
            match row {
                Some(row) if row.path == "tags.*" => self.tag(&here, key, item, pair),
                Some(row) if row.lifetime.covers(self.version) => self.known(row, &here, key, item, pair),
                Some(row) => self.of_another_release(row, &here, key, pair),
                None => self.unknown(pattern, &here, key, item, pair),
            }
        }
    }

    fn odd_key(&mut self, pattern: &'static str, path: &Path<'_>, pair: &Pair) {
        let free = known::key(pattern).is_some_and(|row| row.kind == Kind::Free);
        if !free && pair.item.layer == Layer::File {
            let key = pair.key.value.repr();
            self.problems.push(
                Problem::new("yaml-unknown-key", pair.key.span)
                    .arg("key", &key)
                    .arg("path", path.key(&key).to_string()),
            );
        }
    }

    fn known(&mut self, row: &'static KeyFact, path: &Path<'_>, key: &str, section: &Item, pair: &Pair) {
        if row.deprecated {
            self.deprecated(row, path, key, section, pair);
        }
        match types::judge(row, &pair.item) {
            Verdict::Fine => {}
            Verdict::Harmless(expected) => {
                self.wrong("validator-rejects-harmless-type", path, key, expected, &pair.item);
                return;
            }
            Verdict::Wrong(at, expected) => {
                self.wrong("yaml-wrong-type", path, key, expected, at);
                return;
            }
            Verdict::OutOfRange(bounds) => {
                self.problems.push(
                    Problem::new("yaml-value-out-of-range", pair.item.span)
                        .arg("key", key)
                        .arg("path", path.to_string())
                        .arg("range", bounds),
                );
                return;
            }
            Verdict::Address(at, why) => {
                let address = at.as_str().unwrap_or_default();
                self.problems.push(
                    Problem::new("address-unusable", at.span)
                        .arg("path", path.to_string())
                        .arg("address", address)
                        .arg("problem", why),
                );
                return;
            }
            Verdict::Empty => {
                let path = path.to_string();
                let problem =
                    Problem::new("yaml-required-key-missing", pair.item.span).arg("key", key).arg("path", &path);
                self.problems.push(required::is_not_set(problem, &path));
                return;
            }
            Verdict::NotAllowed(words) => {
                let mut problem = Problem::new("yaml-value-not-allowed", pair.item.span)
                    .arg("key", key)
                    .arg("path", path.to_string())
                    .arg("expected", words);
                if let Some(value) = pair.item.as_str() {
                    problem = problem.arg("found", value);
                }
                self.problems.push(problem);
                return;
            }
        }
        match &pair.item.value {
            ItemValue::Map(_) if !matches!(row.kind, Kind::Any | Kind::Options | Kind::Text) => {
                self.section(row.path, path, &pair.item);
            }
            ItemValue::List(items) if row.kind == Kind::Maps => {
                for (i, item) in items.iter().enumerate() {
                    self.section(row.path, &path.item(i), item);
                }
            }
            _ => {}
        }
    }

    /// A tag of the user's own may be anything, but hardly a slip of one that Patroni acts on.
    fn tag(&mut self, path: &Path<'_>, key: &str, section: &Item, pair: &Pair) {
        let Some(name) = suggest::tag(key, self.version).filter(|_| pair.item.layer == Layer::File) else { return };
        let problem = Problem::new("yaml-unknown-key", pair.key.span)
            .arg("key", key)
            .arg("path", path.to_string())
            .arg("suggestion", name);
        let free = section.get(name).is_none();
        self.problems.push(if free { problem.edit(pair.key.span, name) } else { problem });
    }

    fn wrong(&mut self, rule: &'static str, path: &Path<'_>, key: &str, expected: &'static str, item: &Item) {
        let at = if item.span.start == item.span.end { item.key_span.unwrap_or(item.span) } else { item.span };
        let mut problem = Problem::new(rule, at)
            .arg("key", key)
            .arg("path", path.to_string())
            .arg("expected", expected)
            .arg("found", item.kind().name());
        if let Some(key_span) = item.key_span.filter(|k| *k != at) {
            problem = problem.label(key_span, "");
        }
        self.problems.push(problem);
    }

    fn deprecated(&mut self, row: &KeyFact, path: &Path<'_>, key: &str, section: &Item, pair: &Pair) {
        let name = row.renamed.map_or_else(|| "is an old key".to_owned(), |new| format!("is the old name of `{new}`"));
        let mut problem = Problem::new("deprecated-key", pair.key.span).arg("key", key).arg("path", path.to_string());
        let fate = match old_names::fate(row.path, self.top, self.version) {
            Fate::Read => "still read".to_owned(),
            Fate::Unknown => "read only while nothing takes its place".to_owned(),
            Fate::Switch => "beside `postgresql.superuser` only turns `use_pg_rewind` on".to_owned(),
            Fate::Hidden(there, winner) => {
                problem = problem.label(there.key_or_value(), "this counts");
                format!("not read beside `{winner}`")
            }
            Fate::Hides(there, loser) => {
                self.problems.push(
                    Problem::new("old-key-hides-new", there.key_or_value())
                        .arg("path", loser)
                        .arg("because", format!("Patroni reads `{}` in its place", row.path))
                        .label(pair.key.span, "this counts"),
                );
                "still read".to_owned()
            }
        };
        problem = problem.arg("fate", format!("{name}, {fate}"));
        if row.path == "postgresql.replication"
            && let Some((there, path)) = old_names::rewind_without_effect(self.top)
        {
            self.problems.push(
                Problem::new("old-key-hides-new", there.key_or_value())
                    .arg("path", path)
                    .arg("because", "without `postgresql.authentication` only `postgresql.pg_rewind` turns it on")
                    .label(pair.key.span, "a user at the old place"),
            );
        }
        if let Some(new) = row.renamed {
            problem = problem.arg("suggestion", new);
            let (parent, name) = new.rsplit_once('.').unwrap_or(("", new));
            // Only a rename in place is certain; a list must stay a list, and the new name must be free.
            let sibling = row.path.rsplit_once('.').is_some_and(|(p, _)| p == parent);
            if sibling && section.get(name).is_none() && row.kind == known::key(new).map_or(row.kind, |n| n.kind) {
                problem = problem.edit(pair.key.span, name);
            }
        }
        self.problems.push(problem);
    }

    fn of_another_release(&mut self, row: &KeyFact, path: &Path<'_>, key: &str, pair: &Pair) {
        if pair.item.layer != Layer::File {
            return;
        }
        match row.lifetime.removed {
            Some(removed) if self.version >= removed => {
                let problem = Problem::new("removed-key", pair.key.span)
                    .arg("key", key)
                    .arg("path", path.to_string())
                    .arg("removed", removed.to_string());
                self.problems.push(match row.renamed {
                    Some(new) => problem.arg("new", new.replace(".@replica_method", "")),
                    None => problem,
                });
            }
            _ => self.problems.push(
                Problem::new("key-needs-newer-patroni", pair.key.span)
                    .arg("key", key)
                    .arg("path", path.to_string())
                    .arg("since", row.lifetime.begins().to_string())
                    .arg("version", self.version.to_string()),
            ),
        }
    }

    fn unknown(&mut self, pattern: &'static str, path: &Path<'_>, key: &str, section: &Item, pair: &Pair) {
        if pair.item.layer != Layer::File || self.is_free(pattern, key, section) {
            return;
        }
        if let Some(row) = known::method_section(pattern)
            && (self.is_method(key, &pair.item) || self.may_be_method(pattern, key, &pair.item))
        {
            self.section(row.path, path, &pair.item);
            return;
        }
        let at = pair.key.span;
        let named = |rule: &'static str| Problem::new(rule, at).arg("key", key).arg("path", path.to_string());
        let problem = match pattern {
            "" if known::child("bootstrap.dcs", key).is_some_and(|r| r.lifetime.covers(self.version)) => {
                named("dynamic-key-in-local-config").arg("suggestion", format!("bootstrap.dcs.{key}"))
            }
            "postgresql" if key == "use_slots" => {
                named("use-slots-set-locally").arg("suggestion", "bootstrap.dcs.postgresql.use_slots")
            }
            "bootstrap.dcs.postgresql" if LOCAL_ONLY.contains(&key) => {
                named("local-only-key-in-dcs").arg("suggestion", format!("postgresql.{key}"))
            }
            "postgresql.authentication.superuser"
            | "postgresql.authentication.replication"
            | "postgresql.authentication.rewind" => self.close(named("auth-key-unsupported"), pattern, section, pair),
            "postgresql.callbacks" | "bootstrap.dcs.postgresql.callbacks" => {
                self.close(named("callback-unknown-event"), pattern, section, pair)
            }
            _ => match suggest::other_place(pattern, key, self.version) {
                Some(place) => match self.top.at(&place).filter(|there| there.layer == Layer::File) {
                    // Said where it counts too: the one here is only too much.
                    Some(there) if there.as_setting().is_some_and(|v| pair.item.as_setting() == Some(v)) => {
                        named("yaml-unknown-key").label(there.key_or_value(), "this counts")
                    }
                    Some(there) => {
                        named("yaml-misplaced-key").arg("suggestion", place).label(there.key_or_value(), "this counts")
                    }
                    None => named("yaml-misplaced-key").arg("suggestion", place),
                },
                None => self.close(named("yaml-unknown-key"), pattern, section, pair),
            },
        };
        self.problems.push(problem);
    }

    /// Adds the sibling that was probably meant, and the rename when it is certain.
    fn close(&mut self, problem: Problem, pattern: &'static str, section: &Item, pair: &Pair) -> Problem {
        let Some(key) = pair.key.value.as_str() else { return problem };
        let Some((name, certain)) = suggest::sibling(pattern, key, self.version) else {
            // Once for a section: the list is long.
            if !self.listed.insert(pattern) {
                return problem;
            }
            return problem.arg("allowed", suggest::names(pattern, self.version).join(", "));
        };
        let free = section.get(name).is_none();
        let problem = problem.arg("suggestion", name);
        if certain && free { problem.edit(pair.key.span, name) } else { problem }
    }

    fn is_free(&self, pattern: &str, key: &str, section: &Item) -> bool {
        let row = known::key(pattern);
        row.is_some_and(|r| matches!(r.kind, Kind::Free | Kind::Any | Kind::Options))
            || (pattern.is_empty() && key.starts_with(['.', '_']) || key.starts_with("x-"))
            // The device for tests takes keys of its own.
            || (pattern == "watchdog" && section.get("driver").is_some())
            // Old and new layout cannot be told apart inside a broken file.
            || self.top.kind() != Type::Map
    }

    /// Whether a template may have named it, or fills in its section; not what looks like a slip in the name of a key.
    fn may_be_method(&self, pattern: &str, key: &str, item: &Item) -> bool {
        (self.any_method || item.open || (pattern == "bootstrap" && item.kind() == Type::Unknown))
            && matches!(item.kind(), Type::Map | Type::Null | Type::Unknown)
            && suggest::sibling(pattern, key, self.version).is_none()
    }

    fn is_method(&self, key: &str, item: &Item) -> bool {
        self.methods.contains(key) && matches!(item.kind(), Type::Map | Type::Null | Type::Unknown)
            || item.pairs().iter().any(|p| p.key.value.as_str().is_some_and(|k| METHOD_KEYS.contains(&k)))
    }
}
