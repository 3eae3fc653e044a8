//! TLS with real servers and the certificates that people have, against what `psql` with OpenSSL does.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use patroni_preflight::bundle::Answer;
use patroni_preflight::collect::sql::{Limits, Target};

use super::{ask, environment, missed, session};
use crate::support::TempDir;
use crate::support::pg::{Server, command, give, program, write};

fn openssl(dir: &Path, args: &str) {
    let out = command("openssl").args(args.split_whitespace()).current_dir(dir).output().expect("openssl");
    assert!(out.status.success(), "openssl {args}: {}", String::from_utf8_lossy(&out.stderr));
}

fn private(path: &Path) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// Certificates of a server by name, each with the root that a client would be given.
const KINDS: [(&str, &str); 10] = [
    ("san", "ca.crt"),
    ("v1", "ca.crt"),
    ("cn", "ca.crt"),
    ("ip", "ca.crt"),
    ("other", "ca.crt"),
    ("wild", "ca.crt"),
    ("expired", "ca.crt"),
    ("self", "self.crt"),
    ("foreign", "other-ca.crt"),
    ("chain", "ca.crt"),
];

/// Makes an authority and certificates as people make them.
fn make(dir: &Path) {
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    for ca in ["ca", "other-ca"] {
        openssl(dir, &format!("req -x509 {key} -keyout {ca}.key -out {ca}.crt -days 30 -subj /CN={ca}"));
    }
    let signed = |name: &str, cn: &str, ca: &str, ext: Option<&str>, days: &str| {
        let kind = if name == "v1" { "-newkey rsa:2048 -nodes" } else { key };
        openssl(dir, &format!("req -new {kind} -keyout {name}.key -out {name}.csr -subj /CN={cn}"));
        let ext = ext.map(|ext| {
            std::fs::write(dir.join("ext"), ext).unwrap();
            " -extfile ext"
        });
        let ext = ext.unwrap_or_default();
        openssl(
            dir,
            &format!(
                "x509 -req -in {name}.csr -CA {ca}.crt -CAkey {ca}.key -CAcreateserial -out {name}.crt {days}{ext}"
            ),
        );
    };
    let days = "-days 10";
    signed("san", "whatever", "ca", Some("subjectAltName=DNS:localhost"), days);
    signed("v1", "localhost", "ca", None, days);
    signed("cn", "localhost", "ca", Some("basicConstraints=CA:FALSE"), days);
    signed("ip", "localhost", "ca", Some("subjectAltName=IP:127.0.0.1"), days);
    signed("other", "localhost", "ca", Some("subjectAltName=DNS:db.example"), days);
    signed("wild", "x", "ca", Some("subjectAltName=DNS:*.localhost,DNS:localhost.*"), days);
    signed("expired", "localhost", "ca", Some("subjectAltName=DNS:localhost"), "-days -1");
    signed("foreign", "localhost", "ca", Some("subjectAltName=DNS:localhost"), days);
    openssl(dir, &format!("req -x509 {key} -keyout self.key -out self.crt -days 10 -subj /CN=localhost"));
    signed("middle", "middle", "ca", Some("basicConstraints=critical,CA:TRUE"), days);
    signed("chain", "localhost", "middle", Some("subjectAltName=DNS:localhost"), days);
    let both = ["chain.crt", "middle.crt"].map(|f| std::fs::read_to_string(dir.join(f)).unwrap()).concat();
    std::fs::write(dir.join("chain.crt"), both).unwrap();
    signed("client", "joe", "ca", None, days);
    signed("client3", "joe", "ca", Some("basicConstraints=CA:FALSE"), days);
    for key in ["client", "client3"] {
        private(&dir.join(format!("{key}.key")));
    }
}

fn server(version: u16, certs: &Path, hba: &str) -> Server {
    Server::start(version, |data| {
        use_certificate(data, certs, "san");
        write(&data.join("ca.crt"), std::fs::read(certs.join("ca.crt")).unwrap());
        write(&data.join("pg_hba.conf"), format!("local all all trust\n{hba}"));
        "listen_addresses = 'localhost'\nssl = on\nssl_ca_file = 'ca.crt'\nlog_connections = on\n".to_owned()
    })
}

fn use_certificate(data: &Path, certs: &Path, name: &str) {
    for part in ["crt", "key"] {
        let file = data.join(format!("server.{part}"));
        write(&file, std::fs::read(certs.join(format!("{name}.{part}"))).unwrap());
        private(&file);
        give(&file);
    }
}

