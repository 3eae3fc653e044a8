//! Servers that are down, hang, vanish, or send nonsense.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use patroni_preflight::collect::sql::Limits;
use patroni_preflight::gap::GapReason;

use super::{ask, collect_now, missed, question, session, socket_dsn, target};
use crate::support::pg::Server;
use crate::support::rng::Rng;

const QUICK: Duration = Duration::from_millis(500);

/// A server that does `what` with each connection; returns its port.
fn serve(what: impl Fn(TcpStream) + Send + Sync + Clone + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let what = what.clone();
            std::thread::spawn(move || what(stream));
        }
    });
    port
}

fn dsn(port: u16) -> String {
    format!("host=127.0.0.1 port={port} user=u password=s3cret sslmode=disable")
}

fn limits() -> Limits {
    Limits { connect: QUICK, statement: QUICK, grace: QUICK, node: 4 * QUICK, ..Limits::default() }
}

#[test]
fn a_server_that_is_down_is_unreachable() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let answer = ask(target(&dsn(port)), vec![], limits());
    assert!(
        matches!(missed(&answer), (GapReason::Unreachable, d) if d.contains(&format!("127.0.0.1:{port}")) && d.contains("refused"))
    );
    let answer = ask(target("host=/nonexistent"), vec![], limits());
    assert_eq!(missed(&answer).0, GapReason::Unreachable);
    let answer = ask(target("host=no-such-host.invalid"), vec![], limits());
    assert!(matches!(missed(&answer), (GapReason::Unreachable, d) if d.contains("no-such-host.invalid")));
}

#[test]
fn a_hung_server_takes_its_time_limit_and_no_other_node_waits() {
    let hung = serve(|mut stream| {
        let mut sink = [0; 64];
        while stream.read(&mut sink).is_ok_and(|n| n > 0) {}
    });
    let server = Server::start(16, |_| String::new());
    let mut targets: Vec<_> = (0..20).map(|n| (format!("hung{n:02}"), target(&dsn(hung)))).collect();
    targets.push(("alive".to_owned(), target(&socket_dsn(&server))));
    let since = Instant::now();
    let all = collect_now(targets, vec![question("one", "SELECT 1 AS one")], limits());
    assert!(since.elapsed() < 6 * QUICK, "{:?}", since.elapsed());
    assert_eq!(all.sessions.keys().next().unwrap(), "alive");
    session(&all.sessions["alive"]);
    let hung = all.sessions.iter().filter(|(n, _)| n.starts_with("hung")).map(|(_, a)| missed(a).0);
    assert_eq!(hung.collect::<Vec<_>>(), [GapReason::TimedOut; 20]);
    assert!(all.sent["hung00"].is_empty());
}

#[test]
fn when_the_connection_is_lost_what_was_had_stays_and_the_rest_is_unreachable() {
    let server = Server::start(15, |_| String::new());
    let asked = vec![
        question("first", "SELECT 1 AS one"),
        question("lost", "SELECT pg_terminate_backend(pg_backend_pid())"),
        question("later", "SELECT 2 AS two"),
        question("last", "SELECT 3 AS three"),
    ];
    let mut all = collect_now(vec![("pg1".into(), target(&socket_dsn(&server)))], asked, Limits::default());
    let answer = all.sessions.remove("pg1").unwrap();
    let answers = &session(&answer).answers;
    assert!(answers["first"].got().is_some());
    assert!(matches!(missed(&answers["lost"]), (GapReason::Unreachable, d) if d.contains("57P01")), "{answers:?}");
    for later in ["later", "last"] {
        assert!(matches!(missed(&answers[later]), (GapReason::Unreachable, d) if d.contains("lost")), "{answers:?}");
    }
    assert!(all.sent["pg1"].len() <= 4 && !all.sent["pg1"].iter().any(|s| s.contains("three")), "{:?}", all.sent);
}

/// A message of the server.
fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let len = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
    [&[tag], &len[..], body].concat()
}

/// What a server says until it waits for statements.
fn welcome() -> Vec<u8> {
    [message(b'R', &[0; 4]), message(b'Z', b"I")].concat()
}

