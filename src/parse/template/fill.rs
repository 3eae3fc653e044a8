//! From parts to the text that parsers read.

use std::ops::Range;

use super::{Engine, Format, Part, Role};
use crate::source::template::{self, Branch, Insertion, Template, Unbalanced};

/// A text of which nothing is known but that it cannot be followed.
pub(super) fn blank(bytes: &[u8], masked: Vec<Range<usize>>, unbalanced: Option<Unbalanced>) -> Template {
    let mut text = bytes.to_vec();
    template::blank(&mut text);
    let insertions = vec![Insertion { range: 0..bytes.len(), indent: None }];
    Template { text, insertions, masked, unbalanced, ..Template::default() }
}

/// A block: the indices of its parts, from the one that opens it to the one that closes it.
struct Block {
    tags: Vec<usize>,
    shows: bool,
}

pub(super) fn fill(
    bytes: &[u8],
    parts: &[Part],
    masked: Vec<Range<usize>>,
    format: Format,
    engine: Engine,
) -> Template {
    let blocks = match blocks(parts) {
        Ok(blocks) => blocks,
        Err(None) => return blank(bytes, masked, None),
        // Ruby and Puppet are whole languages: what begins and ends a block there is a guess.
        Err(Some(_)) if engine == Engine::Erb || bytes[parts[0].range.start] == b'<' => {
            return blank(bytes, masked, None);
        }
        Err(Some(unbalanced)) => return blank(bytes, masked, Some(unbalanced)),
    };
    let mut filler = Filler::new(bytes, parts, format);
    filler.lay_out(&blocks);
    filler.finish(masked)
}

/// Blocks inside blocks that are followed.
const MAX_DEPTH: usize = 64;

/// Every block, an outer one before those inside of it. The error is what has no counterpart, or nothing when blocks nest too
/// deep to be followed.
fn blocks(parts: &[Part]) -> Result<Vec<Block>, Option<Unbalanced>> {
    let mut open: Vec<Block> = Vec::new();
    let mut done: Vec<Block> = Vec::new();
    let unbalanced = |index: usize, problem: String| Some(Unbalanced { range: parts[index].range.clone(), problem });
    for (index, part) in parts.iter().enumerate() {
        if open.len() > MAX_DEPTH {
            return Err(None);
        }
        match part.role {
            Role::Value | Role::Nothing => {}
            Role::Open(_) => open.push(Block { tags: vec![index], shows: true }),
            Role::Define(_) => open.push(Block { tags: vec![index], shows: false }),
            Role::Middle => match open.last_mut() {
                Some(block) => block.tags.push(index),
                None => return Err(unbalanced(index, "no block is open here".to_owned())),
            },
            Role::Close(of) => {
                let Some(mut block) = open.pop() else {
                    return Err(unbalanced(index, "it closes a block that nothing has opened".to_owned()));
                };
                let (Role::Open(opener) | Role::Define(opener)) = parts[block.tags[0]].role else { continue };
                if opener != of {
                    let problem = format!("it closes a block that begins with `{opener}`");
                    return Err(unbalanced(index, problem));
                }
                block.tags.push(index);
                done.push(block);
            }
        }
    }
    if let Some(block) = open.first() {
        return Err(unbalanced(block.tags[0], "the block that it begins is never closed".to_owned()));
    }
    done.sort_by_key(|block| block.tags[0]);
    Ok(done)
}

/// What a part comes to in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// A value.
    Value,
    /// Blanks.
    Nothing,
    /// It lies inside of another one.
    Covered,
}

struct Filler<'a> {
    bytes: &'a [u8],
    parts: &'a [Part],
    format: Format,
    shapes: Vec<Shape>,
    /// The bytes of each part, those of a whole block where that is one.
    ranges: Vec<Range<usize>>,
    branches: Vec<Branch>,
    /// A line that a statement above it indents.
    shifted: Range<usize>,
    out: Template,
}

