//! Proofs of the rules over what running servers answer: slots, roles, settings, data.

use std::time::Duration;

use super::on_site::{check, check_of, edit, patronictl, wait_for, wait_for_leader, wait_for_server};
use crate::support::record::says;
use crate::support::site::{OPERATOR, Site};

const SLOTS: &str = "SELECT string_agg(slot_name, ' ' ORDER BY slot_name) FROM pg_replication_slots";

#[test]
fn slots_that_nobody_declares_are_dropped() {
    let more = "SELECT pg_create_physical_replication_slot('backup', true);\n\\c app\nSELECT pg_create_logical_replication_slot('orders', 'pgoutput')";
    let site = Site::of(15).logical().sql(more).start();
    let before = check(&site);
    before.finding("slots-undeclared-physical", "physical slot `backup` of pg1 within seconds");
    before.finding("slots-undeclared-logical", "slot `orders` (database app, plugin pgoutput) of pg1 within seconds");
    assert!(!before.text.contains("`cdc`"), "{}", before.text);
    site.start_patroni("pg1");
    for slot in ["backup", "orders"] {
        wait_for(&site, "pg1", &format!("Trying to drop unknown replication slot '{slot}'"));
        wait_for(&site, "pg1", &format!("Dropped replication slot '{slot}'"));
    }
    assert_eq!(site.sql("pg1", SLOTS), "cdc");
    for rule in ["slots-undeclared-physical", "slots-undeclared-logical"] {
        patronictl(&site, "pg1", before.step(rule, "later: "));
    }
    // Those that are declared are made, and outlive another start of Patroni.
    site.wait("the slots", 20, || site.sql("pg1", SLOTS) == "backup cdc orders");
    site.kill_patroni("pg1");
    let so_far = site.patroni_log("pg1").len();
    site.start_patroni("pg1");
    site.wait("a loop", 20, || site.patroni_log("pg1")[so_far..].contains("the leader with the lock"));
    assert_eq!(site.sql("pg1", SLOTS), "backup cdc orders");
    check(&site).is_silent(&["slots-undeclared-physical", "slots-undeclared-logical"]);
}

#[test]
fn slots_after_the_take_over() {
    let site = Site::of(15).logical().standbys(1).start();
    site.sql("pg2", "ALTER SYSTEM SET hot_standby_feedback = off");
    site.reload_postgres("pg2");
    site.sql("pg2", "SELECT pg_create_physical_replication_slot('standby_1')");
    let before = check(&site);
    before.finding("logical-slots-need-hsf", "slot `cdc`");
    before.finding("slot-without-restart-lsn", "slot `standby_1` of pg2");
    before.is_silent(&["permanent-slot-left-after-conversion", "slots-undeclared-physical"]);
    site.take_over();
    wait_for(&site, "pg2", "Dropping physical replication slot standby_1 because it has no restart_lsn");
    wait_for(
        &site,
        "pg2",
        "Logical slot failover requires \"hot_standby_feedback\". Please check postgresql.auto.conf",
    );
    let held = "SELECT restart_lsn IS NOT NULL FROM pg_replication_slots WHERE slot_name = 'standby_1'";
    site.wait("another slot", 20, || site.sql("pg2", held) == "t");
    site.sql("pg2", "ALTER SYSTEM RESET hot_standby_feedback");
    site.reload_postgres("pg2");
    site.wait("feedback", 10, || site.sql("pg2", "SHOW hot_standby_feedback") == "on");
    // Members have gone on with slots of their own, and the old one holds back WAL.
    site.sql("pg1", "SELECT pg_switch_wal()");
    site.sql("pg1", "CHECKPOINT");
    let mut after = check(&site);
    site.wait("the finding", 20, || {
        after = check(&site);
        after.has("permanent-slot-left-after-conversion")
    });
    after.is_silent(&["logical-slots-need-hsf", "slot-without-restart-lsn"]);
    after.finding("permanent-slot-left-after-conversion", "slot `standby_1` is declared");
    let rest = "SELECT restart_lsn FROM pg_replication_slots WHERE slot_name = 'standby_1'";
    let stays = site.sql("pg1", rest);
    site.sql("pg1", "SELECT pg_switch_wal()");
    assert_eq!(site.sql("pg1", rest), stays);
    patronictl(&site, "pg1", after.step("permanent-slot-left-after-conversion", "later: "));
    site.wait("the slot to go", 20, || site.sql("pg1", SLOTS) == "cdc pg2");
    check(&site).is_silent(&["permanent-slot-left-after-conversion"]);
}

