//! What was checked of each member: every rule is fine, has found something, or could not look.

use std::collections::{BTreeMap, BTreeSet};

use super::engine::Outcome;
use super::schema::{CheckSpec, Need, Rule};
use crate::facts::gap::{Fact, Gap, GapReason};
use crate::facts::{Facts, LiveMember, nodes};
use crate::finding::Finding;

/// What came of a rule on a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It has looked, and found nothing.
    Fine,
    /// It has found something.
    Finding,
    /// It could not look; the gaps say why.
    NotChecked,
}

/// A rule on a member.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Checked {
    /// The rule.
    pub rule: String,
    /// The member.
    pub member: String,
    /// What came of it.
    pub state: State,
}

/// Tells of every rule and member what came of it. A rule that needs what nobody had for a member becomes a gap, whatever it said: unknown
/// is never fine.
pub fn tally(rules: &[Rule], facts: &Facts, outcome: &mut Outcome) {
    let ran: BTreeSet<&str> = outcome.ran.iter().map(String::as_str).collect();
    let about: Vec<(&str, BTreeSet<&str>)> =
        outcome.findings.iter().map(|finding| (&*finding.rule, members(facts, finding))).collect();
    let names: BTreeSet<&str> = facts.nodes.iter().map(|node| node.name.as_str()).collect();
    let mut gaps: BTreeMap<&str, Vec<Option<&str>>> = BTreeMap::new();
    for (rule, gap) in &outcome.gaps {
        // What belongs to something else than a member concerns all of them.
        gaps.entry(rule).or_default().push(gap.node.as_deref().filter(|node| names.contains(node)));
    }
    let mut more = Vec::new();
    let mut all = Vec::new();
    for rule in rules.iter().filter(|rule| ran.contains(&*rule.id) && is_of_members(rule) && is_meant(rule, facts)) {
        for live in facts.live() {
            let name = live.node.name.as_str();
            let has_found = about.iter().any(|(id, members)| *id == rule.id && members.contains(name));
            let could_not = gaps.get(&*rule.id).is_some_and(|g| g.iter().any(|n| n.is_none_or(|n| n == name)));
            let missing = missing_of(facts, live, rule);
            let state = match missing {
                _ if has_found => State::Finding,
                _ if could_not => State::NotChecked,
                Some(gap) => {
                    more.push((rule.id.to_string(), gap));
                    State::NotChecked
                }
                None => State::Fine,
            };
            all.push(Checked { rule: rule.id.to_string(), member: name.to_owned(), state });
        }
    }
    outcome.gaps.extend(more);
    outcome.gaps.sort();
    outcome.gaps.dedup();
    outcome.checked = all;
}

/// The members that a finding is about: those that it names, or those whose texts it points into. One that points into none concerns all.
fn members<'a>(facts: &'a Facts, finding: &'a Finding) -> BTreeSet<&'a str> {
    if !finding.nodes.is_empty() {
        return finding.nodes.iter().map(String::as_str).collect();
    }
    let sources = finding.sources();
    let found: BTreeSet<&str> =
        sources.into_iter().filter_map(|id| facts.node_at(id)).map(|node| node.name.as_str()).collect();
    if found.is_empty() { facts.nodes.iter().map(|node| node.name.as_str()).collect() } else { found }
}

/// What a rule needs of a member and was not had. A rule that asks a server and reads its files looks at what there is of the two.
fn missing_of(facts: &Facts, live: LiveMember<'_>, rule: &Rule) -> Option<Gap> {
    let needs = &rule.needs;
    let is_file = |need: &Need| matches!(need, Need::Conf | Need::RoleSql);
    // What a host says of its units stands for their texts.
    let needs: Vec<Need> =
        needs.iter().copied().filter(|need| *need != Need::Unit || !needs.contains(&Need::Host)).collect();
    let either = needs.contains(&Need::Sql) && needs.iter().any(is_file);
    let of = |need: &Need| missing(facts, live, *need).or_else(|| unread(facts, live, rule, *need));
    let other = needs.iter().filter(|need| !either || !(is_file(need) || **need == Need::Sql)).find_map(of);
    let in_files = || needs.iter().filter(|need| **need == Need::Conf).find_map(of);
    let has_files = || needs.contains(&Need::Conf) && in_files().is_none();
    other.or_else(|| of(&Need::Sql).filter(|_| either && !has_files()))
}

/// Whether a rule can be asked of a member as it runs. Texts of role SQL are not collected: rules over them alone have looked at nothing, and
/// are not counted.
fn is_of_members(rule: &Rule) -> bool {
    !rule.needs.contains(&Need::File) && !rule.needs.iter().all(|need| *need == Need::RoleSql)
}

/// Whether a rule is asked at all: those about an upgrade only when one is meant.
fn is_meant(rule: &Rule, facts: &Facts) -> bool {
    !rule.needs.contains(&Need::Upgrade) || facts.upgrade.is_some()
}

/// What is needed of a member and was not had. Files that stand for what a server or host says itself are not missed.
fn missing(facts: &Facts, live: LiveMember<'_>, need: Need) -> Option<Gap> {
    let node = live.node;
    match need {
        Need::File | Need::RoleSql | Need::Upgrade => None,
        Need::Patroni => live.member().err(),
        Need::Conf => live.member().and_then(|member| member.conf.clone()).err(),
        Need::Hba => live.member().and_then(|member| member.hba.clone()).err(),
        Need::Ident => live.member().and_then(|member| member.ident.clone()).err(),
        Need::Sql => node.is_standby().err(),
        Need::Host => node.host().err(),
        Need::Unit => units(facts, node).err(),
        Need::Rest => node.rest().err(),
        Need::Dcs => {
            let is_asked = facts.stores.iter().any(|store| store.members.contains(&node.name));
            (!is_asked).then(|| Gap::new("the store", GapReason::NotGiven).on(&node.name))
        }
    }
}

/// Why the lines of a file are not there for a rule that looks at those, though the server has told what they come to.
fn unread(facts: &Facts, live: LiveMember<'_>, rule: &Rule, need: Need) -> Option<Gap> {
    let looks = need == Need::Conf && matches!(rule.check, CheckSpec::Parser(_));
    let conf = live.member.filter(|_| looks)?.conf.as_ref().ok()?;
    facts.confs[*conf].unread().cloned()
}

/// Whether the texts of the units that start Patroni are there, with the files of variables that they read.
fn units(facts: &Facts, node: &nodes::Node) -> Fact<()> {
    let all = node.answer("the units", &node.host()?.units)?;
    let Some(root) = &node.root else { return Ok(()) };
    for unit in all.values().filter_map(|unit| unit.got()).filter(|unit| unit.starts_patroni()) {
        let mut texts = unit.texts().chain(unit.environments());
        let is_there = |path: &&str| facts.sources.by_path(&root.join(path.trim_start_matches('/'))).is_some();
        if let Some(path) = texts.find(|path| !is_there(path)) {
            return Err(Gap::new(path, GapReason::Unreadable).on(&node.name));
        }
    }
    Ok(())
}
