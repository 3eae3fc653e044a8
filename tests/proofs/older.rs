//! Proofs with a Patroni that is not the newest, and with one in a Python whose packages do not fit together.

use super::on_site::{check, check_with, edit, wait_for, wait_for_leader};
use crate::support::pg;
use crate::support::site::{Layout, SUPERUSER, Site};

const NEW: &str = "/var/lib/postgresql/new";
const RULES: [&str; 2] = ["key-needs-newer-patroni", "upgrade-patroni-too-old"];

/// Puts the Patroni of an environment of the set-up into its place.
fn install(site: &Site, environment: &str) {
    let program = pg::tools().join(environment).join("bin/patroni");
    site.sh("pg1", &format!("ln -sf {} /usr/bin/patroni", program.display()));
}

/// What the REST API says that it is.
fn header(site: &Site) -> String {
    let said = site.sh("pg1", "curl -si http://10.77.0.11:8008/patroni");
    said.lines().find_map(|l| l.strip_prefix("Server: ")).unwrap_or_default().trim().to_owned()
}

/// A setting of the new cluster, which has Patroni's roles alone.
fn limit(site: &Site) -> String {
    let words =
        ["psql", "-h", "/var/run/postgresql", "-U", SUPERUSER, "-d", "postgres", "-XAtc", "SHOW io_combine_limit"];
    site.must("pg1", "postgres", &words).trim().to_owned()
}

fn empty_store(site: &Site) {
    let text = "printf 'orders\nYes I am aware\n' | patronictl -c /etc/patroni/pg1.yml remove orders";
    site.must("pg1", "postgres", &["sh", "-c", text]);
}

#[test]
fn what_an_older_patroni_does_not_know() {
    let site = Site::of(15).layout(Layout::Directory).start();
    let programs = pg::program(18, "pg_upgrade").canonicalize().expect("a path");
    let bin = programs.parent().expect("a directory").display().to_string();
    let check = || check_with(&site, &["pg1"], &["--upgrade-to", "18", "--new-bindir", &bin, "--new-datadir", NEW]);
    edit(&site, "pg1", "restapi:\n", "restapi:\n  server_tokens: productonly\n");
    install(&site, "py-older");
    let before = check();
    before.finding(RULES[0], "`restapi.server_tokens` is read since Patroni 4.1.0; this is for 4.0.6");
    before.finding(RULES[1], "Patroni 4.0.6 (/usr/bin/patroni) of pg1 does not know PostgreSQL 18");
    before.finding(RULES[1], "install Patroni 4.0.7 or newer on every member");
    site.start_patroni("pg1");
    wait_for_leader(&site, "pg1");
    assert!(header(&site).starts_with("BaseHTTP/"), "{}", header(&site));
    let log = site.patroni_log("pg1");
    assert!(!log.contains("server_tokens"), "not a word of it: {log}");
    site.stop_patroni("pg1");

    // As they say.
    install(&site, "py");
    site.start_postgres("pg1");
    check().is_silent(&RULES);
    site.start_patroni("pg1");
    wait_for_leader(&site, "pg1");
    assert_eq!(header(&site), "Patroni");
    site.stop_patroni("pg1");

    // What either makes of a server of the new major.
    edit(&site, "pg1", "bin_dir: /usr/lib/postgresql/15/bin", &format!("bin_dir: {bin}"));
    edit(&site, "pg1", "data_dir: /var/lib/postgresql/data", &format!("data_dir: {NEW}"));
    let set = "    unix_socket_directories: /var/run/postgresql\n";
    edit(&site, "pg1", set, &format!("{set}    io_combine_limit: 128\n"));
    empty_store(&site);
    install(&site, "py-older");
    site.start_patroni("pg1");
    wait_for(&site, "pg1", "Value=128 of parameter=io_combine_limit is too big, decreasing to 32");
    wait_for_leader(&site, "pg1");
    assert_eq!(limit(&site), "256kB");
    site.stop_patroni("pg1");
    install(&site, "py");
    let so_far = site.patroni_log("pg1").len();
    site.start_patroni("pg1");
    wait_for_leader(&site, "pg1");
    assert_eq!(limit(&site), "1MB");
    assert!(!site.patroni_log("pg1")[so_far..].contains("is too big"), "{}", site.logs());
}

#[test]
fn packages_that_do_not_fit_together() {
    let rule = "python-mixed-site-packages";
    let site = Site::of(15).start();
    install(&site, "py-mixed");
    let before = check(&site);
    before.finding(rule, "Patroni's Python on pg1 has pyOpenSSL 21.0.0 beside cryptography");
    before.finding(rule, "give Patroni a virtual environment of its own");
    site.start_patroni("pg1");
    wait_for(&site, "pg1", "AttributeError: module 'lib' has no attribute 'GEN_EMAIL'");
    site.wait("its end", 10, || {
        site.run("pg1", &["sh", "-c", "kill -0 $(cat /run/patroni/patroni.pid)"]).code != Some(0)
    });
    install(&site, "py");
    check(&site).is_silent(&[rule]);
    site.start_patroni("pg1");
    wait_for_leader(&site, "pg1");
}
