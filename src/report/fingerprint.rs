//! What makes a finding the same one in the next run: for baselines, and for the formats that track findings over time.
//!
//! A fingerprint is made of the rule, the file, the keys or section that the place lies under, the text of its lines, and a
//! number that tells equal ones apart. It does not change when lines move, are indented anew or get other comments. Secrets
//! are masked first, so it is no hash to guess them by.

use std::collections::HashMap;
use std::fmt::Write as _;

use rayon::prelude::*;
use sha2::{Digest as _, Sha256};

use super::redact::Redactor;
use crate::finding::Finding;
use crate::source::{Source, SourceMap, Span};

/// Names the way in which fingerprints are made. Two with the same name can be compared across releases.
pub const VERSION: &str = "v1";

/// Bytes of the hash that are kept: enough to tell the findings of any repository apart.
const KEPT: usize = 16;

/// One fingerprint for each finding, as 32 hexadecimal digits. All findings of a run have to come together, in the order of the
/// report, because equal ones are numbered.
#[must_use]
pub fn fingerprints(sources: &SourceMap, redactor: &Redactor, findings: &[Finding]) -> Vec<String> {
    let causes: Vec<String> = findings.par_iter().map(|f| cause(sources, redactor, f)).collect();
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let numbered = causes.iter().map(|cause| {
        let number = seen.entry(cause).or_default();
        *number += 1;
        (cause, *number)
    });
    let numbered: Vec<(&String, usize)> = numbered.collect();
    numbered.par_iter().map(|(cause, number)| hash(&format!("{cause}\0{number}"))).collect()
}

fn hash(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().take(KEPT).fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// Everything that a fingerprint is made of but the number. Zeros stand between the parts: none of them holds one.
fn cause(sources: &SourceMap, redactor: &Redactor, finding: &Finding) -> String {
    let source = sources.get(finding.at.source);
    let mut parts = vec![VERSION.to_owned(), finding.rule.to_string(), path(source.name())];
    // An empty place at the very start stands for the file as a whole.
    if finding.at != source.span(0, 0) {
        let reader = Reader { source: &source, redactor, marks: marks(source.name()) };
        parts.push(reader.above(finding.at).join("\u{1f}"));
        parts.push(reader.text(finding.at).join("\n"));
    }
    parts.join("\0")
}

/// A path as every system writes it, without a leading `./`.
#[must_use]
pub fn path(name: &str) -> String {
    name.strip_prefix("./").unwrap_or(name).replace('\\', "/")
}

/// What begins a comment in a file of that name.
fn marks(name: &str) -> &'static [&'static str] {
    if name.contains(".sql") { &["--"] } else { &["#"] }
}

struct Reader<'a> {
    source: &'a Source,
    redactor: &'a Redactor,
    marks: &'static [&'static str],
}

/// A line that says something: without secrets, comments and white space around it.
struct Line {
    /// Where it begins.
    indent: usize,
    /// Where the item of a list begins behind its dashes.
    inner: usize,
    text: String,
}

impl Reader<'_> {
    fn line(&self, index: usize) -> Option<Line> {
        let shown = self.redactor.line(self.source, self.source.line_span(index)?).text;
        let code = without_comment(&shown, self.marks);
        let text = code.split_whitespace().collect::<Vec<_>>().join(" ");
        let indent = code.len() - code.trim_start().len();
        let inner = code.len() - body(code.trim_start()).len();
        (!text.is_empty() && !text.starts_with(';')).then_some(Line { indent, inner, text })
    }

    fn first(&self, at: Span) -> usize {
        self.source.line_index(at.start)
    }

    /// The lines of a place.
    fn text(&self, at: Span) -> Vec<String> {
        // An end behind a line end takes nothing of the line that follows.
        let last = self.source.line_index(at.end.saturating_sub(1).max(at.start));
        (self.first(at)..=last).filter_map(|i| self.line(i)).map(|l| l.text).collect()
    }

    /// What a place lies under, outermost first: keys of YAML by their indentation, or the section of a unit.
    fn above(&self, at: Span) -> Vec<String> {
        let name = self.source.name();
        if name.contains(".service") {
            let section = |l: &Line| l.text.starts_with('[') && l.text.ends_with(']');
            let lines = (0..self.first(at)).rev().filter_map(|i| self.line(i));
            return lines.filter(section).map(|l| l.text).take(1).collect();
        }
        if ![".yml", ".yaml", ".json"].iter().any(|e| name.contains(e)) {
            return Vec::new();
        }
        let mut keys = Vec::new();
        let (mut depth, mut in_item) = self.line(self.first(at)).map_or((0, false), |l| (l.indent, is_item(&l.text)));
        for index in (0..self.first(at)).rev() {
            if depth == 0 && !in_item {
                break;
            }
            if self.indent(index) > depth {
                continue;
            }
            let Some(line) = self.line(index) else { continue };
            let item = is_item(&line.text);
            // Items of a list may stand as deep as the key of the list.
            if line.indent < depth || (line.indent == depth && in_item && !item) {
                if line.inner < depth || !item {
                    keys.push(key(body(&line.text)));
                }
                if item {
                    keys.push("-".to_owned());
                }
                (depth, in_item) = (line.indent, item);
            }
        }
        keys.reverse();
        keys
    }

    /// Where a line begins, without a closer look at it.
    fn indent(&self, index: usize) -> usize {
        let line = self.source.line_span(index).map(|l| &self.source.bytes()[l.range()]).unwrap_or_default();
        line.iter().take_while(|b| b.is_ascii_whitespace()).count()
    }
}

