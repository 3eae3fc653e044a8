//! The exit code of a run and the sentence that explains it.

use crate::facts::gap::{Gap, GapReason};
use crate::rules::engine::Outcome;
use crate::rules::schema::Severity;
use crate::rules::tally::State;

/// An exit code and why it is that one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// 0 clean, 1 findings at or above the threshold, 2 a fault of ours or of the call, 3 incomplete.
    pub code: u8,
    /// A sentence without a period.
    pub reason: String,
}

/// The rule whose findings say that a file was handed over and not looked at.
const NOT_LOOKED_AT: &str = "unrecognised-file";

/// What a run was asked to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Question {
    /// Files that were handed over.
    #[default]
    Files,
    /// Members as they run.
    Members,
}

/// Judges a run: a fault of ours wins over findings, findings win over what could not be looked at.
///
/// In a run over files alone, a kind of file that nobody handed over is outside the question that was asked, so it is shown
/// and counted but leaves 0 a 0; anything that was handed over and could not be used makes it 3. In a run over members nothing
/// is outside.
#[must_use]
pub fn verdict(outcome: &Outcome, fail_on: Severity, question: Question) -> Verdict {
    let bad = outcome.findings.iter().filter(|f| f.severity >= fail_on).count();
    let is_asked = |gap: &Gap| question == Question::Members || gap.why != GapReason::NotGiven;
    let open = outcome.gaps.iter().filter(|(_, g)| is_asked(g)).count();
    if !outcome.broken.is_empty() {
        let rules: Vec<&str> = outcome.broken.iter().map(|b| b.rule.as_str()).collect();
        return Verdict { code: 2, reason: format!("a fault of this program in {}", rules.join(", ")) };
    }
    if bad > 0 {
        let word = if fail_on == Severity::Error { "error".to_owned() } else { format!("{} or worse", fail_on.word()) };
        return Verdict { code: 1, reason: format!("{bad} {} of severity {word}", plural(bad, "finding")) };
    }
    let unread = outcome.findings.iter().filter(|f| &*f.rule == NOT_LOOKED_AT).count();
    if unread > 0 {
        return Verdict { code: 3, reason: format!("{unread} named {} could not be checked", plural(unread, "file")) };
    }
    if open > 0 {
        return Verdict { code: 3, reason: format!("{open} {} could not be made", plural(open, "check")) };
    }
    let nothing = format!("nothing of severity {} or worse", fail_on.word());
    let reason = match question {
        Question::Files => nothing,
        Question::Members => format!("ready: {nothing}, and nothing was left unchecked"),
    };
    Verdict { code: 0, reason }
}

/// The last line of the readable formats.
#[must_use]
pub fn last_line(page: &super::Page<'_>) -> String {
    let outcome = page.outcome;
    let count = |s| outcome.findings.iter().filter(|f| f.severity == s).count();
    let mut parts = Vec::new();
    for severity in [Severity::Error, Severity::Warning, Severity::Note] {
        let n = count(severity);
        parts.push(format!("{n} {}", plural(n, severity.word())));
    }
    if outcome.allowed > 0 {
        parts.push(format!("{} allowed", outcome.allowed));
    }
    if outcome.known > 0 {
        parts.push(format!("{} in the baseline", outcome.known));
    }
    if !outcome.gaps.is_empty() {
        parts.push(format!("{} not checked", outcome.gaps.len()));
    }
    let checked = &outcome.checked;
    let members: std::collections::BTreeSet<&str> = checked.iter().map(|c| c.member.as_str()).collect();
    let of_members = if members.is_empty() {
        String::new()
    } else {
        let count = |state| checked.iter().filter(|c| c.state == state).count();
        let (all, fine) = (checked.len(), count(State::Fine));
        let (found, open) = (count(State::Finding), count(State::NotChecked));
        let many = plural(members.len(), "member");
        format!("{all} checks of {} {many}: {fine} fine, {found} with findings, {open} not made\n", members.len())
    };
    format!(
        "{of_members}{} in {} {}: exit {}, {}",
        parts.join(", "),
        page.files.len(),
        plural(page.files.len(), "file"),
        page.verdict.code,
        page.verdict.reason
    )
}

/// A word for so many things.
#[must_use]
pub fn plural(n: usize, word: &str) -> String {
    if n == 1 { word.to_owned() } else { format!("{word}s") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::engine::Broken;

    #[test]
    fn a_fault_wins_over_findings_and_findings_over_gaps() {
        let mut outcome = Outcome::default();
        assert_eq!(verdict(&outcome, Severity::Error, Question::Members).code, 0);
        outcome.gaps.push(("x".to_owned(), Gap::new("pg_hba.conf", GapReason::NotGiven)));
        assert_eq!(verdict(&outcome, Severity::Error, Question::Files).code, 0);
        assert_eq!(verdict(&outcome, Severity::Error, Question::Members).code, 3);
        outcome.gaps.push(("x".to_owned(), Gap::new("pg_hba.conf", GapReason::Unreadable)));
        assert_eq!(verdict(&outcome, Severity::Error, Question::Files).code, 3);
        outcome.broken.push(Broken { rule: "x".to_owned(), message: String::new() });
        assert_eq!(verdict(&outcome, Severity::Error, Question::Files).code, 2);
    }
}
