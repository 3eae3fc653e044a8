//! The site that live tests use is what it claims to be.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::pg::{command, env};
use crate::support::site::{Layout, OPERATOR, Site};

/// What is the same before and after Patroni has taken over: the system, its timeline, and when the server was started.
const IDENTITY: &str = "SELECT system_identifier, timeline_id, pg_postmaster_start_time() FROM pg_control_system(), pg_control_checkpoint()";
const STANDBYS: &str = "SELECT client_addr, state, slot_name, usename FROM pg_stat_replication LEFT JOIN pg_replication_slots ON pid = active_pid ORDER BY 1";
const SLOTS: &str = "SELECT slot_name, slot_type FROM pg_replication_slots ORDER BY 1";

/// A primary and a standby without Patroni.
fn stands_alone(major: u16, layout: Layout) {
    let site = Site::of(major).layout(layout).standbys(1).start();
    let version = site.sql("pg1", "SELECT current_setting('server_version_num')::int / 10000");
    assert_eq!(version, major.to_string());
    assert_eq!(site.sql("pg1", STANDBYS), "10.77.0.12|streaming|standby_1|standby");
    assert_eq!(site.sql("pg2", "SELECT pg_is_in_recovery(), status FROM pg_stat_wal_receiver"), "t|streaming");
    for member in ["pg1", "pg2"] {
        let files = site.sql(
            member,
            "SELECT current_setting('data_directory'), current_setting('config_file'), current_setting('hba_file')",
        );
        let (data, config) = (site.plan.data_dir(), site.plan.config_dir());
        assert_eq!(files, format!("{data}|{config}/postgresql.conf|{config}/pg_hba.conf"));
        assert_eq!(site.sql(member, "SELECT count(*) FROM pg_hba_file_rules WHERE error IS NOT NULL"), "0");
        assert_eq!(site.sh(member, "hostname").trim(), member);
    }
    if layout == Layout::Debian {
        let clusters = site.sh("pg2", "pg_lsclusters -h");
        let columns: Vec<&str> = clusters.split_whitespace().collect();
        let major = major.to_string();
        assert_eq!(columns[..5], [&major, "main", "5432", "online,recovery", "postgres"], "{clusters}");
        let start = site.read("pg1", &format!("{}/start.conf", site.plan.config_dir()));
        assert_eq!(start.lines().filter(|l| !l.starts_with('#') && !l.is_empty()).collect::<Vec<_>>(), ["auto"]);
    }
    // Who may log in depends on where from, and the other's row arrives.
    let one = |from: &str, to: &str, user: &str| site.login(from, to, user, "postgres", "SELECT inet_client_addr()");
    assert_eq!(one("pg2", "pg1", "patroni_su").unwrap(), "10.77.0.12");
    assert_eq!(one("pg1", "pg2", "patroni_su").unwrap(), "10.77.0.11");
    assert_eq!(one(OPERATOR, "pg2", "dba").unwrap(), "10.77.0.9");
    let refused = one(OPERATOR, "pg1", "patroni_su").unwrap_err();
    assert!(refused.contains("no pg_hba.conf entry for host \"10.77.0.9\""), "{refused}");
    site.login(OPERATOR, "pg1", "app", "app", "INSERT INTO orders (customer) VALUES ('one more')").unwrap();
    site.wait("the row", 5, || site.try_sql("pg2", "app", "SELECT count(*) FROM orders").is_ok_and(|n| n == "101"));
    // The server can be stopped and started as it is on such a host.
    if layout == Layout::Debian {
        site.must("pg2", "postgres", &["pg_ctlcluster", &major.to_string(), "main", "stop"]);
    } else {
        site.stop_postgres("pg2", "fast");
    }
    site.start_postgres("pg2");
    site.wait("the standby", 10, || site.sql("pg1", STANDBYS).contains("|streaming|"));
    site.kill_postgres("pg1");
    assert!(site.try_sql("pg1", "postgres", "SELECT 1").is_err());
    site.start_postgres("pg1");
    assert!(site.postgres_log("pg1").contains("database system was not properly shut down"));
}

