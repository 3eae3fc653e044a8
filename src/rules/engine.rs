//! Runs rules over facts, side by side, and joins what they saw with their words.
//!
//! Pure. A rule that panics is caught and reported as a fault of ours; the others go on. The order of the outcome depends
//! on names and places only, never on threads.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use rayon::prelude::*;

use super::faults::placeholders;
use super::report::Report;
use super::schema::{CheckSpec, Disruption, FixSpec, Rule, Severity, StepSpec, Text};
pub use super::selection::Selection;
use super::tally::Checked;
use super::{accept, kinds, native, range, template};
use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::finding::{Action, Finding, Fix, Label, Step};
use crate::problem::Problem;
use crate::source::{SourceId, SourceMap};

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
    /// How many findings were allowed by a comment or ignored by the configuration.
    pub allowed: usize,
    /// How many findings stand in the baseline.
    pub known: usize,
    /// How many rules ran.
    pub rules: usize,
    /// Which.
    pub ran: Vec<String>,
    /// What came of each on each member that runs.
    pub checked: Vec<Checked>,
}

/// Runs every rule that the selection leaves on.
#[must_use]
pub fn run(rules: &[Rule], facts: &Facts, selection: &Selection) -> Outcome {
    let releases = range::releases(facts);
    let true_here = |r: &&Rule| r.patroni.is_empty() || releases.iter().any(|v| range::holds(&r.patroni, *v));
    let on: Vec<&Rule> = rules.iter().filter(true_here).filter(|r| selection.runs(r)).collect();
    let by_parsers = group(&facts.problems);
    let results = look(&on, facts, &by_parsers);
    let bound = on.iter().any(|rule| !rule.postgresql.is_empty());
    let majors = if bound { range::majors(facts) } else { range::Majors::new() };
    let mixed = if releases.len() > 1 { range::releases_by_text(facts) } else { range::Releases::new() };
    let mut outcome =
        Outcome { rules: on.len(), ran: on.iter().map(|r| r.id.to_string()).collect(), ..Outcome::default() };
    let mut found = Vec::new();
    for (rule, result) in on.iter().zip(results) {
        match result {
            Ok(mut report) => {
                if !rule.postgresql.is_empty() {
                    range::keep_true(&rule.postgresql, &majors, &mut report);
                }
                if !rule.patroni.is_empty() && !mixed.is_empty() {
                    range::keep_released(&rule.patroni, &mixed, facts.patroni_version, &mut report.problems);
                }
                found.extend(report.problems.into_iter().filter_map(|p| {
                    let severity = if selection.scoped.is_empty() {
                        selection.severity(rule)
                    } else {
                        selection.severity_at(rule, facts.sources.get(p.at.source).path())
                    };
                    severity.map(|s| (*rule, s, p))
                }));
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
    accept::apply(rules, facts, selection, &mut found, &mut outcome);
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

/// What each rule makes of the facts. Many files are looked at in parts, each by all rules while it is near.
fn look(on: &[&Rule], facts: &Facts, by_parsers: &BTreeMap<&str, Vec<&Problem>>) -> Vec<Result<Report, Broken>> {
    let all = |part: &Facts| -> Vec<Result<Report, Broken>> {
        on.par_iter().map(|rule| run_one(rule, part, by_parsers)).collect()
    };
    facts.parts().par_iter().map(all).reduce_with(join).unwrap_or_default()
}

/// What rules made of two parts, together.
fn join(mut one: Vec<Result<Report, Broken>>, other: Vec<Result<Report, Broken>>) -> Vec<Result<Report, Broken>> {
    for (all, more) in one.iter_mut().zip(other) {
        match (&mut *all, more) {
            (Ok(all), Ok(more)) => all.append(more),
            (Ok(_), broken) => *all = broken,
            (Err(_), _) => {}
        }
    }
    one
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
        CheckSpec::Parser(_) if !facts.is_first() => Ok(()),
        CheckSpec::Parser(_) => {
            report.problems.extend(by_parsers.get(&*rule.id).into_iter().flatten().map(|p| (*p).clone()));
            report.gaps.extend(facts.gaps.iter().filter(|(id, _)| *id == rule.id).map(|(_, gap)| gap.clone()));
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

/// A problem that a rule found, and how bad it is there.
pub(super) type Found<'r> = (&'r Rule, Severity, Problem);

/// One finding per cause: drops what another rule says more exactly of the same line.
fn supersede(sources: &SourceMap, found: &mut Vec<Found<'_>>) {
    let line = |p: &Problem| (p.at.source, sources.get(p.at.source).line_index(p.at.start));
    // The key that a problem speaks of: a section may lack two of them at one line.
    let path = |p: &Problem| p.args.iter().find(|(name, _)| name == "path").map(|(_, path)| path.clone());
    let mut said: BTreeMap<_, Vec<(&Text, Option<String>)>> = BTreeMap::new();
    for (rule, _, problem) in found.iter().filter(|(rule, ..)| !rule.supersedes.is_empty()) {
        let key = path(problem);
        said.entry(line(problem)).or_default().extend(rule.supersedes.iter().map(|id| (id, key.clone())));
    }
    found.retain(|(rule, _, problem)| {
        let own = path(problem);
        let same = |key: &Option<String>| match (key.as_deref(), own.as_deref()) {
            (Some(key), Some(own)) => {
                own.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            }
            _ => true,
        };
        said.is_empty() || !said.get(&line(problem)).is_some_and(|s| s.iter().any(|(id, k)| **id == rule.id && same(k)))
    });
}

/// A problem in the words of its rule.
///
/// # Errors
/// The placeholder that has no value.
pub fn word(rule: &Rule, severity: Severity, problem: Problem) -> Result<Finding, String> {
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
        nodes: problem.nodes,
        notes,
        fix: match &rule.fix {
            Some(spec) => Ok(fix(spec, &problem.args, &problem.edits)?),
            None => Err(template::fill(&rule.no_fix, &problem.args)?),
        },
    })
}

/// Values that only some problems of a rule have, so that its texts cannot name them, and the words for each.
const HINTS: [(&str, &str, &str); 6] = [
    ("suggestion", "did you mean `", "`?"),
    ("allowed", "what Patroni knows here: ", ""),
    ("alternatives", "any of these will do: ", ""),
    ("variable", "or set it in the environment: ", ""),
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

/// Puts everything in its order, which depends on names and places only, and drops what is there twice.
pub fn sort(sources: &SourceMap, outcome: &mut Outcome) {
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
