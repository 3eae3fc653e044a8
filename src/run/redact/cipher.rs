//! Words for secrets: as long, of the same kinds of characters, and different for different secrets.
//!
//! A word is a number in a mixed base, one digit for each character that may change. A keyed permutation F of these numbers
//! (a Feistel network between the characters at even and those at odd places) makes of a secret `x` the word `F⁻¹(F(x) + n)`,
//! with the least `n` from 1 on whose word is of the same kind as the secret: read by YAML as the same type, a verifier when the
//! secret is one. All words of one shape lie on one circle, so no secret stands for itself, and no two have the same word.

use std::cell::RefCell;
use std::collections::HashMap;

use super::key::Key;
use crate::parse::yaml::kind_of_plain;

/// How often halves are mixed.
const ROUNDS: u8 = 8;
/// So many words are tried.
const MOST_TRIES: usize = 2000;

/// A character of a secret, and whether it must stay.
pub(super) type Glyph = (char, bool);

/// Makes words.
#[derive(Debug)]
pub(super) struct Cipher<'k> {
    key: &'k Key,
    made: RefCell<HashMap<Asked, Vec<char>>>,
}

/// A word, and whether it stands in YAML without quotes.
type Asked = (Vec<Glyph>, bool);

/// Which characters may take the place of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    /// Letters of the same case, and digits that mean the same for the type of a number.
    Kinds,
    /// 0 and 1 are one kind too: for words of nothing else.
    Bits,
    /// Of letters those that are hexadecimal digits.
    Hexadecimal,
}

fn alphabet(c: char, scheme: Scheme) -> Vec<char> {
    match c {
        'a'..='z' if scheme == Scheme::Hexadecimal => ('a'..='f').collect(),
        'A'..='Z' if scheme == Scheme::Hexadecimal => ('A'..='F').collect(),
        'a'..='z' => ('a'..='z').collect(),
        'A'..='Z' => ('A'..='Z').collect(),
        '0'..='9' if scheme == Scheme::Hexadecimal => ('0'..='9').collect(),
        '0' | '1' if scheme == Scheme::Bits => vec!['0', '1'],
        '2'..='7' => ('2'..='7').collect(),
        '8' | '9' => vec!['8', '9'],
        c if c.is_ascii() || !is_plain(c) => vec![c],
        c => {
            let block = u32::from(c) & !0xff;
            let kind = |c: char| (c.len_utf8(), c.is_alphanumeric(), c.is_lowercase(), c.is_uppercase());
            (block..block + 0x100).filter_map(char::from_u32).filter(|o| is_plain(*o) && kind(*o) == kind(c)).collect()
        }
    }
}

/// A character beyond ASCII that does nothing but look like something.
fn is_plain(c: char) -> bool {
    let acts = matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{feff}' | '\u{fff0}'..='\u{ffff}');
    !c.is_ascii() && !c.is_control() && !c.is_whitespace() && !acts && u32::from(c) & 0xfffe != 0xfffe
}

/// What programs see in a word beside the word itself.
#[derive(Debug, PartialEq, Eq)]
struct Traits {
    kind: Option<&'static str>,
    is_md5: bool,
    is_boolean: bool,
}

fn traits(word: &str) -> Traits {
    let lower = word.to_lowercase();
    Traits {
        kind: kind_of_plain(word),
        is_md5: word.starts_with("md5"),
        is_boolean: ["true", "false", "on", "off", "yes", "no", "null", "none"].contains(&lower.as_str()),
    }
}

/// How many characters at the start say what a secret is, and are none.
fn head(word: &str) -> usize {
    let behind = |start: &str, stop: char| {
        let rest = word.strip_prefix(start)?;
        Some(start.len() + rest.find(stop)? + 1)
    };
    if is_md5_verifier(word) {
        return 3;
    }
    behind("SCRAM-SHA-256$", ':')
        .or_else(|| behind("ENC[AES256_GCM,data", ':'))
        .or_else(|| word.starts_with("$ANSIBLE_VAULT;").then_some(word.len()))
        .unwrap_or(0)
}

fn is_md5_verifier(word: &str) -> bool {
    word.strip_prefix("md5").is_some_and(|d| d.len() == 32 && d.bytes().all(|b| b.is_ascii_hexdigit()))
}

impl<'k> Cipher<'k> {
    pub(super) fn new(key: &'k Key) -> Self {
        Self { key, made: RefCell::default() }
    }

