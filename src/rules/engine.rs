//! Runs rules over facts, side by side, and joins what they saw with their words.
//!
//! Pure. A rule that panics is caught and reported as a fault of ours; the others go on. The order of the outcome depends
//! on names and places only, never on threads.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use rayon::prelude::*;

use super::report::Report;
use super::schema::{CheckSpec, Disruption, FixSpec, Rule, Severity, StepSpec, Text, placeholders};
use super::{allow, kinds, native, range, template};
use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::finding::{Action, Finding, Fix, Label, Step};
use crate::problem::Problem;
use crate::source::{SourceId, SourceMap, Span};

/// Which rules run, and how bad each is. Severity never comes from code.
#[derive(Debug, Default)]
pub struct Selection {
    /// Overrides by id; `None` switches a rule off.
    pub severities: BTreeMap<String, Option<Severity>>,
    /// Also run rules on trial.
    pub trial: bool,
}

impl Selection {
    /// How bad the rule is in this run; `None` when it is off.
    #[must_use]
    pub fn severity(&self, rule: &Rule) -> Option<Severity> {
        match self.severities.get(&*rule.id) {
            Some(chosen) => *chosen,
            None if rule.status == super::schema::Status::Trial && !self.trial => None,
            None => Some(rule.severity),
        }
    }
}

/// A rule that failed by our own fault.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Broken {
    /// Which.
    pub rule: String,
    /// How.
    pub message: String,
}

/// What a run of rules yields.
#[derive(Debug, Default)]
pub struct Outcome {
    /// In order of file name, place, rule and message.
    pub findings: Vec<Finding>,
    /// What rules could not look at, in order.
    pub gaps: Vec<(String, Gap)>,
    /// Our own faults.
    pub broken: Vec<Broken>,
    /// How many findings were allowed by a comment.
    pub allowed: usize,
    /// How many rules ran.
    pub rules: usize,
}

/// Runs every rule that the selection leaves on.
#[must_use]
pub fn run(rules: &[Rule], facts: &Facts, selection: &Selection) -> Outcome {
    let true_here = |r: &&Rule| range::holds(&r.patroni, facts.patroni_version);
    let on: Vec<(&Rule, Severity)> =
        rules.iter().filter(true_here).filter_map(|r| selection.severity(r).map(|s| (r, s))).collect();
    let by_parsers = group(&facts.problems);
    let results: Vec<Result<Report, Broken>> =
        on.par_iter().map(|(rule, _)| run_one(rule, facts, &by_parsers)).collect();
    let bound = on.iter().any(|(rule, _)| !rule.postgresql.is_empty());
    let majors = if bound { range::majors(facts) } else { range::Majors::new() };
    let mut outcome = Outcome { rules: on.len(), ..Outcome::default() };
    let mut found = Vec::new();
    for ((rule, severity), result) in on.iter().zip(results) {
        match result {
            Ok(mut report) => {
                if !rule.postgresql.is_empty() {
                    range::keep_true(&rule.postgresql, &majors, &mut report.problems);
                }
                found.extend(report.problems.into_iter().map(|p| (*rule, *severity, p)));
                outcome.gaps.extend(report.gaps.into_iter().map(|g| (rule.id.to_string(), g)));
            }
            Err(broken) => outcome.broken.push(broken),
        }
    }
    for id in by_parsers.keys().filter(|id| rules.binary_search_by(|r| (*r.id).cmp(id)).is_err()) {
        outcome.broken.push(Broken {
            rule: (*id).to_owned(),
            message: "a parser names it, and there is no such rule".to_owned(),
        });
    }
    supersede(&facts.sources, &mut found);
    apply_allows(rules, facts, selection, &mut found, &mut outcome);
    for (rule, severity, problem) in found {
        match word(rule, severity, problem) {
            Ok(finding) => outcome.findings.push(finding),
            Err(name) => outcome.broken.push(Broken {
                rule: rule.id.to_string(),
                message: format!("its texts name `{name}`, which the check does not give"),
            }),
        }
    }
    sort(&facts.sources, &mut outcome);
    outcome
}

fn group(problems: &[Problem]) -> BTreeMap<&str, Vec<&Problem>> {
    let mut groups: BTreeMap<&str, Vec<&Problem>> = BTreeMap::new();
    for problem in problems {
        groups.entry(&problem.rule).or_default().push(problem);
    }
    groups
}

fn run_one(rule: &Rule, facts: &Facts, by_parsers: &BTreeMap<&str, Vec<&Problem>>) -> Result<Report, Broken> {
    let mut report = Report::new(&rule.id);
    let outcome = catch_unwind(AssertUnwindSafe(|| check(rule, facts, by_parsers, &mut report)));
    match outcome {
        Ok(Ok(())) => Ok(report),
        Ok(Err(gap)) => {
            report.gaps.push(gap);
            Ok(report)
        }
        Err(panic) => {
            let message = panic
                .downcast_ref::<&str>()
                .map(|s| (*s).to_owned())
                .or_else(|| panic.downcast_ref::<String>().cloned())
                .unwrap_or_else(|| "it panicked".to_owned());
            Err(Broken { rule: rule.id.to_string(), message })
        }
    }
}

