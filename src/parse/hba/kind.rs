//! The closed word lists of a line: connection types and authentication methods.

use super::server::Server;

/// Which connections a line speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConnType {
    /// Unix socket.
    Local,
    /// TCP, encrypted or not.
    Host,
    /// TCP with TLS.
    HostSsl,
    /// TCP without TLS.
    HostNoSsl,
    /// TCP with GSSAPI encryption.
    HostGssEnc,
    /// TCP without GSSAPI encryption.
    HostNoGssEnc,
}

impl ConnType {
    /// Every type.
    pub const ALL: [Self; 6] =
        [Self::Local, Self::Host, Self::HostSsl, Self::HostNoSsl, Self::HostGssEnc, Self::HostNoGssEnc];

    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Host => "host",
            Self::HostSsl => "hostssl",
            Self::HostNoSsl => "hostnossl",
            Self::HostGssEnc => "hostgssenc",
            Self::HostNoGssEnc => "hostnogssenc",
        }
    }

    pub(crate) fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.name() == word)
    }
}

/// How a client has to prove who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// Let in.
    Trust,
    /// Turn away.
    Reject,
    /// MD5 or, when the stored password is a SCRAM secret, SCRAM.
    Md5,
    /// Clear text.
    Password,
    /// SCRAM.
    Scram,
    /// GSSAPI.
    Gss,
    /// SSPI.
    Sspi,
    /// The client's operating system user as the socket tells it.
    Peer,
    /// The client's operating system user as its ident server tells it.
    Ident,
    /// PAM.
    Pam,
    /// BSD authentication.
    Bsd,
    /// LDAP.
    Ldap,
    /// RADIUS.
    Radius,
    /// TLS client certificate.
    Cert,
    /// OAuth, from 18 on.
    Oauth,
}

impl Method {
    /// Every method of any version.
    pub const ALL: [Self; 15] = [
        Self::Trust,
        Self::Reject,
        Self::Md5,
        Self::Password,
        Self::Scram,
        Self::Gss,
        Self::Sspi,
        Self::Peer,
        Self::Ident,
        Self::Pam,
        Self::Bsd,
        Self::Ldap,
        Self::Radius,
        Self::Cert,
        Self::Oauth,
    ];

    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Trust => "trust",
            Self::Reject => "reject",
            Self::Md5 => "md5",
            Self::Password => "password",
            Self::Scram => "scram-sha-256",
            Self::Gss => "gss",
            Self::Sspi => "sspi",
            Self::Peer => "peer",
            Self::Ident => "ident",
            Self::Pam => "pam",
            Self::Bsd => "bsd",
            Self::Ldap => "ldap",
            Self::Radius => "radius",
            Self::Cert => "cert",
            Self::Oauth => "oauth",
        }
    }

    /// The first version that knows it, of those that are modelled.
    #[must_use]
    pub const fn since(self) -> u16 {
        match self {
            Self::Oauth => 18,
            _ => 13,
        }
    }

    pub(crate) fn named(word: &str, version: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|m| m.name() == word && m.since() <= version)
    }

    /// Whether the server was built with it.
    pub(crate) const fn is_built_in(self, server: &Server) -> bool {
        match self {
            Self::Gss => server.has_gss,
            Self::Sspi => server.has_sspi,
            Self::Pam => server.has_pam,
            Self::Bsd => server.has_bsd,
            Self::Ldap => server.has_ldap,
            Self::Cert => server.has_ssl,
            _ => true,
        }
    }
}

/// The word of a list that a typing error probably meant.
pub(crate) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > 40 {
        return None;
    }
    let lower = word.to_ascii_lowercase();
    known
        .map(|k| (strsim::damerau_levenshtein(&lower, k), k))
        .filter(|(distance, k)| *distance <= 1.max(k.len() / 3))
        .min()
        .map(|(_, k)| k)
}
