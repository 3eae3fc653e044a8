//! Joining files and environment.

use std::path::{Path, PathBuf};

use super::effective::Crash;
use super::graph::{Excess, Graph, Id, Object};
use super::item::{Item, Layer, Type};
use super::paths::Paths;
use super::{Patroni, environment};
use crate::knowledge::patroni::{self as known, Version};
use crate::parse::template;
use crate::parse::unit::Variable as Assigned;
use crate::parse::yaml::{self, Tree};
use crate::problem::{Parsed, Problem};
use crate::source::{Reader, Span};

/// How many values an expanded configuration may have for each value that is written in it, and how many it always may have.
const EXPANSION: (usize, usize) = (16, 20_000);

/// What is being put together.
struct Joined {
    graph: Graph,
    root: Id,
    complete: bool,
    crash: Option<Crash>,
    problems: Vec<Problem>,
}

impl Patroni {
    /// One configuration file and the environment of the process.
    #[must_use]
    pub fn load_file(tree: &Tree, environment: &[Assigned], version: Version) -> Parsed<Self> {
        let at = Span { source: tree.source(), start: 0, end: 0 };
        let mut joined = Joined::new(at);
        joined.file(tree, at, version);
        joined.over(environment, version, at)
    }

    /// A directory of configuration files and the environment of the process: `*.yml` and `*.yaml`, in the order of their
    /// names. Other files are problems of their own (`config-dir-file-skipped`), as far as they can be read.
    ///
    /// # Errors
    /// When the directory cannot be listed.
    pub fn load_directory(
        reader: &dyn Reader,
        dir: &Path,
        environment: &[Assigned],
        version: Version,
    ) -> Result<Parsed<Self>, crate::source::ReadError> {
        let mut names = reader.list(dir)?;
        names.sort_by_key(|path| name_of(path));
        let (files, skipped): (Vec<PathBuf>, Vec<PathBuf>) = names.into_iter().partition(|n| {
            let (becomes, _) = template::declared(n);
            [".yml", ".yaml"].iter().any(|end| name_of(&becomes).ends_with(end))
        });
        let mut texts = Vec::new();
        let mut problems = Vec::new();
        for path in files {
            // What is no file is passed over, as `os.path.isfile` does; an unreadable file ends Patroni.
            match reader.read(&path) {
                Ok(source) => texts.push(source),
                Err(crate::source::ReadError::NotAFile(_)) => {}
                Err(error) => return Err(error),
            }
        }
        for path in skipped {
            if let Ok(source) = reader.read(&path) {
                problems.push(Problem::new("config-dir-file-skipped", source.span(0, 0)).arg("file", name_of(&path)));
            }
        }
        let at =
            texts.first().map_or(Span { source: crate::source::SourceId::lone(), start: 0, end: 0 }, |s| s.span(0, 0));
        let mut joined = Joined::new(at);
        for source in &texts {
            let parsed = yaml::parse(source);
            problems.extend(parsed.problems);
            joined.file(&parsed.tree, source.span(0, 0), version);
        }
        let mut loaded = joined.over(environment, version, at);
        problems.append(&mut loaded.problems);
        loaded.problems = problems;
        Ok(loaded)
    }

    /// Only the environment of the process; `at` is a place in the text that the variables come from.
    #[must_use]
    pub fn load_environment(environment: &[Assigned], version: Version, at: Span) -> Parsed<Self> {
        let mut joined = Joined::new(at);
        let built = environment::build(&mut joined.graph, environment, version, at, &mut joined.problems);
        joined.root = built.root;
        joined.complete = built.whole.as_ref().is_none_or(|whole| whole.is_known);
        joined.crash = built.crash.map(Crash::item_assignment);
        if let Some(whole) = built.whole.filter(|w| w.is_known && !w.value.value.reveal().is_empty()) {
            match environment::load_text(&mut joined.graph, whole.value.value.reveal(), whole.value.span) {
                Some(root) if joined.graph.is_true(root) => {
                    joined.root = root;
                    if built.sets_keys {
                        joined.problems.push(
                            Problem::new("env-patroni-configuration-exclusive", whole.name.span)
                                .arg("ignored", "all other PATRONI_ variables"),
                        );
                    }
                }
                Some(_) => {}
                None => {
                    joined.crash.get_or_insert(Crash::new("YAMLError", whole.value.span, "PATRONI_CONFIGURATION"));
                    joined.complete = false;
                    joined.problems.push(
                        Problem::new("env-value-ignored", whole.value.span)
                            .arg("variable", "PATRONI_CONFIGURATION")
                            .arg("expected", "YAML"),
                    );
                }
            }
        }
        joined.finish(version)
    }
}

/// A dynamic configuration, as it lies in the DCS.
#[must_use]
pub fn dynamic_configuration(tree: &Tree) -> Item {
    let mut graph = Graph::default();
    let at = Span { source: tree.source(), start: 0, end: 0 };
    let root = graph.load(tree, Layer::Dynamic).unwrap_or_else(|| graph.add(Object::Null, at, Layer::Dynamic));
    graph.expand(root, budget(&graph), "bootstrap.dcs").0
}

