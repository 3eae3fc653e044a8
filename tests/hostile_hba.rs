//! Files made to hurt: each must end in problems, within a second of processor time (three where the code is not optimised,
//! which also bears tests that run beside it).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use patroni_preflight::facts::hba_decision::{Connection, Database, Decision, Surroundings, Via, decide};
use patroni_preflight::parse::hba::{self, Hba};
use patroni_preflight::problem::Parsed;
use patroni_preflight::source::{Origin, ReadError, Reader, Source, SourceMap};

/// Files in memory; directories list what lies below them, or what they are told to.
#[derive(Default)]
struct Memory {
    files: BTreeMap<PathBuf, Vec<u8>>,
    lists: BTreeMap<PathBuf, Vec<PathBuf>>,
    sources: SourceMap,
}

impl Memory {
    fn with(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(name, text)| (PathBuf::from(name), text.as_bytes().to_vec())).collect();
        Self { files, ..Self::default() }
    }
}

impl Reader for Memory {
    fn read(&self, path: &Path) -> Result<Arc<Source>, ReadError> {
        let bytes = self.files.get(path).ok_or(ReadError::Missing)?;
        Ok(self.sources.add(Origin::File(path.to_owned()), path.to_string_lossy(), bytes.clone()))
    }

    fn list(&self, dir: &Path) -> Result<Vec<PathBuf>, ReadError> {
        self.lists.get(dir).cloned().ok_or(ReadError::Missing)
    }
}

/// The processor time of this thread: other work on the machine does not count.
fn cpu_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("schedstat");
    Duration::from_nanos(text.split_whitespace().next().and_then(|n| n.parse().ok()).expect("nanoseconds"))
}

const LIMIT: Duration = Duration::from_secs(if cfg!(debug_assertions) { 3 } else { 1 });

/// The best of three counts: a busy machine also makes processor time longer.
fn timed(what: &str, run: impl Fn() -> Parsed<Hba>) -> Parsed<Hba> {
    let mut took = Vec::new();
    loop {
        let since = cpu_time();
        let parsed = run();
        took.push(cpu_time().saturating_sub(since));
        if took.last().is_some_and(|t| *t < LIMIT) {
            return parsed;
        }
        assert!(took.len() < 3, "{what}: {took:?}");
    }
}

fn parse_main(reader: &Memory, version: u16) -> Parsed<Hba> {
    let source = reader.read(Path::new("/h/pg_hba.conf")).expect("the main file");
    timed("included files", || hba::parse(&source, reader, version))
}

fn parse_bytes(what: &str, bytes: Vec<u8>, version: u16) -> (Source, Parsed<Hba>) {
    let source = Source::lone("pg_hba.conf", bytes);
    let parsed = timed(what, || hba::parse(&source, &Memory::default(), version));
    for problem in &parsed.problems {
        assert!(problem.at.range().end <= source.bytes().len(), "{problem:?}");
    }
    (source, parsed)
}

fn says(parsed: &Parsed<Hba>, text: &str) -> bool {
    parsed.problems.iter().any(|p| p.args.iter().any(|(_, v)| v.contains(text)))
}

#[test]
fn a_cycle_of_name_files_ends() {
    let files = [("/h/pg_hba.conf", "local @a all trust\nlocal x x trust\n"), ("/h/a", "@b\n"), ("/h/b", "@a @a @a\n")];
    for (version, text) in [(15, "exceeded maxAllocatedDescs"), (18, "maximum nesting depth exceeded")] {
        let parsed = parse_main(&Memory::with(&files), version);
        assert!(says(&parsed, text), "{version}: {:?}", parsed.problems);
        assert_eq!(parsed.tree.rules.len(), 1);
    }
}

#[test]
fn an_include_cycle_ends_even_when_it_branches() {
    let twenty = "include pg_hba.conf\n".repeat(20);
    let parsed = parse_main(&Memory::with(&[("/h/pg_hba.conf", &twenty)]), 18);
    assert!(says(&parsed, "maximum nesting depth exceeded"));
    assert!(says(&parsed, "more than 10000 files are included"));
}

#[test]
fn ten_files_deep_is_fine_and_eleven_are_not() {
    let chain = |n: usize| {
        let mut files = vec![("/h/pg_hba.conf".to_owned(), "include 1\n".to_owned())];
        files.extend((1..n).map(|i| (format!("/h/{i}"), format!("include {}\n", i + 1))));
        files.push((format!("/h/{n}"), "local all all trust\n".to_owned()));
        let borrowed: Vec<(&str, &str)> = files.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        parse_main(&Memory::with(&borrowed), 18)
    };
    assert!(chain(10).problems.is_empty());
    assert!(says(&chain(11), "could not open file \"/h/11\": maximum nesting depth exceeded"));
}

