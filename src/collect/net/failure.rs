//! Why a conversation came to nothing.

use std::error::Error;
use std::io;

use rustls::AlertDescription;

use crate::bundle::Miss;
use crate::gap::GapReason;

/// What kind of failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A file that is needed to ask is not here.
    NotGiven,
    /// A file that is needed to ask cannot be read.
    Unreadable,
    /// The name has no address.
    NoName,
    /// Nothing listens there.
    Refused,
    /// The network does not lead there.
    Unreachable,
    /// There was no connection in time.
    TimedOut,
    /// There was a connection, and no complete answer in time.
    Silent,
    /// The certificate of the server is not trusted.
    Untrusted,
    /// The server wants another certificate of us, or any.
    Unwelcome,
    /// TLS does not come about.
    Tls,
    /// The connection was closed before there was an answer.
    Closed,
    /// What was answered is no answer of this protocol.
    Foreign,
    /// The answer is too large.
    TooLarge,
    /// The server says no.
    Denied,
    /// The server does not have what was asked for.
    TooOld,
}

/// Why a conversation came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What kind of failure it is.
    pub kind: Kind,
    /// What was said, without secrets.
    pub detail: String,
}

impl Failure {
    pub(in crate::collect) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }

    /// Of an error that stands at the end of a chain of others.
    pub(in crate::collect) fn of_chain(error: &(dyn Error + 'static)) -> Option<Self> {
        let mut here = Some(error);
        while let Some(error) = here {
            if let Some(error) = error.downcast_ref::<io::Error>() {
                return Some(Self::of_io(error));
            }
            here = error.source();
        }
        None
    }

    pub(in crate::collect) fn of_io(error: &io::Error) -> Self {
        if let Some(tls) = error.get_ref().and_then(|e| e.downcast_ref::<rustls::Error>()) {
            return Self::of_tls(tls);
        }
        match error.kind() {
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::ConnectionAborted => {
                Self::new(Kind::Closed, "the connection was closed before there was an answer")
            }
            _ => Self::new(Kind::Unreachable, super::plain(error)),
        }
    }

    fn of_tls(error: &rustls::Error) -> Self {
        use AlertDescription as Alert;
        match error {
            rustls::Error::InvalidCertificate(why) => {
                Self::new(Kind::Untrusted, format!("its certificate is not trusted: {why}"))
            }
            rustls::Error::AlertReceived(
                alert @ (Alert::CertificateRequired
                | Alert::BadCertificate
                | Alert::UnknownCA
                | Alert::CertificateUnknown
                | Alert::CertificateExpired
                | Alert::CertificateRevoked
                | Alert::UnsupportedCertificate
                | Alert::AccessDenied),
            ) => Self::new(Kind::Unwelcome, format!("it wants a certificate of its clients: alert {alert:?}")),
            rustls::Error::InvalidMessage(_) => Self::new(Kind::Tls, "what answers there does not speak TLS"),
            rustls::Error::General(why) if why.starts_with(super::tls::NO_ROOTS) => Self::new(Kind::Untrusted, why),
            _ => Self::new(Kind::Tls, format!("TLS does not come about: {error}")),
        }
    }
}

impl From<Failure> for Miss {
    fn from(failure: Failure) -> Self {
        let why = match failure.kind {
            Kind::NotGiven => GapReason::NotGiven,
            Kind::Unreadable | Kind::Foreign | Kind::TooLarge => GapReason::Unreadable,
            Kind::Refused => GapReason::Closed,
            Kind::NoName | Kind::Unreachable | Kind::Untrusted | Kind::Tls | Kind::Closed => GapReason::Unreachable,
            Kind::TimedOut | Kind::Silent => GapReason::TimedOut,
            Kind::Unwelcome | Kind::Denied => GapReason::Denied,
            Kind::TooOld => GapReason::TooOld,
        };
        Self { why, detail: failure.detail }
    }
}
