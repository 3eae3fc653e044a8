//! Characters as PyYAML and Python see them: line breaks, `repr()`, decimal digits, white space.

/// How many bytes of line break stand at `at`; 0 when there is none.
///
/// `\r\n` and a lone `\r` are one break each: Python's text mode turns both into `\n` before PyYAML sees them.
#[inline]
pub(super) fn break_len(bytes: &[u8], at: usize) -> usize {
    match bytes.get(at) {
        Some(b'\n') => 1,
        Some(b'\r') => 1 + usize::from(bytes.get(at + 1) == Some(&b'\n')),
        Some(0xC2) if bytes.get(at + 1) == Some(&0x85) => 2,
        Some(0xE2) if bytes.get(at + 1) == Some(&0x80) && matches!(bytes.get(at + 2), Some(0xA8 | 0xA9)) => 3,
        _ => 0,
    }
}

/// What a break becomes in a scalar: `\n`, or U+2028 and U+2029 as they are (`Scanner.scan_line_break`).
pub(super) fn break_char(bytes: &[u8], at: usize) -> char {
    match (bytes.get(at), bytes.get(at + 2)) {
        (Some(0xE2), Some(0xA8)) => '\u{2028}',
        (Some(0xE2), _) => '\u{2029}',
        _ => '\n',
    }
}

/// Letters, digits, `-` and `_`: what anchors, handles and directive names are made of.
pub(super) const fn is_word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'-' || b == b'_'
}

/// What PyYAML takes in a tag, escapes included.
pub(super) fn is_uri(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"-;/?:@&=+$,_.!~*'()[]%".contains(&b)
}

/// Python's `repr()` of a string.
pub(super) fn repr(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for c in text.chars() {
        push_repr(&mut out, c, quote);
    }
    out.push(quote);
    out
}

fn push_repr(out: &mut String, c: char, quote: char) {
    use std::fmt::Write as _;
    let done = match c {
        '\\' => write!(out, "\\\\"),
        '\n' => write!(out, "\\n"),
        '\r' => write!(out, "\\r"),
        '\t' => write!(out, "\\t"),
        _ if c == quote => write!(out, "\\{c}"),
        ' '..='~' => write!(out, "{c}"),
        _ if is_printable(c) => write!(out, "{c}"),
        _ if (c as u32) < 0x100 => write!(out, "\\x{:02x}", c as u32),
        _ if (c as u32) < 0x1_0000 => write!(out, "\\u{:04x}", c as u32),
        _ => write!(out, "\\U{:08x}", c as u32),
    };
    done.expect("invariant: writing to a string does not fail");
}

/// Python's `str.isprintable` for one character, by the Unicode tables of Rust, which are some years newer than those of
/// Python 3.11.
fn is_printable(c: char) -> bool {
    // `escape_debug` of a string escapes what is not printable, and combining marks only in the first place.
    let mut text = String::with_capacity(8);
    text.push('a');
    text.push(c);
    text.escape_debug().count() == 2
}

/// `repr()` of the character at `at`; of NUL at the end of the text, as PyYAML marks it.
pub(super) fn repr_at(text: &str, at: usize) -> String {
    match text.get(at..).and_then(|rest| rest.chars().next()) {
        None => "'\\x00'".to_owned(),
        Some('\r') => "'\\n'".to_owned(),
        Some(c) => repr(c.encode_utf8(&mut [0; 4])),
    }
}

/// Zeros of the decimal digits outside ASCII (category Nd in Unicode 14, the version of Python 3.11); the nine that
/// follow each are 1 to 9.
const ZEROS: [u32; 65] = [
    0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66, 0x0DE6, 0x0E50,
    0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50,
    0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10, 0x1_04A0, 0x1_0D30, 0x1_1066, 0x1_10F0, 0x1_1136,
    0x1_11D0, 0x1_12F0, 0x1_1450, 0x1_14D0, 0x1_1650, 0x1_16C0, 0x1_1730, 0x1_18E0, 0x1_1950, 0x1_1C50, 0x1_1D50,
    0x1_1DA0, 0x1_6A60, 0x1_6AC0, 0x1_6B50, 0x1_D7CE, 0x1_D7D8, 0x1_D7E2, 0x1_D7EC, 0x1_D7F6, 0x1_E140, 0x1_E2F0,
    0x1_E950, 0x1_FBF0,
];

/// The value of a decimal digit of any script.
pub(super) fn digit(c: char) -> Option<u8> {
    if c.is_ascii() {
        return c.is_ascii_digit().then(|| c as u8 - b'0');
    }
    let code = c as u32;
    let zero = ZEROS.iter().rev().find(|zero| **zero <= code)?;
    u8::try_from(code - zero).ok().filter(|d| *d < 10)
}

/// Python's `str.isspace` for one character.
pub(super) fn is_py_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repr_quotes_and_escapes_as_python_does() {
        assert_eq!(repr("a'b"), "\"a'b\"");
        assert_eq!(repr("a'\"\n\u{a0}\u{feff}é\u{1F600}"), "'a\\'\"\\n\\xa0\\ufeffé\u{1F600}'");
    }

    #[test]
    fn digits_of_other_scripts_have_values() {
        assert_eq!((digit('7'), digit('\u{0663}'), digit('\u{1D7FF}'), digit('x')), (Some(7), Some(3), Some(9), None));
    }
}
