//! Replaces secrets in texts.
//!
//! A text is first searched for the secrets that parsers and nets know in it; every value that is found is remembered with its word.
//! The second time, what was found in any text is replaced wherever it stands.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use regex::Regex;

use super::cipher::{Cipher, Glyph};
use super::key::Key;
use super::nets::{self, Hit};
use super::spelling::{Layer, Reading};
use crate::collect::host::mask::is_telling;
use crate::collect::kind::Kind;
use crate::collect::mask;
use crate::knowledge::passwords;

/// From this length on a secret is looked for in other words too.
const LONG: usize = 12;
/// Digits alone may well be another number.
const DIGITS: usize = 8;
/// So deep one spelling in another is looked into.
const MOST_DEPTH: usize = 3;

static BASE64: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"[A-Za-z0-9+/_-]{8,}={0,2}").expect("invariant: a valid pattern"));

/// What takes the place of some bytes.
#[derive(Debug)]
pub(super) struct Patch {
    at: Range<usize>,
    with: String,
}

/// A text and what of it was replaced.
#[derive(Debug)]
pub(super) struct Text<'t> {
    whole: &'t str,
    patches: BTreeMap<usize, Patch>,
    /// The bytes that belong to secrets, whether they are others now or not.
    covered: Vec<bool>,
}

impl<'t> Text<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { whole: text, patches: BTreeMap::new(), covered: vec![false; text.len()] }
    }

    /// Whether something of a range belongs to a secret that was replaced.
    pub(super) fn touches(&self, at: &Range<usize>) -> bool {
        self.covered[at.clone()].contains(&true)
    }

    /// Nothing more of a range is replaced.
    pub(super) fn cover(&mut self, at: &Range<usize>) {
        self.covered[at.clone()].fill(true);
    }

    pub(super) fn done(&self) -> String {
        let mut out = String::with_capacity(self.whole.len());
        let mut from = 0;
        for patch in self.patches.values() {
            out.push_str(&self.whole[from..patch.at.start]);
            out.push_str(&patch.with);
            from = patch.at.end;
        }
        out.push_str(&self.whole[from..]);
        out
    }
}

/// How a secret stands in its text.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Manner {
    /// In YAML, without quotes.
    pub(super) plain: bool,
    /// It may be more than a secret, or something else: no other text is searched for it.
    pub(super) doubtful: bool,
}

/// Replaces secrets by words.
#[derive(Debug)]
pub(super) struct Worker<'k> {
    cipher: Cipher<'k>,
    /// Secrets that are telling, with their words.
    known: BTreeMap<String, Vec<char>>,
    /// The longest first.
    order: Vec<String>,
    /// Whether a text has any of them.
    finder: Option<AhoCorasick>,
    /// Words for passwords that everybody knows.
    pub(super) well_known: BTreeSet<String>,
    /// Answers in which nothing is replaced: members say many things that others say too.
    harmless: HashSet<String>,
    /// The same of lines of files, which are read as their kind is.
    harmless_lines: BTreeMap<Option<Kind>, HashSet<String>>,
    /// Whether a name may make a secret of its value.
    names: HashMap<String, bool>,
}

impl<'k> Worker<'k> {
    pub(super) fn new(key: &'k Key) -> Self {
        Self {
            cipher: Cipher::new(key),
            known: BTreeMap::new(),
            order: Vec::new(),
            finder: None,
            well_known: BTreeSet::new(),
            harmless: HashSet::new(),
            harmless_lines: BTreeMap::new(),
            names: HashMap::new(),
        }
    }

    /// From here on, what was found is replaced wherever it stands.
    pub(super) fn knows_all(&mut self) {
        self.order = self.known.keys().cloned().collect();
        self.order.sort_by_key(|s| std::cmp::Reverse(s.len()));
        self.finder = AhoCorasick::new(&self.order).ok();
        // What is a secret in base64, with a name in front of it perhaps.
        let encoded: Vec<(String, Vec<char>)> =
            self.order.iter().filter_map(|s| Some((s.clone(), self.encode_again(s)?.chars().collect()))).collect();
        self.known.extend(encoded);
        // They may have a secret of another text. Lines are only searched by the nets, which know no others.
        self.harmless.clear();
    }

    /// Replaces a secret as it is read.
    pub(super) fn secret(&mut self, text: &mut Text<'_>, reading: &Reading, manner: Manner) {
        let (value, _) = reading.text();
        if value.trim().is_empty() {
            return;
        }
        let glyphs: Vec<Glyph> = reading.units.iter().map(|u| (u.c, u.is_fixed())).collect();
        let word = match self.known.get(&value).filter(|_| !self.order.is_empty()) {
            Some(word) => word.clone(),
            None => self.cipher.secret(&glyphs, manner.plain),
        };
        self.remember(&value, &word, manner);
        Self::write(text, reading, &word);
    }

