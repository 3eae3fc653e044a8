//! What a major version makes of one setting of `postgresql.conf`: does it know the name, does it take the value.

use crate::knowledge::guc::{self, Context};
use crate::knowledge::guc_history::renamed;
use crate::parse::conf::Assignment;
use crate::parse::conninfo::may_hold_secret;
use crate::parse::guc_value::parse_value;
use crate::problem::Problem;

/// The problems of one setting for a major version of the table (13 to 18): `unknown-guc`, `guc-wrong-major` or
/// `guc-value-invalid`, at most one. Empty for another version: nothing is known about it.
///
/// A name with a dot belongs to an extension and is always accepted. Checks that a setting makes beyond its type are not
/// made here.
#[must_use]
pub fn check_assignment(set: &Assignment, version: u16) -> Vec<Problem> {
    let name = set.name.value.as_str();
    if !guc::MAJORS.contains(&version) || name.contains('.') {
        return Vec::new();
    }
    match guc::find(name, version) {
        Some(known) => value_problem(set, known, version).into_iter().collect(),
        None if guc::build_dependent(name).is_some() => Vec::new(),
        None => vec![name_problem(set, version)],
    }
}

/// The problems of one setting when the version is not known: only what every version says that has a say.
///
/// A name is unknown when no version knows it; a value is invalid when no version that knows the name takes it.
#[must_use]
pub fn check_for_all(set: &Assignment) -> Vec<Problem> {
    let all: Vec<Vec<Problem>> = guc::MAJORS.map(|v| check_assignment(set, v)).collect();
    let known: Vec<&Vec<Problem>> =
        guc::MAJORS.zip(&all).filter(|(v, _)| guc::find(&set.name.value, *v).is_some()).map(|(_, p)| p).collect();
    if known.is_empty() {
        let mut unknown = all.into_iter().next_back().unwrap_or_default();
        let every = format!("{} to {}", guc::MAJORS.start(), guc::MAJORS.end());
        for arg in unknown.iter_mut().flat_map(|p| &mut p.args).filter(|(name, _)| name == "version") {
            arg.1.clone_from(&every);
        }
        return unknown;
    }
    if known.iter().any(|p| p.is_empty()) { Vec::new() } else { known.last().map(|p| (*p).clone()).unwrap_or_default() }
}

fn value_problem(set: &Assignment, known: &guc::Guc, version: u16) -> Option<Problem> {
    let base = || {
        Problem::new("guc-value-invalid", set.value.span)
            .arg("name", known.name)
            .arg("value", set.shown())
            .arg("version", version.to_string())
    };
    if known.context == Context::Internal {
        return Some(base().arg("message", format!("parameter \"{}\" cannot be changed", known.name)));
    }
    let error = parse_value(known, &set.value.value, version).err()?;
    let problem =
        base().arg("message", if may_hold_secret(known.name) { "invalid value".to_owned() } else { error.message });
    let detail = error.detail.map(|d| format!("DETAIL:  {d}"));
    let hint = error.hint.map(|h| format!("HINT:  {h}"));
    Some(detail.into_iter().chain(hint).fold(problem, Problem::note))
}

fn name_problem(set: &Assignment, version: u16) -> Problem {
    let name = set.name.value.as_str();
    let message = format!("unrecognized configuration parameter \"{name}\"");
    let problem = |rule: &'static str| {
        Problem::new(rule, set.name.span)
            .arg("name", name)
            .arg("version", version.to_string())
            .arg("message", message.clone())
    };
    let known_to = guc::versions(name);
    let rename = renamed(name, version);
    if known_to.is_empty() && rename.is_none() {
        let p = problem("unknown-guc");
        return match guc::suggest(name, version) {
            Some(s) => p.arg("suggestion", s),
            None => p,
        };
    }
    let list: Vec<String> = known_to.iter().map(u16::to_string).collect();
    let p = problem("guc-wrong-major").arg("known-to", list.join(", "));
    match rename {
        Some(r) if r.note.is_empty() => p.arg("suggestion", r.new),
        Some(r) => p.arg("suggestion", r.new).note(r.note),
        None => p,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::conf::{Directive, parse};
    use crate::source::Source;

    fn rules(text: &str, version: u16) -> Vec<(String, Vec<crate::problem::Arg>)> {
        let parsed = parse(&Source::lone("c", text));
        let sets = parsed.tree.iter().filter_map(|d| match d {
            Directive::Set(a) => Some(a),
            Directive::Include(_) => None,
        });
        sets.flat_map(|a| check_assignment(a, version)).map(|p| (p.rule.into_owned(), p.args)).collect()
    }

    #[test]
    fn names_and_values_are_judged_per_major() {
        assert_eq!(rules("stats_temp_directory = x\nsort_mem = 4MB\nmy.name = 1\n", 14), []);
        assert_eq!(rules("stats_temp_directory = x\n", 15)[0].0, "guc-wrong-major");
        assert_eq!(rules("wal_keep_segments = 5\n", 13)[0].0, "guc-wrong-major");
        assert_eq!(rules("ssl_ecdh_curve = prime256v1\n", 18), []);
        assert_eq!(rules("work_mem = 64mb\n", 18)[0].0, "guc-value-invalid");
        let parsed = parse(&Source::lone("c", "wal_keep_segments = 5\n"));
        let Some(Directive::Set(set)) = parsed.tree.first() else { panic!("a setting") };
        assert!(check_for_all(set)[0].args.contains(&("version".into(), "13 to 18".to_owned())));
        assert_eq!(rules("server_version = 1\n", 18)[0].0, "guc-value-invalid");
        let (rule, args) = rules("shared_bufers = 1GB\n", 18).remove(0);
        assert_eq!(
            (rule.as_str(), args.last()),
            ("unknown-guc", Some(&("suggestion".into(), "shared_buffers".to_owned())))
        );
    }
}
