//! Every message of `patroni --validate-config` 4.1.5 about the file itself: each key of its schema is given many values, and what the
//! real validator says of one must be found by us too, at the same place, unless it is known as a false alarm.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use patroni_preflight::knowledge::patroni::{self as known, DCS_SECTIONS, KeyFact, Need, Version};
use patroni_preflight::parse::patroni::Patroni;
use patroni_preflight::parse::yaml::parse;
use patroni_preflight::run::Linted;
use patroni_preflight::source::Source;
use serde_json::{Value as Json, json};

use crate::support::pg::env;
use crate::support::{TempDir, lint_for};

/// What the validator rejects although Patroni and we take it: part of the message, what the path ends with, the
/// section that must ask for nothing, why.
const FALSE_ALARMS: &[(&str, &str, Option<&str>, &str)] = &[
    ("is an empty list", "", None, "an empty list is what holds without the key"),
    (
        "expecting '*' alone",
        "postgresql.listen",
        None,
        "PostgreSQL listens everywhere, and warns of the second address",
    ),
    (
        "is not defined.",
        "standby_cluster.host",
        Some("/bootstrap/dcs/standby_cluster"),
        "a section that asks for nothing is what holds without the key",
    ),
    (
        "is not defined.",
        "standby_cluster.port",
        Some("/bootstrap/dcs/standby_cluster"),
        "a section that asks for nothing is what holds without the key",
    ),
    (
        "is not defined.",
        "standby_cluster.restore_command",
        Some("/bootstrap/dcs/standby_cluster"),
        "a section that asks for nothing is what holds without the key",
    ),
];

/// Whether every value of a section is one that Python takes for false.
fn asks_for_nothing(section: &Json) -> bool {
    let falsy = |v: &Json| [json!(null), json!(""), json!(false), json!(0), json!([]), json!({})].contains(v);
    section.as_object().is_some_and(|s| s.values().all(falsy))
}

fn base() -> Json {
    json!({
        "scope": "orders", "name": "pg1",
        "restapi": {"listen": "10.20.0.11:8008", "connect_address": "10.20.0.11:8008"},
        "etcd3": {"hosts": ["10.20.0.21:2379"]},
        "bootstrap": {"dcs": {"ttl": 30}},
        "postgresql": {
            "listen": "10.20.0.11:5432", "connect_address": "10.20.0.11:5432",
            "data_dir": "/srv/postgresql/15/data", "bin_dir": "/usr/lib/postgresql/15/bin",
            "authentication": {
                "superuser": {"username": "patroni_su", "password": "one-word"},
                "replication": {"username": "replicator", "password": "another-word"},
            },
        },
    })
}

fn values() -> Vec<Json> {
    vec![
        json!(null),
        json!(""),
        json!("x"),
        json!("7"),
        json!("30s"),
        json!("1.5"),
        json!("on"),
        json!("off"),
        json!("false"),
        json!("quorum"),
        json!("INFO"),
        json!("required"),
        json!(0),
        json!(1),
        json!(-1),
        json!(-2),
        json!(4),
        json!(5),
        json!(19),
        json!(100),
        json!(70000),
        json!(1_000_000_000),
        json!(3.5),
        json!(true),
        json!(false),
        json!([]),
        json!(["x"]),
        json!(["h:1"]),
        json!(["h:x"]),
        json!([1]),
        json!([null]),
        json!([{}]),
        json!([{"a": "b"}]),
        json!([{"name": "x", "port": 5432}]),
        json!([{"name": "x"}]),
        json!({}),
        json!({"a": "b"}),
        json!({"a": 1}),
        json!("h:1"),
        json!("h:x"),
        json!("a:1,b:2"),
        json!("a:1,"),
        json!("*,h:1"),
        json!("*:5432"),
        json!("127.0.0.1:5432"),
        json!("localhost:80"),
        json!("[::1]:80"),
        json!("10.20.0.1"),
        json!("fe80::1"),
    ]
}

/// The keys that the validator of 4.1.5 looks at, and that stand at a path without names of the user.
fn rows() -> impl Iterator<Item = &'static KeyFact> {
    known::keys().iter().filter(|r| {
        (r.demand.is_some() || r.need != Need::Never || r.required)
            && r.lifetime.covers(Version::LATEST)
            && !r.path.contains(['*', '@', '['])
    })
}

