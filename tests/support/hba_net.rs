//! A PostgreSQL server in a network namespace of its own, with two more for clients, to see what it does with real log-ins.
//!
//! Needs root and iproute2. Everything has names with the test's pid in it and is removed when the value goes out of scope.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use patroni_preflight::facts::hba_decision::Interface;

use super::pg;

#[expect(clippy::disallowed_methods, reason = "the real programs are the oracle")]
fn command(program: &str) -> Command {
    Command::new(program)
}

fn run(program: &str, args: &[&str]) -> String {
    let out = command(program).args(args).stdin(Stdio::null()).output().unwrap_or_else(|e| panic!("{program}: {e}"));
    assert!(out.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).into_owned()
}

/// Where clients sit: 0 is the server's own namespace, 1 and 2 their own.
pub(crate) const SOURCES: [(usize, &str, &str); 11] = [
    (0, "127.0.0.1", "127.0.0.1"),
    (0, "127.0.0.9", "127.0.0.1"),
    (0, "::1", "::1"),
    (0, "198.18.41.1", "198.18.41.1"),
    (1, "198.18.41.2", "198.18.41.1"),
    (1, "198.18.41.130", "198.18.41.1"),
    (1, "fd18:41::2", "fd18:41::1"),
    (1, "10.9.8.7", "198.18.41.1"),
    (2, "198.18.42.2", "198.18.42.1"),
    (2, "fd18:42::2", "fd18:42::1"),
    (2, "fd18:99::7", "fd18:42::1"),
];

/// The names that the server's resolver knows for clients.
pub(crate) const NAMES: [(&str, &str); 4] = [
    ("198.18.41.2", "db1.pf.test"),
    ("198.18.42.2", "App.other.test"),
    ("fd18:41::2", "db6.pf.test"),
    ("127.0.0.1", "localhost"),
];

/// Namespaces, the links between them and their resolver's files.
struct Net {
    names: [String; 3],
}

impl Net {
    fn new() -> Self {
        let pid = std::process::id();
        let net = Self { names: ["s", "a", "b"].map(|n| format!("pf{pid}{n}")) };
        for name in &net.names {
            run("ip", &["netns", "add", name]);
            run("ip", &["-n", name, "link", "set", "lo", "up"]);
            let etc = PathBuf::from(format!("/etc/netns/{name}"));
            fs::create_dir_all(&etc).expect("/etc/netns");
            fs::write(etc.join("resolv.conf"), "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n").expect("write");
            let hosts = NAMES.map(|(addr, name)| format!("{addr} {name}\n")).concat();
            fs::write(etc.join("hosts"), hosts).expect("write");
        }
        for (i, (third, extra)) in [("41", "10.9.8.7/32"), ("42", "fd18:99::7/128")].into_iter().enumerate() {
            let (server, client) = (&net.names[0], &net.names[i + 1]);
            let (near, far) = (format!("pf{third}s"), format!("pf{third}c"));
            run("ip", &["-n", server, "link", "add", &near, "type", "veth", "peer", "name", &far, "netns", client]);
            let add = |ns: &str, dev: &str, addr: &str| {
                let v6: &[&str] = if addr.contains(':') { &["nodad"] } else { &[] };
                run("ip", &[&["-n", ns, "addr", "add", addr, "dev", dev], v6].concat());
            };
            add(server, &near, &format!("198.18.{third}.1/25"));
            add(server, &near, &format!("fd18:{third}::1/64"));
            add(client, &far, &format!("198.18.{third}.2/24"));
            add(client, &far, &format!("198.18.{third}.130/24"));
            add(client, &far, &format!("fd18:{third}::2/64"));
            add(client, &far, extra);
            run("ip", &["-n", server, "link", "set", &near, "up"]);
            run("ip", &["-n", client, "link", "set", &far, "up"]);
            for to in [extra, &format!("198.18.{third}.128/25")] {
                run("ip", &["-n", server, "route", "add", to, "dev", &near]);
            }
        }
        net
    }

