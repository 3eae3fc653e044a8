//! Real servers of etcd.

use std::time::{Duration, Instant};

use patroni_preflight::bundle::Answer;
use patroni_preflight::collect::net::Net;
use patroni_preflight::gap::GapReason;
use serde_json::{Value as Json, json};

use super::{QUICK, certificates, config, hostile, orders, said, store, stores, stores_with, why};
use crate::support::patroni::{Etcd, Patroni, Site, free_port, http};
use crate::support::pg::temp_dir;

/// The words that a member says once it leads.
const LEADS: &str = r"no action\. I am \(pg1\), the leader with the lock";

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// Asks the API v3 for something, as its administrator does.
fn call(port: u16, method: &str, token: Option<&str>, fields: &Json) -> Json {
    let body = fields.to_string();
    let login = token.map(|t| format!("Authorization: {t}\r\n")).unwrap_or_default();
    let request = format!("POST /v3/{method} HTTP/1.0\r\n{login}Content-Length: {}\r\n\r\n{body}", body.len());
    let answer = http(&format!("127.0.0.1:{port}"), &request);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    assert!(head.contains(" 200 "), "{method}: {answer}");
    serde_json::from_str(body).unwrap_or_else(|_| panic!("{method}: {answer}"))
}

pub(super) fn put(port: u16, token: Option<&str>, key: &str, value: &str) {
    call(port, "kv/put", token, &json!({"key": base64(key), "value": base64(value)}));
}

fn hosts(ports: &[u16]) -> String {
    let all: Vec<String> = ports.iter().map(|p| format!("127.0.0.1:{p}")).collect();
    format!("etcd3:\n  hosts: {}", all.join(","))
}

#[test]
fn keys_of_a_running_cluster_are_those_that_patroni_reads() {
    let (mut patroni, etcd) = (Patroni::new(), Etcd::start());
    let site = Site::new(etcd.port);
    site.lay_text("patroni.yml", super::rest::MEMBER.as_bytes());
    site.take_over("patroni.yml", 16, false);
    patroni.start(&site, "pg1", &["patroni.yml"]);
    patroni.expect("pg1", LEADS);
    put(etcd.port, None, "/service/orders-2/leader", "somebody else's");
    // The clock of the leader moves on; what both see between two of its turns is the same.
    let since = Instant::now();
    let (theirs, ours) = loop {
        let text = patroni.eval(&site, "patroni.yml", "kept()");
        let theirs: Json = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"));
        let store = store(&hosts(&[etcd.port]));
        let ours = orders(&store).unwrap().clone();
        let status: String = theirs["keys"]["status"].as_str().unwrap_or_default().to_owned();
        if ours.keys.get("status") == Some(&status) || since.elapsed() > Duration::from_secs(20) {
            break (theirs, ours);
        }
    };
    patroni.stop("pg1");
    assert_eq!(theirs["path"], "/service/orders");
    assert_eq!(theirs["leader"], ours.keys["leader"].as_str());
    assert_eq!(theirs["initialize"], ours.keys["initialize"].as_str());
    assert_eq!(theirs["members"], json!(["pg1"]));
    let names: Vec<&String> = theirs["keys"].as_object().unwrap().keys().collect();
    assert_eq!(ours.keys.keys().collect::<Vec<_>>(), names);
    assert!(names.len() >= 5, "{names:?}");
    // The same, letter by letter, but for the secret in a command and the clock of the member.
    let secret = "fixture-of-an-archive";
    for (key, value) in &ours.keys {
        let theirs = theirs["keys"][key].as_str().unwrap();
        match key.as_str() {
            "config" => {
                assert!(theirs.contains(secret) && !value.contains(secret), "{value}");
                assert_eq!(theirs.replace(secret, "***"), *value);
            }
            "members/pg1" => {
                let [a, b]: [Json; 2] = [theirs, value].map(|t| serde_json::from_str(t).unwrap());
                for part in ["conn_url", "api_url", "role", "version", "timeline"] {
                    assert_eq!(a[part], b[part], "{part}");
                    assert!(!a[part].is_null(), "{part}: {a}");
                }
            }
            _ => assert_eq!(theirs, value, "{key}"),
        }
    }
}

