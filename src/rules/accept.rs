//! Takes out what comments and the configuration accept, and says what is wrong with either.

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;

use super::allow::{self, Allow};
use super::engine::{Found, Outcome};
use super::schema::Rule;
use super::selection::{Ignore, Selection};
use crate::facts::Facts;
use crate::problem::Problem;
use crate::source::{Source, SourceId, Span};

/// Drops what is accepted, and adds what is wrong with the comments and ignores.
pub(super) fn apply<'r>(
    rules: &'r [Rule],
    facts: &Facts,
    selection: &Selection,
    found: &mut Vec<Found<'r>>,
    outcome: &mut Outcome,
) {
    let open: Vec<String> = outcome.gaps.iter().map(|(rule, _)| rule.clone()).collect();
    let judge = Judge { rules, selection, open: &open };
    let sources = facts.sources.all();
    let parts: Vec<&Arc<Source>> = sources.iter().filter(|s| s.part().is_some()).collect();
    let is_of_part = |allow: &Allow| {
        // What stands in a file that stands in this one speaks of that.
        let this = facts.sources.get(allow.span.source);
        let holds = |part: &&Arc<Source>| part.part().is_some_and(|r| r.contains(&(allow.span.start as usize)));
        this.part().is_none() && parts.iter().filter(|p| p.file() == this.path()).any(holds)
    };
    let mut allows: Vec<Allow> = sources.par_iter().flat_map_iter(|s| allow::find(s)).collect();
    if !parts.is_empty() {
        allows.retain(|allow| !is_of_part(allow));
    }
    let (used, by_comment) = drop_allowed(&allows, facts, selection, found);
    let (ignored, by_config) = drop_ignored(facts, selection, found);
    outcome.allowed += by_comment + by_config;
    let mut wrong = Vec::new();
    for (allow, used) in allows.iter().zip(&used) {
        for ((id, at), used) in allow.ids.iter().zip(used) {
            wrong.extend(judge.comment(allow, id, *at, *used));
        }
    }
    if let Some(config) = selection.config.as_deref().and_then(|path| facts.sources.by_path(path)) {
        for (ignore, used) in selection.ignores.iter().zip(&ignored) {
            wrong.extend(judge.ignore(&config, ignore, used));
        }
    }
    for problem in wrong {
        let path = facts.sources.get(problem.at.source).path().map(std::path::Path::to_path_buf);
        let rule = rules.iter().find(|r| r.id == problem.rule);
        let severity = rule.and_then(|r| selection.severity_at(r, path.as_deref()));
        if let (Some(rule), Some(severity)) = (rule, severity) {
            found.push((rule, severity, problem));
        }
    }
}

/// Which ids of which comments allowed something, and how many findings went.
fn drop_allowed(
    allows: &[Allow],
    facts: &Facts,
    selection: &Selection,
    found: &mut Vec<Found<'_>>,
) -> (Vec<Vec<bool>>, usize) {
    let mut by_line: BTreeMap<(SourceId, Option<usize>), Vec<usize>> = BTreeMap::new();
    for (i, a) in allows.iter().enumerate().filter(|(_, a)| a.counts(selection.today)) {
        by_line.entry((a.span.source, a.line)).or_default().push(i);
    }
    let mut used: Vec<Vec<bool>> = allows.iter().map(|a| vec![false; a.ids.len()]).collect();
    let before = found.len();
    found.retain(|(rule, _, problem)| {
        if by_line.is_empty() {
            return true;
        }
        let line = facts.sources.get(problem.at.source).line_index(problem.at.start);
        let mut keep = true;
        let here = [Some(line), None].into_iter().filter_map(|l| by_line.get(&(problem.at.source, l))).flatten();
        for i in here {
            for (k, _) in allows[*i].ids.iter().enumerate().filter(|(_, (id, _))| *id == rule.id) {
                used[*i][k] = true;
                keep = false;
            }
        }
        keep
    });
    (used, before - found.len())
}

