//! Replaces the secrets of a configuration file: what parsers have marked, then what only looks like a secret.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::nets::{self, is_name_of_secret};
use super::spelling::{Layer, Reading};
use super::texts::{Manner, Text, Worker, unquoted};
use crate::collect::host::mask::INNOCENT;
use crate::collect::kind::Kind;
use crate::knowledge::names;

/// A file, and what is known of it.
#[derive(Debug, Default)]
pub(super) struct Input {
    pub(super) text: String,
    pub(super) name: String,
    pub(super) kind: Option<Kind>,
    /// What must not be seen of it.
    pub(super) spans: Vec<Range<usize>>,
    /// Those among them that go on to the end of a line because nothing better is known.
    pub(super) loose: HashSet<Range<usize>>,
    /// Where a parser gave up.
    pub(super) broken: Vec<Range<usize>>,
    /// What a template fills in.
    pub(super) holes: Vec<Range<usize>>,
}

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("invariant: a valid pattern")
}

/// What stands in front of a value in YAML: anchors and tags.
static PROPERTIES: LazyLock<Regex> = LazyLock::new(|| regex(r"^(?:[&!][^\s,\]}]*\s+)+"));
static BLOCK: LazyLock<Regex> = LazyLock::new(|| regex(r"^[|>][-+0-9]*[ \t]*(?:#[^\n]*)?\r?\n"));
/// Variables that services and shells fill in; a value that stands in for one that is not set may be a secret.
static VARIABLE: LazyLock<Regex> = LazyLock::new(|| regex(r"\$\{[A-Za-z_]\w*(?::?[-+?])?|\$\(\w+\)|\$[A-Za-z_]\w*"));
static COMMENT: LazyLock<Regex> = LazyLock::new(|| regex(r"(?:^|[ \t;])(?P<c>#|--[ \t]).*$"));
/// What announces a secret in a comment, which then goes on to its end.
static ANNOUNCED: LazyLock<Regex> = LazyLock::new(|| {
    regex(r#"(?i)(?:password|passwd|passphrase(?:_command)?|secrets?|token)["']?[ \t]*[:=][ \t]*(?P<v>\S.*)$"#)
});
static STRING: LazyLock<Regex> = LazyLock::new(|| regex(r"[eE]?'(?:[^']|'')*'?|\$\w*\$[^$]*(?:\$\w*\$)?"));

fn is_yaml(kind: Option<Kind>) -> bool {
    matches!(kind, Some(Kind::Patroni | Kind::Compose | Kind::Pod))
}

/// How all of a file is spelled, whatever quotes are used.
fn layers(kind: Option<Kind>) -> &'static [Layer] {
    match kind {
        Some(Kind::Conf) => &[Layer::Doubled, Layer::Backslash],
        Some(Kind::Unit | Kind::Environment) => &[Layer::Backslash],
        _ => &[],
    }
}

/// The text of a file with words in the place of its secrets.
pub(super) fn replaced(worker: &mut Worker<'_>, input: &Input) -> String {
    let mut text = Text::new(&input.text);
    let mut spans: Vec<(Range<usize>, bool)> =
        input.spans.iter().map(|at| (at.clone(), input.loose.contains(at))).collect();
    spans.sort_by_key(|(at, loose)| (*loose, at.len(), at.start));
    let mut file = File { worker, input };
    for (at, is_loose) in spans {
        if is_loose { file.loose(&mut text, at, false) } else { file.marked(&mut text, at) }
    }
    if input.name.ends_with("pgpass") || input.name.ends_with("pgpass.conf") {
        file.passwords(&mut text);
    }
    file.lines(&mut text);
    worker.others(&mut text);
    text.done()
}

struct File<'a, 'k> {
    worker: &'a mut Worker<'k>,
    input: &'a Input,
}

impl File<'_, '_> {
    /// As the file spells it, with what is no part of a secret kept.
    fn read(&self, at: Range<usize>) -> Reading {
        let text = self.input.text.as_str();
        let mut reading = Reading::new(text, at.clone());
        let mut kept: Vec<Range<usize>> = Vec::new();
        let first = self.input.holes.partition_point(|h| h.end <= at.start);
        for hole in self.input.holes[first..].iter().take_while(|h| h.start < at.end) {
            let mut from = hole.start;
            // A value that stands in a placeholder may be a secret.
            for (i, part) in text[hole.clone()].split(['\'', '"']).enumerate() {
                if i % 2 == 0 {
                    kept.push(from..from + part.len());
                }
                from += part.len() + 1;
            }
        }
        if matches!(self.input.kind, Some(Kind::Unit | Kind::Environment | Kind::Compose | Kind::Pod)) {
            kept.extend(VARIABLE.find_iter(&text[at.clone()]).map(|m| at.start + m.start()..at.start + m.end()));
        }
        if !kept.is_empty() {
            for unit in &mut reading.units {
                if kept.iter().any(|k| k.start < unit.at.end && unit.at.start < k.end) {
                    unit.fix();
                }
            }
        }
        reading
    }

