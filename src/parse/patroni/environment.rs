//! What Patroni makes of `PATRONI_*` variables (`config.py:Config._build_environment_configuration`).

use std::collections::{BTreeMap, BTreeSet};

use super::graph::{Graph, Id, Object};
use super::item::Layer;
use super::python;
use crate::knowledge::patroni::{self as known, Read, Variable, Version};
use crate::parse::unit::Variable as Assigned;
use crate::parse::yaml;
use crate::problem::Problem;
use crate::source::{Source, Span, Spanned};

/// The common beginning of all names.
pub const PREFIX: &str = "PATRONI_";

/// The configuration that the environment makes, as an object of the graph.
pub(super) struct Built {
    pub(super) root: Id,
    /// The text of `PATRONI_CONFIGURATION`.
    pub(super) whole: Option<Assigned>,
    /// Whether any other variable has set a key.
    pub(super) sets_keys: bool,
    /// A value is set below `name`, `namespace` or `scope`, which ends Patroni with a `TypeError`.
    pub(super) crash: Option<Span>,
}

struct Builder<'a> {
    graph: &'a mut Graph,
    variables: BTreeMap<&'a str, &'a Assigned>,
    consumed: BTreeSet<&'a str>,
    version: Version,
    root: Id,
    nowhere: Span,
    problems: &'a mut Vec<Problem>,
    crash: Option<Span>,
    /// A template fills in the name of a variable.
    is_open: bool,
}

/// Reads the variables in the order of Patroni. `nowhere` is the place of sections that no value made.
pub(super) fn build(
    graph: &mut Graph,
    assignments: &[Assigned],
    version: Version,
    nowhere: Span,
    problems: &mut Vec<Problem>,
) -> Built {
    let root = graph.add(Object::Map(Vec::new()), nowhere, Layer::Environment);
    let mut variables: BTreeMap<&str, &Assigned> = BTreeMap::new();
    let is_open = assignments.iter().any(|a| a.name.value.is_empty());
    if is_open {
        graph.set_open(root);
    }
    for assignment in assignments {
        if let Some(name) = assignment.name.value.strip_prefix(PREFIX) {
            variables.insert(name, assignment);
        }
    }
    let whole = variables.remove("CONFIGURATION").cloned();
    if variables.is_empty() {
        return Built { root, whole, sets_keys: false, crash: None };
    }
    let mut builder =
        Builder { graph, variables, consumed: BTreeSet::new(), version, root, nowhere, problems, crash: None, is_open };
    let rows = || known::variables().iter().filter(|row| row.lifetime.covers(version));
    for row in rows().filter(|r| !r.name.starts_with('<') && r.read != Read::TextInSection) {
        builder.fixed(row);
    }
    builder.sections(&rows().filter(|r| r.name.starts_with("<SECTION>")).collect::<Vec<_>>());
    for row in rows().filter(|r| r.read == Read::TextInSection) {
        builder.in_section(row);
    }
    if rows().any(|r| r.name.starts_with("<USER>")) {
        builder.users();
    }
    builder.report_unknown();
    let crash = builder.crash;
    let sets_keys = matches!(graph.object(root), Object::Map(pairs) if !pairs.is_empty());
    Built { root, whole, sets_keys, crash }
}

