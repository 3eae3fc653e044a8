//! Real Patroni daemons and a real etcd for them, on loopback, with files of cases below `fixtures/rules`.
//!
//! Patroni starts in forks of one Python process (`tests/oracle/patroni_daemon.py`), because an interpreter of its own costs a third of
//! a second. It runs as the user that servers run under. Everything is ended by its pid when its owner goes out of scope.

use std::cell::Cell;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use patroni_preflight::knowledge::patroni::Version;
use patroni_preflight::remedy::edit;
use patroni_preflight::run::Linted;
use regex::bytes::Regex;
use serde_json::{Value as Json, json};

use super::pg::{as_owner, command, data_dir, give, pg_command, temp_dir, tools, write};
use super::record::{self, SOME, Stage};
use super::{lint_for, path};

/// A port that nobody listens on, each one once, below those that the kernel gives to connections.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Runs at the same time begin at different places.
    let start = u16::try_from(std::process::id() % 180).expect("small") * 100;
    loop {
        let port = 10_240 + (start + NEXT.fetch_add(1, Ordering::Relaxed)) % 20_000;
        if TcpListener::bind(("0.0.0.0", port)).is_ok() {
            return port;
        }
    }
}

/// An etcd with one member, in memory of the machine only as long as the test runs.
pub(crate) struct Etcd {
    dir: PathBuf,
    /// Where clients connect.
    pub(crate) port: u16,
    child: Child,
}

impl Etcd {
    /// Starts one that speaks plain HTTP, and API v3 only.
    pub(crate) fn start() -> Self {
        Self::start_with("http", &[])
    }

    /// The same with more arguments.
    ///
    /// # Panics
    /// When it is not there or does not start.
    pub(crate) fn start_with(scheme: &str, args: &[&str]) -> Self {
        let program = tools().join("etcd/etcd");
        assert!(program.exists(), "{} is missing: run `make setup`", program.display());
        let (dir, port, peers) = (temp_dir("etcd"), free_port(), free_port());
        let (clients, peers) = (format!("{scheme}://127.0.0.1:{port}"), format!("http://127.0.0.1:{peers}"));
        let log = fs::File::create(dir.join("log")).expect("log");
        let mut c = as_owner(command(program));
        c.arg("--data-dir").arg(dir.join("data"));
        c.args(["--listen-client-urls", &clients, "--advertise-client-urls", &clients]);
        c.args(["--listen-peer-urls", &peers, "--initial-advertise-peer-urls", &peers]);
        c.args(["--initial-cluster", &format!("default={peers}")]).args(args);
        let out = log.try_clone().expect("log");
        let child = c.stdin(Stdio::null()).stdout(out).stderr(log).spawn().expect("etcd starts");
        let mut etcd = Self { dir, port, child };
        let since = Instant::now();
        // It listens before its members agree on a version, and Patroni cannot read what it answers until then.
        while !etcd.log().contains("set the initial cluster version") {
            let ended = etcd.child.try_wait().expect("wait").is_some() || since.elapsed() > Duration::from_secs(30);
            assert!(!ended, "etcd: {}", etcd.log());
            std::thread::sleep(Duration::from_millis(10));
        }
        etcd
    }

    fn log(&self) -> String {
        fs::read_to_string(self.dir.join("log")).unwrap_or_default()
    }
}

impl Drop for Etcd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// What a daemon has written so far, and how it ended, if it did.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) log: String,
    pub(crate) ended: Option<i64>,
}

/// The process in whose forks Patroni runs.
pub(crate) struct Patroni {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Patroni {
    /// # Panics
    /// When there is no Python with Patroni.
    pub(crate) fn new() -> Self {
        let mut c = as_owner(command(tools().join("py/bin/python")));
        c.args(["-W", "ignore"]).arg(path("tests/oracle/patroni_daemon.py"));
        let mut child = c.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("no Python: run `make setup`");
        let (input, output) = (child.stdin.take(), BufReader::new(child.stdout.take().expect("a pipe")));
        Self { child, input, output }
    }

    fn ask(&mut self, request: &Json) -> Json {
        let input = self.input.as_mut().expect("a pipe");
        writeln!(input, "{request}").expect("it lives");
        let mut line = String::new();
        self.output.read_line(&mut line).expect("it lives");
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("Patroni's process died, asked {request}"))
    }

    fn said(answer: &Json) -> Said {
        Said { log: answer["log"].as_str().unwrap_or_default().to_owned(), ended: answer["ended"].as_i64() }
    }

