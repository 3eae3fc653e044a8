//! The page of an environment variable.

use super::{Page, Subject};
use crate::knowledge::patroni::{DCS_SECTIONS, Read, Variable, Version, variables};

/// The common beginning of all names.
pub(super) const PREFIX: &str = "PATRONI_";

pub(super) fn page(name: &str, row: &Variable) -> Page {
    let path = concrete(name, row);
    let mut page = Page::new(
        Subject::Variable,
        format!("{PREFIX}{name}"),
        format!("environment variable of Patroni, sets `{path}`"),
    );
    page.fact("read", reading(row.read));
    page.fact("wins", "over the files; not where PATRONI_CONFIGURATION is set and no file is read");
    page.fact("change", "restart of Patroni: the environment is read once");
    let mut releases = Vec::new();
    if row.lifetime.begins() > Version::new(3, 0, 0) {
        let since: Vec<String> = row.lifetime.since.iter().map(ToString::to_string).collect();
        releases.push(format!("since {}", since.join(", ")));
    }
    releases.extend(row.lifetime.removed.map(|r| format!("no longer read since {r}")));
    releases.extend(row.renamed.map(|new| format!("now {PREFIX}{new}")));
    page.fact("releases", releases.join("; "));
    page
}

/// The row of a variable's name, without the prefix: the one that names it, else that of any section.
pub(super) fn row(name: &str) -> Option<&'static Variable> {
    let covers = |r: &&Variable| r.lifetime.covers(Version::LATEST);
    let exact = || variables().iter().filter(|r| r.name == name);
    exact().find(covers).or_else(|| exact().next_back()).or_else(|| {
        let (section, rest) = name.split_once('_')?;
        let known = DCS_SECTIONS.iter().any(|s| s.eq_ignore_ascii_case(section)) || section == "CITUS";
        let general = format!("<SECTION>_{rest}");
        known.then(|| variables().iter().find(|r| r.name == general))?
    })
}

/// The key that a variable sets.
pub(super) fn concrete(name: &str, row: &Variable) -> String {
    let section = name.split('_').next().unwrap_or_default().to_lowercase();
    row.path.replace("<section>", &section)
}

/// The variables that set a key in the newest release.
pub(super) fn of_key(path: &str) -> Vec<String> {
    let current = || variables().iter().filter(|r| r.lifetime.covers(Version::LATEST) && r.renamed.is_none());
    let named: Vec<String> = current().filter(|r| r.path == path).map(|r| format!("{PREFIX}{}", r.name)).collect();
    if !named.is_empty() {
        return named;
    }
    let Some((section, key)) = path.split_once('.').filter(|(s, _)| DCS_SECTIONS.contains(s)) else { return named };
    let general = format!("<section>.{key}");
    let of_section = current().filter(|r| r.path == general);
    of_section.map(|r| format!("{PREFIX}{}", r.name.replace("<SECTION>", &section.to_uppercase()))).collect()
}

/// The names of all variables, those of each DCS section written out.
pub(super) fn names() -> impl Iterator<Item = String> {
    variables().iter().filter(|r| !r.name.starts_with("<USER>")).flat_map(|r| {
        let sections: &[&str] = if r.name.starts_with("<SECTION>") { &DCS_SECTIONS } else { &[""] };
        sections.iter().map(move |s| format!("{PREFIX}{}", r.name.replace("<SECTION>", &s.to_uppercase())))
    })
}

const fn reading(read: Read) -> &'static str {
    match read {
        Read::Text => "as text; an empty one counts as absent",
        Read::Raw => "as text, an empty one too",
        Read::Int => "as an integer; what is none counts as absent",
        Read::IntOrEmpty => "as an integer; what is none counts as absent, an empty text stays an empty text",
        Read::Bool => "as on/off, yes/no, true/false, 1/0; anything else counts as absent",
        Read::List => "as a list, separated by commas, or as YAML",
        Read::ListOrEmpty => "as a list, separated by commas, or as YAML; an empty text stays an empty text",
        Read::Dict => "as a map, `key: value` separated by commas, or as YAML",
        Read::Format => "as text when it holds `%(name)`, else as a list",
        Read::Options => "as a list, and only beside the `_PASSWORD` of the same name",
        Read::TextInSection => "as text, and only when another variable has set a key of that section",
    }
}