#[test]
fn garbage_neither_panics_nor_hangs() {
    let mut rng = Rng::new(crate::support::number("PREFLIGHT_SEED", 1));
    let mut cases: Vec<Vec<u8>> = vec![
        vec![],
        b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
        vec![0; 10_000],
        vec![0xff; 10_000],
        message(b'R', &[0, 0, 0, 99]),
        message(b'R', &[]),
        message(b'R', &[0, 0, 0, 10, b'x']),
        [message(b'R', &[0, 0, 0, 5]), vec![b'x'; 100]].concat(),
        message(b'E', b"SFATAL\0C28P01\0Mpassword s3cret is wrong\0\0"),
        message(b'E', b"\xff\xfe"),
        [welcome(), message(b'T', &[0, 1, b'a', 0])].concat(),
        [welcome(), message(b'D', &[0, 5])].concat(),
        [welcome(), message(b'T', &[0xff; 30])].concat(),
        [welcome(), message(b'D', &[0x7f, 0xff, 0xff, 0xff, 0xff, 0xff]), message(b'Z', b"I")].concat(),
        [welcome(), vec![b'D', 0x7f, 0xff, 0xff, 0xff]].concat(),
        [welcome(), vec![b'D', 0, 0, 0, 0]].concat(),
        [welcome(), message(b'C', b"SELECT 1\0"), message(b'Z', b"I")].concat(),
    ];
    for _ in 0..60 {
        let len = rng.below(300);
        let mut bytes: Vec<u8> = (0..len).map(|_| u8::try_from(rng.below(256)).unwrap()).collect();
        if rng.below(2) == 0 {
            bytes.splice(0..0, welcome());
        }
        cases.push(bytes);
    }
    let targets: Vec<_> = cases
        .iter()
        .enumerate()
        .map(|(n, bytes)| {
            let bytes = bytes.clone();
            let port = serve(move |mut stream| {
                let mut sink = [0; 1000];
                let _ = stream.read(&mut sink);
                let _ = stream.write_all(&bytes);
                while stream.read(&mut sink).is_ok_and(|n| n > 0) {}
            });
            (format!("{n:03}"), target(&dsn(port)))
        })
        .collect();
    let since = Instant::now();
    let limits = Limits { at_once: 100, ..limits() };
    let all = collect_now(targets, vec![question("one", "SELECT 1 AS one")], limits);
    assert!(since.elapsed() < 12 * QUICK, "{:?}", since.elapsed());
    assert_eq!(all.sessions.len(), cases.len());
    for (name, answer) in &all.sessions {
        let (_, detail) = missed(answer);
        assert!(!detail.contains("s3cret") && !detail.contains("please report"), "{name}: {detail}");
    }
    // `HTTP` reads as the head of a long message, whose rest is waited for.
    assert_eq!(missed(&all.sessions["001"]).0, GapReason::TimedOut, "{:?}", all.sessions["001"]);
    let said = missed(&all.sessions["008"]);
    assert!(said.0 == GapReason::Denied && said.1.contains("28P01: password *** is wrong"), "{said:?}");
}

#[test]
fn a_server_that_never_stops_sending_is_cut_off() {
    let port = serve(|mut stream| {
        let mut sink = [0; 1000];
        let _ = stream.read(&mut sink);
        let _ = stream.write_all(&welcome());
        let column = [&b"\0\x01a\0"[..], &[0; 18]].concat();
        let _ = stream.write_all(&message(b'T', &column));
        let row = message(b'D', &[&[0, 1, 0, 0, 0x40, 0][..], &[b'x'; 0x4000]].concat());
        while stream.write_all(&row).is_ok() {}
    });
    let limits = Limits { bytes: 1 << 20, connect: 20 * QUICK, node: 40 * QUICK, ..limits() };
    let since = Instant::now();
    let answer = ask(target(&dsn(port)), vec![], limits);
    missed(&answer);
    assert!(since.elapsed() < 10 * QUICK, "{:?}", since.elapsed());
}

#[test]
fn a_pooler_that_drops_our_settings_is_not_asked() {
    // A server that answers the first statement as one would whose session has none of our settings.
    let port = serve(|mut stream| {
        let mut sink = [0; 4000];
        let _ = stream.read(&mut sink);
        let _ = stream.write_all(&welcome());
        let _ = stream.read(&mut sink);
        let names = ["version", "in_recovery", "role", "database", "default_transaction_read_only"];
        let values = ["160004", "f", "u", "d", "off"];
        let n = u8::try_from(names.len()).unwrap();
        let columns = names.iter().flat_map(|n| [n.as_bytes(), &[0; 19]].concat());
        let cells = values.iter().flat_map(|v| [&u32::try_from(v.len()).unwrap().to_be_bytes(), v.as_bytes()].concat());
        let row: Vec<u8> = [0, n].into_iter().chain(cells).collect();
        let head: Vec<u8> = [0, n].into_iter().chain(columns).collect();
        let end = [message(b'C', b"SELECT 1\0"), message(b'Z', b"I")].concat();
        let _ = stream.write_all(&[message(b'T', &head), message(b'D', &row), end].concat());
        while stream.read(&mut sink).is_ok_and(|n| n > 0) {}
    });
    let mut all = collect_now(vec![("a".into(), target(&dsn(port)))], vec![question("q", "SELECT 1")], limits());
    let answer = all.sessions.remove("a").unwrap();
    assert!(matches!(missed(&answer), (GapReason::Denied, d) if d.contains("default_transaction_read_only is off")));
    assert_eq!(all.sent["a"].len(), 1);
    let port = serve(|mut stream| {
        let mut sink = [0; 1000];
        let _ = stream.read(&mut sink);
        let words = b"SFATAL\0C08P01\0Munsupported startup parameter in options: lock_timeout\0\0";
        let _ = stream.write_all(&message(b'E', words));
    });
    let answer = ask(target(&dsn(port)), vec![], limits());
    assert!(matches!(missed(&answer), (GapReason::Denied, d) if d.contains("pooler")));
}
