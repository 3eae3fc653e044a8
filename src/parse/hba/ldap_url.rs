//! `ldapurl=`: what `ldap_url_parse` of `OpenLDAP` makes of it.

use super::options::{Refusal, Settings};

/// PostgreSQL hands the result of `ldap_url_parse` to `ldap_err2string`, which knows other numbers: these are the odd texts
/// that come out.
const BAD_SCHEME: &str = "Time limit exceeded";
const BAD_ENCLOSURE: &str = "Size limit exceeded";
const BAD_URL: &str = "Compare False";
const BAD_ATTRIBUTES: &str = "Authentication method not supported";
const BAD_SCOPE: &str = "Strong(er) authentication required";
const BAD_FILTER: &str = "Partial results and referral received";
const BAD_EXTENSIONS: &str = "Referral";

/// Takes a URL apart into the settings it stands for.
pub(crate) fn apply(url: &str, settings: &mut Settings) -> Result<(), Refusal> {
    let parsed = parse(url).map_err(|why| Refusal::new(format!("could not parse LDAP URL \"{url}\": {why}")))?;
    if parsed.scheme != "ldap" && parsed.scheme != "ldaps" {
        return Err(Refusal::new(format!("unsupported LDAP URL scheme: {}", parsed.scheme)));
    }
    let mut keep = |key: &'static str, value: Option<String>| {
        if let Some(value) = value {
            settings.ldap.insert(key, value);
        }
    };
    keep("scheme", Some(parsed.scheme));
    keep("server", parsed.host);
    keep("basedn", parsed.dn);
    keep("searchattribute", parsed.attribute);
    keep("searchfilter", parsed.filter);
    settings.ldap_port = parsed.port;
    settings.ldap_scope = parsed.scope;
    Ok(())
}

struct Url {
    scheme: String,
    host: Option<String>,
    port: i32,
    /// `None` without a slash behind the host.
    dn: Option<String>,
    attribute: Option<String>,
    scope: i32,
    filter: Option<String>,
}

/// `scheme://host:port/dn?attributes?scope?filter?extensions`; `<URL:…>` and a leading `URL:` are allowed around it.
fn parse(url: &str) -> Result<Url, &'static str> {
    let (bare, enclosed) = url.strip_prefix('<').map_or((url, false), |u| (u, true));
    let bare = if bare.get(..4).is_some_and(|p| p.eq_ignore_ascii_case("URL:")) { &bare[4..] } else { bare };
    let schemes = [("ldap://", 389), ("ldaps://", 636), ("ldapi://", 0), ("pldap://", 389), ("pldaps://", 636)];
    let (scheme, port) = schemes
        .into_iter()
        .find(|(s, _)| bare.get(..s.len()).is_some_and(|p| p.eq_ignore_ascii_case(s)))
        .ok_or(BAD_SCHEME)?;
    let rest = &bare[scheme.len()..];
    let rest = if enclosed { rest.strip_suffix('>').ok_or(BAD_ENCLOSURE)? } else { rest };
    let (authority, path) = rest.split_once('/').map_or((rest, None), |(a, p)| (a, Some(p)));
    // Without a slash, what follows a question mark is ignored.
    let authority = if path.is_none() { authority.split('?').next().unwrap_or(authority) } else { authority };
    let (host, given) = split_authority(authority).ok_or(BAD_URL)?;
    let has_dn = path.is_some();
    let path = path.unwrap_or("");
    let mut parts = path.split('?').map(|part| Some(part).filter(|p| !p.is_empty()));
    let mut next = || parts.next().flatten();
    let dn = unescape(next().unwrap_or("")).ok_or(BAD_URL)?;
    let attribute = match next() {
        None => None,
        Some(list) => Some(unescape(list.split(',').next().unwrap_or(list)).ok_or(BAD_ATTRIBUTES)?),
    };
    let scope = match next() {
        None => 0,
        Some(word) => unescape(word).as_deref().and_then(scope_number).ok_or(BAD_SCOPE)?,
    };
    let filter = match next() {
        None => None,
        Some(text) => Some(unescape(text).filter(|f| !f.is_empty()).ok_or(BAD_FILTER)?),
    };
    if path.split('?').count() > 5 {
        return Err(BAD_URL);
    }
    if path.split('?').nth(4).is_some_and(str::is_empty) {
        return Err(BAD_EXTENSIONS);
    }
    let scheme = scheme.trim_end_matches("://").to_owned();
    Ok(Url {
        scheme,
        host: Some(unescape(host).ok_or(BAD_URL)?),
        port: given.unwrap_or(port),
        dn: has_dn.then_some(dn),
        attribute,
        scope,
        filter,
    })
}

fn split_authority(authority: &str) -> Option<(&str, Option<i32>)> {
    if let Some(inner) = authority.strip_prefix('[') {
        let (host, behind) = inner.split_once(']')?;
        return match behind.strip_prefix(':') {
            None if behind.is_empty() => Some((host, None)),
            None => None,
            Some(port) => Some((host, Some(port_number(port)?))),
        };
    }
    match authority.split_once(':') {
        None => Some((authority, None)),
        Some((host, port)) => Some((host, Some(port_number(port)?))),
    }
}

fn port_number(text: &str) -> Option<i32> {
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

fn scope_number(word: &str) -> Option<i32> {
    let known =
        [("base", 0), ("one", 1), ("onelevel", 1), ("sub", 2), ("subtree", 2), ("subordinate", 3), ("children", 3)];
    known.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(word)).map(|(_, n)| n)
}

/// Percent escapes; a bad one is an error.
fn unescape(text: &str) -> Option<String> {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(b) = bytes.next() {
        if b == b'%' {
            let hex = [bytes.next()?, bytes.next()?];
            let hex = std::str::from_utf8(&hex).ok()?;
            out.push(u8::from_str_radix(hex, 16).ok()?);
        } else {
            out.push(b);
        }
    }
    Some(String::from_utf8_lossy(&out).into_owned())
}