    /// Starts `patroni FILE` in the directory of a site; its log is `<id>.log` there. What an earlier one has left of a new cluster goes.
    pub(crate) fn start(&mut self, site: &Site, id: &str, args: &[&str]) {
        if !site.has_data.get() {
            let _ = fs::remove_dir_all(site.dir.join("data"));
        }
        let memory = site.memory;
        self.ask(&json!({"start": id, "args": args, "dir": site.dir, "env": site.environment(), "memory": memory}));
    }

    /// Waits until the log of a daemon holds a pattern, the daemon has ended, or some seconds have passed.
    pub(crate) fn wait(&mut self, id: &str, until: &str, seconds: u64) -> Said {
        Self::said(&self.ask(&json!({"wait": id, "until": until, "seconds": seconds})))
    }

    /// Waits for a pattern.
    ///
    /// # Panics
    /// When it does not come; the log is in the message.
    pub(crate) fn expect(&mut self, id: &str, pattern: &str) -> Said {
        let said = self.wait(id, pattern, 30);
        assert!(holds(&said.log, pattern), "{id} does not say {pattern:?}:\n{}", said.log);
        said
    }

    /// Ends a daemon as systemd does, and PostgreSQL with it.
    pub(crate) fn stop(&mut self, id: &str) -> Said {
        Self::said(&self.ask(&json!({"stop": id})))
    }

    /// Ends a daemon at once; a server that it has started runs on until its [`Site`] goes.
    pub(crate) fn kill(&mut self, id: &str) -> Said {
        Self::said(&self.ask(&json!({"stop": id, "kill": true})))
    }

    /// What a program says until a pattern comes, it ends, or a minute is over; then it is killed.
    pub(crate) fn run(&mut self, site: &Site, args: &[&str], until: &str) -> Said {
        self.start(site, "patroni", args);
        self.wait("patroni", until, 60);
        self.kill("patroni")
    }

    /// A Python expression over `config`, the configuration that Patroni makes of a file, or what it raises, as text.
    pub(crate) fn eval(&mut self, site: &Site, file: &str, expression: &str) -> String {
        let request = json!({"eval": expression, "file": file, "dir": site.dir, "env": site.environment()});
        let answer = self.ask(&request);
        answer.get("raises").and_then(Json::as_str).map_or_else(|| answer["is"].to_string(), str::to_owned)
    }
}

impl Drop for Patroni {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

/// What a server of HTTP answers, or what is wrong with it.
pub(crate) fn http(address: &str, request: &str) -> String {
    let ask = || -> std::io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(request.as_bytes())?;
        let mut answer = Vec::new();
        match std::io::Read::read_to_end(&mut stream, &mut answer) {
            Err(e) if answer.is_empty() => Err(e),
            _ => Ok(answer),
        }
    };
    ask().map_or_else(|e| e.to_string(), |a| String::from_utf8_lossy(&a).into_owned())
}

/// Whether a text holds a pattern; `.` is any byte.
pub(crate) fn holds(text: &str, pattern: &str) -> bool {
    let found = Regex::new(&format!("(?s-u){pattern}")).expect("a pattern").find(text.as_bytes());
    if let Some(found) = &found {
        record::note(Stage::Log, SOME, record::line_of(text, &String::from_utf8_lossy(found.as_bytes())));
    }
    found.is_some()
}

/// The files of a case, with ports that are free and with directories and programs of this machine. They lie in two places: with the
/// addresses that stand in them, for lint, and with addresses of loopback in their stead, for Patroni.
pub(crate) struct Site {
    /// Where Patroni runs.
    pub(crate) dir: PathBuf,
    plain: PathBuf,
    /// The port of PostgreSQL.
    pub(crate) port: u16,
    /// The port of the REST API.
    pub(crate) rest: u16,
    /// More variables for Patroni.
    pub(crate) env: Vec<(String, String)>,
    /// The most memory that a daemon may take beyond what its start needs, no limit when 0.
    pub(crate) memory: u64,
    pub(crate) has_data: Cell<bool>,
    places: Vec<(Regex, String)>,
    addresses: Vec<(Regex, String)>,
}

fn patterns(table: Vec<(&str, String)>) -> Vec<(Regex, String)> {
    table.into_iter().map(|(from, to)| (Regex::new(&format!("(?-u){from}")).expect("a pattern"), to)).collect()
}

fn changed(text: &[u8], table: &[(Regex, String)]) -> Vec<u8> {
    table.iter().fold(text.to_vec(), |text, (from, to)| from.replace_all(&text, to.as_bytes()).into_owned())
}

impl Site {
    /// An empty one whose members find their store at a port.
    pub(crate) fn new(etcd: u16) -> Self {
        Self::with_port(etcd, free_port())
    }

