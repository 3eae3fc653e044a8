//! Proofs of the rules that look at hosts, on sites: `check` says it before Patroni is started, Patroni does it, and after the fix
//! neither is so.

use serde_json::Value as Json;

use crate::support::record::{self, SOME, Stage, says, says_of};
use crate::support::site::{Layout, Site};

const DATA: &str = "/var/lib/postgresql/15/main";
const CONFIG: &str = "/etc/postgresql/15/main";
const BIN: &str = "/usr/lib/postgresql/15/bin";
/// Texts of the file of Patroni, and what takes their place.
const PGPASS: [&str; 2] = ["pgpass: /var/lib/postgresql/.pgpass_patroni", "pgpass: /root/own/pgpass"];
const SOCKETS: [&str; 2] = ["directories: /var/run/postgresql\n", "directories: /var/run/postgresql,/srv/sockets\n"];
const LOG: [&str; 2] = ["tags: {}\n", "tags: {}\nlog:\n  dir: /var/log/patroni/own\n"];
const CONFIG_DIR: [&str; 2] = ["  config_dir: /etc/postgresql/15/main\n", ""];
const NO_CONFIG_DIR: [&str; 2] = ["  bin_dir:", "  config_dir: /etc/postgresql/15/main\n  bin_dir:"];
const REST: [&str; 2] = ["restapi:\n", "restapi:\n  certfile: /etc/patroni/rest.pem\n"];
const DIR: &str = "data_dir: /var/lib/postgresql/15/main\n";
const ABOVE: &str = "data_dir: /var/lib/postgresql/15\n";
const MOUNT: &str = "data_dir: /srv/data\n";
const BELOW: &str = "data_dir: /srv/data/data\n";
/// What the leader logs in each loop.
const LEADS: &str = "the leader with the lock";

/// `check` of all members, with the ways to their hosts.
fn check(site: &Site) -> Json {
    let files: Vec<String> = site.members().iter().map(|m| format!("/etc/patroni/{m}.yml")).collect();
    let ssh: Vec<String> = site.members().iter().map(|m| format!("{m}={m}")).collect();
    let dsns: Vec<String> = site.members().iter().map(|m| format!("{m}={}", site.dsn(m, "dba", "postgres"))).collect();
    let mut args = vec!["check", "--format", "json"];
    args.extend(files.iter().map(String::as_str));
    args.extend(ssh.iter().flat_map(|s| ["--ssh", s.as_str()]));
    args.extend(dsns.iter().flat_map(|s| ["--dsn", s.as_str()]));
    let ran = site.preflight(&args);
    serde_json::from_str(&ran.out).unwrap_or_else(|e| panic!("{e}: {}{}", ran.out, ran.err))
}

/// The findings of a rule.
fn findings(said: &Json, rule: &str) -> Vec<Json> {
    let all = said["findings"].as_array().cloned().unwrap_or_default();
    all.into_iter().filter(|f| f["rule"] == rule).collect()
}

fn expect(site: &Site, rule: &str) -> Json {
    let said = check(site);
    let found = findings(&said, rule);
    let ids = |key: &str| -> Vec<String> {
        let all = said[key].as_array().cloned().unwrap_or_default();
        all.iter().map(|f| format!("{} {} {}", f["rule"], f["message"], f["what"])).collect()
    };
    assert_eq!(found.len(), 1, "{rule}: {:#?}\n{:#?}", ids("findings"), ids("not_checked"));
    record::note(Stage::Said, rule, &found[0]["message"]);
    found[0].clone()
}

fn expect_none(site: &Site, rule: &str) {
    let found = findings(&check(site), rule);
    assert!(found.is_empty(), "{rule}: {found:#?}");
    record::note(Stage::Gone, rule, "");
}

/// Runs the commands of a fix on a host, as they are printed.
fn apply(site: &Site, host: &str, finding: &Json) {
    let steps = finding["fix"]["steps"].as_array().cloned().unwrap_or_default();
    let mut count = 0;
    for line in steps.iter().filter_map(|step| step["line"].as_str()) {
        site.sh(host, line);
        record::note(Stage::Fix, finding["rule"].as_str().unwrap_or(SOME), line);
        count += 1;
    }
    assert!(count > 0, "{finding:#}");
}

/// Changes the file of Patroni of a member, and the operator's copy of it.
fn edit(site: &Site, member: &str, from: &str, to: &str) {
    for host in [member, crate::support::site::OPERATOR] {
        site.replace(host, &format!("/etc/patroni/{member}.yml"), from, to);
    }
}

