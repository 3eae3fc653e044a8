//! Clusters as they are found. Each is tried with one major of PostgreSQL and the newest Patroni; `make e2e` tries all of them with 15, 16 and 18, and
//! with older releases of Patroni.

use super::{More, comes_true_with, random};
use crate::live::predict_connections::LOGS;
use crate::support::predicted::install;
use crate::support::site::{Layout, OPERATOR, Plan, Site};

/// A cluster that is found: its name, and how it is made of a plan without anything special.
pub(super) type Case = (&'static str, fn(Plan) -> Site);

pub(super) const CASES: [Case; 18] = [
    ("plain", plain),
    ("one directory", |plan| one_directory(plan).start()),
    ("alone", |plan| plan.standbys(0).start()),
    ("much is not carried over", much_is_not_carried_over),
    ("logical slots", |plan| plan.logical().start()),
    ("alter system", alter_system),
    ("custom_conf", custom_conf),
    ("an earlier base.conf", earlier_base_conf),
    ("an earlier Patroni", earlier_patroni),
    ("local and dynamic disagree", local_and_dynamic_disagree),
    ("units and ranges", units_and_ranges),
    ("standbys differ", standbys_differ),
    ("prepared transactions", prepared_transactions),
    ("hba elsewhere", hba_elsewhere),
    ("lists of lines", lists_of_lines),
    ("synchronous", synchronous),
    ("a standby on its own timeline", own_timeline),
    ("no standby.signal", no_standby_signal),
];

/// Replaces a text in the file of a member, on its host and on the operator's.
fn edit(site: &Site, member: &str, from: &str, to: &str) {
    for host in [member, OPERATOR] {
        site.replace(host, &format!("/etc/patroni/{member}.yml"), from, to);
    }
}

/// Adds a part of a map behind a line of the files of all members.
pub(super) fn add(site: &Site, line: &str, more: &str) {
    site.members().iter().for_each(|member| edit(site, member, line, &format!("{line}{more}")));
}

/// Behind it stand local parameters.
pub(super) const LOCAL: &str = "    unix_socket_directories: /var/run/postgresql\n";
/// Behind it stand dynamic parameters.
pub(super) const DYNAMIC: &str = "        wal_keep_size: 64MB\n";
/// Behind it stand keys of `postgresql`.
const KEYS: &str = "/.pgpass_patroni\n";

/// A file that `postgresql.conf` includes or that is it, and a restart.
pub(super) fn put(site: &Site, member: &str, text: &str) {
    let dir = site.plan.config_dir();
    let own = format!("{dir}/conf.d/90-own.conf");
    match site.plan.layout {
        Layout::Debian => site.write(member, &own, text),
        Layout::Directory => {
            let file = format!("{dir}/postgresql.conf");
            let old = site.read(member, &file);
            site.write(member, &file, old + text);
        }
    }
    site.stop_postgres(member, "fast");
    site.start_postgres(member);
}

fn all_stream(site: &Site) {
    let count = (site.members().len() - 1).to_string();
    let sql = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'";
    site.wait("streaming", 20, || site.try_sql("pg1", "postgres", sql).is_ok_and(|n| n == count));
}

fn plain(plan: Plan) -> Site {
    plan.start()
}

fn one_directory(plan: Plan) -> Plan {
    plan.layout(Layout::Directory)
}

fn much_is_not_carried_over(plan: Plan) -> Site {
    let conf = "max_connections = 300\nmax_worker_processes = 20\nmax_prepared_transactions = 30\nmax_locks_per_transaction = 128\n\
                track_commit_timestamp = on\nwal_log_hints = off\nwal_keep_size = 512MB\nmax_wal_senders = 20";
    plan.conf(conf).start()
}

fn alter_system(plan: Plan) -> Site {
    let site = plan.start();
    let sql = "ALTER SYSTEM SET work_mem = '13MB'; ALTER SYSTEM SET max_connections = 77; ALTER SYSTEM SET wal_keep_size = '96MB'; \
               ALTER SYSTEM SET shared_buffers = '24MB'; ALTER SYSTEM SET log_min_duration_statement = '250ms'";
    for statement in sql.split("; ") {
        site.sql("pg1", statement);
        site.sql("pg2", statement);
    }
    site.reload_postgres("pg1");
    add(&site, LOCAL, "    work_mem: 32MB\n    log_min_duration_statement: 1s\n");
    site
}

fn custom_conf(plan: Plan) -> Site {
    let site = plan.start();
    let (data, dir) = (site.plan.data_dir(), site.plan.config_dir());
    let text = format!(
        "{LOGS}\nshared_buffers = 20MB\nwork_mem = 7MB\nlisten_addresses = '*'\nwal_retrieve_retry_interval = 200ms\nfsync = off\n\
         password_encryption = 'scram-sha-256'\ndata_directory = '{data}'\n"
    );
    for member in site.members() {
        site.write(member, &format!("{dir}/own.conf"), &text);
    }
    add(&site, KEYS, "  custom_conf: own.conf\n");
    site
}

fn earlier_base_conf(plan: Plan) -> Site {
    let site = plan.conf("maintenance_work_mem = 70MB").start();
    let (data, dir) = (site.plan.data_dir(), site.plan.config_dir());
    let text = format!(
        "{LOGS}\nwork_mem = 6MB\nwal_retrieve_retry_interval = 200ms\nfsync = off\ndata_directory = '{data}'\n"
    );
    for member in ["pg1", "pg2"] {
        site.write(member, &format!("{dir}/postgresql.base.conf"), &text);
    }
    site
}

/// What is left in the store and in the data directory goes before the file.
fn earlier_patroni(plan: Plan) -> Site {
    let site = one_directory(plan).start();
    let left = r#"{"ttl": 20, "loop_wait": 1, "retry_timeout": 3, "postgresql": {"use_pg_rewind": true, "parameters": {"max_connections": 90, "work_mem": "3MB", "max_wal_senders": 12, "max_replication_slots": 12, "max_worker_processes": 9}}, "slots": {"standby_1": {"type": "physical"}, "standby_2": {"type": "physical"}}}"#;
    let put = format!("ETCDCTL_API=3 etcdctl put /service/orders/config '{left}'");
    let etcdctl = "command -v etcdctl >/dev/null";
    if site.run("etcd1", &["sh", "-c", etcdctl]).code == Some(0) {
        site.sh("etcd1", &put);
    } else {
        // Without its client: the gateway of the store takes base64.
        let text = format!(
            "key=$(printf %s /service/orders/config | base64 -w0); value=$(printf %s '{left}' | base64 -w0); \
             curl -sf http://127.0.0.1:2379/v3/kv/put -d \"{{\\\"key\\\": \\\"$key\\\", \\\"value\\\": \\\"$value\\\"}}\""
        );
        site.sh("etcd1", &text);
    }
    let cached = left.replace("3MB", "2MB");
    site.write("pg1", &format!("{}/patroni.dynamic.json", site.plan.data_dir()), &cached);
    site
}

fn local_and_dynamic_disagree(plan: Plan) -> Site {
    let site = plan.start();
    let local = "    work_mem: 5MB\n    max_connections: 500\n    wal_level: logical\n    log_checkpoints: false\n    port: 6000\n";
    let dynamic = "        work_mem: 9MB\n        maintenance_work_mem: 80MB\n        max_worker_processes: 12\n        log_checkpoints: true\n";
    add(&site, LOCAL, local);
    add(&site, DYNAMIC, dynamic);
    site
}

fn units_and_ranges(plan: Plan) -> Site {
    let site = plan.start();
    let local = "    work_mem: 1kB\n    checkpoint_timeout: 0.5h\n    random_page_cost: -3\n    archive_timeout: 90min\n    shared_buffers: 0.02GB\n    \
                 statement_timeout: 1d\n    vacuum_cost_delay: 1500us\n    log_min_messages: nonsense\n    no_such_setting: 7\n    app.region: eu\n    \
                 log_file_mode: '0640'\n    effective_cache_size: 524288\n    autovacuum: 'off'\n    hot_standby_feedback: true\n";
    add(&site, LOCAL, local);
    add(
        &site,
        DYNAMIC,
        "        max_prepared_transactions: -5\n        max_locks_per_transaction: 7\n        wal_log_hints: 'off'\n",
    );
    site
}

fn standbys_differ(plan: Plan) -> Site {
    let site = plan.start();
    put(&site, "pg2", "max_connections = 90\nwork_mem = 11MB\nshared_buffers = 18MB\nhot_standby_feedback = on\n");
    put(
        &site,
        "pg3",
        "max_connections = 120\nmax_worker_processes = 16\nmax_wal_senders = 30\nrestore_command = 'false'\n",
    );
    all_stream(&site);
    site
}

fn prepared_transactions(plan: Plan) -> Site {
    let site = one_directory(plan).conf("max_prepared_transactions = 25").start();
    add(&site, DYNAMIC, "        max_prepared_transactions: 40\n");
    site.sql("pg1", "BEGIN; CREATE TABLE waits (); PREPARE TRANSACTION 'waits'");
    // Not yet read by the servers.
    let file = format!("{}/postgresql.conf", site.plan.config_dir());
    let more = "wal_keep_size = 64MB\nwork_mem = 17MB\nshared_buffers = 30MB\n";
    for member in ["pg1", "pg2"] {
        site.replace(member, &file, "wal_keep_size = 64MB\n", more);
    }
    site
}

fn hba_elsewhere(plan: Plan) -> Site {
    let site = plan.start();
    let dir = site.plan.config_dir();
    for (index, member) in site.members().iter().enumerate() {
        let hba = site.read(member, &format!("{dir}/pg_hba.conf"));
        // Each has a file of its own: the same lines in other places.
        site.write(member, &format!("{dir}/own_hba.conf"), "#\n".repeat(index + 1) + &hba);
    }
    add(&site, LOCAL, "    hba_file: own_hba.conf\n");
    add(
        &site,
        KEYS,
        "  recovery_conf:\n    restore_command: cp /srv/archive/%f %p\n    recovery_target_action: pause\n",
    );
    site
}

fn lists_of_lines(plan: Plan) -> Site {
    let site = one_directory(plan).start();
    let hba = site.read("pg1", &format!("{}/pg_hba.conf", site.plan.config_dir()));
    let lines = hba.lines().filter(|l| !l.starts_with('#')).fold(String::new(), |text, l| text + "  - " + l + "\n");
    add(&site, KEYS, &format!("  pg_hba:\n{lines}"));
    site
}

fn synchronous(plan: Plan) -> Site {
    let site = plan.standbys(1).conf("synchronous_standby_names = ''").start();
    add(&site, "    maximum_lag_on_failover: 1048576\n", "    synchronous_mode: true\n");
    site
}

/// What a standby is told of its timeline takes a restart to change.
fn own_timeline(plan: Plan) -> Site {
    let site = plan.start();
    put(&site, "pg2", "recovery_target_timeline = 'current'\nmax_connections = 90\n");
    all_stream(&site);
    site
}

/// The file that made it a standby is gone, which the server that runs does not notice.
fn no_standby_signal(plan: Plan) -> Site {
    let site = one_directory(plan).start();
    site.sh("pg2", &format!("rm {}/standby.signal", site.plan.data_dir()));
    site
}

/// The newest release of Patroni, which every site has.
const NEWEST: &str = "";

/// One of them with one major and one release of Patroni.
pub(super) fn tried(name: &str, major: u16, release: &str) {
    let (_, make) = CASES.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("no case {name}"));
    let needs_servers =
        ["an earlier Patroni", "prepared transactions", "alter system", "no standby.signal"].contains(&name);
    // Nothing in files tells which Patroni is installed.
    let files_tell = !needs_servers && release == NEWEST;
    let site = make(Site::of(major).standbys(2).conf(LOGS));
    if release != NEWEST {
        install(&site, release);
    }
    comes_true_with(&site, More { files_tell, logs_lines: true });
}