#[test]
fn slots_that_the_server_keeps_itself() {
    let events = "\\c app\nCREATE PUBLICATION all_tables FOR ALL TABLES;\nSELECT pg_create_logical_replication_slot('events', 'pgoutput', false, false, true)";
    let conf = "wal_level = logical\nsynchronized_standby_slots = 'standby_1'";
    let site = Site::of(18).standbys(1).conf(conf).sql(events).start();
    for member in ["pg1", "pg2"] {
        edit(&site, member, "wal_level: replica", "wal_level: logical");
        edit(&site, member, "    slots:\n      standby_1:\n        type: physical\n", "");
    }
    let before = check(&site);
    before.finding("failover-slots-pg17", "wait for slot `standby_1`, which Patroni drops");
    before.is_silent(&["slots-undeclared-logical"]);
    site.take_over();
    site.wait("the old slot to go", 20, || site.sql("pg1", SLOTS) == "events pg2");
    let read = "SELECT count(*) FROM pg_logical_slot_get_binary_changes('events', NULL, NULL, 'proto_version', '1', 'publication_names', 'all_tables')";
    let text = format!("PGOPTIONS='-c statement_timeout=2s' psql -XAtq -d app -c \"{read}\" 2>&1");
    let said = site.run_as("pg1", "postgres", &["sh", "-c", &text]).out;
    let gone = "replication slot \"standby_1\" specified in parameter \"synchronized_standby_slots\" does not exist";
    assert!(said.contains(gone) && said.contains("canceling statement"), "{said}");
    let command = "patronictl edit-config -s postgresql.parameters.synchronized_standby_slots=pg2";
    patronictl(&site, "pg1", command);
    site.wait("the setting", 20, || site.sql("pg1", "SHOW synchronized_standby_slots") == "pg2");
    let said = site.run_as("pg1", "postgres", &["sh", "-c", &text]);
    assert_eq!(said.code, Some(0), "{said:?}");
    check(&site).is_silent(&["failover-slots-pg17"]);
}

#[test]
fn the_server_cannot_have_what_is_declared() {
    let left = "CREATE TABLE two (n int);\nBEGIN;\nINSERT INTO two VALUES (2);\nPREPARE TRANSACTION 'left'";
    let site = Site::of(15).conf("max_prepared_transactions = 5").sql(left).start();
    let slots = "        wal_keep_size: 64MB\n    slots:\n      cdc:\n        type: logical\n        database: nowhere\n        plugin: pgoutput\n";
    edit(&site, "pg1", "        wal_keep_size: 64MB\n", slots);
    edit(&site, "pg1", "wal_level: replica", "wal_level: logical");
    let before = check(&site);
    before.finding("slots-logical-database-missing", "slot `cdc` is of database `nowhere`, which does not exist");
    before.finding("slots-logical-wal-level", "pg1 runs with `wal_level` replica");
    before.finding(
        "max-prepared-transactions-lowered",
        "1 prepared transactions, and `max_prepared_transactions` will be 0",
    );
    before.is_silent(&["cmdline-guc-not-carried-over", "wal-level-lowered-with-logical-slots"]);
    site.start_patroni("pg1");
    wait_for(&site, "pg1", "Exception when changing replication slots");
    wait_for(&site, "pg1", "database \"nowhere\" does not exist");
    patronictl(&site, "pg1", "patronictl edit-config -s slots.cdc.database=app");
    wait_for(&site, "pg1", "Failed to create logical replication slot 'cdc'");
    wait_for(&site, "pg1", "logical decoding requires wal_level >= logical");
    // The restart that the slot needs comes to grief by the transaction.
    let restart = before.step("slots-logical-wal-level", "$ ");
    let command = format!("timeout 20 {} || true", restart.replace("patroni.yml", "/etc/patroni/pg1.yml"));
    site.must("pg1", "postgres", &["sh", "-c", &command]);
    wait_for(&site, "pg1", "maximum number of prepared transactions reached");
    patronictl(&site, "pg1", before.step("max-prepared-transactions-lowered", "later: "));
    wait_for_leader(&site, "pg1");
    patronictl(&site, "pg1", restart);
    site.wait("the slot", 30, || site.try_sql("pg1", "postgres", SLOTS) == Ok("cdc".to_owned()));
    assert_eq!(site.sql("pg1", "SELECT count(*) FROM pg_prepared_xacts"), "1");
    check(&site).is_silent(&[
        "slots-logical-database-missing",
        "slots-logical-wal-level",
        "max-prepared-transactions-lowered",
    ]);
}

