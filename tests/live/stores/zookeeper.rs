//! A server of ZooKeeper takes a Java and some minutes, so what a real one (3.8.0 of Debian 12) answered was recorded, and is answered
//! here again to a client that says the same, byte by byte. `PREFLIGHT_ZOOKEEPER=HOST:PORT` records anew; `KEYS` must lie there.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};

use patroni_preflight::bundle::Answer;
use patroni_preflight::bundle::dcs::Store;

use super::{Listener, orders, said, stores, why};
use crate::support::path;
use crate::support::pg::env;

/// What lies below `/apps/service/orders` when it is recorded; `config` only for the user `patroni` (`digest`, password `fixture-digest`).
const KEYS: [(&str, &str); 8] = [
    ("failsafe", "{}"),
    ("history", r#"[[1,50331808,"no recovery target specified","2026-01-31T12:00:00+00:00","pg1"]]"#),
    ("initialize", "7430101010101010101"),
    ("leader", "pg1"),
    (
        "members/pg1",
        r#"{"conn_url":"postgres://192.0.2.11:5432/postgres","api_url":"http://192.0.2.11:8008/patroni","state":"running","role":"primary","version":"4.1.5"}"#,
    ),
    (
        "members/pg2",
        r#"{"conn_url":"postgres://192.0.2.12:5432/postgres","api_url":"http://192.0.2.12:8008/patroni","state":"running","role":"replica","version":"4.1.5"}"#,
    ),
    ("status", r#"{"optime":67108960}"#),
    ("sync", ""),
];

const CONFIG: &str = r#"{"ttl":30,"postgresql":{"parameters":{"primary_conninfo":"host=a password=***"}}}"#;

/// The packets of one connection, in turn: what the client sends and what it gets.
type Talk = Vec<(Vec<u8>, Vec<u8>)>;

fn file(name: &str) -> std::path::PathBuf {
    path(&format!("fixtures/recorded/zookeeper/{name}.txt"))
}

/// A packet with its length in front; `srvr` has none, nor has its answer.
fn packet(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = vec![0; 4];
    if stream.read_exact(&mut bytes).is_err() {
        return Vec::new();
    }
    let length = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    if length < 1 << 20 {
        bytes.resize(4 + usize::try_from(length).unwrap(), 0);
        stream.read_exact(&mut bytes[4..]).unwrap();
    }
    bytes
}

fn record(server: &str, client: &mut TcpStream) -> Talk {
    let mut server = TcpStream::connect(server).unwrap();
    let mut talk = Talk::new();
    loop {
        let sent = packet(client);
        if sent.is_empty() {
            return talk;
        }
        server.write_all(&sent).unwrap();
        let mut got = Vec::new();
        if sent == b"srvr" {
            server.read_to_end(&mut got).unwrap();
        } else {
            got = packet(&mut server);
        }
        client.write_all(&got).unwrap();
        let is_word = sent == b"srvr";
        talk.push((sent, got));
        if is_word {
            return talk;
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|n| u8::from_str_radix(&hex[2 * n..2 * n + 2], 16).unwrap()).collect()
}

fn talks(name: &str) -> Vec<Talk> {
    let text = fs::read_to_string(file(name)).unwrap();
    let connections = text.split("connection\n").skip(1);
    let line = |l: Option<&str>, start: &str| bytes(l.unwrap().strip_prefix(start).unwrap());
    connections
        .map(|connection| {
            let mut lines = connection.lines();
            let mut talk = Talk::new();
            while let Some(first) = lines.next() {
                talk.push((line(Some(first), "> "), line(lines.next(), "< ")));
            }
            talk
        })
        .collect()
}

/// What is collected through a recorded conversation, which must go to its end.
fn told(name: &str, scope: &str, section: &str) -> Store {
    let server = env("PREFLIGHT_ZOOKEEPER");
    let recorded = Arc::new(Mutex::new(Vec::new()));
    let left = Arc::new(Mutex::new(if server.is_some() { Vec::new() } else { talks(name) }));
    let (kept, open, real) = (Arc::clone(&recorded), Arc::clone(&left), server.clone());
    // One connection follows the other, so the lock keeps their order.
    let listener = Listener::new(move |mut client| {
        let mut kept = kept.lock().unwrap();
        if let Some(server) = &real {
            kept.push(record(server, &mut client));
            return;
        }
        let talk = {
            let mut open = open.lock().unwrap();
            if open.is_empty() { Talk::new() } else { open.remove(0) }
        };
        let mut wrong = Talk::new();
        for (sent, got) in talk {
            let said = packet(&mut client);
            if said != sent {
                wrong.push((said, sent));
                break;
            }
            client.write_all(&got).unwrap();
        }
        if !wrong.is_empty() {
            kept.push(wrong);
        }
    });
    let text =
        format!("scope: {scope}\nname: pg1\nzookeeper:\n  hosts: ['127.0.0.1:{}/apps']\n{section}", listener.port);
    let store = stores(&[("pg1", &text)]).remove(0);
    let talks = recorded.lock().unwrap();
    if server.is_some() {
        let mut text = String::new();
        for talk in talks.iter() {
            text.push_str("connection\n");
            for (sent, got) in talk {
                writeln!(text, "> {}\n< {}", hex(sent), hex(got)).unwrap();
            }
        }
        fs::create_dir_all(file(name).parent().unwrap()).unwrap();
        fs::write(file(name), text).unwrap();
    } else {
        assert!(talks.is_empty(), "{name}: said and recorded: {talks:?}");
        assert!(left.lock().unwrap().is_empty(), "{name}: not all was asked");
    }
    store
}

#[test]
fn keys_are_read_with_a_login() {
    let store = told("login", "orders", "  auth_data:\n    digest: patroni:fixture-digest\n");
    assert_eq!(store.endpoints[0].version, Answer::Got("3.8.0".to_owned()));
    assert_eq!(store.endpoints[0].healthy, Answer::Got(true));
    let mut want = KEYS.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec();
    want.insert(0, ("config".to_owned(), CONFIG.to_owned()));
    assert_eq!(orders(&store).unwrap().keys.clone().into_iter().collect::<Vec<_>>(), want);
}

#[test]
fn a_right_that_is_missing_is_named() {
    let store = told("no-login", "orders", "");
    let said = said(orders(&store).unwrap_err());
    assert!(said.starts_with("Denied: 127.0.0.1:"), "{said}");
    assert!(said.ends_with(": the right to read /apps/service/orders/config is missing"), "{said}");
}

#[test]
fn a_scope_that_is_not_there_is_empty() {
    let store = told("no-scope", "billing", "");
    assert!(store.scopes["/service/billing"].got().unwrap().keys.is_empty());
}

#[test]
fn a_server_that_forbids_the_word_or_does_not_serve_is_no_healthy_one() {
    let word = |text: &'static str| {
        let server = Listener::new(move |mut stream| {
            let mut sent = [0; 4];
            let _ = stream.read_exact(&mut sent);
            if &sent == b"srvr" {
                let _ = stream.write_all(text.as_bytes());
            }
        });
        let text = format!("scope: orders\nname: pg1\nzookeeper:\n  hosts: 127.0.0.1:{}\n", server.port);
        stores(&[("pg1", &text)]).remove(0)
    };
    let forbidden = word("srvr is not executed because it is not in the whitelist.\n");
    assert!(why(&forbidden.endpoints[0].healthy).starts_with("Denied: the word srvr is not allowed there"));
    assert!(said(orders(&forbidden).unwrap_err()).contains("the connection was closed"), "{forbidden:?}");
    let lost = word("This ZooKeeper instance is not currently serving requests\n");
    assert_eq!(lost.endpoints[0].healthy, Answer::Got(false));
    assert!(why(&lost.endpoints[0].version).starts_with("Unreachable: This ZooKeeper instance"));
}
