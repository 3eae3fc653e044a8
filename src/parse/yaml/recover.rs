//! Reads on after a mistake: blanks out the smallest piece that can be blamed, at the same length, and reads again.
//!
//! A piece is the value of a key (the key stays, its value is unknown), a line without a key, or the value of a key that
//! the line hangs under. A mistake that shows only in the text before an earlier one is a consequence and is not kept.

use super::blame::{Blame, blank, culprit, first_blame, line_start, wider};
use super::document::{Attempt, Document, attempt};
use super::fault::Exception;
use super::text::{Unreadable, decode};
use super::tree::{Entry, Node, Value};
use super::uncertain::{self, Outline};
use crate::source::{Source, SourceId};

/// Bytes that may be read again and again, in all.
const MOST_WORK: usize = 12 << 20;
/// Readings of one text.
const MOST_ROUNDS: usize = 40;

/// Ranges of bytes.
type Ranges = Vec<(usize, usize)>;

/// What was read of a text, and what is wrong with it.
pub(super) struct Reading {
    /// `None` when nothing could be read.
    pub(super) document: Option<Document>,
    /// What PyYAML raises.
    pub(super) raised: Option<Exception>,
    /// Further mistakes, independent of that one and of each other.
    pub(super) further: Vec<Exception>,
    /// Byte ranges of comments.
    pub(super) comments: Ranges,
    /// Byte ranges of escapes of lone surrogates.
    pub(super) surrogates: Ranges,
    /// It could not be read, and a template may be why: nothing is said about it.
    pub(super) is_doubtful: bool,
}

/// Reads as much of a source as can be read.
pub(super) fn read(source: &Source) -> Reading {
    let Some(template) = source.template() else { return read_text(source, source.bytes(), None) };
    let all = Outline { template, reading: uncertain::Reading::All };
    let reading = read_text(source, &template.text, Some(all));
    let clean =
        |reading: &Reading| reading.raised.is_none() && reading.document.as_ref().is_none_or(|d| !d.doubts.has_strays);
    if clean(&reading) || template.branches.is_empty() {
        return certain_of(reading, all, &template.text);
    }
    // One behind the other, branches do not make sense: only the first of each block is read.
    let first = Outline { template, reading: uncertain::Reading::First };
    let text = template.first_branches();
    certain_of(read_text(source, &text, Some(first)), first, &text)
}

/// A reading without the mistakes that a template may be the cause of.
fn certain_of(mut reading: Reading, outline: Outline<'_>, text: &[u8]) -> Reading {
    let text = String::from_utf8_lossy(text);
    let mut faults: Vec<Exception> =
        reading.raised.take().into_iter().chain(std::mem::take(&mut reading.further)).collect();
    // What follows a mistake of which nothing is certain may be its consequence.
    let certain = faults.iter().position(|f| !outline.is_certain(f, &text)).unwrap_or(faults.len());
    reading.is_doubtful = certain < faults.len();
    faults.truncate(certain);
    let mut faults = faults.into_iter();
    reading.raised = faults.next();
    reading.further = faults.collect();
    reading
}

fn read_text(source: &Source, bytes: &[u8], outline: Option<Outline<'_>>) -> Reading {
    let (text, first) = match decode(bytes) {
        Ok(text) => {
            let Attempt { outcome, comments, surrogates, .. } = attempt(text, source.id(), outline);
            match outcome {
                Ok(document) => return Reading::complete(document, comments, surrogates),
                Err(fault) => {
                    let state = Recovery::new(text.to_owned(), comments, outline);
                    return state.run(*fault, Vec::new(), source.id());
                }
            }
        }
        Err(damage) => {
            let readable = std::str::from_utf8(&bytes[..damage.readable]).unwrap_or_default();
            let before = attempt(readable, source.id(), outline);
            let mut faults = vec![*damage.exception];
            if let Err(fault) = before.outcome
                && !before.end_seen
            {
                faults.insert(0, *fault);
            }
            (mend(bytes, &damage.places), (faults, damage.places, before.comments))
        }
    };
    let (mut faults, places, comments) = first;
    let mut state = Recovery::new(text, comments, outline);
    state.broken = places.iter().map(|(start, end, _)| (*start, *end)).collect();
    let raised = faults.remove(0);
    let again = attempt(&state.text, source.id(), outline);
    match again.outcome {
        Ok(document) => {
            let mut reading = Reading::complete(document, again.comments, again.surrogates);
            state.forget_broken(&mut reading);
            reading.further.extend(reading.raised.take());
            reading.further.append(&mut faults);
            reading.raised = Some(raised);
            reading
        }
        Err(fault) => {
            let mut reading = state.run(*fault, faults, source.id());
            let same = reading.raised.as_ref() == Some(&raised);
            reading.further.extend(reading.raised.take().filter(|_| !same));
            reading.raised = Some(raised);
            reading
        }
    }
}

/// The text with a letter in the place of each byte that cannot be read.
fn mend(bytes: &[u8], places: &[(usize, usize, Unreadable)]) -> String {
    let mut bytes = bytes.to_vec();
    for (start, end, _) in places {
        bytes[*start..*end].fill(b'_');
    }
    String::from_utf8(bytes).unwrap_or_default()
}

impl Reading {
    fn complete(mut document: Document, comments: Ranges, surrogates: Ranges) -> Self {
        let mut further = std::mem::take(&mut document.found.faults);
        let raised = if further.is_empty() { None } else { Some(further.remove(0)) };
        Self { document: Some(document), raised, further, comments, surrogates, is_doubtful: false }
    }
}