#[test]
fn one_of_three_servers_is_down_and_one_is_advertised_in_vain() {
    let nowhere = free_port();
    let advertised = format!("http://127.0.0.1:{nowhere}");
    let etcd = Etcd::start_with("http", &["--advertise-client-urls", &advertised]);
    put(etcd.port, None, "/service/orders/leader", "pg1");
    let silent = super::Listener::new(|mut stream| {
        let _ = std::io::Read::read_to_end(&mut stream, &mut Vec::new());
    });
    let down = free_port();
    let section = format!("scope: orders\nname: pg1\n{}\n", hosts(&[down, silent.port, etcd.port]));
    let net = Net::new(QUICK);
    let since = Instant::now();
    let found = stores_with(&[("pg1", &section), ("pg0", &section)], &net);
    assert!(since.elapsed() < Duration::from_secs(15), "{:?}", since.elapsed());
    let [store] = &found[..] else { panic!("{found:?}") };
    assert_eq!((store.kind.as_str(), &store.members[..]), ("etcd3", &["pg0".to_owned(), "pg1".to_owned()][..]));
    assert_eq!(orders(store).unwrap().keys["leader"], "pg1");
    let at = |port: u16| format!("http://127.0.0.1:{port}");
    let urls: Vec<_> = store.endpoints.iter().map(|e| (e.url.clone(), e.configured)).collect();
    assert_eq!(urls, [(at(down), true), (at(silent.port), true), (at(etcd.port), true), (advertised.clone(), false)]);
    assert_eq!(why(&store.endpoints[0].version), "Closed: connection refused: nothing listens there");
    assert_eq!(why(&store.endpoints[1].healthy), "TimedOut: no complete answer within 3 s");
    let up = &store.endpoints[2];
    assert_eq!(up.version, Answer::Got("3.4.23".to_owned()));
    assert_eq!(up.healthy, Answer::Got(true));
    assert_eq!(up.v2, Some(Answer::Got(false)));
    assert_eq!(up.advertised, Some(Answer::Got(vec![advertised.clone()])));
    assert!(up.cluster.as_ref().is_some_and(|c| c.parse::<u64>().is_ok()), "{up:?}");
    assert_eq!(why(&store.endpoints[3].version), "Closed: connection refused: nothing listens there");
    let touched = net.touched();
    for want in [
        format!("GET {}/version", at(down)),
        format!("POST {}/v3/kv/range", at(etcd.port)),
        format!("GET {advertised}/version"),
    ] {
        assert!(touched.contains(&want), "{touched:?}");
    }
    // The same world, the same answer.
    assert_eq!(found, stores_with(&[("pg0", &section), ("pg1", &section)], &Net::new(QUICK)));
}

