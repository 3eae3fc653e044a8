//! Could a start of Patroni stop a server that runs? The answer for each member, as a block of its own.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::Page;
use super::full::some;
use crate::rules::schema::Severity;
use crate::rules::tally::State;

/// So long names may be, in characters, before what is said of them goes into a line of its own.
const NAMES: usize = 24;

/// The answer for one member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Gate {
    /// The member.
    pub member: String,
    /// The answer.
    pub answer: Answer,
    /// The rules that say so, or that could not look.
    pub rules: Vec<String>,
}

/// Whether a start of Patroni could stop the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// All that is known to do that was looked at.
    No,
    /// Not all of it could be looked at.
    NotKnown,
    /// Only when the order is wrong that a note tells.
    OutOfOrder,
    /// It will.
    Yes,
}

/// The answers for all members, by name.
#[must_use]
pub fn gates(page: &Page<'_>) -> Vec<Gate> {
    let is_gate = |id: &str| page.rule(id).is_some_and(|rule| rule.gate);
    let severity = |id: &str| page.rule(id).map_or(Severity::Error, |rule| rule.severity);
    let mut by_member: BTreeMap<&str, Vec<(Answer, &str)>> = BTreeMap::new();
    for checked in page.outcome.checked.iter().filter(|c| is_gate(&c.rule)) {
        let answer = match checked.state {
            State::Fine => Answer::No,
            State::NotChecked => Answer::NotKnown,
            State::Finding if severity(&checked.rule) == Severity::Note => Answer::OutOfOrder,
            State::Finding => Answer::Yes,
        };
        by_member.entry(&checked.member).or_default().push((answer, &checked.rule));
    }
    let one = |(member, answers): (&str, Vec<(Answer, &str)>)| {
        let answer = answers.iter().map(|(answer, _)| *answer).max().unwrap_or(Answer::NotKnown);
        let says = answers.iter().filter(|(a, _)| *a == answer && answer != Answer::No);
        Gate { member: member.to_owned(), answer, rules: says.map(|(_, rule)| (*rule).to_owned()).collect() }
    };
    by_member.into_iter().map(one).collect()
}

/// The block for people; empty in a run over files.
pub(super) fn block(page: &Page<'_>) -> String {
    let gates = gates(page);
    if gates.is_empty() {
        return String::new();
    }
    // Members of which the same is said stand together.
    let mut alike: Vec<(String, Vec<String>)> = Vec::new();
    for gate in gates {
        let rules = some(&gate.rules);
        let answer = match gate.answer {
            Answer::No => "no".to_owned(),
            Answer::NotKnown => format!("not known: could not look for {rules}"),
            Answer::OutOfOrder => format!("only out of order: {rules}"),
            Answer::Yes => format!("YES: {rules}"),
        };
        match alike.iter_mut().find(|(other, _)| *other == answer) {
            Some((_, members)) => members.push(gate.member),
            None => alike.push((answer, vec![gate.member])),
        }
    }
    let named = |members: &[String]| page.redactor.words(&[], &some(members));
    let alike: Vec<(String, String)> = alike.iter().map(|(answer, members)| (named(members), answer.clone())).collect();
    let widths = alike.iter().map(|(members, _)| members.chars().count()).filter(|width| *width <= NAMES);
    let width = widths.max().unwrap_or(0);
    let mut text = "Could a start of Patroni stop a running server?\n".to_owned();
    for (members, answer) in alike {
        if members.chars().count() <= NAMES {
            let _ = writeln!(text, "  {members:width$}  {answer}");
        } else {
            let _ = writeln!(text, "  {members}\n  {:width$}  {answer}", "");
        }
    }
    text.push('\n');
    text
}