#[test]
fn roles_and_databases_that_are_not_there() {
    let site = Site::of(15).standbys(1).start();
    edit(&site, "pg1", "username: patroni_su", "username: patroni_admin");
    edit(&site, "pg1", "  pgpass: ", "  database: control\n  pgpass: ");
    edit(&site, "pg2", "username: replicator", "username: streamer");
    edit(&site, "pg2", "username: rewinder", "username: winder");
    let lines = "host all,replication streamer,winder 10.77.0.0/24 scram-sha-256\n";
    let file = format!("{}/pg_hba.conf", site.plan.config_dir());
    let text = site.read("pg1", &file);
    site.write("pg1", &file, format!("{lines}{text}"));
    site.reload_postgres("pg1");
    let before = check(&site);
    before.finding("role-superuser-missing", "no role `patroni_admin`");
    before.finding("role-replication-missing", "no role `streamer`");
    before.finding("role-rewind-missing", "no role `winder`");
    before.finding("postgres-database-missing", "database `control` of pg1, which does not exist");
    // The password is what the file has; the server's log alone says that the role is missing.
    let set = |role: &str, password: &str| site.sql("pg1", &format!("ALTER ROLE {role} PASSWORD '{password}'"));
    site.start_patroni("pg1");
    wait_for(&site, "pg1", "Exceeded retry deadline");
    assert!(site.postgres_log("pg1").contains("Role \"patroni_admin\" does not exist"), "{}", site.logs());
    site.sql("pg1", before.step("role-superuser-missing", "SQL: "));
    set("patroni_admin", "superuser-pw");
    let so_far = site.patroni_log("pg1").len();
    site.start_patroni("pg1");
    let logged = |words: &str| site.patroni_log("pg1")[so_far..].contains(words);
    site.wait("the database to be missed", 20, || logged("database \"control\" does not exist"));
    site.wait("the end", 20, || logged("Exceeded retry deadline"));
    site.sql("pg1", before.step("postgres-database-missing", "SQL: "));
    site.start_patroni("pg1");
    wait_for_leader(&site, "pg1");
    site.start_patroni("pg2");
    wait_for_server(&site, "pg1", "password authentication failed for user \"streamer\"");
    site.sql("pg1", before.step("role-replication-missing", "SQL: "));
    set("streamer", "replication-pw");
    let streaming = "SELECT count(*) FROM pg_stat_replication WHERE usename = 'streamer' AND state = 'streaming'";
    site.wait("the stream", 30, || site.sql("pg1", streaming) == "1");
    // Rewinding begins with a log-in of this role.
    let dsn = format!("host={} user=winder password=rewind-pw dbname=postgres", site.address("pg1"));
    let asks = ["psql", "-XAtq", "-d", &dsn, "-c", "SELECT count(*) > 0 FROM pg_ls_dir('global', true, false)"];
    let refused = site.run("pg2", &asks);
    says(&refused.err, "password authentication failed for user \"winder\"");
    let steps: Vec<&str> =
        before.finding("role-rewind-missing", "").lines().filter_map(|l| l.split_once("SQL: ")).map(|s| s.1).collect();
    for sql in steps {
        site.sql("pg1", sql);
    }
    set("winder", "rewind-pw");
    assert_eq!(site.must("pg2", "root", &asks).trim(), "t");
    // A limit of connections is none for streams, and keeps this role out.
    site.sql("pg1", "ALTER ROLE streamer CONNECTION LIMIT 0");
    site.sql("pg1", "SELECT pg_terminate_backend(pid) FROM pg_stat_replication");
    site.wait("the stream", 30, || site.sql("pg1", streaming) == "1");
    site.sql("pg1", "ALTER ROLE winder CONNECTION LIMIT 0");
    let between = check(&site);
    between.is_silent(&[
        "role-superuser-missing",
        "role-replication-missing",
        "role-rewind-missing",
        "postgres-database-missing",
        "rewind-grants-missing",
    ]);
    between.finding("role-connection-limit", "role `winder` may have 0 connections, and Patroni needs 1");
    assert!(!between.text.contains("role `streamer`"), "{}", between.text);
    let refused = site.run("pg2", &asks);
    says(&refused.err, "too many connections for role \"winder\"");
    site.sql("pg1", between.step("role-connection-limit", "SQL: "));
    assert_eq!(site.must("pg2", "root", &asks).trim(), "t");
    check(&site).is_silent(&["role-connection-limit"]);
}

