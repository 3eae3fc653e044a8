//! One file at a time: from what was found to what it says.

use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use super::layout::Layout;
use super::patroni_file::{DynamicFrom, PatroniFile};
use super::service::Services;
use super::{join, patroni_keys, scripts};
use crate::collect::kind::Kind;
use crate::collect::search::Found;
use crate::parse::boot::{self, Directive};
use crate::parse::patroni::{ItemValue, Patroni, looks_like_patroni, names_a_secret, spans_in_text};
use crate::parse::service::Service;
use crate::parse::sql::{self, Sql};
use crate::parse::template;
use crate::parse::unit::{self, Unit, Variable};
use crate::parse::yaml::{self, Tree, Value};
use crate::parse::{compose, pod};
use crate::problem::{Parsed, Problem};
use crate::secret::Secret;
use crate::source::{Reader, Source, SourceId, Span, Spanned};

/// What a file holds.
pub(super) enum Content {
    /// Patroni's configuration, not yet joined with its neighbours.
    Patroni(Tree),
    /// A unit or drop-in.
    Unit(Unit),
    /// Variables for a service.
    Environment(Vec<Variable>),
    /// What a compose file or a manifest starts.
    Services(Vec<Service>),
    /// Role SQL.
    Sql(Box<Sql>),
    /// What Debian's scripts do with a cluster at boot.
    StartConf(Option<Spanned<String>>),
    /// Which units systemd enables.
    Preset(Vec<Directive>),
    /// Read later, when the version of the server is known.
    Later,
    /// Something else.
    Foreign,
}

/// A file that was looked into.
pub(super) struct Seen {
    pub(super) source: Arc<Source>,
    pub(super) kind: Kind,
    pub(super) mode: Option<u32>,
    pub(super) content: Content,
    pub(super) problems: Vec<Problem>,
    pub(super) secret_spans: Vec<Span>,
    pub(super) secrets: Vec<(SourceId, Secret)>,
    /// What may be a secret, in a template.
    pub(super) hidden: Vec<Span>,
}

/// The files of one directory, of which Patroni's are joined to configurations.
pub(super) struct Directory {
    pub(super) loaded: Vec<Loaded>,
    pub(super) seen: Vec<Seen>,
}

/// Looks into the files of a directory and joins those of Patroni; their trees are given back at once.
pub(super) fn directory(found: Vec<Found>, services: &Services<'_>, reader: &dyn Reader, layout: &Layout) -> Directory {
    let mut seen: Vec<Seen> = found.into_par_iter().map(read).collect();
    let loaded = join::locals(&seen, services).par_iter().filter_map(|l| load(l, reader, layout)).collect();
    for file in &mut seen {
        if matches!(file.content, Content::Patroni(_)) {
            file.content = Content::Foreign;
        }
    }
    Directory { loaded, seen }
}

/// Looks into a file.
pub(super) fn read(found: Found) -> Seen {
    let Found { source, kind, mode, named, .. } = found;
    let content = Content::Foreign;
    let mut seen = Seen {
        source,
        kind,
        mode,
        content,
        problems: Vec::new(),
        secret_spans: Vec::new(),
        secrets: Vec::new(),
        hidden: Vec::new(),
    };
    match kind {
        Kind::Patroni => read_patroni(&mut seen, named),
        Kind::Unit => read_unit(&mut seen),
        Kind::Environment => {
            let Parsed { tree, problems } = unit::parse_env_file(&seen.source);
            seen.problems = problems;
            hide(&mut seen, &tree);
            seen.content = Content::Environment(tree);
        }
        Kind::Compose | Kind::Pod => {
            let tree = yaml::parse(&seen.source).tree;
            let services = if kind == Kind::Compose { compose::services } else { pod::containers }(&seen.source, &tree);
            for service in &services {
                hide(&mut seen, &service.variables);
            }
            seen.content = Content::Services(services);
        }
        Kind::Sql if sql::looks_like_role_sql(&String::from_utf8_lossy(seen.source.plain())) => {
            let Parsed { tree, problems } = sql::parse(&seen.source);
            seen.secret_spans = tree.secret_spans();
            // What a statement says that cannot be parsed is known by the look of it alone.
            if problems.iter().any(|p| p.rule == "sql-syntax-error") {
                seen.secret_spans.extend(spans_in_text(&seen.source));
            }
            seen.problems = problems;
            seen.content = Content::Sql(Box::new(tree));
        }
        Kind::Sql => {}
        Kind::StartConf => seen.content = Content::StartConf(boot::parse_start_conf(&seen.source)),
        Kind::Preset => seen.content = Content::Preset(boot::parse_preset(&seen.source)),
        Kind::Conf | Kind::Hba | Kind::Ident => seen.content = Content::Later,
    }
    seen.hidden = hidden_in_template(&seen.source);
    seen
}

