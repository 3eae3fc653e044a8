//! Proofs of what `check` says, with an eye on the host and the store, of where Patroni looks for its store, its programs and its data.

use super::on_site::{Checked, check, edit, wait_for, wait_for_leader};
use crate::support::site::{OPERATOR, Site};

/// Ends a Patroni that has not come up, and leaves the server as it is.
fn kill(site: &Site) {
    site.sh("pg1", "kill -KILL $(cat /run/patroni/patroni.pid) 2> /dev/null || true");
}

/// Starts Patroni with the variables that a unit has.
fn start_plainly(site: &Site, file: &str, log: &str) {
    let text = format!(
        "PATH=/usr/sbin:/usr/bin:/sbin:/bin; setsid patroni {file} >> /var/log/patroni/{log}.log 2>&1 < /dev/null & echo $! > /run/patroni/{log}.pid"
    );
    site.must("pg1", "postgres", &["sh", "-c", &text]);
}

fn empty_store(site: &Site) {
    let text = "printf 'orders\nYes I am aware\n' | patronictl -c /etc/patroni/pg1.yml remove orders";
    site.must("pg1", "postgres", &["sh", "-c", text]);
}

#[test]
fn patroni_looks_in_the_wrong_place() {
    let site = Site::of(15).start();
    in_the_store(&site);
    in_another_directory(&site);
    in_path(&site);
    in_the_directory_of_another(&site);
}

/// The store has given up the API that is asked for.
fn in_the_store(site: &Site) {
    let rule = "dcs-etcd-v2-api";
    edit(site, "pg1", "etcd3:\n", "etcd:\n");
    let before = check(site);
    before.finding(rule, "section `etcd` speaks etcd's API v2, which etcd 3.4 and later have switched off");
    before.finding(rule, "call the section `etcd3` on all members");
    site.start_patroni("pg1");
    wait_for(site, "pg1", "404 page not found");
    wait_for(site, "pg1", "waiting on etcd");
    kill(site);
    edit(site, "pg1", "etcd:\n", "etcd3:\n");
    check(site).is_silent(&[rule]);
}

/// A directory whose name ends in a blank.
fn in_another_directory(site: &Site) {
    let data = site.plan.data_dir();
    let rule = "data-dir-misread";
    let (right, wrong) = (format!("data_dir: {data}\n"), format!("data_dir: '{data} '\n"));
    edit(site, "pg1", &right, &wrong);
    // The files there name the right directory.
    let config = "  config_dir: /etc/postgresql/15/main\n";
    edit(site, "pg1", config, "");
    check(site).finding(rule, "it has white space around it, which belongs to the name");
    site.stop_postgres("pg1", "fast");
    site.start_patroni("pg1");
    wait_for(site, "pg1", "initialized a new cluster");
    wait_for_leader(site, "pg1");
    let new = site.try_sql("pg1", "postgres", "SELECT 1").expect_err("it is a new one, with Patroni's roles");
    assert!(new.contains("role \"postgres\" does not exist"), "{new}");
    // It is there now, and is what is named.
    check(site).is_silent(&[rule]);
    site.stop_patroni("pg1");
    site.sh("pg1", &format!("mv '{data} ' /srv/new"));
    check(site).finding(rule, "white space");
    edit(site, "pg1", &wrong, &format!("{right}{config}"));
    empty_store(site);
    site.start_postgres("pg1");
    check(site).is_silent(&[rule]);
}

/// Programs that are not in PATH.
fn in_path(site: &Site) {
    let bin = site.plan.bin_dir();
    let rule = "bin-dir-unset";
    let set = format!("  bin_dir: {bin}\n");
    edit(site, "pg1", &set, "");
    let before = check(site);
    before.finding(rule, "`bin_dir` of pg1 is not set, and packages put these programs into");
    let named = before.step(rule, "`bin_dir: ").split('`').next().expect("a quote").to_owned();
    assert_eq!(named, bin);
    start_plainly(site, "/etc/patroni/pg1.yml", "patroni");
    // The server runs already, so Patroni asks `postgres` first what settings it has.
    wait_for(site, "pg1", "FileNotFoundError: [Errno 2] No such file or directory: 'postgres'");
    site.wait("its end", 10, || {
        site.run("pg1", &["sh", "-c", "kill -0 $(cat /run/patroni/patroni.pid)"]).code != Some(0)
    });
    assert_eq!(site.sql("pg1", "SELECT 1"), "1", "the server runs on");
    edit(site, "pg1", "  pgpass: ", &format!("  bin_dir: {named}\n  pgpass: "));
    check(site).is_silent(&[rule]);
    start_plainly(site, "/etc/patroni/pg1.yml", "patroni");
    wait_for_leader(site, "pg1");
    assert_eq!(site.sql("pg1", "SELECT count(*) FROM pg_database WHERE datname = 'app'"), "1", "the old one");
}

/// A second member of the host, in the same directory by another path.
fn in_the_directory_of_another(site: &Site) {
    let data = site.plan.data_dir();
    let right = format!("data_dir: {data}\n");
    let rule = "data-dir-shared";
    let text = site.read("pg1", "/etc/patroni/pg1.yml");
    let other = text
        .replace("name: pg1", "name: other")
        .replace(":8008", ":8009")
        .replace(":5432", ":5433")
        .replace("/.pgpass_patroni", "/.pgpass_other")
        .replace("unix_socket_directories: /var/run/postgresql", "unix_socket_directories: /tmp")
        .replace(&right, "data_dir: /srv/same\n");
    site.sh("pg1", &format!("ln -s {data} /srv/same"));
    let put = |text: &str| {
        for host in ["pg1", OPERATOR] {
            site.write(host, "/etc/patroni/other.yml", text);
        }
    };
    put(&other);
    let both = || {
        let files = ["/etc/patroni/pg1.yml", "/etc/patroni/other.yml"];
        let ran =
            site.preflight(&[&["check", "--format", "full", "--ssh=pg1=pg1", "--ssh=other=pg1"], &files[..]].concat());
        Checked::new(format!("{}{}", ran.out, ran.err))
    };
    both().finding(rule, &format!("`other` and `pg1` both have {data}"));
    start_plainly(site, "/etc/patroni/other.yml", "other");
    let log = || site.read("pg1", "/var/log/patroni/other.log");
    site.wait("no answer", 40, || log().contains(":5433 - no response"));
    site.sh("pg1", "kill -KILL $(cat /run/patroni/other.pid)");
    // One of its own.
    site.sh("pg1", "unlink /srv/same");
    let own = other.replace("data_dir: /srv/same\n", "data_dir: /srv/other\n");
    put(&own.replace("  config_dir: /etc/postgresql/15/main\n", ""));
    site.sh("pg1", "install -d -m 0700 -o postgres -g postgres /srv/other");
    both().is_silent(&[rule]);
    let so_far = log().len();
    start_plainly(site, "/etc/patroni/other.yml", "other");
    site.wait("data of its own", 40, || log()[so_far..].contains("replica has been created using basebackup"));
}