#[test]
fn commits_wait_for_nobody() {
    let site = Site::of(15).start();
    edit(&site, "pg1", "    ttl: 20\n", "    ttl: 20\n    synchronous_mode: true\n    synchronous_mode_strict: true\n");
    let before = check(&site);
    before.finding("sync-strict-without-standby", "nobody streams from pg1");
    site.start_patroni("pg1");
    wait_for(&site, "pg1", "No standbys available!");
    site.wait("the setting", 20, || site.sql("pg1", "SHOW synchronous_standby_names") == "*");
    let write = ["timeout", "2", "psql", "-XAtq", "-d", "app", "-c", "INSERT INTO orders (customer) VALUES ('x')"];
    let hangs = site.run_as("pg1", "postgres", &write);
    assert_eq!(hangs.code, Some(124), "{hangs:?}");
    patronictl(&site, "pg1", before.step("sync-strict-without-standby", "later: "));
    site.wait("the setting", 20, || site.sql("pg1", "SHOW synchronous_standby_names").is_empty());
    site.must("pg1", "postgres", &write);
    check(&site).is_silent(&["sync-strict-without-standby"]);
}

#[test]
fn data_of_another_cluster() {
    let site = Site::of(15).standbys(1).start();
    let data = site.plan.data_dir();
    site.stop_postgres("pg2", "fast");
    let again = format!(
        "cp {data}/postgresql.auto.conf /tmp && rm -r {data} && {}/initdb -D {data} -N > /tmp/initdb",
        site.plan.bin_dir()
    );
    site.must("pg2", "postgres", &["sh", "-c", &again]);
    site.start_postgres("pg2");
    site.sql("pg2", "CREATE ROLE dba SUPERUSER LOGIN PASSWORD 'dba-pw'");
    site.sql("pg2", "CREATE ROLE patroni_su SUPERUSER LOGIN PASSWORD 'superuser-pw'");
    site.stop_postgres("pg2", "fast");
    site.must(
        "pg2",
        "postgres",
        &["sh", "-c", &format!("touch {data}/standby.signal && cp /tmp/postgresql.auto.conf {data}")],
    );
    site.start_postgres("pg2");
    let before = check(&site);
    before.finding("standby-sysid-differs", "they are not one cluster, and Patroni will stop this server");
    assert!(before.text.contains("\n  pg2  YES: "), "{}", before.text);
    site.start_patroni("pg1");
    wait_for_leader(&site, "pg1");
    // Its identifier is put into the store a loop after the lock. Then the store knows, and one finding is enough.
    wait_for(&site, "pg1", "no action. I am (pg1), the leader with the lock");
    let between = check(&site);
    between.is_silent(&["standby-sysid-differs"]);
    between.finding("dcs-initialize-mismatch", "pg2");
    site.start_patroni("pg2");
    wait_for(&site, "pg2", "CRITICAL: system ID mismatch, node pg2 belongs to a different cluster");
    site.wait("the server to be stopped", 20, || site.try_sql("pg2", "postgres", "SELECT 1").is_err());
    site.sh("pg2", &format!("mv {data} {data}.old"));
    site.start_patroni("pg2");
    site.wait("the clone", 40, || site.is_led_by("pg1"));
    check(&site).is_silent(&["standby-sysid-differs", "dcs-initialize-mismatch"]);
}

