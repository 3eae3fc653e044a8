//! `{{ … }}`, `{% … %}`, `{# … #}`: Jinja (Ansible, Python), Go (Helm, Consul templates), Mustache and Handlebars.

use memchr::memmem;

use super::{Engine, Found, Part, Role, Scan};

/// Statements of Jinja that begin a block.
const OPENERS: [&str; 10] = ["if", "for", "macro", "call", "filter", "block", "set", "with", "autoescape", "raw"];

/// Statements of Jinja that stand alone. An `include` puts text in its place.
const SINGLES: [&str; 9] = ["include", "import", "from", "extends", "do", "continue", "break", "trans", "debug"];

/// The longest statement that shows that a text is a template.
const LONGEST: usize = 1024;

/// Whether a statement of Jinja stands in a text.
pub(super) fn has_statement(bytes: &[u8]) -> bool {
    memmem::find_iter(bytes, b"{%").any(|at| {
        let rest = &bytes[at + 2..bytes.len().min(at + LONGEST)];
        let line = rest.split(|b| *b == b'\n').next().unwrap_or_default();
        is_known(keyword(line)) && memmem::find(line, b"%}").is_some()
    })
}

fn is_known(word: &str) -> bool {
    OPENERS.contains(&word) || SINGLES.contains(&word) || ["else", "elif"].contains(&word) || closes(word).is_some()
}

fn closes(word: &str) -> Option<&'static str> {
    let of = word.strip_prefix("end")?;
    OPENERS.into_iter().find(|o| *o == of)
}

/// The first word of a statement.
fn keyword(inner: &[u8]) -> &str {
    let inner = inner.strip_prefix(b"-").or_else(|| inner.strip_prefix(b"+")).unwrap_or(inner).trim_ascii_start();
    let len = inner.iter().take_while(|b| b.is_ascii_alphabetic()).count();
    std::str::from_utf8(&inner[..len]).unwrap_or_default()
}

pub(super) fn scan(scan: &mut Scan<'_>, at: usize) -> Option<Found> {
    if at < scan.searched {
        return None;
    }
    match scan.at(at + 1)? {
        b'{' => Some(expression(scan, at)),
        b'%' if scan.jinja => statement(scan, at),
        b'#' if scan.jinja => {
            match memmem::find(&scan.bytes[at + 2..scan.limit(scan.engine == Engine::Jinja)], b"#}") {
                Some(n) => Some(Found::Part(Part::new(at, at + n + 4, Role::Nothing))),
                None if scan.engine == Engine::Jinja => Some(Found::Unclosed { len: 2, wanted: "#}" }),
                None => {
                    scan.searched = scan.line.end;
                    None
                }
            }
        }
        _ => None,
    }
}

