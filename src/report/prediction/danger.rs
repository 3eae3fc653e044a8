//! What a person must know before Patroni starts, the worst first.

use std::collections::BTreeSet;

use super::Shown;
use super::value::{HIDDEN, human};
use super::words::{self, Level};
use crate::facts::gap::Fact;
use crate::predict::MemberPrediction;
use crate::predict::connections::{Connection, Purpose};
use crate::predict::settings::{Risk, Setting, State, Value};
use crate::predict::slots::{Fate, Slot};
use crate::report::full::some;
use crate::report::gate::{Answer, gates};

/// How bad something is; the first is the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// Patroni stops a server that runs.
    Stops,
    /// The server does not start.
    DoesNotStart,
    /// Patroni cannot do its work.
    CannotWork,
    /// Commits hang.
    HangsCommits,
    /// Standbys stop.
    StopsStandbys,
    /// A slot that somebody uses, or that decodes, goes.
    LosesSlot,
    /// A connection is refused.
    Refused,
    /// A slot that nobody uses goes.
    LosesIdleSlot,
    /// A value is lost.
    Lost,
}

/// Something dangerous, of all members of which the same is to be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::report) struct Danger {
    rank: Rank,
    /// What happens, in one line.
    pub(in crate::report) what: String,
    /// When, and who sees to it.
    pub(in crate::report) who: String,
    /// What to do.
    pub(in crate::report) todo: String,
    /// The members.
    pub(in crate::report) members: Vec<String>,
    /// Of connections: from whom to whom.
    pairs: Vec<String>,
    /// Of settings: which one and how it changes, and what that does.
    cause: Option<(String, &'static str)>,
}

/// Everything dangerous of some members, the worst first.
pub(in crate::report) fn dangers(shown: &Shown<'_>, members: &[&MemberPrediction]) -> Vec<Danger> {
    let mut all: Vec<Danger> = stops(shown, members);
    for member in members {
        for setting in member.settings.iter().flatten() {
            all.extend(of_setting(shown, member, setting));
        }
        all.extend(member.slots.iter().flatten().filter_map(|slot| of_slot(shown, member, slot)));
        all.extend(member.connections.iter().filter_map(|c| of_connection(shown, member, c)));
    }
    let mut joined = join(all);
    // The sort is stable: within a rank the order of the members and of their rows.
    joined.sort_by_key(|danger| danger.rank);
    once(joined)
}

/// A change that does different things to several members is said once, where it does the worst; the list is sorted by that.
fn once(all: Vec<Danger>) -> Vec<Danger> {
    let mut said: Vec<Danger> = Vec::new();
    for danger in all {
        let change = |d: &Danger| d.cause.as_ref().map(|(change, _)| change.clone());
        let same = |d: &&mut Danger| change(d).is_some() && change(d) == change(&danger);
        match (said.iter_mut().find(same), &danger.cause) {
            (Some(worse), Some((_, effect))) => {
                worse.who = format!("{}; {}: {effect}", worse.who, danger.members.join(", "));
            }
            _ => said.push(danger),
        }
    }
    said
}

/// What is the same but for members, places and pairs stands together.
fn join(all: Vec<Danger>) -> Vec<Danger> {
    let mut joined: Vec<Danger> = Vec::new();
    let mut more: Vec<usize> = Vec::new();
    for danger in all {
        let same = |d: &Danger| (d.rank, &d.what, &d.todo) == (danger.rank, &danger.what, &danger.todo);
        let Some(at) = joined.iter().position(same) else {
            joined.push(danger);
            more.push(0);
            continue;
        };
        let first = &mut joined[at];
        more[at] += usize::from(first.who != danger.who);
        first.members.extend(danger.members.into_iter().filter(|m| !first.members.contains(m)).collect::<Vec<_>>());
        first.pairs.extend(danger.pairs);
    }
    for (danger, more) in joined.iter_mut().zip(more) {
        if !danger.pairs.is_empty() {
            danger.what = format!("{}: {}", danger.what, some(&danger.pairs));
            if more > 0 {
                danger.who = format!("{}, and {more} more below", danger.who);
            }
        }
    }
    joined
}

