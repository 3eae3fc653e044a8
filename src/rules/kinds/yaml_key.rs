//! `yaml-key`: a key of Patroni's configuration that is absent, present, or holds a bad value.

use crate::facts::gap::{Gap, GapReason};
use crate::facts::{Facts, PatroniFile};
use crate::parse::patroni::{Item, Type};
use crate::rules::report::Report;
use crate::rules::schema::YamlKeySpec;

/// Reports each file in which the key is not as it should be.
///
/// # Errors
/// Never: a file that is broken at that place is noted as a gap.
pub fn check(spec: &YamlKeySpec, facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in &facts.patroni {
        let out_of_scope = !spec.within.is_empty() && file.config.get(&spec.within).is_none();
        let excused = spec.unless.iter().any(|path| file.config.get(path).is_some_and(says_something));
        if out_of_scope || excused {
            continue;
        }
        look(spec, file, report);
    }
    Ok(())
}

/// Whether a key beside it is so much like the wanted one that it was meant; that it is unknown has a finding of its own.
fn is_misspelt(file: &PatroniFile, path: &str) -> bool {
    let (parent, name) = path.rsplit_once('.').unwrap_or(("", path));
    let section = if parent.is_empty() { Some(file.config.root()) } else { file.config.get(parent) };
    let near = |key: &str| key != name && name.len() > 4 && strsim::damerau_levenshtein(key, name) <= 2;
    section.is_some_and(|s| s.pairs().iter().any(|p| p.key.value.as_str().is_some_and(near)))
}

/// Whether a value excuses: not one that switches off or is empty.
fn says_something(item: &Item) -> bool {
    let empty = match item.kind() {
        Type::Null => true,
        Type::List => item.items().is_empty(),
        Type::Map => item.pairs().is_empty(),
        _ => item.is_yaml("false") || item.as_str().is_some_and(|t| t.is_empty() || t == "none"),
    };
    !empty
}

fn look(spec: &YamlKeySpec, file: &PatroniFile, report: &mut Report) {
    let at = match file.config.get(&spec.path) {
        Some(item) if spec.present || spec.one_of.iter().any(|text| item.is_yaml(text)) => item.key_or_value(),
        None if !spec.absent || is_misspelt(file, &spec.path) => return,
        None if file.is_absent(&spec.path) => file.place_of(&spec.path),
        None => {
            report.known::<()>(Err(unknown(&spec.path, file)));
            return;
        }
        Some(_) => return,
    };
    // Where a template decides whether something excuses it, nothing is wrong for certain.
    let decided = |path: &str| file.config.get(path).is_some() || file.is_absent(path);
    match spec.unless.iter().find(|path| file.config.is_complete() && !decided(path)) {
        Some(path) => drop(report.known::<()>(Err(unknown(path, file)))),
        None => report.add(report.problem(at).arg("path", &*spec.path)),
    }
}

fn unknown(path: &str, file: &PatroniFile) -> Gap {
    Gap::new(format!("`{path}`"), GapReason::Unreadable).on(file.source.name())
}
