//! The ways in which a template may stand in place of something that is written in a configuration.

use std::ops::Range;

use patroni_preflight::parse::conf::{self, Directive};
use patroni_preflight::parse::yaml::{self, NodeId, Style, Tree, Value};
use patroni_preflight::source::Source;

/// What stands for a value, in each syntax.
const VALUES: [&str; 6] = ["{{ x }}", "${X_Y}", "<%= x %>", "<x>", "@X_Y@", "%{x}"];

/// What stands around lines that may be there or not, or several times.
const BRANCHES: [(&str, &str); 4] = [
    ("{% if x %}", "{% endif %}"),
    ("{{- if .Values.x }}", "{{- end }}"),
    ("<% if x %>", "<% end %>"),
    ("{% for i in x %}", "{% endfor %}"),
];

/// Bytes that are replaced, ascending.
#[derive(Debug, Clone)]
pub(super) struct Mutation(Vec<(Range<usize>, String)>);

impl Mutation {
    fn one(range: Range<usize>, text: impl Into<String>) -> Self {
        Self(vec![(range, text.into())])
    }

    /// Whole lines between two lines of a statement.
    fn branch(text: &str, lines: Range<usize>, n: usize) -> Self {
        let (open, close) = BRANCHES[n % BRANCHES.len()];
        let newline = if text[..lines.end].ends_with('\n') { "" } else { "\n" };
        Self(vec![
            (lines.start..lines.start, format!("{open}\n")),
            (lines.end..lines.end, format!("{newline}{close}\n")),
        ])
    }

    pub(super) fn apply(&self, text: &str) -> String {
        let mut changed = text.to_owned();
        for (range, with) in self.0.iter().rev() {
            changed.replace_range(range.clone(), with);
        }
        changed
    }

    /// The line of the text before that a line of the changed text was, both counted from 0.
    pub(super) fn line_before(&self, text: &str, line: usize) -> usize {
        let lines = |text: &str| text.matches('\n').count();
        let mut gone = 0;
        let mut more = 0;
        for (range, with) in &self.0 {
            let first = lines(&text[..range.start]);
            if line <= first + more - gone {
                break;
            }
            if line < first + more - gone + lines(with) {
                return first;
            }
            more += lines(with);
            gone += lines(&text[range.clone()]);
        }
        line + gone - more
    }

    /// What it is, for a person.
    pub(super) fn describe(&self, text: &str) -> String {
        let one = |(range, with): &(Range<usize>, String)| {
            let line = text[..range.start].matches('\n').count() + 1;
            format!("{with:?} for {:?} on line {line}", &text[range.clone()])
        };
        self.0.iter().map(one).collect::<Vec<_>>().join(" and ")
    }
}

/// From the start of the line of a byte to behind the end of another one.
fn lines_of(text: &str, range: &Range<usize>) -> Range<usize> {
    let start = text[..range.start].rfind('\n').map_or(0, |n| n + 1);
    let last = range.end.max(range.start + 1).min(text.len());
    let end =
        if text[..last].ends_with('\n') { last } else { text[last..].find('\n').map_or(text.len(), |n| last + n + 1) };
    start..end
}

/// What may be done to a file of a case; nothing for a file of another kind.
pub(super) fn mutations(name: &str, text: &str) -> Vec<Mutation> {
    match name.rsplit_once('.') {
        Some((_, "service" | "env" | "preset")) => of_service(text),
        Some((stem, "conf")) if stem.contains(".service.d/") => of_service(text),
        _ if name.ends_with("environment") => of_service(text),
        Some((_, "sql")) => of_sql(text),
        Some((_, "yml" | "yaml")) => {
            let mut all = of_yaml(text);
            // Another file is known by some words of it, and nothing when they are gone.
            if ["services:", "ConfigMap"].iter().any(|word| text.contains(word)) {
                all.retain(|m| is_known_as_before(text, &m.apply(text)));
            }
            all
        }
        Some((stem, "conf")) if stem.ends_with("hba") || stem.ends_with("ident") => of_lines(text),
        Some((_, "conf")) => of_conf(text),
        _ => Vec::new(),
    }
}

fn is_known_as_before(before: &str, after: &str) -> bool {
    let words = |text: &str| {
        ["\nservices:", "patroni", "PATRONI_", "\nkind: ConfigMap", "apiVersion"]
            .map(|w| format!("\n{text}").contains(w))
    };
    words(before) == words(after)
}