fn check(
    rule: &Rule,
    facts: &Facts,
    by_parsers: &BTreeMap<&str, Vec<&Problem>>,
    report: &mut Report,
) -> Result<(), Gap> {
    match &rule.check {
        CheckSpec::Parser(_) => {
            report.problems.extend(by_parsers.get(&*rule.id).into_iter().flatten().map(|p| (*p).clone()));
            Ok(())
        }
        CheckSpec::Engine(_) => Ok(()),
        CheckSpec::Native(name) => match native::find(name) {
            Some(check) => check(facts, report),
            None => panic!("there is no native check `{name}`"),
        },
        CheckSpec::Setting(spec) => kinds::setting::check(spec, facts, report),
        CheckSpec::YamlKey(spec) => kinds::yaml_key::check(spec, facts, report),
        CheckSpec::SameOnAllMembers(spec) => kinds::same_on_all_members::check(spec, facts, report),
        CheckSpec::Hba(spec) => kinds::hba::check(spec, facts, report),
        CheckSpec::File(spec) => kinds::file::check(spec, facts, report),
        CheckSpec::Rows(spec) => kinds::rows::check(&rule.id, spec, facts, report),
    }
}

type Found<'r> = (&'r Rule, Severity, Problem);

/// One finding per cause: drops what another rule says more exactly of the same line.
fn supersede(sources: &SourceMap, found: &mut Vec<Found<'_>>) {
    let line = |p: &Problem| (p.at.source, sources.get(p.at.source).line_index(p.at.start));
    let mut said: BTreeMap<(SourceId, usize), Vec<&Text>> = BTreeMap::new();
    for (rule, _, problem) in found.iter().filter(|(rule, ..)| !rule.supersedes.is_empty()) {
        said.entry(line(problem)).or_default().extend(rule.supersedes.iter());
    }
    found.retain(|(rule, _, problem)| {
        said.is_empty() || !said.get(&line(problem)).is_some_and(|s| s.contains(&&rule.id))
    });
}

/// Drops what a comment allows, and adds what is wrong with the comments.
fn apply_allows<'r>(
    rules: &'r [Rule],
    facts: &Facts,
    selection: &Selection,
    found: &mut Vec<Found<'r>>,
    outcome: &mut Outcome,
) {
    let mut by_line: BTreeMap<(SourceId, usize), Vec<usize>> = BTreeMap::new();
    let allows: Vec<allow::Allow> = facts.sources.all().par_iter().flat_map_iter(|s| allow::find(s)).collect();
    for (i, a) in allows.iter().enumerate() {
        by_line.entry((a.span.source, a.line)).or_default().push(i);
    }
    let mut used: Vec<Vec<bool>> = allows.iter().map(|a| vec![false; a.ids.len()]).collect();
    found.retain(|(rule, _, problem)| {
        let mut keep = true;
        if by_line.is_empty() {
            return keep;
        }
        let line = facts.sources.get(problem.at.source).line_index(problem.at.start);
        for i in by_line.get(&(problem.at.source, line)).into_iter().flatten() {
            for (k, (id, _)) in allows[*i].ids.iter().enumerate() {
                if *id == rule.id && allows[*i].has_reason {
                    used[*i][k] = true;
                    keep = false;
                }
            }
        }
        outcome.allowed += usize::from(!keep);
        keep
    });
    let open: Vec<&str> = outcome.gaps.iter().map(|(rule, _)| rule.as_str()).collect();
    let mut complain = |id: &str, problem: Problem| {
        if let Some((rule, severity)) =
            rules.iter().find(|r| r.id == id).and_then(|r| selection.severity(r).map(|s| (r, s)))
        {
            found.push((rule, severity, problem));
        }
    };
    for (a, used) in allows.iter().zip(&used) {
        for ((id, at), used) in a.ids.iter().zip(used) {
            let rule = rules.iter().find(|r| r.id == *id);
            if let Some(rule) = rule {
                let looked = selection.severity(rule).is_some() && !open.contains(&id.as_str());
                if !a.has_reason {
                    complain("allow-without-reason", Problem::new("allow-without-reason", *at).arg("id", id));
                } else if !used && looked {
                    complain("unused-allow", Problem::new("unused-allow", *at).arg("id", id));
                }
            } else {
                complain("unknown-rule-in-allow", unknown_rule(rules, id, *at));
            }
        }
    }
}