/// All that Patroni and the server have logged since the log was emptied.
fn log(site: &Site, member: &str) -> String {
    site.sh(member, "cat /var/log/patroni/*.log /var/log/patroni/*/*.log /var/log/postgresql/*.log 2>/dev/null || true")
}

fn empty_log(site: &Site, member: &str) {
    site.sh(
        member,
        "for f in /var/log/patroni/*.log /var/log/patroni/*/*.log /var/log/postgresql/*.log; do if [ -e $f ]; then : > $f; fi; done",
    );
}

/// Starts Patroni and waits until one of the texts is in its log; the log.
fn start(site: &Site, member: &str, texts: &[&str]) -> String {
    empty_log(site, member);
    site.start_patroni(member);
    let mut said = String::new();
    site.wait(&texts.join(" or "), 25, || {
        said = log(site, member);
        texts.iter().any(|text| said.contains(text))
    });
    for text in texts.iter().filter(|text| said.contains(**text)) {
        record::note(Stage::Log, SOME, record::line_of(&said, text));
    }
    said
}

fn end_patroni(site: &Site, member: &str) {
    site.sh(member, "pid=$(cat /run/patroni/patroni.pid) && kill -KILL $pid 2>/dev/null; while kill -0 $pid 2>/dev/null; do sleep 0.02; done; true");
}

/// A mistake, what Patroni makes of it, and how it is mended.
struct Row<'a> {
    rule: &'a str,
    make: &'a dyn Fn(&Site),
    says: &'a str,
    /// After the commands of the fix, if it has any.
    mend: Option<&'a dyn Fn(&Site)>,
    /// What is put back for the next one.
    after: &'a dyn Fn(&Site),
}

fn nothing(_: &Site) {}

