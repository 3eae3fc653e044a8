//! What is done to arbitrary bytes: each parser must return, and must point only into its text.
//!
//! The libFuzzer targets and the short test in `tests/fuzz_smoke.rs` share these functions.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use patroni_preflight::facts::patroni_keys::check_keys;
use patroni_preflight::knowledge::patroni::Version;
use patroni_preflight::parse;
use patroni_preflight::parse::patroni::Patroni;
use patroni_preflight::problem::Problem;
use patroni_preflight::source::{ReadError, Reader, Source, Span};

/// A target by its name, which is also that of its seeds' directory.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: &[Target] = &[
    ("conf", conf),
    ("hba", hba),
    ("ident", ident),
    ("patroni", patroni),
    ("sql", sql),
    ("template", template),
    ("unit", unit),
    ("yaml", yaml),
];

/// No other file exists.
struct Nothing;

impl Reader for Nothing {
    fn read(&self, _: &Path) -> Result<Arc<Source>, ReadError> {
        Err(ReadError::Missing)
    }

    fn list(&self, _: &Path) -> Result<Vec<PathBuf>, ReadError> {
        Err(ReadError::Missing)
    }
}

fn within(source: &Source, span: Span) {
    assert!(span.start <= span.end && span.end as usize <= source.bytes().len(), "{span:?} lies outside of the text");
}

fn problems(source: &Source, problems: &[Problem]) {
    for problem in problems {
        within(source, problem.at);
        problem.labels.iter().for_each(|(span, _)| within(source, *span));
        for edit in &problem.edits {
            within(source, edit.at);
        }
    }
}

/// postgresql.conf
pub fn conf(data: &[u8]) {
    let source = Source::lone("postgresql.conf", data);
    problems(&source, &parse::conf::parse(&source).problems);
}

/// `pg_hba.conf`, by the first version and the last one
pub fn hba(data: &[u8]) {
    let source = Source::lone("pg_hba.conf", data);
    for version in [13, 18] {
        problems(&source, &parse::hba::parse(&source, &Nothing, version).problems);
    }
}

/// Patroni's configuration, with the text before the first zero byte as its environment.
pub fn patroni(data: &[u8]) {
    let cut = data.iter().position(|b| *b == 0);
    let (environment, file) = cut.map_or((&[][..], data), |at| (&data[..at], &data[at + 1..]));
    let variables = parse::unit::parse_env_file(&Source::lone("patroni.env", environment)).tree;
    let source = Source::lone("patroni.yml", file);
    let tree = parse::yaml::parse(&source).tree;
    let alone = Patroni::load_file(&tree, &[], Version::LATEST);
    problems(&source, &alone.problems);
    problems(&source, &check_keys(&alone.tree));
    for span in alone.tree.secret_spans().into_iter().chain(parse::patroni::spans_in_text(&source)) {
        within(&source, span);
    }
    let joined = Patroni::load_file(&tree, &variables, Version::new(3, 0, 0)).tree;
    let _ = (joined.effective(None), joined.namespace(), joined.listen(), check_keys(&joined));
}

/// `pg_ident.conf`
pub fn ident(data: &[u8]) {
    let source = Source::lone("pg_ident.conf", data);
    for version in [13, 18] {
        problems(&source, &parse::ident::parse(&source, &Nothing, version).problems);
    }
}

/// Role scripts
pub fn sql(data: &[u8]) {
    let source = Source::lone("roles.sql", data);
    let parsed = parse::sql::parse(&source);
    problems(&source, &parsed.problems);
    for role in parsed.tree.roles().values() {
        within(&source, role.named);
        role.attributes.values().for_each(|a| within(&source, a.span));
        if let Some(p) = &role.password {
            within(&source, p.span);
        }
    }
    parsed.tree.function_grants().iter().for_each(|g| within(&source, g.role.span));
}

