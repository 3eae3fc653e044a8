//! Configurations that are meant to hurt end in problems, soon.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use patroni_preflight::parse::conf::{load, parse};
use patroni_preflight::source::{Origin, ReadError, Reader, Source, SourceMap};

/// Files in memory; directories are what their paths say, and those under `/loop` lead back to themselves.
struct Memory(BTreeMap<PathBuf, Vec<u8>>, SourceMap);

impl Memory {
    fn new(files: &[(&str, &[u8])]) -> Self {
        Self(files.iter().map(|(p, b)| (PathBuf::from(p), b.to_vec())).collect(), SourceMap::default())
    }
}

fn without_loops(path: &Path) -> PathBuf {
    PathBuf::from(path.to_string_lossy().replace("/loop/loop", "/loop").replace("/loop/loop", "/loop"))
}

impl Reader for Memory {
    fn read(&self, path: &Path) -> Result<Arc<Source>, ReadError> {
        if path.to_string_lossy().matches("loop").count() > 40 {
            return Err(ReadError::Other("too many levels of symbolic links".to_owned()));
        }
        let mut real = path.to_path_buf();
        while without_loops(&real) != real {
            real = without_loops(&real);
        }
        let bytes = self.0.get(&real).ok_or(ReadError::Missing)?;
        Ok(self.1.add(Origin::File(path.into()), path.display().to_string(), bytes.clone()))
    }

    fn list(&self, dir: &Path) -> Result<Vec<PathBuf>, ReadError> {
        let mut real = dir.to_path_buf();
        while without_loops(&real) != real {
            real = without_loops(&real);
        }
        let names = self.0.keys().filter(|p| p.parent() == Some(&real));
        Ok(names.map(|p| dir.join(p.file_name().expect("a name"))).collect())
    }
}

/// Processor time of this thread, so that a busy machine does not matter.
fn spent() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("schedstat");
    Duration::from_nanos(text.split(' ').next().and_then(|n| n.parse().ok()).expect("a number"))
}

fn soon<T>(work: impl FnOnce() -> T) -> T {
    let since = spent();
    let out = work();
    let took = spent().saturating_sub(since);
    assert!(took < Duration::from_secs(1), "took {took:?}");
    out
}

fn rules(files: &[(&str, &[u8])]) -> Vec<String> {
    let reader = Memory::new(files);
    let parsed = soon(|| load(&reader, Path::new("/c/postgresql.conf"), None));
    assert!(!parsed.tree.errors().is_empty());
    parsed.problems.into_iter().map(|p| p.rule.into_owned()).collect()
}

#[test]
fn files_that_include_each_other_are_a_cycle() {
    let many = "include 'b.conf'\n".repeat(200);
    let back = "include 'postgresql.conf'\n".repeat(200);
    let found = rules(&[("/c/postgresql.conf", many.as_bytes()), ("/c/b.conf", back.as_bytes())]);
    assert!(!found.is_empty() && found.iter().all(|r| r == "conf-include-cycle"), "{found:?}");
    assert_eq!(rules(&[("/c/postgresql.conf", b"include 'postgresql.conf'")]), ["conf-include-cycle"]);
}

#[test]
fn large_files_that_are_read_again_and_again_end() {
    let mut big = "# x\n".repeat(1 << 20);
    big.push_str(&"include 'postgresql.conf'\n".repeat(10));
    let main = "include 'b.conf'\n".repeat(10);
    assert!(
        rules(&[("/c/postgresql.conf", main.as_bytes()), ("/c/b.conf", big.as_bytes())])
            .contains(&"conf-include-cycle".to_owned())
    );
}

#[test]
fn a_directory_that_leads_to_itself_is_a_cycle() {
    let found = rules(&[("/c/postgresql.conf", b"include_dir '/loop'"), ("/loop/a.conf", b"include_dir 'loop'")]);
    assert_eq!(found, ["conf-include-cycle"]);
}

#[test]
fn long_lines_are_read_in_linear_time() {
    let lines = [
        format!("a = '{}'", "x".repeat(30 << 20)),
        format!("a = '{}", "''".repeat(15 << 20)),
        format!("a = '{}", "\\'".repeat(15 << 20)),
        "'\\".repeat(15 << 20),
        "= ".repeat(15 << 20),
        "1e".repeat(15 << 20),
        format!("primary_conninfo = '{}'", "password=x ".repeat(100_000)),
        format!("archive_command = '{}'", "password ".repeat(100_000)),
        format!("archive_command = '{}'", "postgres://".repeat(100_000)),
        format!("archive_command = '{}'", "passwd".repeat(100_000)),
    ];
    for line in lines {
        let source = Source::lone("long", line.as_bytes());
        soon(|| parse(&source));
    }
}

#[test]
fn bytes_that_are_no_text_are_one_problem() {
    let bytes: Vec<u8> = b"a = '\xff\xfe'\n".repeat(100_000);
    let parsed = soon(|| parse(&Source::lone("bytes", bytes)));
    assert_eq!(parsed.tree.len(), 100_000);
    assert_eq!(parsed.problems.len(), 1);
    assert_eq!(parsed.problems[0].rule, "conf-not-utf8");
}

#[test]
fn a_million_lines_are_read() {
    let text = "work_mem = 4MB # x\n".repeat(1_000_000);
    let parsed = soon(|| parse(&Source::lone("lines", text)));
    assert_eq!(parsed.tree.len(), 1_000_000);
    let bad = soon(|| parse(&Source::lone("lines", "a b c\n".repeat(1_000_000))));
    assert_eq!(bad.problems.len(), 100);
}