    fn inside(&self, which: usize, program: &str) -> Command {
        let mut c = command("ip");
        c.args(["netns", "exec", &self.names[which], program]);
        c
    }

    /// What the server sees of its own interfaces.
    fn interfaces(&self) -> Vec<Interface> {
        let text = run("ip", &["-n", &self.names[0], "-o", "addr", "show"]);
        text.lines()
            .filter_map(|line| {
                let mut words = line.split_whitespace().skip_while(|w| !w.starts_with("inet"));
                let (addr, bits) = words.nth(1)?.split_once('/')?;
                let addr: IpAddr = addr.parse().ok()?;
                let bits: u32 = bits.parse().ok()?;
                let mask = match addr {
                    IpAddr::V4(_) => IpAddr::V4(u32::MAX.checked_shl(32 - bits).unwrap_or(0).into()),
                    IpAddr::V6(_) => IpAddr::V6(u128::MAX.checked_shl(128 - bits).unwrap_or(0).into()),
                };
                Some(Interface { addr, mask })
            })
            .collect()
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        for name in &self.names {
            let _ = command("ip").args(["netns", "del", name]).status();
            let _ = fs::remove_dir_all(format!("/etc/netns/{name}"));
        }
    }
}

/// A client process in one namespace.
struct Client {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Client {
    fn start(net: &Net, which: usize) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/hba_client.py");
        let python = pg::tools().join("py/bin/python");
        assert!(python.exists(), "{} is missing: run `make setup`", python.display());
        let mut child = net
            .inside(which, &python.to_string_lossy())
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python");
        let to = child.stdin.take().expect("piped");
        let from = BufReader::new(child.stdout.take().expect("piped"));
        Self { child, to, from }
    }