#[test]
fn the_api_of_version_2_is_seen_and_read() {
    let etcd = Etcd::start_with("http", &["--enable-v2=true"]);
    let body = "value=pg1";
    let request = format!(
        "PUT /v2/keys/service/orders/members/pg1 HTTP/1.0\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let put = http(&format!("127.0.0.1:{}", etcd.port), &request);
    assert!(put.contains(" 201 "), "{put}");
    let v3 = store(&hosts(&[etcd.port]));
    assert_eq!(v3.endpoints[0].v2, Some(Answer::Got(true)));
    // Each API has its own keys.
    assert!(orders(&v3).unwrap().keys.is_empty());
    let v2 = store(&format!("etcd:\n  host: 127.0.0.1\n  port: {}", etcd.port));
    assert_eq!(v2.kind, "etcd");
    assert_eq!(v2.endpoints[0].v2, Some(Answer::Got(true)));
    assert_eq!(v2.endpoints[0].advertised, Some(Answer::Got(vec![format!("http://127.0.0.1:{}", etcd.port)])));
    assert_eq!(orders(&v2).unwrap().keys, [("members/pg1".to_owned(), "pg1".to_owned())].into());
    let other = store(&format!("namespace: /other/\netcd:\n  url: http://127.0.0.1:{}/", etcd.port));
    assert!(other.scopes["/other/orders"].got().unwrap().keys.is_empty());
    let off = Etcd::start();
    let v2 = store(&format!("etcd:\n  host: 127.0.0.1:{}", off.port));
    assert_eq!(v2.endpoints[0].v2, Some(Answer::Got(false)));
    assert_eq!(said(orders(&v2).unwrap_err()), "Denied: its API of version 2, which the section `etcd` needs, is off");
}

#[test]
fn logins_succeed_and_fail_as_they_do_for_patroni() {
    let etcd = Etcd::start();
    let section = |login: &str| format!("etcd3:\n  host: 127.0.0.1:{}\n{login}", etcd.port);
    put(etcd.port, None, "/service/orders/leader", "pg1");
    // A login that nobody asks for does no harm.
    let early = store(&section("  username: nobody\n  password: fixture-early"));
    assert_eq!(orders(&early).unwrap().keys["leader"], "pg1");
    for (user, password) in [("root", "fixture-root"), ("patroni", "fixture-patroni")] {
        call(etcd.port, "auth/user/add", None, &json!({"name": user, "password": password}));
        call(etcd.port, "auth/role/add", None, &json!({"name": user}));
        call(etcd.port, "auth/user/grant", None, &json!({"user": user, "role": user}));
    }
    let perm =
        json!({"permType": "READWRITE", "key": base64("/service/orders/"), "range_end": base64("/service/orders0")});
    call(etcd.port, "auth/role/grant", None, &json!({"name": "patroni", "perm": perm}));
    call(etcd.port, "auth/enable", None, &json!({}));
    for user in ["root", "patroni"] {
        let store = store(&section(&format!("  username: {user}\n  password: fixture-{user}")));
        assert_eq!(orders(&store).unwrap().keys["leader"], "pg1", "{user}");
        assert_eq!(store.endpoints[0].healthy, Answer::Got(true));
        assert!(store.endpoints[0].advertised.as_ref().is_some_and(|a| a.got().is_some()), "{store:?}");
    }
    let url = store(&format!("etcd3:\n  url: http://patroni:fixture-patroni@127.0.0.1:{}", etcd.port));
    assert_eq!(orders(&url).unwrap().keys["leader"], "pg1");
    let denied = |login: &str| {
        let store = store(&section(login));
        let text = format!("{store:?}");
        assert!(!text.contains("fixture"), "{text}");
        said(orders(&store).unwrap_err())
    };
    let at = format!("http://127.0.0.1:{}", etcd.port);
    assert_eq!(denied(""), format!("Denied: {at}: etcdserver: user name is empty (it wants a user and password)"));
    assert_eq!(
        denied("  username: patroni\n  password: fixture-wrong"),
        format!(
            "Denied: {at}: the login as `patroni` fails: etcdserver: authentication failed, invalid user ID or password"
        )
    );
    let text = format!("scope: billing\nname: pg1\n{}\n", section("  username: patroni\n  password: fixture-patroni"));
    let found = stores(&[("pg1", &text)]);
    assert_eq!(
        why(&found[0].scopes["/service/billing"]),
        format!("Denied: {at}: etcdserver: permission denied on keys below /service/billing/")
    );
}

#[test]
fn certificates_are_checked_and_shown() {
    let dir = temp_dir("etcd-tls");
    certificates(&dir);
    let file = |name: &str| dir.join(name).display().to_string();
    let (ca, cert, key) = (file("ca.crt"), file("server.crt"), file("server.key"));
    let args = ["--cert-file", &cert, "--key-file", &key, "--client-cert-auth", "--trusted-ca-file", &ca];
    let etcd = Etcd::start_with("https", &args);
    let section = |host: &str, rest: &str| format!("etcd3:\n  host: {host}:{}\n  protocol: https\n{rest}", etcd.port);
    let client = format!("  cert: {}\n  key: {}\n", file("client.crt"), file("client.key"));
    let good = store(&section("127.0.0.1", &format!("{client}  cacert: {ca}")));
    assert_eq!(good.endpoints[0].version, Answer::Got("3.4.23".to_owned()));
    assert!(orders(&good).unwrap().keys.is_empty());
    let fails = |host: &str, rest: &str| {
        let store = store(&section(host, rest));
        assert_eq!(why(&store.endpoints[0].healthy), why(&store.endpoints[0].version));
        why(&store.endpoints[0].version)
    };
    let said = fails("127.0.0.1", &format!("  cacert: {ca}"));
    assert!(said.starts_with("Denied: it wants a certificate of its clients"), "{said}");
    let said = fails("127.0.0.1", &client);
    assert!(said.starts_with("Unreachable: its certificate "), "{said}");
    let said = fails("127.3.0.1", &format!("{client}  cacert: {ca}"));
    assert!(said.starts_with("Closed: connection refused"), "{said}");
    let said =
        fails("127.0.0.1", &format!("  cacert: {ca}\n  cert: {}\n  key: {}\n", file("client.crt"), file("client.enc")));
    assert!(said.starts_with("Unreadable: the key in ") && said.contains("encrypted"), "{said}");
    let said = fails("127.0.0.1", &format!("  cacert: {ca}\n  cert: {}\n  key: {key}\n", file("client.crt")));
    assert!(said.starts_with("Unreadable: "), "{said}");
    let said = fails("127.0.0.1", &format!("{client}  cacert: {}", file("none.crt")));
    assert!(said.starts_with("NotGiven: ") && said.contains("none.crt"), "{said}");
    // What signs itself, as `openssl req -x509` makes it, is trusted when it is handed to us, and only for its own name.
    let own = Etcd::start_with("https", &["--cert-file", &file("own.crt"), "--key-file", &file("own.key")]);
    let section =
        |host: &str, ca: &str| format!("etcd3:\n  host: {host}:{}\n  protocol: https\n  cacert: {ca}", own.port);
    let good = store(&section("localhost", &file("own.crt")));
    assert_eq!(good.endpoints[0].version, Answer::Got("3.4.23".to_owned()));
    for (host, ca) in [("127.0.0.1", file("own.crt")), ("localhost", ca)] {
        let said = why(&store(&section(host, &ca)).endpoints[0].version);
        assert!(said.starts_with("Unreachable: its certificate is not trusted"), "{said}");
    }
    let plain = store(&format!("etcd3:\n  host: 127.0.0.1:{}\n", etcd.port));
    assert_eq!(plain.endpoints[0].version.as_result().unwrap_err().why, GapReason::Unreachable, "{plain:?}");
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn what_a_configuration_does_not_say_is_a_gap() {
    let gap = |section: &str| {
        let store = store(section);
        assert!(store.endpoints.is_empty(), "{store:?}");
        said(orders(&store).unwrap_err())
    };
    assert_eq!(
        gap("etcd3:\n  srv: example.org\n  hosts: h:1"),
        "NotGiven: SRV records of example.org name its servers, which are not looked up by this program"
    );
    assert_eq!(gap("raft:\n  data_dir: /x"), "NotGiven: a store of the kind `raft` is not asked by this program");
    assert_eq!(
        gap("etcd3:\n  cacert: /x"),
        "Unreadable: its section names none of `hosts`, `host`, `url`, `proxy` and `srv`"
    );
    assert_eq!(gap("etcd3:\n  host: h:one"), "Unreadable: `h:one` is no host and port");
    assert_eq!(gap("etcd3:\n  url: //u:fixture@h:1/"), "Unreadable: `h:1/` is no URL");
    let text = "name: pg1\netcd3:\n  srv: example.org\n";
    assert!(why(&stores(&[("pg1", text)])[0].scopes[""]).starts_with("NotGiven: "));
    // What stands on another host's loopback is not what stands on ours.
    let config = config("scope: orders\nname: pg2\netcd3:\n  host: localhost:2379\n");
    let member = patroni_preflight::collect::member::Member { name: "pg2", config: &config, here: false };
    let found = super::block(patroni_preflight::collect::dcs::collect(&[member], &Net::new(QUICK)));
    assert_eq!(
        said(orders(&found[0]).unwrap_err()),
        "NotGiven: http://localhost:2379 is on the host of pg2, and cannot be asked from this one"
    );
}

#[test]
fn hostile_servers_end_in_gaps_in_time() {
    let servers = hostile();
    let text = |kind: &str, port: u16| match kind {
        "consul" => format!("scope: orders\nname: pg1\nconsul:\n  host: 127.0.0.1:{port}\n  token: fixture-token\n"),
        "zookeeper" => format!("scope: orders\nname: pg1\nzookeeper:\n  hosts: 127.0.0.1:{port}\n"),
        _ => format!("scope: orders\nname: pg1\n{kind}:\n  host: 127.0.0.1:{port}\n"),
    };
    for kind in ["etcd3", "etcd", "consul", "zookeeper"] {
        let texts: Vec<(&str, String)> = servers.iter().map(|(what, l)| (*what, text(kind, l.port))).collect();
        let members: Vec<(&str, &str)> = texts.iter().map(|(what, text)| (*what, text.as_str())).collect();
        let since = Instant::now();
        let found = stores_with(&members, &Net::new(patroni_preflight::collect::net::Limits { at_once: 64, ..QUICK }));
        assert!(since.elapsed() < Duration::from_secs(20), "{kind}: {:?}", since.elapsed());
        assert_eq!(found.len(), servers.len());
        for store in &found {
            let what = &store.members;
            assert!(orders(store).is_err(), "{kind} {what:?}: {store:?}");
            assert!(store.endpoints[0].version.got().is_none(), "{kind} {what:?}: {store:?}");
            assert!(store.endpoints[0].healthy.got().is_none(), "{kind} {what:?}: {store:?}");
        }
    }
}