#[test]
fn a_directory_that_lists_itself_ends() {
    let mut memory = Memory::with(&[("/h/pg_hba.conf", "include_dir d\n"), ("/h/d/a.conf", "include_dir .\n")]);
    memory.lists.insert("/h/d".into(), vec!["/h/d/a.conf".into(), "/h/d/../d/a.conf".into()]);
    assert!(says(&parse_main(&memory, 18), "maximum nesting depth exceeded"));
}

#[test]
fn a_very_long_line_is_read() {
    let size = 30 << 20;
    for version in [13, 15, 18] {
        parse_bytes("one token", vec![b'x'; size], version);
        parse_bytes("commas", vec![b','; size], version);
        parse_bytes("quotes", vec![b'"'; size], version);
        parse_bytes("a comment", [b"#".to_vec(), vec![b'y'; size]].concat(), version);
        parse_bytes("secrets in a comment", [b"#".to_vec(), b"ldapbindpasswd".repeat(size / 14)].concat(), version);
    }
    let names = format!("local {}b all trust", "a_longer_role,".repeat(size / 14));
    assert_eq!(parse_bytes("names", names.into_bytes(), 18).1.tree.rules[0].databases.len(), size / 14 + 1);
}

#[test]
fn very_many_joined_lines_are_read() {
    parse_bytes("backslashes", b"\\\n".repeat(2 << 20), 18);
    parse_bytes("NUL bytes", b"a\0\n".repeat(1 << 20), 18);
    parse_bytes("words", b"a \\\n".repeat(1 << 20), 18);
}

#[test]
fn invalid_text_and_half_a_million_lines_are_read() {
    let (_, parsed) = parse_bytes("invalid UTF-8", b"host \xff\xfe \xc3 10.0.0.0/8 md5\n".to_vec(), 18);
    assert_eq!(&*parsed.tree.rules[0].databases[0].value.text, "\u{fffd}\u{fffd}");
    let (_, parsed) = parse_bytes("500,000 lines", b"host app joe 10.0.0.0/8 md5\n".repeat(500_000), 18);
    assert_eq!(parsed.tree.rules.len(), 500_000);
    let (_, parsed) = parse_bytes("500,000 bad lines", b"hst app\n".repeat(500_000), 18);
    assert_eq!(parsed.problems.len(), 500_000);
}

#[test]
fn hostile_patterns_are_refused_or_not_understood() {
    for pattern in [
        "(".repeat(100_000),
        "(a{255}){255}{255}".to_owned(),
        "[".repeat(100_000),
        "a|".repeat(100_000),
        "((((a{99}){99}){99}){99}){99}".to_owned(),
    ] {
        let (_, parsed) = parse_bytes("a pattern", format!("local \"/{pattern}\" all trust\n").into_bytes(), 18);
        let joe = Connection { via: Via::Local, database: Database::Named("app".to_owned()), user: "joe".to_owned() };
        let since = cpu_time();
        let _ = decide(&parsed.tree, &joe, &Surroundings::unknown());
        let took = cpu_time().saturating_sub(since);
        assert!(took < LIMIT, "{took:?}");
    }
}

#[test]
fn a_hundred_thousand_lines_are_decided_for_a_hundred_connections() {
    let mut text = String::new();
    for i in 0..100_000 {
        text.extend([format!("host db{i} user{} 10.{}.{}.0/24 scram-sha-256\n", i % 977, i >> 8 & 255, i & 255)]);
    }
    text.push_str("host all all 0.0.0.0/0 reject\n");
    let source = Source::lone("pg_hba.conf", text);
    let since = cpu_time();
    let hba = hba::parse(&source, &Memory::default(), 18).tree;
    for i in 0..100 {
        let via = Via::Host { addr: "10.255.255.9".parse().expect("an address"), tls: true, gss: false };
        let asked = Connection { via, database: Database::Named(format!("x{i}")), user: "joe".to_owned() };
        assert_eq!(decide(&hba, &asked, &Surroundings::unknown()), Ok(Decision::Rule(100_000)));
    }
    let took = cpu_time().saturating_sub(since);
    assert!(took < LIMIT, "{took:?}");
    eprintln!("100,000 lines read and decided for 100 connections in {took:?}");
}
