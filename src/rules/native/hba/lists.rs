//! `postgresql.pg_hba` and `postgresql.pg_ident`: what the lists replace, when they do not count, and items that are lost.

use crate::facts::gap::{Gap, GapReason};
use crate::facts::hba_shadow::catches_all;
use crate::facts::{Facts, HbaFile};
use crate::parse::hba::HbaRule;
use crate::parse::patroni::{Item, ItemValue, Type};
use crate::rules::report::Report;
use crate::source::Span;

/// How many lost lines are pointed at.
const SHOWN: usize = 5;

/// `hba-yaml-replaces-file`
pub(in crate::rules::native) fn replaces_file(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for member in facts.members() {
        let (Ok(list), Ok(today)) = (&member.hba, &member.hba_file) else { continue };
        let (list, today) = (&facts.hbas[*list], &facts.hbas[*today]);
        let file = &facts.patroni[member.file];
        let is_read = !std::ptr::eq(list, today) && file.redirected("hba_file", "pg_hba.conf").is_none();
        let Some(item) = file.postgresql("pg_hba").filter(|_| is_read) else { continue };
        // Half of a file cannot be compared; what is wrong with it has findings of its own.
        if !list.hba.perhaps.is_empty() {
            let gap = Gap::new("`postgresql.pg_hba` (a template fills in lines)", GapReason::Unreadable);
            report.known::<()>(Err(gap.on(&member.name)));
            continue;
        }
        if !list.hba.unreadable.is_empty() || !today.hba.unreadable.is_empty() || today.hba.rules.is_empty() {
            continue;
        }
        let missing: Vec<&HbaRule> = lost(list, today);
        let Some(first) = missing.first() else { continue };
        let text =
            facts.sources.get(first.span.source).text(first.span).split_whitespace().collect::<Vec<_>>().join(" ");
        // Options may hold a secret.
        let first = if first.options.is_empty() { format!("`{text}`") } else { format!("line {}", first.line) };
        let words = match missing.len() {
            1 => format!("the line {first}"),
            n => format!("{n} lines, the first being {first}"),
        };
        let mut problem = report
            .problem(item.key_or_value())
            .arg("member", member.name.as_str())
            .arg("file", today.source.name())
            .arg("lost", words);
        for rule in missing.iter().take(SHOWN) {
            problem = problem.label(rule.span, "not in the list");
        }
        report.add(problem);
    }
    Ok(())
}

/// Lines of the file of which no line of the list speaks as widely.
fn lost<'a>(list: &HbaFile, today: &'a HbaFile) -> Vec<&'a HbaRule> {
    let kept = |rule: &HbaRule| list.hba.rules.iter().any(|other| catches_all(other, rule));
    today
        .hba
        .rules
        .iter()
        .enumerate()
        .filter(|(i, r)| today.hidden_by(*i).is_none() && !r.optional && !kept(r))
        .map(|(_, r)| r)
        .collect()
}

/// `hba-yaml-ignored`
pub(in crate::rules::native) fn ignored(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files() {
        for (list, parameter, plain) in
            [("pg_hba", "hba_file", "pg_hba.conf"), ("pg_ident", "ident_file", "pg_ident.conf")]
        {
            let Some(item) = file.postgresql(list).filter(|i| !i.items().is_empty()) else { continue };
            let Some(other) = file.redirected(parameter, plain) else { continue };
            report.add(
                report
                    .problem(item.key_or_value())
                    .arg("list", list)
                    .arg("parameter", parameter)
                    .arg("file", other.as_str().unwrap_or_default())
                    .label(other.key_or_value(), "the server reads this file"),
            );
        }
    }
    Ok(())
}

/// Why nobody will ever read the list below `bootstrap`, and what shows it.
fn never_read(facts: &Facts, index: usize) -> Option<(&'static str, Span, &'static str)> {
    let file = &facts.patroni[index];
    if let Some(own) = file.postgresql("pg_hba").filter(|i| !i.items().is_empty()) {
        return Some(("`postgresql.pg_hba` replaces it", own.key_or_value(), "this counts"));
    }
    if let Some(other) = file.redirected("hba_file", "pg_hba.conf") {
        return Some(("`hba_file` points at another file", other.key_or_value(), "the server reads this file"));
    }
    let member = facts.member_of(index)?;
    let conf = &facts.confs[*member.conf.as_ref().ok()?];
    // A server that runs already names where it listens or keeps its data.
    let set = ["data_directory", "listen_addresses"].into_iter().find_map(|n| conf.conf.effective(n))?;
    let today = (!conf.is_written_by_patroni()).then_some(set.set.span)?;
    Some(("this server has its data already", today, "the server of today"))
}

/// Lists below `bootstrap` that hold something, each with the index of its file.
fn below_bootstrap(facts: &Facts) -> impl Iterator<Item = (usize, &Item)> {
    let lists = facts.files().iter().map(|file| file.config.get("bootstrap.pg_hba").filter(|i| !i.items().is_empty()));
    lists.enumerate().filter_map(|(index, item)| Some((index, item?)))
}

/// `hba-bootstrap-section-ignored`
pub(in crate::rules::native) fn bootstrap(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for (index, item) in below_bootstrap(facts) {
        if let Some((because, at, label)) = never_read(facts, index) {
            report.add(report.problem(item.key_or_value()).arg("because", because).label(at, label));
        }
    }
    Ok(())
}

/// `hba-only-for-new-cluster`
pub(in crate::rules::native) fn only_new(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for (index, item) in below_bootstrap(facts) {
        let file = &facts.patroni[index];
        let decided = file.known_postgresql("pg_hba").is_ok_and(|l| l.is_none_or(|i| !i.open))
            && file.knows_file("hba_file").is_ok();
        if decided && never_read(facts, index).is_none() {
            report.add(report.problem(item.key_or_value()));
        }
    }
    Ok(())
}

/// `hba-item-not-text`
pub(in crate::rules::native) fn not_text(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    const LISTS: [&str; 5] = [
        "postgresql.pg_hba",
        "postgresql.pg_ident",
        "bootstrap.pg_hba",
        "bootstrap.dcs.postgresql.pg_hba",
        "bootstrap.dcs.postgresql.pg_ident",
    ];
    for file in facts.files() {
        let has_list = file.postgresql("pg_hba").is_some_and(|i| !i.items().is_empty());
        for path in LISTS {
            // Then Patroni does not look at it, which another rule says.
            if path == "bootstrap.pg_hba" && has_list {
                continue;
            }
            let items = file.config.get(path).map_or(&[][..], Item::items);
            for item in items.iter().filter(|i| !matches!(i.kind(), Type::Str | Type::Unknown)) {
                let found = match &item.value {
                    ItemValue::Map(_) => "a map, because a colon ends a word of it",
                    ItemValue::Null => "empty",
                    _ => item.kind().name(),
                };
                let effect = match path {
                    "bootstrap.pg_hba" => "Patroni fails while it makes a new cluster",
                    _ => "Patroni leaves it out",
                };
                report.add(report.problem(item.span).arg("path", path).arg("kind", found).arg("effect", effect));
            }
        }
    }
    Ok(())
}
