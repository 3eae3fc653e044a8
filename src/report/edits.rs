//! Edits as other programs may see them: exact, and without secrets.

use super::Page;
use super::redact::MASK;
use crate::finding::{Action, Fix};
use crate::problem::Edit;
use crate::source::{Source, Span};

/// The edits of all steps of a fix.
pub(super) fn of(fix: &Fix) -> Vec<&Edit> {
    let edits = fix.steps.iter().filter_map(|s| if let Action::Edit(edits) = &s.action { Some(edits) } else { None });
    edits.flatten().collect()
}

/// An edit as two insertions when it only puts something around the old bytes: quotes around a password can be shown, the
/// password cannot.
pub(super) fn apart(source: &Source, edit: &Edit) -> Vec<Edit> {
    let old = source.bytes().get(edit.at.range()).unwrap_or_default();
    let Ok(old) = std::str::from_utf8(old) else { return vec![edit.clone()] };
    if old.is_empty() {
        return vec![edit.clone()];
    }
    let Some((before, behind)) = edit.text.split_once(old) else { return vec![edit.clone()] };
    let parts = [
        Edit { at: edit.at.at_start(), text: before.to_owned() },
        Edit { at: edit.at.at_end(), text: behind.to_owned() },
    ];
    parts.into_iter().filter(|e| !e.text.is_empty()).collect()
}

/// Whether an edit would show what must not be seen, or something that is not what it looks like.
pub(super) fn hides(page: &Page<'_>, edit: &Edit) -> bool {
    let source = page.sources.get(edit.at.source);
    let repeats = edit.at.start != edit.at.end
        && (page.redactor.line(&source, edit.at).text.contains(MASK) || lies_in_mask(page, &source, edit.at));
    repeats && !edit.text.is_empty() || page.redactor.words(&[edit.at.source], &edit.text) != edit.text
}

/// Whether the place is masked on its line.
fn lies_in_mask(page: &Page<'_>, source: &Source, at: Span) -> bool {
    source.line_span(source.line_index(at.start)).is_some_and(|line| {
        let shown = page.redactor.line(source, line);
        let (from, to) = (shown.at(at.start), shown.at(at.end));
        from == to || shown.text.get(from..to.max(from)).is_none_or(|t| t.contains(MASK))
    })
}

/// The edits of a fix as a program may apply them; none when one of them hides something.
pub(super) fn exact(page: &Page<'_>, fix: &Fix) -> Option<Vec<Edit>> {
    let edits: Vec<Edit> = of(fix).into_iter().flat_map(|e| apart(&page.sources.get(e.at.source), e)).collect();
    (!edits.is_empty() && !edits.iter().any(|e| hides(page, e))).then_some(edits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_put_around_without_repeating_what_is_in_them() {
        let source = Source::lone("x", "a: 0123\n");
        let edit = Edit { at: source.span(3, 7), text: "'0123'".to_owned() };
        let parts = apart(&source, &edit);
        let expected = [(3, 3, "'"), (7, 7, "'")];
        let expected = expected.map(|(from, to, text)| Edit { at: source.span(from, to), text: text.to_owned() });
        assert_eq!(parts, expected);
        let other = Edit { at: source.span(0, 1), text: "b".to_owned() };
        let kept = apart(&source, &other);
        assert_eq!(kept, [other]);
    }
}
