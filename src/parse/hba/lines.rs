//! Logical lines, cut as the server cuts them, with the way back to the bytes of the source.
//!
//! From 14 on `tokenize_auth_file` (`src/backend/libpq/hba.c`) collects a line with `pg_get_line_append`, strips line ends and
//! joins lines at a final backslash; a NUL byte hides the rest of its line **and** glues the next line on, because both C
//! functions go by `strlen`. 13 reads with one `fgets` into 20480 bytes (8192 in minor releases before August 2023): a longer line is an error and its rest is read as a
//! line of its own, and a backslash means nothing.

/// `MAX_LINE` of PostgreSQL 13.
const MAX_LINE_13: usize = 20_480;
/// What a `StringInfo` holds at first.
const FIRST_BUFFER: usize = 1024;

/// One logical line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Line {
    /// Number of its first physical line, counted from 1.
    pub(crate) number: u32,
    /// The text without line ends and without the backslashes that joined it.
    pub(crate) text: Vec<u8>,
    /// Where stretches of `text` come from: (index in `text`, byte of the source), ascending.
    segments: Vec<(usize, usize)>,
    /// The bytes of the source that the line takes up, without the last line end.
    pub(crate) extent: (usize, usize),
    /// PostgreSQL 13 could not take it in one piece.
    pub(crate) too_long: bool,
}

impl Line {
    /// The byte of the source that a byte of the text was read from.
    pub(crate) fn origin(&self, index: usize) -> usize {
        let at = self.segments.partition_point(|(start, _)| *start <= index).saturating_sub(1);
        self.segments.get(at).map_or(self.extent.0, |(start, byte)| byte + (index - start))
    }
}

/// Cuts a text into logical lines.
#[derive(Debug)]
pub(crate) struct Lines<'a> {
    bytes: &'a [u8],
    pos: usize,
    next_number: u32,
    continues: bool,
    /// The size to which the server's line buffer has grown.
    buffer: usize,
}

impl<'a> Lines<'a> {
    pub(crate) const fn new(bytes: &'a [u8], first_number: u32, continues: bool) -> Self {
        Self { bytes, pos: 0, next_number: first_number, continues, buffer: FIRST_BUFFER }
    }

    /// One call of `fgets` with room for `room` bytes and the final NUL.
    fn fgets(&mut self, room: usize) -> &'a [u8] {
        let rest = &self.bytes[self.pos..];
        let rest = &rest[..rest.len().min(room)];
        let taken = rest.iter().position(|b| *b == b'\n').map_or(rest, |end| &rest[..=end]);
        self.pos += taken.len();
        taken
    }

    /// `pg_get_line_append` (`src/common/pg_get_line.c`): false at the end of the text.
    fn append_line(&mut self, line: &mut Line) -> bool {
        let before = line.text.len();
        while self.pos < self.bytes.len() {
            let start = self.pos;
            let taken = self.fgets(self.buffer - line.text.len() - 1);
            let seen = taken.iter().position(|b| *b == 0).map_or(taken, |nul| &taken[..nul]);
            line.segments.push((line.text.len(), start));
            line.text.extend_from_slice(seen);
            if line.text.len() > before && line.text.last() == Some(&b'\n') {
                return true;
            }
            while line.text.len() + 129 > self.buffer {
                self.buffer *= 2;
            }
        }
        line.text.len() > before
    }

    /// Puts the next line into `line`; false at the end of the text.
    pub(crate) fn read(&mut self, line: &mut Line) -> bool {
        if self.pos >= self.bytes.len() {
            return false;
        }
        let start = self.pos;
        line.number = self.next_number;
        line.text.clear();
        line.segments.clear();
        line.too_long = false;
        if self.continues {
            self.read_joined(line);
        } else {
            self.read_bounded(line);
        }
        self.next_number += 1;
        let mut end = self.pos;
        while end > start && matches!(self.bytes[end - 1], b'\n' | b'\r') {
            end -= 1;
        }
        line.extent = (start, end);
        true
    }

    fn read_joined(&mut self, line: &mut Line) {
        let mut joined_at = 0;
        while self.append_line(line) {
            strip_line_end(&mut line.text);
            if line.text.len() > joined_at && line.text.last() == Some(&b'\\') {
                line.text.pop();
                joined_at = line.text.len();
                self.next_number += 1;
            } else {
                break;
            }
        }
    }

    fn read_bounded(&mut self, line: &mut Line) {
        line.segments.push((0, self.pos));
        let taken = self.fgets(MAX_LINE_13 - 1);
        let seen = taken.iter().position(|b| *b == 0).map_or(taken, |nul| &taken[..nul]);
        line.too_long = seen.len() == MAX_LINE_13 - 1;
        line.text.extend_from_slice(seen);
        strip_line_end(&mut line.text);
    }
}

fn strip_line_end(text: &mut Vec<u8>) {
    while matches!(text.last(), Some(b'\n' | b'\r')) {
        text.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::{Line, Lines};

    fn texts(text: &[u8], continues: bool) -> Vec<(u32, String)> {
        let mut lines = Lines::new(text, 1, continues);
        let mut line = Line::default();
        let mut found = Vec::new();
        while lines.read(&mut line) {
            found.push((line.number, String::from_utf8_lossy(&line.text).into_owned()));
        }
        found
    }

    #[test]
    fn a_final_backslash_joins_lines_from_14_on() {
        let pairs = [(1, "a b".to_owned()), (3, "c".to_owned())];
        assert_eq!(texts(b"a \\\nb\r\nc", true), pairs);
        assert_eq!(texts(b"a\\\nb", false), [(1, "a\\".to_owned()), (2, "b".to_owned())]);
    }

    #[test]
    fn a_backslash_left_over_from_a_joined_line_joins_no_more() {
        assert_eq!(texts(b"a\\\\\n\nb", true), [(1, "a\\".to_owned()), (3, "b".to_owned())]);
    }

    #[test]
    fn a_nul_hides_the_rest_and_glues_the_next_line() {
        assert_eq!(texts(b"ab\0cd\nef\n", true), [(1, "abef".to_owned())]);
        assert_eq!(texts(b"ab\0cd\nef\n", false), [(1, "ab".to_owned()), (2, "ef".to_owned())]);
    }

    #[test]
    fn bytes_are_found_again_behind_a_joint() {
        let mut line = Line::default();
        assert!(Lines::new(b"ab\\\ncd", 1, true).read(&mut line));
        assert_eq!((line.origin(1), line.origin(2), line.origin(3)), (1, 4, 5));
    }
}
