//! Who reaches the REST API, and how.

use super::dcs::certificate;
use super::starts::{IS_UP, Start, check, mend};
use crate::support::patroni::{Etcd, Patroni, Site, holds, http};

#[test]
fn half_of_a_login_ends_patroni() {
    check(&[Start {
        rule: "restapi-auth-incomplete",
        case: "bad-no-password",
        says: "KeyError: 'password'",
        changes: &[(b"    username: patroni\n", "    username: patroni\n    password: fixture\n")],
    }]);
}

/// Starts a member, asks something, ends it.
fn while_up(patroni: &mut Patroni, site: &Site, file: &str, ask: impl Fn(&mut Patroni) -> String) -> String {
    patroni.start(site, "member", &[file]);
    patroni.expect("member", IS_UP);
    let answer = ask(patroni);
    patroni.kill("member");
    answer
}

#[test]
fn a_key_alone_is_no_tls() {
    let (mut patroni, etcd) = (Patroni::new(), Etcd::start());
    let (site, rule) = (Site::new(etcd.port), "restapi-tls-files");
    site.lay(rule, "bad-key-alone");
    certificate(&site, "rest");
    let file = |end: &str| site.dir.join(format!("rest.{end}")).display().to_string();
    site.replace("patroni.yml", b"/etc/patroni/rest.key", &file("key"));
    let address = format!("127.2.0.11:{}", site.rest);
    let ask = |_: &mut Patroni| http(&address, "GET /liveness HTTP/1.0\r\n\r\n");
    let before = while_up(&mut patroni, &site, "patroni.yml", ask);
    assert!(before.starts_with("HTTP/1.0 200"), "{before}");
    assert!(!site.findings(rule).is_empty());
    mend(&site, rule, &[(b"  keyfile:", &*format!("  certfile: {}\n  keyfile:", file("crt")).leak())]);
    let after = while_up(&mut patroni, &site, "patroni.yml", ask);
    assert!(!holds(&after, "HTTP/1.0 200"), "{after}");
    assert_eq!(site.findings(rule), [""; 0]);
}

#[test]
fn members_without_a_certificate_are_refused() {
    let (mut patroni, etcd) = (Patroni::new(), Etcd::start());
    let (site, rule) = (Site::new(etcd.port), "restapi-verify-client-without-ctl-cert");
    site.lay(rule, "bad-required");
    certificate(&site, "rest");
    let file = |end: &str| site.dir.join(format!("rest.{end}")).display().to_string();
    for (from, to) in [("rest.crt", "crt"), ("rest.key", "key"), ("ca.crt", "crt")] {
        site.replace("patroni.yml", format!("/etc/patroni/{from}").as_bytes(), &file(to));
    }
    let ask = |p: &mut Patroni| {
        p.eval(&site, "patroni.yml", &format!("ask_member('https://127.2.0.11:{}/liveness')", site.rest))
    };
    let before = while_up(&mut patroni, &site, "patroni.yml", ask);
    assert!(holds(&before, "SSL|certificate"), "{before}");
    assert!(!site.findings(rule).is_empty());
    let ctl = format!(
        "\nctl: {{certfile: {0}, keyfile: {1}, cacert: {0}}}\n\npostgresql:\n  listen",
        file("crt"),
        file("key")
    );
    mend(&site, rule, &[(b"\npostgresql:\n  listen", ctl.leak())]);
    assert_eq!(while_up(&mut patroni, &site, "patroni.yml", ask), "200");
    assert_eq!(site.findings(rule), [""; 0]);
}

