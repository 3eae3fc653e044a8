//! Files that are meant to hurt end in a finding, soon, and through the program itself.

use std::fmt::Write as _;
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::TempDir;

/// Runs `lint` in a directory with at most a gigabyte of address space; its output and exit code.
fn lint(dir: &TempDir) -> (String, Option<i32>) {
    let since = Instant::now();
    #[expect(clippy::disallowed_methods, reason = "the program under test, under a limit of memory")]
    let output = Command::new("prlimit")
        .args(["--as=1073741824", env!("CARGO_BIN_EXE_patroni-preflight"), "lint", "--format", "short"])
        .current_dir(&dir.0)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(since.elapsed() < Duration::from_secs(5), "{:?} (one second on an idle machine):\n{text}", since.elapsed());
    (text, output.status.code())
}

fn expect(dir: &TempDir, what: &str) {
    let (text, code) = lint(dir);
    assert!(text.contains(what) && code == Some(1), "wanted {what}, exit 1; got exit {code:?}:\n{text}");
}

#[test]
fn a_fifo_is_not_opened() {
    let dir = TempDir::new("fifo");
    #[expect(clippy::disallowed_methods, reason = "makes a FIFO")]
    let made = Command::new("mkfifo").arg(dir.0.join("patroni.yml")).status().unwrap();
    assert!(made.success());
    expect(&dir, "[unreadable-file]: `patroni.yml` cannot be read: it is a FIFO, not a file");
}

#[test]
fn links_in_a_circle_are_not_followed() {
    let dir = TempDir::new("loop");
    symlink("pg_hba.conf", dir.0.join("pg_hba.conf")).unwrap();
    symlink(".", dir.0.join("again")).unwrap();
    expect(&dir, "[unreadable-file]: `pg_hba.conf` cannot be read: its symbolic links form a circle");
}

#[test]
fn a_hundred_megabytes_in_one_line_are_not_swallowed() {
    let dir = TempDir::new("giant");
    dir.write("postgresql.conf", vec![b'a'; 100 << 20]);
    expect(&dir, "[unreadable-file]: `postgresql.conf` cannot be read: it has 104857600 bytes");
}

#[test]
fn an_alias_bomb_does_not_explode() {
    let mut text = "scope: a\nname: b\nrestapi: {}\nx0: &x0 [l, l, l, l, l, l, l, l, l]\n".to_owned();
    for i in 1..12 {
        let _ = writeln!(text, "x{i}: &x{i} [{}]", vec![format!("*x{}", i - 1); 9].join(", "));
    }
    text.push_str("postgresql:\n  parameters: *x11\n");
    let dir = TempDir::new("bomb");
    dir.write("patroni.yml", text);
    expect(&dir, "error[");
}

#[test]
fn a_hundred_thousand_levels_are_a_finding() {
    let dir = TempDir::new("deep");
    dir.write("patroni.yml", format!("scope: a\nname: b\nrestapi: {{}}\npostgresql: {}\n", "[".repeat(100_000)));
    expect(&dir, "[yaml-too-deep]");
}

#[test]
fn bytes_that_are_no_text_are_a_finding() {
    let dir = TempDir::new("bytes");
    dir.write("patroni.yml", b"scope: a\nname: \xff\xfe\nrestapi: {}\npostgresql: {}\n");
    expect(&dir, "[file-not-utf8]");
}

#[test]
fn files_that_include_each_other_are_a_finding() {
    let dir = TempDir::new("cycle");
    dir.write("postgresql.conf", "include 'postgresql.a.conf'\n");
    dir.write("postgresql.a.conf", "include 'postgresql.conf'\n");
    expect(&dir, "[conf-include-cycle]");
}