struct Recovery<'t> {
    text: String,
    outline: Option<Outline<'t>>,
    comments: Ranges,
    /// What stands in these bytes is not known.
    broken: Ranges,
    rounds: usize,
}

impl<'t> Recovery<'t> {
    fn new(text: String, comments: Ranges, outline: Option<Outline<'t>>) -> Self {
        let rounds = (MOST_WORK / text.len().max(1)).clamp(1, MOST_ROUNDS);
        Self { text, outline, comments, broken: Vec::new(), rounds }
    }

    /// Goes on until the text can be read, nothing can be blamed, or it has cost enough.
    fn run(mut self, first: Exception, mut further: Vec<Exception>, source: SourceId) -> Reading {
        let mut fault = first.clone();
        let document = loop {
            match self.step(&fault, source) {
                Step::Read(document, surrogates) => break Some((document, surrogates)),
                Step::Next(next) => {
                    further.push((*next).clone());
                    fault = *next;
                }
                Step::Consequence(next) => fault = *next,
                Step::Stuck => break self.give_up(&fault, source),
            }
        };
        self.comments.sort_unstable();
        self.comments.dedup();
        let mut reading = match document {
            Some((document, surrogates)) => {
                Reading::complete(*document, std::mem::take(&mut self.comments), surrogates)
            }
            None => Reading {
                document: None,
                raised: None,
                further: Vec::new(),
                comments: std::mem::take(&mut self.comments),
                surrogates: Vec::new(),
                is_doubtful: false,
            },
        };
        self.forget_broken(&mut reading);
        further.extend(reading.raised.take());
        further.append(&mut reading.further);
        Reading { raised: Some(first), further, ..reading }
    }

    /// Blames ever larger pieces for one mistake, until it is gone.
    fn step(&mut self, fault: &Exception, source: SourceId) -> Step {
        let blamed = culprit(fault).min(self.text.len());
        let before = self.text.clone();
        let mut blame = Some(first_blame(&self.text, fault, blamed));
        while let Some(this) = blame {
            if self.rounds == 0 {
                return Step::Stuck;
            }
            self.rounds -= 1;
            self.text = blank(&before, this.range);
            let end = this.range.1;
            let again = attempt(&self.text, source, self.outline);
            match again.outcome {
                Ok(document) => {
                    self.broken.push(this.range);
                    self.comments.extend(again.comments);
                    return Step::Read(Box::new(document), again.surrogates);
                }
                Err(next) if culprit(&next) >= end && next.at >= end => {
                    self.broken.push(this.range);
                    self.comments.extend(again.comments);
                    return Step::Next(next);
                }
                Err(next) if self.is_outermost(&this) => {
                    self.broken.push(this.range);
                    self.comments.extend(again.comments);
                    let known = self.broken.iter().any(|(start, _)| *start == culprit(&next));
                    return if known { Step::Stuck } else { Step::Consequence(next) };
                }
                Err(_) => blame = wider(&before, &this),
            }
        }
        Step::Stuck
    }

    /// Reads what stands before the line that cannot be mended.
    fn give_up(&mut self, fault: &Exception, source: SourceId) -> Option<(Box<Document>, Ranges)> {
        let line = line_start(&self.text, culprit(fault).min(self.text.len()));
        let again = attempt(&self.text[..line], source, self.outline);
        self.comments.extend(again.comments);
        again.outcome.ok().map(|document| (Box::new(document), again.surrogates))
    }

    fn is_outermost(&self, blame: &Blame) -> bool {
        !blame.keeps_key && blame.indent == 0 && blame.line < self.text.len()
    }

    /// Makes values unknown that stand where the text was broken.
    fn forget_broken(&self, reading: &mut Reading) {
        let mut broken = self.broken.clone();
        broken.sort_unstable();
        let hit = |start: usize, end: usize| {
            let next = broken.partition_point(|b| b.1 < start || (b.1 == start && start < end));
            broken.get(next).is_some_and(|b| if start == end { b.0 <= start } else { b.0 < end })
        };
        reading.further.retain(|fault| !hit(fault.at, fault.at));
        if reading.raised.as_ref().is_some_and(|fault| hit(fault.at, fault.at)) {
            reading.raised = None;
        }
        let Some(document) = &mut reading.document else { return };
        for (index, node) in document.composed.nodes.iter_mut().enumerate() {
            let is_scalar = document.composed.metas.get(index).is_some_and(|m| m.kind == super::composer::Kind::Scalar);
            let (start, end) = (node.span.start as usize, node.span.end as usize);
            if is_scalar && hit(start, end) {
                node.value = Value::Unknown;
                reading.further.retain(|fault| fault.at != start);
            }
        }
        document.found.duplicates.retain(|pair| !is_unknown(document.composed.nodes.as_slice(), *pair));
    }
}

fn is_unknown(nodes: &[Node], pair: (Entry, Entry)) -> bool {
    [pair.0.key, pair.1.key].iter().any(|id| nodes[id.index()].value == Value::Unknown)
}

enum Step {
    /// The text could be read.
    Read(Box<Document>, Ranges),
    /// Another mistake stands behind what was blanked out.
    Next(Box<Exception>),
    /// What is left of the mistake shows elsewhere.
    Consequence(Box<Exception>),
    /// Nothing more can be blamed.
    Stuck,
}