/// Tries mistakes on the first member one after the other. `runs`: its server runs, goes on, and is taken over after each fix.
fn try_all(site: &Site, rows: &[Row<'_>], runs: bool) {
    let begin = check(site);
    for row in rows {
        assert!(findings(&begin, row.rule).is_empty(), "{}: {begin:#?}", row.rule);
    }
    for row in rows {
        (row.make)(site);
        let finding = expect(site, row.rule);
        let said = start(site, "pg1", &[row.says, LEADS]);
        assert!(said.contains(row.says), "{}: {said}", row.rule);
        end_patroni(site, "pg1");
        if runs {
            assert_eq!(site.sql("pg1", "SELECT 1"), "1", "{}", row.rule);
        }
        match row.mend {
            Some(mend) => mend(site),
            None => apply(site, "pg1", &finding),
        }
        expect_none(site, row.rule);
        if runs {
            let said = start(site, "pg1", &[row.says, LEADS]);
            assert!(!said.contains(row.says), "{}: {said}", row.rule);
            end_patroni(site, "pg1");
        }
        (row.after)(site);
    }
}

/// Gives a member a Patroni whose Python lacks some modules: links to all others.
fn python_without(site: &Site, name: &str) {
    site.sh(
        "pg1",
        &format!(
            "real=$(dirname $(readlink -f /usr/bin/patroni)); rm -rf /srv/py && $real/python3 -m venv --without-pip /srv/py && \
             for f in $real/../lib/python3*/site-packages/*; do case ${{f##*/}} in {name}*|{name}) ;; *) ln -s $f /srv/py/lib/python3*/site-packages/ ;; esac; done && \
             printf '#!/srv/py/bin/python3\\nfrom patroni.__main__ import main\\nmain()\\n' > /srv/py/bin/patroni && chmod 755 /srv/py/bin/patroni && \
             mv /usr/bin/patroni /usr/bin/patroni.real && ln -s /srv/py/bin/patroni /usr/bin/patroni"
        ),
    );
}

fn python_again(site: &Site) {
    site.sh("pg1", "mv /usr/bin/patroni.real /usr/bin/patroni");
}

fn listen(site: &Site, member: &str, port: u16) {
    let address = site.address(member);
    site.sh(
        member,
        &format!("cd /srv && setsid python3 -m http.server {port} --bind {address} > /dev/null 2>&1 < /dev/null & echo $! > /run/listener.pid; for i in $(seq 200); do ss -ltn 2>/dev/null | grep -q :{port} && break; sleep 0.02; done"),
    );
    std::thread::sleep(std::time::Duration::from_millis(300));
}

fn end_listener(site: &Site) {
    site.sh("pg1", "kill $(cat /run/listener.pid); sleep 0.2");
}

#[expect(clippy::too_many_lines, reason = "a table")]
#[test]
fn patroni_ends_and_leaves_the_server_alone() {
    let site = Site::of(15).layout(Layout::Debian).start();
    let edit = |from: &'static str, to: &'static str| move |site: &Site| edit(site, "pg1", from, to);
    let rows = [
        // Before there is a member in the store, whose REST API would be asked first.
        Row {
            rule: "restapi-port-in-use",
            make: &|site| listen(site, "pg1", 8008),
            says: "Couldn't start a service on '10.77.0.11:8008', please check your `restapi.listen` configuration",
            mend: Some(&end_listener),
            after: &nothing,
        },
        Row {
            rule: "pgpass-dir-not-writable",
            make: &edit(PGPASS[0], PGPASS[1]),
            says: "'/root/own' is defined in `postgresql.pgpass`, couldn't create the directory",
            mend: Some(&edit(PGPASS[1], PGPASS[0])),
            after: &nothing,
        },
        Row {
            rule: "socket-dir-not-writable",
            make: &edit(SOCKETS[0], SOCKETS[1]),
            says: "'/srv/sockets' is defined in unix_socket_directories, couldn't create the directory",
            mend: None,
            after: &edit(SOCKETS[1], SOCKETS[0]),
        },
        Row {
            rule: "log-dir-missing",
            make: &edit(LOG[0], LOG[1]),
            says: "FileNotFoundError: [Errno 2] No such file or directory: '/var/log/patroni/own/patroni.log'",
            mend: None,
            after: &edit(LOG[1], LOG[0]),
        },
        Row {
            rule: "config-dir-not-writable",
            make: &|site| {
                site.sh("pg1", &format!("mv {CONFIG}/postgresql.base.conf {CONFIG}/postgresql.conf; chown root: {CONFIG}; chmod 0755 {CONFIG}"));
            },
            says: "PermissionError: [Errno 13] Permission denied: '/etc/postgresql/15/main/",
            mend: None,
            after: &nothing,
        },
        Row {
            rule: "config-dir-not-writable",
            make: &|site| drop(site.sh("pg1", &format!("chown root: {CONFIG}/postgresql.conf"))),
            says: "PermissionError: [Errno 13] Permission denied: '/etc/postgresql/15/main/postgresql.conf'",
            mend: None,
            after: &nothing,
        },
        Row {
            rule: "config-dir-missing",
            make: &edit(CONFIG_DIR[0], CONFIG_DIR[1]),
            says: "FileNotFoundError: [Errno 2] No such file or directory: '/var/lib/postgresql/15/main/postgresql.conf'",
            mend: Some(&edit(NO_CONFIG_DIR[0], NO_CONFIG_DIR[1])),
            after: &nothing,
        },
        Row {
            rule: "tls-files-unusable",
            make: &edit(REST[0], REST[1]),
            says: "FileNotFoundError: [Errno 2] No such file or directory",
            mend: Some(&|site| {
                site.sh("pg1", "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=pg1 -days 2 -keyout /etc/patroni/k -out /etc/patroni/c 2>/dev/null && cat /etc/patroni/k /etc/patroni/c > /etc/patroni/rest.pem && chown postgres /etc/patroni/rest.pem && chmod 600 /etc/patroni/rest.pem");
            }),
            after: &edit(REST[1], REST[0]),
        },
        Row {
            rule: "log-json-module",
            make: &edit("tags: {}\n", "tags: {}\nlog:\n  type: json\n"),
            says: "Failed to import \"python-json-logger\" library",
            mend: Some(&edit("log:\n  type: json\n", "")),
            after: &nothing,
        },
        Row {
            rule: "python-driver-missing",
            make: &|site| python_without(site, "psycopg"),
            says: "FATAL: Patroni requires psycopg2>=2.5.4, psycopg2-binary, or psycopg>=3.0.0",
            mend: Some(&python_again),
            after: &nothing,
        },
        Row {
            rule: "python-dcs-client-missing",
            make: &|site| python_without(site, "dns"),
            says: "Can not find suitable configuration of distributed configuration store",
            mend: Some(&python_again),
            after: &nothing,
        },
    ];
    try_all(&site, &rows, true);
}

#[test]
fn a_stopped_server_does_not_start() {
    let site = Site::of(15).layout(Layout::Debian).start();
    site.write(
        "pg1",
        "/etc/systemd/system/patroni.service",
        "[Service]\nUser=postgres\nExecStart=/usr/bin/patroni /etc/patroni/pg1.yml\nKillMode=process\n",
    );
    site.stop_postgres("pg1", "fast");
    let edit = |from: &'static str, to: &'static str| move |site: &Site| edit(site, "pg1", from, to);
    let rows = [
        Row {
            rule: "data-dir-permissions",
            make: &|site| drop(site.sh("pg1", &format!("chmod 0755 {DATA}"))),
            says: "has invalid permissions",
            mend: None,
            after: &nothing,
        },
        Row {
            rule: "data-dir-owner",
            make: &|site| drop(site.sh("pg1", &format!("chown daemon {DATA}; chmod 0750 {DATA}"))),
            says: "wrong ownership",
            mend: Some(&|site| drop(site.sh("pg1", &format!("chown -R postgres {DATA}")))),
            after: &nothing,
        },
        Row {
            rule: "bin-dir-programs-missing",
            make: &|site| {
                site.sh("pg1", "mkdir /srv/bin");
                self::edit(site, "pg1", "bin_dir: /usr/lib/postgresql/15/bin", "bin_dir: /srv/bin");
            },
            says: "Error when calling pg_controldata: FileNotFoundError(2, 'No such file or directory')",
            mend: Some(&edit("bin_dir: /srv/bin", "bin_dir: /usr/lib/postgresql/15/bin")),
            after: &nothing,
        },
        Row {
            rule: "listen-port-in-use",
            make: &|site| listen(site, "pg1", 5432),
            says: "could not bind IPv4 address \"10.77.0.11\": Address already in use",
            mend: Some(&end_listener),
            after: &|site| drop(site.sh("pg1", "pkill -x postgres; while pgrep -x postgres; do sleep 0.05; done >&2")),
        },
        Row {
            rule: "data-dir-invalid",
            make: &edit(DIR, ABOVE),
            says: "data dir for the cluster is not empty, but system ID is invalid; consider doing reinitialize",
            mend: Some(&edit(ABOVE, DIR)),
            after: &nothing,
        },
        Row {
            rule: "data-dir-mountpoint",
            make: &|site| {
                site.sh("pg1", "mkdir -p /srv/data/lost+found && chown postgres /srv/data");
                self::edit(site, "pg1", DIR, MOUNT);
                // A new cluster is made only where the store knows none.
                self::edit(site, "pg1", "scope: orders\n", "scope: fresh\n");
                self::edit(site, "pg1", "  config_dir: /etc/postgresql/15/main\n", "");
            },
            says: "initdb: error: directory \"/srv/data\" exists but is not empty",
            mend: Some(&|site| {
                self::edit(site, "pg1", MOUNT, BELOW);
                // Patroni was killed before it could take its key away.
                self::edit(site, "pg1", "scope: fresh\n", "scope: again\n");
            }),
            after: &nothing,
        },
    ];
    try_all(&site, &rows, false);
    let said = start(&site, "pg1", &["initialized a new cluster", "Failed to bootstrap"]);
    says(&said, "initialized a new cluster");
}

/// The first member of a site of its own, twice: with a mistake and without.
fn twice(rule: &str, says: &str, make: &dyn Fn(&Site), mend: &dyn Fn(&Site, &Json), look: &dyn Fn(&Site, bool)) {
    for is_bad in [true, false] {
        let site = Site::of(15).layout(Layout::Debian).start();
        make(&site);
        let finding = expect(&site, rule);
        if !is_bad {
            mend(&site, &finding);
            expect_none(&site, rule);
        }
        let said = start(&site, "pg1", &[says, LEADS]);
        assert_eq!(said.contains(says), is_bad, "{rule}: {said}");
        look(&site, is_bad);
    }
}

#[test]
fn another_directory_than_that_of_the_server() {
    let make = |site: &Site| {
        edit(site, "pg1", "data_dir: /var/lib/postgresql/15/main\n", "data_dir: /var/lib/postgresql/15/mian\n");
    };
    let mend = |site: &Site, _: &Json| {
        edit(site, "pg1", "data_dir: /var/lib/postgresql/15/mian\n", "data_dir: /var/lib/postgresql/15/main\n");
    };
    twice("data-dir-not-the-running-one", "trying to bootstrap a new cluster", &make, &mend, &|_, _| {});
}

#[test]
fn a_server_on_another_port_than_its_file_says() {
    let make = |site: &Site| {
        site.stop_postgres("pg1", "fast");
        site.must(
            "pg1",
            "postgres",
            &[
                "pg_ctl",
                "-s",
                "-w",
                "-D",
                DATA,
                "-l",
                "/var/log/postgresql/own.log",
                "-o",
                &format!("-c config_file={CONFIG}/postgresql.conf -p 5433"),
                "start",
            ],
        );
    };
    let mend = |site: &Site, _: &Json| {
        edit(site, "pg1", "listen: 10.77.0.11,127.0.0.1:5432", "listen: 10.77.0.11,127.0.0.1:5433");
        edit(site, "pg1", "connect_address: 10.77.0.11:5432", "connect_address: 10.77.0.11:5433");
    };
    twice("listen-mismatch-running-primary", "Demoting self (immediate-nolock)", &make, &mend, &|_, _| {});
}

#[test]
fn a_watchdog_that_is_required_and_not_there() {
    let make = |site: &Site| edit(site, "pg1", "mode: \"off\"", "mode: required\n  device: /dev/watchdog9");
    let mend = |site: &Site, _: &Json| edit(site, "pg1", "mode: required", "mode: automatic");
    twice(
        "watchdog-device-unusable",
        "Demoting self because watchdog could not be activated",
        &make,
        &mend,
        &|_, _| {},
    );
}

#[test]
fn an_earlier_dynamic_configuration_comes_back() {
    let file = format!("{DATA}/patroni.dynamic.json");
    let make = |site: &Site| {
        site.write(
            "pg1",
            &file,
            r#"{"ttl": 20, "loop_wait": 1, "retry_timeout": 3, "postgresql": {"parameters": {"work_mem": "7MB"}}}"#,
        );
    };
    let mend = |site: &Site, finding: &Json| apply(site, "pg1", finding);
    let look = |site: &Site, is_bad: bool| {
        site.wait("a leader", 10, || log(site, "pg1").contains(LEADS));
        let config = site.patronictl("pg1", &["show-config"]).out;
        assert_eq!(config.contains("work_mem: 7MB"), is_bad, "{config}");
        assert_eq!(config.contains("max_wal_senders: 12"), !is_bad, "{config}");
    };
    twice("stale-patroni-dynamic-json", "Changed work_mem", &make, &mend, &look);
}

#[test]
fn a_member_without_data_comes_first() {
    for is_bad in [true, false] {
        let site = Site::of(15).layout(Layout::Debian).standbys(1).start();
        site.stop_postgres("pg2", "fast");
        site.sh("pg2", &format!("mv {DATA} {DATA}.old"));
        let found = expect(&site, "data-dir-empty-on-existing-node");
        assert!(found["no_fix"].as_str().is_some_and(|n| n.starts_with("start Patroni on pg1 first")), "{found}");
        if is_bad {
            let said = start(&site, "pg2", &["initialized a new cluster", "bootstrapped from leader"]);
            says(&said, "initialized a new cluster");
            let said = start(&site, "pg1", &["system ID mismatch", LEADS]);
            says(&said, "system ID mismatch, node pg1 belongs to a different cluster");
            site.wait("the end of the server that held the data", 20, || {
                site.try_sql("pg1", "postgres", "SELECT 1").is_err()
            });
        } else {
            let _ = start(&site, "pg1", &[LEADS]);
            expect_none(&site, "data-dir-empty-on-existing-node");
            let said = start(&site, "pg2", &["initialized a new cluster", "bootstrapped from leader 'pg1'"]);
            says(&said, "bootstrapped from leader 'pg1'");
        }
    }
}

#[test]
fn a_standby_is_promoted_from_outside() {
    let site = Site::of(15).layout(Layout::Debian).standbys(1).start();
    site.take_over();
    let line = format!("{BIN}/pg_ctl promote -D {DATA}");
    expect_none(&site, "other-ha-manager");
    site.write("pg2", "/etc/cron.d/failover", format!("* * * * * postgres {line}\n"));
    let found = expect(&site, "other-ha-manager");
    assert!(found["message"].as_str().is_some_and(|m| m.contains(&line)), "{found}");
    // Between two rounds of Patroni, however short they are here.
    let patroni = |signal: &str| site.sh("pg2", &format!("kill -{signal} $(cat /run/patroni/patroni.pid)"));
    patroni("STOP");
    site.must("pg2", "postgres", &["sh", "-c", &line]);
    site.sql("pg2", "CREATE TABLE written_here ()");
    assert_eq!(site.sql("pg1", "SELECT pg_is_in_recovery()"), "f");
    patroni("CONT");
    let mut said = String::new();
    let words = ["Demoting self (immediate-nolock)", "I am pg2"];
    site.wait("what Patroni does with it", 20, || {
        said = log(&site, "pg2");
        words.iter().any(|words| said.contains(words))
    });
    let seen = words.into_iter().find(|words| said.contains(words)).expect("one of them");
    says_of("other-ha-manager", &said, seen);
    site.sh("pg2", "rm /etc/cron.d/failover");
    expect_none(&site, "other-ha-manager");
}

#[test]
fn files_of_a_recovery() {
    let site = Site::of(15).layout(Layout::Debian).standbys(1).start();
    site.write("pg1", &format!("{DATA}/standby.signal"), "");
    let found = expect(&site, "leftover-recovery-files");
    let restart = |member: &str| {
        site.stop_postgres(member, "fast");
        site.start_postgres(member);
    };
    restart("pg1");
    assert_eq!(site.sql("pg1", "SELECT pg_is_in_recovery()"), "t");
    site.stop_postgres("pg1", "fast");
    apply(&site, "pg1", &found);
    site.start_postgres("pg1");
    assert_eq!(site.sql("pg1", "SELECT pg_is_in_recovery()"), "f");
    expect_none(&site, "leftover-recovery-files");

    // The standby: Patroni restarts it, unless the file is there.
    let _ = start(&site, "pg1", &[LEADS]);
    let started = || site.sql("pg2", "SELECT pg_postmaster_start_time()");
    for is_bad in [true, false] {
        site.sh("pg2", &format!("rm {DATA}/standby.signal"));
        let found = expect(&site, "standby-signal-missing");
        if !is_bad {
            apply(&site, "pg2", &found);
            expect_none(&site, "standby-signal-missing");
        }
        let before = started();
        let _ = start(&site, "pg2", &["a secondary, and following a leader (pg1)"]);
        let mut after = before.clone();
        let changes = || {
            after =
                site.try_sql("pg2", "postgres", "SELECT pg_postmaster_start_time()").unwrap_or_else(|_| after.clone());
            after != before
        };
        if is_bad {
            site.wait("a restart", 15, changes);
        } else {
            std::thread::sleep(std::time::Duration::from_secs(3));
            assert_eq!(started(), before);
        }
        end_patroni(&site, "pg2");
    }
}

#[test]
fn names_and_places_after_a_clone() {
    let site = Site::of(15).layout(Layout::Debian).standbys(1).start();
    site.stop_postgres("pg2", "fast");
    site.sh("pg2", &format!("mv {DATA}/pg_wal /srv/wal && ln -s /srv/wal {DATA}/pg_wal"));
    site.start_postgres("pg2");
    edit(&site, "pg1", "  connect_address: 10.77.0.11:5432", "  connect_address: pg1:5432");
    let hosts = site.read("pg2", "/etc/hosts");
    site.sh("pg2", "sed -i '/pg1/d' /etc/hosts");
    let found = expect(&site, "name-resolution");
    assert!(
        found["message"].as_str().is_some_and(|m| m.contains("`pg1` does not resolve on the host of pg2")),
        "{found}"
    );
    let _ = start(&site, "pg1", &[LEADS]);
    let _ = start(&site, "pg2", &["could not translate host name \"pg1\""]);
    site.write("pg2", "/etc/hosts", hosts);
    expect_none(&site, "name-resolution");
    site.wait("streaming", 25, || site.is_led_by("pg1"));
    let is_link = || site.run("pg2", &["test", "-L", &format!("{DATA}/pg_wal")]).code == Some(0);
    let reinit = || {
        let old = site.sh("pg2", &format!("stat -c %i {DATA}"));
        let ran = site.patronictl("pg1", &["reinit", "orders", "pg2", "--force"]);
        assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
        let inode = || site.run("pg2", &["stat", "-c", "%i", DATA]).out;
        site.wait("a new directory", 25, || inode() != old && !inode().is_empty());
        site.wait("streaming", 25, || site.is_led_by("pg1"));
    };
    let found = expect(&site, "pg-wal-or-tablespace-symlinks");
    assert!(found["message"].as_str().is_some_and(|m| m.contains("leads to /srv/wal")), "{found}");
    site.sh("pg2", "chown postgres /srv");
    reinit();
    assert!(!is_link());
    edit(&site, "pg2", "  pgpass:", "  basebackup:\n  - waldir: /srv/wal\n  pgpass:");
    site.sh("pg2", "kill -HUP $(cat /run/patroni/patroni.pid)");
    reinit();
    assert!(is_link());
    expect_none(&site, "pg-wal-or-tablespace-symlinks");
}
