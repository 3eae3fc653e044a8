//! Our answer to a case, in the form of `tests/oracle/patroni_config.py`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use patroni_preflight::knowledge::patroni::Version;
use patroni_preflight::parse::patroni::{Crash, Item, ItemValue, Key, Patroni, Type, dynamic_configuration};
use patroni_preflight::parse::unit::Variable;
use patroni_preflight::parse::yaml::{Int, parse};
use patroni_preflight::source::{Origin, ReadError, Reader, Source, SourceMap, Spanned};
use serde_json::{Value as Json, json};

use super::generate::Case;

/// The files of a case as a directory.
struct Folder {
    map: SourceMap,
    files: Vec<(String, String)>,
}

impl Reader for Folder {
    fn read(&self, path: &Path) -> Result<Arc<Source>, ReadError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let file = self.files.iter().find(|f| f.0 == name).ok_or(ReadError::Missing)?;
        Ok(self.map.add(Origin::File(path.to_owned()), name, file.1.clone().into_bytes()))
    }

    fn list(&self, dir: &Path) -> Result<Vec<PathBuf>, ReadError> {
        Ok(self.files.iter().map(|f| dir.join(&f.0)).collect())
    }
}

fn assignments(case: &Case) -> Vec<Variable> {
    let source = Source::lone("environment", "");
    case.env
        .iter()
        .map(|(name, value)| {
            let at = source.span(0, 0);
            Variable::new(Spanned::new(name.clone(), at), Spanned::new(value.clone(), at))
        })
        .collect()
}

/// Whether a text of the case has an alias inside the value that it stands for.
pub(super) fn contains_itself(case: &Case) -> bool {
    let texts = case.files.iter().map(|f| &f.1).chain(&case.dynamic).chain(case.env.iter().map(|e| &e.1));
    texts
        .map(|text| parse(&Source::lone("text", text.as_bytes())))
        .any(|parsed| parsed.problems.iter().any(|p| p.rule == "yaml-recursive-alias"))
}

pub(super) fn answer(case: &Case) -> Json {
    let environment = assignments(case);
    let version = case.release.map_or(Version::LATEST, |v| v.parse().expect("a version"));
    let loaded = if case.directory {
        let folder = Folder { map: SourceMap::default(), files: case.files.clone() };
        Patroni::load_directory(&folder, Path::new("d"), &environment, version).expect("a folder")
    } else if let Some((name, text)) = case.files.first() {
        let parsed = parse(&Source::lone(name, text.as_bytes()));
        Patroni::load_file(&parsed.tree, &environment, version)
    } else {
        let at = Source::lone("environment", "").span(0, 0);
        Patroni::load_environment(&environment, version, at)
    };
    let patroni = loaded.tree;
    let effective = match patroni.effective(None) {
        Ok(effective) => canonical(&effective),
        Err(crash) => return error(&crash),
    };
    let mut out = json!({"local": canonical(patroni.root()), "effective": effective});
    if let Some(text) = &case.dynamic {
        let parsed = parse(&Source::lone("dynamic", text.as_bytes()));
        let dynamic = dynamic_configuration(&parsed.tree);
        if !parsed.tree.is_complete() {
            out["with_dynamic"] = json!({"error": "YAMLError"});
            return out;
        }
        out["with_dynamic"] = patroni.effective(Some(&dynamic)).map_or_else(|c| error(&c), |i| canonical(&i));
    }
    out
}

fn error(crash: &Crash) -> Json {
    json!({"error": crash.exception})
}

fn canonical(item: &Item) -> Json {
    match &item.value {
        ItemValue::Null => Json::Null,
        ItemValue::Bool(b) => json!(b),
        ItemValue::Int(Int::Small(n)) => json!(["i", n.to_string()]),
        ItemValue::Int(Int::Big(n)) => json!(["i", n]),
        ItemValue::Float(x) => json!(["f", float(*x)]),
        ItemValue::Str(text) => json!(text),
        ItemValue::Secret(secret, kind) => match kind {
            Type::Bool => json!(secret.reveal() == "True"),
            Type::Int => json!(["i", secret.reveal()]),
            Type::Float => json!(["f", secret.reveal()]),
            Type::Str => json!(secret.reveal()),
            Type::Date => json!(["o", secret.reveal().replacen(' ', "T", 1)]),
            _ => json!(["o", secret.reveal()]),
        },
        ItemValue::Other(text, _) => json!(["o", text]),
        ItemValue::List(items) => json!(["l", items.iter().map(canonical).collect::<Vec<_>>()]),
        ItemValue::Map(pairs) => {
            let mut sorted: Vec<(String, Json)> =
                pairs.iter().map(|p| (key(&p.key.value), canonical(&p.item))).collect();
            sorted.sort_by(|a, b| a.0.cmp(&b.0));
            json!(["d", sorted])
        }
        ItemValue::Unknown => json!(["unknown"]),
    }
}

fn float(x: f64) -> String {
    Key::Float(x).repr()
}

#[expect(clippy::cast_possible_truncation, reason = "the number is whole and small")]
fn key(key: &Key) -> String {
    match key {
        Key::Null => "n".to_owned(),
        Key::Bool(b) => format!("i{}", i32::from(*b)),
        Key::Int(Int::Small(n)) if n.abs() < 9_000_000_000_000_000 => format!("i{n}"),
        Key::Int(n) => format!("#{}", Key::Int(n.clone()).repr()),
        Key::Float(x) if x.fract() == 0.0 && x.abs() < 9e15 => format!("i{}", *x as i64),
        Key::Float(x) => format!("#{}", float(*x)),
        Key::Str(text) => format!("s{text}"),
        Key::Other(text) => format!("o{text}"),
    }
}
