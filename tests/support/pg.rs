//! Real PostgreSQL servers for oracle tests, one private data directory each.
//!
//! ```text
//! let server = Server::start(18, |_dir| "work_mem = 8MB\n".to_owned());
//! let mut db = server.client();
//! let rows = db.query("SELECT name, setting FROM pg_settings");   // texts, NULL = None
//! ```
//!
//! A server lies under the temporary directory, listens on a unix socket in [`Server::socket_dir`] and, on
//! [`Server::port`], only where the test's own settings say so (`listen_addresses`). It is stopped by its pid and its
//! directory removed when the value goes out of scope, also when the test fails. Data directories are copied from a
//! template that `initdb` makes once per version and machine. PostgreSQL refuses root, so as root the programs run as
//! the user `postgres`.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio_postgres::{NoTls, SimpleQueryMessage};

/// The major versions that are tested.
pub(crate) const VERSIONS: [u16; 6] = [13, 14, 15, 16, 17, 18];

/// The value of an environment variable of the tests.
#[expect(clippy::disallowed_methods, reason = "tests are steered by the environment")]
pub(crate) fn env(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|v| !v.is_empty())
}

#[expect(clippy::disallowed_methods, reason = "oracle tests run the real programs")]
pub(crate) fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    Command::new(program)
}

/// `target/tools`, or where `PREFLIGHT_TOOLS` points.
pub(crate) fn tools() -> PathBuf {
    let own = || Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools");
    let tools = env("PREFLIGHT_TOOLS").map_or_else(own, PathBuf::from);
    // The set-up may have put a link there, to a place that the servers' user can reach.
    tools.canonicalize().unwrap_or(tools)
}

/// A program of a PostgreSQL version.
///
/// # Panics
/// When it is not installed: an oracle test must not pass without its oracle.
pub(crate) fn program(version: u16, name: &str) -> PathBuf {
    let path = tools().join(format!("pg/{version}/bin/{name}"));
    assert!(path.exists(), "{} is missing: run `make setup`", path.display());
    path
}

/// Uid and gid that servers run under: our own, or those of `postgres` when we are root.
fn owner() -> (u32, u32) {
    let me = fs::metadata("/proc/self").expect("proc");
    if me.uid() != 0 {
        return (me.uid(), me.gid());
    }
    let passwd = fs::read_to_string("/etc/passwd").expect("/etc/passwd");
    let line = passwd.lines().find(|l| l.starts_with("postgres:")).expect("a user `postgres`: run `make setup`");
    let field = |n: usize| line.split(':').nth(n).and_then(|f| f.parse().ok()).expect("a number in /etc/passwd");
    (field(2), field(3))
}

/// A program of a PostgreSQL version, ready to run as the servers' user, with a plain environment.
pub(crate) fn pg_command(version: u16, name: &str) -> Command {
    as_owner(command(program(version, name)))
}

/// A program that runs as the servers' user, with a plain environment.
pub(crate) fn as_owner(mut c: Command) -> Command {
    let (uid, gid) = owner();
    if fs::metadata("/proc/self").expect("proc").uid() == 0 {
        c.uid(uid).gid(gid);
    }
    c.env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C").current_dir(std::env::temp_dir());
    c
}

/// Makes a file or directory belong to the user that servers run under.
pub(crate) fn give(path: &Path) {
    let (uid, gid) = owner();
    chown(path, Some(uid), Some(gid)).expect("chown to the servers' user");
}

/// Writes a file that the server can read; makes its directories.
pub(crate) fn write(path: &Path, bytes: impl AsRef<[u8]>) {
    if let Some(dir) = path.parent().filter(|d| !d.exists()) {
        fs::create_dir_all(dir).expect("directory");
        give(dir);
    }
    fs::write(path, bytes).expect("write");
    give(path);
}

fn run(c: &mut Command) -> Output {
    let out = c.stdin(Stdio::null()).output().expect("the program starts");
    assert!(
        out.status.success(),
        "{c:?}: {}{}",
        String::from_utf8_lossy(&out.stdout),
        String::from_utf8_lossy(&out.stderr)
    );
    out
}

/// A fresh directory under the temporary one that the servers' user owns; short, since socket paths end at 107 bytes.
pub(crate) fn temp_dir(tag: &str) -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    let dir = std::env::temp_dir().join(format!("pf-{tag}-{}-{n}", std::process::id()));
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).expect("temporary directory");
    give(&dir);
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o700)).expect("mode");
    dir
}

/// A data directory of this version to copy from; `initdb` runs once, also when several processes ask at once.
pub(crate) fn template(version: u16) -> PathBuf {
    static MAKING: Mutex<()> = Mutex::new(());
    let _one = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    let exact = run(pg_command(version, "postgres").arg("--version")).stdout;
    let exact: String = String::from_utf8_lossy(&exact).chars().filter(|c| c.is_ascii_digit() || *c == '.').collect();
    let home = std::env::temp_dir().join(format!("pf-template-{}-{exact}", owner().0));
    if !home.exists() {
        let fresh = temp_dir("initdb");
        let args = ["-N", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "-D"];
        run(pg_command(version, "initdb").args(args).arg(fresh.join("data")));
        // Another process may have been quicker; a directory that has something in it is not replaced.
        let _ = fs::rename(&fresh, &home);
        let _ = fs::remove_dir_all(&fresh);
    }
    home.join("data")
}