impl<'a> Builder<'a> {
    fn take(&mut self, name: &str) -> Option<&'a Assigned> {
        let (name, assignment) = self.variables.get_key_value(name).map(|(n, a)| (*n, *a))?;
        self.consumed.insert(name);
        Some(assignment)
    }

    /// A variable with a name of its own.
    fn fixed(&mut self, row: &'static Variable) {
        let Some(assignment) = self.take(row.name) else { return };
        let text = assignment.value.value.reveal();
        if let Some(new) = row.renamed {
            self.problems.push(
                Problem::new("deprecated-key", assignment.name.span)
                    .arg("key", format!("{PREFIX}{}", row.name))
                    .arg("path", format!("{PREFIX}{}", row.name))
                    .arg("fate", format!("is the old name of `{PREFIX}{new}`, still read"))
                    .arg("suggestion", format!("{PREFIX}{new}"))
                    .edit(assignment.name.span, format!("{PREFIX}{new}")),
            );
            // The new name wins, even when it is empty.
            if self.variables.contains_key(new) {
                return;
            }
        }
        if text.is_empty() && row.read != Read::Raw {
            return;
        }
        // `citus` gets its keys in another way: no section is made for a value that cannot be read.
        if !row.path.starts_with("citus.") {
            self.section_of(row.path);
        }
        if let Some(value) = self.value(row.read, assignment)
            && (row.read != Read::Dict || self.truth(value))
        {
            self.put(row.path, assignment, value);
        }
    }

    /// `PATRONI_<SECTION>_<SUFFIX>` for any section.
    fn sections(&mut self, rows: &[&'static Variable]) {
        let suffixes: BTreeMap<&str, &Variable> =
            rows.iter().filter_map(|r| Some((r.name.strip_prefix("<SECTION>_")?, *r))).collect();
        for name in self.variables.keys().copied().collect::<Vec<_>>() {
            let Some((section, suffix)) = name.split_once('_') else { continue };
            let Some(row) = suffixes.get(suffix).filter(|_| !section.is_empty() && !self.consumed.contains(name))
            else {
                continue;
            };
            let Some(assignment) = self.take(name) else { continue };
            if section == "CITUS" {
                self.unknown(name, assignment);
                continue;
            }
            let path = row.path.replace("<section>", &section.to_lowercase());
            if let Some(value) = self.value(row.read, assignment) {
                if known::child("", &section.to_lowercase())
                    .and_then(|r| known::child(r.path, &suffix.to_lowercase()))
                    .is_none()
                {
                    self.unknown(name, assignment);
                }
                self.put(&path, assignment, value);
            }
        }
    }

    /// The user and password of etcd, which count only beside another variable of the section.
    fn in_section(&mut self, row: &'static Variable) {
        let section = row.path.split('.').next().unwrap_or_default();
        if self.graph.get(self.root, section).is_some() {
            self.fixed(row);
        } else if let Some(assignment) = self.variables.get(row.name).copied() {
            let needed = format!("{PREFIX}{}_HOSTS", section.to_uppercase());
            if !self.version_has_users() {
                self.consumed.insert(row.name);
                if self.is_open {
                    return;
                }
                self.problems.push(
                    Problem::new("env-etcd-credentials-ignored", assignment.name.span)
                        .arg("variable", format!("{PREFIX}{}", row.name))
                        .arg("needed", needed),
                );
            }
        }
    }

    fn version_has_users(&self) -> bool {
        known::variables().iter().any(|r| r.name.starts_with("<USER>") && r.lifetime.covers(self.version))
    }

    /// `PATRONI_<user>_PASSWORD` and `_OPTIONS`, up to 3.x: whatever no other row has taken.
    fn users(&mut self) {
        for name in self.variables.keys().copied().collect::<Vec<_>>() {
            let Some(user) = name.strip_suffix("_PASSWORD").filter(|u| !u.is_empty()) else { continue };
            if self.consumed.contains(name) {
                continue;
            }
            let Some(assignment) = self.take(name).filter(|a| !a.value.value.reveal().is_empty()) else { continue };
            let password = self.text(assignment);
            self.put_at(&["bootstrap", "users", user, "password"], assignment, password);
            let Some(options) = self.take(&format!("{user}_OPTIONS")) else { continue };
            if !options.value.value.reveal().is_empty()
                && let Some(list) = self.value(Read::List, options)
            {
                self.put_at(&["bootstrap", "users", user, "options"], options, list);
            }
        }
    }

    fn text(&mut self, assignment: &Assigned) -> Id {
        let object =
            if assignment.is_known { Object::Str(assignment.value.value.reveal().into()) } else { Object::Unknown };
        self.graph.add(object, assignment.value.span, Layer::Environment)
    }

    /// The value of a variable; `None` when it counts as absent.
    fn value(&mut self, read: Read, assignment: &Assigned) -> Option<Id> {
        let text = assignment.value.value.reveal();
        let span = assignment.value.span;
        if !assignment.is_known {
            return Some(self.graph.add(Object::Unknown, span, Layer::Environment));
        }
        let object = match read {
            Read::Text | Read::Raw | Read::TextInSection => return Some(self.text(assignment)),
            Read::IntOrEmpty | Read::ListOrEmpty if text.is_empty() => return Some(self.text(assignment)),
            Read::Int | Read::IntOrEmpty => {
                python::parse_int(text, None).map(|n| Object::Int(crate::parse::yaml::Int::Small(n)))
            }
            Read::Bool => python::parse_bool(text).map(Object::Bool),
            Read::Format if holds_field(text) => return Some(self.text(assignment)),
            Read::Format => {
                let list = self.yaml(&bracketed(text), span).filter(|id| self.truth(*id));
                return list.or_else(|| Some(self.text(assignment)));
            }
            Read::List | Read::Options => {
                return self.readable(assignment, &bracketed(text)).filter(|id| self.truth(*id));
            }
            Read::ListOrEmpty => return self.readable(assignment, &bracketed(text)).filter(|id| !self.is_null(*id)),
            Read::Dict => {
                let braced = if text.trim_matches(python::is_space).starts_with('{') {
                    text.to_owned()
                } else {
                    format!("{{{text}}}")
                };
                let found = self.readable(assignment, &braced)?;
                return Some(found).filter(|id| !self.is_null(*id));
            }
        };
        if object.is_none() {
            self.unreadable(assignment, if read == Read::Bool { "a boolean" } else { "an integer" });
        }
        object.map(|o| self.graph.add(o, span, Layer::Environment))
    }

    fn readable(&mut self, assignment: &Assigned, text: &str) -> Option<Id> {
        let found = self.yaml(text, assignment.value.span);
        if found.is_none() {
            self.unreadable(assignment, "YAML");
        }
        found
    }

    fn unreadable(&mut self, assignment: &Assigned, expected: &str) {
        self.problems.push(
            Problem::new("env-value-ignored", assignment.value.span)
                .arg("variable", assignment.name.value.clone())
                .arg("expected", expected),
        );
    }

    /// `yaml.safe_load` of a value; `None` when it raises. Everything in it stands where the value stands.
    pub(super) fn yaml(&mut self, text: &str, at: Span) -> Option<Id> {
        load_text(self.graph, text, at)
    }

    fn truth(&self, id: Id) -> bool {
        self.graph.is_true(id)
    }

    fn is_null(&self, id: Id) -> bool {
        matches!(self.graph.object(id), Object::Null)
    }

    fn section_of(&mut self, path: &str) {
        let parts: Vec<&str> = path.split('.').collect();
        // Only the first level is made before the value is looked at (`defaultdict`).
        if parts.len() == 2 {
            self.map_at(self.root, parts[0], self.nowhere);
        }
    }

    fn map_at(&mut self, parent: Id, key: &str, at: Span) -> Id {
        if let Some(found) = self.graph.get(parent, key) {
            return found;
        }
        let map = self.graph.add(Object::Map(Vec::new()), at, Layer::Environment);
        self.graph.set(parent, Spanned::new(key, at), map);
        map
    }

    fn put(&mut self, path: &str, assignment: &Assigned, value: Id) {
        let parts: Vec<&str> = path.split('.').collect();
        self.put_at(&parts, assignment, value);
    }

    fn put_at(&mut self, parts: &[&str], assignment: &Assigned, value: Id) {
        let Some((last, above)) = parts.split_last() else { return };
        let at = assignment.name.span;
        let map = above.iter().fold(self.root, |map, key| self.map_at(map, key, at));
        if self.graph.is_map(map) {
            self.graph.set(map, Spanned::new(last, at), value);
        } else {
            self.crash.get_or_insert(at);
        }
    }

    fn report_unknown(&mut self) {
        for (name, assignment) in self.variables.clone() {
            if !self.consumed.contains(name) {
                self.unknown(name, assignment);
            }
        }
    }

    fn unknown(&mut self, name: &str, assignment: &Assigned) {
        let mut problem = Problem::new("env-unknown-variable", assignment.name.span)
            .arg("variable", format!("{PREFIX}{name}"))
            .arg("version", self.version.to_string());
        if let Some(suggestion) = suggestion(name, self.version) {
            problem = problem.arg("suggestion", format!("{PREFIX}{suggestion}"));
        }
        self.problems.push(problem);
    }
}