fn of_conf(text: &str) -> Vec<Mutation> {
    let mut found = Vec::new();
    for (n, directive) in conf::parse(&Source::lone("postgresql.conf", text)).tree.into_iter().enumerate() {
        let (value, whole) = match directive {
            Directive::Set(set) => (set.value.span.range(), set.span.range()),
            Directive::Include(include) => (include.path.span.range(), include.span.range()),
        };
        let placeholder = VALUES[n % VALUES.len()];
        found.push(Mutation::one(value.clone(), format!("'{placeholder}'")));
        if n % 2 == 0 {
            found.push(Mutation::one(value, placeholder));
        }
        let lines = lines_of(text, &whole);
        found.push(Mutation::branch(text, lines.clone(), n));
        found.push(Mutation::one(lines, "{{ x }}\n"));
    }
    found
}

/// Places of the words of a line.
fn words(text: &str) -> Vec<Range<usize>> {
    let offset = |word: &str| word.as_ptr() as usize - text.as_ptr() as usize;
    text.split_ascii_whitespace().map(|word| offset(word)..offset(word) + word.len()).collect()
}

fn of_lines(text: &str) -> Vec<Mutation> {
    let mut found = Vec::new();
    let mut at = 0;
    for (n, line) in text.split_inclusive('\n').enumerate() {
        let lines = at..at + line.len();
        at = lines.end;
        if line.trim().is_empty() || line.trim_start().starts_with('#') {
            continue;
        }
        // A word that ends with a comma is a part of the next one.
        let of_line = words(line.split('#').next().unwrap_or_default());
        for (k, word) in of_line.into_iter().filter(|w| !line[w.clone()].ends_with(',')).enumerate() {
            found.push(Mutation::one(lines.start + word.start..lines.start + word.end, VALUES[(n + k) % VALUES.len()]));
        }
        // A comment that allows something speaks of the line below it.
        if !text[..lines.start].lines().next_back().is_some_and(|above| above.contains("allow(")) {
            found.push(Mutation::branch(text, lines.clone(), n));
        }
        found.push(Mutation::one(lines, "{{ x }}\n"));
    }
    found
}

/// What stands for a value where `$` has a meaning of its own.
const OF_SERVICES: [&str; 5] = ["{{ x }}", "<%= x %>", "<x>", "@X_Y@", "%{x}"];

/// Units, drop-ins and environment files: `name=value`, a header in brackets, a word.
fn of_service(text: &str) -> Vec<Mutation> {
    let mut found = Vec::new();
    let mut at = 0;
    for (n, line) in text.split_inclusive('\n').enumerate() {
        let lines = at..at + line.len();
        at = lines.end;
        if line.trim().is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        let whole = lines.start..lines.start + line.trim_end().len();
        let mut replace = |range: Range<usize>| {
            if !range.is_empty() {
                let placeholder = OF_SERVICES[(n + found.len()) % OF_SERVICES.len()];
                found.push(Mutation::one(range, placeholder));
            }
        };
        if let Some(equals) = text[whole.clone()].find('=').map(|e| whole.start + e).filter(|_| !line.starts_with('['))
        {
            replace(whole.start..equals);
            replace(equals + 1..whole.end);
            for word in words(&text[equals + 1..whole.end]) {
                let word = equals + 1 + word.start..equals + 1 + word.end;
                replace(word.clone());
                for mark in ['=', '/', ':'] {
                    if let Some(inner) = text[word.clone()].rfind(mark) {
                        let end = word.end - usize::from(text[word.clone()].ends_with(['"', '\'']));
                        replace(word.start + inner + 1..end.max(word.start + inner + 1));
                    }
                }
            }
        }
        if !text[..lines.start].lines().next_back().is_some_and(|above| above.contains("allow(")) {
            found.push(Mutation::branch(text, lines.clone(), n));
        }
        found.push(Mutation::one(lines, "{{ x }}\n"));
    }
    found
}