/// Templates: the first byte chooses the engine, the second the format.
pub fn template(data: &[u8]) {
    use parse::template::{Engine, Format};
    const ENGINES: [Engine; 6] =
        [Engine::Jinja, Engine::Go, Engine::Erb, Engine::Terraform, Engine::Other, Engine::Undeclared];
    const FORMATS: [Format; 4] = [Format::Yaml, Format::Lines, Format::Unit, Format::Sql];
    let [engine, format, text @ ..] = data else { return };
    let (engine, format) = (ENGINES[usize::from(*engine) % 6], FORMATS[usize::from(*format) % 4]);
    let Some(template) = parse::template::scan(text, engine, format) else { return };
    assert_eq!(template.text.len(), text.len());
    let ascending = |ranges: &[std::ops::Range<usize>]| {
        assert!(ranges.iter().all(|r| r.start < r.end && r.end <= text.len()));
        assert!(ranges.windows(2).all(|pair| pair[0].end <= pair[1].start));
    };
    ascending(&template.holes);
    ascending(&template.insertions.iter().map(|i| i.range.clone()).filter(|r| !r.is_empty()).collect::<Vec<_>>());
    assert!(template.branches.iter().all(|b| b.range.start <= b.range.end && b.range.end <= text.len()));
    let source = Source::lone("patroni.yml.j2", text).with_template(Some(template));
    problems(&source, parse::template::problem(&source).as_slice());
    match format {
        Format::Yaml => {
            let tree = parse::yaml::parse(&source);
            problems(&source, &tree.problems);
            let loaded = Patroni::load_file(&tree.tree, &[], Version::LATEST);
            problems(&source, &check_keys(&loaded.tree));
            let _ = loaded.tree.effective(None);
        }
        Format::Lines => {
            problems(&source, &parse::conf::parse(&source).problems);
            problems(&source, &parse::hba::parse(&source, &Nothing, 18).problems);
            problems(&source, &parse::ident::parse(&source, &Nothing, 18).problems);
        }
        Format::Unit => {
            problems(&source, &parse::unit::parse(&source).problems);
            problems(&source, &parse::unit::parse_env_file(&source).problems);
        }
        Format::Sql => problems(&source, &parse::sql::parse(&source).problems),
    }
}

/// systemd units and environment files
pub fn unit(data: &[u8]) {
    let source = Source::lone("x.service", data);
    let parsed = parse::unit::parse(&source);
    problems(&source, &parsed.problems);
    for assignment in parsed.tree.assignments() {
        within(&source, assignment.key.span);
        within(&source, assignment.value.span);
        let (words, broken) = parse::unit::split_words(&assignment.value);
        for w in &words {
            within(&source, w.span);
        }
        if let Some(span) = &broken {
            within(&source, *span);
        }
    }
    let environment = parsed.tree.environment();
    problems(&source, &environment.problems);
    let file = parse::unit::parse_env_file(&source);
    problems(&source, &file.problems);
    for variable in environment.tree.iter().chain(&file.tree) {
        within(&source, variable.name.span);
        within(&source, variable.value.span);
    }
    let commands = parsed.tree.commands("ExecStart");
    problems(&source, &commands.problems);
    for command in &commands.tree {
        within(&source, command.path.span);
        for a in &command.args {
            within(&source, a.span);
        }
    }
}

/// YAML
pub fn yaml(data: &[u8]) {
    let source = Source::lone("patroni.yml", data);
    let parsed = parse::yaml::parse(&source);
    problems(&source, &parsed.problems);
    let mut open: Vec<_> = parsed.tree.root().into_iter().collect();
    // A node may contain itself.
    let mut seen = std::collections::BTreeSet::new();
    while let Some(id) = open.pop() {
        if seen.insert(id) {
            within(&source, parsed.tree.node(id).span);
            open.extend(parsed.tree.entries(id).iter().flat_map(|e| [e.key, e.value]));
        }
    }
}