/// Where the bytes that end a part stand, quoted texts passed over.
fn end_of(bytes: &[u8], mut at: usize, limit: usize, close: [u8; 2]) -> Option<usize> {
    let mut depth = 0_usize;
    while at + 1 < limit.min(bytes.len()) {
        let byte = bytes[at];
        match byte {
            b'\'' | b'"' | b'`' => {
                let end = quoted(bytes, at, limit);
                // A quote without its counterpart is no quote.
                at = end.unwrap_or(at + 1);
                continue;
            }
            b'{' if bytes[at + 1] == b'{' && close == *b"}}" && depth == 0 => return None,
            b'{' => depth += 1,
            b'}' if depth > 0 => depth -= 1,
            _ if byte == close[0] && bytes[at + 1] == close[1] => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}

/// The byte behind a quoted text that ends on its line.
fn quoted(bytes: &[u8], at: usize, limit: usize) -> Option<usize> {
    let quote = bytes[at];
    let mut next = at + 1;
    while next < limit && bytes[next] != b'\n' {
        match bytes[next] {
            b'\\' if quote != b'`' => next += 2,
            b if b == quote => return Some(next + 1),
            // Without this, many quotes of one line would be searched again and again.
            _ if next - at > 4096 => return None,
            _ => next += 1,
        }
    }
    None
}

fn expression(scan: &mut Scan<'_>, at: usize) -> Found {
    let strict = scan.is_strict(&[Engine::Jinja, Engine::Go]);
    let bytes = scan.bytes;
    let limit = scan.limit(strict);
    if !scan.jinja
        && let Some(found) = comment(scan, at, limit)
    {
        return found;
    }
    let triple = scan.at(at + 2) == Some(b'{');
    let from = at + if triple { 3 } else { 2 };
    let Some(end) = end_of(bytes, from, limit, *b"}}") else {
        if strict {
            return Found::Unclosed { len: 2, wanted: "}}" };
        }
        scan.searched = limit;
        return Found::Literal(2);
    };
    let close = end + if triple && bytes.get(end + 2) == Some(&b'}') { 3 } else { 2 };
    let inner = &bytes[from..end];
    if !strict && inner.trim_ascii().is_empty() {
        return Found::Literal(2);
    }
    let role = if scan.jinja { Role::Value } else { go(inner) };
    let mut part = Part::new(at, close, role);
    part.indent = indent(inner);
    Found::Part(part)
}

/// `{{/* … */}}` and `{{! … }}`, which may hold anything.
fn comment(scan: &mut Scan<'_>, at: usize, limit: usize) -> Option<Found> {
    if scan.no_comment_ends {
        return None;
    }
    let rest = &scan.bytes[at + 2..limit];
    let trimmed = rest.strip_prefix(b"-").unwrap_or(rest).trim_ascii_start();
    let close: &[u8] = if trimmed.starts_with(b"/*") {
        b"*/"
    } else if rest.starts_with(b"!--") {
        b"--}}"
    } else if rest.starts_with(b"!") {
        b"}}"
    } else {
        return None;
    };
    let Some(end) = memmem::find(rest, close) else {
        scan.no_comment_ends = true;
        return None;
    };
    let end = end + memmem::find(&rest[end..], b"}}")?;
    Some(Found::Part(Part::new(at, at + 2 + end + 2, Role::Nothing)))
}

/// An action of Go's `text/template`, or a tag of Mustache.
fn go(inner: &[u8]) -> Role {
    let inner = inner.strip_prefix(b"-").unwrap_or(inner).trim_ascii();
    let inner = inner.strip_suffix(b"-").unwrap_or(inner).trim_ascii();
    let len = inner.iter().take_while(|b| b.is_ascii_alphabetic()).count();
    match &inner[..len] {
        b"if" | b"range" | b"with" | b"block" if inner.get(len) == Some(&b' ') => Role::Open(""),
        b"define" => Role::Define(""),
        b"else" => Role::Middle,
        b"end" if len == inner.len() => Role::Close(""),
        b"break" | b"continue" if len == inner.len() => Role::Nothing,
        _ => match inner.first() {
            Some(b'#' | b'^') if len == 0 => Role::Open(""),
            Some(b'/') => Role::Close(""),
            Some(b'$') if assigns(inner) => Role::Nothing,
            _ => Role::Value,
        },
    }
}

/// `$name := …` and `$name = …`.
fn assigns(inner: &[u8]) -> bool {
    let name = inner.iter().skip(1).take_while(|b| super::is_name(**b) || matches!(b, b',' | b' ' | b'$')).count();
    let rest = &inner[(1 + name).min(inner.len())..];
    rest.starts_with(b":=") || (rest.starts_with(b"=") && !rest.starts_with(b"=="))
}

/// The number of `indent 4`, `nindent 4`, `indent(4)`.
fn indent(inner: &[u8]) -> Option<usize> {
    let at = memmem::rfind(inner, b"indent")? + "indent".len();
    let rest = inner[at..].trim_ascii_start();
    let rest = rest.strip_prefix(b"(").unwrap_or(rest);
    let rest = rest.strip_prefix(b"width=").unwrap_or(rest);
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    std::str::from_utf8(&rest[..digits]).ok()?.parse().ok()
}

fn statement(scan: &mut Scan<'_>, at: usize) -> Option<Found> {
    let strict = scan.engine == Engine::Jinja;
    let bytes = scan.bytes;
    if !strict && !is_known(keyword(&bytes[at + 2..])) {
        return None;
    }
    let limit = scan.limit(strict);
    let Some(end) = end_of(bytes, at + 2, limit, *b"%}") else {
        if strict {
            return Some(Found::Unclosed { len: 2, wanted: "%}" });
        }
        scan.searched = limit;
        return Some(Found::Literal(2));
    };
    let inner = &bytes[at + 2..end];
    let word = keyword(inner);
    let role = match word {
        "raw" => return Some(raw(scan, at, end + 2)),
        "else" | "elif" => Role::Middle,
        "include" => Role::Value,
        "set" if inner.contains(&b'=') => Role::Nothing,
        "set" | "macro" => Role::Define(OPENERS.into_iter().find(|o| *o == word).unwrap_or_default()),
        _ => match (closes(word), OPENERS.into_iter().find(|o| *o == word)) {
            (Some(of), _) => Role::Close(of),
            (None, Some(opener)) => Role::Open(opener),
            (None, None) => Role::Nothing,
        },
    };
    Some(Found::Part(Part::new(at, end + 2, role)))
}

/// What stands between `raw` and `endraw` is literal, and Jinja makes it part of the text: too rare to be followed.
fn raw(scan: &Scan<'_>, at: usize, behind: usize) -> Found {
    let ends = memmem::find_iter(&scan.bytes[behind..], b"{%").map(|n| behind + n);
    for end in ends {
        if keyword(&scan.bytes[end + 2..]) == "endraw" {
            let close = memmem::find(&scan.bytes[end..], b"%}").map_or(scan.bytes.len(), |n| end + n + 2);
            return Found::Part(Part::new(at, close, Role::Value));
        }
    }
    Found::Unclosed { len: behind - at, wanted: "{% endraw %}" }
}