    /// What stands for a secret, one character for each. `plain`: it stands in YAML without quotes, where `no` and `0` are no
    /// passwords but values that are false.
    pub(super) fn secret(&self, secret: &[Glyph], plain: bool) -> Vec<char> {
        let whole: String = secret.iter().map(|g| g.0).collect();
        if kind_of_plain(&whole) != Some("str") {
            return self.word(secret, plain);
        }
        let is_blank = |g: &Glyph| g.0.is_whitespace();
        let changes = |part: &[Glyph]| part.iter().any(|(c, fixed)| !fixed && alphabet(*c, Scheme::Bits).len() > 1);
        let any_changes = changes(secret);
        let mut out = Vec::with_capacity(secret.len());
        for part in secret.chunk_by(|a, b| is_blank(a) == is_blank(b)) {
            if part.first().is_some_and(is_blank) || (any_changes && !changes(part)) {
                out.extend(part.iter().map(|g| g.0));
            } else {
                out.extend(self.word(part, plain));
            }
        }
        out
    }

    fn word(&self, word: &[Glyph], plain: bool) -> Vec<char> {
        let known = (word.to_vec(), plain);
        if let Some(made) = self.made.borrow().get(&known) {
            return made.clone();
        }
        let made = self.make(word, plain);
        self.made.borrow_mut().insert(known, made.clone());
        made
    }

    fn make(&self, word: &[Glyph], plain: bool) -> Vec<char> {
        let text: String = word.iter().map(|g| g.0).collect();
        let same = || word.iter().map(|g| g.0).collect();
        // What masks a secret, and what waits for one.
        let is_none = text.chars().all(|c| c == '*') || text == "#FIXME";
        let kind = kind_of_plain(&text);
        let is_false = text.bytes().any(|b| b == b'0') && !text.contains(|c: char| c.is_alphanumeric() && c != '0');
        // Beside a place that something else fills in, dots and dashes are no secret.
        let is_filled = word.iter().any(|g| g.1) && !word.iter().any(|g| !g.1 && g.0.is_alphanumeric());
        if is_none
            || is_filled
            || word.iter().all(|g| g.1)
            || (plain && (matches!(kind, Some("bool" | "NoneType")) || is_false))
        {
            return same();
        }
        let head = head(&text);
        let mut fixed: Vec<Glyph> = word.to_vec();
        let mut at = 0;
        for glyph in &mut fixed {
            glyph.1 |= at < head;
            at += glyph.0.len_utf8();
        }
        if fixed.iter().all(|g| g.1) {
            return same();
        }
        let schemes: &[Scheme] =
            if is_md5_verifier(&text) { &[Scheme::Hexadecimal] } else { &[Scheme::Kinds, Scheme::Bits] };
        let found = schemes.iter().find_map(|scheme| self.permuted(&fixed, &text, *scheme));
        found.unwrap_or_else(|| self.mark(&fixed, &text))
    }

    fn permuted(&self, word: &[Glyph], text: &str, scheme: Scheme) -> Option<Vec<char>> {
        let alphabets: Vec<Vec<char>> =
            word.iter().map(|(c, fixed)| if *fixed { vec![*c] } else { alphabet(*c, scheme) }).collect();
        let places: Vec<usize> = (0..word.len()).filter(|i| alphabets[*i].len() > 1).collect();
        if places.is_empty() {
            return None;
        }
        let sizes: Vec<u32> = places.iter().map(|i| u32::try_from(alphabets[*i].len()).unwrap_or(1)).collect();
        let index = |i: &usize| alphabets[*i].iter().position(|c| *c == word[*i].0);
        let start: Option<Vec<u32>> = places.iter().map(|i| u32::try_from(index(i)?).ok()).collect();
        // Words of different shapes are different words anyway; what stays is a part of the shape.
        let shape: String = (0..word.len()).map(|i| *alphabets[i].first().unwrap_or(&word[i].0)).collect();
        let wanted = traits(text);
        let mut number = start?;
        self.mix(&mut number, &sizes, &shape, true);
        for _ in 0..MOST_TRIES {
            next(&mut number, &sizes);
            let mut digits = number.clone();
            self.mix(&mut digits, &sizes, &shape, false);
            let mut out: Vec<char> = word.iter().map(|g| g.0).collect();
            for (place, digit) in places.iter().zip(&digits) {
                out[*place] = alphabets[*place][*digit as usize];
            }
            let made: String = out.iter().collect();
            if made == text {
                return None;
            }
            if traits(&made) == wanted {
                return Some(out);
            }
        }
        None
    }

