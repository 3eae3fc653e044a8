//! Proofs of the rules over a major upgrade that is meant, with the real `pg_upgrade` of 16 and 18, and with the Patroni that comes behind it.

use super::on_site::{Checked, check_with, edit, patronictl, wait_for, wait_for_leader};
use crate::support::pg;
use crate::support::record::{self, Stage, says};
use crate::support::site::{Layout, OPERATOR, Site};

const OLD: &str = "/var/lib/postgresql/data";
const NEW: &str = "/var/lib/postgresql/new";

/// The programs of a major.
fn bin(major: u16) -> String {
    pg::program(major, "pg_upgrade")
        .canonicalize()
        .expect("a path")
        .parent()
        .expect("a directory")
        .display()
        .to_string()
}

/// `check --upgrade-to` with the directories of the new cluster.
fn check_to(site: &Site, major: u16, data: &str) -> Checked {
    let members: Vec<&str> = site.members().iter().map(String::as_str).collect();
    let (to, bin) = (major.to_string(), bin(major));
    check_with(site, &members, &["--upgrade-to", &to, "--new-bindir", &bin, "--new-datadir", data])
}

/// Makes the new cluster, with further options of initdb.
fn initdb(site: &Site, major: u16, data: &str, options: &str) {
    let bin = bin(major);
    let text = format!(
        "rm -rf {data} && {bin}/initdb -N -A trust -U postgres -D {data} {options} && echo fsync=off >> {data}/postgresql.conf"
    );
    site.must("pg1", "postgres", &["sh", "-c", &text]);
}

/// What `pg_upgrade` says, with the lists that it writes.
fn pg_upgrade(site: &Site, major: u16, (old, new): (&str, &str), options: &str) -> String {
    let (from, to) = (site.plan.bin_dir(), bin(major));
    let text = format!(
        "cd /tmp && {to}/pg_upgrade -b {from} -B {to} -d {old} -D {new} -U postgres -s /tmp {options} 2>&1; \
         cat {new}/pg_upgrade_output.d/*/*.txt 2>/dev/null; tail -n 5 {new}/pg_upgrade_output.d/*/log/*.log 2>/dev/null; rm -rf {new}/pg_upgrade_output.d"
    );
    site.run_as("pg1", "postgres", &["sh", "-c", &text]).out
}