fn budget(graph: &Graph) -> usize {
    graph.len().saturating_mul(EXPANSION.0).saturating_add(EXPANSION.1)
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

impl Joined {
    fn new(at: Span) -> Self {
        let mut graph = Graph::default();
        let root = graph.add(Object::Map(Vec::new()), at, Layer::File);
        Self { graph, root, complete: true, crash: None, problems: Vec::new() }
    }

    fn file(&mut self, tree: &Tree, at: Span, version: Version) {
        self.complete &= tree.is_complete();
        if !tree.is_complete() {
            self.crash.get_or_insert(Crash::new("YAMLError", at, "the file is not valid YAML"));
        }
        let loaded = self.graph.load(tree, Layer::File);
        match loaded {
            Some(id) if self.graph.is_map(id) => {
                for (path, over, under) in self.overrides(id) {
                    let problem = Problem::new("config-dir-overrides", over).arg("key", path);
                    self.problems.push(problem.label(under, "this one does not count"));
                }
                self.graph.patch(self.root, id);
            }
            // A template makes the whole of it.
            Some(id) if matches!(self.graph.object(id), Object::Unknown) => self.complete = false,
            other => {
                if !tree.is_complete() {
                    return;
                }
                let found = other.map_or(Type::Null, |id| self.graph.kind(id));
                let at = tree.root().map_or(at, |root| tree.node(root).span);
                let exception = if version > Version::new(3, 3, 0) { "ConfigParseError" } else { "AttributeError" };
                self.crash.get_or_insert(Crash::new(exception, at, "invalid config file"));
                self.problems.push(Problem::new("yaml-not-a-mapping", at).arg("found", found.name()));
            }
        }
    }

    fn over(mut self, environment: &[Assigned], version: Version, at: Span) -> Parsed<Patroni> {
        let built = environment::build(&mut self.graph, environment, version, at, &mut self.problems);
        if let Some(at) = built.crash {
            self.crash.get_or_insert(Crash::item_assignment(at));
        }
        if let Some(whole) = built.whole {
            self.problems.push(
                Problem::new("env-patroni-configuration-exclusive", whole.name.span)
                    .arg("ignored", "PATRONI_CONFIGURATION itself, because there is a configuration file"),
            );
        }
        self.report_overrides(built.root);
        self.graph.patch(self.root, built.root);
        if environment.iter().any(|v| v.name.value.is_empty()) {
            self.open_to_variables(version);
        }
        self.finish(version)
    }

    /// Variables whose names are not known may set whatever variables can set: no section that they reach is closed.
    fn open_to_variables(&mut self, version: Version) {
        for row in known::variables().iter().filter(|row| row.lifetime.covers(version)) {
            let sections = if row.path.starts_with("<section>") { &known::DCS_SECTIONS[..] } else { &[""] };
            for section in sections {
                let path = row.path.replace("<section>", section);
                let mut here = Some(self.root);
                for key in path.split('.') {
                    let Some(map) = here.filter(|id| self.graph.is_map(*id)) else { break };
                    self.graph.set_open(map);
                    here = self.graph.get(map, key);
                }
            }
        }
    }

    /// `env-overrides-file` for each key that both have, with a different value.
    fn report_overrides(&mut self, environment: Id) {
        for (key, over, under) in self.overrides(environment) {
            self.problems.push(Problem::new("env-overrides-file", over).arg("key", key).label(under, ""));
        }
    }

    /// Each key that is there already and that a map changes or takes away: its path, its place in the map, and its place
    /// so far.
    fn overrides(&self, over: Id) -> Vec<(String, Span, Span)> {
        let mut found = Vec::new();
        let mut open = vec![(self.root, over, String::new())];
        while let Some((under, over, path)) = open.pop() {
            let Object::Map(pairs) = self.graph.object(over) else { continue };
            for (key, value) in pairs {
                let Some(name) = key.value.as_str() else { continue };
                let Some((was_key, was)) = self.graph.entry(under, name) else { continue };
                let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
                if self.graph.is_map(*value) && self.graph.is_map(was) {
                    open.push((was, *value, path));
                } else if matches!(self.graph.object(was), Object::Unknown)
                    || matches!(self.graph.object(*value), Object::Unknown)
                {
                    // A template decides whether the two differ.
                } else if self.graph.print(was) != self.graph.print(*value) {
                    found.push((path, key.span, was_key));
                }
            }
        }
        found
    }

    fn finish(mut self, version: Version) -> Parsed<Patroni> {
        let (mut root, excess) = self.graph.expand(self.root, budget(&self.graph), "");
        if let Some((kind, at)) = excess {
            let (rule, problem) = match kind {
                Excess::Size => ("yaml-too-large-when-expanded", "aliases make this value enormous"),
                Excess::Depth => ("yaml-too-deep", "this value nests deeper than Patroni can walk"),
            };
            self.problems.push(Problem::new(rule, at).arg("problem", problem));
            self.complete = false;
        }
        if root.kind() != Type::Map {
            root.value = super::ItemValue::Map(Vec::new());
            self.crash.get_or_insert(Crash::new("AttributeError", root.span, "the configuration is no map"));
        }
        let (paths, settled) = (Paths::of(&root), root.is_known());
        let tree = Patroni { root, paths, version, complete: self.complete, settled, crash: self.crash };
        Parsed { tree, problems: self.problems }
    }
}
