//! Libraries that the databases and the settings of a server name, and that the new major does not have.

use std::collections::BTreeMap;

use crate::facts::Facts;
use crate::facts::gap::{Fact, Gap};
use crate::rules::native::upgrade::{Upgraded, each_primary, listed};
use crate::rules::report::Report;
use crate::source::Span;

/// Settings that hold names of libraries.
const PRELOADED: [&str; 3] = ["shared_preload_libraries", "session_preload_libraries", "local_preload_libraries"];

/// `upgrade-extensions-libs`
pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    each_primary(facts, report, |on, report| {
        let server = on.new_server()?;
        let names = on.node.answer("the libraries of the new major", &server.value().libraries)?;
        let (wanted, gap) = wanted(on)?;
        let is_there = |file: &str| names.iter().any(|name| name == file);
        let mut missing = Vec::new();
        let mut unknown = None;
        let mut places = Vec::new();
        for (library, (who, at)) in &wanted {
            match file_of(library) {
                Some(file) if file.contains('/') => {
                    unknown.get_or_insert_with(|| on.node.not_asked(&format!("`{library}` of the new major")));
                    continue;
                }
                Some(file) if is_there(&file) => continue,
                Some(_) => missing.push(format!("`{library}` ({who})")),
                // The path stays as it is, and with it the library of the old major.
                None => missing.push(format!("`{library}`, a library of the old major by its path ({who})")),
            }
            places.push(*at);
        }
        if let Some(first) = places.first() {
            report.add(
                report
                    .problem(*first)
                    .arg("member", &*on.node.name)
                    .arg("missing", listed(&missing))
                    .arg("to", on.to.to_string())
                    .label(server.at(&["libraries"]), "what there is"),
            );
        }
        gap.or(unknown).map_or(Ok(()), Err)
    });
    Ok(())
}

/// What is wanted, by whom, and where that is said.
type Wanted = BTreeMap<String, (String, Span)>;

/// The libraries that are wanted, and the first thing that could not be looked at.
fn wanted(on: &Upgraded<'_>) -> Fact<(Wanted, Option<Gap>)> {
    let mut wanted = Wanted::new();
    let mut gap = None;
    for name in PRELOADED {
        let Some(row) = on.node.setting(name)? else { continue };
        let libraries = row.get("setting").unwrap_or_default().split(',').map(|l| l.trim().trim_matches('"'));
        for library in libraries.filter(|l| !l.is_empty()) {
            wanted.entry(library.to_owned()).or_insert_with(|| (name.to_owned(), row.at));
        }
    }
    for (database, answers) in &on.ready()?.databases {
        let rows = answers.as_ref().map_err(Clone::clone).and_then(|answers| match answers.get("libraries") {
            Some(rows) => rows.as_ref().map_err(Clone::clone),
            None => Err(on.node.not_asked(&format!("the libraries of database `{database}`"))),
        });
        match rows {
            Ok(rows) => {
                for row in rows {
                    let library = row.get("library").unwrap_or_default().to_owned();
                    wanted.entry(library).or_insert_with(|| (format!("database {database}"), row.at));
                }
            }
            Err(why) => drop(gap.get_or_insert(why)),
        }
    }
    if on.ready()?.databases.is_empty() {
        gap = Some(on.node.not_asked("what is in the databases"));
    }
    Ok((wanted, gap))
}

/// The file below `$libdir` that a name stands for; `None` for a path of its own.
fn file_of(library: &str) -> Option<String> {
    let name = library.strip_prefix("$libdir/").unwrap_or(library);
    if name.starts_with('/') {
        return None;
    }
    Some(format!("{}.so", name.strip_suffix(".so").unwrap_or(name)))
}

#[cfg(test)]
mod tests {
    use super::file_of;

    #[test]
    fn names_of_libraries_are_files() {
        for (library, file) in [
            ("$libdir/pg_trgm", Some("pg_trgm.so")),
            ("pg_stat_statements", Some("pg_stat_statements.so")),
            ("$libdir/plugins/x", Some("plugins/x.so")),
            ("x.so", Some("x.so")),
            ("/usr/lib/postgresql/15/lib/x", None),
        ] {
            assert_eq!(file_of(library).as_deref(), file, "{library}");
        }
    }
}