/// A new data directory of this version below `dir`, as `initdb` leaves it; nothing runs in it.
pub(crate) fn data_dir(version: u16, dir: &Path) -> PathBuf {
    let data = dir.join("data");
    run(command("cp").arg("-a").arg(template(version)).arg(&data));
    data
}

/// A running server. See the module's text.
pub(crate) struct Server {
    /// Major version.
    pub(crate) version: u16,
    /// Where its socket lies.
    pub(crate) socket_dir: PathBuf,
    /// The number in the socket's name, free on loopback when the server was started.
    pub(crate) port: u16,
    /// `PGDATA`; `postgresql.conf` holds what the test's closure said, and nothing else.
    pub(crate) data_dir: PathBuf,
    child: Child,
}

impl Server {
    /// Starts a server with the settings that `conf` writes for its data directory (it may also put files there).
    ///
    /// Socket, port and what makes a throw-away server quick are given on the command line, so `postgresql.conf` is
    /// all the test's own.
    ///
    /// # Panics
    /// When it does not accept connections within a minute; its log is in the message.
    pub(crate) fn start(version: u16, conf: impl FnOnce(&Path) -> String) -> Self {
        let dir = temp_dir(&format!("pg{version}"));
        let data_dir = data_dir(version, &dir);
        let port = std::net::TcpListener::bind(("127.0.0.1", 0)).and_then(|l| l.local_addr()).expect("a port").port();
        let text = conf(&data_dir);
        write(&data_dir.join("postgresql.conf"), text);
        let log = fs::File::create(dir.join("log")).expect("log");
        let child = pg_command(version, "postgres")
            .arg("-D")
            .arg(&data_dir)
            .args(["-p", &port.to_string(), "-F", "-c"])
            .arg(format!("unix_socket_directories={}", dir.display()))
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("log"))
            .stderr(log)
            .spawn()
            .expect("postgres starts");
        let mut server = Self { version, socket_dir: dir, port, data_dir, child };
        server.wait_ready();
        server
    }

    fn wait_ready(&mut self) {
        let since = Instant::now();
        loop {
            if Client::connect(&self.socket_dir, self.port).is_ok() {
                return;
            }
            let ended = self.child.try_wait().expect("wait");
            let late = since.elapsed() > Duration::from_mins(1);
            assert!(ended.is_none() && !late, "PostgreSQL {} did not start:\n{}", self.version, self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What the server has written to its standard error.
    pub(crate) fn log(&self) -> String {
        let bytes = fs::read(self.socket_dir.join("log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// A new connection as superuser to the database `postgres`.
    ///
    /// # Panics
    /// When the server refuses it.
    pub(crate) fn client(&self) -> Client {
        Client::connect(&self.socket_dir, self.port).expect("a connection")
    }

    /// Sends a signal (`HUP`, `INT`, …) to the postmaster.
    pub(crate) fn signal(&self, name: &str) {
        run(command("kill").args(["-s", name, &self.child.id().to_string()]));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = command("kill").args(["-s", "QUIT", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.socket_dir);
    }
}

/// One row of an answer, as texts.
pub(crate) type Row = Vec<Option<String>>;

/// A blocking connection.
pub(crate) struct Client {
    runtime: tokio::runtime::Runtime,
    client: tokio_postgres::Client,
}

impl Client {
    fn connect(socket_dir: &Path, port: u16) -> Result<Self, tokio_postgres::Error> {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let mut config = tokio_postgres::Config::new();
        config.host_path(socket_dir).port(port).user("postgres").dbname("postgres");
        let (client, connection) = runtime.block_on(config.connect(NoTls))?;
        runtime.spawn(connection);
        Ok(Self { runtime, client })
    }

    /// Runs one or more statements, returns all rows. Values come as texts.
    ///
    /// # Errors
    /// What the server said, as its message.
    pub(crate) fn try_query(&mut self, sql: &str) -> Result<Vec<Row>, tokio_postgres::Error> {
        let answer = self.runtime.block_on(self.client.simple_query(sql))?;
        Ok(answer
            .into_iter()
            .filter_map(|m| match m {
                SimpleQueryMessage::Row(r) => Some((0..r.len()).map(|i| r.get(i).map(str::to_owned)).collect()),
                _ => None,
            })
            .collect())
    }

    /// As [`Client::try_query`], for statements that must succeed.
    ///
    /// # Panics
    /// With the server's message.
    pub(crate) fn query(&mut self, sql: &str) -> Vec<Row> {
        self.try_query(sql).unwrap_or_else(|e| panic!("{sql}: {e:?}"))
    }
}

#[test]
fn each_version_starts_answers_and_reloads() {
    for version in VERSIONS {
        let server = Server::start(version, |_| "work_mem = 5MB\n".to_owned());
        let mut db = server.client();
        let rows = db.query("SELECT current_setting('server_version_num')::int / 10000, current_setting('work_mem')");
        assert_eq!(rows, [[Some(version.to_string()), Some("5MB".to_owned())]]);
        write(&server.data_dir.join("postgresql.conf"), "work_mem = 6MB\n");
        server.signal("HUP");
        let since = Instant::now();
        while db.query("SHOW work_mem") != [[Some("6MB".to_owned())]] {
            assert!(since.elapsed() < Duration::from_mins(1), "{}", server.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
