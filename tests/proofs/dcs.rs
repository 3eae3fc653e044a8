//! Where Patroni looks for its store, and how it speaks to it.

use std::io::Read as _;
use std::net::TcpListener;

use super::starts::{IS_UP, Start, check, mend};
use crate::support::patroni::{Etcd, Patroni, Site, holds};
use crate::support::pg::{as_owner, command};
use crate::support::proof_site::prove;
use crate::support::record::{self, Stage};

#[test]
fn patroni_does_not_find_etcd() {
    check(&[
        Start {
            rule: "dcs-etcd-hosts-format",
            case: "bad-scheme",
            says: "ValueError: Invalid IPv6 URL",
            changes: &[(
                b"http://192.0.2.21:2379,http://192.0.2.22:2379,http://192.0.2.23:2379",
                "192.0.2.21:2379,192.0.2.22:2379,192.0.2.23:2379",
            )],
        },
        Start {
            rule: "dcs-etcd-hosts-format",
            case: "bad-list-under-host",
            says: "AttributeError: 'list' object has no attribute 'rsplit'",
            changes: &[],
        },
        Start {
            rule: "dcs-etcd-hosts-format",
            case: "bad-several-under-host",
            says: "does not appear to be an IPv4 or IPv6 address",
            changes: &[],
        },
        Start {
            rule: "dcs-etcd-hosts-format",
            case: "bad-url-without-scheme",
            says: "Failed to get list of machines from http://127.0.0.1:2379/.*waiting on etcd",
            changes: &[(b"url: 192", "url: http://192")],
        },
        Start {
            rule: "dcs-multiple-sections",
            case: "bad-etcd-and-etcd3",
            says: r"/v2: EtcdException\('Bad response : 404 page not found",
            changes: &[(b"etcd:\n  host: 192.0.2.41:2379\n", "")],
        },
    ]);
}

/// A certificate that stands for itself, and its key.
pub(crate) fn certificate(site: &Site, name: &str) {
    let mut c = as_owner(command("openssl"));
    c.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]);
    c.args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:127.2.0.11"]);
    let at = |end: &str| site.dir.join(format!("{name}.{end}"));
    let out = c.arg("-keyout").arg(at("key")).arg("-out").arg(at("crt")).output().expect("openssl");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}

#[test]
fn etcd_wants_tls_and_gets_none() {
    let mut patroni = Patroni::new();
    let keys = Site::new(1);
    certificate(&keys, "etcd");
    let file = |end: &str| keys.dir.join(format!("etcd.{end}")).display().to_string();
    let (cert, key) = (file("crt"), file("key"));
    let args = ["--cert-file", &cert, "--key-file", &key, "--client-cert-auth", "--trusted-ca-file", &cert];
    let etcd = Etcd::start_with("https", &args);
    let rule = "dcs-etcd-protocol-mismatch";
    for case in ["bad-no-protocol", "bad-names-of-the-restapi"] {
        let site = Site::new(etcd.port);
        site.lay(rule, case);
        for (from, to) in [("ca.crt", &cert), ("etcd.crt", &cert), ("etcd.key", &key)] {
            site.replace_all("patroni.yml", &format!("/etc/patroni/{from}"), to);
        }
        let before = patroni.run(&site, &["patroni.yml"], &format!("waiting on etcd|{IS_UP}"));
        assert!(holds(&before.log, "waiting on etcd") && !holds(&before.log, IS_UP), "{case}: {}", before.log);
        assert!(!site.findings(rule).is_empty(), "{case}");
        mend(&site, rule, &[]);
        let after = patroni.run(&site, &["patroni.yml"], &format!("waiting on etcd|{IS_UP}"));
        assert!(holds(&after.log, IS_UP), "{case}: mended, {}", after.log);
        assert_eq!(site.findings(rule), [""; 0], "{case}");
    }
}

/// No agent of Consul is needed to see what it is sent: a request in clear, or the first bytes of TLS.
#[test]
fn consul_wants_tls_and_gets_none() {
    let mut patroni = Patroni::new();
    let agent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let site = Site::new(1);
    certificate(&site, "ca");
    let rule = "dcs-consul-protocol-mismatch";
    site.lay(rule, "bad-no-scheme");
    site.replace("patroni.yml", b"8501", &agent.local_addr().unwrap().port().to_string());
    site.replace("patroni.yml", b"/etc/patroni/ca.crt", &site.dir.join("ca.crt").display().to_string());
    let mut sent = || {
        patroni.start(&site, "pg1", &["patroni.yml"]);
        let mut first = [0; 4];
        agent.accept().unwrap().0.read_exact(&mut first).unwrap();
        patroni.kill("pg1");
        first
    };
    assert_eq!(&sent(), b"PUT ");
    record::note(Stage::Log, rule, "what Patroni sends to the port for TLS begins with `PUT `");
    assert!(!site.findings(rule).is_empty());
    mend(&site, rule, &[]);
    // A handshake (22) of TLS (3.x).
    assert_eq!(sent()[..2], [22, 3]);
    assert_eq!(site.findings(rule), [""; 0]);
}

#[test]
fn patroni_does_not_find_etcd_at_its_start() {
    prove("dcs", "patroni_does_not_find_etcd_at_its_start");
}
