//! TLS as Patroni's clients speak it, from files that its configuration names.

use std::fs;
use std::io;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio_rustls::TlsConnector;

use super::{Failure, Kind};

/// The beginning of what is said when nothing is there to trust.
pub(super) const NO_ROOTS: &str = "its certificate cannot be checked";

/// How much of a server's certificate is checked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verify {
    /// Who signed it, how old it is, and that it is for this name.
    #[default]
    Full,
    /// The same, for any name.
    NoName,
    /// Nothing.
    Off,
}

/// The files for TLS.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tls {
    /// Certificates of those who may sign; those of this machine when there is none.
    pub ca: Option<String>,
    /// Our own certificate, for servers that ask for one.
    pub cert: Option<String>,
    /// Its key, when it is not in the same file.
    pub key: Option<String>,
    /// How much of the server's certificate is checked.
    pub verify: Verify,
}

impl Tls {
    /// Reads the files.
    pub(in crate::collect) fn connector(&self) -> Result<TlsConnector, Failure> {
        let provider = Arc::new(ring::default_provider());
        let verifier = Arc::new(Verifier::new(self, &provider)?);
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| Failure::new(Kind::Tls, e.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let config = match &self.cert {
            None => builder.with_no_client_auth(),
            Some(cert) => {
                let chain = certificates(cert)?;
                let path = self.key.as_ref().unwrap_or(cert);
                let key = key(path)?;
                let wrong = |e: Error| Failure::new(Kind::Unreadable, format!("{cert} and {path}: {e}"));
                builder.with_client_auth_cert(chain, key).map_err(wrong)?
            }
        };
        Ok(TlsConnector::from(Arc::new(config)))
    }
}

fn read(path: &str) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| {
        let kind = match error.kind() {
            io::ErrorKind::NotFound => Kind::NotGiven,
            io::ErrorKind::PermissionDenied => Kind::Denied,
            _ => Kind::Unreadable,
        };
        Failure::new(kind, format!("{path}, which is needed to ask: {}", super::plain(&error)))
    })
}

fn certificates(path: &str) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let text = read(path)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(Failure::new(Kind::Unreadable, format!("{path} holds no certificate that can be read"))),
    }
}

fn key(path: &str) -> Result<PrivateKeyDer<'static>, Failure> {
    let text = read(path)?;
    if text.windows(9).any(|w| w == b"ENCRYPTED") {
        let words = format!("the key in {path} is encrypted, and encrypted keys cannot be read here");
        return Err(Failure::new(Kind::Unreadable, words));
    }
    PrivateKeyDer::from_pem_slice(&text)
        .map_err(|_| Failure::new(Kind::Unreadable, format!("{path} holds no key that can be read")))
}

/// Checks as OpenSSL does where rustls is stricter: a certificate that was handed to us as trusted may be the server's own.
#[derive(Debug)]
struct Verifier {
    verify: Verify,
    chain: Option<Arc<WebPkiServerVerifier>>,
    trusted: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    fn new(tls: &Tls, provider: &Arc<CryptoProvider>) -> Result<Self, Failure> {
        let trusted = match &tls.ca {
            _ if tls.verify == Verify::Off => Vec::new(),
            Some(path) => certificates(path)?,
            None => rustls_native_certs::load_native_certs().certs,
        };
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(trusted.iter().cloned());
        let chain = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider)).build().ok();
        Ok(Self { verify: tls.verify, chain, trusted, provider: Arc::clone(provider) })
    }
}

fn is_name(error: &Error) -> bool {
    use CertificateError::{NotValidForName, NotValidForNameContext};
    matches!(error, Error::InvalidCertificate(NotValidForName | NotValidForNameContext { .. }))
}

/// `openssl req -x509` makes certificates that may sign others, which rustls does not take from a server.
fn is_signer(error: &Error) -> bool {
    matches!(error, Error::InvalidCertificate(CertificateError::Other(why)) if format!("{why:?}").contains("CaUsedAsEndEntity"))
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.verify == Verify::Off {
            return Ok(ServerCertVerified::assertion());
        }
        let Some(chain) = &self.chain else {
            return Err(Error::General(format!("{NO_ROOTS}: there is no certificate of a signer here")));
        };
        let result = chain.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match result {
            Err(error) if is_name(&error) && self.verify == Verify::NoName => Ok(ServerCertVerified::assertion()),
            Err(error) if is_signer(&error) && self.trusted.iter().any(|t| t == end_entity) => {
                if self.verify == Verify::Full {
                    verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                }
                Ok(ServerCertVerified::assertion())
            }
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if self.verify == Verify::Off {
            return Ok(HandshakeSignatureValid::assertion());
        }
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if self.verify == Verify::Off {
            return Ok(HandshakeSignatureValid::assertion());
        }
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