    fn remember(&mut self, value: &str, word: &[char], manner: Manner) {
        let shown: String = word.iter().collect();
        if passwords::is_well_known(value) {
            self.well_known.insert(shown);
            return;
        }
        let is_number = value.len() < DIGITS && value.bytes().all(|b| b.is_ascii_digit());
        if !manner.doubtful && is_telling(value) && !is_number && shown != value {
            self.known.entry(value.to_owned()).or_insert_with(|| word.to_vec());
        }
    }

    fn write(text: &mut Text<'_>, reading: &Reading, word: &[char]) {
        for (unit, c) in reading.units.iter().zip(word) {
            if text.touches(&unit.at) {
                continue;
            }
            text.cover(&unit.at);
            if unit.c == *c {
                continue;
            }
            if let Some(with) = unit.written(text.whole, *c) {
                text.patches.insert(unit.at.start, Patch { at: unit.at.clone(), with });
            }
        }
    }

    /// Replaces what the nets have found in what a reading means.
    pub(super) fn hits(
        &mut self,
        text: &mut Text<'_>,
        reading: &Reading,
        owner: &[usize],
        hits: Vec<Hit>,
        manner: Manner,
    ) {
        for hit in hits {
            let part = reading.part(owner[hit.at.start]..owner[hit.at.end]);
            let part = hit.layer.map_or_else(|| part.clone(), |layer| part.through(layer));
            self.secret(text, &unquoted(&part), Manner { plain: false, ..manner });
        }
    }

    /// An answer of a program: anything.
    /// Nothing when it stays as it is.
    pub(super) fn answer(&mut self, said: &str) -> Option<String> {
        if self.harmless.contains(said) {
            return None;
        }
        let done = self.answered(said);
        if done != said {
            return Some(done);
        }
        // With an escape it may be read in more ways than one.
        if !done.contains('\\') {
            self.harmless.insert(done);
        }
        None
    }

    fn answered(&mut self, said: &str) -> String {
        let mut text = Text::new(said);
        let whole = Reading::new(said, 0..said.len());
        let places = mask::places(said);
        let is_json = places.is_some();
        for at in places.into_iter().flatten() {
            let plain = !said[..at.start].ends_with('"') && !said[..at.start].contains(['\'', '=', '@']);
            let reading = Reading::new(said, at).through(Layer::Backslash);
            self.secret(&mut text, &reading, Manner { plain, doubtful: false });
        }
        let read = if is_json { whole.through(Layer::Backslash) } else { whole };
        let (meant, owner) = read.text();
        self.hits(&mut text, &read, &owner, nets::inside(&meant), Manner::default());
        self.others(&mut text);
        let done = text.done();
        // What was JSON and would be none is rather masked.
        let is_broken = is_json
            && serde_json::from_str::<serde::de::IgnoredAny>(said).is_ok()
            && serde_json::from_str::<serde::de::IgnoredAny>(&done).is_err();
        if is_broken { mask::text(said) } else { done }
    }

    /// The value of something with a name. Nothing when it stays as it is.
    pub(super) fn named(&mut self, name: &str, value: &str) -> Option<String> {
        if self.harmless.contains(value) && !self.tells(name) {
            return None;
        }
        let mut text = Text::new(value);
        let reading = Reading::new(value, 0..value.len());
        let (_, owner) = reading.text();
        self.hits(&mut text, &reading, &owner, nets::in_value(name, value), Manner::default());
        let rest = text.done();
        self.answer(&rest).or_else(|| Some(rest).filter(|rest| rest != value))
    }

    /// Whether a name may make a secret of what is none by itself.
    fn tells(&mut self, name: &str) -> bool {
        if let Some(known) = self.names.get(name) {
            return *known;
        }
        let tells = nets::is_telling_name(name);
        self.names.insert(name.to_owned(), tells);
        tells
    }

    /// Whether a line of a file of some kind is known to have no secret that the nets find.
    pub(super) fn is_harmless_line(&self, kind: Option<Kind>, line: &str) -> bool {
        self.harmless_lines.get(&kind).is_some_and(|lines| lines.contains(line))
    }

    /// A line of a file of some kind has none.
    pub(super) fn line_is_harmless(&mut self, kind: Option<Kind>, line: &str) {
        self.harmless_lines.entry(kind).or_default().insert(line.to_owned());
    }

