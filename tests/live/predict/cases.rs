//! Clusters as they are found, and each of them under Patroni.

use super::comes_true;
use crate::support::site::{Layout, OPERATOR, Plan, Site};

/// Replaces a text in the file of a member, on its host and on the operator's.
fn edit(site: &Site, member: &str, from: &str, to: &str) {
    for host in [member, OPERATOR] {
        site.replace(host, &format!("/etc/patroni/{member}.yml"), from, to);
    }
}

/// The same in the files of all members.
fn edit_all(site: &Site, from: &str, to: &str) {
    site.members().iter().for_each(|member| edit(site, member, from, to));
}

/// Adds a part of a map behind a line of the files of all members.
fn add(site: &Site, line: &str, more: &str) {
    edit_all(site, line, &format!("{line}{more}"));
}

const LOCAL: &str = "    unix_socket_directories: /var/run/postgresql\n";
const DYNAMIC: &str = "        wal_keep_size: 64MB\n";

/// A file that `postgresql.conf` includes on Debian.
fn put(site: &Site, member: &str, text: &str) {
    let major = site.plan.bin_dir().trim_start_matches("/usr/lib/postgresql/").trim_end_matches("/bin").to_owned();
    site.write(member, &format!("/etc/postgresql/{major}/main/conf.d/90-own.conf"), text);
    site.stop_postgres(member, "fast");
    site.start_postgres(member);
}

fn with_two_standbys(major: u16) -> Plan {
    Site::of(major).standbys(2)
}

#[test]
fn debian_15() {
    comes_true(&with_two_standbys(15).start());
}

#[test]
fn one_directory_16() {
    comes_true(&with_two_standbys(16).layout(Layout::Directory).start());
}

#[test]
fn one_directory_18() {
    comes_true(&with_two_standbys(18).layout(Layout::Directory).start());
}

#[test]
fn much_that_is_not_carried_over() {
    let conf = "max_connections = 300\nmax_worker_processes = 20\nmax_prepared_transactions = 30\nmax_locks_per_transaction = 128\n\
                track_commit_timestamp = on\nwal_log_hints = off\nwal_keep_size = 512MB\nmax_wal_senders = 20";
    comes_true(&with_two_standbys(15).conf(conf).start());
}

#[test]
fn logical_slots() {
    comes_true(&with_two_standbys(16).logical().start());
}

#[test]
fn alter_system() {
    let site = with_two_standbys(15).start();
    let sql = "ALTER SYSTEM SET work_mem = '13MB'; ALTER SYSTEM SET max_connections = 77; ALTER SYSTEM SET wal_keep_size = '96MB'; \
               ALTER SYSTEM SET shared_buffers = '24MB'; ALTER SYSTEM SET log_min_duration_statement = '250ms'";
    for statement in sql.split("; ") {
        site.sql("pg1", statement);
        site.sql("pg2", statement);
    }
    site.reload_postgres("pg1");
    add(&site, LOCAL, "    work_mem: 32MB\n    log_min_duration_statement: 1s\n");
    comes_true(&site);
}

#[test]
fn custom_conf() {
    let site = with_two_standbys(15).start();
    for member in site.members() {
        site.write(member, "/etc/postgresql/15/main/own.conf", "shared_buffers = 20MB\nwork_mem = 7MB\nlisten_addresses = '*'\n\
            wal_retrieve_retry_interval = 200ms\nfsync = off\npassword_encryption = 'scram-sha-256'\n\
            data_directory = '/var/lib/postgresql/15/main'\n");
    }
    add(&site, "/.pgpass_patroni\n", "  custom_conf: /etc/postgresql/15/main/own.conf\n");
    comes_true(&site);
}

#[test]
fn local_and_dynamic_parameters_disagree() {
    let site = with_two_standbys(16).start();
    add(&site, LOCAL, "    work_mem: 5MB\n    max_connections: 500\n    wal_level: logical\n    log_checkpoints: false\n    port: 6000\n");
    add(&site, DYNAMIC, "        work_mem: 9MB\n        maintenance_work_mem: 80MB\n        max_worker_processes: 12\n        log_checkpoints: true\n");
    comes_true(&site);
}

#[test]
fn units_and_values_out_of_range() {
    let site = with_two_standbys(15).start();
    let local = "    work_mem: 1kB\n    checkpoint_timeout: 0.5h\n    random_page_cost: -3\n    archive_timeout: 90min\n    shared_buffers: 0.02GB\n    \
                 statement_timeout: 1d\n    vacuum_cost_delay: 1500us\n    log_min_messages: nonsense\n    no_such_setting: 7\n    app.region: eu\n    \
                 log_file_mode: '0640'\n    effective_cache_size: 524288\n    autovacuum: 'off'\n    hot_standby_feedback: true\n";
    add(&site, LOCAL, local);
    add(&site, DYNAMIC, "        max_prepared_transactions: -5\n        max_locks_per_transaction: 7\n        wal_log_hints: 'off'\n");
    comes_true(&site);
}

#[test]
fn standbys_that_differ() {
    let site = with_two_standbys(15).start();
    put(&site, "pg2", "max_connections = 90\nwork_mem = 11MB\nshared_buffers = 18MB\nhot_standby_feedback = on\n");
    put(&site, "pg3", "max_connections = 120\nmax_worker_processes = 16\nmax_wal_senders = 30\nrestore_command = 'false'\n");
    site.wait("streaming", 20, || site.sql("pg1", "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'") == "2");
    comes_true(&site);
}

#[test]
fn prepared_transactions_and_a_file_that_is_not_reloaded() {
    let site = with_two_standbys(16).layout(Layout::Directory).conf("max_prepared_transactions = 25").start();
    add(&site, DYNAMIC, "        max_prepared_transactions: 40\n");
    site.sql("pg1", "BEGIN; CREATE TABLE waits (); PREPARE TRANSACTION 'waits'");
    let file = "/var/lib/postgresql/data/postgresql.conf";
    for member in ["pg1", "pg2"] {
        site.replace(member, file, "wal_keep_size = 64MB\n", "wal_keep_size = 64MB\nwork_mem = 17MB\nshared_buffers = 30MB\n");
    }
    comes_true(&site);
}

#[test]
fn hba_file_elsewhere_and_recovery_settings() {
    let site = with_two_standbys(15).start();
    for member in site.members() {
        let hba = site.read(member, "/etc/postgresql/15/main/pg_hba.conf");
        site.write(member, "/etc/postgresql/15/main/own_hba.conf", hba);
    }
    add(&site, LOCAL, "    hba_file: own_hba.conf\n");
    add(&site, "/.pgpass_patroni\n", "  recovery_conf:\n    restore_command: cp /srv/archive/%f %p\n    recovery_target_action: pause\n");
    comes_true(&site);
}

#[test]
fn lists_of_hba_lines() {
    let site = with_two_standbys(18).layout(Layout::Directory).start();
    let hba = site.read("pg1", "/var/lib/postgresql/data/pg_hba.conf");
    let lines: String = hba.lines().filter(|l| !l.starts_with('#')).map(|l| format!("  - {l}\n")).collect();
    add(&site, "/.pgpass_patroni\n", &format!("  pg_hba:\n{lines}"));
    comes_true(&site);
}

#[test]
fn synchronous_replication() {
    let site = Site::of(15).standbys(1).conf("synchronous_standby_names = ''").start();
    add(&site, "    maximum_lag_on_failover: 1048576\n", "    synchronous_mode: true\n");
    comes_true(&site);
}
