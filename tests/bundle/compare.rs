//! What changed between two moments.

use std::collections::BTreeMap;

use patroni_preflight::bundle::compare::compare;
use patroni_preflight::bundle::dcs::{Scope, Store};
use patroni_preflight::bundle::rest::{Response, Rest};
use patroni_preflight::bundle::sql::Table;
use patroni_preflight::bundle::{Answer, Bundle};
use patroni_preflight::gap::GapReason;
use patroni_preflight::run::redact::{Key, redact};

use super::bundle;
use super::redact::{key, session};

const FILE: &str = "/etc/patroni.yml";

fn rows(columns: &[&str], rows: &[&[&str]]) -> Answer<Table> {
    let text = |t: &&str| (*t).to_owned();
    let row = |r: &&[&str]| r.iter().map(|v| Some(text(v))).collect();
    Answer::Got(Table { columns: columns.iter().map(text).collect(), rows: rows.iter().map(row).collect() })
}

fn moment(file: &str, answers: &[(&str, Answer<Table>)], keys: &[(&str, &str)]) -> Bundle {
    let mut bundle = bundle(&[("pg1", &[(FILE, file)])]);
    let answers = answers.iter().map(|(q, a)| ((*q).to_owned(), a.clone())).collect();
    bundle.nodes.get_mut("pg1").unwrap().sql = Some(Answer::Got(session(answers)));
    let keys = keys.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    bundle.stores.push(Store {
        kind: "etcd3".to_owned(),
        members: vec!["pg1".to_owned()],
        endpoints: Vec::new(),
        scopes: BTreeMap::from([("/service/a".to_owned(), Answer::Got(Scope { keys }))]),
    });
    bundle
}

fn changes(before: &Bundle, now: &Bundle) -> Vec<String> {
    let (before, now) = (redact(before, &key()), redact(now, &key()));
    compare(&before, &now).unwrap().iter().map(ToString::to_string).collect()
}

#[test]
fn what_changed_is_said_in_one_line_each_and_what_moves_is_not() {
    let slots = ["slot_name", "active", "restart_lsn", "active_pid"];
    let server = ["version", "started"];
    let before = moment(
        "scope: a\nname: pg1\nloop_wait: 10\n",
        &[
            ("settings", rows(&["name", "setting"], &[&["work_mem", "4096"], &["port", "5432"]])),
            ("slots", rows(&slots, &[&["pg2", "t", "0/1", "7"], &["old", "f", "0/1", ""]])),
            ("server", rows(&server, &[&["PostgreSQL 15.1", "2026-01-01"]])),
            ("roles", rows(&["rolname", "rolsuper"], &[&["joe", "f"]])),
            ("position", rows(&["current_lsn", "in_recovery"], &[&["0/1", "f"]])),
        ],
        &[("leader", "pg1"), ("config", r#"{"ttl": 30}"#), ("status", "{\"optime\": 1}")],
    );
    let now = moment(
        "scope: a\nname: pg1\nloop_wait: 5\n",
        &[
            ("settings", rows(&["name", "setting"], &[&["work_mem", "8192"], &["port", "5432"]])),
            ("slots", rows(&slots, &[&["pg2", "f", "0/9", "8"], &["pg3", "t", "0/9", "9"]])),
            ("server", rows(&server, &[&["PostgreSQL 15.1", "2026-01-02"]])),
            ("roles", Answer::missing(GapReason::Denied, "permission denied")),
            ("position", rows(&["current_lsn", "in_recovery"], &[&["0/9", "t"]])),
        ],
        &[("leader", "pg2"), ("config", r#"{"ttl": 20}"#), ("status", "{\"optime\": 2}")],
    );
    assert_eq!(
        changes(&before, &now),
        [
            "etcd3: keys of /service/a config: ttl was `30`, is `20`",
            "etcd3: keys of /service/a leader: was `pg1`, is `pg2`",
            "pg1: /etc/patroni.yml: line 3 was `loop_wait: 10`, is `loop_wait: 5`",
            "pg1: position: in_recovery was `f`, is `t`",
            "pg1: role: could be read then, and not now: refused to us (permission denied)",
            "pg1: server: restarted",
            "pg1: setting work_mem: setting was `4096`, is `8192`",
            "pg1: slot old: is gone",
            "pg1: slot pg2: active was `t`, is `f`",
            "pg1: slot pg3: is new",
        ]
    );
    assert_eq!(changes(&before, &before), Vec::<String>::new());
}

#[test]
fn a_password_that_changed_is_not_shown() {
    let text = |password: &str| format!("scope: a\nname: pg1\nconsul:\n  token: {password}\n");
    let (before, now) = (moment(&text("Secret-1-then"), &[], &[]), moment(&text("Secret-2-now"), &[], &[]));
    let said = changes(&before, &now);
    assert!(said.len() == 1 && said[0].starts_with("pg1: /etc/patroni.yml: line 4 was `token: "), "{said:?}");
    assert!(!said[0].contains("Secret"), "{said:?}");
    assert!(compare(&before, &now).unwrap_err().contains("were not replaced"));
    let other = redact(&now, &Key::from_text("another key of these tests").unwrap());
    assert!(compare(&redact(&before, &key()), &other).unwrap_err().contains("different keys"));
}

#[test]
fn members_servers_and_rest_apis_come_and_go() {
    let rest = |state: &str, started: &str| {
        let body =
            format!(r#"{{"state": "{state}", "postmaster_start_time": "{started}", "xlog": {{"location": 5}}}}"#);
        let answer = Answer::Got(Response { status: 200, server: None, body });
        Rest {
            url: "http://h:8008".to_owned(),
            listens: Answer::Got(true),
            untrusted: None,
            answers: BTreeMap::from([("/patroni".to_owned(), answer)]),
        }
    };
    let mut before = bundle(&[("pg1", &[]), ("pg2", &[])]);
    let mut now = bundle(&[("pg1", &[]), ("pg3", &[])]);
    before.nodes.get_mut("pg1").unwrap().rest = Some(Answer::Got(rest("running", "then")));
    before.nodes.get_mut("pg1").unwrap().sql = Some(Answer::Got(session(BTreeMap::new())));
    now.nodes.get_mut("pg1").unwrap().rest = Some(Answer::Got(rest("stopped", "now")));
    now.nodes.get_mut("pg1").unwrap().sql = Some(Answer::missing(GapReason::Unreachable, "connection refused"));
    assert_eq!(
        changes(&before, &now),
        [
            "pg1: REST API /patroni: restarted",
            "pg1: REST API /patroni: state was `running`, is `stopped`",
            "pg1: the server: could be read then, and not now: unreachable (connection refused)",
            "pg2: the member: was collected then, and not now",
            "pg3: the member: is collected now, and was not then",
        ]
    );
}