/// `yaml.safe_load` of a text inside another; `None` when it raises or says nothing that could be kept.
pub(super) fn load_text(graph: &mut Graph, text: &str, at: Span) -> Option<Id> {
    let source = Source::lone("", text);
    let parsed = yaml::parse(&source);
    if !parsed.tree.is_complete() {
        return None;
    }
    if parsed.tree.root().is_none() {
        return Some(graph.add(Object::Null, at, Layer::Environment));
    }
    let before = graph.len();
    let root = graph.load(&parsed.tree, Layer::Environment);
    graph.place_all(before, at);
    root
}

/// The variable that was probably meant.
fn suggestion(name: &str, version: Version) -> Option<String> {
    let known_slips = [
        ("POSTGRESQL_BIN_IS_READY", "POSTGRESQL_BIN_PG_ISREADY"),
        ("RETRIABLE_HTTP_CODES", "KUBERNETES_RETRIABLE_HTTP_CODES"),
    ];
    if let Some((_, right)) = known_slips.iter().find(|(wrong, _)| *wrong == name) {
        return Some((*right).to_owned());
    }
    let mut best: Option<(usize, String)> = None;
    for row in known::variables().iter().filter(|r| r.lifetime.covers(version) && r.renamed.is_none()) {
        let names: Vec<String> = match row.name.strip_prefix("<SECTION>_") {
            Some(suffix) => known::DCS_SECTIONS
                .iter()
                .filter(|s| known::child(s, &suffix.to_lowercase()).is_some())
                .map(|s| format!("{}_{suffix}", s.to_uppercase()))
                .collect(),
            None if row.name.starts_with('<') => Vec::new(),
            None => vec![row.name.to_owned()],
        };
        for candidate in names {
            let distance = strsim::damerau_levenshtein(name, &candidate);
            if distance <= name.len().min(candidate.len()) / 5 + 1 && best.as_ref().is_none_or(|(d, _)| distance < *d) {
                best = Some((distance, candidate));
            }
        }
    }
    best.map(|(_, name)| name)
}

/// Whether a log format holds a `%(name)`.
fn holds_field(text: &str) -> bool {
    text.match_indices("%(").any(|(at, _)| {
        let name: &str = &text[at + 2..];
        let end = name.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(name.len());
        end > 0 && name[end..].starts_with(')')
    })
}

fn bracketed(text: &str) -> String {
    if text.trim_matches(python::is_space).starts_with('-') || text.contains('[') {
        text.to_owned()
    } else {
        format!("[{text}]")
    }
}
