//! Fills the placeholders of a rule's texts.

use crate::problem::Arg;

/// Replaces `{name}` by the value of that name; `{{` stands for `{` and `}}` for `}`. What stands in `[[ ]]` is left out when a name in it
/// has no value.
///
/// # Errors
/// The first name that has no value.
pub fn fill(text: &str, args: &[Arg]) -> Result<String, String> {
    let mut out = String::with_capacity(text.len() + 32);
    let mut rest = text;
    while let Some((before, (optional, after))) =
        rest.split_once("[[").and_then(|(before, behind)| behind.split_once("]]").map(|parts| (before, parts)))
    {
        out.push_str(&plain(before, args)?);
        out.push_str(&plain(optional, args).unwrap_or_default());
        rest = after;
    }
    out.push_str(&plain(rest, args)?);
    Ok(out)
}

/// A text without optional parts.
fn plain(text: &str, args: &[Arg]) -> Result<String, String> {
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

    #[test]
    fn an_optional_part_goes_with_its_value() {
        let with = [("near".into(), "b".to_owned())];
        assert_eq!(fill("no a[[; is it `{near}`?]] x", &with), Ok("no a; is it `b`? x".to_owned()));
        assert_eq!(fill("no a[[; is it `{near}`?]] x", &[]), Ok("no a x".to_owned()));
        assert_eq!(fill("[[{near}", &with), Ok("[[b".to_owned()));
    }
}
