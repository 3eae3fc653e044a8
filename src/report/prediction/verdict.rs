//! The exit code of a prediction and the sentence that explains it.

use std::collections::BTreeSet;

use super::Shown;
use super::sheet::sheets;
use crate::facts::gap::{Gap, GapReason};
use crate::predict::{Prediction, gaps};
use crate::report::gate::{Answer, gates};
use crate::report::{Question, Verdict, plural};

/// Judges a prediction: a fault of ours wins over a dangerous change, and that over what could not be looked at. As in
/// [`crate::report::verdict()`], what nobody handed over is no gap in a run over files.
#[must_use]
pub fn verdict(shown: &Shown<'_>, question: Question) -> Verdict {
    if let Some(broken) = shown.page.outcome.broken.first() {
        return Verdict { code: 2, reason: format!("a fault of this program in {}", broken.rule) };
    }
    let dangers: usize = sheets(shown).iter().map(|sheet| sheet.dangers.len()).sum();
    if dangers > 0 {
        return Verdict { code: 1, reason: format!("{dangers} dangerous {}", plural(dangers, "change")) };
    }
    if shown.prediction.members.is_empty() {
        return Verdict { code: 3, reason: "no member was found".to_owned() };
    }
    let open = open(shown.prediction, question) + unanswered(shown);
    if open > 0 {
        return Verdict { code: 3, reason: format!("{open} {} could not be looked at", plural(open, "thing")) };
    }
    Verdict { code: 0, reason: "no dangerous change".to_owned() }
}

/// How many things were asked for and are not known. In a run over files nobody asked a server for what it runs with today: what that leaves open
/// leaves 0 a 0, as for `lint`.
fn open(prediction: &Prediction, question: Question) -> usize {
    let is_asked = |gap: &&Gap| question == Question::Members || gap.why != GapReason::NotGiven;
    let asked = prediction.members.iter().flat_map(gaps).filter(is_asked);
    let whole = prediction.members.iter().filter_map(|member| member.settings.as_ref().err());
    asked.chain(whole).map(|gap| (&gap.what, gap.why, &gap.detail)).collect::<BTreeSet<_>>().len()
}

/// Of how many members it is not known whether a start of Patroni stops their servers.
fn unanswered(shown: &Shown<'_>) -> usize {
    gates(shown.page).iter().filter(|gate| gate.answer == Answer::NotKnown).count()
}

/// The last line of the readable shapes.
#[must_use]
pub fn last_line(shown: &Shown<'_>, verdict: &Verdict) -> String {
    let members = shown.prediction.members.len();
    let gaps = shown.prediction.members.iter().flat_map(gaps);
    let open = gaps.map(|gap| (&gap.what, gap.why, &gap.detail)).collect::<BTreeSet<_>>().len();
    let open = if open > 0 { format!(", {open} not known") } else { String::new() };
    format!("{members} {}{open}: exit {}, {}", plural(members, "member"), verdict.code, verdict.reason)
}
