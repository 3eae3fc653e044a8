//! Connection strings, strictly as libpq accepts them (`conninfo_parse` and `conninfo_uri_parse_options` in
//! `src/interfaces/libpq/fe-connect.c`, PostgreSQL 18): what libpq refuses is an error here.
//!
//! [`super::conninfo`] reads the same texts leniently, with places, to lint them; this reads them to connect. No error holds a
//! value, since it may be a password.

use crate::knowledge::libpq;

/// A keyword and its value.
pub type Pair = (String, String);

/// Reads a connection string of either form. Of a keyword that is given twice, the last value counts.
///
/// # Errors
/// What is wrong, without any value.
pub fn read_dsn(text: &str) -> Result<Vec<Pair>, String> {
    if text.contains('\0') {
        return Err("the connection string holds a zero byte".to_owned());
    }
    let prefix = ["postgresql://", "postgres://"].into_iter().find(|p| text.starts_with(p));
    prefix.map_or_else(|| keyword_values(text), |prefix| uri(&text[prefix.len()..]))
}

fn store(pairs: &mut Vec<Pair>, keyword: &str, value: String) -> Result<(), String> {
    if !libpq::is_option(keyword) {
        return Err(format!("invalid connection option \"{keyword}\""));
    }
    let (keyword, value) = match keyword {
        "requiressl" => ("sslmode", if value.starts_with('1') { "require" } else { "prefer" }.to_owned()),
        _ => (keyword, value),
    };
    pairs.retain(|(k, _)| k != keyword);
    pairs.push((keyword.to_owned(), value));
    Ok(())
}

const fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\x0b' | '\x0c' | '\r')
}

fn keyword_values(text: &str) -> Result<Vec<Pair>, String> {
    let mut pairs = Vec::new();
    let mut rest = text.trim_start_matches(is_space);
    while !rest.is_empty() {
        let end = rest.find(|c| c == '=' || is_space(c)).unwrap_or(rest.len());
        let keyword = &rest[..end];
        let Some(behind) = rest[end..].trim_start_matches(is_space).strip_prefix('=') else {
            // What stands here may be the end of a password that should have been quoted.
            let shown = if libpq::is_option(keyword) { format!(" after \"{keyword}\"") } else { String::new() };
            return Err(format!("missing \"=\"{shown} in the connection string"));
        };
        let (value, behind) = value(behind.trim_start_matches(is_space))
            .ok_or_else(|| format!("unterminated quoted string behind \"{keyword}\" in the connection string"))?;
        store(&mut pairs, keyword, value)?;
        rest = behind.trim_start_matches(is_space);
    }
    Ok(pairs)
}

/// A value and what follows it; `None` when a quote is not closed.
fn value(text: &str) -> Option<(String, &str)> {
    let quoted = text.starts_with('\'');
    let mut out = String::new();
    let mut chars = text.char_indices().skip(usize::from(quoted));
    while let Some((at, c)) = chars.next() {
        match c {
            '\'' if quoted => return Some((out, &text[at + 1..])),
            c if !quoted && is_space(c) => return Some((out, &text[at..])),
            '\\' => out.extend(chars.next().map(|(_, c)| c)),
            c => out.push(c),
        }
    }
    (!quoted).then_some((out, ""))
}

/// `[user[:password]@][host][:port][,…][/dbname][?key=value&…]`
fn uri(text: &str) -> Result<Vec<Pair>, String> {
    let mut pairs = Vec::new();
    let mut rest = text;
    let stop = text.find(['@', '/']).unwrap_or(text.len());
    if text[stop..].starts_with('@') {
        let (user, password) = text[..stop].split_once(':').map_or((&text[..stop], None), |(u, p)| (u, Some(p)));
        for (keyword, value) in [("user", Some(user)), ("password", password)] {
            if let Some(value) = value.filter(|v| !v.is_empty()) {
                store(&mut pairs, keyword, decode(value, keyword)?)?;
            }
        }
        rest = &text[stop + 1..];
    }
    let (mut hosts, mut ports) = (String::new(), String::new());
    loop {
        rest = host(rest, &mut hosts)?;
        if let Some(port) = rest.strip_prefix(':') {
            let end = port.find(['/', '?', ',']).unwrap_or(port.len());
            ports.push_str(&port[..end]);
            rest = &port[end..];
        }
        let Some(more) = rest.strip_prefix(',') else { break };
        hosts.push(',');
        ports.push(',');
        rest = more;
    }
    for (keyword, value) in [("host", &hosts), ("port", &ports)] {
        if !value.is_empty() {
            store(&mut pairs, keyword, decode(value, keyword)?)?;
        }
    }
    if let Some(path) = rest.strip_prefix('/') {
        let end = path.find('?').unwrap_or(path.len());
        if end > 0 {
            store(&mut pairs, "dbname", decode(&path[..end], "dbname")?)?;
        }
        rest = &path[end..];
    }
    if let Some(query) = rest.strip_prefix('?') {
        parameters(query, &mut pairs)?;
    }
    Ok(pairs)
}

