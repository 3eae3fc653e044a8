//! The few lines of a file that a finding points at, in the form codespan-reporting wants.
//!
//! Only lines with a label are kept; each is cut around its labels, cleaned and mapped, and keeps its real number.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use codespan_reporting::files::{Error, Files};

use super::redact::Redactor;
use crate::source::{Source, SourceId, SourceMap, Span};

/// Bytes of a line that are shown on each side of a label.
const AROUND: usize = 100;

/// The shown parts of the sources of one finding.
pub(super) struct Excerpts {
    files: Vec<Excerpt>,
    order: Vec<SourceId>,
}

struct Excerpt {
    source: Arc<Source>,
    /// The name as it is shown.
    name: String,
    text: String,
    /// First byte in `text`, number of the line in the file, and columns that the cut took away.
    lines: Vec<(usize, usize, usize)>,
    places: BTreeMap<Span, Range<usize>>,
}

impl Excerpts {
    /// Excerpts for all spans, files in the order of first mention.
    pub(super) fn new(sources: &SourceMap, redactor: &Redactor, spans: &[Span]) -> Self {
        let mut order: Vec<SourceId> = Vec::new();
        for span in spans {
            if !order.contains(&span.source) {
                order.push(span.source);
            }
        }
        let files = order
            .iter()
            .map(|id| {
                let own: Vec<Span> = spans.iter().copied().filter(|s| s.source == *id).collect();
                Excerpt::new(sources.get(*id), redactor, &own)
            })
            .collect();
        Self { files, order }
    }

    /// The file number and the range in its excerpt of a span.
    pub(super) fn place(&self, span: Span) -> (usize, Range<usize>) {
        let file = self.order.iter().position(|id| *id == span.source).unwrap_or(0);
        (file, self.files[file].places.get(&span).cloned().unwrap_or(0..0))
    }
}

impl Excerpt {
    fn new(source: Arc<Source>, redactor: &Redactor, spans: &[Span]) -> Self {
        let mut by_line: BTreeMap<usize, Vec<Span>> = BTreeMap::new();
        for span in spans {
            by_line.entry(source.line_index(span.start)).or_default().push(*span);
        }
        let mut excerpt = Self {
            text: String::new(),
            lines: Vec::new(),
            places: BTreeMap::new(),
            name: redactor.words(&[], source.name()),
            source,
        };
        let mut previous = None;
        for (index, spans) in by_line {
            if previous.is_some_and(|p| p + 1 < index) {
                excerpt.lines.push((excerpt.text.len(), index, 0));
                excerpt.text.push('\n');
            }
            excerpt.add_line(redactor, index, &spans);
            previous = Some(index);
        }
        excerpt
    }

    fn add_line(&mut self, redactor: &Redactor, index: usize, spans: &[Span]) {
        let Some(line) = self.source.line_span(index) else { return };
        let first = spans.iter().map(|s| s.start as usize).min().unwrap_or(0);
        let last = spans.iter().map(|s| s.start as usize).max().unwrap_or(0);
        let start = boundary(&self.source, line.range(), first.saturating_sub(AROUND));
        let end = boundary(&self.source, line.range(), last + 2 * AROUND).max(start);
        let part = self.source.span(start, end);
        let shown = redactor.line(&self.source, part);
        let cut = self.source.position(part.start).1 - 1;
        let lead = if cut > 0 { "…" } else { "" };
        let base = self.text.len() + lead.len();
        self.lines.push((self.text.len(), index + 1, cut));
        self.text.push_str(lead);
        self.text.push_str(&shown.text);
        if end < line.range().end {
            self.text.push('…');
        }
        for span in spans {
            let from = base + shown.at(span.start.min(part.end));
            let to = base + shown.at(span.end.min(part.end));
            self.places.insert(*span, from..to.max(from));
        }
        self.text.push('\n');
    }
}

/// The nearest start of a character at or before a byte, inside the line.
fn boundary(source: &Source, line: Range<usize>, byte: usize) -> usize {
    let mut at = byte.clamp(line.start, line.end);
    while at > line.start && at < line.end && source.bytes()[at] & 0xC0 == 0x80 {
        at -= 1;
    }
    at
}

impl<'a> Files<'a> for Excerpts {
    type FileId = usize;
    type Name = &'a str;
    type Source = &'a str;

    fn name(&'a self, id: usize) -> Result<&'a str, Error> {
        Ok(&self.files[id].name)
    }

    fn source(&'a self, id: usize) -> Result<&'a str, Error> {
        Ok(&self.files[id].text)
    }

    fn line_index(&'a self, id: usize, byte: usize) -> Result<usize, Error> {
        Ok(self.files[id].lines.partition_point(|(start, ..)| *start <= byte).saturating_sub(1))
    }

    fn line_number(&'a self, id: usize, line: usize) -> Result<usize, Error> {
        Ok(self.files[id].lines.get(line).map_or(1, |(_, number, _)| *number))
    }

    fn column_number(&'a self, id: usize, line: usize, byte: usize) -> Result<usize, Error> {
        let file = &self.files[id];
        let original = file.places.iter().find(|(_, r)| r.start == byte).map(|(s, _)| file.source.position(s.start));
        match original {
            Some((number, column)) if file.lines.get(line).is_some_and(|l| l.1 == number) => Ok(column),
            _ => Ok(1),
        }
    }

    fn line_range(&'a self, id: usize, line: usize) -> Result<Range<usize>, Error> {
        let file = &self.files[id];
        let start = file.lines.get(line).map_or(file.text.len(), |(start, ..)| *start);
        let end = file.lines.get(line + 1).map_or(file.text.len(), |(start, ..)| *start);
        Ok(start..end)
    }
}
