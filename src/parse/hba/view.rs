//! The file as the server's own view `pg_hba_file_rules` shows it (`src/backend/utils/adt/hbafuncs.c`), to compare what we
//! read with what a live server reads.

use super::address::{Address, show};
use super::kind::Method;
use super::options::Settings;
use super::{Hba, HbaRule, Unreadable};

/// One row of the view.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ViewRow {
    /// From 16 on: position among the lines without an error.
    pub rule_number: Option<u32>,
    /// From 16 on.
    pub file_name: String,
    /// First physical line.
    pub line_number: u32,
    /// `None` in all columns of a line with an error, except one that the server only warns of.
    pub kind: Option<String>,
    /// Without quotes.
    pub database: Option<Vec<String>>,
    /// Without quotes.
    pub user_name: Option<Vec<String>>,
    /// A keyword, a host name or an address.
    pub address: Option<String>,
    /// For an address.
    pub netmask: Option<String>,
    /// The method.
    pub auth_method: Option<String>,
    /// Only those the view knows; secrets in clear, as a superuser sees them, unless they are asked to be hidden.
    pub options: Option<Vec<String>>,
    /// The server's message; it is silent about some lines that it refuses.
    pub error: Option<String>,
}

/// The rows of the view. Secrets are replaced by `***` unless `reveal` is set.
#[must_use]
pub fn rows(hba: &Hba, reveal: bool) -> Vec<ViewRow> {
    let mut rows: Vec<(usize, ViewRow)> = hba.rules.iter().map(|r| (r.row, rule_row(r, reveal))).collect();
    rows.extend(hba.unreadable.iter().map(|u| (u.row, unreadable_row(u))));
    rows.sort_by_key(|(row, _)| *row);
    let mut number = 0;
    for (_, row) in &mut rows {
        if row.error.is_none() {
            number += 1;
            row.rule_number = Some(number);
        }
    }
    rows.into_iter().map(|(_, row)| row).collect()
}

fn unreadable_row(line: &Unreadable) -> ViewRow {
    ViewRow {
        file_name: line.file_name.to_string(),
        line_number: line.line,
        error: line.in_view.clone(),
        ..ViewRow::default()
    }
}

fn rule_row(rule: &HbaRule, reveal: bool) -> ViewRow {
    let names = |list: &[crate::source::Spanned<super::NameToken>]| {
        Some(list.iter().map(|n| n.value.text.to_string()).collect())
    };
    let (address, netmask) = match rule.address.as_ref().map(|a| &a.value) {
        None => (None, None),
        Some(Address::All) => (Some("all".to_owned()), None),
        Some(Address::SameHost) => (Some("samehost".to_owned()), None),
        Some(Address::SameNet) => (Some("samenet".to_owned()), None),
        Some(Address::HostName(name)) => (Some(name.clone()), None),
        Some(Address::Range { addr, mask }) => (Some(show(*addr)), Some(show(*mask))),
    };
    ViewRow {
        rule_number: None,
        file_name: rule.file_name.to_string(),
        line_number: rule.line,
        kind: Some(rule.kind.value.name().to_owned()),
        database: names(&rule.databases),
        user_name: names(&rule.users),
        address,
        netmask,
        auth_method: Some(rule.method.value.name().to_owned()),
        options: rule.settings.as_ref().map(|s| options(rule.method.value, s, reveal)).filter(|o| !o.is_empty()),
        error: rule.warning.clone(),
    }
}

/// `get_hba_options`, in its order.
fn options(method: Method, s: &Settings, reveal: bool) -> Vec<String> {
    let mut out = Vec::new();
    let mut say = |name: &str, value: Option<&str>| out.extend(value.map(|v| format!("{name}={v}")));
    say("include_realm", s.include_realm.then_some("true"));
    say("krb_realm", s.krb_realm.as_deref());
    say("map", s.map.as_deref());
    say("clientcert", s.clientcert.map(super::ClientCert::name));
    say("pamservice", s.pamservice.as_deref());
    if method == Method::Ldap {
        let plain = |key| s.ldap.get(key).map(String::as_str);
        say("ldapserver", plain("server"));
        say("ldapport", (s.ldap_port != 0).then(|| s.ldap_port.to_string()).as_deref());
        say("ldapscheme", plain("scheme"));
        say("ldaptls", s.ldap_tls.then_some("true"));
        for key in ["prefix", "suffix", "basedn", "binddn"] {
            say(&format!("ldap{key}"), plain(key));
        }
        say("ldapbindpasswd", s.ldap_password.as_ref().map(|p| if reveal { p.reveal() } else { "***" }));
        say("ldapsearchattribute", plain("searchattribute"));
        say("ldapsearchfilter", plain("searchfilter"));
        say("ldapscope", (s.ldap_scope != 0).then(|| s.ldap_scope.to_string()).as_deref());
    }
    if method == Method::Radius {
        let plain = |key| s.radius.get(key).map(|(value, _)| value.as_str());
        say("radiusservers", plain("servers"));
        say("radiussecrets", s.radius_secrets.as_ref().map(|(p, _)| if reveal { p.reveal() } else { "***" }));
        say("radiusidentifiers", plain("identifiers"));
        say("radiusports", plain("ports"));
    }
    say("issuer", s.oauth_issuer.as_deref());
    say("scope", s.oauth_scope.as_deref());
    say("validator", s.oauth_validator.as_deref());
    say("delegate_ident_mapping", s.oauth_delegates.then_some("true"));
    out
}
