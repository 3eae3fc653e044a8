//! Fills the placeholders of a rule's texts.

use crate::problem::Arg;

/// Replaces `{name}` by the value of that name; `{{` stands for `{` and `}}` for `}`.
///
/// # Errors
/// The first name that has no value.
pub fn fill(text: &str, args: &[Arg]) -> Result<String, String> {
    let mut out = String::with_capacity(text.len() + 32);
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        out.push_str(&rest[..at]);
        let brace = &rest[at..=at];
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix(brace) {
            out.push_str(brace);
            rest = after;
        } else if brace == "{" {
            let Some(close) = rest.find('}') else { return Err(rest.to_owned()) };
            let name = &rest[..close];
            let value = args.iter().rev().find(|(n, _)| *n == name).map(|(_, v)| v.as_str());
            out.push_str(value.ok_or_else(|| name.to_owned())?);
            rest = &rest[close + 1..];
        } else {
            out.push_str(brace);
        }
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::fill;

    #[test]
    fn fills_names_and_keeps_doubled_braces() {
        let args = [("slot".into(), "a".to_owned()), ("n".into(), "2".to_owned())];
        assert_eq!(fill("slot `{slot}` {{x}} {n}", &args), Ok("slot `a` {x} 2".to_owned()));
        assert_eq!(fill("{slot} {what}", &args), Err("what".to_owned()));
    }
}