/// Takes a host off the front of a URI's rest.
fn host<'a>(rest: &'a str, hosts: &mut String) -> Result<&'a str, String> {
    let Some(bracketed) = rest.strip_prefix('[') else {
        let end = rest.find([':', '/', '?', ',']).unwrap_or(rest.len());
        hosts.push_str(&rest[..end]);
        return Ok(&rest[end..]);
    };
    let Some(end) = bracketed.find(']') else {
        return Err("the URI ends while looking for the \"]\" of an IPv6 host address".to_owned());
    };
    if end == 0 {
        return Err("an IPv6 host address may not be empty in a URI".to_owned());
    }
    hosts.push_str(&bracketed[..end]);
    let behind = &bracketed[end + 1..];
    if behind.is_empty() || behind.starts_with([':', '/', '?', ',']) {
        Ok(behind)
    } else {
        Err("unexpected character behind an IPv6 host address in a URI (expected \":\" or \"/\")".to_owned())
    }
}

fn parameters(query: &str, pairs: &mut Vec<Pair>) -> Result<(), String> {
    let mut pieces: Vec<&str> = query.split('&').collect();
    // A `&` at the end, or no parameter at all, is nothing to libpq.
    if pieces.last().is_some_and(|p| p.is_empty()) {
        pieces.pop();
    }
    for piece in pieces {
        let Some((keyword, value)) = piece.split_once('=') else {
            return Err("a URI query parameter has no \"=\"".to_owned());
        };
        let keyword = decode(keyword, "a URI query parameter")?;
        if value.contains('=') {
            return Err(format!("extra \"=\" in the URI query parameter \"{keyword}\""));
        }
        let value = decode(value, &keyword)?;
        if keyword == "ssl" && value == "true" {
            store(pairs, "sslmode", "require".to_owned())?;
        } else {
            store(pairs, &keyword, value).map_err(|_| format!("invalid URI query parameter: \"{keyword}\""))?;
        }
    }
    Ok(())
}

/// Decodes `%xx`. Spaces around are dropped, those inside are refused, as since PostgreSQL 18.
fn decode(text: &str, what: &str) -> Result<String, String> {
    let text = text.trim_matches(' ');
    if text.contains(' ') {
        return Err(format!("a space in the value of {what} in a URI; write it as %20"));
    }
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(b) = bytes.next() {
        if b != b'%' {
            out.push(b);
            continue;
        }
        let mut digit = || bytes.next().and_then(|b| char::from(b).to_digit(16));
        match digit().zip(digit()) {
            Some((0, 0)) => return Err(format!("forbidden value %00 in {what} of a URI")),
            Some((high, low)) => out.push((high * 16 + low).to_le_bytes()[0]),
            None => {
                return Err(format!("invalid percent-encoded token in {what} of a URI; write a percent sign as %25"));
            }
        }
    }
    String::from_utf8(out).map_err(|_| format!("the value of {what} in a URI is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::read_dsn;

    fn read(text: &str) -> Result<String, String> {
        read_dsn(text).map(|p| p.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn both_forms_are_read() {
        for (text, want) in [
            ("", ""),
            (r"host = a  user='b\' c' password=x\ y", "host=a user=b' c password=x y"),
            ("port= 5433 port=5434", "port=5434"),
            ("requiressl=1", "sslmode=require"),
            ("postgres://", ""),
            (
                "postgresql://u:p%40@h:1,[::1]:2/d?application_name=x&",
                "user=u password=p@ host=h,::1 port=1,2 dbname=d application_name=x",
            ),
            ("postgresql://h?ssl=true", "host=h sslmode=require"),
            ("postgresql://:x@/", "password=x"),
            ("postgresql://a@b@c/d", "user=a host=b@c dbname=d"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(want), "{text}");
        }
    }

    #[test]
    fn what_libpq_refuses_is_refused_without_its_value() {
        for text in [
            "hostt=s3cret",
            "password='s3cret",
            "password=my s3cret",
            "host",
            "postgresql://u:s3cret%4@h",
            "postgresql://u:s3cret%00@h",
            "postgresql://u:s3cret a@h",
            "postgresql://[::1",
            "postgresql://[]",
            "postgresql://[::1]x",
            "postgresql://h?s3cret",
            "postgresql://h?&user=x",
            "postgresql://h?password=s3cret=x",
            "postgresql://h?hostt=s3cret",
        ] {
            let e = read(text).expect_err(text);
            assert!(!e.contains("s3cret"), "{text}: {e}");
        }
    }
}