impl<'a> Filler<'a> {
    fn new(bytes: &'a [u8], parts: &'a [Part], format: Format) -> Self {
        let shape = |part: &Part| if part.role == Role::Value { Shape::Value } else { Shape::Nothing };
        Self {
            bytes,
            parts,
            format,
            shapes: parts.iter().map(shape).collect(),
            ranges: parts.iter().map(|p| p.range.clone()).collect(),
            branches: Vec::new(),
            shifted: 0..0,
            out: Template { text: bytes.to_vec(), ..Template::default() },
        }
    }

    /// Decides for every block whether its lines can be read, or whether it is one unknown thing.
    fn lay_out(&mut self, blocks: &[Block]) {
        let lines = self.lines_with_content();
        for block in blocks {
            let (first, last) = (block.tags[0], block.tags[block.tags.len() - 1]);
            if self.shapes[first] == Shape::Covered {
                continue;
            }
            if block.shows && block.tags.iter().all(|tag| !lines[*tag]) {
                for (n, pair) in block.tags.windows(2).enumerate() {
                    let range = self.parts[pair[0]].range.end..self.parts[pair[1]].range.start;
                    self.branches.push(Branch { range, is_other: n > 0, outer: None });
                }
                continue;
            }
            let range = self.parts[first].range.start..self.parts[last].range.end;
            let says_something = block.shows && self.says_something(first, last);
            self.shapes[first..=last].fill(Shape::Covered);
            self.shapes[first] = if says_something { Shape::Value } else { Shape::Nothing };
            self.ranges[first] = range;
        }
    }

    /// For each part, whether its lines hold anything but parts, blanks and comments.
    fn lines_with_content(&self) -> Vec<bool> {
        let mut result = vec![false; self.parts.len()];
        let mut index = 0;
        while index < self.parts.len() {
            // Parts that share lines are looked at together.
            let mut last = index;
            while last + 1 < self.parts.len() && !self.between(last).contains(&b'\n') {
                last += 1;
            }
            let head = self.head(index);
            let comment = head.first() == Some(&b'#');
            let tail = self.tail(last);
            let inner = (index..last).any(|i| !self.between(i).trim_ascii().is_empty());
            let content = !comment && (!head.is_empty() || inner || !(tail.is_empty() || tail.starts_with(b"#")));
            result[index..=last].fill(content);
            index = last + 1;
        }
        result
    }

