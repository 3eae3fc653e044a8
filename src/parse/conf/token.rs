//! The tokens of `guc-file.l`: the longest match wins, the earlier rule among equals. No token spans lines.

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Id,
    QualifiedId,
    Str,
    Unquoted,
    Integer,
    Real,
    Equals,
    Eol,
    Eof,
    Error,
}

/// A token and its bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
}

fn letter(b: u8) -> bool {
    b.is_ascii_alphabetic() || b == b'_' || b >= 0x80
}

fn letter_or_digit(b: u8) -> bool {
    letter(b) || b.is_ascii_digit()
}

fn run(bytes: &[u8], of: impl Fn(u8) -> bool) -> usize {
    bytes.iter().take_while(|b| of(**b)).count()
}

/// The next token at or after a position; white space and comments are skipped.
pub(super) fn next(bytes: &[u8], mut at: usize) -> Token {
    at += run(&bytes[at..], |b| matches!(b, b' ' | b'\t' | b'\r'));
    if bytes.get(at) == Some(&b'#') {
        at += run(&bytes[at..], |b| b != b'\n');
    }
    let tail = &bytes[at..];
    let (kind, len) = match tail.first() {
        None => (Kind::Eof, 0),
        Some(b'\n') => (Kind::Eol, 1),
        Some(b'=') => (Kind::Equals, 1),
        Some(b'\'') => string(tail).map_or((Kind::Error, 1), |len| (Kind::Str, len)),
        Some(b) if letter(*b) => word(tail),
        Some(_) => number(tail).unwrap_or((Kind::Error, 1)),
    };
    Token { kind, start: at, end: at + len }
}

fn word(tail: &[u8]) -> (Kind, usize) {
    let id = run(tail, letter_or_digit);
    let all = run(tail, |b| letter_or_digit(b) || matches!(b, b'-' | b'.' | b'_' | b':' | b'/'));
    if all == id {
        return (Kind::Id, id);
    }
    let second = &tail[id..];
    if second[0] == b'.'
        && second.get(1).is_some_and(|b| letter(*b))
        && id + 1 + run(&second[1..], letter_or_digit) == all
    {
        return (Kind::QualifiedId, all);
    }
    (Kind::Unquoted, all)
}

fn number(tail: &[u8]) -> Option<(Kind, usize)> {
    let sign = usize::from(matches!(tail[0], b'+' | b'-'));
    let body = &tail[sign..];
    let digits = run(body, |b| b.is_ascii_digit());
    let mut integer = 0;
    if digits > 0 {
        integer = digits + run(&body[digits..], |b| b.is_ascii_alphabetic());
        if body.starts_with(b"0x") {
            let hex = run(&body[2..], |b| b.is_ascii_hexdigit());
            if hex > 0 {
                integer = integer.max(2 + hex + run(&body[2 + hex..], |b| b.is_ascii_alphabetic()));
            }
        }
    }
    let mut real = 0;
    if body.get(digits) == Some(&b'.') {
        real = digits + 1 + run(&body[digits + 1..], |b| b.is_ascii_digit());
        if matches!(body.get(real), Some(b'e' | b'E')) {
            let minus = usize::from(matches!(body.get(real + 1), Some(b'+' | b'-')));
            let power = run(&body[(real + 1 + minus).min(body.len())..], |b| b.is_ascii_digit());
            real += if power > 0 { 1 + minus + power } else { 0 };
        }
    }
    match integer.max(real) {
        0 => None,
        _ if integer >= real => Some((Kind::Integer, sign + integer)),
        _ => Some((Kind::Real, sign + real)),
    }
}

/// The length of a quoted text. A quote that begins a pair is an end, too, when no later one is.
fn string(tail: &[u8]) -> Option<usize> {
    let mut end = None;
    let mut at = 1;
    while let Some(b) = tail.get(at) {
        match b {
            b'\n' => break,
            b'\'' => {
                end = Some(at + 1);
                if tail.get(at + 1) != Some(&b'\'') {
                    break;
                }
                at += 2;
            }
            b'\\' => {
                if matches!(tail.get(at + 1), None | Some(b'\n')) {
                    break;
                }
                at += 2;
            }
            _ => at += 1,
        }
    }
    end
}
