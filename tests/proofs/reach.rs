//! Proofs of what `check` asks the hosts themselves about: what they get to through the network, what their servers do not go by yet,
//! and what is installed there.

use super::on_site::{check, edit, wait_for, wait_for_leader};
use crate::support::site::{OPERATOR, Site};

/// Lets a host send to a port of an address, and nothing comes back: what a firewall does that drops packets.
fn block(site: &Site, host: &str, to: &str, port: u16) {
    let address = site.address(to);
    site.sh(
        host,
        &format!(
            "dev=$(ip -o route get {address} | sed 's/.* dev \\([^ ]*\\).*/\\1/') && \
             ip neigh replace 10.77.0.250 lladdr 02:00:00:00:00:fa nud permanent dev $dev && \
             ip route replace {address}/32 via 10.77.0.250 dev $dev table 100 && \
             ip rule add pref 100 to {address} ipproto tcp dport {port} table 100"
        ),
    );
}

fn unblock(site: &Site, host: &str, to: &str, port: u16) {
    let address = site.address(to);
    site.sh(host, &format!("ip rule del pref 100 to {address} ipproto tcp dport {port} table 100"));
}

#[test]
fn what_hosts_do_not_reach() {
    let rules = ["peer-connectivity", "dcs-unreachable-from-host", "dcs-server-not-reached"];
    let site = Site::of(15).standbys(1).start();
    check(&site).is_silent(&rules);

    // No way to the store.
    block(&site, "pg2", "etcd1", 2379);
    let said = check(&site);
    said.finding("dcs-unreachable-from-host", "from the host of pg2 there is no connection to any server of the store");
    said.is_silent(&["peer-connectivity", "dcs-server-not-reached"]);
    site.start_patroni("pg1");
    wait_for_leader(&site, "pg1");
    site.start_patroni("pg2");
    wait_for(&site, "pg2", "waiting on etcd");
    unblock(&site, "pg2", "etcd1", 2379);
    wait_for(&site, "pg2", "a secondary, and following a leader (pg1)");
    check(&site).is_silent(&rules);

    // No way to the REST API and the server of the other member.
    block(&site, "pg1", "pg2", 8008);
    block(&site, "pg1", "pg2", 5432);
    let said = check(&site);
    let found = said.finding("peer-connectivity", "from the host of pg1");
    assert!(found.contains("10.77.0.12:5432 (server of pg2) and 10.77.0.12:8008 (REST API of pg2)"), "{found}");
    let switch =
        || site.patronictl("pg1", &["switchover", "orders", "--leader", "pg1", "--candidate", "pg2", "--force"]);
    let ran = switch();
    assert!(!ran.out.contains("Successfully switched over"), "{}{}", ran.out, ran.err);
    wait_for(&site, "pg1", "Request failed to pg2: GET http://10.77.0.12:8008/patroni");
    unblock(&site, "pg1", "pg2", 8008);
    let found = check(&site).finding("peer-connectivity", "from the host of pg1").to_owned();
    assert!(!found.contains("REST API of pg2"), "{found}");
    let ran = switch();
    assert!(ran.out.contains("Successfully switched over"), "{}{}", ran.out, ran.err);
    wait_for(&site, "pg1", "connection to server at \"10.77.0.12\", port 5432 failed");
    unblock(&site, "pg1", "pg2", 5432);
    site.wait("streaming", 30, || site.is_led_by("pg2"));
    check(&site).is_silent(&rules);
}