/// What a finding says, without the breaks of its lines.
fn flat(checked: &Checked, rule: &str) -> String {
    let first = checked.finding(rule, "");
    let all = checked.text.split_at(checked.text.find(first).expect("the finding")).1;
    all.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The words of a step that begin so, up to the back quote behind them.
fn quoted(checked: &Checked, rule: &str, start: &str) -> String {
    let flat = flat(checked, rule);
    let at = flat.find(start).unwrap_or_else(|| panic!("no {start:?} in {flat}"));
    let step = flat[at..].split('`').next().expect("a back quote behind it").to_owned();
    record::note(Stage::Fix, rule, &step);
    step
}

/// A site's databases come of a server without a postmaster, which gives its objects the numbers of system objects; `pg_upgrade` takes
/// them for such and leaves them out.
const OF_A_SERVER: &str = "DROP DATABASE app;\nCREATE DATABASE app OWNER app";

const HELD: &str = "\\c app\nCREATE EXTENSION pg_trgm;\nCREATE TABLE config (id int, dictionary regdictionary[]);\nCREATE TABLE parent (id int NOT NULL);\nCREATE TABLE child () INHERITS (parent);\nALTER TABLE child ALTER id DROP NOT NULL;\n\
     CREATE DATABASE closed ALLOW_CONNECTIONS false;\nBEGIN;\nINSERT INTO child VALUES (1);\nPREPARE TRANSACTION 'left'";

/// What is collected for an upgrade is judged as the members are, and the manifest tells of all that was asked for it.
fn a_bundle_says_the_same(site: &Site) {
    let (dsn, bin) = (format!("pg1={}", site.dsn("pg1", "dba", "postgres")), bin(16));
    let ways = ["/etc/patroni/pg1.yml", "--ssh=pg1=pg1", "--dsn", &dsn, "--manifest=/tmp/manifest"];
    let meant = ["--upgrade-to=16", "--new-bindir", &bin, "--new-datadir", NEW];
    let live = site.preflight(&[&["check"], &ways[..], &meant[..]].concat());
    let manifest = site.read(OPERATOR, "/tmp/manifest");
    for touched in [&format!("{bin}/pg_config --pkglibdir"), &format!("{NEW}/pg_hba.conf"), "p.probin AS library"] {
        assert!(manifest.contains(touched), "{touched}:\n{manifest}");
    }
    let collected = site.preflight(&[&["collect", "-o", "/tmp/bundle.json"], &ways[..], &meant[..]].concat());
    assert_eq!(collected.code, Some(0), "{collected:?}");
    let read = site.preflight(&["check", "--bundle", "/tmp/bundle.json"]);
    assert_eq!((&read.out, read.code), (&live.out, live.code));
    let other = site.preflight(&["check", "--bundle", "/tmp/bundle.json", "--upgrade-to=18"]);
    assert!(other.code == Some(2) && other.err.contains("--upgrade-to 16"), "{other:?}");
    // Without the option nothing of it is asked, and nothing is said.
    let plain = site.preflight(&[&["check"], &ways[..]].concat());
    let manifest = site.read(OPERATOR, "/tmp/manifest");
    assert!(
        !manifest.contains("pkglibdir") && !manifest.contains("attnotnull") && !plain.out.contains("upgrade-"),
        "{manifest}{plain:?}"
    );
}

#[test]
fn pg_upgrade_refuses_what_databases_hold() {
    let site = Site::of(15).layout(Layout::Directory).conf("max_prepared_transactions = 5").sql(HELD).start();
    initdb(&site, 16, NEW, "");
    let before = check_to(&site, 16, NEW);
    let objects = "upgrade-incompatible-objects";
    before.finding(objects, "pg1 has databases that let nobody in: `closed`");
    before.finding(objects, "`public.config.dictionary` in app (regdictionary)");
    before.finding(objects, "`public.child.id` in app");
    before.finding("upgrade-extensions-libs", "lacks `$libdir/pg_trgm` (database app)");
    before.finding("upgrade-prepared-transactions", "1 prepared transactions of pg1 are left: `left`");
    before.is_silent(&["upgrade-checksums-differ", "upgrade-encoding-locale", "upgrade-unclean-shutdown"]);
    a_bundle_says_the_same(&site);
    let refuses = |words: &str| {
        let said = pg_upgrade(&site, 16, (OLD, NEW), "--check");
        says(&said, words);
    };
    let app = |sql: &str| site.try_sql("pg1", "app", sql).unwrap_or_else(|e| panic!("{sql}: {e}"));
    refuses("All non-template0 databases must allow connections");
    let fix = quoted(&before, objects, "ALTER DATABASE …");
    site.sql("pg1", &fix.replace('…', "closed"));
    refuses("The source cluster contains prepared transactions");
    app(&quoted(&before, "upgrade-prepared-transactions", "ROLLBACK PREPARED"));
    refuses("public.config.dictionary");
    app("ALTER TABLE config DROP dictionary");
    refuses("public.child.id");
    let fix = quoted(&before, objects, "ALTER TABLE …");
    app(&fix.replacen('…', "child", 1).replace('…', "id"));
    refuses("could not load library \"$libdir/pg_trgm\"");
    app("DROP EXTENSION pg_trgm");
    refuses("*Clusters are compatible*");
    check_to(&site, 16, NEW).is_silent(&[objects, "upgrade-extensions-libs", "upgrade-prepared-transactions"]);
    // What is only preloaded pg_upgrade does not see; the new server does.
    site.sql("pg1", "ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'");
    site.stop_postgres("pg1", "fast");
    site.start_postgres("pg1");
    check_to(&site, 16, NEW).finding("upgrade-extensions-libs", "`pg_stat_statements` (shared_preload_libraries)");
    let start = format!("{}/postgres -D {NEW} -c shared_preload_libraries=pg_stat_statements 2>&1 || true", bin(16));
    let said = site.must("pg1", "postgres", &["sh", "-c", &start]);
    says(&said, "could not access file \"pg_stat_statements\": No such file or directory");
}

#[test]
fn pg_upgrade_refuses_another_kind_of_cluster() {
    let site = Site::of(15).layout(Layout::Directory).start();
    // None is there yet: 18 makes one with checksums.
    let ahead = check_to(&site, 18, NEW);
    ahead.finding("upgrade-checksums-differ", "have no data checksums; the new cluster will have data checksums");
    initdb(&site, 18, NEW, "");
    let differ = "old cluster does not use data checksums but the new one does";
    let said = pg_upgrade(&site, 18, (OLD, NEW), "--check");
    says(&said, differ);
    initdb(&site, 18, NEW, &quoted(&ahead, "upgrade-checksums-differ", "--no-data-checksums"));
    let said = pg_upgrade(&site, 18, (OLD, NEW), "--check");
    says(&said, "*Clusters are compatible*");
    check_to(&site, 18, NEW).is_silent(&["upgrade-checksums-differ"]);

    initdb(&site, 16, NEW, "--wal-segsize=32 -k -E SQL_ASCII --locale=C");
    let before = check_to(&site, 16, NEW);
    before.finding("upgrade-encoding-locale", "segments of WAL of pg1 have 16777216");
    before.finding("upgrade-checksums-differ", "the new cluster has data checksums");
    let said = pg_upgrade(&site, 16, (OLD, NEW), "--check");
    says(&said, "WAL segment sizes are invalid or do not match");
    initdb(&site, 16, NEW, "-k -E SQL_ASCII --locale=C");
    let before = check_to(&site, 16, NEW);
    before.is_silent(&["upgrade-encoding-locale"]);
    let said = pg_upgrade(&site, 16, (OLD, NEW), "--check");
    says(&said, differ);
    let fix = quoted(&before, "upgrade-checksums-differ", &format!("{}/pg_checksums", bin(16)));
    site.must("pg1", "postgres", &["sh", "-c", &fix]);
    // Encoding and locale are other ones still.
    let said = pg_upgrade(&site, 16, (OLD, NEW), "--check");
    says(&said, "*Clusters are compatible*");
    check_to(&site, 16, NEW).is_silent(&["upgrade-checksums-differ", "upgrade-encoding-locale"]);

    let unclean = "upgrade-unclean-shutdown";
    site.stop_postgres("pg1", "immediate");
    let before = check_to(&site, 16, NEW);
    before.finding(
        unclean,
        "the server of pg1 was not shut down: pg_controldata of /var/lib/postgresql/data says `in production`",
    );
    let said = pg_upgrade(&site, 16, (OLD, NEW), "--check");
    says(&said, "The source cluster was not shut down cleanly");
    // As Patroni leaves a primary that was demoted.
    site.write("pg1", &format!("{OLD}/standby.signal"), "");
    site.start_postgres("pg1");
    site.stop_postgres("pg1", "fast");
    let before = check_to(&site, 16, NEW);
    before.finding(unclean, "the server of pg1 was stopped as a standby");
    let said = pg_upgrade(&site, 16, (OLD, NEW), "--check");
    says(&said, "The source cluster was shut down while in recovery mode");
    site.sh("pg1", &format!("rm {OLD}/standby.signal"));
    site.start_postgres("pg1");
    let stop = quoted(&before, unclean, "pg_ctl -D");
    site.must("pg1", "postgres", &["sh", "-c", &format!("{stop} -s")]);
    check_to(&site, 16, NEW).is_silent(&[unclean]);
    let said = pg_upgrade(&site, 16, (OLD, NEW), "--check");
    says(&said, "*Clusters are compatible*");
}

#[test]
fn what_pg_upgrade_leaves_behind() {
    let slot = format!("{OF_A_SERVER};\n\\c app\nSELECT pg_create_logical_replication_slot('cdc', 'pgoutput')");
    let site = Site::of(15).layout(Layout::Directory).conf("wal_level = logical\nwork_mem = 9MB").sql(&slot).start();
    site.sql("pg1", "ALTER SYSTEM SET log_min_duration_statement = '7s'");
    site.reload_postgres("pg1");
    initdb(&site, 16, NEW, "");
    let carried = "vacuum_defer_cleanup_age = 0";
    site.sh("pg1", &format!("echo {carried} >> {NEW}/postgresql.conf"));
    let before = check_to(&site, 16, NEW);
    before.finding("upgrade-setting-refused", "sets `vacuum_defer_cleanup_age`, and PostgreSQL 16 does not take it");
    let start = format!("{}/postgres -D {NEW} 2>&1 || true", bin(16));
    let said = site.must("pg1", "postgres", &["sh", "-c", &start]);
    says(&said, "unrecognized configuration parameter \"vacuum_defer_cleanup_age\"");
    site.sh("pg1", &format!("sed -i /^vacuum_defer/d {NEW}/postgresql.conf"));
    before.finding(
        "upgrade-logical-slots",
        "logical slots of pg1, `cdc`: pg_upgrade of a server before 17 leaves them behind",
    );
    let lost = flat(&before, "upgrade-base-conf-lost");
    assert!(lost.contains("`work_mem` (9MB today, 4MB later)"), "{lost}");
    assert!(lost.contains("`log_min_duration_statement` (7s today, -1 later)"), "{lost}");
    before.finding("upgrade-hba-default", &format!("{NEW}/pg_hba.conf of pg1 lets in nobody from other hosts"));
    site.stop_postgres("pg1", "fast");
    let said = pg_upgrade(&site, 16, (OLD, NEW), "");
    says(&said, "Upgrade Complete");
    let address = site.address("pg1");
    let options = format!("-c listen_addresses='{address}' -c unix_socket_directories=/var/run/postgresql");
    let control = |verb: &str| {
        let bin = bin(16);
        site.must(
            "pg1",
            "postgres",
            &["sh", "-c", &format!("{bin}/pg_ctl -s -w -D {NEW} -o \"{options}\" -l /tmp/new.log {verb}")],
        );
    };
    control("start");
    assert_eq!(site.sql("pg1", "SELECT count(*) FROM pg_replication_slots"), "0");
    assert_eq!(
        site.sql("pg1", "SELECT current_setting('work_mem') || ' ' || current_setting('log_min_duration_statement')"),
        "4MB -1"
    );
    record::note(Stage::Log, "upgrade-logical-slots", "the new server: 0 rows in pg_replication_slots");
    record::note(Stage::Log, "upgrade-base-conf-lost", "the new server: work_mem 4MB, log_min_duration_statement -1");
    let refused = site.login(OPERATOR, "pg1", "dba", "postgres", "SELECT 1").unwrap_err();
    says(&refused, "no pg_hba.conf entry for host");
    control("stop");
    // What is carried over is there, and there is nothing to be said of it any more.
    site.sh("pg1", &format!("cp -p {OLD}/pg_hba.conf {OLD}/pg_ident.conf {NEW}/"));
    let set = "work_mem = 9MB\nlog_min_duration_statement = 7s\nmax_slot_wal_keep_size = 1GB\nshared_buffers = 16MB\nlog_line_prefix = '%m [%p] %q%u@%d '\nwal_retrieve_retry_interval = 200ms\n";
    site.sh("pg1", &format!("printf %s \"{set}\" >> {NEW}/postgresql.conf"));
    control("start");
    assert_eq!(
        site.sql("pg1", "SELECT current_setting('work_mem') || ' ' || current_setting('log_min_duration_statement')"),
        "9MB 7s"
    );
    assert_eq!(site.login(OPERATOR, "pg1", "dba", "postgres", "SELECT 1").as_deref(), Ok("1"));
    control("stop");
    site.start_postgres("pg1");
    site.sql("pg1", "SELECT pg_drop_replication_slot('cdc')");
    check_to(&site, 16, NEW).is_silent(&[
        "upgrade-hba-default",
        "upgrade-base-conf-lost",
        "upgrade-logical-slots",
        "upgrade-setting-refused",
    ]);
}

#[test]
fn what_patroni_finds_behind_pg_upgrade() {
    let site = Site::of(15).standbys(1).sql(OF_A_SERVER).start();
    let (old, new) = ("/var/lib/postgresql/15/main", "/var/lib/postgresql/16/main");
    site.take_over();
    patronictl(&site, "pg1", "patronictl edit-config -s postgresql.parameters.work_mem=9MB");
    site.wait("the setting", 20, || site.sql("pg1", "SHOW work_mem") == "9MB");
    let kept = format!("{old}/patroni.dynamic.json");
    site.wait("the file", 20, || site.read("pg1", &kept).contains("9MB"));
    site.stop_patroni("pg2");
    site.stop_patroni("pg1");
    site.sh("pg1", "install -d -o postgres -g postgres /var/lib/postgresql/16");
    initdb(&site, 16, new, "");
    let said = pg_upgrade(&site, 16, (old, new), "-o '-c config_file=/etc/postgresql/15/main/postgresql.conf'");
    says(&said, "Upgrade Complete");
    site.sh("pg1", &format!("cp -p /etc/postgresql/15/main/pg_hba.conf {new}/"));
    let programs = format!("bin_dir: {}", bin(16));
    for member in ["pg1", "pg2"] {
        edit(&site, member, "bin_dir: /usr/lib/postgresql/15/bin", &programs);
    }
    edit(&site, "pg1", "  config_dir: /etc/postgresql/15/main\n", "");
    edit(&site, "pg1", &format!("data_dir: {old}"), &format!("data_dir: {new}"));
    let empty = || {
        let text = "printf 'orders\\nYes I am aware\\n' | patronictl -c /etc/patroni/pg1.yml remove orders";
        site.must("pg1", "postgres", &["sh", "-c", text]);
    };
    let check = || check_with(&site, &["pg1", "pg2"], &["--upgrade-to", "16"]);
    // The store still has the system identifier of the old cluster; that is seen while the new server does not run.
    check().finding("dcs-initialize-mismatch", "the data of pg1 has");
    empty();
    let before = check();
    before
        .finding("upgrade-dynamic-json", &format!("{new} of pg1 no patroni.dynamic.json: `bootstrap.dcs` will count"));
    before.finding(
        "upgrade-standby-not-wiped",
        &format!("pg1 is upgraded to 16, and {old} of pg2 still holds data of PostgreSQL 15"),
    );
    before.is_silent(&["bin-dir-version-mismatch", "upgrade-unclean-shutdown"]);
    site.start_patroni("pg1");
    wait_for_leader(&site, "pg1");
    assert_eq!(site.sql("pg1", "SHOW work_mem"), "4MB");
    site.start_patroni("pg2");
    wait_for(&site, "pg2", "CRITICAL: system ID mismatch, node pg2 belongs to a different cluster");
    let config = "-c config_file=/etc/postgresql/15/main/postgresql.conf";
    let start = format!("{}/postgres -D {old} {config} 2>&1 || true", bin(16));
    let said = site.must("pg2", "postgres", &["sh", "-c", &start]);
    says(&said, "database files are incompatible with server");
    // The store now has the system identifier of the new cluster: that is the same cause.
    let again = check();
    again.finding("upgrade-standby-not-wiped", "of pg2 still holds data of PostgreSQL 15");
    again.is_silent(&["dcs-initialize-mismatch", "standby-sysid-differs", "bin-dir-version-mismatch"]);
    site.stop_patroni("pg1");
    empty();
    site.must("pg1", "postgres", &["sh", "-c", before.step("upgrade-dynamic-json", "$ ")]);
    site.must("pg2", "postgres", &["sh", "-c", before.step("upgrade-standby-not-wiped", "$ ")]);
    check().is_silent(&["upgrade-dynamic-json", "upgrade-standby-not-wiped"]);
    site.start_patroni("pg1");
    wait_for_leader(&site, "pg1");
    site.wait("the setting", 20, || site.sql("pg1", "SHOW work_mem") == "9MB");
    site.start_patroni("pg2");
    site.wait("the standby", 40, || site.cluster("pg1").get("pg2").is_some_and(|(_, state, _)| state == "streaming"));
}
