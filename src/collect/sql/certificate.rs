//! Reads certificates where rustls does not: names as libpq compares them, and certificates that a root issued directly.

use std::net::IpAddr;

use rustls::SignatureScheme;
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{CertificateDer, SignatureVerificationAlgorithm};
use rustls::sign::SigningKey;
use x509_cert::Certificate;
use x509_cert::der::asn1::{Ia5StringRef, PrintableStringRef, TeletexStringRef, Utf8StringRef};
use x509_cert::der::oid::db::rfc4519::COMMON_NAME;
use x509_cert::der::oid::db::rfc5280::ID_KP_SERVER_AUTH;
use x509_cert::der::{Decode as _, Encode as _};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, SubjectAltName};
use x509_cert::spki::AlgorithmIdentifierOwned;

const UNREADABLE: &str = "the server's certificate cannot be read";

fn read(der: &CertificateDer<'_>) -> Result<Certificate, String> {
    Certificate::from_der(der).map_err(|e| format!("{UNREADABLE}: {e}"))
}

/// Whether a certificate is for a host (`pq_verify_peer_name_matches_certificate`): its alternative names, and its common name
/// when it has none of the kind that the host is.
pub(super) fn is_for(der: &CertificateDer<'_>, host: &str) -> Result<(), String> {
    let certificate = read(der)?;
    let ip: Option<IpAddr> = host.parse().ok();
    let names = certificate.tbs_certificate.get::<SubjectAltName>().map_err(|e| format!("{UNREADABLE}: {e}"))?;
    let mut seen = Vec::new();
    let mut check_common_name = true;
    for name in names.map(|(_, names)| names.0).unwrap_or_default() {
        match name {
            GeneralName::DnsName(dns) => {
                check_common_name &= ip.is_some();
                if matches_name(dns.as_str(), host) {
                    return Ok(());
                }
                seen.push(dns.as_str().to_owned());
            }
            GeneralName::IpAddress(octets) => {
                check_common_name &= ip.is_none();
                let address = match *octets.as_bytes() {
                    [a, b, c, d] => Some(IpAddr::from([a, b, c, d])),
                    ref bytes => <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from),
                };
                if address.is_some() && address == ip {
                    return Ok(());
                }
                seen.extend(address.map(|a| a.to_string()));
            }
            _ => {}
        }
    }
    let common_name = common_name(&certificate).filter(|_| check_common_name);
    if common_name.as_ref().is_some_and(|name| matches_name(name, host)) {
        return Ok(());
    }
    seen.extend(common_name);
    let seen = if seen.is_empty() { "nothing".to_owned() } else { seen.join(", ") };
    Err(format!("the server's certificate is for {seen}, not for host name \"{host}\" (sslmode=verify-full)"))
}