    fn ask(&mut self, ask: &serde_json::Value) -> (u16, String) {
        writeln!(self.to, "{ask}").and_then(|()| self.to.flush()).expect("the client listens");
        let mut line = String::new();
        self.from.read_line(&mut line).expect("the client answers");
        let (port, outcome) = line.trim().split_once(' ').expect("port and outcome");
        (port.parse().expect("a port"), outcome.to_owned())
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The server and its clients.
pub(crate) struct Site {
    /// Major version.
    pub(crate) version: u16,
    /// Where its socket, log and data directory lie.
    pub(crate) dir: PathBuf,
    /// The server's interfaces.
    pub(crate) interfaces: Vec<Interface>,
    child: Child,
    clients: Vec<Client>,
    read_to: usize,
    _net: Net,
}

const PORT: u16 = 5432;

impl Site {
    /// Starts everything; `sql` is run first, over the socket.
    pub(crate) fn start(version: u16, tls: bool, sql: &str) -> Self {
        let net = Net::new();
        let dir = pg::temp_dir("net");
        run("chmod", &["0755", &dir.to_string_lossy()]);
        let data = pg::data_dir(version, &dir);
        let mut conf = "listen_addresses = '*'\nlog_connections = on\nlog_line_prefix = '%p@%r@'\nfsync = off\n\
             max_connections = 50\nlog_hostname = off\nauthentication_timeout = 20s\n"
            .to_owned();
        if tls {
            make_certificate(&data);
            conf.push_str("ssl = on\n");
        }
        pg::write(&data.join("postgresql.conf"), conf);
        pg::write(&data.join("pg_hba.conf"), "local all all trust\n");
        let log = fs::File::create(dir.join("log")).expect("log");
        let postgres = pg::program(version, "postgres");
        let owner = run("stat", &["-c", "%u %g", &data.to_string_lossy()]);
        let (uid, gid) = owner.trim().split_once(' ').expect("uid and gid");
        let child = net
            .inside(0, "setpriv")
            .args(["--reuid", uid, "--regid", gid, "--clear-groups"])
            .arg(postgres)
            .arg("-D")
            .arg(&data)
            .args(["-p", &PORT.to_string(), "-c"])
            .arg(format!("unix_socket_directories={}", dir.display()))
            .env("LC_ALL", "C")
            .current_dir(&dir)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("postgres starts");
        let interfaces = net.interfaces();
        let clients = (0..3).map(|which| Client::start(&net, which)).collect();
        let mut site = Self { version, dir, interfaces, child, clients, read_to: 0, _net: net };
        site.wait_for(|log| log.contains("database system is ready to accept connections"));
        site.psql(sql);
        site
    }

    fn psql(&self, sql: &str) {
        let psql = pg::program(15, "psql");
        let dir = self.dir.to_string_lossy();
        let port = PORT.to_string();
        let args =
            ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", &dir, "-p", &port, "-U", "postgres", "-c", sql, "postgres"];
        run(&psql.to_string_lossy(), &args);
    }

    /// The path of the file that the server reads.
    pub(crate) fn hba_path(&self) -> PathBuf {
        self.dir.join("data/pg_hba.conf")
    }

    fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.dir.join("log")).unwrap_or_default()).into_owned()
    }

    fn wait_for(&mut self, seen: impl Fn(&str) -> bool) {
        let since = Instant::now();
        loop {
            let log = self.log();
            if seen(&log[self.read_to.min(log.len())..]) {
                return;
            }
            let ended = self.child.try_wait().expect("wait");
            assert!(
                ended.is_none() && since.elapsed() < Duration::from_secs(30),
                "PostgreSQL {}:\n{log}",
                self.version
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Gives the server new files and waits until it has read them.
    pub(crate) fn reload(&mut self, hba: &str, ident: &str) {
        pg::write(&self.hba_path(), hba);
        pg::write(&self.dir.join("data/pg_ident.conf"), ident);
        self.read_to = self.log().len();
        run("kill", &["-HUP", &self.child.id().to_string()]);
        self.wait_for(|log| log.contains("reloading configuration files"));
        std::thread::sleep(Duration::from_millis(30));
        let log = self.log();
        assert!(!log[self.read_to..].contains("was not reloaded"), "{}\n{hba}", &log[self.read_to..]);
    }

    /// Tries to log in; returns whether it was let in, and what the server logged about this one connection.
    pub(crate) fn attempt(&mut self, which: usize, mut ask: serde_json::Value) -> (bool, String) {
        if ask["host"].is_null() {
            ask["host"] = serde_json::json!(self.dir);
        }
        ask["port"] = serde_json::json!(PORT);
        self.read_to = self.log().len();
        let (_, outcome) = self.clients[which].ask(&ask);
        assert!(!outcome.starts_with("error"), "{ask}: {outcome}");
        let log = self.log();
        // Attempts are made one at a time, so the last connection received is ours.
        let new = &log[self.read_to..];
        let received = new.lines().rev().find(|l| l.contains("connection received")).unwrap_or_default();
        let pid = received.split('@').next().unwrap_or_default();
        let mut ours = String::new();
        let mut is_ours = false;
        for line in new.lines() {
            // A text that goes on has a tab in front instead of the prefix.
            let mut text = line;
            if !line.starts_with('\t') {
                is_ours = line.split('@').next() == Some(pid);
                text = line.splitn(3, '@').last().unwrap_or(line);
            }
            if is_ours {
                ours.extend([text, "\n"]);
            }
        }
        (outcome == "accepted", ours)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.clients.clear();
        let _ = command("kill").args(["-QUIT", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.dir);
    }
}

fn make_certificate(data: &Path) {
    let (key, crt) = (data.join("server.key"), data.join("server.crt"));
    let args = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=pf.test", "-keyout"];
    run("openssl", &[&args[..], &[&key.to_string_lossy(), "-out", &crt.to_string_lossy()]].concat());
    run("chmod", &["0600", &key.to_string_lossy()]);
    pg::give(&key);
    pg::give(&crt);
}
