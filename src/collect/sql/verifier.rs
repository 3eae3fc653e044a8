//! Decides about the server's certificate as libpq with OpenSSL does, where rustls is stricter than what people have: version 1
//! certificates, a self-signed one that is its own root, and a name that stands only in the common name.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::certificate;

/// See the module's text.
#[derive(Debug)]
pub(super) struct Verifier {
    algorithms: WebPkiSupportedAlgorithms,
    chain: Option<Chain>,
}

#[derive(Debug)]
struct Chain {
    roots: Vec<CertificateDer<'static>>,
    web_pki: Arc<WebPkiServerVerifier>,
    has_revocation_lists: bool,
    /// The name that the certificate must be for.
    host: Option<String>,
}

impl Verifier {
    /// Accepts each certificate.
    pub(super) fn nothing(provider: &CryptoProvider) -> Self {
        Self { algorithms: provider.signature_verification_algorithms, chain: None }
    }

    /// Accepts certificates from these roots, for this host.
    pub(super) fn new(
        roots: Vec<CertificateDer<'static>>,
        revoked: Vec<CertificateRevocationListDer<'static>>,
        host: Option<&str>,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, String> {
        let mut store = RootCertStore::empty();
        let (usable, _) = store.add_parsable_certificates(roots.iter().cloned());
        if usable == 0 {
            return Err("no root certificate can be used".to_owned());
        }
        let has_revocation_lists = !revoked.is_empty();
        let web_pki = WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(provider))
            .with_crls(revoked)
            .build()
            .map_err(|e| format!("the root certificates or revocation lists cannot be used: {e}"))?;
        let chain = Chain { roots, web_pki, has_revocation_lists, host: host.map(str::to_owned) };
        Ok(Self { algorithms: provider.signature_verification_algorithms, chain: Some(chain) })
    }

    fn signature(
        &self,
        checked: Result<HandshakeSignatureValid, Error>,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        match checked {
            Err(e) if self.chain.is_none() || is_kind(&e, "UnsupportedCertVersion") => {
                if self.chain.is_none()
                    || certificate::signs(cert, message, dss.scheme, dss.signature(), &self.algorithms)
                {
                    Ok(HandshakeSignatureValid::assertion())
                } else {
                    Err(e)
                }
            }
            other => other,
        }
    }
}

/// Whether an error is one that rustls has no variant for.
fn is_kind(error: &Error, name: &str) -> bool {
    matches!(error, Error::InvalidCertificate(CertificateError::Other(e)) if format!("{e:?}").contains(name))
}

impl Chain {
    fn check(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
        algorithms: &WebPkiSupportedAlgorithms,
    ) -> Result<(), String> {
        // The chain is verified before the name, which is compared below as libpq does it.
        let name = ServerName::try_from("postgresql.invalid").map_err(|e| e.to_string())?;
        let verified = self.web_pki.verify_server_cert(leaf, others, &name, &[], now);
        let error = match verified {
            Ok(_)
            | Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => None,
            Err(e) => Some(e),
        };
        let Some(error) = error else { return self.check_name(leaf) };
        let lenient = ["UnsupportedCertVersion", "CaUsedAsEndEntity"].into_iter().any(|k| is_kind(&error, k));
        if lenient && !self.has_revocation_lists {
            certificate::is_trusted(leaf, &self.roots, now.as_secs(), algorithms)?;
            return self.check_name(leaf);
        }
        Err(words(&error))
    }

    fn check_name(&self, leaf: &CertificateDer<'_>) -> Result<(), String> {
        self.host.as_ref().map_or(Ok(()), |host| certificate::is_for(leaf, host))
    }
}

/// What is wrong with a certificate, for a DBA.
fn words(error: &Error) -> String {
    let Error::InvalidCertificate(why) = error else { return error.to_string() };
    match why {
        CertificateError::UnknownIssuer => {
            "the server's certificate was not issued by a root certificate that is trusted here (sslrootcert)"
                .to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the server's certificate has expired".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the server's certificate is not valid yet; is a clock wrong?".to_owned()
        }
        CertificateError::Revoked => "the server's certificate is revoked (sslcrl)".to_owned(),
        CertificateError::UnknownRevocationStatus => {
            "no revocation list speaks of the issuer of the server's certificate (sslcrl, sslcrldir)".to_owned()
        }
        CertificateError::ExpiredRevocationList | CertificateError::ExpiredRevocationListContext { .. } => {
            "the revocation list has expired (sslcrl, sslcrldir)".to_owned()
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "the server's certificate is not for servers (extended key usage)".to_owned()
        }
        CertificateError::BadSignature => "the signature of the server's certificate is wrong".to_owned(),
        other => format!("the server's certificate cannot be accepted: {other}"),
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Some(chain) = &self.chain {
            chain.check(end_entity, intermediates, now, &self.algorithms).map_err(Error::General)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signature(verify_tls12_signature(message, cert, dss, &self.algorithms), message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signature(verify_tls13_signature(message, cert, dss, &self.algorithms), message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