#[test]
fn standbys_that_are_behind() {
    let site = Site::of(15).standbys(1).start();
    site.sql("pg2", "ALTER SYSTEM SET primary_conninfo = ''");
    site.reload_postgres("pg2");
    site.wait("the stream to end", 20, || site.sql("pg1", "SELECT count(*) FROM pg_stat_replication") == "0");
    site.sql("pg1", "SELECT pg_drop_replication_slot('standby_1')");
    let write = "DO $$BEGIN FOR i IN 1..9 LOOP PERFORM pg_logical_emit_message(true, '', repeat('x', 1000)); PERFORM pg_switch_wal(); END LOOP; END$$";
    site.sql("pg1", write);
    site.sql("pg1", "CHECKPOINT");
    site.sql("pg1", write);
    site.sql("pg1", "CHECKPOINT");
    let before = check(&site);
    let said = before.finding("standby-lag-too-large", "behind its primary, and `maximum_lag_on_failover` is 1 MB");
    assert!(said.contains("pg2 is 2"), "{said}");
    before.finding("standby-wal-gap-at-slot-switch", "`wal_keep_size` will be 64MB");
    site.start_patroni("pg1");
    wait_for_leader(&site, "pg1");
    site.start_patroni("pg2");
    wait_for_server(&site, "pg2", "has already been removed");
    // It is not to lead either.
    site.kill_patroni("pg1");
    site.kill_postgres("pg1");
    wait_for(&site, "pg2", "My wal position exceeds maximum replication lag");
    site.start_patroni("pg1");
    wait_for_leader(&site, "pg1");
    site.must("pg1", "postgres", &["patronictl", "-c", "/etc/patroni/pg1.yml", "reinit", "orders", "pg2", "--force"]);
    site.wait("the clone", 60, || site.is_led_by("pg1"));
    check(&site).is_silent(&["standby-lag-too-large", "standby-wal-gap-at-slot-switch"]);
}

#[test]
fn data_that_cannot_be_rewound() {
    let site = Site::of(15).standbys(1).start();
    let rule = "rewind-impossible-no-checksums-or-hints";
    let before = check(&site);
    before.finding(rule, "the data of pg1 has neither checksums nor hints in the WAL");
    let source = format!("host={} user=patroni_su password=superuser-pw dbname=postgres", site.address("pg1"));
    let data = site.plan.data_dir();
    let program = format!("{}/pg_rewind", site.plan.bin_dir());
    let rewind = [program.as_str(), "-n", "-D", &data, "--source-server", &source];
    site.stop_postgres("pg2", "fast");
    let said = site.run_as("pg2", "postgres", &rewind);
    let needs = "target server needs to use either data checksums or \"wal_log_hints = on\"";
    says(&said.err, needs);
    site.start_postgres("pg2");
    site.take_over();
    // A restart of the standby alone is of no use: what it may do comes by the WAL.
    let restart = before.step(rule, "$ ");
    patronictl(&site, "pg2", "patronictl reload orders pg2");
    std::thread::sleep(Duration::from_secs(6));
    patronictl(&site, "pg2", &restart.replace(" pg1 ", " pg2 "));
    site.wait("the restart", 30, || site.sql("pg2", "SHOW wal_log_hints") == "on" && site.is_led_by("pg1"));
    let control = format!("{}/pg_controldata -D {data} | grep wal_log_hints", site.plan.bin_dir());
    assert!(site.sh("pg2", &control).ends_with(" off\n"));
    check(&site).finding(rule, "the data of pg1");
    patronictl(&site, "pg1", restart);
    site.wait("the restart", 30, || site.is_led_by("pg1") && site.sh("pg2", &control).ends_with(" on\n"));
    check(&site).is_silent(&[rule]);
    site.stop_patroni("pg2");
    let said = site.run_as("pg2", "postgres", &rewind);
    assert!(!said.err.contains(needs) && said.err.contains("no rewind required"), "{said:?}");
}