/// What psql says to a connection string: the version of TLS, `plain`, or why it failed.
fn psql(dsn: &str, home: &Path) -> Result<String, String> {
    let mut psql = command(program(15, "psql"));
    psql.env_clear().env("HOME", home).env("LC_ALL", "C").args(["-X", "-w", "-At", "-d", dsn, "-c"]);
    psql.arg("SELECT coalesce(version, 'plain') FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
    let out = psql.output().unwrap();
    if out.status.success() {
        Ok(String::from_utf8_lossy(&out.stdout).trim().to_owned())
    } else {
        Err(String::from_utf8_lossy(&out.stderr).trim().to_owned())
    }
}

fn ours(dsn: &str, home: &Path) -> Result<String, String> {
    let target = Target::new(dsn, &environment(home, &[]))?;
    match ask(target, vec![], Limits::default()) {
        Answer::Got(session) => Ok(session.tls.unwrap_or_else(|| "plain".to_owned())),
        Answer::Missing(miss) => Err(miss.detail),
    }
}

fn compare(dsn: &str, home: &Path, differ: &mut Vec<String>) {
    let (theirs, ours) = (psql(dsn, home), ours(dsn, home));
    if theirs.clone().ok() != ours.clone().ok() {
        differ.push(format!("{dsn}\n  psql: {theirs:?}\n  ours: {ours:?}"));
    }
}

fn reloaded(server: &Server, certs: &Path, kind: &str) {
    use_certificate(&server.data_dir, certs, kind);
    let before = server.log().matches("reloading configuration").count();
    server.signal("HUP");
    for _ in 0..500 {
        if server.log().matches("reloading configuration").count() > before {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    std::thread::sleep(std::time::Duration::from_millis(50));
}

#[test]
fn oracle_libpq_each_sslmode_takes_the_certificates_that_libpq_takes() {
    let dir = TempDir::new("tls");
    let certs = dir.0.join("certs");
    let home = dir.0.join("home");
    for d in [&certs, &home] {
        std::fs::create_dir_all(d).unwrap();
    }
    make(&certs);
    let mut differ = Vec::new();
    let mut n = 0;
    for version in [15, 17] {
        let server = server(version, &certs, "host all all all trust\n");
        for (kind, root) in KINDS {
            reloaded(&server, &certs, kind);
            for mode in ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] {
                for root in [String::new(), format!(" sslrootcert={}", certs.join(root).display())] {
                    for host in ["host=localhost", "host=127.0.0.1", "hostaddr=127.0.0.1"] {
                        let dsn =
                            format!("{host} port={} user=postgres dbname=postgres sslmode={mode}{root}", server.port);
                        compare(&dsn, &home, &mut differ);
                        if differ.last().is_some_and(|d| d.starts_with(&dsn)) {
                            let last = differ.pop().unwrap_or_default();
                            differ.push(format!("{version} {kind}: {last}"));
                        }
                        n += 1;
                    }
                }
            }
        }
    }
    println!("compared {n} connections");
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

#[test]
fn the_reason_why_a_certificate_is_refused_is_named() {
    let dir = TempDir::new("tls");
    make(&dir.0);
    let server = server(15, &dir.0, "host all all all trust\n");
    let dsn = |root: &str| {
        let root = dir.0.join(root);
        format!(
            "host=localhost port={} user=postgres dbname=postgres sslmode=verify-full sslrootcert={}",
            server.port,
            root.display()
        )
    };
    for (kind, root, words) in [
        ("other", "ca.crt", "is for db.example, not for host name \"localhost\""),
        ("expired", "ca.crt", "has expired"),
        ("foreign", "other-ca.crt", "not issued by a root certificate that is trusted here"),
        ("v1", "other-ca.crt", "has version 1"),
        ("self", "other-ca.crt", "is one for an authority"),
        ("san", "missing.crt", "missing.crt\" does not exist"),
        ("san", "ca.key", "ca.key\" cannot be read"),
    ] {
        reloaded(&server, &dir.0, kind);
        let said = ours(&dsn(root), &dir.0).expect_err(kind);
        assert!(said.contains(words), "{kind}: {said}");
    }
}

#[test]
fn oracle_libpq_allow_and_prefer_go_the_other_way_when_the_server_refuses() {
    let dir = TempDir::new("tls");
    make(&dir.0);
    let mut differ = Vec::new();
    for hba in [
        "hostssl all all all trust\n",
        "hostnossl all all all trust\n",
        "hostssl all all all reject\nhostnossl all all all trust\n",
        "host all other all trust\n",
    ] {
        let server = server(15, &dir.0, hba);
        for mode in ["disable", "allow", "prefer", "require"] {
            let dsn = format!("host=localhost port={} user=postgres dbname=postgres sslmode={mode}", server.port);
            compare(&dsn, &dir.0, &mut differ);
        }
    }
    let plain = Server::start(15, |data| {
        write(&data.join("pg_hba.conf"), "local all all trust\nhost all all all trust\n");
        "listen_addresses = 'localhost'\n".to_owned()
    });
    for mode in ["disable", "allow", "prefer", "require"] {
        let dsn = format!("host=localhost port={} user=postgres dbname=postgres sslmode={mode}", plain.port);
        compare(&dsn, &dir.0, &mut differ);
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

#[test]
fn client_certificates_channel_binding_and_direct_negotiation_work() {
    let dir = TempDir::new("tls");
    make(&dir.0);
    let show = |file: &str| dir.0.join(file).display().to_string();
    for version in [13, 15, 17] {
        let hba = "hostssl all joe all cert\nhostssl all scram all scram-sha-256\n";
        let server = server(version, &dir.0, hba);
        let mut db = server.client();
        db.query(
            "SET password_encryption = 'scram-sha-256'; CREATE ROLE joe LOGIN; CREATE ROLE scram LOGIN PASSWORD 'p'",
        );
        let base = format!("host=localhost port={} dbname=postgres sslmode=require", server.port);
        for client in ["client", "client3"] {
            let (cert, key) = (show(&format!("{client}.crt")), show(&format!("{client}.key")));
            let dsn = format!("{base} user=joe sslcert={cert} sslkey={key}");
            assert_eq!(ours(&dsn, &dir.0).as_deref(), Ok("TLSv1.3"), "{version} {client}");
            assert!(ours(&format!("{dsn} sslcertmode=disable"), &dir.0).is_err());
        }
        let (cert, key) = (show("client.crt"), show("client.key"));
        let without = ours(&format!("{base} user=joe sslcert={}", show("missing.crt")), &dir.0);
        assert!(without.as_ref().is_err_and(|e| e.contains("28000") && e.contains("certificate")), "{without:?}");
        let wrong = ours(&format!("{base} user=joe sslcert={cert} sslkey={}", show("client3.key")), &dir.0);
        assert!(wrong.as_ref().is_err_and(|e| e.contains("sslcert, sslkey")), "{wrong:?}");
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
        let open = ours(&format!("{base} user=joe sslcert={cert} sslkey={key}"), &dir.0);
        assert!(open.as_ref().is_err_and(|e| e.contains("group or world access")), "{open:?}");
        private(Path::new(&key));
        let scram = format!("{base} user=scram password=p");
        for binding in ["disable", "prefer", "require"] {
            let tls = ours(&format!("{scram} channel_binding={binding}"), &dir.0);
            assert_eq!(tls.as_deref(), Ok("TLSv1.3"), "{version} {binding}");
        }
        let old = ours(&format!("{scram} ssl_max_protocol_version=TLSv1.2 channel_binding=require"), &dir.0);
        assert_eq!(old.as_deref(), Ok("TLSv1.2"));
        let direct = ours(&format!("{scram} sslnegotiation=direct"), &dir.0);
        assert_eq!(direct.is_ok(), version >= 17, "{version} {direct:?}");
    }
}

#[test]
fn a_revoked_certificate_is_refused() {
    let dir = TempDir::new("tls");
    make(&dir.0);
    std::fs::write(dir.0.join("index.txt"), "").unwrap();
    std::fs::write(dir.0.join("number"), "01\n").unwrap();
    std::fs::write(
        dir.0.join("ca.cnf"),
        "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ndefault_md=sha256\ndefault_crl_days=5\ncrlnumber=number\ncrl_extensions=e\n[e]\nauthorityKeyIdentifier=keyid\n",
    )
    .unwrap();
    openssl(&dir.0, "ca -config ca.cnf -keyfile ca.key -cert ca.crt -gencrl -out none.crl");
    openssl(&dir.0, "ca -config ca.cnf -keyfile ca.key -cert ca.crt -revoke san.crt");
    openssl(&dir.0, "ca -config ca.cnf -keyfile ca.key -cert ca.crt -gencrl -out san.crl");
    let server = server(15, &dir.0, "host all all all trust\n");
    let file = |f: &str| dir.0.join(f).display().to_string();
    let base = format!(
        "host=localhost port={} user=postgres dbname=postgres sslmode=verify-full sslrootcert={}",
        server.port,
        file("ca.crt")
    );
    assert_eq!(ours(&format!("{base} sslcrl={}", file("none.crl")), &dir.0).as_deref(), Ok("TLSv1.3"));
    let dsn = format!("{base} sslcrl={}", file("san.crl"));
    assert!(psql(&dsn, &dir.0).is_err());
    let said = ours(&dsn, &dir.0).expect_err("revoked");
    assert!(said.contains("is revoked"), "{said}");
    let answer = ask(Target::new(&base, &environment(&dir.0, &[])).unwrap(), vec![], Limits::default());
    session(&answer);
    let wrong = ask(Target::new(&dsn, &environment(&dir.0, &[])).unwrap(), vec![], Limits::default());
    missed(&wrong);
}
