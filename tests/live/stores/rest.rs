//! REST APIs of real members, and other programs in their place.

use std::time::{Duration, Instant};

use patroni_preflight::bundle::Answer;
use patroni_preflight::bundle::rest::{Rest, Speaker};
use patroni_preflight::collect::member::Member;
use patroni_preflight::collect::net::Net;
use patroni_preflight::collect::rest::{PATHS, collect};
use serde_json::Value as Json;

use super::{Listener, QUICK, answer, block, certificates, config, hostile, why};
use crate::proofs::starts::IS_UP;
use crate::support::patroni::{Etcd, Patroni, Site, http};

/// A member that leads, with a secret in its dynamic configuration.
pub(super) const MEMBER: &str = "\
scope: orders
name: pg1
restapi:
  listen: 192.0.2.11:8008
  connect_address: 192.0.2.11:8008
etcd3:
  hosts: 192.0.2.21:2379
bootstrap:
  dcs:
    loop_wait: 10
    postgresql:
      parameters:
        archive_command: PGPASSWORD=fixture-of-an-archive push %p
postgresql:
  listen: 192.0.2.11:5432
  connect_address: 192.0.2.11:5432
  data_dir: /var/lib/postgresql/16/main
  bin_dir: /usr/lib/postgresql/16/bin
  authentication:
    superuser:
      username: patroni_su
      password: fixture-superuser
    replication:
      username: replicator
      password: fixture-replication
";

fn rests(members: &[(&str, &str)]) -> std::collections::BTreeMap<String, Answer<Rest>> {
    let configs: Vec<_> = members.iter().map(|(_, text)| config(text)).collect();
    let members: Vec<Member<'_>> =
        members.iter().zip(&configs).map(|((name, _), config)| Member { name, config, here: true }).collect();
    block(collect(&members, &Net::new(QUICK)))
}

/// The REST API of one member with this section.
fn rest(text: &str) -> Rest {
    match rests(&[("pg1", text)]).remove("pg1") {
        Some(Answer::Got(rest)) => rest,
        other => panic!("{other:?}"),
    }
}

fn of_site(site: &Site) -> Rest {
    rest(&std::fs::read_to_string(site.dir.join("patroni.yml")).unwrap())
}

fn body(rest: &Rest, path: &str) -> Json {
    let response = rest.answers[path].got().unwrap_or_else(|| panic!("{path}: {rest:?}"));
    serde_json::from_str(&response.body).unwrap_or_else(|_| panic!("{response:?}"))
}

#[test]
fn a_member_is_asked_before_it_runs_while_it_runs_and_in_pause() {
    let (mut patroni, etcd) = (Patroni::new(), Etcd::start());
    let site = Site::new(etcd.port);
    site.lay_text("patroni.yml", MEMBER.as_bytes());
    let before = of_site(&site);
    assert_eq!(before.url, format!("http://127.2.0.11:{}", site.rest));
    assert_eq!((before.listens.clone(), before.speaker()), (Answer::Got(false), Some(Speaker::Nobody)));
    assert_eq!(why(&before.answers["/config"]), "Closed: connection refused: nothing listens there");
    site.take_over("patroni.yml", 16, false);
    patroni.start(&site, "pg1", &["patroni.yml"]);
    patroni.expect("pg1", r"no action\. I am \(pg1\), the leader with the lock");
    let running = of_site(&site);
    assert_eq!(running.answers.keys().map(String::as_str).collect::<std::collections::BTreeSet<_>>(), PATHS.into());
    assert_eq!(running.listens, Answer::Got(true));
    let Some(Speaker::Patroni { scope, name, version }) = running.speaker() else { panic!("{running:?}") };
    assert_eq!((scope.as_str(), name.as_deref()), ("orders", Some("pg1")));
    assert!(version.starts_with("4."), "{version}");
    assert_eq!(running.answers["/liveness"].got().unwrap().status, 200);
    assert!(running.answers["/patroni"].got().unwrap().server.is_some());
    assert_eq!(body(&running, "/patroni")["role"], "primary");
    assert_eq!(body(&running, "/cluster")["members"][0]["name"], "pg1");
    assert!(body(&running, "/history").is_array());
    let parameters = &body(&running, "/config")["postgresql"]["parameters"];
    assert_eq!(parameters["archive_command"], "PGPASSWORD=*** push %p");
    assert!(!format!("{running:?}").contains("fixture"), "{running:?}");
    // As an administrator does it.
    let change = r#"{"pause": true}"#;
    let request = format!("PATCH /config HTTP/1.0\r\nContent-Length: {}\r\n\r\n{change}", change.len());
    let said = http(&format!("127.2.0.11:{}", site.rest), &request);
    assert!(said.contains(" 200 "), "{said}");
    patroni.expect("pg1", "PAUSE: no action");
    let paused = of_site(&site);
    assert_eq!(body(&paused, "/config")["pause"], true);
    assert_eq!(body(&paused, "/cluster")["pause"], true);
    assert_eq!(body(&paused, "/patroni")["pause"], true);
    patroni.stop("pg1");
    assert_eq!(of_site(&site).speaker(), Some(Speaker::Nobody));
}

/// It has no configuration to show as long as somebody else is at work on the first start of the cluster.
#[test]
fn a_status_of_trouble_is_an_answer() {
    let (mut patroni, etcd) = (Patroni::new(), Etcd::start());
    super::etcd::put(etcd.port, None, "/service/orders/initialize", "");
    let site = Site::new(etcd.port);
    site.lay_text("patroni.yml", MEMBER.as_bytes());
    patroni.start(&site, "pg1", &["patroni.yml"]);
    patroni.expect("pg1", "waiting for leader to bootstrap");
    let rest = of_site(&site);
    patroni.kill("pg1");
    assert!(matches!(rest.speaker(), Some(Speaker::Patroni { .. })), "{rest:?}");
    assert_eq!(rest.answers["/config"].got().unwrap().status, 502, "{rest:?}");
    assert_eq!(rest.answers["/patroni"].got().unwrap().status, 200, "{rest:?}");
}

