//! Connection strings as libpq reads them (`conninfo_parse` and `conninfo_uri_parse_options` in
//! `src/interfaces/libpq/fe-connect.c`), and where settings hold secrets.

use std::ops::Range;

/// A keyword or value and its bytes in the text; the range of a value leaves its quotes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What it means, without quotes, escapes and percent signs.
    pub text: String,
    /// Where it is written.
    pub at: Range<usize>,
}

/// The pairs of a connection string, keyword/value or URI. What libpq would refuse ends the list: the pairs before it
/// are returned. A URI's parts have the keywords `user`, `password`, `host`, `port` and `dbname`.
#[must_use]
pub fn parse_conninfo(text: &str) -> Vec<(Part, Part)> {
    let uri = ["postgresql://", "postgres://"].iter().find(|p| text.starts_with(**p));
    uri.map_or_else(|| keyword_values(text), |prefix| parse_uri(text, prefix.len()))
}

fn is_space(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

fn skip_space(bytes: &[u8], at: usize) -> usize {
    at + bytes[at..].iter().take_while(|b| is_space(**b)).count()
}

fn keyword_values(text: &str) -> Vec<(Part, Part)> {
    let bytes = text.as_bytes();
    let mut pairs = Vec::new();
    let mut at = 0;
    loop {
        at = skip_space(bytes, at);
        let len = bytes[at..].iter().take_while(|b| **b != b'=' && !is_space(**b)).count();
        let equals = skip_space(bytes, at + len);
        if bytes.get(equals) != Some(&b'=') {
            return pairs;
        }
        let key = Part { text: text[at..at + len].to_owned(), at: at..at + len };
        let Some((value, end)) = value(text, skip_space(bytes, equals + 1)) else { return pairs };
        pairs.push((key, value));
        at = end;
    }
}

/// A value and where the text goes on; `None` when a quote is not closed.
fn value(text: &str, start: usize) -> Option<(Part, usize)> {
    let bytes = text.as_bytes();
    let quoted = bytes.get(start) == Some(&b'\'');
    let begin = start + usize::from(quoted);
    let mut out = Vec::new();
    let mut at = begin;
    loop {
        match bytes.get(at) {
            None if quoted => return None,
            None => break,
            Some(b'\'') if quoted => break,
            Some(b) if !quoted && is_space(*b) => break,
            Some(b'\\') => {
                out.extend(bytes.get(at + 1));
                at += 2;
            }
            Some(b) => {
                out.push(*b);
                at += 1;
            }
        }
    }
    let end = at.min(bytes.len());
    let part = Part { text: String::from_utf8_lossy(&out).into_owned(), at: begin..end };
    Some((part, end + usize::from(quoted)))
}

/// A part of a URI with its `%xx` decoded; a percent sign without two hexadecimal digits stays.
fn part(text: &str, at: Range<usize>) -> Part {
    let bytes = &text.as_bytes()[at.clone()];
    let hex = |n: usize| bytes.get(n).and_then(|b| char::from(*b).to_digit(16));
    let mut out = Vec::with_capacity(bytes.len());
    let mut n = 0;
    while let Some(b) = bytes.get(n) {
        if let (b'%', Some(high), Some(low)) = (b, hex(n + 1), hex(n + 2)) {
            out.push((high * 16 + low).to_le_bytes()[0]);
            n += 3;
        } else {
            out.push(*b);
            n += 1;
        }
    }
    Part { text: String::from_utf8_lossy(&out).into_owned(), at }
}

/// `postgresql://[user[:password]@][host][:port][,…][/dbname][?key=value&…]`
fn parse_uri(text: &str, start: usize) -> Vec<(Part, Part)> {
    let mut pairs = Vec::new();
    let mut add = |key: &str, at: Range<usize>| {
        if !at.is_empty() {
            pairs.push((Part { text: key.to_owned(), at: at.start..at.start }, part(text, at)));
        }
    };
    let find = |from: usize, stop: &[char]| text[from..].find(stop).map_or(text.len(), |n| from + n);
    // libpq looks for the `@` in front of the first `/`.
    let mut host = start;
    let credentials_end = find(start, &['@', '/']);
    if text.as_bytes().get(credentials_end) == Some(&b'@') {
        let user_end = find(start, &[':', '@']);
        add("user", start..user_end);
        if user_end < credentials_end {
            add("password", user_end + 1..credentials_end);
        }
        host = credentials_end + 1;
    }
    let hosts_end = find(host, &['/', '?']);
    let mut from = host;
    for piece in text[host..hosts_end].split(',') {
        let name_end = if piece.starts_with('[') { piece.find(']').map_or(piece.len(), |n| n + 1) } else { 0 };
        let colon = piece[name_end..].find(':').map_or(piece.len(), |n| name_end + n);
        add("host", from..from + colon);
        if colon < piece.len() {
            add("port", from + colon + 1..from + piece.len());
        }
        from += piece.len() + 1;
    }
    let mut query = hosts_end;
    if text.as_bytes().get(hosts_end) == Some(&b'/') {
        query = find(hosts_end, &['?']);
        add("dbname", hosts_end + 1..query);
    }
    let mut from = query + 1;
    for piece in text.get(query + 1..).unwrap_or_default().split('&') {
        if let Some(equals) = piece.find('=') {
            let key = part(text, from..from + equals);
            pairs.push((key, part(text, from + equals + 1..from + piece.len())));
        }
        from += piece.len() + 1;
    }
    pairs
}

/// Whether a setting may hold a secret: connection strings, commands, and extensions' settings that sound like it.
#[must_use]
pub fn may_hold_secret(setting: &str) -> bool {
    let name = setting.to_ascii_lowercase();
    let words =
        ["conninfo", "command", "passphrase", "password", "passwd", "secret", "token", "credential", "access_key"];
    let harmless = ["log_replication_commands", "password_encryption", "ssl_passphrase_command_supports_reload"];
    words.iter().any(|w| name.contains(w)) && !harmless.contains(&&*name)
}

/// The bytes of a setting's value that must not be shown.
///
/// The whole of a passphrase command and of settings of extensions that sound secret, the password of a connection
/// string, and in other commands what follows `password=` and the like.
#[must_use]
pub fn secrets_of_setting(setting: &str, value: &str) -> Vec<Range<usize>> {
    let name = setting.to_ascii_lowercase();
    if value.is_empty() || !may_hold_secret(&name) {
        return Vec::new();
    }
    if name.ends_with("conninfo") {
        return conninfo_secrets(value);
    }
    if name.contains("passphrase") || (name.contains('.') && !name.ends_with("command")) {
        return std::iter::once(0..value.len()).collect();
    }
    let mut found = command_secrets(value);
    let mut from = 0;
    while let Some(n) = value[from..].find("postgres") {
        let start = from + n;
        let end = value[start..].find([' ', '"', '\'']).map_or(value.len(), |n| start + n);
        let is_uri = ["postgresql://", "postgres://"].iter().any(|p| value[start..].starts_with(p));
        if is_uri {
            found.extend(conninfo_secrets(&value[start..end]).into_iter().map(|r| r.start + start..r.end + start));
        }
        from = if is_uri { end } else { start + 1 };
    }
    found.sort_by_key(|r| r.start);
    found
}

/// The passwords of a connection string. Text that libpq would refuse is searched like a command.
#[must_use]
pub fn conninfo_secrets(text: &str) -> Vec<Range<usize>> {
    let is_secret = |key: &str| matches!(key, "password" | "sslpassword" | "oauth_client_secret");
    let pairs = parse_conninfo(text);
    let mut found: Vec<_> = pairs.iter().filter(|(k, _)| is_secret(&k.text)).map(|(_, v)| v.at.clone()).collect();
    let read = pairs.last().map_or(0, |(_, v)| v.at.end);
    let rest = command_secrets(&text[read..]).into_iter().map(|r| r.start + read..r.end + read);
    found.extend(rest);
    found.retain(|r| !r.is_empty());
    found
}

/// The words that a secret follows in a command; longer ones come before those that they begin with.
const WORDS: [&str; 7] = ["password", "passwd", "passphrase", "secret_access_key", "secret", "token", "-pass"];

/// What follows `password=`, `PGPASSWORD=`, `--token ` and the like, up to white space.
fn command_secrets(text: &str) -> Vec<Range<usize>> {
    let lower = text.to_ascii_lowercase();
    let mut found = Vec::new();
    let mut from = 0;
    let find = |word: &str, from: usize| lower[from..].find(word).map(|at| from + at);
    let mut next = WORDS.map(|word| find(word, 0));
    loop {
        // Each word is looked for once more only when its last place lies behind.
        for (word, at) in WORDS.iter().zip(&mut next).filter(|(_, at)| at.is_some_and(|at| at < from)) {
            *at = find(word, from);
        }
        let first = WORDS.iter().zip(next).filter_map(|(word, at)| Some((at?, word.len()))).min_by_key(|(at, _)| *at);
        let Some((at, len)) = first else { break };
        let behind = at + len;
        let start = lower.len() - lower[behind..].trim_start_matches([' ', '=', ':', '\'', '"']).len();
        // `-pass` begins in front of `password`, which may be what is meant.
        from = at + 1;
        if start > behind {
            let end = lower[start..].find(char::is_whitespace).map_or(lower.len(), |n| start + n);
            if end > start {
                found.push(start..end);
            }
            from = end;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        parse_conninfo(text).into_iter().map(|(k, v)| (k.text, v.text)).collect()
    }

    fn hidden(setting: &str, text: &str) -> Vec<String> {
        secrets_of_setting(setting, text).into_iter().map(|r| text[r].to_owned()).collect()
    }

    #[test]
    fn keyword_values_are_read_with_quotes_and_escapes() {
        let text = r"host = a  user='b\' c' password=x\ y z";
        let want = [("host", "a"), ("user", "b' c"), ("password", "x y")];
        assert_eq!(pairs(text), want.map(|(a, b)| (a.to_owned(), b.to_owned())));
        assert_eq!(pairs("host=a password='open"), [("host".to_owned(), "a".to_owned())]);
        assert_eq!(pairs("a= b=c"), [("a".to_owned(), "b=c".to_owned())]);
    }

    #[test]
    fn uris_are_read_with_percent_signs() {
        let text = "postgresql://u:p%40ss@h1:5433,[::1]/db?application_name=x&password=q";
        let want = [
            ("user", "u"),
            ("password", "p@ss"),
            ("host", "h1"),
            ("port", "5433"),
            ("host", "[::1]"),
            ("dbname", "db"),
            ("application_name", "x"),
            ("password", "q"),
        ];
        assert_eq!(pairs(text), want.map(|(a, b)| (a.to_owned(), b.to_owned())));
    }

    #[test]
    fn secrets_are_found_where_settings_hold_them() {
        assert_eq!(hidden("primary_conninfo", "host=a password='s 1' user=b"), ["s 1"]);
        assert_eq!(hidden("primary_conninfo", "postgres://u:s1@h/db"), ["s1"]);
        assert_eq!(hidden("primary_conninfo", "host=a password='s1"), ["s1"]);
        assert_eq!(hidden("archive_command", "PGPASSWORD=s1 cp %p x"), ["s1"]);
        assert_eq!(hidden("restore_command", "fetch --password = s1 %p"), ["s1"]);
        assert_eq!(hidden("ssl_passphrase_command", "echo s1"), ["echo s1"]);
        assert!(hidden("ssl_passphrase_command_supports_reload", "off").is_empty());
        assert_eq!(hidden("azure.secret", "s1"), ["s1"]);
        assert_eq!(hidden("password_encryption", "md5"), Vec::<String>::new());
    }
}
