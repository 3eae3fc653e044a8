//! The exit code of a prediction and the sentence that explains it.

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

/// How many things were asked for and are not known. In a run over files nobody asked a server for what it runs with today.
fn open(prediction: &Prediction, question: Question) -> usize {
    let is_asked = |gap: &&Gap| question == Question::Members || gap.why != GapReason::NotGiven;
    let mut open = 0;
    for member in &prediction.members {
        let whole = [member.settings.as_ref().err(), member.slots.as_ref().err(), member.touched.as_ref().err()];
        open += whole.iter().flatten().count();
        let later = member.settings.iter().flatten().flat_map(|row| [&row.attached, &row.restarted, &row.started]);
        let mut later: Vec<&Gap> = later.filter_map(|state| state.as_ref().err()).collect();
        let today = member.settings.iter().flatten().filter_map(|row| row.now.as_ref().err());
        let decided = member.connections.iter().filter_map(|c| c.decided.as_ref().err());
        later.extend(today.chain(decided).filter(is_asked));
        later.sort();
        later.dedup();
        open += later.len();
    }
    open
}

/// Of how many members it is not known whether a start of Patroni stops their servers.
fn unanswered(shown: &Shown<'_>) -> usize {
    gates(shown.page).iter().filter(|gate| gate.answer == Answer::NotKnown).count()
}

/// The last line of the readable shapes.
#[must_use]
pub fn last_line(shown: &Shown<'_>, verdict: &Verdict) -> String {
    let members = shown.prediction.members.len();
    let open: usize = shown.prediction.members.iter().map(|member| gaps(member).len()).sum();
    let open = if open > 0 { format!(", {open} not known") } else { String::new() };
    format!("{members} {}{open}: exit {}, {}", plural(members, "member"), verdict.code, verdict.reason)
}