/// Asked from loopback, where the addresses of documentation are not.
#[test]
fn an_item_that_cannot_be_read_lets_nobody_in_or_everybody() {
    let (mut patroni, etcd) = (Patroni::new(), Etcd::start());
    let rule = "restapi-allowlist-invalid";
    let refused = "^HTTP/1.0 403 .*Access is denied";
    let let_in = "^HTTP/1.0 401 .*no auth header received";
    let cases: [(&str, &[u8], &str, [&str; 2]); 2] = [
        ("bad-mask", b"192.0.2.0/33", "192.0.2.0/24", [let_in, refused]),
        ("bad-second-item", b"198.51.100.*", "127.0.0.0/8", [refused, let_in]),
    ];
    for (case, from, to, [before, after]) in cases {
        let site = Site::new(etcd.port);
        site.lay(rule, case);
        let address = format!("127.2.0.11:{}", site.rest);
        let ask = |_: &mut Patroni| http(&address, "POST /reload HTTP/1.0\r\n\r\n");
        let said = while_up(&mut patroni, &site, "patroni.yml", ask);
        assert!(holds(&said, before), "{case}: {said}");
        assert!(!site.findings(rule).is_empty(), "{case}");
        mend(&site, rule, &[(from, to)]);
        let said = while_up(&mut patroni, &site, "patroni.yml", ask);
        assert!(holds(&said, after), "{case}, mended: {said}");
        assert_eq!(site.findings(rule), [""; 0], "{case}");
    }
}

/// Members that are known count for other requests that change something, and not for this one.
#[test]
fn members_refuse_to_confirm_the_leader() {
    let (mut patroni, etcd) = (Patroni::new(), Etcd::start());
    let (site, rule) = (Site::new(etcd.port), "restapi-allowlist-blocks-failsafe");
    site.lay(rule, "bad-operators-only");
    let address = format!("127.20.0.12:{}", site.rest);
    let body = r#"{"name": "pg1", "conn_url": "postgres://127.20.0.11/", "api_url": "http://127.20.0.11/patroni"}"#;
    let request = format!("POST /failsafe HTTP/1.0\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let ask = |_: &mut Patroni| http(&address, &request);
    let before = while_up(&mut patroni, &site, "pg2/patroni.yml", ask);
    assert!(holds(&before, "^HTTP/1.0 403 .*Access is denied"), "{before}");
    assert_eq!(site.findings(rule).len(), 3);
    for member in ["pg1", "pg2", "pg3"] {
        site.replace(&format!("{member}/patroni.yml"), b"[192.0.2.0/24]", "[192.0.2.0/24, 10.20.0.0/24, 127.0.0.0/8]");
    }
    let after = while_up(&mut patroni, &site, "pg2/patroni.yml", ask);
    assert!(holds(&after, "^HTTP/1.0 401 .*no auth header received"), "{after}");
    assert_eq!(site.findings(rule), [""; 0]);
}

/// A file of a case whose paths of certificates are those of one that is made here.
fn with_certificate(site: &Site, file: &str) {
    certificate(site, "rest");
    let at = |end: &str| site.dir.join(format!("rest.{end}")).display().to_string();
    for (from, to) in [("rest.crt", "crt"), ("rest.key", "key"), ("ca.crt", "crt")] {
        site.replace_all(file, &format!("/etc/patroni/{from}"), &at(to));
    }
}

#[test]
fn without_a_certificate_of_its_own_the_rest_api_is_in_clear() {
    let (mut patroni, etcd) = (Patroni::new(), Etcd::start());
    let tls = "  certfile: /etc/patroni/rest.crt\n  keyfile: /etc/patroni/rest.key\n";
    let cases = [
        ("restapi-tls-mixed", "bad-one-without", "pg3/patroni.yml", "127.2.0.13"),
        ("restapi-verify-client-without-certfile", "bad-required", "patroni.yml", "127.2.0.11"),
    ];
    for (rule, case, file, address) in cases {
        let site = Site::new(etcd.port);
        site.lay(rule, case);
        let address = format!("{address}:{}", site.rest);
        let ask = |_: &mut Patroni| http(&address, "GET /liveness HTTP/1.0\r\n\r\n");
        let before = while_up(&mut patroni, &site, file, ask);
        assert!(before.starts_with("HTTP/1.0 200"), "{rule}: {before}");
        assert!(!site.findings(rule).is_empty(), "{rule}");
        site.replace(
            file,
            b"  authentication:\n    username: patroni\n",
            &format!("{tls}  authentication:\n    username: patroni\n"),
        );
        assert_eq!(site.findings(rule), [""; 0], "{rule}");
        with_certificate(&site, file);
        let after = while_up(&mut patroni, &site, file, ask);
        assert!(!holds(&after, "HTTP/1.0 200"), "{rule}: {after}");
    }
}