/// What is tried with every change: each case once, and the oldest and the middle Patroni.
mod each {
    use super::{NEWEST, tried};

    macro_rules! each {
        ($($test:ident: $name:literal, $major:literal, $release:expr;)*) => {
            $(#[test] fn $test() { tried($name, $major, $release); })*
        };
    }

    each! {
        plain: "plain", 15, NEWEST;
        one_directory: "one directory", 18, NEWEST;
        alone: "alone", 16, NEWEST;
        much_is_not_carried_over: "much is not carried over", 15, NEWEST;
        logical_slots: "logical slots", 16, NEWEST;
        alter_system: "alter system", 18, NEWEST;
        custom_conf: "custom_conf", 15, NEWEST;
        earlier_base_conf: "an earlier base.conf", 16, NEWEST;
        earlier_patroni: "an earlier Patroni", 15, NEWEST;
        local_and_dynamic_disagree: "local and dynamic disagree", 16, NEWEST;
        units_and_ranges: "units and ranges", 18, NEWEST;
        standbys_differ: "standbys differ", 15, NEWEST;
        prepared_transactions: "prepared transactions", 16, NEWEST;
        hba_elsewhere: "hba elsewhere", 15, NEWEST;
        lists_of_lines: "lists of lines", 18, NEWEST;
        synchronous: "synchronous", 16, NEWEST;
        own_timeline: "a standby on its own timeline", 15, NEWEST;
        no_standby_signal: "no standby.signal", 18, NEWEST;
        patroni_3_0: "much is not carried over", 15, "3.0.4";
        patroni_3_3: "much is not carried over", 15, "3.3.11";
        patroni_4_0: "local and dynamic disagree", 15, "4.0.11";
    }
}

/// Every case with every major, and some with older releases of Patroni: minutes.
#[test]
#[ignore = "make e2e"]
fn all_of_them() {
    let newest = CASES.iter().flat_map(|(name, _)| [15, 16, 18].map(|major| (*name, major, NEWEST)));
    let older = ["3.0.4", "3.3.11", "4.0.11"].into_iter().flat_map(|release| {
        let some =
            ["plain", "one directory", "much is not carried over", "alter system", "logical slots", "standbys differ"];
        some.into_iter().chain(["local and dynamic disagree", "lists of lines"]).map(move |name| (name, 15, release))
    });
    let all: Vec<(&str, u16, &'static str)> = newest.chain(older).collect();
    random::at_once(all.len(), |i| {
        let (name, major, release) = all[i];
        tried(name, major, release);
        format!("{name}, PostgreSQL {major}, Patroni {release}")
    });
}

/// A conversion that carries nothing over: what is dangerous about it stands on the first screen.
#[test]
fn what_is_dangerous_stands_on_the_first_screen() {
    let site = Site::of(15).standbys(2).logical().start();
    for member in site.members() {
        for line in ["        max_connections: 60\n", "        wal_level: logical\n"] {
            edit(&site, member, line, "");
        }
        edit(&site, member, "      standby_1:\n        type: physical\n      standby_2:\n        type: physical\n", "");
    }
    let files: Vec<String> = site.members().iter().map(|m| format!("/etc/patroni/{m}.yml")).collect();
    let ssh: Vec<String> = site.members().iter().map(|m| format!("{m}={m}")).collect();
    let dsns: Vec<String> = site.members().iter().map(|m| format!("{m}={}", site.dsn(m, "dba", "postgres"))).collect();
    let mut args = vec!["predict"];
    args.extend(files.iter().map(String::as_str));
    args.extend(ssh.iter().flat_map(|s| ["--ssh", s.as_str()]));
    args.extend(dsns.iter().flat_map(|s| ["--dsn", s.as_str()]));
    let ran = site.preflight(&args);
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.err);
    let screen: Vec<&str> = ran.out.lines().take(40).collect();
    let at = |what: &str| {
        screen
            .iter()
            .position(|line| line.contains(what))
            .unwrap_or_else(|| panic!("{what} is not on the first screen of\n{}", ran.out))
    };
    let first = at("wal_level logical → replica: the server does not start with it");
    let second = at("max_connections 60 → 100: a standby that replays from here cannot go on with less");
    let third = at("slot standby_1 (physical");
    assert!(first < second && second < third, "{}", ran.out);
}