/// Scripts: words, strings and lines; variables of psql too, which are no more known.
fn of_sql(text: &str) -> Vec<Mutation> {
    let mut found = Vec::new();
    let mut at = 0;
    for (n, line) in text.split_inclusive('\n').enumerate() {
        let lines = at..at + line.len();
        at = lines.end;
        let code = line.split("--").next().unwrap_or_default();
        if code.trim().is_empty() || code.trim_start().starts_with('\\') {
            continue;
        }
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let mut from = 0;
        while let Some(start) = code[from..].find(is_name).map(|s| from + s) {
            let end = code[start..].find(|c| !is_name(c)).map_or(code.len(), |e| start + e);
            from = end;
            let word = lines.start + start..lines.start + end;
            found.push(Mutation::one(word.clone(), VALUES[(n + found.len()) % VALUES.len()]));
            // psql looks into no string.
            let in_string = code[..start].matches('\'').count() % 2 == 1 || text.contains("$$");
            if !in_string && !code[..start].ends_with(['"', '\\', ':', '$']) {
                found.push(Mutation::one(word, ":x"));
            }
        }
        let quotes: Vec<usize> = code.match_indices('\'').map(|(i, _)| i).collect();
        for pair in quotes.chunks_exact(2) {
            let string = lines.start + pair[0]..lines.start + pair[1] + 1;
            let placeholder = VALUES[(n + found.len()) % VALUES.len()];
            found.push(Mutation::one(string.clone(), placeholder));
            found.push(Mutation::one(string.start + 1..string.end - 1, placeholder));
            if !code[..pair[0]].ends_with(':') {
                found.push(Mutation::one(string, ":'x'"));
            }
        }
        if !text[..lines.start].lines().next_back().is_some_and(|above| above.contains("allow(")) {
            found.push(Mutation::branch(text, lines.clone(), n));
        }
        found.push(Mutation::one(lines, "{{ x }}\n"));
    }
    found
}

fn of_yaml(text: &str) -> Vec<Mutation> {
    let tree = yaml::parse(&Source::lone("patroni.yml", text)).tree;
    let mut found = Vec::new();
    if let Some(root) = tree.root().filter(|root| is_plain(&tree, *root)) {
        Yaml { text, tree: &tree, found: &mut found }.collection(root, true);
    }
    found
}

/// Whether every value stands behind its key: nothing is an alias, and nothing is broken.
fn is_plain(tree: &Tree, id: NodeId) -> bool {
    let start = |id: NodeId| tree.node(id).span.start;
    match &tree.node(id).value {
        Value::Mapping(entries) => entries.iter().all(|e| start(e.key) <= start(e.value) && is_plain(tree, e.value)),
        Value::Sequence(items) => items.iter().all(|i| start(id) <= start(*i) && is_plain(tree, *i)),
        _ => tree.exception().is_none(),
    }
}

struct Yaml<'a> {
    text: &'a str,
    tree: &'a Tree,
    found: &'a mut Vec<Mutation>,
}

