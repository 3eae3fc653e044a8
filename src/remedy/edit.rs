//! Edits of files: which of those that findings offer go together, and a text with its edits applied.

use std::collections::BTreeMap;

use crate::finding::{Action, Finding};
use crate::problem::Edit;
use crate::source::SourceId;

/// The edits that findings offer, by text and in order. A finding whose edits overlap those of an earlier one is left out as a
/// whole, because half a fix is none: run again for it. The same edit from two findings counts once.
pub fn together<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> BTreeMap<SourceId, Vec<Edit>> {
    let mut all: BTreeMap<SourceId, Vec<Edit>> = BTreeMap::new();
    for finding in findings {
        let own: Vec<&Edit> = edits(finding).collect();
        let fresh: Vec<&Edit> =
            own.iter().copied().filter(|e| !all.get(&e.at.source).is_some_and(|known| known.contains(e))).collect();
        let clash = |e: &Edit| all.get(&e.at.source).is_some_and(|known| known.iter().any(|k| overlap(k, e)));
        if !fresh.iter().any(|e| clash(e)) {
            for edit in fresh {
                all.entry(edit.at.source).or_default().push(edit.clone());
            }
        }
    }
    for edits in all.values_mut() {
        edits.sort();
    }
    all
}

/// The edits of a finding's fix.
pub fn edits(finding: &Finding) -> impl Iterator<Item = &Edit> {
    let steps = finding.fix.as_ref().map_or(&[][..], |fix| &fix.steps);
    steps.iter().flat_map(|step| if let Action::Edit(edits) = &step.action { &edits[..] } else { &[] })
}

/// Whether two different edits touch the same bytes, or insert at the same place, where their order would be a guess.
const fn overlap(a: &Edit, b: &Edit) -> bool {
    let (a, b) = (a.at, b.at);
    if a.start == a.end || b.start == b.end {
        a.start <= b.end && b.start <= a.end
    } else {
        a.start < b.end && b.start < a.end
    }
}

/// A text with edits applied, which are sorted and do not overlap, as [`together`] returns them. An edit that lies outside of the text is
/// left out.
#[must_use]
pub fn apply(bytes: &[u8], edits: &[Edit]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + edits.iter().map(|e| e.text.len()).sum::<usize>());
    let mut from = 0;
    for edit in edits {
        let range = edit.at.range();
        let Some(kept) = bytes.get(from..range.start).filter(|_| range.end <= bytes.len()) else { continue };
        out.extend_from_slice(kept);
        out.extend_from_slice(edit.text.as_bytes());
        from = range.end;
    }
    out.extend_from_slice(&bytes[from..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Fix, Step};
    use crate::rules::schema::{Disruption, Safety, Severity};
    use crate::source::Source;

    fn finding(source: &Source, edits: &[(usize, usize, &str)]) -> Finding {
        let edits = edits.iter().map(|(a, b, t)| Edit { at: source.span(*a, *b), text: (*t).to_owned() }).collect();
        let action = Action::Edit(edits);
        let disruption = Disruption::None;
        let step = Step { action, node: None, precondition: None, postcondition: None, undo: None, disruption };
        let (title, because) = ("x".to_owned(), String::new());
        let fix = Ok(Fix { title, safety: Safety::Safe, because, steps: vec![step], after: Vec::new() });
        let (message, labels, notes) = (String::new(), Vec::new(), Vec::new());
        Finding {
            rule: "r".into(),
            severity: Severity::Error,
            at: source.whole(),
            message,
            labels,
            nodes: Vec::new(),
            notes,
            fix,
        }
    }

    #[test]
    fn edits_that_clash_wait_for_the_next_run() {
        let source = Source::lone("f", "listen: *:5432\n");
        let quote = finding(&source, &[(8, 8, "'"), (14, 14, "'")]);
        let same = quote.clone();
        let clash = finding(&source, &[(8, 9, "0.0.0.0"), (0, 0, "# x\n")]);
        let all = together([&quote, &same, &clash]);
        assert_eq!(apply(source.bytes(), &all[&source.id()]), b"listen: '*:5432'\n");
        let alone = together([&clash]);
        assert_eq!(apply(source.bytes(), &alone[&source.id()]), b"# x\nlisten: 0.0.0.0:5432\n");
    }
}