#[test]
fn a_standby_cluster_without_its_slot() {
    let site = Site::of(15).standbys(1).start();
    let section =
        "    ttl: 20\n    standby_cluster:\n      host: 10.77.0.11\n      port: 5432\n      primary_slot_name: dr\n";
    edit(&site, "pg2", "    ttl: 20\n", section);
    edit(&site, "pg2", "scope: orders\n", "scope: orders-dr\n");
    let before = check(&site);
    before.finding("standby-cluster-slot", "`primary_slot_name` is `dr`, and pg1 has no such slot");
    site.start_patroni("pg2");
    wait_for_server(&site, "pg2", "replication slot \"dr\" does not exist");
    let sql = before
        .finding("standby-cluster-slot", "")
        .split('`')
        .find(|part| part.starts_with("SELECT "))
        .map(str::to_owned);
    site.sql("pg1", &sql.expect("a statement"));
    let streams = "SELECT count(*) FROM pg_replication_slots WHERE slot_name = 'dr' AND active";
    site.wait("the stream", 30, || site.sql("pg1", streams) == "1");
    check(&site).is_silent(&["standby-cluster-slot", "standby-cluster-conf-missing-in-pgdata"]);
    // The same with nothing there yet, and no directory of its own for the configuration that Debian keeps apart.
    let empty = || {
        site.stop_patroni("pg2");
        site.sh("pg2", &format!("rm -rf {0} && install -d -o postgres -m 0700 {0}", site.plan.data_dir()));
    };
    empty();
    edit(&site, "pg2", "scope: orders-dr\n", "scope: orders-dr2\n");
    let apart = format!("  config_dir: {}\n", site.plan.config_dir());
    edit(&site, "pg2", &apart, "");
    check(&site).finding("standby-cluster-conf-missing-in-pgdata", "pg2 will be cloned from pg1");
    site.start_patroni("pg2");
    wait_for(&site, "pg2", "No such file or directory: '/var/lib/postgresql/15/main/postgresql.conf'");
    empty();
    edit(&site, "pg2", "scope: orders-dr2\n", "scope: orders-dr3\n");
    edit(&site, "pg2", "  data_dir:", &format!("{apart}  data_dir:"));
    check(&site).is_silent(&["standby-cluster-conf-missing-in-pgdata"]);
    site.start_patroni("pg2");
    site.wait("the stream", 60, || site.sql("pg1", streams) == "1");
}

#[test]
fn a_leader_that_is_a_standby() {
    let site = Site::of(15).standbys(1).start();
    let hang = "'case %f in *.history) test ! -e /tmp/hang || sleep 600;; esac; false'";
    edit(
        &site,
        "pg2",
        "  parameters:\n    unix",
        &format!("  recovery_conf:\n    restore_command: {hang}\n  parameters:\n    unix"),
    );
    site.take_over();
    check(&site).is_silent(&["leader-in-recovery"]);
    site.write("pg2", "/tmp/hang", "");
    let switch = [
        "timeout",
        "5",
        "patronictl",
        "-c",
        "/etc/patroni/pg1.yml",
        "switchover",
        "orders",
        "--leader",
        "pg1",
        "--candidate",
        "pg2",
        "--force",
    ];
    let _ = site.run_as("pg1", "postgres", &switch);
    site.wait("the finding", 30, || check_of(&site, &["pg2"]).has("leader-in-recovery"));
    let refused = site.try_sql("pg2", "app", "INSERT INTO orders (customer) VALUES ('x')").unwrap_err();
    says(&refused, "cannot execute INSERT in a read-only transaction");
    site.sh("pg2", "rm /tmp/hang; pkill -x sleep || true");
    wait_for_leader(&site, "pg2");
    check(&site).is_silent(&["leader-in-recovery"]);
}