    /// What a parser has marked: a secret, or a value with one in it.
    fn marked(&mut self, text: &mut Text<'_>, mut at: Range<usize>) {
        let whole = self.input.text.as_str();
        let Some(written) = whole.get(at.clone()) else { return };
        let yaml = is_yaml(self.input.kind);
        let mut is_block = false;
        if yaml {
            at.start += PROPERTIES.find(written).map_or(0, |m| m.end());
            let rest = &whole[at.clone()];
            if rest.starts_with('*') {
                return;
            }
            is_block = BLOCK.is_match(rest);
            at.start += BLOCK.find(rest).map_or(0, |m| m.end());
        }
        let written = &whole[at.clone()];
        // A variable of psql.
        if self.input.kind == Some(Kind::Sql) && written.starts_with(':') {
            return;
        }
        let is_quoted = written.starts_with(['"', '\'']);
        let reading = layers(self.input.kind).iter().fold(self.read(at.clone()), |r, l| r.through(*l));
        let reading = if is_block { reading } else { unquoted(&reading) };
        let (meant, owner) = reading.text();
        // In YAML a value may begin on the line below its key.
        let line = whole[..at.start].rfind('\n').map_or(0, |n| n + 1);
        let before = if yaml { &whole[..at.start] } else { &whole[line..at.start] };
        let name = nets::announced(before).unwrap_or_default().to_owned();
        let is_login = ["auth", "digest"].iter().any(|end| name.to_ascii_lowercase().ends_with(end));
        let is_secret = is_name_of_secret(&name);
        let hits = if is_secret { Vec::new() } else { nets::inside(&meant) };
        if !hits.is_empty() {
            return self.worker.hits(text, &reading, &owner, hits, Manner::default());
        }
        // Of an option of pg_hba.conf the name is none.
        let option =
            meant.find('=').filter(|n| self.input.kind == Some(Kind::Hba) && !is_secret && is_word(&meant[..*n]));
        let is_option = is_word(&meant) && is_name_of_secret(&meant);
        let is_nothing = is_option || !meant.contains(char::is_alphanumeric);
        if (self.input.kind == Some(Kind::Hba) && is_nothing) || INNOCENT.contains(&name.as_str()) {
            return;
        }
        let mut secret = match meant.find(':').filter(|_| is_login).or(option) {
            Some(at) => reading.part(owner[at] + 1..reading.units.len()),
            None => reading,
        };
        if self.input.kind == Some(Kind::Conf) && whole[line..at.start].contains("conninfo") {
            secret = secret.through(Layer::Backslash);
        }
        if whole[..at.start].rsplit(char::is_whitespace).next().is_some_and(|w| w.contains("://")) {
            secret = secret.through(Layer::Percent);
        }
        if name.ends_with("command") {
            // `%p` is a place for something.
            for i in 1..secret.units.len() {
                if secret.units[i - 1].c == '%' {
                    secret.units[i].fix();
                }
            }
        }
        let plain = yaml && !is_quoted && !is_block;
        self.worker.secret(text, &secret, Manner { plain, doubtful: false });
        text.cover(&at);
    }

    /// What may be a secret up to the end of a line, or several lines.
    fn loose(&mut self, text: &mut Text<'_>, at: Range<usize>, in_comment: bool) {
        let whole = self.input.text.as_str();
        let Some(written) = whole.get(at.clone()) else { return };
        // Deeper lines go on with a value only where indentation means something.
        let line = whole[..at.start].rfind('\n').map_or(0, |n| n + 1);
        let begins = whole[line..at.start].trim().is_empty();
        if begins && !in_comment {
            let above = whole[..line].trim_end().lines().next_back().unwrap_or_default().trim_start();
            let of_template = ["{%", "%{", "{{", "<%", "{#"].iter().any(|mark| above.starts_with(mark));
            if of_template || !matches!(self.input.kind, None | Some(Kind::Patroni | Kind::Compose | Kind::Pod)) {
                return;
            }
        }
        // Of a line that the parser could read it knows the secrets.
        let by_line = matches!(self.input.kind, Some(Kind::Conf | Kind::Sql)) && self.input.holes.is_empty();
        if by_line && !in_comment && !self.input.broken.iter().any(|b| b.start <= at.end && line <= b.end) {
            return;
        }
        let mut first = Manner { plain: is_yaml(self.input.kind), doubtful: false };
        if self.input.kind == Some(Kind::Sql) && !in_comment {
            // What follows is language again.
            let string = STRING.find(written).filter(|s| s.start() == 0).map(|s| s.range());
            let word = string.or_else(|| words(written).into_iter().next()).unwrap_or_default();
            let here = at.start + word.start..at.start + word.end;
            if !whole[here.clone()].eq_ignore_ascii_case("null") {
                self.worker.secret(text, &unquoted(&self.read(here)), first);
            }
            return;
        }
        for word in words(written) {
            let mut here = at.start + word.start..at.start + word.end;
            if whole[here.clone()].starts_with("preflight:") {
                break;
            }
            if !in_comment {
                here.start += self.innocent(whole, &here);
            }
            if !here.is_empty() {
                let reading = self.read(here);
                let is_escaped = is_yaml(self.input.kind) && written.starts_with('"');
                let reading = if is_escaped { reading.through(Layer::Backslash) } else { reading };
                self.worker.secret(text, &reading, first);
            }
            first.doubtful = true;
        }
    }

