//! What `check` costs as a whole process, beside `psql` to the same servers, and what deciding connections costs.
//!
//! Everything is measured in one run, so that the ratios hold on any machine: `make bench`. With `--strict` a missed aim is
//! a failure.

#![expect(clippy::disallowed_methods, reason = "whole processes are what is measured")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the table is the result")]

#[expect(dead_code, reason = "the tests use all of it")]
#[path = "../tests/support/pg.rs"]
mod pg;

use std::fmt::Write as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use patroni_preflight::facts::hba_decision::{Connection, Database, Decision, Surroundings, Via, decide};
use patroni_preflight::parse::hba;
use patroni_preflight::source::{Origin, ReadError, Reader, Source, SourceMap};

const CHECK: &str = env!("CARGO_BIN_EXE_patroni-preflight");
const MAJOR: u16 = 16;
/// Servers that run; more nodes than that share them.
const SERVERS: usize = 3;
const LINES: usize = 100_000;
const CONNECTIONS: usize = 100;

type Result<T> = std::result::Result<T, String>;

fn main() -> ExitCode {
    let strict = std::env::args().any(|a| a == "--strict");
    match run() {
        Ok(met) => ExitCode::from(u8::from(strict && !met)),
        Err(why) => {
            eprintln!("bench: {why}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<bool> {
    let flat = nodes()?;
    let quick = connections()?;
    Ok(flat && quick)
}

/// `check` of servers, without their hosts and configuration, and one `psql` after the other.
fn nodes() -> Result<bool> {
    let servers: Vec<pg::Server> = (0..SERVERS)
        .map(|_| pg::Server::start(MAJOR, |_| "max_connections = 50\nfsync = off\nshared_buffers = 16MB\n".to_owned()))
        .collect();
    let dsns: Vec<String> = servers
        .iter()
        .map(|s| format!("host={} port={} user=postgres dbname=postgres", s.socket_dir.display(), s.port))
        .collect();
    let psql = pg::program(MAJOR, "psql");
    println!("check of running servers, whole process, median; peak memory");
    let mut per_node = Vec::new();
    for count in [1, 3, 30] {
        let dsn = |i: usize| &dsns[i % SERVERS];
        let args: Vec<String> = (0..count).flat_map(|i| ["--dsn".to_owned(), format!("n{i}={}", dsn(i))]).collect();
        let mut memory = 0;
        let ours = median(|| {
            let (ms, peak) = check(&args)?;
            memory = memory.max(peak);
            Ok(ms)
        })?;
        let theirs = median(|| (0..count).map(|i| select_1(&psql, dsn(i))).sum())?;
        per_node.push(ours);
        let nodes = if count == 1 { "node" } else { "nodes" };
        println!("  check of {count:>2} {nodes:<40} {ours:>9.2} ms  {memory:>8} KiB");
        println!("  psql -c 'select 1' to each of them {theirs:>24.2} ms  check takes {:.2} x", ours / theirs);
    }
    let growth = per_node[2] / per_node[0];
    Ok(aim(&format!("30 nodes cost at most 10 times what one costs ({growth:.1} x)"), growth <= 10.0))
}

/// Milliseconds and peak memory in KiB of one run.
fn check(args: &[String]) -> Result<(f64, u64)> {
    let begin = Instant::now();
    let mut child = Command::new(CHECK)
        .arg("check")
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|e| e.to_string())?;
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    loop {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|l| l.strip_prefix("VmHWM:")).map(|l| l.trim().trim_end_matches(" kB"));
        peak = line.and_then(|kb| kb.parse().ok()).unwrap_or(0).max(peak);
        match child.try_wait().map_err(|e| e.to_string())? {
            // Their configuration is not given, so not everything can be checked.
            Some(end) if matches!(end.code(), Some(1 | 3)) => break,
            Some(end) => return Err(format!("check ended with {end}")),
            None => std::thread::sleep(Duration::from_micros(500)),
        }
    }
    Ok((begin.elapsed().as_secs_f64() * 1000.0, peak))
}

fn select_1(psql: &Path, dsn: &str) -> Result<f64> {
    let begin = Instant::now();
    let mut command = pg::as_owner(Command::new(psql));
    let status = command.args(["-XAtqc", "select 1", dsn]).stdout(Stdio::null()).status();
    let status = status.map_err(|e| format!("{}: {e} (run `make setup`)", psql.display()))?;
    if status.success() { Ok(begin.elapsed().as_secs_f64() * 1000.0) } else { Err(format!("psql ended with {status}")) }
}

/// A long `pg_hba.conf`, of which the last lines decide.
fn connections() -> Result<bool> {
    let mut text = String::new();
    for i in 0..LINES - CONNECTIONS {
        let _ =
            writeln!(text, "host app{} user{} 10.{}.{}.0/24 scram-sha-256", i % 97, i % 1009, i / 256 % 256, i % 256);
    }
    for i in 0..CONNECTIONS {
        let _ = writeln!(text, "hostssl orders,\"app {i}\" +group{i},client{i} 192.0.2.{i}/32 scram-sha-256");
    }
    println!("\n{CONNECTIONS} connections decided by a pg_hba.conf of {LINES} lines ({} bytes), median", text.len());
    let ms = median(|| {
        let begin = Instant::now();
        let sources = SourceMap::default();
        let source = sources.add(Origin::Virtual("pg_hba.conf".to_owned()), "pg_hba.conf", text.clone().into_bytes());
        let parsed = hba::parse(&source, &Nothing, MAJOR);
        for i in 0..CONNECTIONS {
            let addr = IpAddr::from([192, 0, 2, u8::try_from(i).map_err(|e| e.to_string())?]);
            let connection = Connection {
                via: Via::Host { addr, tls: true, gss: false },
                database: Database::Named("orders".to_owned()),
                user: format!("client{i}"),
            };
            match decide(&parsed.tree, &connection, &Surroundings::unknown()) {
                Ok(Decision::Rule(rule)) if rule == LINES - CONNECTIONS + i => {}
                other => return Err(format!("connection {i}: {other:?}")),
            }
        }
        Ok(begin.elapsed().as_secs_f64() * 1000.0)
    })?;
    println!("  read and decided {ms:>44.2} ms");
    Ok(aim("at most 1 s", ms <= 1000.0))
}

/// No other files.
struct Nothing;

impl Reader for Nothing {
    fn read(&self, _: &Path) -> std::result::Result<Arc<Source>, ReadError> {
        Err(ReadError::Missing)
    }

    fn list(&self, _: &Path) -> std::result::Result<Vec<PathBuf>, ReadError> {
        Err(ReadError::Missing)
    }
}

fn aim(what: &str, met: bool) -> bool {
    println!("  {}: {what}", if met { "PASS" } else { "FAIL" });
    met
}

/// The middle of several runs after one for warmth.
fn median(mut once: impl FnMut() -> Result<f64>) -> Result<f64> {
    once()?;
    let mut times = (0..7).map(|_| once()).collect::<Result<Vec<_>>>()?;
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() / 2])
}
