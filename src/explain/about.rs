//! Which rules speak of a name.

use crate::rules::builtin::BUILTIN;
use crate::rules::schema::{CheckSpec, Rule, StepSpec};

/// The ids of the rules whose check or words name it. `path` is the whole path of a key, for a setting its name again.
pub(super) fn rules_about(name: &str, path: &str) -> Vec<String> {
    BUILTIN
        .iter()
        .filter(|rule| checks(rule, name, path) || mends(rule, path) || speaks(rule, name, path))
        .map(|r| r.id.to_string())
        .collect()
}

fn checks(rule: &Rule, name: &str, path: &str) -> bool {
    match &rule.check {
        CheckSpec::Setting(spec) => spec.name.eq_ignore_ascii_case(name) && name == path,
        CheckSpec::YamlKey(spec) => spec.path == path,
        CheckSpec::SameOnAllMembers(spec) => spec.paths.iter().any(|p| p.path == path),
        _ => false,
    }
}

/// Whether its fix sets the key in the dynamic configuration.
fn mends(rule: &Rule, path: &str) -> bool {
    let key = path.strip_prefix("bootstrap.dcs.").unwrap_or(path);
    let steps = rule.fix.as_ref().map_or(&[][..], |fix| &fix.steps);
    steps.iter().any(|step| matches!(step, StepSpec::SetDynamic { key: set, .. } if set == key))
}

/// Whether its words hold the name. One that is also a plain word must stand there as code.
fn speaks(rule: &Rule, name: &str, path: &str) -> bool {
    let fix = rule.fix.as_ref().map_or("", |f| &f.title);
    let words = [&*rule.summary, &*rule.why, &*rule.message, fix];
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    let whole = |text: &str, part: &str| text.split(|c: char| !is_word(c)).any(|w| w.trim_matches('.') == part);
    let named = |part: &str| {
        let as_code = format!("`{part}`");
        words.iter().any(|t| t.contains(&as_code) || part.contains(['_', '.']) && whole(t, part))
    };
    named(path) || named(name)
}
