//! `%{…}` (Hiera, Terraform's directives), `%NAME%`, `@NAME@` (Autoconf, `CMake`), `__NAME__`.

use super::{Engine, Found, Part, Role, Scan, capitals, is_name};

/// The longest expression on a line.
const LONGEST: usize = 1024;

pub(super) fn scan(scan: &Scan<'_>, at: usize) -> Option<Found> {
    match (scan.at(at)?, scan.at(at + 1)?) {
        (b'%', b'{') => percent(scan, at),
        (b'%', _) => between(scan, at, 3, false),
        (b'@', _) => between(scan, at, 2, scan.engine == Engine::Other),
        (b'_', b'_') => underscores(scan, at),
        _ => None,
    }
}

fn percent(scan: &Scan<'_>, at: usize) -> Option<Found> {
    let terraform = scan.engine == Engine::Terraform;
    if terraform && at > 0 && scan.at(at - 1) == Some(b'%') {
        return Some(Found::Literal(2));
    }
    let limit = if terraform { scan.bytes.len() } else { scan.line.end.min(at + LONGEST) };
    let Some(len) = memchr::memchr(b'}', scan.bytes.get(at + 2..limit)?) else {
        return if terraform { Some(Found::Unclosed { len: 2, wanted: "}" }) } else { None };
    };
    let end = at + len + 3;
    let inner = scan.bytes[at + 2..end - 1].trim_ascii();
    if !terraform {
        let looks = inner.first().is_some_and(|b| b.is_ascii_alphabetic() || *b == b':');
        return looks.then(|| Found::Part(Part::new(at, end, Role::Value)));
    }
    let inner = inner.strip_prefix(b"~").unwrap_or(inner).trim_ascii();
    let word = inner.iter().take_while(|b| is_name(**b)).count();
    let role = match &inner[..word] {
        b"if" => Role::Open("if"),
        b"for" => Role::Open("for"),
        b"else" => Role::Middle,
        b"endif" => Role::Close("if"),
        b"endfor" => Role::Close("for"),
        _ => Role::Value,
    };
    Some(Found::Part(Part::new(at, end, role)))
}

/// A name between two equal bytes.
fn between(scan: &Scan<'_>, at: usize, least: usize, small: bool) -> Option<Found> {
    let mark = scan.bytes[at];
    let rest = &scan.bytes[at + 1..];
    let len = if small {
        let named = rest.first().is_some_and(u8::is_ascii_alphabetic);
        if named { rest.iter().take_while(|b| is_name(**b) || **b == b'-').count() } else { 0 }
    } else {
        capitals(scan.bytes, at + 1)
    };
    let end = at + 1 + len;
    (len >= least && scan.at(end) == Some(mark)).then(|| Found::Part(Part::new(at, end + 1, Role::Value)))
}

/// `__NAME__`: nothing else of a name stands before or behind it.
fn underscores(scan: &Scan<'_>, at: usize) -> Option<Found> {
    if at > 0 && scan.at(at - 1).is_some_and(is_name) {
        return None;
    }
    let len = capitals(scan.bytes, at + 2);
    let name = &scan.bytes[at + 2..at + 2 + len];
    (len > 3 && name.ends_with(b"__")).then(|| Found::Part(Part::new(at, at + 2 + len, Role::Value)))
}