impl Yaml<'_> {
    fn collection(&mut self, id: NodeId, block: bool) {
        let node = self.tree.node(id);
        let block = block && node.style != Style::FlowCollection;
        match &node.value {
            Value::Mapping(entries) => {
                for entry in entries {
                    let (key, value) = (self.tree.node(entry.key), self.tree.node(entry.value));
                    self.key(entry.key);
                    self.value(entry.value, block.then_some(key.span.end as usize));
                    if block && key.span.start < value.span.end {
                        self.part(key.span.range().start, self.end(entry.value), true);
                    }
                }
                if let Some(entry) = entries.last().filter(|_| block) {
                    let end = lines_of(self.text, &(0..self.end(entry.value))).end;
                    let column = self.column(self.tree.node(entry.key).span.start as usize);
                    let newline = if self.text[..end].ends_with('\n') { "" } else { "\n" };
                    let more =
                        format!("{newline}{}{{{{- toYaml .Values.x | nindent {column} }}}}\n", " ".repeat(column));
                    self.found.push(Mutation::one(end..end, more));
                }
            }
            Value::Sequence(items) => {
                for item in items {
                    self.value(*item, None);
                    if block {
                        let start = self.tree.node(*item).span.start as usize;
                        let line = lines_of(self.text, &(start..start)).start;
                        if let Some(dash) = self.text[line..start].rfind('-') {
                            self.part(line + dash, self.end(*item), false);
                        }
                    }
                }
            }
            _ => {}
        }
    }

    /// A key, of which quotes stay where they are.
    fn key(&mut self, id: NodeId) {
        let node = self.tree.node(id);
        let quotes = usize::from(matches!(node.style, Style::SingleQuoted | Style::DoubleQuoted));
        let span = node.span.start as usize + quotes..node.span.end as usize - quotes;
        if matches!(node.value, Value::Str(_)) && node.style != Style::Block && !span.is_empty() {
            self.found.push(Mutation::one(span, VALUES[self.found.len() % VALUES.len()]));
        }
    }

    /// The lines of a text that stands as a block: each of its words, and each as a whole.
    fn text(&mut self, span: &Range<usize>) {
        let mut at = lines_of(self.text, &(span.start..span.start)).end;
        while at < span.end {
            let line = lines_of(self.text, &(at..at));
            at = line.end;
            let of_line = words(&self.text[line.clone()]);
            for word in &of_line {
                let placeholder = VALUES[self.found.len() % VALUES.len()];
                self.found.push(Mutation::one(line.start + word.start..line.start + word.end, placeholder));
            }
            if let Some(first) = of_line.first() {
                let blank = &self.text[line.start..line.start + first.start];
                self.found.push(Mutation::one(line.clone(), format!("{blank}{{{{ x }}}}\n")));
                let n = self.found.len();
                self.found.push(Mutation::branch(self.text, line, n));
            }
        }
    }

    /// Where the last scalar below a node ends.
    fn end(&self, id: NodeId) -> usize {
        let node = self.tree.node(id);
        let last = match &node.value {
            Value::Mapping(entries) if node.style != Style::FlowCollection => entries.last().map(|e| e.value),
            Value::Sequence(items) if node.style != Style::FlowCollection => items.last().copied(),
            _ => None,
        };
        let own = || node.span.start as usize + self.text[node.span.range()].trim_end_matches('\n').len();
        last.map_or_else(own, |id| self.end(id))
    }

    fn column(&self, at: usize) -> usize {
        at - lines_of(self.text, &(at..at)).start
    }

    /// An entry or item that has its lines for itself: wrapped, and replaced by a line that a template fills in.
    fn part(&mut self, start: usize, end: usize, replaceable: bool) {
        let lines = lines_of(self.text, &(start..end));
        let blank = &self.text[lines.start..start];
        if !blank.trim().is_empty() {
            return;
        }
        let n = self.found.len();
        self.found.push(Mutation::branch(self.text, lines.clone(), n));
        let column = blank.len();
        if replaceable {
            self.found.push(Mutation::one(lines, format!("{blank}{{{{- toYaml .Values.x | nindent {column} }}}}\n")));
        } else {
            self.found.push(Mutation::one(lines, format!("{blank}{{{{ x | to_nice_yaml | indent({column}) }}}}\n")));
        }
    }

    fn value(&mut self, id: NodeId, key_end: Option<usize>) {
        let node = self.tree.node(id);
        let span = node.span.range();
        let placeholder = VALUES[self.found.len() % VALUES.len()];
        // In a command the shell may mean it.
        let in_command = self.text[lines_of(self.text, &span)].contains("command:");
        let placeholder = if in_command && placeholder.starts_with('$') { VALUES[0] } else { placeholder };
        if matches!(node.value, Value::Mapping(_) | Value::Sequence(_)) {
            if node.style == Style::FlowCollection {
                self.found.push(Mutation::one(span, "{{ x | to_json }}"));
            } else if let Some(colon) = key_end.map(|at| at + 1) {
                let end = self.end(id);
                self.found.push(Mutation::one(colon..end, " {{ x | to_json }}"));
                self.found.push(Mutation::one(colon..end, "\n{{ x | to_nice_yaml(indent=2) | indent(8, true) }}"));
            }
            self.collection(id, key_end.is_some() || node.style == Style::BlockCollection);
            return;
        }
        if span.is_empty() {
            return;
        }
        if node.style == Style::Block {
            self.text(&span);
            return;
        }
        self.found.push(Mutation::one(span.clone(), placeholder));
        // Quotes stay where they are.
        let quotes = usize::from(matches!(node.style, Style::SingleQuoted | Style::DoubleQuoted));
        let span = span.start + quotes..span.end - quotes;
        let written = &self.text[span.clone()];
        if let Value::Str(_) = &node.value
            && !written.contains(['{', '%', '$', '<'])
        {
            let words = words(written);
            if words.len() > 2 {
                for (n, word) in words.into_iter().enumerate() {
                    let at = span.start + word.start..span.start + word.end;
                    self.found.push(Mutation::one(at, VALUES[n % VALUES.len()]));
                }
            } else if let Some(colon) = written.find(':') {
                self.found.push(Mutation::one(span.start..span.start + colon, placeholder));
                self.found.push(Mutation::one(span.start + colon + 1..span.end, placeholder));
            } else if let Some(slash) = written.rfind('/') {
                self.found.push(Mutation::one(span.start + slash + 1..span.end, placeholder));
            }
        }
    }
}