#[test]
fn what_the_server_does_not_go_by_yet() {
    let rules = ["pending-restart", "configuration-not-reloaded", "config-world-readable"];
    let site = Site::of(15).start();
    check(&site).is_silent(&rules);

    // The mode of the file on the host counts, not that of the operator's copy.
    site.sh("pg1", "chmod 0644 /etc/patroni/pg1.yml");
    check(&site).finding("config-world-readable", "mode 0644");
    site.sh("pg1", "chmod 0640 /etc/patroni/pg1.yml");
    site.sh(OPERATOR, "chmod 0644 /etc/patroni/pg1.yml");
    check(&site).is_silent(&rules);

    // Rules that nobody has loaded.
    let hba = format!("{}/pg_hba.conf", site.plan.config_dir());
    let text = site.read("pg1", &hba);
    site.write("pg1", &hba, format!("host all app 0.0.0.0/0 reject\n{text}"));
    let login = || site.login(OPERATOR, "pg1", "app", "app", "SELECT 1");
    assert_eq!(login().as_deref(), Ok("1"));
    let said = check(&site);
    said.finding("configuration-not-reloaded", &hba);
    let reload = said.step("configuration-not-reloaded", "SQL: ").to_owned();
    site.start_patroni("pg1");
    wait_for_leader(&site, "pg1");
    let refused = login().expect_err("the rule is in force");
    assert!(refused.contains("pg_hba.conf rejects connection"), "{refused}");
    check(&site).is_silent(&["configuration-not-reloaded"]);
    site.write("pg1", &hba, text);
    check(&site).finding("configuration-not-reloaded", &hba);
    site.sql("pg1", &reload);
    site.wait("the rules", 5, || login().is_ok());
    check(&site).is_silent(&["configuration-not-reloaded"]);

    // A setting that waits for a restart, which Patroni makes.
    let show = || site.sql("pg1", "SHOW wal_buffers");
    let before = show();
    site.sql("pg1", "ALTER SYSTEM SET wal_buffers = '1MB'");
    site.reload_postgres("pg1");
    site.wait("the new value", 5, || {
        site.sql("pg1", "SELECT pending_restart FROM pg_settings WHERE name = 'wal_buffers'") == "t"
    });
    // Beside what Patroni itself has set anew.
    check(&site).finding("pending-restart", "`wal_buffers`, `wal_log_hints` of the server of pg1 wait for a restart");
    site.wait("what patronictl says", 10, || site.patronictl("pg1", &["list"]).out.contains("Pending restart"));
    assert_eq!(show(), before);
    let ran = site.patronictl("pg1", &["restart", "orders", "pg1", "--force"]);
    assert!(ran.out.contains("Success"), "{}{}", ran.out, ran.err);
    assert_eq!(show(), "1MB");
    check(&site).is_silent(&rules);
}

#[test]
fn libraries_that_are_not_on_every_host() {
    let rules = ["preload-library-missing", "extension-library-missing"];
    let site = Site::of(15).standbys(1).sql("CREATE EXTENSION hstore").start();
    check(&site).is_silent(&rules);
    let lib = format!("{}/lib", site.plan.bin_dir().trim_end_matches("/bin"));
    let remove = |names: &[&str]| {
        let files: Vec<String> = names.iter().map(|name| format!("/srv/lib/{name}.so")).collect();
        site.sh("pg2", &format!("cp -a {lib} /srv/ && rm {} && mount --bind /srv/lib {lib}", files.join(" ")));
    };
    remove(&["hstore", "pg_stat_statements"]);
    let said = check(&site);
    said.finding("extension-library-missing", "`$libdir/hstore`, which the host of pg2 does not have");
    said.is_silent(&["preload-library-missing"]);
    site.sql("pg1", "CREATE TABLE h AS SELECT 'a=>1'::hstore AS h");
    site.wait("the table", 5, || site.sql("pg2", "SELECT count(*) FROM pg_class WHERE relname = 'h'") == "1");
    let error = site.try_sql("pg2", "postgres", "SELECT h FROM h").expect_err("it is not there");
    assert!(error.contains("could not access file \"$libdir/hstore\""), "{error}");

    for member in ["pg1", "pg2"] {
        edit(
            &site,
            member,
            "        max_wal_senders: 12\n",
            "        max_wal_senders: 12\n        shared_preload_libraries: pg_stat_statements\n",
        );
    }
    let said = check(&site);
    said.finding("preload-library-missing", "of pg2 names `pg_stat_statements`, which its host does not have");
    site.take_over();
    // What the store says comes to a standby that was taken over with the first reload only.
    let ran = site.patronictl("pg2", &["reload", "orders", "pg2", "--force"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    let file = format!("{}/postgresql.conf", site.plan.config_dir());
    site.wait("the setting", 10, || site.read("pg2", &file).contains("pg_stat_statements"));
    let _ = site.patronictl("pg2", &["restart", "orders", "pg2", "--force"]);
    wait_for(&site, "pg2", "could not access file \"pg_stat_statements\": No such file or directory");
    site.sh("pg2", &format!("umount -l {lib}"));
    site.wait("the server", 30, || site.try_sql("pg2", "postgres", "SELECT h FROM h").is_ok());
    assert_eq!(site.sql("pg2", "SHOW shared_preload_libraries"), "pg_stat_statements");
    check(&site).is_silent(&rules);
}
