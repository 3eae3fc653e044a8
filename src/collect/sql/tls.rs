//! The encryption of a connection: libpq's options for it, turned into a configuration of rustls.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, SupportedProtocolVersion};

use super::certificate;
use super::environment::Environment;
use super::options::Options;
use super::target::one_of;
use super::verifier::Verifier;

/// `sslmode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SslMode {
    /// Without.
    Disable,
    /// Without, and when the server refuses that, with.
    Allow,
    /// With, and when that cannot be had, without.
    Prefer,
    /// With.
    Require,
    /// With, and the certificate must come from a root that we have.
    VerifyCa,
    /// With, and the certificate must also be for the host.
    VerifyFull,
}

/// What was said about encryption.
#[derive(Debug, Clone)]
pub struct TlsOptions {
    /// `sslmode`.
    pub mode: SslMode,
    /// `sslnegotiation=direct`.
    pub direct: bool,
    /// `sslrootcert`; `None` is the system's own roots.
    pub root: Option<PathBuf>,
    /// `sslcert` and `sslkey`; `None` when none is to be shown (`sslcertmode=disable`).
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// `sslcrl`, and the files of `sslcrldir`.
    pub revoked: (Option<PathBuf>, Option<PathBuf>),
    /// `sslsni`.
    pub sni: bool,
    /// The versions of the protocol that may be spoken: 1.2 and 1.3.
    pub versions: (bool, bool),
}

impl TlsOptions {
    pub(super) fn new(options: &Options, env: &Environment) -> Result<Self, String> {
        let modes = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];
        let written = one_of(options, "sslmode", &modes)?.unwrap_or("prefer");
        let mode = match written {
            "disable" => SslMode::Disable,
            "allow" => SslMode::Allow,
            "require" => SslMode::Require,
            "verify-ca" => SslMode::VerifyCa,
            "verify-full" => SslMode::VerifyFull,
            _ => SslMode::Prefer,
        };
        let direct = one_of(options, "sslnegotiation", &["postgres", "direct"])? == Some("direct");
        if direct && matches!(mode, SslMode::Disable | SslMode::Allow | SslMode::Prefer) {
            return Err(format!(
                "weak sslmode \"{written}\" may not be used with sslnegotiation=direct (use \"require\", \"verify-ca\", or \"verify-full\")"
            ));
        }
        let system = options.get("sslrootcert") == Some("system");
        if system && mode != SslMode::VerifyFull {
            return Err(format!(
                "weak sslmode \"{written}\" may not be used with sslrootcert=system (use \"verify-full\")"
            ));
        }
        let file = |keyword, default: &str| {
            let own = || env.home_file(&format!(".postgresql/{default}"));
            options.get(keyword).map(PathBuf::from).or_else(own)
        };
        let shows = match one_of(options, "sslcertmode", &["disable", "allow", "require"])? {
            Some("require") => return Err("sslcertmode=require is not supported here; use allow".to_owned()),
            mode => mode != Some("disable"),
        };
        let certificate = file("sslcert", "postgresql.crt").zip(file("sslkey", "postgresql.key")).filter(|_| shows);
        let crl = options.get("sslcrl").map(PathBuf::from);
        let crl_dir = options.get("sslcrldir").map(PathBuf::from);
        let own_crl = || env.home_file(".postgresql/root.crl").filter(|_| crl_dir.is_none() && !system);
        Ok(Self {
            mode,
            direct,
            root: if system { None } else { Some(file("sslrootcert", "root.crt").unwrap_or_default()) },
            certificate,
            revoked: (crl.or_else(own_crl), crl_dir),
            sni: sni(options)?,
            versions: versions(options)?,
        })
    }

    /// The configuration for a server with this name.
    ///
    /// # Errors
    /// What is wrong with a file or option.
    pub(super) fn config(&self, name: Option<&str>) -> Result<ClientConfig, String> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = Arc::new(self.verifier(name, &provider)?);
        let versions: Vec<&'static SupportedProtocolVersion> = [(self.versions.0, &TLS12), (self.versions.1, &TLS13)]
            .into_iter()
            .filter_map(|(wanted, version)| wanted.then_some(version))
            .collect();
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&versions)
            .map_err(|e| format!("no version of TLS is left: {e}"))?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let mut config = match self.own_certificate()? {
            None => config.with_no_client_auth(),
            Some((chain, key)) => {
                let bad = |e: String| format!("the client certificate (sslcert, sslkey) cannot be used: {e}");
                let key = rustls::crypto::ring::sign::any_supported_type(&key).map_err(|e| bad(e.to_string()))?;
                // rustls would refuse certificates of version 1 here, which servers take.
                certificate::has_key(&chain[0], key.as_ref()).map_err(bad)?;
                config.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(CertifiedKey::new(chain, key))))
            }
        };
        config.alpn_protocols = vec![b"postgresql".to_vec()];
        config.enable_sni = self.sni;
        Ok(config)
    }

    fn verifier(&self, name: Option<&str>, provider: &Arc<CryptoProvider>) -> Result<Verifier, String> {
        let must = matches!(self.mode, SslMode::VerifyCa | SslMode::VerifyFull);
        let roots = match &self.root {
            None => system_roots()?,
            Some(file) if file.exists() => certificates(file, "root certificate file")?,
            Some(file) if must => {
                let shown = file.display();
                let hint = "give the file, use the system's trusted roots with sslrootcert=system, or change sslmode";
                return Err(format!("root certificate file \"{shown}\" does not exist; {hint}"));
            }
            // As in libpq, nothing is verified; with a root file, each mode verifies the chain.
            Some(_) => return Ok(Verifier::nothing(provider)),
        };
        let host = match (self.mode, name) {
            (SslMode::VerifyFull, None) => {
                return Err(
                    "host name must be specified for a verified SSL connection (sslmode=verify-full)".to_owned()
                );
            }
            (SslMode::VerifyFull, host) => host,
            _ => None,
        };
        Verifier::new(roots, self.revocation_lists()?, host, provider)
    }

    fn revocation_lists(&self) -> Result<Vec<CertificateRevocationListDer<'static>>, String> {
        let (file, dir) = &self.revoked;
        let mut files: Vec<PathBuf> = file.iter().filter(|f| f.exists()).cloned().collect();
        if let Some(dir) = dir {
            let entries = std::fs::read_dir(dir).map_err(|e| format!("sslcrldir \"{}\": {e}", dir.display()))?;
            files.extend(entries.filter_map(|e| Some(e.ok()?.path())).filter(|f| f.is_file()));
        }
        files.sort();
        let mut lists = Vec::new();
        for file in files {
            let bad = |e: String| format!("certificate revocation list \"{}\" cannot be read: {e}", file.display());
            let bytes = std::fs::read(&file).map_err(|e| bad(e.to_string()))?;
            for list in CertificateRevocationListDer::pem_slice_iter(&bytes) {
                lists.push(list.map_err(|e| bad(e.to_string()))?);
            }
        }
        Ok(lists)
    }

    /// The client certificate and its key. As in libpq, a certificate that does not exist is not shown.
    fn own_certificate(&self) -> Result<Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>, String> {
        let Some((certificate, key)) = self.certificate.as_ref().filter(|(c, _)| c.exists()) else { return Ok(None) };
        let chain = certificates(certificate, "certificate file")?;
        let shown = key.display();
        let meta = std::fs::metadata(key)
            .map_err(|_| format!("certificate present, but not private key file \"{shown}\" (sslkey)"))?;
        if !meta.is_file() {
            return Err(format!("private key file \"{shown}\" is not a regular file"));
        }
        let forbidden = if meta.uid() == 0 { 0o037 } else { 0o077 };
        if meta.mode() & forbidden != 0 {
            return Err(format!(
                "private key file \"{shown}\" has group or world access; file must have permissions u=rw (0600) or less if \
                 owned by the current user, or permissions u=rw,g=r (0640) or less if owned by root"
            ));
        }
        let bytes = std::fs::read(key).map_err(|e| format!("private key file \"{shown}\" cannot be read: {e}"))?;
        let text = String::from_utf8_lossy(&bytes);
        if text.contains("ENCRYPTED") {
            return Err(format!(
                "private key file \"{shown}\" is encrypted, which is not supported here; decrypt it first"
            ));
        }
        let key = PrivateKeyDer::from_pem_slice(&bytes)
            .map_err(|e| format!("private key file \"{shown}\" cannot be read: {e}"))?;
        Ok(Some((chain, key)))
    }
}

