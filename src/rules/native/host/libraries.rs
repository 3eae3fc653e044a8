//! Libraries that a server needs, on the hosts of all members.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::gap::{Fact, Gap};
use crate::facts::{Cluster, Facts};
use crate::rules::native::on_host::{OnHost, each};
use crate::rules::report::Report;
use crate::source::{Span, Spanned};

const PRELOAD: &str = "shared_preload_libraries";

/// The directory of programs and the libraries of the server there.
fn libraries<'a>(on: &OnHost<'a>) -> Fact<(Spanned<&'a str>, &'a [String])> {
    let Some(dir) = on.path("postgresql.bin_dir")? else {
        return on.gap("`postgresql.bin_dir` (beside which libraries are looked for)");
    };
    let Some(programs) = on.host.value().programs.get(dir.value) else {
        return on.gap(format!("the libraries beside {}", dir.value));
    };
    Ok((dir, on.node.answer("the libraries of the server", &programs.libraries)?))
}

/// Reports a library that is wanted and not there.
fn is_missing(on: &OnHost<'_>, report: &mut Report, dir: &str, name: &str, at: Span) {
    let problem = report.problem(at).arg("library", name).arg("member", on.member.name.as_str());
    report.add(problem.label(on.host.at(&["programs", dir, "libraries"]), "what is there"));
}

/// The libraries of a list that are looked for in `$libdir`. What lies elsewhere is not known.
fn plain(list: &str) -> impl Iterator<Item = &str> {
    let words = list.split(',').map(|word| word.trim().trim_matches('"'));
    let names = words.map(|word| word.strip_prefix("$libdir/").unwrap_or(word));
    names.map(|name| name.strip_suffix(".so").unwrap_or(name)).filter(|name| !name.is_empty() && !name.contains('/'))
}

/// What the server of a member loads at its next start under Patroni, with where that stands.
fn preload(facts: &Facts, on: &OnHost<'_>) -> Fact<Option<(String, Span)>> {
    if let Some(item) = on.file.known_parameter(PRELOAD).map_err(|gap| gap.on(&on.node.name))? {
        return Ok(item.as_setting().map(|text| (text, item.span)));
    }
    if let Ok(Some(row)) = on.node.setting(PRELOAD) {
        return Ok(row.get("setting").map(|text| (text.to_owned(), row.at)));
    }
    let conf = on.member.conf.as_ref().map_err(Clone::clone)?;
    let set = facts.confs[*conf].conf.effective(PRELOAD);
    Ok(set.map(|located| (located.set.value.value.clone(), located.set.value.span)))
}

/// `preload-library-missing`
pub(in crate::rules::native) fn preloaded(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    each(facts, report, |on, report| {
        let Some((list, at)) = preload(facts, on)? else { return Ok(()) };
        let mut wanted = plain(&list).peekable();
        if wanted.peek().is_none() {
            return Ok(());
        }
        let (dir, found) = libraries(on)?;
        for name in wanted.filter(|name| !found.iter().any(|f| f == name)) {
            is_missing(on, report, dir.value, name, at);
        }
        Ok(())
    });
    Ok(())
}

/// The libraries that functions of a cluster's database need, with the row of the first member that says so.
fn needed<'a>(facts: &'a Facts, cluster: &Cluster) -> BTreeMap<&'a str, Span> {
    let mut all = BTreeMap::new();
    for node in cluster.members.iter().filter_map(|member| facts.node_of(member)) {
        for row in node.rows("libraries").unwrap_or_default() {
            for name in row.get("library").filter(|l| l.starts_with("$libdir/")).into_iter().flat_map(plain) {
                all.entry(name).or_insert(row.at);
            }
        }
    }
    all
}

/// `extension-library-missing`
pub(in crate::rules::native) fn of_extensions(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    each(facts, report, |on, report| {
        let Some(cluster) = facts.clusters().iter().find(|c| c.members.iter().any(|m| m.file == on.member.file)) else {
            return Ok(());
        };
        let needed = needed(facts, cluster);
        if needed.is_empty() {
            return on.node.rows("libraries").map(drop);
        }
        let (dir, found) = libraries(on)?;
        // What keeps the server from starting is said already.
        let loaded = preload(facts, on).ok().flatten().map(|(list, _)| list).unwrap_or_default();
        let loaded: BTreeSet<&str> = plain(&loaded).collect();
        for (name, at) in needed {
            if loaded.contains(name) || found.iter().any(|f| f == name) {
                continue;
            }
            is_missing(on, report, dir.value, name, at);
        }
        Ok(())
    });
    Ok(())
}
