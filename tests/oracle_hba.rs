//! What we read in `pg_hba.conf` and `pg_ident.conf` against the views of real servers, which read the file at each query.

#![expect(clippy::print_stdout, reason = "what was compared, and the seed, belong into the log")]

use std::path::Path;

use patroni_preflight::parse::{hba, ident};
use patroni_preflight::source::{Origin, Reader};

use crate::support::hba_files::{Disk, Rng, SIDE_FILES, file, hba_line, ident_line, seed, size};
use crate::support::pg::{Client, Row, Server, write};

/// How the servers under `target/tools` were built.
pub(crate) fn build(version: u16) -> hba::Server {
    let debian = version == 15;
    let interfaces = std::fs::read_dir("/sys/class/net").expect("interfaces");
    hba::Server {
        has_ssl: !matches!(version, 16 | 18),
        has_gss: debian,
        has_pam: debian,
        has_ldap: debian,
        ssl: Some(false),
        oauth_validators: Some("v, w".to_owned()),
        interfaces: Some(interfaces.map(|i| i.expect("entry").file_name().to_string_lossy().into_owned()).collect()),
        resolvable: Some(vec!["localhost".to_owned()]),
        ..hba::Server::packaged(version)
    }
}

/// A server that can be asked about files with any bytes in them.
struct Oracle {
    server: Server,
    db: Client,
}

const HEX: &str = "encode(convert_to(@, 'SQL_ASCII'), 'hex')";

impl Oracle {
    fn start(version: u16) -> Self {
        let conf = if version >= 18 { "oauth_validator_libraries = 'v, w'\n" } else { "" };
        let server = Server::start(version, |_| conf.to_owned());
        // Before a database is known, and so for the real file, the server takes every byte for a character.
        server.client().query("UPDATE pg_database SET encoding = 0 WHERE datname = 'postgres'");
        for (name, text) in SIDE_FILES {
            write(&server.data_dir.join(name), text);
        }
        write(&server.data_dir.join("looped"), "a @looped\n");
        let db = server.client();
        Self { server, db }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.server.data_dir.join(name)
    }

    fn hba_rows(&mut self) -> Result<Vec<Row>, String> {
        let text = |c: &str| HEX.replace('@', c);
        let list = |c: &str| {
            format!(
                "CASE WHEN {c} IS NOT NULL THEN (SELECT string_agg({}, ',' ORDER BY o) FROM unnest({c}) WITH ORDINALITY u(x, o)) END",
                text("x")
            )
        };
        let new = self.server.version >= 16;
        let (number, name) = if new { ("rule_number", text("file_name")) } else { ("NULL", "NULL".to_owned()) };
        let sql = format!(
            "SELECT {number}, {name}, line_number, {}, {}, {}, {}, {}, {}, {}, {} FROM pg_hba_file_rules",
            text("type"),
            list("database"),
            list("user_name"),
            text("address"),
            text("netmask"),
            text("auth_method"),
            list("options"),
            text("error")
        );
        self.db.try_query(&sql).map_err(|e| message(&e))
    }

    fn ident_rows(&mut self) -> Result<Vec<Row>, String> {
        let text = |c: &str| HEX.replace('@', c);
        let new = self.server.version >= 16;
        let (number, name) = if new { ("map_number", text("file_name")) } else { ("NULL", "NULL".to_owned()) };
        let sql = format!(
            "SELECT {number}, {name}, line_number, {}, {}, {}, {} FROM pg_ident_file_mappings",
            text("map_name"),
            text("sys_name"),
            text("pg_username"),
            text("error")
        );
        self.db.try_query(&sql).map_err(|e| message(&e))
    }
}

fn message(e: &tokio_postgres::Error) -> String {
    e.as_db_error().map_or_else(|| e.to_string(), |e| e.message().to_owned())
}

fn unhex(text: &str) -> String {
    let bytes: Vec<u8> =
        (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).expect("hex")).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Columns that hold hexadecimal text become readable, lists joined with `|`.
fn readable(rows: Vec<Row>, plain: usize) -> Vec<Row> {
    let one = |c: String| c.split(',').map(unhex).collect::<Vec<_>>().join("|");
    rows.into_iter()
        .map(|r| r.into_iter().enumerate().map(|(i, c)| if i == 0 || i == plain { c } else { c.map(one) }).collect())
        .collect()
}