fn unknown_rule(rules: &[Rule], id: &str, at: Span) -> Problem {
    let problem = Problem::new("unknown-rule-in-allow", at).arg("id", id);
    let best = rules.iter().map(|r| (strsim::damerau_levenshtein(&r.id, id), &r.id)).min();
    match best {
        Some((distance, near)) if distance <= 3 => problem.note(format!("did you mean `{near}`?")),
        _ => problem,
    }
}

fn word(rule: &Rule, severity: Severity, problem: Problem) -> Result<Finding, String> {
    let message = template::fill(&rule.message, &problem.args)?;
    let mut notes = vec![one_line(&template::fill(&rule.why, &problem.args)?)];
    notes.extend(hints(rule, &problem.args));
    notes.extend(problem.notes);
    Ok(Finding {
        rule: rule.id.clone(),
        severity,
        at: problem.at,
        message,
        labels: problem.labels.into_iter().map(|(at, text)| Label { at, text }).collect(),
        notes,
        fix: match &rule.fix {
            Some(spec) => Ok(fix(spec, &problem.args, &problem.edits)?),
            None => Err(template::fill(&rule.no_fix, &problem.args)?),
        },
    })
}

/// Values that only some problems of a rule have, so that its texts cannot name them, and the words for each.
const HINTS: [(&str, &str, &str); 7] = [
    ("suggestion", "did you mean `", "`?"),
    ("allowed", "what Patroni knows here: ", ""),
    ("alternatives", "any of these will do: ", ""),
    ("variable", "or set it in the environment: ", ""),
    ("removed", "no longer read since Patroni ", ""),
    ("known-to", "known to PostgreSQL ", ""),
    ("found", "it is `", "`"),
];

fn hints<'a>(rule: &'a Rule, args: &'a [crate::problem::Arg]) -> impl Iterator<Item = String> + 'a {
    let named = |name: &str| placeholders(&rule.message).contains(&name) || placeholders(&rule.why).contains(&name);
    HINTS.iter().filter(move |(name, ..)| !named(name)).filter_map(|(name, before, behind)| {
        let value = args.iter().find(|(n, _)| n == name).map(|(_, v)| v).filter(|v| !v.is_empty())?;
        Some(format!("{before}{value}{behind}"))
    })
}

/// A paragraph of a rule file as one line; an empty line stays a break between sentences.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn fix(spec: &FixSpec, args: &[crate::problem::Arg], edits: &[crate::problem::Edit]) -> Result<Fix, String> {
    let text = |t: &str| template::fill(t, args);
    let mut steps = Vec::new();
    for step in spec.steps.iter() {
        let (action, disruption) = match step {
            StepSpec::Edit(_) if edits.is_empty() => continue,
            StepSpec::Edit(_) => (Action::Edit(edits.to_vec()), Disruption::None),
            StepSpec::SetDynamic { key, value } => {
                (Action::SetDynamic { key: text(key)?, value: text(value)? }, Disruption::Reload)
            }
            StepSpec::Sql(t) => (Action::Sql(text(t)?), Disruption::None),
            StepSpec::Command(t) => (Action::Command(text(t)?), Disruption::None),
            StepSpec::Reload(_) => (Action::Reload, Disruption::Reload),
            StepSpec::Restart(_) => (Action::Restart, Disruption::Restart),
            StepSpec::Human(t) => (Action::Human(one_line(&text(t)?)), Disruption::None),
        };
        steps.push(Step { action, node: None, precondition: None, postcondition: None, undo: None, disruption });
    }
    Ok(Fix { title: text(&spec.title)?, safety: spec.safety, because: text(&spec.because)?, steps, after: Vec::new() })
}

fn sort(sources: &SourceMap, outcome: &mut Outcome) {
    let ids: BTreeSet<SourceId> = outcome.findings.iter().map(|f| f.at.source).collect();
    let mut names: Vec<(String, SourceId)> =
        ids.into_iter().map(|id| (sources.get(id).name().to_owned(), id)).collect();
    names.sort();
    let ranks: BTreeMap<SourceId, usize> = names.into_iter().enumerate().map(|(rank, (_, id))| (id, rank)).collect();
    let mut ranked: Vec<(usize, Finding)> = outcome.findings.drain(..).map(|f| (ranks[&f.at.source], f)).collect();
    ranked.par_sort_by(|(a_rank, a), (b_rank, b)| {
        let key = |f: &Finding| (f.at.start, f.at.end);
        a_rank
            .cmp(b_rank)
            .then_with(|| key(a).cmp(&key(b)))
            .then_with(|| a.rule.cmp(&b.rule))
            .then_with(|| a.message.cmp(&b.message))
    });
    outcome.findings = ranked.into_iter().map(|(_, f)| f).collect();
    outcome.findings.dedup();
    outcome.gaps.sort();
    outcome.gaps.dedup();
    outcome.broken.sort();
}