/// The server runs with other settings than its files have.
#[test]
fn the_command_line_goes_over_the_files() {
    let site = Site::of(15).start();
    let (data, config) = (site.plan.data_dir(), site.plan.config_dir());
    site.stop_postgres("pg1", "fast");
    let options = format!("-c config_file={config}/postgresql.conf -c port=5433 -c max_connections=90");
    let start = ["pg_ctl", "-s", "-w", "-D", &data, "-l", "/var/log/postgresql/other.log", "-o", &options, "start"];
    site.must("pg1", "postgres", &start);
    let dsn = format!("pg1={}", site.dsn("pg1", "dba", "postgres").replace("5432", "5433"));
    let check = || {
        let ran =
            site.preflight(&["check", "--format", "short", "/etc/patroni/pg1.yml", "--ssh", "pg1=pg1", "--dsn", &dsn]);
        format!("{}{}", ran.out, ran.err)
    };
    let before = check();
    assert!(before.contains("error[listen-mismatch-running-primary]"), "{before}");
    assert!(
        before.contains("error[cmdline-guc-not-carried-over]: `max_connections` is 90 today and will be 60"),
        "{before}"
    );
    // As it says: the address of today, and the value in the dynamic configuration.
    edit(&site, "pg1", "  listen: 10.77.0.11,127.0.0.1:5432\n", "  listen: 10.77.0.11,127.0.0.1:5433\n");
    edit(&site, "pg1", "max_connections: 60", "max_connections: 90");
    let after = check();
    assert!(!after.contains("[listen-mismatch") && !after.contains("[cmdline-guc"), "{after}");
    let since = "psql -XAtq -h /var/run/postgresql -p 5433 -d postgres -c 'SELECT pg_postmaster_start_time()'";
    let started = site.must("pg1", "postgres", &["sh", "-c", since]);
    site.start_patroni("pg1");
    wait_for_leader(&site, "pg1");
    assert_eq!(site.must("pg1", "postgres", &["sh", "-c", since]), started);
    patronictl(&site, "pg1", "patronictl restart orders pg1");
    site.wait("the restart", 20, || site.run_as("pg1", "postgres", &["sh", "-c", since]).out != started);
    let shown = site.must(
        "pg1",
        "postgres",
        &["sh", "-c", &since.replace("SELECT pg_postmaster_start_time()", "SHOW max_connections")],
    );
    assert_eq!(shown.trim(), "90");
}

#[test]
fn another_data_directory_gets_a_new_cluster() {
    let site = Site::of(15).start();
    let data = site.plan.data_dir();
    let typo = data.replace("/main", "/other");
    edit(&site, "pg1", &format!("  data_dir: {data}\n"), &format!("  data_dir: {typo}\n"));
    let before = check(&site);
    before.finding(
        "data-directory-guc-mismatch",
        &format!("`data_directory` of pg1 is {data}, and Patroni is told {typo}"),
    );
    assert!(before.text.contains("\n  pg1  YES: "), "{}", before.text);
    site.start_patroni("pg1");
    wait_for(&site, "pg1", "trying to bootstrap a new cluster");
    site.wait("a new cluster", 20, || site.run("pg1", &["test", "-e", &format!("{typo}/PG_VERSION")]).code == Some(0));
    edit(&site, "pg1", &format!("  data_dir: {typo}\n"), &format!("  data_dir: {data}\n"));
    assert_eq!(site.read(OPERATOR, "/etc/patroni/pg1.yml").matches(&data).count(), 1);
    check(&site).is_silent(&["data-directory-guc-mismatch"]);
}