fn predicted_hba(path: &Path, server: &hba::Server) -> Vec<Row> {
    let disk = Disk::default();
    let source = disk.read(path).expect("our own file");
    let parsed = hba::parse_for(&source, &disk, server);
    let new = server.version >= 16;
    let join = |l: Option<Vec<String>>| l.map(|l| l.join("|"));
    hba::rows(&parsed.tree, true)
        .into_iter()
        .map(|r| {
            vec![
                r.rule_number.filter(|_| new).map(|n| n.to_string()),
                new.then_some(r.file_name),
                Some(r.line_number.to_string()),
                r.kind,
                join(r.database),
                join(r.user_name),
                r.address,
                r.netmask,
                r.auth_method,
                join(r.options),
                r.error,
            ]
        })
        .collect()
}

fn predicted_ident(path: &Path, version: u16) -> Vec<Row> {
    let disk = Disk::default();
    let source = disk.read(path).expect("our own file");
    let parsed = ident::parse(&source, &disk, version);
    let new = version >= 16;
    ident::rows(&parsed.tree)
        .into_iter()
        .map(|r| {
            let [map, system, role] = r.mapping.map_or([None, None, None], |m| m.map(Some));
            let number = r.map_number.filter(|_| new).map(|n| n.to_string());
            vec![number, new.then_some(r.file_name), Some(r.line_number.to_string()), map, system, role, r.error]
        })
        .collect()
}

/// `***` in our answer stands for anything: a secret that we do not show.
fn same(ours: &[Row], theirs: &[Row]) -> bool {
    ours.len() == theirs.len()
        && ours.iter().zip(theirs).all(|(a, b)| {
            a.iter().zip(b).all(|(a, b)| {
                a == b
                    || matches!((a, b), (Some(a), Some(b)) if a.contains("***")
                        && b.starts_with(a.split("***").next().unwrap_or_default())
                        && b.ends_with(a.rsplit("***").next().unwrap_or_default()))
            })
        })
}

/// A cycle of `@file` before 16 ends the query, not the line.
fn is_cycle(theirs: &str) -> bool {
    theirs.contains("exceeded maxAllocatedDescs") || theirs.contains("too many open files")
}

struct Tally {
    files: usize,
    rows: usize,
    errors: usize,
    cycles: usize,
}

fn compare(version: u16, n: usize, seed: u64, what: &str) -> Tally {
    let mut oracle = Oracle::start(version);
    let server = build(version);
    let mut rng = Rng::new(seed ^ u64::from(version) << 32);
    let mut tally = Tally { files: 0, rows: 0, errors: 0, cycles: 0 };
    let path = oracle.path(if what == "hba" { "pg_hba.conf" } else { "pg_ident.conf" });
    let mut failures = Vec::new();
    for i in 0..n {
        let bytes = if what == "hba" { file(&mut rng, hba_line) } else { file(&mut rng, ident_line) };
        // The backend of 13 dies of a cycle, and takes every connection with it.
        if version == 13 && bytes.windows(6).any(|w| w == b"looped") {
            continue;
        }
        std::fs::write(&path, &bytes).expect("write");
        let (ours, theirs) = if what == "hba" {
            (predicted_hba(&path, &server), oracle.hba_rows())
        } else {
            (predicted_ident(&path, version), oracle.ident_rows())
        };
        tally.files += 1;
        let theirs = match theirs {
            Ok(rows) => readable(rows, 2),
            Err(e) => {
                let ours_too = ours.iter().any(|r| r.last().is_some_and(|e| e.as_deref().is_some_and(is_cycle)));
                assert!(is_cycle(&e) && ours_too, "seed {seed} file {i}: {e}\n{}", String::from_utf8_lossy(&bytes));
                tally.cycles += 1;
                continue;
            }
        };
        tally.rows += theirs.len();
        tally.errors += theirs.iter().filter(|r| r.last().is_some_and(Option::is_some)).count();
        if !same(&ours, &theirs) {
            failures.push(difference(version, i, &bytes, &ours, &theirs));
        }
    }
    let shown: Vec<&String> = failures.iter().take(12).collect();
    assert!(
        failures.is_empty(),
        "seed {seed}: {} of {n} differ:\n{}",
        failures.len(),
        shown.iter().map(|s| s.as_str()).collect::<String>()
    );
    println!(
        "PostgreSQL {version} {what}: {} files, {} rows, {} with an error, {} cycles: all equal",
        tally.files, tally.rows, tally.errors, tally.cycles
    );
    tally
}