    /// All of a value.
    pub(super) fn whole(&mut self, value: &str) -> String {
        let mut text = Text::new(value);
        self.secret(&mut text, &Reading::new(value, 0..value.len()), Manner::default());
        text.done()
    }

    /// The secrets that a text may have; most have none.
    fn perhaps_in(&self, text: &str) -> &[String] {
        if self.finder.as_ref().is_none_or(|finder| finder.is_match(text)) { &self.order } else { &[] }
    }

    /// What is known from elsewhere, however it is spelled here.
    pub(super) fn others(&self, text: &mut Text<'_>) {
        if self.order.is_empty() {
            return;
        }
        let mut readings = vec![(Reading::new(text.whole, 0..text.whole.len()), 0)];
        while let Some((reading, depth)) = readings.pop() {
            let (meant, owner) = reading.text();
            for secret in self.perhaps_in(&meant) {
                let word = &self.known[secret];
                for (start, found) in meant.match_indices(secret.as_str()) {
                    if is_word(&meant, start..start + found.len()) || secret.len() >= LONG {
                        let part = reading.part(owner[start]..owner[start + found.len()]);
                        Self::write(text, &part, word);
                    }
                }
            }
            if depth < MOST_DEPTH {
                let all = [Layer::Backslash, Layer::Percent, Layer::Doubled].map(|layer| reading.through(layer));
                let others = all.into_iter().filter(|other| other.units.len() < reading.units.len());
                readings.extend(others.map(|other| (other, depth + 1)));
            }
        }
        self.encoded(text);
    }

    /// In base64.
    fn encoded(&self, text: &mut Text<'_>) {
        let found: Vec<Range<usize>> = BASE64.find_iter(text.whole).map(|m| m.range()).collect();
        for at in found {
            let written = &text.whole[at.clone()];
            if text.touches(&at) {
                continue;
            }
            if let Some(with) = self.encode_again(written) {
                text.cover(&at);
                text.patches.insert(at.start, Patch { at, with });
            }
        }
    }

    fn encode_again(&self, written: &str) -> Option<String> {
        let letters = if written.contains(['-', '_']) { alphabet::URL_SAFE } else { alphabet::STANDARD };
        let config = GeneralPurposeConfig::new()
            .with_decode_padding_mode(DecodePaddingMode::Indifferent)
            .with_encode_padding(written.ends_with('='));
        let engine = GeneralPurpose::new(&letters, config);
        let meant = String::from_utf8(engine.decode(written).ok()?).ok()?;
        let mut inner = Text::new(&meant);
        for secret in self.perhaps_in(&meant) {
            let reading = Reading::new(&meant, 0..meant.len());
            let (_, owner) = reading.text();
            for (start, found) in meant.match_indices(secret.as_str()) {
                let part = reading.part(owner[start]..owner[start + found.len()]);
                Self::write(&mut inner, &part, &self.known[secret]);
            }
        }
        (!inner.patches.is_empty()).then(|| engine.encode(inner.done())).filter(|new| new.len() == written.len())
    }
}

/// Whether no letter or digit touches a part of a text.
fn is_word(text: &str, at: Range<usize>) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    !text[..at.start].ends_with(is_part) && !text[at.end..].starts_with(is_part)
}

/// What stands between the quotes, where some stand around all of it: of YAML, SQL (`E'…'`, `$x$…$x$`) and shells.
pub(super) fn unquoted(reading: &Reading) -> Reading {
    let units = &reading.units;
    let c = |i: usize| units.get(i).map(|u| u.c);
    let prefix = usize::from(matches!(c(0), Some('e' | 'E')) && c(1) == Some('\''));
    match (c(prefix), units.last().map(|u| u.c)) {
        (Some(quote @ ('\'' | '"')), Some(last)) => {
            let end = if last == quote && units.len() > prefix + 1 { units.len() - 1 } else { units.len() };
            let layer = if quote == '\'' { Layer::Doubled } else { Layer::Backslash };
            let inner = reading.part(prefix + 1..end).through(layer);
            if prefix > 0 { inner.through(Layer::Backslash) } else { inner }
        }
        (Some('$'), _) => {
            let tag = units
                .iter()
                .skip(1)
                .position(|u| u.c == '$')
                .map(|n| n + 2)
                .filter(|n| units[1..n - 1].iter().all(|u| u.c.is_alphanumeric() || u.c == '_'));
            let Some(tag) = tag else { return reading.clone() };
            let is_closed = units.len() >= 2 * tag && (0..tag).all(|i| units[units.len() - tag + i].c == units[i].c);
            reading.part(tag..if is_closed { units.len() - tag } else { units.len() })
        }
        _ => reading.clone(),
    }
}
