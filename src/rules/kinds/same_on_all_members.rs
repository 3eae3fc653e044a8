//! `same-on-all-members`: a key that must be equal in all files of a cluster.

use std::collections::BTreeMap;

use crate::facts::gap::{Gap, GapReason};
use crate::facts::{Cluster, Facts};
use crate::rules::report::Report;
use crate::rules::schema::{SamePath, SameSpec};
use crate::source::Span;

/// Reports, for each cluster and key, every member that differs from most others; where no value has most, Patroni's default
/// counts as right.
///
/// # Errors
/// Never: members whose file is broken at that place are noted as gaps.
pub fn check(spec: &SameSpec, facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for cluster in facts.clusters().iter().filter(|c| c.members.len() > 1) {
        for path in spec.paths.iter() {
            compare(spec, path, cluster, facts, report);
        }
    }
    Ok(())
}

fn compare(spec: &SameSpec, same: &SamePath, cluster: &Cluster, facts: &Facts, report: &mut Report) {
    let path = &*same.path;
    let mut by_value: BTreeMap<Option<String>, Vec<(&str, Span)>> = BTreeMap::new();
    for member in &cluster.members {
        let file = &facts.patroni[member.file];
        let Some(item) = file.config.get(path) else {
            if file.is_absent(path) {
                let default = (!same.default.is_empty()).then(|| plain(same, &same.default));
                by_value.entry(default).or_default().push((&member.name, file.place_of(path)));
            } else {
                report.known::<()>(Err(Gap::new(format!("`{path}`"), GapReason::Unreadable).on(&member.name)));
            }
            continue;
        };
        if !item.is_known() {
            report.known::<()>(Err(Gap::new(format!("`{path}`"), GapReason::Unreadable).on(&member.name)));
            continue;
        }
        by_value.entry(Some(plain(same, &item.comparable()))).or_default().push((&member.name, item.key_or_value()));
    }
    let default = (!same.default.is_empty()).then(|| plain(same, &same.default));
    let rank = |(value, members): &(&Option<String>, &Vec<(&str, Span)>)| (members.len(), **value == default);
    let Some(most) = by_value.iter().rev().max_by_key(rank).map(|(v, _)| v.clone()) else { return };
    for (value, members) in by_value.iter().filter(|(v, _)| **v != most) {
        for (_, at) in members {
            let mut problem = report
                .problem(*at)
                .arg("path", path)
                .arg("value", show(spec, value.as_deref()))
                .arg("other", show(spec, most.as_deref()));
            for (name, other) in by_value.get(&most).into_iter().flatten().take(1) {
                problem = problem.label(*other, format!("as in {name}"));
            }
            report.add(problem);
        }
    }
}

/// A value without what does not matter.
fn plain(same: &SamePath, value: &str) -> String {
    if !same.slashes {
        return value.to_owned();
    }
    let parts: Vec<&str> = value.split('/').filter(|p| !p.is_empty()).collect();
    format!("/{}", parts.join("/"))
}

fn show(spec: &SameSpec, value: Option<&str>) -> String {
    match value {
        Some(_) if spec.secret => "set to something else".to_owned(),
        Some(value) => format!("`{value}`"),
        None => "not set".to_owned(),
    }
}