#[test]
fn postgresql_15_stands_alone() {
    stands_alone(15, Layout::Debian);
    stands_alone(15, Layout::Directory);
}

#[test]
fn postgresql_16_stands_alone() {
    stands_alone(16, Layout::Debian);
    stands_alone(16, Layout::Directory);
}

#[test]
fn postgresql_18_stands_alone() {
    stands_alone(18, Layout::Debian);
    stands_alone(18, Layout::Directory);
}

/// Patroni takes over running servers.
fn is_taken_over(site: &Site) {
    let before: Vec<String> = site.members().iter().map(|m| site.sql(m, IDENTITY)).collect();
    let slots = site.sql("pg1", SLOTS);
    site.take_over();
    let after: Vec<String> = site.members().iter().map(|m| site.sql(m, IDENTITY)).collect();
    assert_eq!(after, before);
    let now = site.sql("pg1", SLOTS);
    for slot in slots.lines().chain(["pg2|physical", "pg3|physical"]) {
        assert!(now.lines().any(|l| l == slot), "{slot} of\n{slots}\nin\n{now}");
    }
    assert_eq!(site.sql("pg1", STANDBYS), "10.77.0.12|streaming|pg2|replicator\n10.77.0.13|streaming|pg3|replicator");
}

#[test]
fn patroni_takes_over_debian() {
    let site = Site::of(15).standbys(2).start();
    is_taken_over(&site);
    // Patroni leaves the server alone when it is killed, and finds it again.
    let before = site.sql("pg1", IDENTITY);
    site.kill_patroni("pg1");
    assert!(site.rest("pg1", "/primary").is_none());
    site.start_patroni("pg1");
    site.wait("the leader", 10, || site.is_led_by("pg1"));
    assert_eq!(site.sql("pg1", IDENTITY), before);
}

#[test]
fn patroni_takes_over_a_data_directory_and_three_etcds_keep_it() {
    let site = Site::of(18).layout(Layout::Directory).standbys(2).etcd(3).start();
    is_taken_over(&site);
    // A store without one of three is a store.
    site.stop_etcd("etcd1");
    let lists = || site.patronictl("pg2", &["list", "-f", "json"]);
    site.wait("a list", 10, || lists().out.contains("\"Leader\""));
    assert!(site.sql("pg1", "SELECT pg_is_in_recovery()") == "f");
}

#[test]
fn a_site_is_up_in_seconds_and_ready_for_patroni() {
    let since = Instant::now();
    let site = Site::of(15).standbys(2).sql("CREATE ROLE reporting LOGIN").conf("work_mem = 5MB").start();
    assert!(since.elapsed() < Duration::from_secs(10), "{:?} {}", since.elapsed(), site.took);
    assert_eq!(
        site.sql("pg3", "SELECT rolname, current_setting('work_mem') FROM pg_roles WHERE rolname = 'reporting'"),
        "reporting|5MB"
    );
    for member in site.members() {
        let file = format!("/etc/patroni/{member}.yml");
        let valid = site.run_as(member, "postgres", &["patroni", "--validate-config", "--ignore-listen-port", &file]);
        assert_eq!((valid.code, valid.out.as_str(), valid.err.as_str()), (Some(0), "", ""));
        let lint =
            || site.run(member, &["patroni-preflight", "lint", "--format", "short", &file, &site.plan.config_dir()]);
        let before = lint();
        let findings: Vec<&str> =
            before.out.lines().filter(|l| l.contains("error[") || l.contains("warning[")).collect();
        assert!(matches!(&findings[..], [one] if one.contains("error[debian-start-conf-auto]")), "{}", before.out);
        site.leave_start_to_patroni(member);
        let after = lint();
        assert_eq!(after.code, Some(0), "{}{}", after.out, after.err);
    }
    let lint = site.preflight(&["lint", "/etc/patroni"]);
    assert_eq!(lint.code, Some(0), "{}{}", lint.out, lint.err);
    // Files are changed from outside.
    let hba = format!("{}/pg_hba.conf", site.plan.config_dir());
    site.replace("pg1", &hba, "10.77.0.9/32", "10.77.0.8/32");
    site.reload_postgres("pg1");
    let login = || site.login(OPERATOR, "pg1", "dba", "postgres", "SELECT 1");
    site.wait("a refusal", 5, || login().is_err_and(|e| e.contains("no pg_hba.conf entry")));
    site.write("pg1", &hba, "local all postgres peer\nhost all dba 10.77.0.9/32 scram-sha-256\n");
    site.reload_postgres("pg1");
    site.wait("a welcome", 5, || login().is_ok());
    assert_eq!(site.sh("pg1", &format!("stat -c '%a %U' {hba}")).trim(), "600 postgres");
}

