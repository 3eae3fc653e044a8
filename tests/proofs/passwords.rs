//! Proofs of the rules that compare the passwords of a configuration with what the server keeps.

use super::on_site::{check, edit, wait_for, wait_for_leader, wait_for_server};
use crate::support::record::says_of;
use crate::support::site::Site;

const RULES: [&str; 2] = ["role-password-mismatch", "role-password-md5"];

/// Lines that ask for what the server has of either kind.
const LINES: &str = "host all,replication patroni_su,replicator,rewinder 10.77.0.0/24 md5\nhost all,replication patroni_su,replicator,rewinder 127.0.0.1/32 md5\n";

#[test]
fn the_server_keeps_other_passwords() {
    let site = Site::of(18).standbys(1).start();
    for member in ["pg1", "pg2"] {
        let file = format!("{}/pg_hba.conf", site.plan.config_dir());
        let text = site.read(member, &file);
        site.write(member, &file, format!("{LINES}{text}"));
        site.reload_postgres(member);
        // What SASLprep changes: a soft hyphen goes, a wide space is one.
        edit(&site, member, "password: superuser-pw", "password: \"s\\u00ad\\u00fc\\u3000\u{df} pw\"");
    }
    check(&site).finding(RULES[0], "role `patroni_su` is one in pg1 and another one in the server");
    site.sql("pg1", "ALTER ROLE patroni_su PASSWORD 's\u{fc} \u{df} pw'");
    let md5 = "psql -XAt -c \"SET password_encryption = 'md5'\" -c \"ALTER ROLE rewinder PASSWORD 'rewind-pw'\" postgres 2>&1";
    let said = site.must("pg1", "postgres", &["sh", "-c", md5]);
    says_of(RULES[1], &said, "WARNING:  setting an MD5-encrypted password");
    says_of(RULES[1], &said, "MD5 password support is deprecated and will be removed");
    site.sql("pg1", "ALTER ROLE replicator PASSWORD 'another'");
    let before = check(&site);
    before.finding(RULES[0], "the password of role `replicator` is one in pg1 and another one in the server");
    before.finding(RULES[0], "the password of role `replicator` is one in pg2 and another one in the server");
    before.finding(RULES[1], "the password of role `rewinder` is kept as an MD5 hash, which PostgreSQL 18 still takes");
    assert!(!before.text.contains("role `patroni_su` is one"), "{}", before.text);
    // Where the unit has the password, that one counts.
    let unit = "/etc/systemd/system/patroni.service";
    let variables = "PATRONI_REPLICATION_USERNAME=replicator PATRONI_REPLICATION_PASSWORD=another";
    let text = format!("[Service]\nExecStart=/usr/bin/patroni /etc/patroni/pg1.yml\nEnvironment={variables}\n");
    site.sh("pg1", "mkdir -p /etc/systemd/system");
    site.write("pg1", unit, text);
    let between = check(&site);
    between.finding(RULES[0], "role `replicator` is one in pg2 and another one in the server");
    assert!(!between.text.contains("role `replicator` is one in pg1"), "{}", between.text);
    site.sh("pg1", &format!("rm {unit}"));
    site.start_patroni("pg1");
    wait_for_leader(&site, "pg1");
    site.start_patroni("pg2");
    wait_for_server(&site, "pg1", "password authentication failed for user \"replicator\"");
    // One password everywhere.
    site.sql("pg1", "ALTER ROLE replicator PASSWORD 'replication-pw'");
    site.sql("pg1", "ALTER ROLE rewinder PASSWORD 'rewind-pw'");
    wait_for(&site, "pg2", "a secondary, and following a leader (pg1)");
    site.wait("the stream", 30, || site.sql("pg1", "SELECT count(*) FROM pg_stat_replication") == "1");
    check(&site).is_silent(&RULES);
    // A role without any.
    site.sql("pg1", "ALTER ROLE replicator PASSWORD NULL");
    check(&site).finding(RULES[0], "another one in the server, which keeps none");
}