    /// F, or F⁻¹.
    fn mix(&self, digits: &mut [u32], sizes: &[u32], shape: &str, forward: bool) {
        for step in 0..ROUNDS {
            let round = if forward { step } else { ROUNDS - 1 - step };
            let half = usize::from(round % 2);
            let mut about = vec![round];
            about.extend_from_slice(shape.as_bytes());
            about.push(0);
            about.extend(digits.iter().skip(1 - half).step_by(2).flat_map(|d| d.to_be_bytes()));
            let moves = self.key.numbers(&about, sizes.iter().skip(half).step_by(2).copied());
            for ((digit, size), by) in digits.iter_mut().zip(sizes).skip(half).step_by(2).zip(moves) {
                *digit = (*digit + if forward { by } else { size - by }) % size;
            }
        }
    }

    /// Letters, where no character may change or no other word is of the kind of this one.
    fn mark(&self, word: &[Glyph], text: &str) -> Vec<char> {
        let about = format!("mark\0{text}");
        let letters = self.key.numbers(about.as_bytes(), word.iter().map(|_| 26));
        let letter = |n: u32| char::from_digit(10 + n, 36).unwrap_or('x');
        let place = |((c, fixed), n): (&Glyph, u32)| if *fixed || c.len_utf8() != 1 { *c } else { letter(n) };
        word.iter().zip(letters).map(place).collect()
    }
}

/// The next number, and behind the last one the first.
fn next(digits: &mut [u32], sizes: &[u32]) {
    for (digit, size) in digits.iter_mut().zip(sizes) {
        *digit += 1;
        if *digit < *size {
            return;
        }
        *digit = 0;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn key() -> Key {
        Key::from_text("a key for tests only").expect("long enough")
    }

    fn made(cipher: &Cipher<'_>, text: &str, plain: bool) -> String {
        let glyphs: Vec<Glyph> = text.chars().map(|c| (c, false)).collect();
        cipher.secret(&glyphs, plain).into_iter().collect()
    }

    #[test]
    fn words_look_like_their_secrets_and_are_others() {
        let key = key();
        let cipher = Cipher::new(&key);
        for secret in [
            "hunter2",
            "S3cr-et!",
            "p@ss: w0rd",
            "0x1F",
            "1e+5",
            "0777",
            "12345678",
            "2001-12-14",
            "1:30",
            "ünïcödé",
            "пароль",
            "密码密码",
            "8",
            "10",
            "a",
            "md5abc",
            "md50123456789abcdef0123456789abcdef",
            "no",
            "😀😀",
        ] {
            let word = made(&cipher, secret, false);
            assert_ne!(word, secret);
            assert_eq!((word.len(), traits(&word)), (secret.len(), traits(secret)), "{secret} {word}");
            assert_eq!(word, made(&Cipher::new(&key), secret, false));
            let kinds = |text: &str| -> Vec<u8> {
                let kind = |b: u8| {
                    if b.is_ascii_lowercase() {
                        b'a'
                    } else if b.is_ascii_uppercase() {
                        b'A'
                    } else {
                        b
                    }
                };
                text.bytes().map(|b| if b.is_ascii_digit() || b >= 0x80 { b'0' } else { kind(b) }).collect()
            };
            assert_eq!(kinds(&word), kinds(secret), "{secret} {word}");
        }
        assert_ne!(made(&cipher, "%%%%", false), "%%%%");
        let verifier = "SCRAM-SHA-256$4096:c2FsdA==$c3RvcmVk:c2VydmVy";
        let word = made(&cipher, verifier, false);
        assert!(word.starts_with("SCRAM-SHA-256$4096:") && word != verifier, "{word}");
    }

    #[test]
    fn what_is_no_secret_stays() {
        let key = key();
        let cipher = Cipher::new(&key);
        for text in ["***", "#FIXME"] {
            assert_eq!(made(&cipher, text, false), text);
        }
        for text in ["no", "null", "True", "0", "0.0"] {
            assert_eq!(made(&cipher, text, true), text);
        }
    }

    #[test]
    fn different_secrets_have_different_words() {
        let key = key();
        let cipher = Cipher::new(&key);
        let all: Vec<String> = ('a'..='z').flat_map(|a| ('2'..='7').map(move |b| format!("{a}{b}"))).collect();
        let words: BTreeSet<String> = all.iter().map(|s| made(&cipher, s, false)).collect();
        assert_eq!(words, all.iter().cloned().collect());
    }
}
