//! Edits that mend a mistake for certain: each is tried on the text before it is offered.

use super::document::attempt;
use super::tree::{Node, NodeId, Value};
use crate::problem::{Edit, Problem};
use crate::source::Source;

/// Bytes that may be read again to try edits on one text.
const MOST_WORK: usize = 2 << 20;

/// Tries edits on a text, as long as that is cheap.
pub(super) struct Mender<'s> {
    source: &'s Source,
    left: usize,
}

/// Whether the first thing on a line, after spaces, dashes and a key, begins at `at`.
pub(super) fn is_value_start(source: &Source, at: usize) -> bool {
    let bytes = source.plain();
    let start = bytes[..at].iter().rposition(|b| matches!(b, b'\n' | b'\r')).map_or(0, |i| i + 1);
    let before = &bytes[start..at];
    let trimmed = before.trim_ascii_end();
    trimmed.is_empty() || (trimmed.len() < before.len() && matches!(trimmed.last(), Some(b':' | b'-')))
}

impl<'s> Mender<'s> {
    pub(super) const fn new(source: &'s Source) -> Self {
        Self { source, left: MOST_WORK }
    }

    /// Offers quotes around the rest of the line from `at` on, if that is a value and takes the mistake away.
    pub(super) fn quoted(&mut self, problem: Problem, at: usize) -> Problem {
        let bytes = self.source.plain();
        let end = bytes[at..].iter().position(|b| matches!(b, b'\n' | b'\r')).map_or(bytes.len(), |i| at + i);
        let Ok(rest) = std::str::from_utf8(&bytes[at..end]) else { return problem };
        let value = rest.trim_end_matches([' ', '\t']);
        let unclear = value.contains(" #") || value.contains("\t#") || value.ends_with([',', ']', '}']);
        if value.is_empty() || unclear || !is_value_start(self.source, at) || value.chars().any(char::is_control) {
            return problem;
        }
        let end = at + value.len();
        let quote = match (value.contains('\''), value.contains(['"', '\\'])) {
            (false, _) => "'",
            (true, false) => "\"",
            (true, true) => return problem,
        };
        let insert = |at| Edit { at: self.source.span(at, at), text: quote.to_owned() };
        let edits = vec![insert(at), insert(end)];
        self.offer(problem, edits, at)
    }

    /// Adds edits if the text can be read past `at` with them.
    fn offer(&mut self, mut problem: Problem, edits: Vec<Edit>, at: usize) -> Problem {
        let Some(text) = self.applied(&edits) else { return problem };
        let good = match attempt(&text, self.source.id(), None).outcome {
            Ok(document) => document.found.faults.iter().all(|fault| fault.at != at),
            Err(fault) => fault.at > edits.iter().map(|e| e.at.end as usize + e.text.len()).max().unwrap_or(at),
        };
        if good {
            problem.edits.extend(edits);
        }
        problem
    }

    fn applied(&mut self, edits: &[Edit]) -> Option<String> {
        let bytes = self.source.plain();
        self.left = self.left.checked_sub(bytes.len())?;
        let mut out = Vec::with_capacity(bytes.len() + edits.len() * 8);
        let mut from = 0;
        for edit in edits {
            let range = edit.at.range();
            out.extend_from_slice(&bytes[from..range.start]);
            out.extend_from_slice(edit.text.as_bytes());
            from = range.end;
        }
        out.extend_from_slice(&bytes[from..]);
        String::from_utf8(out).ok()
    }

    /// Offers spaces for tabs: one between a key and its value; in indentation as many as all readable widths agree on.
    pub(super) fn tabs(&mut self, problem: Problem, at: usize) -> Problem {
        if !in_indentation(self.source, at) {
            let bytes = self.source.plain();
            let end = at + bytes[at..].iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
            let text = if matches!(bytes.get(end), None | Some(b'\n' | b'\r')) { "" } else { " " };
            let edit = Edit { at: self.source.span(at, end), text: text.to_owned() };
            return self.offer(problem.arg("where", "separation"), vec![edit], at);
        }
        let mut problem = problem.arg("where", "indentation");
        problem.edits = self.indentation().unwrap_or_default();
        problem
    }

    fn indentation(&mut self) -> Option<Vec<Edit>> {
        let mut chosen: Option<(Vec<Edit>, Document)> = None;
        for width in WIDTHS {
            let edits = spaces_for_tabs(self.source, width);
            let text = self.applied(&edits)?;
            let Ok(document) = attempt(&text, self.source.id(), None).outcome else { continue };
            if !document.found.faults.is_empty() {
                continue;
            }
            let document = Document(document.composed.nodes, document.composed.root);
            match &chosen {
                None => chosen = Some((edits, document)),
                Some((_, first)) if first.says_the_same(&document) => {}
                Some(_) => return None,
            }
        }
        chosen.map(|(edits, _)| edits)
    }
}

/// Whether nothing but spaces and tabs stands before `at` on its line.
pub(super) fn in_indentation(source: &Source, at: usize) -> bool {
    let bytes = &source.plain()[..at];
    let start = bytes.iter().rposition(|b| matches!(b, b'\n' | b'\r')).map_or(0, |i| i + 1);
    bytes[start..].iter().all(|b| matches!(b, b' ' | b'\t'))
}

/// Widths of a tab that people use, the likeliest first.
const WIDTHS: [usize; 6] = [2, 4, 8, 1, 3, 6];

/// Spaces in the place of each tab before the text of a line.
fn spaces_for_tabs(source: &Source, width: usize) -> Vec<Edit> {
    let mut edits = Vec::new();
    let mut in_indent = true;
    for (i, b) in source.plain().iter().enumerate() {
        match b {
            b'\n' | b'\r' => in_indent = true,
            b'\t' if in_indent => edits.push(Edit { at: source.span(i, i + 1), text: " ".repeat(width) }),
            b' ' => {}
            _ => in_indent = false,
        }
    }
    edits
}

/// What a text says.
struct Document(Vec<Node>, Option<NodeId>);

impl Document {
    fn says_the_same(&self, other: &Self) -> bool {
        self.0.len() == other.0.len()
            && self.1 == other.1
            && self.0.iter().zip(&other.0).all(|(a, b)| a.value == b.value || is_nan(&a.value) && is_nan(&b.value))
    }
}

fn is_nan(value: &Value) -> bool {
    matches!(value, Value::Float(x) if x.is_nan())
}

/// The one escape that two surrogates of a pair should have been, if nothing stands between them.
pub(super) fn joined(source: &Source, high: (usize, usize), low: (usize, usize)) -> Option<String> {
    let code = |(start, end): (usize, usize)| {
        let digits = std::str::from_utf8(source.plain().get(start + 2..end)?).ok()?;
        u32::from_str_radix(digits, 16).ok()
    };
    let (first, second) = (code(high)?, code(low)?);
    let pair = high.1 == low.0 && (0xD800..0xDC00).contains(&first) && (0xDC00..0xE000).contains(&second);
    pair.then(|| format!("\\U{:08X}", 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00)))
}