/// What the rules say that stops a server that runs.
fn stops(shown: &Shown<'_>, members: &[&MemberPrediction]) -> Vec<Danger> {
    let mut all = Vec::new();
    let names: BTreeSet<&str> = members.iter().map(|m| m.name.as_str()).collect();
    let is_here = |member: &str| names.contains(member);
    let yes = gates(shown.page).into_iter().filter(|gate| gate.answer == Answer::Yes && is_here(&gate.member));
    for gate in yes {
        for rule in &gate.rules {
            let finding = shown.page.outcome.findings.iter().find(|f| *f.rule == **rule && concerns(f, &gate.member));
            let words = |text: &str| shown.words(text);
            let (what, todo) = match finding {
                Some(finding) => {
                    let todo = finding.fix.as_ref().map_or_else(String::clone, |fix| fix.title.clone());
                    (words(&finding.message), words(&todo))
                }
                None => (format!("see {rule}"), String::new()),
            };
            all.push(Danger {
                rank: Rank::Stops,
                what: format!("a start of Patroni stops the server: {what}"),
                who: format!("rule {rule}; `explain {rule}` says how"),
                todo,
                members: vec![words(&gate.member)],
                pairs: Vec::new(),
                cause: None,
            });
        }
    }
    all
}

fn concerns(finding: &crate::finding::Finding, member: &str) -> bool {
    finding.nodes.is_empty() || finding.nodes.iter().any(|node| node == member)
}

