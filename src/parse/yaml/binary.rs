//! `!!binary`: Python's `base64.decodebytes`, which passes over what is no base64.

use super::scalar::PyError;

/// The bytes that a text encodes.
pub(super) fn decode(text: &str) -> Result<Vec<u8>, PyError> {
    if let Some(problem) = no_ascii(text) {
        let problem = format!("failed to convert base64 data into ascii: {problem}");
        return Err(PyError::new("ConstructorError", problem));
    }
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut place, mut held, mut padding) = (0, 0_u8, 0);
    for b in text.bytes() {
        if b == b'=' {
            padding += 1;
            if place >= 2 && place + padding >= 4 {
                return Ok(out);
            }
            continue;
        }
        let Some(six) = value(b) else { continue };
        padding = 0;
        match place {
            0 => held = six,
            1 => {
                out.push(held << 2 | six >> 4);
                held = six & 15;
            }
            2 => {
                out.push(held << 4 | six >> 2);
                held = six & 3;
            }
            _ => out.push(held << 6 | six),
        }
        place = (place + 1) % 4;
    }
    let problem = match place {
        0 => return Ok(out),
        1 => format!(
            "Invalid base64-encoded string: number of data characters ({}) cannot be 1 more than a multiple of 4",
            out.len() / 3 * 4 + 1
        ),
        _ => "Incorrect padding".to_owned(),
    };
    Err(PyError::new("ConstructorError", format!("failed to decode base64 data: {problem}")))
}

fn value(b: u8) -> Option<u8> {
    match b {
        b'A'..=b'Z' => Some(b - b'A'),
        b'a'..=b'z' => Some(b - b'a' + 26),
        b'0'..=b'9' => Some(b - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

/// Python's words for the first run of characters outside ASCII.
fn no_ascii(text: &str) -> Option<String> {
    let first = text.chars().position(|c| !c.is_ascii())?;
    let run: Vec<char> = text.chars().skip(first).take_while(|c| !c.is_ascii()).collect();
    Some(if let [c] = run[..] {
        let code = c as u32;
        let escape = match code {
            0..0x100 => format!("\\x{code:02x}"),
            0x100..0x1_0000 => format!("\\u{code:04x}"),
            _ => format!("\\U{code:08x}"),
        };
        format!("'ascii' codec can't encode character '{escape}' in position {first}: ordinal not in range(128)")
    } else {
        let last = first + run.len() - 1;
        format!("'ascii' codec can't encode characters in position {first}-{last}: ordinal not in range(128)")
    })
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn padding_ends_the_data_and_noise_is_passed_over() {
        assert_eq!(decode("Y Q=\n=, YQ").expect("one byte"), b"a");
        assert!(decode("YQ").expect_err("no padding").problem.ends_with("Incorrect padding"));
    }
}
