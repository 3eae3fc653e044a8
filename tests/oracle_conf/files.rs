//! Whole configurations against `pg_file_settings`.

use std::path::Path;

use patroni_preflight::knowledge::guc::{self, Context, Guc};
use patroni_preflight::parse::conf::{Conf, Located, load_view};
use patroni_preflight::parse::guc_value::parse_value;

use super::generate::{Chance, file};
use super::values::HOOKED;
use super::{Disk, say, seed, size};
use crate::support::pg::{Client, Row, Server, env, write};

const QUERY: &str =
    "SELECT encode(textsend(name), 'hex'), encode(textsend(setting), 'hex'), encode(textsend(error), 'hex'),
    encode(textsend(sourcefile), 'hex'), sourceline::text, applied::text FROM pg_file_settings ORDER BY seqno";

/// One row of the view: name, value, error, file, line, applied.
type Seen = (Option<String>, Option<String>, Option<String>, Option<String>, usize, bool);

fn unhex(text: &str) -> String {
    let byte = |n: usize| u8::from_str_radix(&text[n..n + 2], 16).expect("hex");
    String::from_utf8_lossy(&(0..text.len()).step_by(2).map(byte).collect::<Vec<u8>>()).into_owned()
}

fn seen(row: &Row) -> Seen {
    let text = |n: usize| row[n].as_deref().map(unhex);
    let line = row[4].as_deref().and_then(|l| l.parse().ok()).unwrap_or(0);
    (text(0), text(1), text(2), text(3), line, row[5].as_deref() == Some("true"))
}

fn is_known(name: &str, version: u16) -> bool {
    name.contains('.') || guc::find(name, version).is_some()
}

/// What the view shows for a setting that is not refused for its name; `None` where that depends on the running server.
fn verdict(conf: &Conf, l: &Located, version: u16) -> Option<(Option<String>, bool)> {
    let name = &l.set.name.value;
    let guc: &Guc = guc::find(name, version)?;
    if conf.assignments().iter().any(|o| o.seq > l.seq && o.set.name.value == *name) {
        return Some((None, false));
    }
    let refused = || Some((Some("setting could not be applied".to_owned()), false));
    match parse_value(guc, &l.set.value.value, version) {
        _ if guc.context == Context::Internal => refused(),
        Err(_) => refused(),
        Ok(_) if guc.context == Context::Postmaster || l.set.value.value.contains('\u{fffd}') => None,
        Ok(_) if HOOKED.contains(&guc.name) || guc.kind == guc::Kind::Str => None,
        Ok(_) => Some((None, true)),
    }
}

/// Our rows, and which of them have an error and a state that we can know.
fn expected(conf: &Conf, version: u16) -> Vec<(Seen, bool)> {
    let path = |p: &Path| Some(p.to_string_lossy().into_owned());
    let unknown = conf.assignments().iter().any(|l| !is_known(&l.set.name.value, version));
    let refused = unknown || !conf.errors().is_empty();
    let mut rows: Vec<(usize, Seen, bool)> = Vec::new();
    for e in conf.errors() {
        rows.push((e.seq, (None, None, Some(e.error.clone()), path(&e.file), e.line, false), true));
    }
    for l in conf.assignments() {
        let name = &l.set.name.value;
        // With an error in the files the server does not come to look at names.
        let bad_name = conf.errors().is_empty() && !is_known(name, version);
        let (error, applied, sure) = if bad_name {
            (Some("unrecognized configuration parameter".to_owned()), false, true)
        } else if refused {
            (None, false, true)
        } else {
            verdict(conf, l, version).map_or((None, false, false), |(e, a)| (e, a, true))
        };
        let value = Some(l.set.value.value.clone());
        rows.push((l.seq, (Some(name.clone()), value, error, path(&l.file), l.line, applied), sure));
    }
    rows.sort_by_key(|r| r.0);
    rows.into_iter().map(|r| (r.1, r.2)).collect()
}

fn compare(server: &Server, db: &mut Client) -> Result<(usize, usize), String> {
    let main = server.data_dir.join("postgresql.conf");
    let auto = server.data_dir.join("postgresql.auto.conf");
    let ours = load_view(&Disk::default(), &main, Some(&auto));
    let want = expected(&ours.tree, server.version);
    let rows: Vec<Seen> = match db.try_query(QUERY) {
        Ok(rows) => rows.iter().map(seen).collect(),
        // Up to 15, a malformed default_text_search_config ends the query itself.
        Err(e) if server.version <= 15 && e.code().is_some_and(|c| c.code() == "42602") => return Ok((0, 0)),
        Err(e) => return Err(format!("{e:?}")),
    };
    let alike = |n: &usize| match (want.get(*n), rows.get(*n)) {
        (Some((a, sure)), Some(b)) => {
            (&a.0, &a.1, &a.3, a.4) == (&b.0, &b.1, &b.3, b.4) && (!sure || (&a.2, a.5) == (&b.2, b.5))
        }
        _ => false,
    };
    match (0..want.len().max(rows.len())).find(|n| !alike(n)) {
        None => Ok((rows.len(), want.iter().filter(|w| w.1).count())),
        Some(n) => Err(format!("row {n}\n  ours:   {:?}\n  server: {:?}", want.get(n), rows.get(n))),
    }
}

