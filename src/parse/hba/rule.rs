//! One line of tokens read as a rule: `parse_hba_line` in `src/backend/libpq/hba.c`, check for check in its order.

use crate::parse::are::Are;
use crate::secret::Secret;
use crate::source::{Span, Spanned};

use super::address::{self, Address};
use super::kind::{ConnType, Method, nearest};
use super::options::{self, ClientCert, OptionReader, Refusal, Settings};
use super::server::Server;
use super::tokenize::{Token, TokenLine};
use super::{HbaOption, HbaRule, Meaning, NameToken, OptionValue, Perhaps};

/// Why a line is no rule.
pub(crate) struct Fault {
    pub(crate) at: Span,
    pub(crate) refusal: Refusal,
    pub(crate) note: Option<String>,
}

impl Fault {
    fn new(at: Span, message: impl Into<String>) -> Self {
        Self { at, refusal: Refusal::new(message), note: None }
    }

    fn with_note(mut self, note: Option<String>) -> Self {
        self.note = note;
        self
    }
}

/// What came of a line: a rule or a fault, and what the server warns of without refusing the line.
pub(crate) struct Outcome {
    pub(crate) rule: Result<HbaRule, Fault>,
    pub(crate) warning: Option<String>,
}

/// Reads a line that was tokenized without an error. With `hints` a fault says what was probably meant.
pub(crate) fn read(line: &TokenLine, server: &Server, hints: bool) -> Outcome {
    let mut reader = RuleReader { line, server, hints, next: 0, warning: None };
    let rule = reader.rule();
    Outcome { rule, warning: reader.warning }
}

/// Reads what is known of a line that a template fills in, behind so many rules; and what is wrong with it in any case.
pub(crate) fn read_part(line: &TokenLine, server: &Server, before: usize) -> (Perhaps, Option<Fault>) {
    let mut part =
        Perhaps { before, span: line.span, kind: None, databases: None, users: None, address: None, bits: None };
    let mut reader = RuleReader { line, server, hints: true, next: 0, warning: None };
    let fault = reader.part(&mut part).err();
    (part, fault)
}

struct RuleReader<'a> {
    line: &'a TokenLine,
    server: &'a Server,
    hints: bool,
    /// Index of the next field.
    next: usize,
    warning: Option<String>,
}

