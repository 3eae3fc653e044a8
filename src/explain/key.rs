//! The page of a key of Patroni.

use super::about::rules_about;
use super::variable;
use super::{Page, Subject};
use crate::facts::patroni_keys::{bounds, expectation};
use crate::knowledge::patroni::{KeyFact, Kind, Need, Place, Version, counts_after_restart, key};

/// Where a key of the dynamic configuration stands in a file, while there is no other.
const SEED: &str = "bootstrap.dcs.";

pub(super) fn page(row: &KeyFact) -> Page {
    let variables = variable::of_key(row.path);
    let mut page = Page::new(Subject::Key, row.path, format!("key of Patroni, {}", place(row)));
    page.fact("value", value_of(row));
    page.fact("default", row.default.unwrap_or_default());
    page.fact("where", whereabouts(row));
    page.fact("wins", wins(row, !variables.is_empty()));
    page.fact("change", change(row, !variables.is_empty()));
    page.fact("variable", variables.join(", "));
    page.fact("releases", lifetime(row));
    page.fact("required", required(row));
    page.fact("secret", if row.secret { "its value is shown nowhere" } else { "" });
    page.fact("read by", row.source);
    let name = row.path.rsplit('.').next().unwrap_or(row.path);
    page.rules = rules_about(name, row.path);
    page
}

/// A key in a few sentences, for where there is no room for a page.
#[must_use]
pub fn describe(row: &KeyFact) -> String {
    let default = row.default.map(|d| format!("Default: {d}.")).unwrap_or_default();
    let variables = variable::of_key(row.path);
    let variable = if variables.is_empty() { String::new() } else { format!("Variable: {}.", variables.join(", ")) };
    let lifetime = lifetime(row);
    let lifetime = if lifetime.is_empty() { lifetime } else { format!("Patroni: {lifetime}.") };
    let wins = wins(row, !variables.is_empty());
    let parts = [default, format!("{}.", capital(place(row))), format!("{}.", capital(wins)), variable, lifetime];
    parts.into_iter().filter(|p| p.len() > 1).collect::<Vec<_>>().join(" ")
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|c| c.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// Whether a key is read from files and from the dynamic configuration too.
fn has_twin(row: &KeyFact) -> bool {
    match row.path.strip_prefix(SEED) {
        Some(local) => key(local).is_some(),
        None => row.place == Place::Both || key(&format!("{SEED}{}", row.path)).is_some(),
    }
}

fn place(row: &KeyFact) -> &'static str {
    match row.place {
        Place::Bootstrap => "read once, by the member that makes a new cluster",
        Place::Dynamic => "read from the dynamic configuration, which is one for all members",
        Place::Local | Place::Both => "read from the configuration of each member",
    }
}

/// What may stand there, in words.
#[must_use]
pub fn value_of(row: &KeyFact) -> String {
    let kind = match row.kind {
        Kind::Enum if !row.words.is_empty() => format!("one of {}, in any case", row.words.join(", ")),
        Kind::ExactEnum if !row.words.is_empty() => format!("one of {}", row.words.join(", ")),
        Kind::Bool if !row.words.is_empty() => format!("a boolean, or {}", row.words.join(", ")),
        Kind::Text => "a string, or another single value, which is taken as text".to_owned(),
        Kind::Int => "an integer; a text that holds one will do".to_owned(),
        Kind::Free => "a section with names of your choice".to_owned(),
        Kind::Map => "a section with known keys".to_owned(),
        Kind::Maps => "a list of sections".to_owned(),
        Kind::Address => "an address, host:port".to_owned(),
        kind => expectation(kind).to_owned(),
    };
    let bounds = bounds(row);
    if bounds.is_empty() { kind } else { format!("{kind}; {bounds}") }
}

fn whereabouts(row: &KeyFact) -> String {
    match row.path.strip_prefix(SEED) {
        Some(key) => format!(
            "`{key}` in the dynamic configuration (`patronictl show-config`); `{}` of a file counts once, while the store holds no configuration",
            row.path
        ),
        None => String::new(),
    }
}

fn wins(row: &KeyFact, has_variable: bool) -> &'static str {
    match row.place {
        Place::Bootstrap => "nothing else; on a server that exists already it has no effect",
        _ if row.path.ends_with("postgresql.parameters") => {
            "setting by setting the files over the dynamic configuration; those that Patroni gives on the command line count only in the latter"
        }
        _ if has_twin(row) => "the files over the dynamic configuration",
        Place::Dynamic => "the dynamic configuration; the same key in a file has no effect",
        _ if has_variable => "the environment over the files; the dynamic configuration has no say",
        _ => "the files; the dynamic configuration has no say",
    }
}

fn change(row: &KeyFact, has_variable: bool) -> &'static str {
    match row.place {
        Place::Dynamic if has_twin(row) => "patronictl edit-config; it counts where no file sets it",
        Place::Dynamic => "patronictl edit-config; each member takes it in its next loop",
        Place::Bootstrap => "nothing changes once the cluster exists",
        Place::Local | Place::Both if counts_after_restart(row) => {
            "restart of Patroni on the member; PostgreSQL goes on only while the cluster is paused"
        }
        Place::Local | Place::Both if has_variable => {
            "the file, then patronictl reload; the variable needs a restart of Patroni"
        }
        Place::Local | Place::Both => "the file, then patronictl reload",
    }
}

fn lifetime(row: &KeyFact) -> String {
    let mut parts = Vec::new();
    let first = Version::new(3, 0, 0);
    if row.lifetime.begins() > first {
        let since: Vec<String> = row.lifetime.since.iter().map(ToString::to_string).collect();
        parts.push(format!("since {}", since.join(", ")));
    }
    if let Some(removed) = row.lifetime.removed {
        parts.push(format!("no longer read since {removed}"));
    }
    if row.deprecated {
        parts.push("an old name".to_owned());
    }
    if let Some(new) = row.renamed {
        parts.push(format!("now `{new}`"));
    }
    parts.join("; ")
}

fn required(row: &KeyFact) -> &'static str {
    match (row.required, row.need) {
        (true, _) => "Patroni does not start without it",
        (false, Need::Always) => "only `patroni --validate-config` insists on it",
        (false, Need::Sibling) => "`patroni --validate-config` insists on it or one beside it",
        (false, Need::Never) => "",
    }
}