    /// The text between a part and the next one.
    fn between(&self, index: usize) -> &'a [u8] {
        &self.bytes[self.parts[index].range.end..self.parts[index + 1].range.start]
    }

    /// What stands in front of a part on its line, as long as no other part does.
    fn head(&self, index: usize) -> &'a [u8] {
        let start = self.parts[index].range.start;
        let line = memchr::memrchr(b'\n', &self.bytes[..start]).map_or(0, |n| n + 1);
        self.bytes[line..start].trim_ascii()
    }

    fn tail(&self, index: usize) -> &'a [u8] {
        let end = self.parts[index].range.end;
        let line = memchr::memchr(b'\n', &self.bytes[end..]).map_or(self.bytes.len(), |n| end + n);
        self.bytes[end..line].trim_ascii()
    }

    /// Whether a block leaves any text.
    fn says_something(&self, first: usize, last: usize) -> bool {
        (first..last).any(|i| {
            !self.between(i).trim_ascii().is_empty()
                || (self.shapes[i] == Shape::Value && self.parts[i].role == Role::Value)
        })
    }

    fn finish(mut self, masked: Vec<Range<usize>>) -> Template {
        let kept: Vec<usize> = (0..self.parts.len()).filter(|i| self.shapes[*i] != Shape::Covered).collect();
        let mut at = 0;
        while at < kept.len() {
            let mut end = at + 1;
            while end < kept.len() && !self.gap(kept[end - 1], kept[end]).contains(&b'\n') {
                end += 1;
            }
            self.line(&kept[at..end]);
            at = end;
        }
        self.out.set_branches(self.branches);
        self.out.masked = masked;
        self.out
    }

    fn gap(&self, a: usize, b: usize) -> &'a [u8] {
        &self.bytes[self.ranges[a].end..self.ranges[b].start]
    }

    /// Fills the parts that share lines.
    fn line(&mut self, parts: &[usize]) {
        let (first, last) = (parts[0], parts[parts.len() - 1]);
        if self.shifted.contains(&self.ranges[first].start) {
            return;
        }
        let start = memchr::memrchr(b'\n', &self.bytes[..self.ranges[first].start]).map_or(0, |n| n + 1);
        let behind = self.ranges[last].end;
        let stop = memchr::memchr(b'\n', &self.bytes[behind..]).map_or(self.bytes.len(), |n| behind + n);
        let head = self.bytes[start..self.ranges[first].start].trim_ascii();
        let tail = self.bytes[behind..stop].trim_ascii();
        let inner = parts.windows(2).any(|p| !self.gap(p[0], p[1]).trim_ascii().is_empty());
        let comment = head.first() == Some(&b'#');
        let bare = head.is_empty() && !inner && (tail.is_empty() || tail.starts_with(b"#"));
        let has_value = parts.iter().any(|p| self.shapes[*p] == Shape::Value);
        // Blanks in front of a key would change how far it is indented.
        let shifts = self.format == Format::Yaml && head.is_empty() && !bare && self.shapes[first] == Shape::Nothing;
        if !comment && ((bare && has_value) || shifts) {
            let to = if shifts { stop } else { behind };
            self.take_out(self.ranges[first].start..to);
            let column = self.ranges[first].start - start;
            let indent = self.indent_of(parts, column);
            self.out.insertions.push(Insertion { range: self.ranges[first].start..to, indent });
            return;
        }
        for part in parts {
            let range = self.ranges[*part].clone();
            if self.shapes[*part] == Shape::Value {
                self.out.text[range.clone()].fill(b'x');
                self.out.holes.push(range);
            } else if bare && !comment {
                self.take_out(range);
            } else {
                template::blank(&mut self.out.text[range]);
            }
        }
        // A line further left behind the end of a block is how everybody writes.
        let begins = matches!(self.parts[last].role, Role::Open(_) | Role::Middle);
        if bare && !comment && begins && self.format == Format::Yaml {
            self.shift(start, self.ranges[first].start, stop);
        }
    }

    /// Ansible takes away the line end behind a statement and leaves the blanks in front of it, so that they indent the next line. Where
    /// that line would otherwise stand further left than the statement, this is what was meant, and how far it goes is not followed.
    fn shift(&mut self, start: usize, statement: usize, stop: usize) {
        let next = (stop + 1).min(self.bytes.len());
        let end = memchr::memchr(b'\n', &self.bytes[next..]).map_or(self.bytes.len(), |n| next + n);
        let line = &self.bytes[next..end];
        let blanks = line.iter().take_while(|b| **b == b' ').count();
        let column = statement - start;
        let is_left = self.bytes[statement..].starts_with(b"{%") && blanks < column;
        let content = line.trim_ascii_start();
        if is_left && !content.is_empty() && !content.starts_with(b"{%") && !content.starts_with(b"#") {
            self.shifted = next + blanks..end;
            self.take_out(self.shifted.clone());
            self.out.insertions.push(Insertion { range: self.shifted.clone(), indent: Some(blanks) });
        }
    }

    /// Leaves nothing of parts that have their lines for themselves.
    fn take_out(&mut self, range: Range<usize>) {
        let text = &mut self.out.text[range];
        if self.format == Format::Yaml { template::erase(text) } else { template::blank(text) }
    }

    /// How far what is put into a line is indented at least: as a filter says, else as far as the parts; unknown for a block, for a
    /// filter whose number is not written down and for what brings its own line ends.
    fn indent_of(&self, parts: &[usize], column: usize) -> Option<usize> {
        let mut least = None;
        for part in parts.iter().filter(|p| self.shapes[**p] == Shape::Value) {
            let range = &self.ranges[*part];
            let text = &self.bytes[range.clone()];
            let is_block = *range != self.parts[*part].range;
            let filtered = memchr::memmem::find(text, b"indent").is_some();
            match self.parts[*part].indent {
                Some(n) if !is_block => least = Some(least.map_or(n, |l: usize| l.min(n))),
                _ if is_block || filtered || text.contains(&b'\n') => return None,
                _ => {}
            }
        }
        Some(least.unwrap_or(column))
    }
}