impl<'a> RuleReader<'a> {
    fn field(&mut self, missing: &str) -> Result<&'a [Token], Fault> {
        let Some(field) = self.line.fields.get(self.next) else {
            return Err(Fault::new(self.line.span.at_end(), format!("end-of-line before {missing}")));
        };
        self.next += 1;
        Ok(field)
    }

    fn only_one(field: &'a [Token], what: &str) -> Result<&'a Token, Fault> {
        match field {
            [one] => Ok(one),
            _ => Err(Fault::new(field[1].span, format!("multiple values specified for {what}"))),
        }
    }

    fn rule(&mut self) -> Result<HbaRule, Fault> {
        let kind = self.kind()?;
        let databases = self.names("database specification", true)?;
        let users = self.names("role specification", false)?;
        let address = if kind.value == ConnType::Local { None } else { Some(self.address()?) };
        let method = self.method(kind.value)?;
        let (options, settings) = self.options(kind.value, &method)?;
        Ok(HbaRule {
            line: self.line.number,
            file: self.line.span.source,
            file_name: self.line.file_name.clone(),
            span: self.line.span,
            kind,
            databases,
            users,
            address,
            method,
            options,
            settings,
            row: 0,
            warning: None,
            optional: false,
        })
    }

    /// The columns of a line that a template fills in here and there. A mistake in what is written out is one whatever stands in the
    /// other columns, as long as there are enough of them: a placeholder may stand for several.
    fn part(&mut self, part: &mut Perhaps) -> Result<(), Fault> {
        let known = |fields: &[Vec<Token>], n: usize| fields.get(n).is_some_and(|f| f.iter().all(|t| !t.unknown));
        let fields = &self.line.fields[..];
        if !known(fields, 0) {
            return Ok(());
        }
        let kind = self.kind()?.value;
        part.kind = Some(kind);
        let least = if kind == ConnType::Local { 4 } else { 5 };
        if fields.len() < least {
            return Ok(());
        }
        if known(fields, 1) {
            part.databases = Some(self.names("database specification", true)?);
        }
        self.next = 2;
        if known(fields, 2) {
            part.users = Some(self.names("role specification", false)?);
        }
        self.next = 3;
        if kind != ConnType::Local {
            if !known(fields, 3) {
                if let [address] = &fields[3][..] {
                    part.bits = address.text.rsplit_once('/').and_then(|(_, bits)| bits.parse().ok());
                }
                // An address may take one column or two, but what stands alone behind it is no mask.
                if let [_, _, _, _, method] = fields
                    && method.iter().all(|t| !t.unknown)
                {
                    self.next = 4;
                    self.method(kind)?;
                }
                return Ok(());
            }
            let has_mask = !fields[3][0].text.contains('/') && fields[3][0].text.parse::<std::net::IpAddr>().is_ok();
            if has_mask && !known(fields, 4) {
                return Ok(());
            }
            part.address = Some(self.address()?.value);
        }
        if !known(fields, self.next) {
            return Ok(());
        }
        let method = self.method(kind)?;
        if fields[self.next..].iter().flatten().all(|t| !t.unknown) {
            self.options(kind, &method)?;
        }
        Ok(())
    }

    fn kind(&mut self) -> Result<Spanned<ConnType>, Fault> {
        let token = Self::only_one(self.field("connection type")?, "connection type")?;
        let Some(kind) = ConnType::named(&token.text) else {
            let fault = Fault::new(token.span, format!("invalid connection type \"{}\"", token.text));
            return Err(fault.with_note(self.hints.then(|| kind_hint(&token.text, self.server)).flatten()));
        };
        if kind == ConnType::HostSsl && !self.server.has_ssl {
            self.warn("hostssl record cannot match because SSL is not supported by this build");
        } else if kind == ConnType::HostSsl && self.server.ssl == Some(false) {
            self.warn("hostssl record cannot match because SSL is disabled");
        } else if kind == ConnType::HostGssEnc && !self.server.has_gss {
            self.warn("hostgssenc record cannot match because GSSAPI is not supported by this build");
        }
        Ok(Spanned::new(kind, token.span))
    }

    fn warn(&mut self, text: &str) {
        self.warning = Some(text.to_owned());
    }

    fn names(&mut self, missing: &str, is_database: bool) -> Result<Box<[Spanned<NameToken>]>, Fault> {
        let field = self.field(missing)?;
        let mut names = Vec::with_capacity(field.len());
        for token in field {
            names.push(name_token(token, is_database, self.server)?);
        }
        Ok(names.into())
    }

    fn address(&mut self) -> Result<Spanned<Address>, Fault> {
        let token = Self::only_one(self.field("IP address specification")?, "host address")?;
        let special = match token.text.as_str() {
            "all" => Some(Address::All),
            "samehost" => Some(Address::SameHost),
            "samenet" => Some(Address::SameNet),
            _ => None,
        };
        if let Some(address) = special.filter(|_| !token.quoted) {
            return Ok(Spanned::new(address, token.span));
        }
        let interfaces = self.server.interfaces.as_deref();
        let (text, prefix) =
            token.text.split_once('/').map_or((token.text.as_str(), None), |(text, prefix)| (text, Some(prefix)));
        let value = match (address::numeric(text, interfaces), prefix) {
            (None, None) => Address::HostName(text.to_owned()),
            (None, Some(_)) => {
                let message = format!("specifying both host name and CIDR mask is invalid: \"{}\"", token.text);
                return Err(Fault::new(token.span, message));
            }
            (Some(addr), Some(prefix)) => match address::prefix_mask(prefix, addr) {
                Some(mask) => Address::Range { addr, mask },
                None => {
                    return Err(Fault::new(token.span, format!("invalid CIDR mask in address \"{}\"", token.text)));
                }
            },
            (Some(addr), None) => {
                let mask_token = Self::only_one(self.field("netmask specification")?, "netmask")?;
                let Some(mask) = address::numeric(&mask_token.text, interfaces) else {
                    let message = format!("invalid IP mask \"{}\": Name or service not known", mask_token.text);
                    return Err(Fault::new(mask_token.span, message));
                };
                if addr.is_ipv4() != mask.is_ipv4() {
                    return Err(Fault::new(mask_token.span, "IP address and mask do not match"));
                }
                return Ok(Spanned::new(Address::Range { addr, mask }, token.span));
            }
        };
        Ok(Spanned::new(value, token.span))
    }

    fn method(&mut self, kind: ConnType) -> Result<Spanned<Method>, Fault> {
        let token = Self::only_one(self.field("authentication method")?, "authentication type")?;
        let Some(mut method) = Method::named(&token.text, self.server.version) else {
            let fault = Fault::new(token.span, format!("invalid authentication method \"{}\"", token.text));
            return Err(fault.with_note(self.hints.then(|| method_hint(&token.text)).flatten()));
        };
        if !method.is_built_in(self.server) {
            let message = format!("invalid authentication method \"{}\": not supported by this build", token.text);
            return Err(Fault::new(token.span, message));
        }
        if kind == ConnType::Local && method == Method::Ident {
            method = Method::Peer;
        }
        let wrong = match method {
            Method::Gss if kind == ConnType::Local => "gssapi authentication is not supported on local sockets",
            Method::Peer if kind != ConnType::Local => "peer authentication is only supported on local sockets",
            Method::Cert if kind != ConnType::HostSsl => "cert authentication is only supported on hostssl connections",
            _ => return Ok(Spanned::new(method, token.span)),
        };
        Err(Fault::new(token.span, wrong))
    }

    fn options(
        &mut self,
        kind: ConnType,
        method: &Spanned<Method>,
    ) -> Result<(Vec<HbaOption>, Option<Box<Settings>>), Fault> {
        let mut reader = OptionReader::new(self.server, kind, method.value);
        let mut options = Vec::new();
        for token in self.line.fields[self.next..].iter().flatten() {
            let Some((name, value)) = token.text.split_once('=') else {
                let message = format!("authentication option not in name=value format: {}", token.text);
                return Err(Fault::new(token.span, message));
            };
            if let Err(refusal) = reader.set(name, value) {
                let known = options::NAMES.into_iter();
                let unknown = self.hints && refusal.message.starts_with("unrecognized");
                let note = unknown.then(|| nearest(name, known)).flatten();
                let note = note.filter(|n| *n != name).map(|n| format!("did you mean `{n}`?"));
                return Err(Fault { at: token.span, refusal, note });
            }
            let value = if options::SECRET.contains(&name) {
                OptionValue::Secret(Secret::new(value))
            } else {
                OptionValue::Plain(value.to_owned())
            };
            options.push(HbaOption { name: name.to_owned(), value, span: token.span });
        }
        let mut settings = reader.settings;
        self.combination(method, &mut settings)?;
        let plain = settings == Settings::default();
        Ok((options, (!plain).then(|| Box::new(settings))))
    }

    fn combination(&mut self, method: &Spanned<Method>, settings: &mut Settings) -> Result<(), Fault> {
        let checked = match method.value {
            Method::Ldap => check_ldap(settings, self.server.version),
            Method::Radius => check_radius(settings, self.server.version),
            Method::Cert => {
                settings.clientcert = Some(ClientCert::VerifyFull);
                Ok(())
            }
            Method::Oauth => {
                let checked = check_oauth(settings, self.server.oauth_validators.as_deref());
                if checked.validators_looked_at {
                    self.warning = None;
                }
                checked.result
            }
            _ => Ok(()),
        };
        checked.map_err(|refusal| Fault { at: method.span, refusal, note: None })
    }
}

