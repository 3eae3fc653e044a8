//! Files that stand inside a manifest of Kubernetes: the keys of a `ConfigMap`, or of a `Secret` in clear, which a pod sees as
//! the files of one directory.
//!
//! They are found line by line and not in a tree, because a chart of Helm is no YAML before it is filled in. The text of such a
//! file stays where it is: what parsers read of it is the manifest with blanks around it ([`Template::within`]), so that every
//! place is a place of the manifest.

use std::ops::Range;

use memchr::memmem;

use crate::source::template::Template;

/// A key that holds a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub name: String,
    /// Which document of the manifest it stands in, counted from 0.
    pub document: usize,
    /// Its lines; `None` where the text is not written as a block (`|`), so that its lines are not those of the manifest.
    pub text: Option<Range<usize>>,
}

/// The places of the documents of a manifest.
#[must_use]
pub fn documents(text: &[u8]) -> Vec<Range<usize>> {
    let borders = memmem::find_iter(text, b"---").filter(|at| *at == 0 || text[at - 1] == b'\n');
    let starts: Vec<usize> = std::iter::once(0).chain(borders).collect();
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts.iter().copied().zip(ends).filter(|(start, end)| start < end).map(|(start, end)| start..end).collect()
}

/// Whether a text is a manifest of Kubernetes, and so no configuration by itself. Cheap: every YAML file is asked.
#[must_use]
pub fn is_manifest(bytes: &[u8]) -> bool {
    has_key(bytes, b"apiVersion:") && has_key(bytes, b"kind:")
}

/// Whether a line begins with a word.
fn has_key(bytes: &[u8], key: &[u8]) -> bool {
    memmem::find_iter(bytes, key).any(|at| at == 0 || bytes[at - 1] == b'\n')
}

/// The files in a manifest, of which a template may fill in parts.
#[must_use]
pub fn entries(text: &[u8], template: Option<&Template>) -> Vec<Entry> {
    let mut reader = Reader { text, template, ..Reader::default() };
    let mut at = 0;
    while at < text.len() {
        let end = memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |n| at + n + 1);
        reader.line(at..end);
        at = end;
    }
    reader.close(text.len());
    reader.end_document();
    reader.found
}

/// A block of text that is being read.
struct Block {
    entry: usize,
    indent: usize,
    start: usize,
    /// Behind the last line that holds something.
    end: usize,
}

#[derive(Default)]
struct Reader<'a> {
    text: &'a [u8],
    template: Option<&'a Template>,
    found: Vec<Entry>,
    /// How many entries of earlier documents there are.
    before: usize,
    document: usize,
    /// It is a `ConfigMap` or `Secret`.
    holds_files: bool,
    /// Inside of `data`.
    in_data: bool,
    /// How far its keys are indented, once there was one.
    depth: Option<usize>,
    block: Option<Block>,
}