/// Which rules of which ignores accepted something, and how many findings went.
fn drop_ignored(facts: &Facts, selection: &Selection, found: &mut Vec<Found<'_>>) -> (Vec<Vec<bool>>, usize) {
    let mut used: Vec<Vec<bool>> = selection.ignores.iter().map(|i| vec![false; i.rules.len()]).collect();
    let before = found.len();
    found.retain(|(rule, _, problem)| {
        let mut keep = true;
        for (i, ignore) in selection.ignores.iter().enumerate().filter(|(_, i)| !has_ended(i, selection)) {
            for (k, _) in ignore.rules.iter().enumerate().filter(|(_, (id, _))| *id == rule.id) {
                if facts.sources.get(problem.at.source).path().is_some_and(|p| ignore.paths.holds(p)) {
                    used[i][k] = true;
                    keep = false;
                }
            }
        }
        keep
    });
    (used, before - found.len())
}

fn has_ended(ignore: &Ignore, selection: &Selection) -> bool {
    matches!((&ignore.until, selection.today), (Some((last, _)), Some(today)) if today > *last)
}

struct Judge<'a> {
    rules: &'a [Rule],
    selection: &'a Selection,
    /// Rules that could not look at everything.
    open: &'a [String],
}

impl Judge<'_> {
    /// Whether a rule ran and saw all that it wanted to see.
    fn looked(&self, rule: &Rule) -> bool {
        self.selection.runs(rule) && !self.open.iter().any(|id| *id == rule.id)
    }

    /// What is wrong with one id of a comment.
    fn comment(&self, allow: &Allow, id: &str, at: Span, used: bool) -> Option<Problem> {
        let Some(rule) = self.rules.iter().find(|r| r.id == id) else {
            return Some(unknown_rule(self.rules, id, at));
        };
        if !allow.has_reason {
            return Some(Problem::new("allow-without-reason", at).arg("id", id));
        }
        match &allow.until {
            Some((Err(text), at)) => {
                return Some(Problem::new("allow-until-no-date", *at).arg("id", id).arg("until", text));
            }
            Some((Ok(last), at)) if !allow.counts(self.selection.today) => {
                return Some(Problem::new("allow-expired", *at).arg("id", id).arg("until", last.to_string()));
            }
            _ => {}
        }
        (!used && self.looked(rule)).then(|| {
            let place = if allow.line.is_none() { "in this file" } else { "here" };
            Problem::new("unused-allow", at).arg("id", id).arg("place", place)
        })
    }

    /// What is wrong with an entry of the configuration.
    fn ignore(&self, config: &Source, ignore: &Ignore, used: &[bool]) -> Vec<Problem> {
        let at = |r: &std::ops::Range<usize>| config.span(r.start, r.end);
        if let (true, Some((last, place))) = (has_ended(ignore, self.selection), &ignore.until) {
            let ids: Vec<&str> = ignore.rules.iter().map(|(id, _)| id.as_str()).collect();
            let ended = Problem::new("allow-expired", at(place)).arg("id", ids.join("`, `"));
            return vec![ended.arg("until", last.to_string())];
        }
        let idle = ignore.rules.iter().zip(used).filter(|((id, _), used)| {
            let rule = self.rules.iter().find(|r| r.id == *id);
            self.selection.whole && !**used && rule.is_some_and(|r| self.looked(r))
        });
        idle.map(|((id, place), _)| Problem::new("unused-ignore", at(place)).arg("id", id)).collect()
    }
}

fn unknown_rule(rules: &[Rule], id: &str, at: Span) -> Problem {
    let problem = Problem::new("unknown-rule-in-allow", at).arg("id", id);
    match super::suggest(rules.iter().map(|r| &*r.id), id) {
        Some(near) => problem.note(format!("did you mean `{near}`?")),
        None => problem,
    }
}