fn common_name(certificate: &Certificate) -> Option<String> {
    let mut all = certificate.tbs_certificate.subject.0.iter().flat_map(|rdn| rdn.0.iter());
    let value = &all.find(|a| a.oid == COMMON_NAME)?.value;
    let text = |t: &str| Some(t.to_owned());
    None.or_else(|| value.decode_as::<Utf8StringRef<'_>>().ok().and_then(|s| text(s.as_str())))
        .or_else(|| value.decode_as::<PrintableStringRef<'_>>().ok().and_then(|s| text(s.as_str())))
        .or_else(|| value.decode_as::<TeletexStringRef<'_>>().ok().and_then(|s| text(s.as_str())))
        .or_else(|| value.decode_as::<Ia5StringRef<'_>>().ok().and_then(|s| text(s.as_str())))
}

/// Whether a name of a certificate is that of the host; `*.` stands for one label.
fn matches_name(pattern: &str, host: &str) -> bool {
    if pattern.contains('\0') {
        return false;
    }
    if pattern.eq_ignore_ascii_case(host) {
        return true;
    }
    let Some(behind) = pattern.strip_prefix('*').filter(|p| p.starts_with('.') && p.len() > 1) else { return false };
    let Some(dot) = host.find('.') else { return false };
    dot > 0 && host[dot..].eq_ignore_ascii_case(behind)
}

/// Whether a certificate that rustls does not even look at is trusted: it is one of the roots itself, or was issued by one directly.
pub(super) fn is_trusted(
    der: &CertificateDer<'_>,
    roots: &[CertificateDer<'_>],
    now: u64,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<(), String> {
    let leaf = read(der)?;
    in_time(&leaf, now)?;
    if roots.iter().any(|root| root.as_ref() == der.as_ref()) {
        return Ok(());
    }
    if let Ok(Some((_, ExtendedKeyUsage(usages)))) = leaf.tbs_certificate.get::<ExtendedKeyUsage>()
        && !usages.contains(&ID_KP_SERVER_AUTH)
    {
        return Err("the server's certificate is not for servers (extended key usage)".to_owned());
    }
    let issued = roots.iter().filter_map(|r| Certificate::from_der(r).ok()).any(|root| {
        root.tbs_certificate.subject == leaf.tbs_certificate.issuer
            && is_authority(&root)
            && in_time(&root, now).is_ok()
            && issued_by(&leaf, &root, algorithms)
    });
    if issued {
        return Ok(());
    }
    let kind = if leaf.tbs_certificate.version == x509_cert::Version::V1 {
        "has version 1"
    } else {
        "is one for an authority"
    };
    Err(format!(
        "the server's certificate {kind} and no root certificate that is trusted here (sslrootcert) issued it directly"
    ))
}

fn in_time(certificate: &Certificate, now: u64) -> Result<(), String> {
    let validity = &certificate.tbs_certificate.validity;
    if now > validity.not_after.to_unix_duration().as_secs() {
        return Err("the server's certificate has expired".to_owned());
    }
    if now < validity.not_before.to_unix_duration().as_secs() {
        return Err("the server's certificate is not valid yet; is a clock wrong?".to_owned());
    }
    Ok(())
}

/// A version 1 certificate cannot say that it is an authority; as a root it counts as one, as for OpenSSL.
fn is_authority(root: &Certificate) -> bool {
    match root.tbs_certificate.get::<BasicConstraints>() {
        Ok(Some((_, constraints))) => constraints.ca,
        Ok(None) => root.tbs_certificate.version == x509_cert::Version::V1,
        Err(_) => false,
    }
}

fn issued_by(leaf: &Certificate, root: &Certificate, algorithms: &WebPkiSupportedAlgorithms) -> bool {
    let (Ok(message), Some(signature)) = (leaf.tbs_certificate.to_der(), leaf.signature.as_bytes()) else {
        return false;
    };
    let Some(signed_with) = inner(&leaf.signature_algorithm) else { return false };
    if leaf.signature_algorithm != leaf.tbs_certificate.signature {
        return false;
    }
    let fitting = algorithms.all.iter().filter(|a| a.signature_alg_id().as_ref() == signed_with);
    fitting.copied().any(|a| verify(root, a, &message, signature))
}

/// Whether the key of a certificate made a signature of a handshake.
pub(super) fn signs(
    der: &CertificateDer<'_>,
    message: &[u8],
    scheme: SignatureScheme,
    signature: &[u8],
    algorithms: &WebPkiSupportedAlgorithms,
) -> bool {
    let Ok(certificate) = Certificate::from_der(der) else { return false };
    let fitting = algorithms.mapping.iter().filter(|(s, _)| *s == scheme).flat_map(|(_, list)| list.iter());
    fitting.copied().any(|a| verify(&certificate, a, message, signature))
}

/// Whether a certificate is that of a key.
pub(super) fn has_key(der: &CertificateDer<'_>, key: &dyn SigningKey) -> Result<(), String> {
    let certificate = Certificate::from_der(der).map_err(|e| e.to_string())?;
    let own = certificate.tbs_certificate.subject_public_key_info.to_der().map_err(|e| e.to_string())?;
    match key.public_key() {
        Some(public) if public.as_ref() != own => Err("the certificate does not match the private key".to_owned()),
        _ => Ok(()),
    }
}

fn verify(
    signer: &Certificate,
    algorithm: &dyn SignatureVerificationAlgorithm,
    message: &[u8],
    signature: &[u8],
) -> bool {
    let key = &signer.tbs_certificate.subject_public_key_info;
    let Some(bits) = key.subject_public_key.as_bytes() else { return false };
    inner(&key.algorithm).is_some_and(|id| id == algorithm.public_key_alg_id().as_ref())
        && algorithm.verify_signature(bits, message, signature).is_ok()
}

/// An algorithm's identifier without the outer tag and length, as rustls compares it.
fn inner(id: &AlgorithmIdentifierOwned) -> Option<Vec<u8>> {
    let der = id.to_der().ok()?;
    // Identifiers of the algorithms that we know are shorter than 128 bytes.
    (der.len() >= 2 && der[1] < 0x80).then(|| der[2..].to_vec())
}

#[cfg(test)]
mod tests {
    use super::matches_name;

    #[test]
    fn a_star_is_one_label() {
        for (pattern, host, want) in [
            ("db.Example", "DB.example", true),
            ("*.example", "a.example", true),
            ("*.example", "a.b.example", false),
            ("*.example", ".example", false),
            ("*", "a", false),
            ("*.", "a.", false),
            ("a*.example", "ab.example", false),
            ("db\0.evil", "db", false),
        ] {
            assert_eq!(matches_name(pattern, host), want, "{pattern} {host}");
        }
    }
}