impl Reader<'_> {
    fn line(&mut self, line: Range<usize>) {
        let text = self.text[line.clone()].trim_ascii_end();
        let indent = text.iter().take_while(|b| **b == b' ').count();
        if indent == text.len() {
            return;
        }
        if let Some(block) = &mut self.block {
            if indent > block.indent {
                block.end = line.end;
                return;
            }
            self.close(line.start);
        }
        let word = &text[indent..];
        if word[0] == b'#' {
            return;
        }
        if indent == 0 {
            self.top(word);
        } else if self.in_data && *self.depth.get_or_insert(indent) == indent {
            self.key(word, indent, line.end);
        }
    }

    /// A line that is not indented.
    fn top(&mut self, word: &[u8]) {
        (self.in_data, self.depth) = (false, None);
        if word.starts_with(b"---") {
            self.end_document();
            self.document += 1;
            return;
        }
        let Some(colon) = memchr::memchr(b':', word) else { return };
        match &word[..colon] {
            b"kind" => {
                let kind = word[colon + 1..].split(|b| *b == b'#').next().unwrap_or_default();
                let kind = unquoted(kind.trim_ascii());
                self.holds_files = matches!(kind, b"ConfigMap" | b"Secret");
            }
            b"data" | b"stringData" if word.len() == colon + 1 => self.in_data = true,
            _ => {}
        }
    }

    /// A line of `data`.
    fn key(&mut self, word: &[u8], indent: usize, next: usize) {
        let Some(colon) = memmem::find(word, b": ") else { return };
        let value = word[colon + 1..].trim_ascii();
        let is_block = value.starts_with(b"|");
        if !is_block && !value.starts_with(b">") && !value.starts_with(b"\"") && !value.starts_with(b"'") {
            return;
        }
        let name = String::from_utf8_lossy(unquoted(&word[..colon])).into_owned();
        self.found.push(Entry { name, document: self.document, text: None });
        if is_block {
            self.block = Some(Block { entry: self.found.len() - 1, indent, start: next, end: next });
        }
    }

    /// Ends the block that is open in front of a line. What a template puts behind its last line belongs to it unless that is
    /// indented less.
    fn close(&mut self, next: usize) {
        let Some(Block { entry, indent, start, end }) = self.block.take() else { return };
        let behind = self.template.map_or(&[][..], |t| &t.insertions).iter().filter(|i| {
            (end..next).contains(&i.range.start) && i.range.end <= next && i.indent.is_none_or(|n| n > indent)
        });
        let end = behind.map(|i| i.range.end).max().unwrap_or(end).max(end);
        self.found[entry].text = Some(start..end);
    }

    fn end_document(&mut self) {
        if !self.holds_files {
            self.found.truncate(self.before);
        }
        self.before = self.found.len();
        self.holds_files = false;
    }
}

fn unquoted(text: &[u8]) -> &[u8] {
    let inner = |quote: &[u8]| text.strip_prefix(quote).and_then(|t| t.strip_suffix(quote));
    inner(b"\"").or_else(|| inner(b"'")).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::{Entry, entries, is_manifest};
    use crate::parse::template::{Engine, Format, scan};

    fn read(text: &str) -> Vec<(String, usize, Option<String>)> {
        let template = scan(text.as_bytes(), Engine::Undeclared, Format::Yaml);
        let plain = template.as_ref().map_or(text.as_bytes(), |t| &t.text);
        let shown = |e: Entry| (e.name, e.document, e.text.map(|t| text[t].to_owned()));
        entries(plain, template.as_ref()).into_iter().map(shown).collect()
    }

    #[test]
    fn keys_of_config_maps_are_files() {
        let text = "apiVersion: v1\ndata:\n  \"patroni.yml\": |- # c\n    scope: a\n\n    name: b\n  key: value\n  # c\n  pg_hba.conf: |\n\
                    \x20   local all all peer\nkind: ConfigMap\n---\napiVersion: v1\nkind: Service\ndata:\n  x.yml: |\n    a: 1\n";
        assert!(is_manifest(text.as_bytes()) && !is_manifest(b"a:\n  apiVersion: 1\nkind: b\n"));
        assert_eq!(
            read(text),
            [
                ("patroni.yml".to_owned(), 0, Some("    scope: a\n\n    name: b\n".to_owned())),
                ("pg_hba.conf".to_owned(), 0, Some("    local all all peer\n".to_owned())),
            ]
        );
    }

    #[test]
    fn a_text_that_is_no_block_has_no_lines() {
        let text =
            "kind: Secret\nstringData:\n  a.yml: \"scope: a\\n\"\n  b.yml: >\n    c\nmetadata:\n  d.yml: |\n    e\n";
        assert_eq!(read(text), [("a.yml".to_owned(), 0, None), ("b.yml".to_owned(), 0, None)]);
    }

    #[test]
    fn what_a_chart_puts_into_a_file_belongs_to_it() {
        let text = "{{- if .Values.x }}\nkind: ConfigMap\ndata:\n  a.yml: |\n    b: 1\n{{ toYaml .Values.y | indent 4 }}\n\n\
                    {{- include \"z\" . | nindent 2 }}\n{{- end }}\n";
        let found = read(text);
        assert_eq!(found[0].2.as_deref(), Some("    b: 1\n{{ toYaml .Values.y | indent 4 }}"));
        assert_eq!(found.len(), 1);
    }
}
