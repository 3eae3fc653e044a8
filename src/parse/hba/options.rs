//! The `name=value` part of a line: `parse_hba_auth_opt` and the checks at the end of `parse_hba_line`
//! (`src/backend/libpq/hba.c`).

use crate::secret::Secret;

use super::address;
use super::kind::{ConnType, Method};
use super::ldap_url;
use super::server::Server;

/// How far a client certificate is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientCert {
    /// It must be signed by a known authority.
    VerifyCa,
    /// And its name must be the role's, or map to it.
    VerifyFull,
}

impl ClientCert {
    /// As `pg_hba_file_rules` shows it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::VerifyCa => "verify-ca",
            Self::VerifyFull => "verify-full",
        }
    }
}

/// What the options of a line come to; a name given twice counts with its last value.
#[expect(clippy::struct_excessive_bools, reason = "one per option, as the server has them")]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// `map`.
    pub map: Option<String>,
    /// `clientcert`; `cert` implies one.
    pub clientcert: Option<ClientCert>,
    /// `clientname=DN`: the whole name of the certificate is compared, not its CN.
    pub clientname_dn: bool,
    /// `include_realm`; on for `gss` and `sspi` unless set otherwise.
    pub include_realm: bool,
    /// `krb_realm`.
    pub krb_realm: Option<String>,
    /// `pamservice`.
    pub pamservice: Option<String>,
    /// `ldap…`, by what follows those letters, for values that are no secret.
    pub ldap: std::collections::BTreeMap<&'static str, String>,
    /// `ldapport`, 0 when not set.
    pub ldap_port: i32,
    /// `ldaptls`.
    pub ldap_tls: bool,
    /// The scope, by the number that LDAP gives it.
    pub ldap_scope: i32,
    /// `ldapbindpasswd`.
    pub ldap_password: Option<Secret>,
    /// `radiusservers`, `radiusports`, `radiusidentifiers`, by what follows `radius`: the value and how many items.
    pub radius: std::collections::BTreeMap<&'static str, (String, usize)>,
    /// `radiussecrets` and how many items it has.
    pub radius_secrets: Option<(Secret, usize)>,
    /// `issuer`.
    pub oauth_issuer: Option<String>,
    /// `scope`.
    pub oauth_scope: Option<String>,
    /// `validator`.
    pub oauth_validator: Option<String>,
    /// `delegate_ident_mapping`.
    pub oauth_delegates: bool,
}

/// Why an option or a combination is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// What the server logs.
    pub(crate) message: String,
    /// What `pg_hba_file_rules` shows as the error, if it does; several refusals are only logged.
    pub(crate) in_view: Option<String>,
}

impl Refusal {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        let message = message.into();
        Self { in_view: Some(message.clone()), message }
    }

    fn logged_only(message: String) -> Self {
        Self { message, in_view: None }
    }
}

/// The names of options that hold a secret.
pub(crate) const SECRET: [&str; 2] = ["ldapbindpasswd", "radiussecrets"];

/// Every option name of any version, for suggestions.
pub(crate) const NAMES: [&str; 29] = [
    "map",
    "clientcert",
    "clientname",
    "pamservice",
    "pam_use_hostname",
    "ldapurl",
    "ldaptls",
    "ldapscheme",
    "ldapserver",
    "ldapport",
    "ldapbinddn",
    "ldapbindpasswd",
    "ldapsearchattribute",
    "ldapsearchfilter",
    "ldapbasedn",
    "ldapprefix",
    "ldapsuffix",
    "krb_realm",
    "include_realm",
    "compat_realm",
    "upn_username",
    "radiusservers",
    "radiusports",
    "radiussecrets",
    "radiusidentifiers",
    "issuer",
    "scope",
    "validator",
    "delegate_ident_mapping",
];

/// Reads the options of one line into a [`Settings`].
pub(crate) struct OptionReader<'a> {
    pub(crate) server: &'a Server,
    pub(crate) kind: ConnType,
    pub(crate) method: Method,
    pub(crate) settings: Settings,
}

impl<'a> OptionReader<'a> {
    pub(crate) fn new(server: &'a Server, kind: ConnType, method: Method) -> Self {
        let settings = Settings { include_realm: matches!(method, Method::Gss | Method::Sspi), ..Settings::default() };
        Self { server, kind, method, settings }
    }

    fn only_for(&self, name: &str, methods: &[Method], listed: &str) -> Result<(), Refusal> {
        if methods.contains(&self.method) {
            return Ok(());
        }
        Err(Refusal::new(format!("authentication option \"{name}\" is only valid for authentication methods {listed}")))
    }

