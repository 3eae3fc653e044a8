//! `preflight.toml`: how bad which rule is here, and from where on a run fails.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use crate::rules::engine::Selection;
use crate::rules::schema::{Rule, Severity};

/// The name that is looked for in the current directory.
pub const FILE_NAME: &str = "preflight.toml";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Raw {
    #[serde(default)]
    fail_on: Option<Severity>,
    #[serde(default)]
    severity: BTreeMap<Spanned<String>, Choice>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Choice {
    Off,
    Note,
    Warning,
    Error,
}

/// A configuration that was understood.
#[derive(Debug, Default)]
pub struct Config {
    /// Least severity that makes the exit code 1, unless the command line says otherwise.
    pub fail_on: Option<Severity>,
    /// Which rules run, and how bad each is.
    pub selection: Selection,
}

/// Reads a configuration; `name` is what the file is called in messages.
///
/// # Errors
/// A message with file, line and column, for a text that is no such configuration or names a rule that does not exist.
pub fn parse(name: &str, text: &str, rules: &[Rule]) -> Result<Config, String> {
    let raw: Raw = toml::from_str(text).map_err(|e| {
        let at = e.span().map_or(0, |s| s.start);
        format!("{}: {}", position(name, text, at), e.message())
    })?;
    let mut selection = Selection::default();
    for (id, choice) in raw.severity {
        if rules.binary_search_by(|r| (*r.id).cmp(id.get_ref())).is_err() {
            return Err(format!("{}: there is no rule `{}`", position(name, text, id.span().start), id.get_ref()));
        }
        let severity = match choice {
            Choice::Off => None,
            Choice::Note => Some(Severity::Note),
            Choice::Warning => Some(Severity::Warning),
            Choice::Error => Some(Severity::Error),
        };
        selection.severities.insert(id.into_inner(), severity);
    }
    Ok(Config { fail_on: raw.fail_on, selection })
}

fn position(name: &str, text: &str, byte: usize) -> String {
    let before = text.get(..byte).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("{name}:{line}:{column}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::builtin::BUILTIN;

    #[test]
    fn changes_severities_and_switches_off() {
        let text = "fail-on = \"warning\"\n[severity]\nunused-allow = \"off\"\n\"rewind-disabled\" = \"error\"\n";
        let config = parse("p.toml", text, BUILTIN).expect("valid");
        assert_eq!(config.fail_on, Some(Severity::Warning));
        assert_eq!(config.selection.severities["unused-allow"], None);
        assert_eq!(config.selection.severities["rewind-disabled"], Some(Severity::Error));
    }

    #[test]
    fn says_where_it_is_wrong() {
        let wrong = parse("p.toml", "[severity]\nno-such = \"off\"\n", BUILTIN).expect_err("unknown rule");
        assert_eq!(wrong, "p.toml:2:1: there is no rule `no-such`");
        let wrong = parse("p.toml", "x = 1\n", BUILTIN).expect_err("unknown key");
        assert!(wrong.starts_with("p.toml:1:1: unknown field `x`"), "{wrong}");
    }
}
