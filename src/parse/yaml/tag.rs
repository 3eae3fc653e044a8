//! Tags, and which one a plain scalar gets (PyYAML's `Resolver`, YAML 1.1).

use super::timestamp::is_timestamp;

const YAML: &str = "tag:yaml.org,2002:";

/// What a node is to be made into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tag {
    Null,
    Bool,
    Int,
    Float,
    Binary,
    Timestamp,
    Omap,
    Pairs,
    Set,
    Str,
    Seq,
    Map,
    /// `<<`
    Merge,
    /// `=`
    Value,
    /// One that `safe_load` has no constructor for.
    Other(Box<str>),
}

impl Tag {
    /// A tag by its full name.
    pub(super) fn named(name: &str) -> Self {
        match name.strip_prefix(YAML) {
            Some("null") => Self::Null,
            Some("bool") => Self::Bool,
            Some("int") => Self::Int,
            Some("float") => Self::Float,
            Some("binary") => Self::Binary,
            Some("timestamp") => Self::Timestamp,
            Some("omap") => Self::Omap,
            Some("pairs") => Self::Pairs,
            Some("set") => Self::Set,
            Some("str") => Self::Str,
            Some("seq") => Self::Seq,
            Some("map") => Self::Map,
            Some("merge") => Self::Merge,
            Some("value") => Self::Value,
            _ => Self::Other(name.into()),
        }
    }

    /// The full name of a tag that nothing can be constructed from.
    pub(super) fn undefined(&self) -> Option<String> {
        match self {
            Self::Merge => Some(format!("{YAML}merge")),
            Self::Value => Some(format!("{YAML}value")),
            Self::Other(name) => Some(name.to_string()),
            _ => None,
        }
    }

    /// The tag of a scalar that says none: a plain one, or one with the tag `!`.
    pub(super) fn resolved(text: &str) -> Self {
        // A last line break does not count for `$` in Python's patterns; only `! "…"` can have one.
        let body = text.strip_suffix('\n').unwrap_or(text);
        let first = text.as_bytes().first().copied();
        match first {
            None => Self::Null,
            Some(b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O') => word(body),
            Some(b'~') if body == "~" => Self::Null,
            Some(b'<') if body == "<<" => Self::Merge,
            Some(b'=') if body == "=" => Self::Value,
            Some(b'!' | b'&' | b'*') if body.len() == 1 => Self::Other(format!("{YAML}yaml").into()),
            Some(b'-' | b'+' | b'.' | b'0'..=b'9') => number(body, text),
            _ => Self::Str,
        }
    }
}

fn word(text: &str) -> Tag {
    match text {
        "yes" | "Yes" | "YES" | "no" | "No" | "NO" | "true" | "True" | "TRUE" | "false" | "False" | "FALSE" | "on"
        | "On" | "ON" | "off" | "Off" | "OFF" => Tag::Bool,
        "null" | "Null" | "NULL" => Tag::Null,
        _ => Tag::Str,
    }
}

/// The patterns are tried in PyYAML's order: float, int, timestamp.
fn number(text: &str, whole: &str) -> Tag {
    let bytes = text.as_bytes();
    if is_float(bytes) {
        Tag::Float
    } else if is_int(bytes) {
        Tag::Int
    } else if bytes[0].is_ascii_digit() && is_timestamp(whole) {
        Tag::Timestamp
    } else {
        Tag::Str
    }
}

/// Bytes of a set at the start, and the rest.
fn split(text: &[u8], set: fn(u8) -> bool) -> (&[u8], &[u8]) {
    text.split_at(text.iter().take_while(|b| set(**b)).count())
}

fn unsigned(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text)
}

fn is_decimal(b: u8) -> bool {
    b.is_ascii_digit() || b == b'_'
}

/// `:` and 0 to 59, any number of times; what is left after them, and whether there was one.
fn sexagesimal(mut text: &[u8]) -> (&[u8], bool) {
    let mut any = false;
    while let [b':', rest @ ..] = text {
        let len = match rest {
            [b'0'..=b'5', b'0'..=b'9', ..] => 2,
            [b'0'..=b'9', ..] => 1,
            _ => break,
        };
        text = &rest[len..];
        any = true;
    }
    (text, any)
}

/// `e` and a signed exponent, or nothing.
fn is_exponent(text: &[u8]) -> bool {
    match text {
        [] => true,
        [b'e' | b'E', b'-' | b'+', digits @ ..] => !digits.is_empty() && digits.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

fn is_float(text: &[u8]) -> bool {
    let body = unsigned(text);
    if let [b'.', rest @ ..] = body {
        let signed = body.len() != text.len();
        return match rest {
            b"inf" | b"Inf" | b"INF" => true,
            b"nan" | b"NaN" | b"NAN" => !signed,
            [b'0'..=b'9', ..] => !signed && is_exponent(split(rest, is_decimal).1),
            _ => false,
        };
    }
    if !matches!(body, [b'0'..=b'9', ..]) {
        return false;
    }
    match split(body, is_decimal).1 {
        [b'.', fraction @ ..] => is_exponent(split(fraction, is_decimal).1),
        rest => match sexagesimal(rest) {
            ([b'.', fraction @ ..], true) => fraction.iter().all(|b| is_decimal(*b)),
            _ => false,
        },
    }
}

fn is_int(text: &[u8]) -> bool {
    match unsigned(text) {
        [b'0', b'b', digits @ ..] => !digits.is_empty() && digits.iter().all(|b| matches!(b, b'0' | b'1' | b'_')),
        [b'0', b'x', digits @ ..] => !digits.is_empty() && digits.iter().all(|b| b.is_ascii_hexdigit() || *b == b'_'),
        [b'0', digits @ ..] => digits.iter().all(|b| matches!(b, b'0'..=b'7' | b'_')),
        body @ [b'1'..=b'9', ..] => sexagesimal(split(body, is_decimal).1).0.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_resolve_as_in_yaml_1_1() {
        for (tag, texts) in [
            (Tag::Bool, &["on", "Off", "YES", "no", "True"] as &[_]),
            (Tag::Null, &["", "~", "null", "Null", "NULL"]),
            (Tag::Int, &["0", "0777", "0_", "0b1_", "-0x_F", "+1_0", "1:59", "10:0:59", "-22:30"]),
            (Tag::Float, &["1.", "0.5e+3", ".5", "-1.5", "1:30.", ".inf", "-.INF", ".NaN", "1_.5_"]),
            (
                Tag::Str,
                &[
                    "08", "1e5", "1.5e3", "-.5", "+.nan", "1:60", "0:30", "yEs", "y", "n", "-", "0b", "0x", "1.2.3",
                    "0o7",
                ],
            ),
            (Tag::Timestamp, &["2024-01-02", "2024-1-2 3:04:05"]),
            (Tag::Merge, &["<<"]),
            (Tag::Value, &["="]),
        ] {
            for text in texts {
                assert_eq!(Tag::resolved(text), tag, "{text:?}");
            }
        }
    }
}
