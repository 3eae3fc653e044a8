//! Service files (`parseServiceFile` in `src/interfaces/libpq/fe-connect.c`).

use crate::knowledge::libpq;

/// libpq reads lines into a buffer of this size.
const LONGEST: usize = 1022;

/// The options of a service; `None` when the file does not have it. The first value of an option counts.
///
/// # Errors
/// What is wrong with a line, by its number, without any value. Lines behind the service are not read.
pub fn service(text: &str, name: &str) -> Result<Option<Vec<(String, String)>>, String> {
    let mut found: Option<Vec<(String, String)>> = None;
    for (n, raw) in text.split('\n').enumerate() {
        let n = n + 1;
        if raw.len() > LONGEST {
            return Err(format!("line {n} is too long"));
        }
        let line = raw.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\x0b');
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(group) = line.strip_prefix('[') {
            if found.is_some() {
                break;
            }
            if group.strip_prefix(name).is_some_and(|rest| rest.starts_with(']')) {
                found = Some(Vec::new());
            }
            continue;
        }
        let Some(pairs) = &mut found else { continue };
        if line.starts_with("ldap") {
            return Err(format!("line {n}: a service that is looked up with LDAP is not supported"));
        }
        let Some((keyword, value)) = line.split_once('=') else { return Err(format!("syntax error in line {n}")) };
        match keyword {
            "service" => return Err(format!("line {n}: a service cannot name another service")),
            _ if !libpq::is_option(keyword) || keyword == "requiressl" => {
                return Err(format!("line {n}: invalid connection option \"{keyword}\""));
            }
            _ if pairs.iter().any(|(k, _)| k == keyword) => {}
            _ => pairs.push((keyword.to_owned(), value.to_owned())),
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::service;

    #[test]
    fn a_group_is_read_to_its_end() {
        let text = "[a]\nhost=x\n\n  # c\n[b]x\n user=u \r\nuser=v\npassword= p =\n[c]\nnonsense\n";
        let want = [("user", "u"), ("password", " p =")].map(|(k, v)| (k.to_owned(), v.to_owned())).to_vec();
        assert_eq!(service(text, "b"), Ok(Some(want)));
        assert_eq!(service(text, "d"), Ok(None));
        assert_eq!(service(text, "c"), Err("syntax error in line 10".to_owned()));
        for bad in ["[a]\nhost = x", "[a]\nservice=b", "[a]\nldap://x", "[a]\nhostt=x"] {
            assert!(service(bad, "a").is_err(), "{bad}");
        }
    }
}
