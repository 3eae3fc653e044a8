//! What is collected from running programs.

mod consul;
mod etcd;
mod rest;
mod zookeeper;

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use patroni_preflight::bundle::dcs::{Scope, Store};
use patroni_preflight::bundle::{Answer, Miss};
use patroni_preflight::collect::dcs;
use patroni_preflight::collect::member::Member;
use patroni_preflight::collect::net::{Limits, Net};
use patroni_preflight::knowledge::patroni::Version;
use patroni_preflight::parse::patroni::Patroni as Config;
use patroni_preflight::parse::yaml;
use patroni_preflight::source::Source;

use crate::support::pg::{as_owner, command};

/// Short enough for a test to wait for, long enough for a busy machine.
const QUICK: Limits =
    Limits { connect: Duration::from_secs(2), answer: Duration::from_secs(3), body: 1 << 20, at_once: 8 };

/// The configuration of a text.
fn config(text: &str) -> Config {
    let source = Source::lone("patroni.yml", text);
    Config::load_file(&yaml::parse(&source).tree, &[], Version::LATEST).tree
}

/// Runs something that waits for the network.
fn block<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let value = runtime.block_on(future);
    runtime.shutdown_background();
    value
}

/// The stores of members, given by name and text.
fn stores_with(members: &[(&str, &str)], net: &Net) -> Vec<Store> {
    let configs: Vec<Config> = members.iter().map(|(_, text)| config(text)).collect();
    let members: Vec<Member<'_>> =
        members.iter().zip(&configs).map(|((name, _), config)| Member { name, config, here: true }).collect();
    block(dcs::collect(&members, net))
}

fn stores(members: &[(&str, &str)]) -> Vec<Store> {
    stores_with(members, &Net::new(Limits { answer: Duration::from_secs(10), ..QUICK }))
}

/// The store of one member `pg1` with the scope `orders`; the text is the section of the store.
fn store(section: &str) -> Store {
    let text = format!("scope: orders\nname: pg1\n{section}\n");
    let mut found = stores(&[("pg1", &text)]);
    assert_eq!(found.len(), 1);
    found.remove(0)
}

fn orders(store: &Store) -> Result<&Scope, &Miss> {
    store.scopes["/service/orders"].as_result()
}

/// An answer that is missing, as `why: detail`.
fn why<T: std::fmt::Debug>(answer: &Answer<T>) -> String {
    match answer {
        Answer::Missing(miss) => said(miss),
        Answer::Got(value) => panic!("{value:?} was had"),
    }
}

fn said(miss: &Miss) -> String {
    format!("{:?}: {}", miss.why, miss.detail)
}

/// A program that listens and does with each connection what the test wants.
struct Listener {
    port: u16,
    stop: Arc<AtomicBool>,
}

impl Listener {
    fn new(answer: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, answer) = (Arc::clone(&stop), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::Relaxed) {
                    break;
                }
                let (answer, stream) = (Arc::clone(&answer), stream.unwrap());
                thread::spawn(move || answer(stream));
            }
        });
        Self { port, stop }
    }

    /// Answers each request of HTTP by what its first line and its header lines are; all of them are kept.
    fn http(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> (Self, Arc<Mutex<Vec<String>>>) {
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&requests);
        let listener = Self::new(move |mut stream| {
            let mut request = Vec::new();
            let mut byte = [0];
            while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|n| n > 0) {
                request.push(byte[0]);
            }
            let request = String::from_utf8_lossy(&request).into_owned();
            let said = answer(&request);
            kept.lock().unwrap().push(request);
            let _ = stream.write_all(said.as_bytes());
        });
        (listener, requests)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// An answer of HTTP.
fn answer(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len())
}

/// Programs that keep nobody waiting for ever and give nobody an answer.
fn hostile() -> Vec<(&'static str, Listener)> {
    let quiet = |mut stream: TcpStream| {
        // Reads on until the other side goes.
        let _ = stream.set_read_timeout(Some(Duration::from_secs(20)));
        let mut buffer = [0; 1024];
        while stream.read(&mut buffer).is_ok_and(|n| n > 0) {}
    };
    let endless = |start: &'static str, piece: &'static [u8], pause: u64| {
        move |mut stream: TcpStream| {
            // What speaks HTTP waits for its turn.
            if start.starts_with("HTTP") {
                let _ = stream.read(&mut [0; 4096]);
            }
            let _ = stream.write_all(start.as_bytes());
            while stream.write_all(piece).is_ok() {
                thread::sleep(Duration::from_millis(pause));
            }
        }
    };
    let body = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[";
    vec![
        ("nothing", Listener::new(quiet)),
        ("closed at once", Listener::new(drop)),
        ("garbage", Listener::new(endless("\u{1}\u{2}SSH-2.0-x\r\n", b"\0\xff\x7f\r\n", 1))),
        ("endless body", Listener::new(endless(body, &[b'['; 8192], 0))),
        ("slow body", Listener::new(endless(body, b"[", 200))),
        (
            "endless header",
            Listener::new(endless("HTTP/1.1 200 OK\r\n", b"X-A: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n", 0)),
        ),
        ("deep", Listener::http(|_| answer("200 OK", "", &"[".repeat(200_000))).0),
        (
            "wrong shape",
            Listener::http(|_| answer("200 OK", "", r#"{"etcdserver":7,"etcdcluster":[],"kvs":7,"Config":[]}"#)).0,
        ),
        ("short", Listener::http(|_| "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{".to_owned()).0),
        ("redirect", Listener::http(|_| answer("302 Found", "Location: http://127.0.0.1:1/\r\n", "")).0),
    ]
}

/// Writes a certificate of a signer, and certificates by it for a server and a client, with their keys; the client's key once more,
/// encrypted; and a certificate for `localhost` that signs itself: `own.crt`, `own.key`, `ca.crt`, `server.crt`, `server.key`, `client.crt`, `client.key`, `client.enc`.
fn certificates(dir: &Path) {
    let openssl = |args: &[&str]| {
        let out = as_owner(command("openssl")).current_dir(dir).args(args).output().unwrap();
        assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
    };
    let new = ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    openssl(
        &[&new[..], &["-x509", "-days", "2", "-subj", "/CN=Test CA", "-keyout", "ca.key", "-out", "ca.crt"]].concat(),
    );
    std::fs::write(
        dir.join("ext"),
        "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:127.2.0.11\nextendedKeyUsage=serverAuth,clientAuth\n",
    )
    .unwrap();
    let own = ["-x509", "-days", "2", "-subj", "/CN=own", "-addext", "subjectAltName=DNS:localhost"];
    openssl(&[&new[..], &own[..], &["-keyout", "own.key", "-out", "own.crt"]].concat());
    for name in ["server", "client"] {
        let [key, request, cert] = ["key", "csr", "crt"].map(|end| format!("{name}.{end}"));
        openssl(&[&new[..], &["-subj", &format!("/CN={name}"), "-keyout", &key, "-out", &request]].concat());
        let sign =
            ["x509", "-req", "-days", "2", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "ext"];
        openssl(&[&sign[..], &["-in", &request, "-out", &cert]].concat());
    }
    openssl(&["ec", "-in", "client.key", "-aes256", "-passout", "pass:secret", "-out", "client.enc"]);
}