/// What must not be shown of a template: encrypted values, and what looks like a secret where no value is known that would tell.
/// A placeholder for a secret is none.
fn hidden_in_template(source: &Source) -> Vec<Span> {
    let Some(template) = source.template() else { return Vec::new() };
    let is_comment = |span: &Span| {
        let line = source.line_span(source.line_index(span.start));
        line.is_some_and(|line| source.bytes()[line.range()].trim_ascii_start().starts_with(b"#"))
    };
    let mut hidden = spans_in_text(source);
    hidden.retain(|span| !template::is_placeholder(source, *span) && !is_comment(span));
    hidden.extend(template.masked.iter().map(|m| source.span(m.start, m.end)));
    hidden
}

fn read_unit(seen: &mut Seen) {
    let Parsed { tree, problems } = unit::parse(&seen.source);
    let environment = tree.environment();
    seen.problems = problems;
    seen.problems.extend(environment.problems);
    seen.problems.extend(tree.commands("ExecStart").problems);
    hide(seen, &environment.tree);
    seen.content = Content::Unit(tree);
}

/// Keeps the values of variables that are named like secrets out of sight.
fn hide(seen: &mut Seen, variables: &[Variable]) {
    for variable in variables.iter().filter(|v| names_a_secret(&v.name.value)) {
        if template::is_placeholder(&seen.source, variable.value.span) {
            continue;
        }
        seen.secret_spans.push(variable.value.span);
        if !variable.is_known {
            continue;
        }
        seen.secrets.push((variable.value.span.source, variable.value.value.clone()));
    }
}

fn read_patroni(seen: &mut Seen, named: bool) {
    let Parsed { tree, problems } = yaml::parse(&seen.source);
    let is_named_so = named || seen.source.path().is_some_and(|p| p.to_string_lossy().contains("patroni"));
    // A template of something else says nothing about Patroni, whether it can be followed or not.
    let is_broken = !tree.is_complete() && (tree.exception().is_some() || is_named_so);
    if is_broken || looks_like_patroni(&tree) {
        seen.problems = problems;
        seen.content = Content::Patroni(tree);
        return;
    }
    let source = &seen.source;
    let holds = |wanted: fn(&Value) -> bool| tree.root().is_some_and(|r| wanted(&tree.node(r).value));
    let keys_or_list = holds(|v| matches!(v, Value::Mapping(_) | Value::Sequence(_)));
    let plain_name = source.path().and_then(Path::file_stem).is_some_and(|n| n == "patroni");
    if !keys_or_list && (named || plain_name) {
        let found = if tree.root().is_none() { "nothing" } else { "a single value" };
        seen.problems.push(Problem::new("yaml-not-a-mapping", source.span(0, 0)).arg("found", found));
    } else if named {
        seen.problems.push(Problem::new("unrecognised-file", source.span(0, 0)).arg("file", source.name()));
    }
}

/// What a member is configured with: a file or the files of a directory, and the environment of its service.
pub(super) struct Local<'a> {
    /// Every file, in the order in which Patroni reads them.
    pub(super) files: Vec<(&'a Seen, &'a Tree)>,
    /// Variables that stand beside it.
    pub(super) environment: &'a [Variable],
    /// Patroni is pointed at their directory.
    pub(super) is_directory: bool,
}

/// A configuration with its problems and secrets.
pub(super) struct Loaded {
    pub(super) file: PatroniFile,
    pub(super) problems: Vec<Problem>,
    pub(super) secret_spans: Vec<Span>,
    pub(super) secrets: Vec<(SourceId, Secret)>,
}

/// Joins a member's files and environment as Patroni does, and checks the keys of the result. `None` without any file.
fn load(local: &Local<'_>, reader: &dyn Reader, layout: &Layout) -> Option<Loaded> {
    let (first, tree) = local.files.first()?;
    let version = layout.at(first.source.path()).patroni;
    let directory = first.source.path().and_then(Path::parent).filter(|_| local.is_directory);
    let parsed = directory.and_then(|dir| Patroni::load_directory(reader, dir, local.environment, version).ok());
    let parsed = parsed.unwrap_or_else(|| Patroni::load_file(tree, local.environment, version));
    let mut problems = parsed.problems;
    let mut secret_spans = parsed.tree.secret_spans();
    if !parsed.tree.is_complete() {
        let broken = local.files.iter().filter(|(seen, _)| seen.source.template().is_none());
        secret_spans.extend(broken.flat_map(|(seen, _)| spans_in_text(&seen.source)));
    }
    problems.extend(patroni_keys::check_keys(&parsed.tree));
    let scripts = scripts::find(&parsed.tree, first.source.path(), reader);
    let file = PatroniFile {
        source: Arc::clone(&first.source),
        config: parsed.tree,
        mode: first.mode,
        version,
        scripts,
        dynamic_from: DynamicFrom::File,
        written_dynamic: None,
    };
    let secrets = file.secrets().into_iter().filter_map(|s| match &s.item.value {
        ItemValue::Secret(value, _) => Some((s.item.span.source, value.clone())),
        _ => None,
    });
    let secrets = secrets.collect();
    Some(Loaded { file, problems, secret_spans, secrets })
}
