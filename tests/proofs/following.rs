//! Proofs of what keeps a standby from following its leader, or has it follow where it should not.

use super::on_site::{check, edit, wait_for, wait_for_leader};
use crate::support::pg;
use crate::support::site::{OPERATOR, Site};

/// What a member says of itself.
fn role(site: &Site, member: &str) -> String {
    site.rest(member, "/patroni")
        .map(|(_, said)| said["role"].as_str().unwrap_or_default().to_owned())
        .unwrap_or_default()
}

#[test]
fn a_standby_does_not_follow_as_it_should() {
    let site = Site::of(15).standbys(1).start();
    let said_by = |member: &str, words: &str| {
        [site.patroni_log(member), site.postgres_log(member)].iter().any(|log| log.contains(words))
    };

    // A standby cluster with the name of the cluster that it is to follow.
    let rule = "standby-cluster-same-scope";
    let own = site.read(OPERATOR, "/etc/patroni/pg2.yml");
    let dcs = "    ttl: 20\n";
    edit(&site, "pg2", dcs, &format!("{dcs}    standby_cluster:\n      host: 10.77.0.11\n      port: 5432\n"));
    check(&site).finding(rule, "the standby cluster follows pg1, which has the same scope, `orders`");
    site.start_patroni("pg1");
    wait_for_leader(&site, "pg1");
    site.start_patroni("pg2");
    wait_for(&site, "pg2", "a secondary, and following a leader (pg1)");
    site.wait("both as one cluster", 20, || site.cluster("pg1").get("pg2").is_some_and(|m| m.0 == "replica"));
    site.stop_patroni("pg2");
    edit(&site, "pg2", "scope: orders\n", "scope: orders-second\n");
    check(&site).is_silent(&[rule]);
    // What the other cluster has left here, which goes before `bootstrap.dcs`.
    site.sh("pg2", &format!("unlink {}/patroni.dynamic.json", site.plan.data_dir()));
    site.start_patroni("pg2");
    site.wait("a cluster of its own", 40, || role(&site, "pg2") == "standby_leader");
    site.wait("one less", 20, || !site.cluster("pg1").contains_key("pg2"));
    site.stop_patroni("pg2");
    for host in ["pg2", OPERATOR] {
        site.write(host, "/etc/patroni/pg2.yml", &own);
    }
    site.stop_patroni("pg1");

    // The others are sent to a pooler.
    let rule = "pg-connect-address-is-pooler";
    let (address, pooled) = ("connect_address: 10.77.0.11:5432", "connect_address: 10.77.0.11:6432");
    edit(&site, "pg1", address, pooled);
    let before = check(&site);
    before.finding(rule, "`postgresql.connect_address` names port 6432, and PostgreSQL listens on 5432");
    before.finding(rule, "name PostgreSQL's own port, 5432");
    site.write("pg1", "/srv/users", "\"replicator\" \"replication-pw\"\n");
    let config = "[databases]\n* = host=10.77.0.11 port=5432\n[pgbouncer]\nlisten_addr = 10.77.0.11\nlisten_port = 6432\n\
                  auth_type = trust\nauth_file = /srv/users\nunix_socket_dir =\n";
    site.write("pg1", "/srv/pgbouncer.ini", config);
    let pgbouncer = pg::tools().join("pgbouncer");
    let dir = pgbouncer.display();
    let start = format!(
        "LD_LIBRARY_PATH={dir} setsid {dir}/pgbouncer /srv/pgbouncer.ini > /tmp/pgbouncer.log 2>&1 < /dev/null &"
    );
    site.must("pg1", "postgres", &["sh", "-c", &start]);
    site.start_patroni("pg1");
    wait_for_leader(&site, "pg1");
    site.start_patroni("pg2");
    site.wait("the refusal", 40, || said_by("pg2", "unsupported startup parameter: replication"));
    assert!(!site.is_led_by("pg1"));
    edit(&site, "pg1", pooled, address);
    check(&site).is_silent(&[rule]);
    site.patronictl("pg1", &["reload", "orders", "pg1", "--force"]);
    site.wait("the stream", 40, || site.is_led_by("pg1"));

    // A former leader that has gone its own way, without what would rewind it.
    let rule = "rewind-binary-missing";
    let bin = site.plan.bin_dir();
    site.sh("pg1", &format!("cp -a {bin} /srv/bin && rm /srv/bin/pg_rewind && mount --bind /srv/bin {bin}"));
    check(&site).finding(rule, &format!("`use_pg_rewind` is on, and {bin} of pg1 has no pg_rewind"));
    site.stop_patroni("pg1");
    wait_for_leader(&site, "pg2");
    site.start_postgres("pg1");
    site.sql("pg1", "CREATE TABLE own_way AS SELECT 1 AS id; SELECT pg_switch_wal()");
    site.stop_postgres("pg1", "fast");
    site.start_patroni("pg1");
    site.wait("the server's complaint", 40, || site.patroni_log("pg1").contains("is not in this server's history"));
    assert!(!site.patroni_log("pg1").contains("running pg_rewind"), "{}", site.logs());
    assert!(!site.is_led_by("pg2"));
    site.sh("pg1", &format!("umount -l {bin}"));
    check(&site).is_silent(&[rule]);
    site.stop_patroni("pg1");
    site.start_patroni("pg1");
    wait_for(&site, "pg1", "running pg_rewind from pg2");
    site.wait("the stream", 40, || site.is_led_by("pg2"));
}