fn name_token(token: &Token, is_database: bool, server: &Server) -> Result<Spanned<NameToken>, Fault> {
    let text = token.text.as_str();
    let meaning = if server.has_includes() && text.starts_with('/') {
        match Are::parse(&text[1..], server.version) {
            Ok(are) => Meaning::Regex(Box::new(are)),
            Err(why) => {
                let message = format!("invalid regular expression \"{}\": {why}", &text[1..]);
                return Err(Fault::new(token.span, message));
            }
        }
    } else if token.quoted {
        Meaning::Name
    } else {
        match (text, is_database) {
            ("all", _) => Meaning::All,
            ("sameuser", true) => Meaning::SameUser,
            ("samerole" | "samegroup", true) => Meaning::SameRole,
            ("replication", true) => Meaning::Replication,
            (_, false) if text.starts_with('+') => Meaning::MemberOf,
            _ => Meaning::Name,
        }
    };
    Ok(Spanned::new(NameToken { text: text.into(), quoted: token.quoted, meaning }, token.span))
}

fn kind_hint(word: &str, server: &Server) -> Option<String> {
    if matches!(word, "include" | "include_if_exists" | "include_dir") {
        let hint = if server.has_includes() { "it takes exactly one file or directory" } else { "" };
        let since = "`include` lines are understood from PostgreSQL 16 on";
        return Some(if hint.is_empty() { since.to_owned() } else { hint.to_owned() });
    }
    nearest(word, ConnType::ALL.into_iter().map(ConnType::name)).map(|n| format!("did you mean `{n}`?"))
}

