//! What a mistake can be blamed on: pieces of a text, found by lines and indentation alone.

use super::fault::Exception;

/// A line that a mistake can be blamed on.
pub(super) struct Blame {
    /// Bytes that are blanked out.
    pub(super) range: (usize, usize),
    /// Whether a key or dash stays before them, so that its value is unknown.
    pub(super) keeps_key: bool,
    /// Where the line begins.
    pub(super) line: usize,
    pub(super) indent: usize,
}

/// The line of a mistake, and everything that hangs on it.
pub(super) fn first_blame(text: &str, fault: &Exception, culprit: usize) -> Blame {
    if fault.problem == "but found another document" {
        let range = (culprit, text.len());
        return Blame { range, keeps_key: false, line: culprit, indent: 0 };
    }
    let mut line = line_start(text, culprit);
    // At the end of the text, the last line that says anything.
    while line > 0 && is_silent(text, line) {
        line = line_start(text, line - 1);
    }
    blame_line(text, line, true)
}

/// The whole line instead of its value; or the value of the nearest line before that stands further left.
pub(super) fn wider(text: &str, blame: &Blame) -> Option<Blame> {
    if blame.keeps_key && (blame.indent == 0 || blame.range.0 > line_end(text, blame.line)) {
        return Some(blame_line(text, blame.line, false));
    }
    let mut line = blame.line;
    let mut neighbour = blame.keeps_key;
    while line > 0 {
        line = line_start(text, line - 1);
        if is_silent(text, line) {
            continue;
        }
        let indent_here = indent(text, line);
        if indent_here < blame.indent {
            return Some(blame_line(text, line, true));
        }
        // A line without a key runs on into the next one.
        if std::mem::take(&mut neighbour) && indent_here == blame.indent {
            let this = blame_line(text, line, true);
            if !this.keeps_key {
                return Some(this);
            }
        }
    }
    blame.keeps_key.then(|| blame_line(text, blame.line, false))
}

/// Where the mistake was made: where a quote or bracket was opened, rather than where PyYAML missed its end.
pub(super) fn culprit(fault: &Exception) -> usize {
    match &fault.context {
        Some((context, Some(since))) if context.starts_with("while scanning") || context.contains("flow") => *since,
        _ => fault.at,
    }
}

pub(super) fn line_start(text: &str, at: usize) -> usize {
    text.as_bytes()[..at].iter().rposition(|b| matches!(b, b'\n' | b'\r')).map_or(0, |i| i + 1)
}

fn line_end(text: &str, at: usize) -> usize {
    text.as_bytes()[at..].iter().position(|b| matches!(b, b'\n' | b'\r')).map_or(text.len(), |i| at + i)
}

fn indent(text: &str, line: usize) -> usize {
    text.as_bytes()[line..].iter().take_while(|b| matches!(b, b' ' | b'\t')).count()
}

/// Empty, or nothing but a comment.
fn is_silent(text: &str, line: usize) -> bool {
    matches!(text.as_bytes().get(line + indent(text, line)), None | Some(b'#' | b'\n' | b'\r'))
}

/// What hangs on a line: its value and all that stands deeper below it, or the line as a whole.
fn blame_line(text: &str, line: usize, keep_key: bool) -> Blame {
    let end_of_line = line_end(text, line);
    let indent_here = indent(text, line);
    let key = if keep_key { key_end(&text[line..end_of_line]) } else { None };
    let (start, depth) = key.map_or((line, indent_here), |(end, depth)| (line + end, depth));
    let mut end = end_of_line;
    let mut next = end_of_line;
    while next < text.len() {
        next += 1;
        if text.as_bytes()[next - 1] == b'\r' && text.as_bytes().get(next) == Some(&b'\n') {
            next += 1;
        }
        let stop = line_end(text, next);
        if !is_silent(text, next) {
            if indent(text, next) <= depth {
                break;
            }
            end = stop;
        }
        next = stop;
    }
    Blame { range: (start, end), keeps_key: key.is_some(), line, indent: indent_here }
}

/// Where the key of a line ends, `:` included, and the column of the key; for an item without a key, the dash.
fn key_end(line: &str) -> Option<(usize, usize)> {
    let bytes = line.as_bytes();
    let blank = |at: usize| matches!(bytes.get(at), None | Some(b' ' | b'\t'));
    let mut at = line.len() - line.trim_start_matches([' ', '\t']).len();
    let mut dash = None;
    while bytes.get(at) == Some(&b'-') && blank(at + 1) {
        dash = Some((at + 1, at));
        at += 1;
        while bytes.get(at) == Some(&b' ') {
            at += 1;
        }
    }
    let name = match bytes.get(at) {
        Some(quote @ (b'"' | b'\'')) => line[at + 1..].find(*quote as char).map(|len| at + len + 2),
        Some(b) if b.is_ascii_alphanumeric() || *b == b'_' => {
            let len = bytes[at..].iter().enumerate().position(|(i, b)| *b == b':' && blank(at + i + 1));
            len.map(|len| at + len).filter(|end| !line[at..*end].contains(" #"))
        }
        _ => None,
    };
    match name {
        Some(end) if bytes.get(end) == Some(&b':') && blank(end + 1) => Some((end + 1, at)),
        _ => dash,
    }
}

/// The text with spaces in a range; line ends and lines of comments stay.
pub(super) fn blank(text: &str, range: (usize, usize)) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let mut at = range.0;
    while at < range.1 {
        let end = line_end(text, at).min(range.1);
        let is_comment = at > range.0 && text[at..end].trim_start_matches([' ', '\t']).starts_with('#');
        if !is_comment {
            bytes[at..end].fill(b' ');
        }
        at = end + 1;
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}