/// The states of a setting, with the words for their moments.
pub(super) fn moments(setting: &Setting) -> [(&'static str, &Fact<State>); 3] {
    [
        ("once Patroni has attached", &setting.attached),
        ("at the first restart", &setting.restarted),
        ("when Patroni starts a stopped server", &setting.started),
    ]
}

fn of_setting(shown: &Shown<'_>, member: &MemberPrediction, setting: &Setting) -> Option<Danger> {
    let risk = setting.risks.iter().copied().filter(|risk| words::is_danger(*risk)).min()?;
    let rank = match risk {
        Risk::DoesNotStart => Rank::DoesNotStart,
        Risk::HangsCommits => Rank::HangsCommits,
        Risk::StandbyBelowPrimary => Rank::StopsStandbys,
        Risk::Lost | Risk::NeedsRestart => Rank::Lost,
    };
    let name = shown.words(&setting.name);
    let value = |state: &State| shown.words(&human(&setting.name, member.postgresql, &state.value));
    let now = setting.now.as_ref().ok();
    let differs = |state: &&State| now.is_none_or(|now| now.value != state.value);
    let later = moments(setting).into_iter().filter_map(|(when, state)| Some((when, state.as_ref().ok()?)));
    let next = later.clone().find(|(_, state)| differs(state)).or_else(|| later.clone().next());
    let change = match (now, next) {
        (Some(now), Some((_, next))) if now.value != next.value => format!("{} → {}", value(now), value(next)),
        (_, Some((_, state))) => value(state),
        (Some(now), None) => value(now),
        (None, None) => "not known".to_owned(),
    };
    let hand = |state: &State| words::hand(state.by, state.at.map(|at| shown.place(at)));
    let who = match (now, next) {
        (Some(now), Some((_, state))) if hand(now) == hand(state) => format!("today and then set by {}", hand(now)),
        (Some(now), Some((when, state))) => format!("{when}; then set by {}; today by {}", hand(state), hand(now)),
        (None, Some((when, state))) => format!("{when}; then set by {}", hand(state)),
        (Some(now), None) => format!("today set by {}", hand(now)),
        (None, None) => String::new(),
    };
    let is_kept =
        |now: &&State| matches!(&now.value, Value::Is(_)) && next.is_some_and(|(_, next)| next.value != now.value);
    let todo = match now.filter(is_kept) {
        Some(now) if value(now) != HIDDEN => format!("to keep it: {}", words::keep(setting, &value(now))),
        _ => format!("to change it: {}", words::change(setting)),
    };
    let change = format!("{name} {change}");
    Some(Danger {
        rank,
        what: format!("{change}: {}", words::effect(risk)),
        who,
        todo: shown.words(&todo),
        members: vec![shown.words(&member.name)],
        pairs: Vec::new(),
        cause: Some((change, words::effect(risk))),
    })
}

fn of_slot(shown: &Shown<'_>, member: &MemberPrediction, slot: &Slot) -> Option<Danger> {
    let what_becomes = match slot.fate {
        Fate::Dropped => "is dropped",
        Fate::Remade => "is dropped and made anew: its consumer loses what lies between",
        Fate::NotMade => "cannot be made",
        _ => return None,
    };
    let name = shown.words(&slot.name);
    let is_idle = slot.active != Some(true) && slot.logical.is_none();
    let kind = if slot.logical.is_some() { "logical" } else { "physical" };
    let yaml = match &slot.logical {
        Some((database, plugin)) => format!("{name}: {{type: logical, database: {database}, plugin: {plugin}}}"),
        None => format!("{name}: {{type: physical}}"),
    };
    Some(Danger {
        rank: if is_idle { Rank::LosesIdleSlot } else { Rank::LosesSlot },
        what: format!(
            "slot {name} ({}, {}) {what_becomes}",
            shown.words(&words::kind(slot)),
            words::active(slot.active)
        ),
        who: format!("{}: {}", shown.words(slot.when), shown.words(&slot.because)),
        todo: if slot.fate == Fate::Dropped {
            shown.words(&format!(
                "to keep it: `{yaml}` under bootstrap.dcs.slots before Patroni's first start; later patronictl edit-config. One that a \
                 member of the cluster replaces by a {kind} slot of its own may go"
            ))
        } else {
            "give it the definition that its consumer needs, or another name, under bootstrap.dcs.slots".to_owned()
        },
        members: vec![shown.words(&member.name)],
        pairs: Vec::new(),
        cause: None,
    })
}

fn of_connection(shown: &Shown<'_>, member: &MemberPrediction, connection: &Connection) -> Option<Danger> {
    let place = |at| shown.place(at);
    let (level, decided) = words::decided(member, connection, &place);
    if level != Level::Danger {
        return None;
    }
    let cannot = matches!(connection.purpose, Purpose::Watch | Purpose::Store);
    let user = connection.user.as_ref().map(|user| format!(", as {user}")).unwrap_or_default();
    let database = connection.database.as_ref().map(|database| format!(" to {database}")).unwrap_or_default();
    Some(Danger {
        rank: if cannot { Rank::CannotWork } else { Rank::Refused },
        what: shown.words(&format!("connection refused, {}{user}{database}", words::purpose(connection.purpose))),
        who: shown.words(&decided),
        todo: match connection.purpose {
            Purpose::Store => "start the store, or mend its section of Patroni's file".to_owned(),
            Purpose::RestApi => "mend `restapi` of Patroni's file, or the way to it".to_owned(),
            _ => "the tables below say which line decides; pg_hba.conf needs one above it, or `postgresql.pg_hba` where Patroni's file has that \
                  list; a role whose password the server keeps in another way needs it set anew"
                .to_owned(),
        },
        members: vec![shown.words(&member.name)],
        pairs: vec![shown.words(&format!("{} → {}", connection.from, connection.to))],
        cause: None,
    })
}

#[cfg(test)]
mod tests {
    use super::{Danger, Rank, once};

    fn danger(rank: Rank, change: &str, effect: &'static str, member: &str) -> Danger {
        Danger {
            rank,
            what: format!("{change}: {effect}"),
            who: "at the first restart".to_owned(),
            todo: String::new(),
            members: vec![member.to_owned()],
            pairs: Vec::new(),
            cause: Some((change.to_owned(), effect)),
        }
    }

    #[test]
    fn one_change_is_said_once_with_what_it_does_elsewhere() {
        let said = once(vec![
            danger(Rank::DoesNotStart, "wal_level logical → replica", "the server does not start", "pg1"),
            danger(Rank::Lost, "max_connections 300 → 100", "the value of today is lost", "pg1"),
            danger(Rank::Lost, "wal_level logical → replica", "the value of today is lost", "pg2"),
        ]);
        let seen: Vec<(&str, &str)> = said.iter().map(|d| (d.what.as_str(), d.who.as_str())).collect();
        assert_eq!(
            seen,
            [
                (
                    "wal_level logical → replica: the server does not start",
                    "at the first restart; pg2: the value of today is lost"
                ),
                ("max_connections 300 → 100: the value of today is lost", "at the first restart"),
            ]
        );
    }
}
