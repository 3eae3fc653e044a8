//! Rule files to Rust statics.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::schema::{CheckSpec, FixSpec, HbaSpec, Rule, SameSpec, SettingSpec, StepSpec, YamlKeySpec};
use crate::{example, trial};

/// Reads `rules/<area>/<id>.yml`, checks each, and returns the static slice `BUILTIN`, sorted by id, and `AREAS` beside it.
pub fn generate(dir: &Path, cases: &Path) -> Result<String, Box<dyn Error>> {
    println!("cargo::rerun-if-changed={}", dir.display());
    let mut rules = Vec::new();
    for area in sorted(dir)?.into_iter().filter(|p| p.is_dir()) {
        println!("cargo::rerun-if-changed={}", area.display());
        for file in sorted(&area)? {
            println!("cargo::rerun-if-changed={}", file.display());
            let rule = load(&file)?;
            rules.push((rule.id.to_string(), file_stem(&area), rule));
        }
    }
    rules.sort_by(|a, b| a.0.cmp(&b.0));
    if let Some(twice) = rules.windows(2).find(|w| w[0].0 == w[1].0) {
        return Err(format!("two rules are called {}", twice[0].0).into());
    }
    let mut out = String::from("/// Every rule.\npub static BUILTIN: &[Rule] = &[\n");
    for (_, _, rule) in &rules {
        writeln!(out, "{},", emit(rule))?;
    }
    out.push_str("];\n/// The folder of each rule of `BUILTIN`.\npub static AREAS: &[&str] = &[");
    for (_, area, _) in &rules {
        write!(out, "{area:?}, ")?;
    }
    out.push_str("];\n/// An example of each rule of `BUILTIN`.\npub static EXAMPLES: &[Option<Example>] = &[\n");
    println!("cargo::rerun-if-changed={}", cases.display());
    for (id, _, _) in &rules {
        out.push_str(&example::emit(cases, id));
    }
    out.push_str("];\n");
    Ok(out)
}

fn load(file: &Path) -> Result<Rule, Box<dyn Error>> {
    let rule: Rule =
        serde_yaml::from_str(&std::fs::read_to_string(file)?).map_err(|e| format!("{}: {e}", file.display()))?;
    let mut faults: Vec<String> = rule.faults().into_iter().map(|f| f.what).collect();
    if rule.id != file_stem(file) {
        faults.push(format!("the id is `{}`", rule.id));
    }
    faults.extend(trial::fault(&rule.since, rule.status, env!("CARGO_PKG_VERSION")));
    if faults.is_empty() { Ok(rule) } else { Err(format!("{}: {}", file.display(), faults.join("; ")).into()) }
}

fn file_stem(path: &Path) -> String {
    path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default()
}

fn sorted(dir: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(dir)?.map(|e| e.map(|e| e.path())).collect::<Result<_, _>>()?;
    paths.retain(|p| p.is_dir() || p.extension().is_some_and(|e| e == "yml"));
    paths.sort();
    Ok(paths)
}

fn text(s: &str) -> String {
    format!("Cow::Borrowed({s:?})")
}

fn list<T>(items: &[T], one: impl Fn(&T) -> String) -> String {
    let body: Vec<String> = items.iter().map(one).collect();
    format!("Cow::Borrowed(&[{}])", body.join(", "))
}

fn texts(items: &[std::borrow::Cow<'static, str>]) -> String {
    list(items, |t| text(t))
}

fn emit(r: &Rule) -> String {
    format!(
        "Rule {{ id: {}, summary: {}, severity: Severity::{:?}, status: Status::{:?}, since: {}, needs: {}, gate: {}, patroni: {}, postgresql: {}, \
         supersedes: {}, why: {}, references: {}, proof: {}, check: {}, message: {}, fix: {}, no_fix: {} }}",
        text(&r.id),
        text(&r.summary),
        r.severity,
        r.status,
        text(&r.since),
        list(&r.needs, |n| format!("Need::{n:?}")),
        r.gate,
        text(&r.patroni),
        text(&r.postgresql),
        texts(&r.supersedes),
        text(&r.why),
        texts(&r.references),
        text(&r.proof),
        check(&r.check),
        text(&r.message),
        r.fix.as_ref().map_or_else(|| "None".to_owned(), |f| format!("Some({})", fix(f))),
        text(&r.no_fix),
    )
}

fn fix(f: &FixSpec) -> String {
    format!(
        "FixSpec {{ title: {}, safety: Safety::{:?}, because: {}, steps: {} }}",
        text(&f.title),
        f.safety,
        text(&f.because),
        list(&f.steps, step)
    )
}

fn step(s: &StepSpec) -> String {
    match s {
        StepSpec::Edit(_) => "StepSpec::Edit(Nothing {})".to_owned(),
        StepSpec::Reload(_) => "StepSpec::Reload(Nothing {})".to_owned(),
        StepSpec::Restart(_) => "StepSpec::Restart(Nothing {})".to_owned(),
        StepSpec::SetDynamic { key, value } => {
            format!("StepSpec::SetDynamic {{ key: {}, value: {} }}", text(key), text(value))
        }
        StepSpec::Sql(t) => format!("StepSpec::Sql({})", text(t)),
        StepSpec::Command(t) => format!("StepSpec::Command({})", text(t)),
        StepSpec::Human(t) => format!("StepSpec::Human({})", text(t)),
    }
}

fn check(c: &CheckSpec) -> String {
    match c {
        CheckSpec::Parser(t) => format!("CheckSpec::Parser({})", text(t)),
        CheckSpec::Engine(t) => format!("CheckSpec::Engine({})", text(t)),
        CheckSpec::Native(t) => format!("CheckSpec::Native({})", text(t)),
        CheckSpec::Setting(SettingSpec { name, places, bad }) => format!(
            "CheckSpec::Setting(SettingSpec {{ name: {}, places: {}, bad: {} }})",
            text(name),
            list(places, |p| format!("Place::{p:?}")),
            texts(bad)
        ),
        CheckSpec::YamlKey(YamlKeySpec { path, within, absent, present, one_of, not_matching, unless }) => format!(
            "CheckSpec::YamlKey(YamlKeySpec {{ path: {}, within: {}, absent: {absent}, present: {present}, one_of: {}, not_matching: {}, unless: {} }})",
            text(path),
            text(within),
            texts(one_of),
            text(not_matching),
            texts(unless)
        ),
        CheckSpec::SameOnAllMembers(SameSpec { paths, secret }) => format!(
            "CheckSpec::SameOnAllMembers(SameSpec {{ paths: {}, secret: {secret} }})",
            list(paths, |p| format!(
                "SamePath {{ path: {}, default: {}, slashes: {} }}",
                text(&p.path),
                text(&p.default),
                p.slashes
            ))
        ),
        CheckSpec::Hba(HbaSpec { types, methods, databases, remote }) => format!(
            "CheckSpec::Hba(HbaSpec {{ types: {}, methods: {}, databases: {}, remote: {remote} }})",
            texts(types),
            texts(methods),
            texts(databases)
        ),
        CheckSpec::File(f) => format!(
            "CheckSpec::File(FileSpec {{ of: FileOf::{:?}, with_secrets: {}, forbidden_mode: {} }})",
            f.of, f.with_secrets, f.forbidden_mode
        ),
        CheckSpec::Rows(r) => {
            format!("CheckSpec::Rows(RowsSpec {{ query: {}, key: {} }})", text(&r.query), text(&r.key))
        }
    }
}
