//! Text as a YAML scalar that reads back as exactly that text.

use std::fmt::Write as _;

use super::tag::Tag;

/// Whether a text must be quoted to be read back as this string, as key or value, in block or flow context.
#[must_use]
pub fn needs_quotes(text: &str) -> bool {
    let bytes = text.as_bytes();
    let Some((first, last)) = bytes.first().zip(bytes.last()) else { return true };
    let odd_start = !(first.is_ascii_alphanumeric() || matches!(first, b'/' | b'_' | b'.' | b'$' | b'+' | 0x80..));
    odd_start
        || matches!(last, b' ' | b':')
        || bytes.iter().any(|b| matches!(b, b',' | b'?' | b'[' | b']' | b'{' | b'}'))
        || text.contains(": ")
        || text.contains(" #")
        || text.contains(|c: char| !fits_plain(c))
        || matches!(text, "---" | "...")
        || text.starts_with("... ")
        || text.len() > 1000
        || Tag::resolved(text) != Tag::Str
}

/// Printable, and neither a line break nor a tab nor a byte order mark for PyYAML.
fn fits_plain(c: char) -> bool {
    match c {
        ' '..='~' => true,
        '\u{2028}' | '\u{2029}' | '\u{FEFF}' => false,
        _ => matches!(c, '\u{A0}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..),
    }
}

/// The text in quotes: single ones, or double ones when it holds what only an escape can write.
#[must_use]
pub fn quote(text: &str) -> String {
    if text.chars().all(fits_plain) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let mut out = String::with_capacity(text.len() + 8);
    out.push('"');
    for c in text.chars() {
        push_escaped(&mut out, c);
    }
    out.push('"');
    out
}

fn push_escaped(out: &mut String, c: char) {
    let code = c as u32;
    let done = match c {
        '"' | '\\' => write!(out, "\\{c}"),
        '\n' => write!(out, "\\n"),
        '\t' => write!(out, "\\t"),
        '\r' => write!(out, "\\r"),
        _ if fits_plain(c) => write!(out, "{c}"),
        _ if code < 0x100 => write!(out, "\\x{code:02X}"),
        _ if code < 0x1_0000 => write!(out, "\\u{code:04X}"),
        _ => write!(out, "\\U{code:08X}"),
    };
    done.expect("invariant: writing to a string does not fail");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::yaml::{Value, parse};
    use crate::source::Source;

    fn read_back(yaml: &str) -> Value {
        let parsed = parse(&Source::lone("x", yaml));
        assert_eq!(parsed.problems, [], "{yaml}");
        let entry = parsed.tree.at(&["k"]).expect("the key");
        parsed.tree.node(entry.value).value.clone()
    }

    #[test]
    fn quoted_text_reads_back_as_itself() {
        for text in
            ["", "on", "a'b", "*:5432", "a\nb\u{85}\"\\", " x ", "0777", "\u{feff}", "\u{1F600}\u{7}", "%", "it: #"]
        {
            assert_eq!(read_back(&format!("k: {}\n", quote(text))), Value::Str(text.into()), "{text:?}");
        }
        for text in ["abc", "/var/lib", "10.0.0.1:5432", "1.2.3", "é", "a#b", "a:b", "host all all 0.0.0.0/0 md5"] {
            assert!(!needs_quotes(text), "{text:?}");
            assert_eq!(read_back(&format!("k: {text}\n")), Value::Str(text.into()), "{text:?}");
        }
    }
}