fn certificates(file: &Path, what: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let bad = |e: String| format!("{what} \"{}\" cannot be read: {e}", file.display());
    let bytes = std::fs::read(file).map_err(|e| bad(e.to_string()))?;
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    let all = all.map_err(|e| bad(e.to_string()))?;
    if all.is_empty() { Err(bad("it holds no certificate".to_owned())) } else { Ok(all) }
}

fn system_roots() -> Result<Vec<CertificateDer<'static>>, String> {
    let loaded = rustls_native_certs::load_native_certs();
    if loaded.certs.is_empty() {
        return Err("the system has no trusted roots (sslrootcert=system)".to_owned());
    }
    Ok(loaded.certs)
}

fn sni(options: &Options) -> Result<bool, String> {
    Ok(options.get("sslsni").map_or(Ok(None), |_| one_of(options, "sslsni", &["0", "1"]))? != Some("0"))
}

/// Which of TLS 1.2 and 1.3 are within the bounds.
fn versions(options: &Options) -> Result<(bool, bool), String> {
    let names = ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"];
    let bound = |keyword: &str, default: usize| match options.get(keyword) {
        None => Ok(default),
        Some(text) => names
            .iter()
            .position(|n| n.eq_ignore_ascii_case(text))
            .ok_or_else(|| format!("invalid {keyword} value: \"{text}\"")),
    };
    let (low, high) = (bound("ssl_min_protocol_version", 2)?, bound("ssl_max_protocol_version", 3)?);
    if low > high {
        return Err(
            "invalid SSL protocol version range (ssl_min_protocol_version, ssl_max_protocol_version)".to_owned()
        );
    }
    if high < 2 {
        return Err(format!("ssl_max_protocol_version={} is not supported here: 1.2 is the oldest", names[high]));
    }
    Ok((low <= 2, high >= 3))
}