#[test]
fn roles_change_and_a_logical_slot_goes_along() {
    let site = Site::of(16).standbys(1).logical().start();
    assert_eq!(site.sql("pg1", SLOTS), "cdc|logical\nstandby_1|physical");
    site.take_over();
    site.wait("the slot on the standby", 10, || site.sql("pg2", SLOTS).contains("cdc|logical"));
    let done = site.patronictl("pg1", &["switchover", "orders", "--leader", "pg1", "--candidate", "pg2", "--force"]);
    assert_eq!(done.code, Some(0), "{}{}", done.out, done.err);
    site.wait("the new leader", 15, || site.is_led_by("pg2"));
    assert_eq!(site.cluster("pg1")["pg2"].2, 2);
    assert!(site.sql("pg2", SLOTS).contains("cdc|logical"));
    assert!(site.patroni_log("pg2").contains("promoted self to leader"));
    // Patroni takes its server along when it is stopped, and brings it back.
    site.stop_patroni("pg1");
    assert!(site.try_sql("pg1", "postgres", "SELECT 1").is_err());
    site.start_patroni("pg1");
    site.wait("the member", 15, || site.is_led_by("pg2"));
}

#[test]
fn without_a_store_nobody_leads() {
    let site = Site::of(15).start();
    site.take_over();
    site.stop_etcd("etcd1");
    let recovers = || site.try_sql("pg1", "postgres", "SELECT pg_is_in_recovery()");
    site.wait("no leader", 15, || recovers().is_ok_and(|r| r == "t"));
    site.start_etcd("etcd1");
    site.wait("a leader", 15, || site.is_led_by("pg1") && recovers().is_ok_and(|r| r == "f"));
    assert!(site.etcd_log("etcd1").contains("restarting member"));
}

#[test]
fn sites_do_not_see_each_other() {
    std::thread::scope(|s| {
        let start = |major| s.spawn(move || Site::of(major).members(&["db-a", "db-b"]).start());
        let (one, other) = (start(15), start(16));
        let (one, other) = (one.join().expect("a site"), other.join().expect("a site"));
        one.sql("db-a", "CREATE TABLE of_one ()");
        assert!(other.try_sql("db-a", "postgres", "TABLE of_one").is_err());
        drop(one);
        assert_eq!(other.sql("db-a", STANDBYS), "10.77.0.12|streaming|standby_1|standby");
    });
}