const INCLUDES: &[&str] = &[
    "t/a.conf",
    "t/b.conf",
    "t/d",
    "t/none.conf",
    "t/none",
    "",
    " ",
    "postgresql.conf",
    "t",
    "t//b.conf",
    "t/../t/./a.conf",
];
const INNER: &[&str] = &["a.conf", "b.conf", "d", "../t/a.conf", "none.conf", "d/1.conf", "."];

/// Writes one configuration; the files' names and texts, for a message.
fn lay_out(c: &mut Chance, server: &Server) -> Vec<(String, String)> {
    let data = &server.data_dir;
    let _ = std::fs::remove_dir_all(data.join("t"));
    // Before 15 the server does not tidy up the middle of a path.
    let usual = |p: &&str| server.version >= 15 || !(p.contains("..") || p.contains("//"));
    let outer: Vec<&str> = INCLUDES.iter().copied().filter(usual).collect();
    let inner: Vec<&str> = INNER.iter().copied().filter(usual).collect();
    let includes: &[&str] = if c.one_in(2) { &outer } else { &[] };
    let mut files = vec![("postgresql.conf", file(c, server.version, includes))];
    let names =
        ["t/a.conf", "t/b.conf", "t/d/1.conf", "t/d/0.conf", "t/d/.x.conf", "t/d/x.cnf", "t/d/.conf", "t/d/Z.conf"];
    for name in names {
        if c.one_in(3) {
            let includes: &[&str] = if c.one_in(3) { &inner } else { &[] };
            files.push((name, file(c, server.version, includes)));
        }
    }
    let auto = if c.one_in(3) { file(c, server.version, &[]) } else { Vec::new() };
    files.push(("postgresql.auto.conf", auto));
    for (name, bytes) in &files {
        write(&data.join(name), bytes);
    }
    if c.one_in(20) && data.join("t/d").exists() {
        let _ = std::os::unix::fs::symlink("nowhere", data.join("t/d/5.conf"));
        let _ = std::fs::create_dir(data.join("t/d/6.conf"));
    }
    files.iter().map(|(n, b)| ((*n).to_owned(), b.escape_ascii().to_string())).collect()
}

fn run(version: u16, n: usize) {
    let seed = seed("files");
    let server = Server::start(version, |_| String::new());
    let mut db = server.client();
    let mut c = Chance::new(seed + u64::from(version));
    let (mut rows, mut judged) = (0, 0);
    for case in 0..n {
        let files = lay_out(&mut c, &server);
        match compare(&server, &mut db) {
            Ok((r, j)) => (rows, judged) = (rows + r, judged + j),
            Err(difference) => {
                panic!("PostgreSQL {version}, seed {seed}, case {case}: {difference}\nfiles: {files:#?}")
            }
        }
    }
    say(&format!("PostgreSQL {version}: {n} configurations, {rows} rows, {judged} of them judged: no difference"));
    assert!(rows > n && judged > n / 2);
}

#[test]
fn files_are_read_as_version_18_reads_them() {
    run(18, size(600));
}

#[test]
fn files_are_read_as_version_15_reads_them() {
    run(15, size(600));
}

#[test]
fn files_are_read_as_the_other_versions_read_them() {
    for version in [13, 14, 16, 17] {
        run(version, (size(600) / 10).max(100));
    }
}

#[test]
fn files_of_the_corpus_are_read_as_the_server_reads_them() {
    let root = env("PREFLIGHT_CORPUS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus"), Into::into);
    let dir = root.join("postgresql_conf");
    let Ok(entries) = std::fs::read_dir(&dir) else {
        println!("corpus not found: skipped {}", dir.display());
        return;
    };
    let paths: Vec<_> = entries.map(|e| e.expect("entry").path()).filter(|p| p.is_file()).collect();
    for version in [15, 18] {
        let server = Server::start(version, |_| String::new());
        let mut db = server.client();
        for path in &paths {
            write(&server.data_dir.join("postgresql.conf"), std::fs::read(path).expect("corpus file"));
            if let Err(difference) = compare(&server, &mut db) {
                panic!("PostgreSQL {version}, {}: {difference}", path.display());
            }
        }
    }
    println!("corpus: {} files, no difference", paths.len());
    assert!(paths.len() > 10);
}
