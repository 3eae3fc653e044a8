//! `check` of members as they run, on a site of real hosts.

use std::collections::BTreeSet;
use std::process::Stdio;

use crate::support::site::{Layout, OPERATOR, Ran, Site, password};

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
    let gate = "\n  pg1       no\n  pg2, pg3  only out of order: start-primary-first\n";
    assert!(before.out.contains(gate), "{}", before.out);
    site.take_over();
    // What was said beforehand is true afterwards too, and nothing more is wrong.
    let after = check(&site, &[]);
    assert_eq!(after.code, Some(0), "{}{}", after.out, after.err);
    assert!(after.out.contains("\n  pg1, pg2, pg3  no\n"), "{}", after.out);
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
    // A role that may not look at what counts.
    let ran = check_by(&site, &|m| site.dsn(m, "app", "app"), &[]);
    is_open(&ran, "is refused to us: ");
    settings_stand_for_files(&site);
    // Nobody says how to get to a host.
    let files = ["check", "/etc/patroni/pg1.yml", "/etc/patroni/pg2.yml"];
    is_open(&site.preflight(&files), "because the host of pg1, pg2 is not given");
    // A server that is down.
    site.stop_postgres("pg2", "fast");
    is_open(&check(&site, &[]), "because the server of pg2 is unreachable");
    site.start_postgres("pg2");
    // A host that is gone, and one that was cut off.
    site.partition("pg2");
    is_open(&check(&site, &[]), "because the host of pg2 is unreachable");
}