fn difference(version: u16, i: usize, bytes: &[u8], ours: &[Row], theirs: &[Row]) -> String {
    let mut out = format!("--- PostgreSQL {version}, file {i}: {} rows, they {}\n", ours.len(), theirs.len());
    for (k, line) in String::from_utf8_lossy(bytes).lines().enumerate() {
        let line: String = line.chars().take(160).collect();
        out.extend([format!("{:3} {line:?}\n", k + 1)]);
    }
    let pairs = ours
        .iter()
        .map(Some)
        .chain(std::iter::repeat(None))
        .zip(theirs.iter().map(Some).chain(std::iter::repeat(None)));
    for (a, b) in pairs.take(ours.len().max(theirs.len())).filter(|(a, b)| a != b).take(3) {
        let short = |r: Option<&Row>| format!("{r:?}").chars().take(600).collect::<String>();
        out.extend([format!("  we   {}\n  they {}\n", short(a), short(b))]);
    }
    out
}

#[test]
fn hba_rows_are_those_of_the_server_15() {
    compare(15, size(600), seed(), "hba");
}

#[test]
fn hba_rows_are_those_of_the_server_18() {
    compare(18, size(600), seed(), "hba");
}

#[test]
fn hba_rows_are_those_of_the_other_servers() {
    for version in [13, 14, 16, 17] {
        compare(version, size(600) / 4, seed(), "hba");
    }
}

#[test]
fn ident_rows_are_those_of_the_servers() {
    for version in [15, 16, 17, 18] {
        compare(version, size(600) / 4, seed(), "ident");
    }
}

#[test]
fn the_corpus_is_read_as_postgresql_15_read_it() {
    let root = crate::support::pg::env("PREFLIGHT_CORPUS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus"), Into::into);
    let Ok(oracle) = std::fs::read_to_string(root.join("oracle/hba_rules.jsonl")) else {
        println!("corpus not found: skipped 1");
        return;
    };
    let (mut files, mut later) = (0, Vec::new());
    for line in oracle.lines() {
        let entry: serde_json::Value = serde_json::from_str(line).expect("json");
        let origin = entry["origin"].as_str().expect("origin");
        if origin.contains('#') {
            later.push(origin.to_owned());
            continue;
        }
        let disk = Disk::default();
        let bytes = std::fs::read(root.join(origin)).expect("corpus file");
        let source = disk.sources.add(Origin::File(root.join(origin)), origin, bytes);
        let mut server = build(15);
        server.ssl = None;
        check_entry(&entry, origin, &hba::parse_for(&source, &disk, &server).tree);
        files += 1;
    }
    println!("corpus: {files} files equal; lists inside of Patroni files are in tests/corpus.rs: {}", later.len());
}

fn check_entry(entry: &serde_json::Value, origin: &str, tree: &hba::Hba) {
    let list = |l: Option<Vec<String>>| serde_json::json!(l);
    let mut ours: Vec<serde_json::Value> = hba::rows(tree, true)
        .into_iter()
        .map(|r| {
            serde_json::json!({"line_number": r.line_number, "type": r.kind, "database": list(r.database),
                "user_name": list(r.user_name), "address": r.address, "netmask": r.netmask, "auth_method": r.auth_method,
                "options": list(r.options), "error": r.error})
        })
        .collect();
    let theirs = entry["rules"].as_array().cloned().unwrap_or_default();
    for (a, b) in ours.iter_mut().zip(&theirs) {
        if b["error"] == "hostssl record cannot match because SSL is disabled" && a["error"].is_null() {
            a["error"] = b["error"].clone();
        }
    }
    assert_eq!(ours, theirs, "{origin}");
}
