//! Takes quotes and escapes off a value (`DeescapeQuotedString` in `guc-file.l`).

/// The bytes of a quoted token's value. `token` begins and ends with a quote.
pub(super) fn deescape(token: &[u8]) -> Vec<u8> {
    walk(token, |_| {})
}

/// For each byte of the value the position in the token where it is written.
pub(super) fn places(token: &[u8]) -> Vec<usize> {
    let mut places = Vec::with_capacity(token.len());
    let value = walk(token, |at| places.push(at));
    places.truncate(value.len());
    places
}

/// The value; says for each byte, some behind its end included, where it is written.
fn walk(token: &[u8], mut written_at: impl FnMut(usize)) -> Vec<u8> {
    // The server works on C strings: a NUL ends the token.
    let token = &token[..token.iter().position(|b| *b == 0).unwrap_or(token.len())];
    let mut value = Vec::with_capacity(token.len());
    let mut at = 1;
    while at < token.len() {
        written_at(at);
        let (byte, len) = match (token[at], token.get(at + 1).copied()) {
            (b'\\', Some(b'0'..=b'7')) => octal(&token[at + 1..]),
            (b'\\', next) => (escaped(next.unwrap_or(0)), 2),
            (b'\'', Some(b'\'')) => (b'\'', 2),
            (byte, _) => (byte, 1),
        };
        value.push(byte);
        at += len;
    }
    // The last byte is taken for the closing quote, whatever it is; and an escape may have written a NUL.
    value.pop();
    let end = value.iter().position(|b| *b == 0).unwrap_or(value.len());
    value.truncate(end);
    value
}

fn escaped(byte: u8) -> u8 {
    match byte {
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        other => other,
    }
}

/// Up to three octal digits; more than a byte holds is cut off, as a C `char` does.
fn octal(digits: &[u8]) -> (u8, usize) {
    let run = digits.iter().take(3).take_while(|b| (b'0'..=b'7').contains(b));
    let (n, count) = run.fold((0_u32, 0), |(n, count), b| (n * 8 + u32::from(b - b'0'), count + 1));
    ((n & 0xff).to_le_bytes()[0], 1 + count)
}