/// A role that may read all settings and no file: what the server says stands for the lines of its files, and not for mistakes in them.
fn settings_stand_for_files(site: &Site) {
    site.sql("pg1", "GRANT pg_monitor TO app");
    site.sql("pg1", "ALTER SYSTEM SET password_encryption = 'md5'");
    site.reload_postgres("pg1");
    let dsn = format!("pg1={}", site.dsn("pg1", "app", "app"));
    let ask = |more: &[&str]| {
        let mut args = vec!["check", "/etc/patroni/pg1.yml", "--dsn", &dsn];
        args.extend(more);
        site.preflight(&args)
    };
    let json = ask(&["--format", "json"]);
    let report: serde_json::Value = serde_json::from_str(&json.out).expect("a report");
    let state = |rule: &str| {
        let checked = report["checked"].as_array().expect("a list");
        checked.iter().find(|c| c["rule"] == rule).unwrap_or_else(|| panic!("{rule}"))["state"].clone()
    };
    assert_eq!(state("password-encryption-mismatch"), "finding", "{}", json.out);
    assert_eq!(state("hba-file-outside-config-dir"), "fine", "{}", json.out);
    for of_lines in ["unknown-guc", "conf-syntax-error", "guc-value-invalid"] {
        assert_eq!(state(of_lines), "not-checked", "{of_lines}: {}", json.out);
    }
    let said = ask(&[]);
    assert!(said.out.contains("password_encryption = md5  -- "), "{}", said.out);
    site.sql("pg1", "ALTER SYSTEM RESET password_encryption");
    site.sql("pg1", "REVOKE pg_monitor FROM app");
    site.reload_postgres("pg1");
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

/// The members that a report in JSON speaks of.
fn members(ran: &Ran) -> BTreeSet<String> {
    let report: serde_json::Value =
        serde_json::from_str(&ran.out).unwrap_or_else(|e| panic!("{e}: {}{}", ran.out, ran.err));
    let checked = report["checked"].as_array().expect("a list");
    checked.iter().map(|c| c["member"].as_str().expect("a name").to_owned()).collect()
}

#[test]
fn one_server_tells_of_the_others() {
    let site = Site::of(15).layout(Layout::Directory).standbys(2).logical().start();
    let addresses = ["pg1", "pg2", "pg3"].map(|m| site.address(m));
    let receive = |words: &[&str]| {
        let mut command = site.command_as("pg1", "postgres", "pg_recvlogical");
        command.args(["-d", "dbname=app application_name=warehouse", "--slot=feed"]).args(words);
        command
    };
    assert!(receive(&["--create-slot", "-P", "test_decoding"]).status().expect("pg_recvlogical").success());
    let mut subscriber = receive(&["--start", "-f", "/dev/null"]).spawn().expect("pg_recvlogical");
    site.wait("the subscriber", 10, || {
        site.sql("pg1", "SELECT active FROM pg_replication_slots WHERE slot_name = 'feed'") == "t"
    });
    for asked in ["pg1", "pg3"] {
        let dsn = format!("{asked}={}", site.dsn(asked, "dba", "postgres"));
        let ran = site.preflight(&["check", "--dsn", &dsn, "--format", "json", "--manifest", "/tmp/manifest"]);
        let found = members(&ran);
        assert_eq!(found.len(), 3, "{found:?}");
        let manifest = site.read(OPERATOR, "/tmp/manifest");
        assert_eq!(manifest.matches("sent to its server").count(), 3, "{manifest}");
        // Without their configuration nothing is ready.
        assert_eq!(ran.code, Some(3), "{}", ran.out);
        let report: serde_json::Value = serde_json::from_str(&ran.out).expect("a report");
        let members = report["members"].as_array().expect("a list");
        let primary = members.iter().find(|m| m["role"] == "primary").expect("a primary");
        assert_eq!(primary["standbys"].as_array().map(Vec::len), Some(2), "{primary}");
        assert_eq!(primary["subscribers"], serde_json::json!([{"name": "warehouse", "slot": "feed"}]), "{primary}");
        let upstream = format!("{}:5432", addresses[0]);
        assert_eq!(members.iter().filter(|m| m["upstream"] == upstream.as_str()).count(), 2, "{members:?}");
    }
    let said = site.preflight(&["check", "--dsn", &format!("pg1={}", site.dsn("pg1", "dba", "postgres"))]).out;
    assert!(said.contains("; subscribers warehouse; slots ") && said.contains("feed (logical in app)"), "{said}");
    subscriber.kill().expect("pg_recvlogical");
    let _ = subscriber.wait();
    // One that cannot be asked is not left out.
    site.sh(
        "pg2",
        &format!("sed -i 's/^host .*dba.*/host all dba all reject/' {}/pg_hba.conf", site.plan.config_dir()),
    );
    site.reload_postgres("pg2");
    let dsn = format!("pg1={}", site.dsn("pg1", "dba", "postgres"));
    let ran = site.preflight(&["check", "--dsn", &dsn]);
    assert!(ran.out.contains("is refused to us"), "{} {addresses:?}", ran.out);
}

#[test]
fn an_inventory_lists_clusters() {
    let site = Site::of(15).layout(Layout::Directory).standbys(1).start();
    let dsn = |m: &str| site.dsn(m, "dba", "postgres");
    let inventory = format!(
        "clusters:\n  orders:\n    pg1: {{patroni: patroni/pg1.yml, ssh: pg1, dsn: \"{}\"}}\n    pg2: {{patroni: patroni/pg2.yml, ssh: pg2, dsn: \"{}\"}}\n  \
         other:\n    db: {{dsn: \"{}\"}}\n    gone: {{dsn: \"host=10.77.0.99 user=dba connect_timeout=2\"}}\n",
        dsn("pg1"),
        dsn("pg2"),
        dsn("pg1"),
    );
    site.write(OPERATOR, "/etc/inventory.yml", inventory);
    let ran = site.preflight(&["check", "--inventory", "/etc/inventory.yml", "--format", "json"]);
    let expected = ["orders/pg1", "orders/pg2", "other/db", "other/gone"].map(str::to_owned);
    assert_eq!(members(&ran), expected.into_iter().collect());
    let report: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON");
    let gate = |name: &str| {
        report["gate"].as_array().expect("a list").iter().find(|g| g["member"] == name).map(|g| g["answer"].clone())
    };
    assert_eq!(gate("orders/pg1"), Some("no".into()), "{}", ran.out);
    assert_eq!(gate("other/gone"), Some("not-known".into()));
    assert_eq!(ran.code, Some(3), "{}", ran.out);
    // A mistake in the list is told with its place.
    site.write(OPERATOR, "/etc/inventory.yml", "clusters:\n  orders:\n    pg1: {patrni: x}\n");
    let ran = site.preflight(&["check", "--inventory", "/etc/inventory.yml"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("/etc/inventory.yml: ") && ran.err.contains("line 3"), "{}", ran.err);
}

#[test]
fn a_bundle_says_what_the_members_said() {
    let site = Site::of(15).standbys(1).start();
    site.write(OPERATOR, "/etc/key", "a key for the tests of bundles\n");
    let files = ["/etc/patroni/pg1.yml", "/etc/patroni/pg2.yml"];
    let ways = |m: &str| [format!("--ssh={m}={m}"), format!("--dsn={m}={}", site.dsn(m, "dba", "postgres"))];
    let of = |verb: &str, members: &[&str], more: &[&str]| {
        let mut args = vec![verb.to_owned(), "--secret-key=/etc/key".to_owned()];
        for m in members {
            args.push(files[usize::from(*m == "pg2")].to_owned());
            args.extend(ways(m));
        }
        args.extend(more.iter().map(|m| (*m).to_owned()));
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        site.preflight(&args)
    };
    let both = ["pg1", "pg2"];
    let live = of("check", &both, &[]);
    let collected = of("collect", &both, &["-o", "/tmp/both.json"]);
    assert_eq!(collected.code, Some(0), "{}{}", collected.out, collected.err);
    let read = site.preflight(&["check", "--bundle", "/tmp/both.json"]);
    assert_eq!((&live.out, live.code), (&read.out, read.code));
    // No password is in it.
    let text = site.read(OPERATOR, "/tmp/both.json");
    for role in ["patroni_su", "replicator", "rewinder", "dba"] {
        let password = password(role);
        assert!(!password.is_empty() && !text.contains(password), "{role}");
    }
    // One of each host: together they are the same, unless their keys differ.
    for m in both {
        let out = format!("/tmp/{m}.json");
        assert_eq!(of("collect", &[m], &["-o", &out]).code, Some(0));
    }
    let joined = site.preflight(&["check", "--bundle", "/tmp/pg1.json", "--bundle", "/tmp/pg2.json"]);
    assert_eq!((&live.out, live.code), (&joined.out, joined.code));
    site.write(OPERATOR, "/etc/key", "another key for the tests of bundles\n");
    assert_eq!(of("collect", &["pg2"], &["-o", "/tmp/pg2b.json"]).code, Some(0));
    let refused = site.preflight(&["check", "--bundle", "/tmp/pg1.json", "--bundle", "/tmp/pg2b.json"]);
    assert_eq!(refused.code, Some(2), "{}", refused.out);
    assert!(refused.err.contains("key"), "{}", refused.err);
    // Two moments.
    site.write(OPERATOR, "/etc/key", "a key for the tests of bundles\n");
    site.sql("pg1", "ALTER SYSTEM SET work_mem = '9MB'");
    site.reload_postgres("pg1");
    let compared = of("check", &both, &["--compare", "/tmp/both.json"]);
    assert!(compared.out.contains("pg1: setting work_mem: "), "{}{}", compared.out, compared.err);
    assert!(!compared.out.contains("pg2: setting work_mem"), "{}", compared.out);
}