#[test]
fn a_host_is_cut_off_and_comes_back_and_the_operator_reaches_it_by_ssh() {
    let site = Site::of(15).start();
    let words = site.ssh("pg1");
    let through = |text: &str| {
        let mut c = site.command(OPERATOR, &words[0]);
        c.args(&words[1..]).args(["sh", "-c", &format!("'{text}'")]).output().unwrap()
    };
    let ran = through("hostname; id -un; echo to here >&2; exit 3");
    assert_eq!(ran.status.code(), Some(3));
    assert_eq!(String::from_utf8(ran.stdout).unwrap(), "pg1\nroot\n");
    assert_eq!(String::from_utf8(ran.stderr).unwrap(), "to here\n");
    // The operator sees no process of a member, and its program runs.
    assert!(!site.sh(OPERATOR, "cat /proc/[0-9]*/comm").contains("postgres"));
    let mut c = site.command(OPERATOR, "ssh");
    let mut shell = c.args(["-o", "BatchMode=yes", "postgres@10.77.0.11", "sh", "-s"]).stdin(Stdio::piped());
    shell = shell.stdout(Stdio::piped());
    let mut shell = shell.spawn().unwrap();
    shell.stdin.take().unwrap().write_all(b"id -un; pwd; psql -XAtc 'SELECT 1' -h /var/run/postgresql\n").unwrap();
    let out = shell.wait_with_output().unwrap().stdout;
    assert_eq!(String::from_utf8(out).unwrap(), "postgres\n/var/lib/postgresql\n1\n");
    let version = site.preflight(&["--version"]);
    assert_eq!(version.out.trim(), format!("patroni-preflight {}", env!("CARGO_PKG_VERSION")));
    site.partition("pg1");
    assert!(site.login(OPERATOR, "pg1", "dba", "postgres", "SELECT 1").is_err());
    let ran = through("true");
    assert_eq!(ran.status.code(), Some(255), "{ran:?}");
    assert_eq!(site.sql("pg1", "SELECT 1"), "1");
    site.heal("pg1");
    assert_eq!(site.login(OPERATOR, "pg1", "dba", "postgres", "SELECT 1").unwrap(), "1");
    site.freeze("pg1");
    let frozen = site
        .command(OPERATOR, "timeout")
        .args(["1", "psql", "-c", "SELECT 1", &site.dsn("pg1", "dba", "postgres")])
        .status();
    assert_eq!(frozen.unwrap().code(), Some(124));
    site.thaw("pg1");
    assert_eq!(site.login(OPERATOR, "pg1", "dba", "postgres", "SELECT 1").unwrap(), "1");
    site.crash("pg1");
    assert!(site.login(OPERATOR, "pg1", "dba", "postgres", "SELECT 1").is_err());
    site.start_postgres("pg1");
    assert_eq!(site.login(OPERATOR, "pg1", "dba", "postgres", "SELECT 1").unwrap(), "1");
}

#[test]
#[ignore = "not a test of its own: the process that the next one kills"]
fn a_site_that_waits_to_be_killed() {
    let file = env("PREFLIGHT_SITE_FILE").expect("where to say that it is up");
    let site = Site::of(15).standbys(1).start();
    site.take_over();
    fs::write(&file, site.outside("pg1", "").to_str().expect("text")).unwrap();
    std::thread::sleep(Duration::from_mins(1));
}

/// What a site might leave: the machine's mounts (but for the namespaces of other tests), links, and what lies where servers leave things.
fn traces() -> Vec<String> {
    let list = |text: &str| -> Vec<String> {
        let out = command("sh").args(["-c", text]).output().unwrap().stdout;
        String::from_utf8_lossy(&out).lines().map(str::to_owned).collect()
    };
    [
        list("grep -v netns /proc/self/mounts"),
        list("ls -d /etc/patroni /srv/* /var/log/patroni /run/stage /run/scratch /etc/postgresql/*/*"),
        list("ip -o link | cut -d: -f2"),
    ]
    .concat()
}

#[test]
fn nothing_is_left_of_a_site_whose_process_is_killed() {
    let before = traces();
    let file = std::env::temp_dir().join(format!("pf-killed-{}", std::process::id()));
    let mut child = command(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "live::site::a_site_that_waits_to_be_killed"])
        .env("PREFLIGHT_SITE_FILE", &file)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let since = Instant::now();
    while !file.exists() {
        assert!(child.try_wait().unwrap().is_none() && since.elapsed() < Duration::from_secs(30), "no site");
        std::thread::sleep(Duration::from_millis(20));
    }
    let host = fs::read_to_string(&file).unwrap();
    fs::remove_file(&file).unwrap();
    // All processes of the site have its network, or one below it, and the first one of a host is known.
    let net = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/net")).ok();
    let pid = host.split('/').nth(2).unwrap();
    let its = net(pid).expect("it lives");
    let with = || -> Vec<String> {
        let all = fs::read_dir("/proc").unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
        all.filter(|pid| net(pid).is_some_and(|n| n == its)).collect()
    };
    assert!(with().len() > 5, "a first process, PostgreSQL and Patroni: {:?}", with());
    child.kill().unwrap();
    child.wait().unwrap();
    let since = Instant::now();
    while !with().is_empty() {
        assert!(since.elapsed() < Duration::from_secs(30), "{:?}", with());
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(traces(), before);
}