    /// One option.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> Result<(), Refusal> {
        self.settings.ldap_scope = 2;
        match name {
            "map" => self.set_map(value),
            "clientcert" => self.set_clientcert(value),
            "clientname" if self.server.version >= 14 => self.set_clientname(value),
            "pamservice" => {
                self.only_for(name, &[Method::Pam], "pam")?;
                self.settings.pamservice = Some(value.to_owned());
                Ok(())
            }
            "pam_use_hostname" => self.only_for(name, &[Method::Pam], "pam"),
            "krb_realm" => {
                self.only_for(name, &[Method::Gss, Method::Sspi], "gssapi and sspi")?;
                self.settings.krb_realm = Some(value.to_owned());
                Ok(())
            }
            "include_realm" => {
                self.only_for(name, &[Method::Gss, Method::Sspi], "gssapi and sspi")?;
                self.settings.include_realm = value == "1";
                Ok(())
            }
            "compat_realm" | "upn_username" => self.only_for(name, &[Method::Sspi], "sspi"),
            "issuer" | "scope" | "validator" | "delegate_ident_mapping" if self.server.version >= 18 => {
                self.set_oauth(name, value)
            }
            _ if name.starts_with("ldap") => self.set_ldap(name, value),
            _ if name.starts_with("radius") => self.set_radius(name, value),
            _ => Err(unrecognized(name)),
        }
    }

    fn set_map(&mut self, value: &str) -> Result<(), Refusal> {
        let mut methods = vec![Method::Ident, Method::Peer, Method::Gss, Method::Sspi, Method::Cert];
        let mut listed = "ident, peer, gssapi, sspi, and cert";
        if self.server.version >= 18 {
            methods.push(Method::Oauth);
            listed = "ident, peer, gssapi, sspi, cert, and oauth";
        }
        self.only_for("map", &methods, listed)?;
        self.settings.map = Some(value.to_owned());
        Ok(())
    }

    fn set_clientcert(&mut self, value: &str) -> Result<(), Refusal> {
        if self.kind != ConnType::HostSsl {
            return Err(Refusal::new("clientcert can only be configured for \"hostssl\" rows"));
        }
        let old = self.server.version == 13;
        self.settings.clientcert = match value {
            "verify-full" => Some(ClientCert::VerifyFull),
            "verify-ca" if self.method == Method::Cert && !old => {
                return Err(Refusal {
                    message: "clientcert only accepts \"verify-full\" when using \"cert\" authentication".to_owned(),
                    in_view: Some(
                        "clientcert can only be set to \"verify-full\" when using \"cert\" authentication".to_owned(),
                    ),
                });
            }
            "verify-ca" => Some(ClientCert::VerifyCa),
            "1" if old => Some(ClientCert::VerifyCa),
            "0" | "no-verify" if old && self.method == Method::Cert => {
                return Err(Refusal::new(
                    "clientcert cannot be set to \"no-verify\" when using \"cert\" authentication",
                ));
            }
            "0" | "no-verify" if old => None,
            _ => return Err(Refusal::logged_only(format!("invalid value for clientcert: \"{value}\""))),
        };
        Ok(())
    }

    fn set_clientname(&mut self, value: &str) -> Result<(), Refusal> {
        if self.kind != ConnType::HostSsl {
            return Err(Refusal::new("clientname can only be configured for \"hostssl\" rows"));
        }
        self.settings.clientname_dn = match value {
            "CN" => false,
            "DN" => true,
            _ => return Err(Refusal::logged_only(format!("invalid value for clientname: \"{value}\""))),
        };
        Ok(())
    }

    fn set_ldap(&mut self, name: &str, value: &str) -> Result<(), Refusal> {
        const PLAIN: [&str; 8] =
            ["scheme", "server", "binddn", "searchattribute", "searchfilter", "basedn", "prefix", "suffix"];
        let short = &name["ldap".len()..];
        let plain = PLAIN.iter().find(|p| **p == short);
        if plain.is_none() && !["url", "tls", "port", "bindpasswd"].contains(&short) {
            return Err(unrecognized(name));
        }
        self.only_for(name, &[Method::Ldap], "ldap")?;
        match (plain, short) {
            (Some(key), _) => {
                self.settings.ldap.insert(key, value.to_owned());
            }
            (None, "url") => ldap_url::apply(value, &mut self.settings)?,
            (None, "tls") => self.settings.ldap_tls = value == "1",
            (None, "port") => {
                self.settings.ldap_port = atoi(value);
                if self.settings.ldap_port == 0 {
                    return Err(Refusal::new(format!("invalid LDAP port number: \"{value}\"")));
                }
            }
            (None, _) => self.settings.ldap_password = Some(Secret::new(value)),
        }
        Ok(())
    }

    fn set_radius(&mut self, name: &str, value: &str) -> Result<(), Refusal> {
        let (key, word) = match name {
            "radiusservers" => ("servers", "server"),
            "radiusports" => ("ports", "port"),
            "radiussecrets" => ("secrets", "secret"),
            "radiusidentifiers" => ("identifiers", "identifiers"),
            _ => return Err(unrecognized(name)),
        };
        self.only_for(name, &[Method::Radius], "radius")?;
        let shown = if key == "secrets" { "***" } else { value };
        let Some(items) = split_guc_list(value, self.server.version) else {
            return Err(Refusal {
                message: format!("could not parse RADIUS {word} list \"{shown}\""),
                in_view: (key == "ports").then(|| format!("invalid RADIUS port number: \"{value}\"")),
            });
        };
        if key == "servers"
            && let Some(unknown) = items.iter().find(|name| !self.resolves(name))
        {
            return Err(Refusal::logged_only(format!(
                "could not translate RADIUS server name \"{unknown}\" to address: Name or service not known"
            )));
        }
        if key == "ports" && items.iter().any(|p| atoi(p) == 0) {
            return Err(Refusal::logged_only(format!("invalid RADIUS port number: \"{value}\"")));
        }
        if key == "secrets" {
            self.settings.radius_secrets = Some((Secret::new(value), items.len()));
        } else {
            self.settings.radius.insert(key, (value.to_owned(), items.len()));
        }
        Ok(())
    }

    fn resolves(&self, name: &str) -> bool {
        address::numeric(name, self.server.interfaces.as_deref()).is_some()
            || self.server.resolvable.as_ref().is_none_or(|known| known.iter().any(|k| k == name))
    }

    fn set_oauth(&mut self, name: &str, value: &str) -> Result<(), Refusal> {
        self.only_for(name, &[Method::Oauth], "oauth")?;
        let value = value.to_owned();
        match name {
            "issuer" => self.settings.oauth_issuer = Some(value),
            "scope" => self.settings.oauth_scope = Some(value),
            "validator" => self.settings.oauth_validator = Some(value),
            _ => self.settings.oauth_delegates = value == "1",
        }
        Ok(())
    }
}