/// A message's path, without the numbers of list items.
fn place(message: &str) -> String {
    let path = message.split(' ').next().unwrap_or_default();
    path.split('.').filter(|p| p.parse::<u32>().is_err()).collect::<Vec<_>>().join(".")
}

/// Whether we say something of that place, or name it.
fn is_found(linted: &Linted, patroni: &Patroni, path: &str) -> Result<(), Vec<String>> {
    let item = patroni.get(path).or_else(|| patroni.get(path.rsplit_once('.')?.0));
    let at = item.map(|i| i.key_span.map_or(i.span.start, |k| k.start)..=i.span.end);
    let hit = linted.outcome.findings.iter().any(|f| {
        at.as_ref().is_some_and(|at| at.contains(&f.at.start))
            || f.message.contains(&format!("`{path}`"))
            || f.notes.iter().any(|n| n.contains(path))
            || f.rule == "dcs-section-missing" && DCS_SECTIONS.contains(&path)
            || f.rule == "generated-config-tags-conflict" && path == "tags"
    });
    let said = || linted.outcome.findings.iter().map(|f| format!("{} {}", f.rule, f.message)).collect();
    if hit { Ok(()) } else { Err(said()) }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the oracle is another program")]
fn what_the_real_validator_says_of_any_key_is_found() {
    let tools = env("PREFLIGHT_TOOLS").unwrap_or_else(|| "target/tools".to_owned());
    let mut child = Command::new(format!("{tools}/py/bin/python"))
        .args(["-W", "ignore", "tests/oracle/patroni_validate.py"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("no Python with Patroni: run `make setup`");
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    writeln!(input, "{}", base()).unwrap();
    let dir = TempDir::new("validate");
    let (mut asked, mut messages, mut alarms) = (0, 0, BTreeMap::<&str, usize>::new());
    let mut missed = BTreeMap::<String, String>::new();
    let mut requests: Vec<Json> = Vec::new();
    for row in rows() {
        let path: Vec<&str> = row.path.split('.').collect();
        requests.push(json!({"path": path, "absent": true}));
        requests.extend(values().into_iter().map(|value| json!({"path": path, "value": value})));
    }
    for (a, b) in [("nofailover", "failover_priority"), ("nosync", "sync_priority")] {
        requests.push(json!({"path": ["tags"], "value": {a: false, b: 1}}));
    }
    for request in &requests {
        writeln!(input, "{request}").unwrap();
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let answer: Json = serde_json::from_str(&line).unwrap_or_else(|_| panic!("the oracle died, asked {request}"));
        asked += 1;
        let says: Vec<&str> = answer["says"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
        if says.is_empty() {
            continue;
        }
        let text = serde_json::to_string_pretty(&answer["config"]).unwrap();
        dir.write("patroni.yml", &text);
        let linted = lint_for(&dir.0, vec![PathBuf::from("patroni.yml")], None, Version::LATEST);
        let tree = parse(&Source::lone("patroni.yml", text)).tree;
        let patroni = Patroni::load_file(&tree, &[], Version::LATEST).tree;
        for message in says {
            messages += 1;
            let path = place(message);
            let alarm = FALSE_ALARMS.iter().find(|(part, end, of, _)| {
                message.contains(part)
                    && path.ends_with(end)
                    && of.is_none_or(|of| answer["config"].pointer(of).is_some_and(asks_for_nothing))
            });
            if let Some((.., why)) = alarm {
                *alarms.entry(why).or_default() += 1;
            } else if let Err(said) = is_found(&linted, &patroni, &path) {
                missed.entry(message.to_owned()).or_insert_with(|| format!("{request}: {said:?}"));
            }
        }
    }
    drop(input);
    child.wait().unwrap();
    println!("{asked} values, {messages} messages; false alarms {alarms:?}");
    let list: Vec<String> = missed.iter().map(|(m, at)| format!("{m}\n    {at}")).collect();
    assert!(missed.is_empty(), "{} kinds missed:\n{}", missed.len(), list.join("\n"));
    assert!(asked > 5000 && messages > 2000, "only {asked} values and {messages} messages");
}