    /// The same for a server that listens already.
    pub(crate) fn with_port(etcd: u16, port: u16) -> Self {
        let (dir, plain, rest) = (temp_dir("site"), temp_dir("plain"), free_port());
        let at = dir.display();
        let places = patterns(vec![
            (r"\b5432\b", port.to_string()),
            (r"\b8008\b", rest.to_string()),
            (r"(?m)^ +config_dir: .*\n", String::new()),
            (r"pgpass: /\S+", format!("pgpass: {at}/pgpass")),
            (r"unix_socket_directories: \S+", format!("unix_socket_directories: {at}")),
            (r"/(var/lib|srv)/postgresql/\d+/\w+", format!("{at}/data")),
            (r"/usr/lib/postgresql/(\d+)/bin", format!("{}/pg/$1/bin", tools().display())),
        ]);
        let addresses = patterns(vec![
            (r"(192\.0\.2|10\.20\.0)\.\d+:2379", format!("127.0.0.1:{etcd}")),
            (r"192\.0\.2\.", "127.2.0.".to_owned()),
            (r" /etc/patroni/", format!(" {at}/host/etc/patroni/")),
            (r"10\.20\.([0-9])\.", "127.20.${1}.".to_owned()),
        ]);
        Self { dir, plain, port, rest, env: Vec::new(), memory: 0, has_data: Cell::new(false), places, addresses }
    }

    fn environment(&self) -> Json {
        let mut all: serde_json::Map<String, Json> = self.env.iter().map(|(k, v)| (k.clone(), json!(v))).collect();
        all.insert("HOME".to_owned(), json!(self.dir));
        all.into()
    }

    /// Puts the files of a case here.
    pub(crate) fn lay(&self, rule: &str, case: &str) {
        let input = path(&format!("fixtures/rules/{rule}/{case}/input"));
        assert!(input.is_dir(), "{} is no case", input.display());
        for entry in walkdir::WalkDir::new(&input) {
            let entry = entry.expect("a file");
            if entry.file_type().is_file() {
                let bytes = fs::read(entry.path()).expect("a file");
                self.lay_text(entry.path().strip_prefix(&input).expect("below"), &bytes);
            }
        }
    }

    /// Puts one file here, with the text that it would have in a case.
    pub(crate) fn lay_text(&self, file: impl AsRef<Path>, text: &[u8]) {
        self.write(file, changed(text, &self.places));
    }

    /// Makes the member of a file one that has a database: a primary, or a standby of nobody yet. All data directories of one version
    /// are of one system.
    pub(crate) fn take_over(&self, file: &str, version: u16, standby: bool) {
        self.has_data.set(true);
        let home = self.dir.join(file).with_extension("home");
        let _ = fs::remove_dir_all(&home);
        fs::create_dir(&home).expect("directory");
        give(&home);
        let data = data_dir(version, &home);
        write(
            &data.join("pg_hba.conf"),
            "local all all trust\nhost all all all trust\nhost replication all all trust\n",
        );
        let quick = format!("fsync = off\nunix_socket_directories = '{}'\n", home.display());
        write(&data.join("postgresql.conf"), quick);
        if standby {
            write(&data.join("standby.signal"), "");
        }
        let text = fs::read(self.plain.join(file)).expect("a file");
        let own = patterns(vec![
            (r"username: (patroni_su|replicator|rewinder)", "username: postgres".to_owned()),
            (r"loop_wait: \d+", "loop_wait: 1".to_owned()),
            (r"( data_dir: )\S+", format!("${{1}}{}", data.display())),
            (r"(bin_dir: \S+/pg/)\d+", format!("${{1}}{version}")),
        ]);
        self.write(file, changed(&text, &own));
    }

    /// The data directory of a member that has taken one over.
    pub(crate) fn data_of(&self, file: &str) -> PathBuf {
        let home = fs::read_dir(self.dir.join(file).with_extension("home")).expect("it has a database");
        let mut below = home.map(|e| e.expect("an entry").path());
        below.find(|p| p.join("PG_VERSION").exists()).expect("a data directory")
    }

    /// Starts the server of such a member, as it runs before there is a Patroni.
    pub(crate) fn run_server(&self, file: &str, version: u16) {
        let (data, log) = (self.data_of(file), self.dir.join("server.log"));
        let options = format!("-p {} -c listen_addresses=*", self.port);
        let mut c = pg_command(version, "pg_ctl");
        c.arg("-D").arg(data).arg("-l").arg(log).args(["-s", "-w", "-o", &options, "start"]);
        assert!(c.stdin(Stdio::null()).status().expect("pg_ctl").success(), "the server of {file} does not start");
    }