#[test]
fn certificates_are_checked_as_patronictl_does() {
    let (mut patroni, etcd) = (Patroni::new(), Etcd::start());
    let site = Site::new(etcd.port);
    certificates(&site.dir);
    let file = |name: &str| site.dir.join(name).display().to_string();
    let run = |patroni: &mut Patroni, restapi: &str, ctl: &[String]| -> Vec<Rest> {
        let text = MEMBER.replace(
            "etcd3:",
            &format!("  certfile: {}\n  keyfile: {}\n{restapi}etcd3:", file("server.crt"), file("server.key")),
        );
        site.lay_text("patroni.yml", text.as_bytes());
        patroni.start(&site, "pg1", &["patroni.yml"]);
        patroni.expect("pg1", IS_UP);
        let text = std::fs::read_to_string(site.dir.join("patroni.yml")).unwrap();
        let found = ctl.iter().map(|ctl| rest(&format!("{text}{ctl}"))).collect();
        patroni.kill("pg1");
        found
    };
    let ca = format!("ctl:\n  cacert: {}\n", file("ca.crt"));
    let mine = format!("{ca}  certfile: {}\n  keyfile: {}\n", file("client.crt"), file("client.key"));
    let found =
        run(&mut patroni, "", &[String::new(), ca.clone(), "ctl:\n  insecure: true\n".to_owned(), mine.clone()]);
    for (rest, is_trusted) in found.iter().zip([false, true, true, true]) {
        assert_eq!(rest.url, format!("https://127.2.0.11:{}", site.rest));
        assert_eq!(rest.untrusted.is_none(), is_trusted, "{rest:?}");
        // Members do not look at the certificates of others, so the answers are there all the same.
        assert!(matches!(rest.speaker(), Some(Speaker::Patroni { .. })), "{rest:?}");
    }
    let required = format!("  verify_client: required\n  cafile: {}\n", file("ca.crt"));
    let found = run(&mut patroni, &required, &[ca, mine]);
    assert_eq!(found[0].listens, Answer::Got(true), "{found:?}");
    let said = why(&found[0].answers["/patroni"]);
    assert!(said.starts_with("Denied: it wants a certificate of its clients"), "{said}");
    assert_eq!(found[0].speaker(), None);
    assert!(matches!(found[1].speaker(), Some(Speaker::Patroni { .. })), "{:?}", found[1]);
}

fn section(port: u16) -> String {
    format!(
        "scope: orders\nname: pg1\nrestapi:\n  listen: 127.0.0.1:{port}\n  connect_address: 127.0.0.1:{port}\n  authentication:\n    username: u\n    password: fixture\n"
    )
}

#[test]
fn somebody_else_is_recognised_and_gets_no_password() {
    let (server, requests) =
        Listener::http(|_| answer("404 Not Found", "Server: nginx/1.22\r\n", "<html>password: seen</html>"));
    let rest = rest(&section(server.port));
    assert_eq!((rest.listens.clone(), rest.speaker()), (Answer::Got(true), Some(Speaker::Other)));
    let response = rest.answers["/cluster"].got().unwrap();
    assert_eq!((response.status, response.server.as_deref()), (404, Some("nginx/1.22")));
    assert!(!response.body.contains("seen"), "{response:?}");
    let requests = requests.lock().unwrap();
    assert_eq!(requests.len(), PATHS.len());
    assert!(
        requests.iter().all(|r| r.starts_with("GET ") && !r.to_lowercase().contains("authorization")),
        "{requests:?}"
    );
}

#[test]
fn where_nobody_can_be_asked_is_a_gap() {
    let gap = |text: &str, here: bool| {
        let config = config(text);
        let found = block(collect(&[Member { name: "pg1", config: &config, here }], &Net::new(QUICK)));
        why(&found["pg1"])
    };
    assert!(gap("name: pg1\n", true).starts_with("NotGiven: the configuration has neither"));
    assert!(gap("restapi:\n  listen: 0.0.0.0:8008\n", false).contains("leads to no certain host"));
    assert!(gap("restapi:\n  listen: localhost:8008\n", false).contains("is on the host of pg1"));
    assert_eq!(gap("restapi:\n  listen: h:x\n", true), "Unreadable: restapi.listen is no host and port");
}

#[test]
fn hostile_servers_end_in_answers_in_time() {
    let servers = hostile();
    let texts: Vec<(&str, String)> = servers.iter().map(|(what, l)| (*what, section(l.port))).collect();
    let members: Vec<(&str, &str)> = texts.iter().map(|(what, text)| (*what, text.as_str())).collect();
    let since = Instant::now();
    let found = rests(&members);
    assert!(since.elapsed() < Duration::from_secs(30), "{:?}", since.elapsed());
    for (what, answer) in &found {
        let rest = answer.got().unwrap();
        assert!(!matches!(rest.speaker(), Some(Speaker::Patroni { .. } | Speaker::Nobody)), "{what}: {rest:?}");
        assert_eq!(rest.answers.len(), PATHS.len(), "{what}");
    }
    assert!(found.values().all(|a| a.got().unwrap().listens == Answer::Got(true)), "{found:?}");
    assert_eq!(found["garbage"].got().unwrap().speaker(), Some(Speaker::Other));
    assert!(why(&found["nothing"].got().unwrap().answers["/config"]).starts_with("TimedOut"));
    let said = why(&found["endless body"].got().unwrap().answers["/patroni"]);
    assert!(said.starts_with("Unreadable: the answer is larger"), "{said}");
}