/// What stands behind the dashes of an item.
fn body(text: &str) -> &str {
    let mut body = text;
    while let Some(rest) = body.strip_prefix('-').filter(|r| r.starts_with([' ', '\t'])) {
        body = rest.trim_start();
    }
    body
}

fn is_item(text: &str) -> bool {
    text == "-" || text.starts_with("- ")
}

fn key(text: &str) -> String {
    text.split_once(':').map_or(text, |(key, _)| key).trim_matches(['"', '\'']).to_owned()
}

/// A line up to a comment: a mark at its start or behind white space, and not between quotes.
fn without_comment<'t>(line: &'t str, marks: &[&str]) -> &'t str {
    let mut quote = None;
    let mut before = ' ';
    for (i, c) in line.char_indices() {
        if quote.is_some() {
            quote = quote.filter(|open| *open != c);
        } else if before.is_whitespace() && marks.iter().any(|m| line[i..].starts_with(m)) {
            return &line[..i];
        } else if matches!(c, '\'' | '"') && !before.is_alphanumeric() && line[i + 1..].contains(c) {
            // A quote that nothing closes on its line is an apostrophe.
            quote = Some(c);
        }
        before = c;
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::schema::Severity;
    use crate::source::Origin;

    /// The fingerprints of findings at some words of a text.
    fn of(name: &str, text: &str, words: &[&str]) -> Vec<String> {
        let sources = SourceMap::default();
        let source = sources.add(Origin::File(name.into()), name, text.as_bytes().to_vec());
        let mut from = 0;
        let findings: Vec<Finding> = words
            .iter()
            .map(|word| {
                let start = from + text[from..].find(word).expect("the word");
                from = start + word.len();
                Finding {
                    rule: "r".into(),
                    severity: Severity::Error,
                    at: source.span(start, from),
                    message: String::new(),
                    nodes: Vec::new(),
                    labels: Vec::new(),
                    notes: Vec::new(),
                    fix: Err(String::new()),
                }
            })
            .collect();
        fingerprints(&sources, &Redactor::default(), &findings)
    }

    #[test]
    fn lines_may_move_be_indented_and_commented() {
        let before = of("p.yml", "a:\n  b:\n    ttl: 20\n", &["ttl"]);
        let after =
            of("./p.yml", "# new\nx: 1\n\na:   # c\n    z: 2\n    # d\n    b:\n        ttl:  20 # why\n", &["ttl"]);
        assert_eq!(before, after);
        assert_eq!(before, ["c03d1df9ee9a3a0fc9232400f4be395a"], "fingerprints of a version never change");
    }

    #[test]
    fn another_key_value_file_or_number_is_another_finding() {
        let one = of("p.yml", "a:\n  ttl: 20\n", &["ttl"]);
        assert_ne!(one, of("p.yml", "b:\n  ttl: 20\n", &["ttl"]));
        assert_ne!(one, of("p.yml", "a:\n  ttl: 30\n", &["ttl"]));
        assert_ne!(one, of("q.yml", "a:\n  ttl: 20\n", &["ttl"]));
        let twice = of("pg_hba.conf", "local all all trust\nlocal all all trust\n", &["trust", "trust"]);
        assert_ne!(twice[0], twice[1]);
        assert_eq!(twice[0], of("pg_hba.conf", "#\nlocal  all\tall trust # x\n", &["trust"])[0]);
    }

    #[test]
    fn items_of_a_list_lie_under_its_key() {
        let flat = of("p.yml", "a:\n- x: 1\n  y: 2\n", &["y"]);
        assert_eq!(flat, of("p.yml", "a:\n    -   x: 1\n        y: 2\n", &["y"]));
        assert_ne!(flat, of("p.yml", "b:\n- x: 1\n  y: 2\n", &["y"]));
        let unit = of("u.service", "[Unit]\nA=1\n[Service]\n; c\nKillMode=none\n", &["KillMode"]);
        assert_eq!(unit, of("u.service", "[Service]\nB=2\nKillMode=none\n", &["KillMode"]));
    }

    #[test]
    fn a_secret_has_no_part_in_it() {
        let one = of("p.yml", "a:\n  password: one-word\n", &["one-word"]);
        assert_eq!(one, of("p.yml", "a:\n  password: other\n", &["other"]));
    }

    #[test]
    fn comments_end_where_they_begin() {
        assert_eq!(without_comment("a: 'x # y' # z", &["#"]), "a: 'x # y' ");
        assert_eq!(without_comment("a: it's # z", &["#"]), "a: it's ");
        assert_eq!(without_comment("a: x#y", &["#"]), "a: x#y");
        assert_eq!(without_comment("-- all", &["--"]), "");
    }
}