    /// Ends the servers that killed daemons have left running; the first line of a pid file is the pid.
    pub(crate) fn end_servers(&self) {
        for entry in walkdir::WalkDir::new(&self.dir).max_depth(4).into_iter().flatten() {
            if entry.file_name() == "postmaster.pid" {
                let text = fs::read_to_string(entry.path()).unwrap_or_default();
                if let Some(pid) = text.lines().next().filter(|l| l.parse::<u32>().is_ok()) {
                    let _ = command("kill").args(["-s", "QUIT", pid]).stderr(Stdio::null()).status();
                    let since = Instant::now();
                    // It keeps its port until then. One that nobody waits for stays there as a zombie, without a program.
                    let program = format!("/proc/{pid}/exe");
                    while fs::read_link(&program).is_ok() && since.elapsed() < Duration::from_secs(5) {
                        std::thread::sleep(Duration::from_millis(10));
                    }
                }
            }
        }
    }

    /// Writes a file.
    pub(crate) fn write(&self, file: impl AsRef<Path>, bytes: impl AsRef<[u8]>) {
        write(&self.dir.join(&file), changed(bytes.as_ref(), &self.addresses));
        write(&self.plain.join(&file), bytes);
    }

    /// Gives a file another mode.
    pub(crate) fn chmod(&self, file: &str, mode: u32) {
        for dir in [&self.dir, &self.plain] {
            fs::set_permissions(dir.join(file), fs::Permissions::from_mode(mode)).expect("a file");
        }
    }

    /// Replaces a text of a case in its file, where it must stand once.
    pub(crate) fn replace(&self, file: &str, from: &[u8], to: &str) {
        let text = fs::read(self.plain.join(file)).expect("a file");
        let from = changed(from, &self.places);
        let found: Vec<usize> = (0..text.len()).filter(|at| text[*at..].starts_with(&from)).collect();
        let [at] = found[..] else {
            panic!("{:?} stands {} times in {file}", String::from_utf8_lossy(&from), found.len())
        };
        let to = changed(to.as_bytes(), &self.places);
        self.write(file, [&text[..at], &to, &text[at + from.len()..]].concat());
    }

    /// Replaces a text wherever it stands in a file.
    pub(crate) fn replace_all(&self, file: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.plain.join(file)).expect("a file");
        self.write(file, text.replace(from, to));
    }

    /// Adds to a file, which may be a new one.
    pub(crate) fn append(&self, file: &str, text: &str) {
        let old = fs::read(self.plain.join(file)).unwrap_or_default();
        self.write(file, [old, changed(text.as_bytes(), &self.places)].concat());
    }

    /// Takes a file away.
    pub(crate) fn remove(&self, file: &str) {
        for dir in [&self.dir, &self.plain] {
            fs::remove_file(dir.join(file)).expect("a file");
        }
    }

    /// A text with the ports, directories and addresses that Patroni has here.
    pub(crate) fn localized(&self, text: &str) -> String {
        String::from_utf8(changed(&changed(text.as_bytes(), &self.places), &self.addresses)).expect("UTF-8")
    }

    /// What lint says of the files here.
    pub(crate) fn lint(&self) -> Linted {
        lint_for(&self.plain, vec![".".into()], None, Version::LATEST)
    }

    /// The findings of a rule, as they would be printed, without their places.
    pub(crate) fn findings(&self, rule: &str) -> Vec<String> {
        let linted = self.lint();
        let found = linted.outcome.findings.iter().filter(|f| f.rule == rule).map(|f| f.message.clone());
        let found: Vec<String> = found.collect();
        let stage = if found.is_empty() { Stage::Gone } else { Stage::Said };
        record::note(stage, rule, found.first().map_or("", String::as_str));
        found
    }

    /// Applies the edits that a rule offers here; how many there were.
    pub(crate) fn mend(&self, rule: &str) -> usize {
        let linted = self.lint();
        let together = edit::together(linted.outcome.findings.iter().filter(|f| f.rule == rule));
        let mut count = 0;
        for (source, edits) in together {
            let source = linted.facts.sources.get(source);
            self.write(source.path().expect("a file is edited"), edit::apply(source.bytes(), &edits));
            count += edits.len();
        }
        record::note(Stage::Fix, rule, format!("{count} edits of the fix"));
        count
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.end_servers();
        let _ = fs::remove_dir_all(&self.dir);
        let _ = fs::remove_dir_all(&self.plain);
    }
}
