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
    match file.config.get(&spec.path) {
        Some(item) => {
            let bad = spec.one_of.iter().any(|text| item.is_yaml(text));
            if spec.present || bad {
                report.add(report.problem(item.key_or_value()).arg("path", &*spec.path));
            }
        }
        None if !spec.absent || file.is_misspelt(&spec.path) => {}
        None if file.is_absent(&spec.path) => {
            report.add(report.problem(file.place_of(&spec.path)).arg("path", &*spec.path));
        }
        None => {
            report.known::<()>(Err(Gap::new(format!("`{}`", spec.path), GapReason::Unreadable).on(file.source.name())));
        }
    }
}