    /// How many bytes of a word belong to the language of the file: all of a key, what stands in front of the value of an option.
    fn innocent(&self, text: &str, word: &Range<usize>) -> usize {
        let written = &text[word.clone()];
        let known = |name: &str| names::shared(name).is_some() || is_name_of_secret(name);
        if let Some(equals) = written.find('=')
            && known(&written[..equals])
        {
            if !is_name_of_secret(&written[..equals]) {
                return written.len();
            }
            let quotes = written[equals + 1..].len() - written[equals + 1..].trim_start_matches(['"', '\'']).len();
            return equals + 1 + quotes;
        }
        let behind = text[word.end..].trim_start_matches([' ', '\t', '"', '\'']);
        let is_key = written.strip_suffix(':').is_some_and(known) || (behind.starts_with([':', '=']) && known(written));
        let is_yaml_word =
            is_yaml(self.input.kind) && (written.starts_with(['!', '*', '&']) || nets::is_reference(written));
        if is_key || is_yaml_word || !written.contains(char::is_alphanumeric) { written.len() } else { 0 }
    }

    /// The last field of each line.
    fn passwords(&mut self, text: &mut Text<'_>) {
        let mut start = 0;
        for line in self.input.text.split_inclusive('\n') {
            let body = line.trim_end_matches(['\n', '\r']);
            let colon = |(i, b): (usize, u8)| b == b':' && !body[..i].ends_with('\\');
            let fourth = body.bytes().enumerate().filter(|x| colon(*x)).nth(3);
            if let Some((at, _)) = fourth.filter(|_| !body.starts_with('#')) {
                let reading = self.read(start + at + 1..start + body.len()).through(Layer::Backslash);
                self.worker.secret(text, &reading, Manner::default());
            }
            start += line.len();
        }
    }

    /// What no parser has marked.
    fn lines(&mut self, text: &mut Text<'_>) {
        let whole = self.input.text.as_str();
        let mut start = 0;
        let mut in_key = false;
        for line in whole.split_inclusive('\n') {
            let body = line.trim_end_matches(['\n', '\r']);
            let here = start..start + body.len();
            start += line.len();
            in_key |= body.contains("-----BEGIN") && body.contains("PRIVATE KEY");
            if in_key && !body.contains("-----") {
                self.loose(text, here.clone(), true);
            }
            in_key &= !body.contains("-----END");
            let is_new = text.touches(&here) || !self.worker.is_harmless_line(self.input.kind, body);
            if is_new && !self.line(text, here) {
                self.worker.line_is_harmless(self.input.kind, body);
            }
        }
    }

    /// Whether a line has a secret, of which parsers may have known.
    fn line(&mut self, text: &mut Text<'_>, here: Range<usize>) -> bool {
        let body = &self.input.text[here.clone()];
        let comment = COMMENT.captures(body).and_then(|c| c.name("c")).map_or(body.len(), |c| c.start());
        let (code, behind) = body.split_at(comment);
        let from = here.start + comment;
        let reading = layers(self.input.kind).iter().fold(self.read(here.start..from), |r, l| r.through(*l));
        let (meant, owner) = reading.text();
        let hits = nets::inside(&meant);
        let mut found = !hits.is_empty() || text.touches(&here);
        self.worker.hits(text, &reading, &owner, hits, Manner::default());
        if behind.is_empty() || behind[1..].trim_start().starts_with("preflight:") {
            return found;
        }
        let is_behind_secret = !code.trim().is_empty() && text.touches(&(here.start..from));
        let announced = ANNOUNCED.captures(behind).and_then(|c| c.name("v"));
        for hit in nets::inside(behind) {
            found = true;
            let reading = self.read(from + hit.at.start..from + hit.at.end);
            let reading = hit.layer.map_or_else(|| reading.clone(), |l| reading.through(l));
            self.worker.secret(text, &unquoted(&reading), Manner::default());
        }
        if let Some(value) = announced {
            found = true;
            self.loose(text, from + value.start()..from + value.end(), true);
        }
        // A comment behind a secret is often the one before it.
        if is_behind_secret {
            let skip = behind.len() - behind.trim_start_matches(['#', '-', ' ', '\t']).len();
            self.loose(text, from + skip..here.end, true);
        }
        found
    }
}

/// The words of a text, without the quotes and brackets around them.
fn words(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    for word in text.split_inclusive(char::is_whitespace) {
        let body = word.trim_end();
        let kept = body.trim_end_matches(['"', '\'', ',', ';', ')', ']', '}']);
        let skip = kept.len() - kept.trim_start_matches(['"', '\'', '(', '[', '{', ',']).len();
        if skip < kept.len() {
            found.push(start + skip..start + kept.len());
        }
        start += word.len();
    }
    found
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