fn method_hint(word: &str) -> Option<String> {
    if let Some(method) = Method::ALL.into_iter().find(|m| m.name() == word) {
        return Some(format!("`{word}` is understood from PostgreSQL {} on", method.since()));
    }
    match word.to_ascii_lowercase().as_str() {
        "scram" | "scram-sha256" | "scram_sha_256" | "sha-256" | "sha256" => {
            return Some("did you mean `scram-sha-256`?".to_owned());
        }
        _ => {}
    }
    nearest(word, Method::ALL.into_iter().map(Method::name)).map(|n| format!("did you mean `{n}`?"))
}

fn check_ldap(settings: &Settings, version: u16) -> Result<(), Refusal> {
    let has = |key| settings.ldap.contains_key(key);
    let searches = ["basedn", "binddn", "searchattribute", "searchfilter"];
    if has("prefix") || has("suffix") {
        if settings.ldap_password.is_some() || searches.into_iter().any(has) {
            return Err(Refusal::new(if version >= 18 {
                "cannot mix options for simple bind and search+bind modes"
            } else {
                "cannot use ldapbasedn, ldapbinddn, ldapbindpasswd, ldapsearchattribute, ldapsearchfilter, or ldapurl \
                 together with ldapprefix"
            }));
        }
    } else if !has("basedn") {
        return Err(Refusal::new(
            "authentication method \"ldap\" requires argument \"ldapbasedn\", \"ldapprefix\", or \"ldapsuffix\" to be \
             set",
        ));
    }
    if has("searchattribute") && has("searchfilter") {
        return Err(Refusal::new("cannot use ldapsearchattribute together with ldapsearchfilter"));
    }
    Ok(())
}

/// An empty list is the same as none: the server keeps both as a null pointer.
fn check_radius(settings: &Settings, version: u16) -> Result<(), Refusal> {
    let count = |key: &str| settings.radius.get(key).map_or(0, |(_, n)| *n);
    let servers = count("servers");
    let secrets = settings.radius_secrets.as_ref().map_or(0, |(_, n)| *n);
    for (name, n) in [("radiusservers", servers), ("radiussecrets", secrets)] {
        if n == 0 {
            return Err(Refusal::new(format!(
                "authentication method \"radius\" requires argument \"{name}\" to be set"
            )));
        }
    }
    let lists = [("secrets", secrets), ("ports", count("ports")), ("identifiers", count("identifiers"))];
    for (what, n) in lists {
        if n > 1 && n != servers {
            let message = format!(
                "the number of RADIUS {what} ({n}) must be 1 or the same as the number of RADIUS servers ({servers})"
            );
            let in_view = (version >= 14).then(|| message.clone());
            return Err(Refusal { message, in_view });
        }
    }
    Ok(())
}

struct OauthCheck {
    result: Result<(), Refusal>,
    /// The server forgets an earlier warning when it looks at the validators.
    validators_looked_at: bool,
}

/// `check_oauth_validator` in `src/backend/libpq/auth-oauth.c`, and the checks around it.
fn check_oauth(settings: &mut Settings, validators: Option<&str>) -> OauthCheck {
    let early = |result| OauthCheck { result, validators_looked_at: false };
    for (name, value) in [("scope", &settings.oauth_scope), ("issuer", &settings.oauth_issuer)] {
        if value.is_none() {
            let message = format!("authentication method \"oauth\" requires argument \"{name}\" to be set");
            return early(Err(Refusal::new(message)));
        }
    }
    let mut result = validators.map_or(Ok(()), |list| check_validators(settings, list));
    if result.is_ok() && settings.oauth_delegates && settings.map.is_some() {
        result = Err(Refusal::new("map cannot be used in combination with delegate_ident_mapping"));
    }
    OauthCheck { result, validators_looked_at: true }
}

fn check_validators(settings: &mut Settings, list: &str) -> Result<(), Refusal> {
    if list.is_empty() {
        return Err(Refusal::new("oauth_validator_libraries must be set for authentication method oauth"));
    }
    let libraries = options::split_guc_list(list, 18)
        .ok_or_else(|| Refusal::new("invalid list syntax in parameter \"oauth_validator_libraries\""))?;
    match (&settings.oauth_validator, libraries.as_slice()) {
        (None, [one]) => settings.oauth_validator = Some(one.clone()),
        (None, _) => {
            return Err(Refusal::new(
                "authentication method \"oauth\" requires argument \"validator\" to be set when \
                 oauth_validator_libraries contains multiple options",
            ));
        }
        (Some(named), _) if !libraries.contains(named) => {
            return Err(Refusal::new(format!("validator \"{named}\" is not permitted by oauth_validator_libraries")));
        }
        _ => {}
    }
    Ok(())
}
