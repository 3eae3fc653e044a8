//! `<% … %>` of ERB (Chef, Puppet) and EPP (Puppet), and `<placeholder>` for a person to fill in.

use memchr::memmem;

use super::{Engine, Format, Found, Part, Role, Scan, is_name};

/// The longest word in angle brackets that is taken for a placeholder.
const LONGEST: usize = 60;

pub(super) fn scan(scan: &mut Scan<'_>, at: usize) -> Option<Found> {
    match scan.at(at + 1)? {
        b'%' => tag(scan, at),
        b if b.is_ascii_alphabetic() => placeholder(scan, at),
        _ => None,
    }
}

fn tag(scan: &mut Scan<'_>, at: usize) -> Option<Found> {
    let strict = scan.engine == Engine::Erb;
    if scan.at(at + 2) == Some(b'%') {
        return Some(Found::Literal(3));
    }
    // Elsewhere `'<%u@%d>'` is a prefix of log lines.
    if at < scan.searched || !strict && !matches!(scan.at(at + 2), Some(b'=' | b'-' | b' ' | b'#')) {
        return None;
    }
    let limit = scan.limit(strict);
    let Some(len) = memmem::find(&scan.bytes[at + 2..limit], b"%>") else {
        if strict {
            return Some(Found::Unclosed { len: 2, wanted: "%>" });
        }
        scan.searched = limit;
        return Some(Found::Literal(2));
    };
    let inner = &scan.bytes[at + 2..at + 2 + len];
    Some(Found::Part(Part::new(at, at + len + 4, role(inner))))
}

fn role(inner: &[u8]) -> Role {
    match inner.first() {
        Some(b'=') => return Role::Value,
        Some(b'#') => return Role::Nothing,
        _ => {}
    }
    let code = inner.strip_prefix(b"-").unwrap_or(inner);
    let code = code.strip_suffix(b"-").unwrap_or(code).trim_ascii();
    // The parameters of EPP.
    if code.starts_with(b"|") {
        return Role::Nothing;
    }
    let len = code.iter().take_while(|b| is_name(**b)).count();
    let opens = is_opened(code);
    match &code[..len] {
        b"else" | b"elsif" | b"when" | b"rescue" | b"ensure" | b"in" => Role::Middle,
        b"end" => Role::Close(""),
        b"if" | b"unless" | b"case" | b"while" | b"until" | b"for" | b"begin" => Role::Open(""),
        _ if code.starts_with(b"}") && opens => Role::Middle,
        _ if code.starts_with(b"}") => Role::Close(""),
        _ if opens => Role::Open(""),
        _ => Role::Nothing,
    }
}

/// Whether code ends with `do`, `do |x|`, `{` or `{ |x|`.
fn is_opened(code: &[u8]) -> bool {
    let head = match code.strip_suffix(b"|") {
        Some(rest) => rest.iter().rposition(|b| *b == b'|').map_or(rest, |at| &rest[..at]),
        None => code,
    };
    let head = head.trim_ascii_end();
    head.ends_with(b"{") || head.ends_with(b" do") || head == b"do" || head.ends_with(b")do")
}

fn placeholder(scan: &Scan<'_>, at: usize) -> Option<Found> {
    let blank = scan.format != Format::Sql;
    let fits = |b: &u8| is_name(*b) || matches!(b, b'-' | b'.') || (blank && matches!(b, b' ' | b'/'));
    let rest = &scan.bytes[at + 1..];
    let len = rest.iter().take(LONGEST + 1).take_while(|b| fits(b)).count();
    let word = &rest[..len];
    let before = at.checked_sub(1).and_then(|n| scan.at(n));
    let stands = before.is_none_or(|b| !(matches!(b, b'<' | b'\\') || scan.format == Format::Sql && is_name(b)));
    let whole = len <= LONGEST && rest.get(len) == Some(&b'>') && word.last().is_some_and(|b| is_name(*b));
    (whole && stands).then(|| Found::Part(Part::new(at, at + len + 2, Role::Value)))
}
