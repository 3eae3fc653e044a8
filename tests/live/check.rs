//! `check` of members as they run, on a site of real hosts.

use std::collections::BTreeSet;
use std::process::Stdio;

use crate::support::site::{Layout, OPERATOR, Ran, Site};

/// `check` of all members, with the ways to their hosts, and how each server is reached.
fn check_by(site: &Site, dsn: &dyn Fn(&str) -> String, more: &[&str]) -> Ran {
    let files: Vec<String> = site.members().iter().map(|m| format!("/etc/patroni/{m}.yml")).collect();
    let ssh: Vec<String> = site.members().iter().map(|m| format!("{m}={m}")).collect();
    let dsns: Vec<String> = site.members().iter().map(|m| format!("{m}={}", dsn(m))).collect();
    let mut args = vec!["check"];
    args.extend(files.iter().map(String::as_str));
    args.extend(ssh.iter().flat_map(|s| ["--ssh", s.as_str()]));
    args.extend(dsns.iter().flat_map(|s| ["--dsn", s.as_str()]));
    args.extend(more);
    site.preflight(&args)
}

fn check(site: &Site, more: &[&str]) -> Ran {
    check_by(site, &|m| site.dsn(m, "dba", "postgres"), more)
}

fn last_line(ran: &Ran) -> &str {
    ran.out.lines().last().unwrap_or_default()
}

/// A site that is prepared as a user does it after reading the first report.
fn prepared(site: &Site) {
    site.members().iter().for_each(|m| site.leave_start_to_patroni(m));
}

fn becomes_a_cluster(layout: Layout) {
    let site = Site::of(15).layout(layout).standbys(2).start();
    prepared(&site);
    let before = check(&site, &[]);
    assert_eq!(before.code, Some(0), "{}{}", before.out, before.err);
    assert!(last_line(&before).contains("exit 0, ready: nothing of severity error or worse"), "{}", before.out);
    for (member, answer) in [("pg1", "no"), ("pg2", "only out of order: start-primary-first")] {
        assert!(before.out.contains(&format!("\n  {member}  {answer}\n")), "{}", before.out);
    }
    site.take_over();
    // What was said beforehand is true afterwards too, and nothing more is wrong.
    let after = check(&site, &[]);
    assert_eq!(after.code, Some(0), "{}{}", after.out, after.err);
    for member in site.members() {
        assert!(after.out.contains(&format!("\n  {member}  no\n")), "{}", after.out);
    }
}

#[test]
fn a_site_that_is_ready_becomes_a_cluster_on_debian() {
    becomes_a_cluster(Layout::Debian);
}

#[test]
fn a_site_that_is_ready_becomes_a_cluster_in_one_directory() {
    becomes_a_cluster(Layout::Directory);
}

#[test]
fn what_cannot_be_asked_is_never_ready() {
    let site = Site::of(16).standbys(1).start();
    prepared(&site);
    let ready = check(&site, &[]);
    assert_eq!(ready.code, Some(0), "{}{}", ready.out, ready.err);
    let is_open = |ran: &Ran, why: &str| {
        assert_ne!(ran.code, Some(0), "{}", ran.out);
        assert!(!last_line(ran).contains("ready"), "{}", ran.out);
        assert!(ran.out.contains(why), "{why}\n{}", ran.out);
    };
    // A wrong password.
    let wrong = |m: &str| {
        let dsn = site.dsn(m, "dba", "postgres");
        if m == "pg2" { dsn.replace("dba-pw", "not-the-one") } else { dsn }
    };
    let ran = check_by(&site, &wrong, &[]);
    is_open(&ran, "because the server of pg2 is refused to us");
    assert!(!format!("{}{}", ran.out, ran.err).contains("not-the-one"), "{}", ran.out);
    // Nobody says how to get to a host.
    let files = ["check", "/etc/patroni/pg1.yml", "/etc/patroni/pg2.yml"];
    is_open(&site.preflight(&files), "because the host of pg1 is not given");
    // A server that is down.
    site.stop_postgres("pg2", "fast");
    is_open(&check(&site, &[]), "because the server of pg2 is unreachable");
    site.start_postgres("pg2");
    // A host that is gone, and one that was cut off.
    site.partition("pg2");
    is_open(&check(&site, &[]), "because the host of pg2 is unreachable");
}

#[test]
fn a_busy_primary_does_not_notice() {
    let log = "log_min_duration_statement = 0\nlog_line_prefix = '%a|'\nlog_lock_waits = on\ndeadlock_timeout = 10ms";
    let site = Site::of(15).layout(Layout::Debian).conf(log).start();
    prepared(&site);
    let pgbench = |words: &[&str]| {
        let mut command = site.command_as("pg1", "postgres", "pgbench");
        command.args(words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    assert!(pgbench(&["-i", "-q", "app"]).status().expect("pgbench").success());
    let written = "SELECT sum(tup_inserted + tup_updated + tup_deleted) FROM pg_stat_database WHERE datname IN ('postgres', 'template1')";
    let before = site.sql("pg1", written);
    let mut load = pgbench(&["-n", "-c", "4", "-T", "20", "app"]).spawn().expect("pgbench");
    std::thread::sleep(std::time::Duration::from_millis(500));
    let ran = check(&site, &["--manifest", "/tmp/manifest"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    assert!(load.try_wait().expect("pgbench").is_none(), "the primary was busy all the time");
    load.kill().expect("pgbench");
    let _ = load.wait();
    let log = site.postgres_log("pg1");
    let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    // One log entry may have several lines; the next one begins with a name and a bar.
    let mut entries: Vec<String> = Vec::new();
    for line in log.lines() {
        match line.split_once('|') {
            Some((name, rest)) if !name.contains(' ') || name.is_empty() => entries.push(format!("{name}|{rest}")),
            _ => entries.last_mut().expect("a first line").extend(["\n", line]),
        }
    }
    let own = entries.iter().filter_map(|e| e.strip_prefix("patroni-preflight|"));
    let logged: BTreeSet<String> = own.clone().filter_map(|e| Some(flat(e.split_once("statement: ")?.1))).collect();
    let manifest = site.read(OPERATOR, "/tmp/manifest");
    let sent: BTreeSet<String> =
        manifest.lines().map(str::trim).filter(|l| l.starts_with("SELECT ")).map(flat).collect();
    assert_eq!(logged, sent);
    assert!(own.clone().all(|e| !e.contains("still waiting for") && !e.contains("ERROR:  ")), "{log}");
    assert_eq!(before, site.sql("pg1", written));
}