pub(crate) fn unrecognized(name: &str) -> Refusal {
    Refusal::new(format!("unrecognized authentication option name: \"{name}\""))
}

/// `atoi` of C, with `int` of 32 bits; what does not fit wraps as `strtol` cut to `int` does on 64-bit machines.
fn atoi(text: &str) -> i32 {
    let text = text.trim_start_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
    let (negative, digits) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let limit = if negative { i128::from(i64::MAX) + 1 } else { i128::from(i64::MAX) };
    let mut n = 0_i128;
    for b in digits.bytes().take_while(u8::is_ascii_digit) {
        n = (n * 10 + i128::from(b - b'0')).min(limit);
    }
    let n = if negative { -n } else { n };
    let low = u32::try_from(n & 0xffff_ffff).unwrap_or(0);
    i32::from_ne_bytes(low.to_ne_bytes())
}

/// `SplitGUCList` with commas (`src/backend/utils/adt/varlena.c`): `None` when an item is empty or a quote open. A vertical tab is
/// white space from 16 on (`scanner_isspace`).
pub(crate) fn split_guc_list(text: &str, version: u16) -> Option<Vec<String>> {
    let space = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0c') || c == '\x0b' && version >= 16;
    let mut rest = text.trim_start_matches(space);
    let mut items = Vec::new();
    if rest.is_empty() {
        return Some(items);
    }
    loop {
        if let Some(mut quoted) = rest.strip_prefix('"') {
            let mut item = String::new();
            loop {
                let end = quoted.find('"')?;
                item.push_str(&quoted[..end]);
                quoted = &quoted[end + 1..];
                match quoted.strip_prefix('"') {
                    Some(more) => {
                        item.push('"');
                        quoted = more;
                    }
                    None => break,
                }
            }
            items.push(item);
            rest = quoted;
        } else {
            let end = rest.find(|c| c == ',' || space(c)).unwrap_or(rest.len());
            if end == 0 {
                return None;
            }
            items.push(rest[..end].to_owned());
            rest = &rest[end..];
        }
        rest = rest.trim_start_matches(space);
        if rest.is_empty() {
            return Some(items);
        }
        rest = rest.strip_prefix(',')?.trim_start_matches(space);
    }
}

#[cfg(test)]
mod tests {
    use super::{atoi, split_guc_list};

    #[test]
    fn numbers_are_read_as_c_reads_them() {
        assert_eq!((atoi(" +12x"), atoi("-3"), atoi("x"), atoi("4294967296")), (12, -3, 0, 0));
        assert_eq!(atoi("99999999999999999999"), -1);
    }

    #[test]
    fn lists_refuse_empty_items() {
        assert_eq!(split_guc_list(" a , \"b,\"\"c\" ", 18).map(|l| l.join("|")).as_deref(), Some("a|b,\"c"));
        assert_eq!(split_guc_list(" ", 18).map(|l| l.len()), Some(0));
        assert!(["a,,b", "a,", "\"a", "a b"].iter().all(|t| split_guc_list(t, 18).is_none()));
    }
}
