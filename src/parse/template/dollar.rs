//! `${NAME}`, `${NAME:-default}`, `$NAME`, `$(NAME)`: the shell, `envsubst`, Docker Compose, Kubernetes, Terraform.

use memchr::memmem;

use super::{Engine, Format, Found, Part, Role, Scan, capitals, is_name};

/// The longest expression on a line.
const LONGEST: usize = 1024;

pub(super) fn scan(scan: &Scan<'_>, at: usize) -> Option<Found> {
    let next = scan.at(at + 1)?;
    if scan.engine == Engine::Terraform {
        return match next {
            b'$' if scan.at(at + 2) == Some(b'{') => Some(Found::Literal(3)),
            b'{' => match closing(scan.bytes, at + 2, scan.bytes.len()) {
                Some(end) => Some(Found::Part(Part::new(at, end + 1, Role::Value))),
                None => Some(Found::Unclosed { len: 2, wanted: "}" }),
            },
            _ => None,
        };
    }
    // systemd replaces these itself.
    if scan.format == Format::Unit {
        return None;
    }
    if next == b'{' && scan.at(at + 2) == Some(b'{') {
        let end = memmem::find(&scan.bytes[at..scan.line.end.min(at + LONGEST)], b"}}")?;
        return Some(Found::Part(Part::new(at, at + end + 2, Role::Value)));
    }
    if is_command(scan, at) {
        return None;
    }
    let before = at.checked_sub(1).and_then(|n| scan.at(n));
    let end = match next {
        b'{' if scan.at(at + 2).is_some_and(|b| is_name(b) && !b.is_ascii_digit()) => {
            closing(scan.bytes, at + 2, scan.line.end.min(at + LONGEST))? + 1
        }
        b'(' => {
            let end = at + 2 + capitals(scan.bytes, at + 2);
            (end > at + 3 && scan.at(end) == Some(b')')).then_some(end + 1)?
        }
        _ if scan.format != Format::Sql && !before.is_some_and(|b| is_name(b) || b == b'$') => {
            let len = capitals(scan.bytes, at + 1);
            let behind = scan.at(at + 1 + len);
            (len > 1 && !behind.is_some_and(|b| b == b'$' || b.is_ascii_lowercase())).then_some(at + 1 + len)?
        }
        _ => return None,
    };
    Some(Found::Part(Part::new(at, end, Role::Value)))
}

/// The brace that closes one that was opened in front of `at`.
fn closing(bytes: &[u8], at: usize, limit: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (n, byte) in bytes[at..limit].iter().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 0 => return Some(at + n),
            b'}' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// Whether the value on this line goes to a shell, which has variables of its own, and nobody said that the text is a template.
fn is_command(scan: &Scan<'_>, at: usize) -> bool {
    if scan.engine != Engine::Undeclared {
        return false;
    }
    let line = scan.head(at);
    let end = line.iter().position(|b| matches!(b, b':' | b'=')).unwrap_or(line.len());
    let key = line[..end].trim_ascii_start();
    let key = key.strip_prefix(b"-").unwrap_or(key).trim_ascii();
    key.ends_with(b"command")
        || ["on_", "post_", "pre_", "before_stop", "before_"].iter().any(|word| key.starts_with(word.as_bytes()))
}
