//! Proofs of the rules about roles.

use super::on_site::{check, wait_for, wait_for_leader};
use crate::support::proof::prove;
use crate::support::site::Site;

#[test]
fn roles_cannot_do_their_work() {
    prove("roles", "roles_cannot_do_their_work");
}

#[test]
fn roles_lose_what_they_have() {
    prove("roles", "roles_lose_what_they_have");
}

#[test]
fn times_that_psycopg_cannot_read() {
    let rule = "datestyle-not-iso";
    let site = Site::of(15).start();
    check(&site).is_silent(&[rule]);
    site.sql("pg1", "ALTER SYSTEM SET datestyle = 'German'");
    site.sql("pg1", "SELECT pg_reload_conf()");
    let before = check(&site);
    before.finding(rule, "sessions of `patroni_su` get dates in the style `German, DMY`");
    site.start_patroni("pg1");
    wait_for(&site, "pg1", "the leader with the lock");
    assert_eq!(site.rest("pg1", "/primary"), None);
    wait_for(&site, "pg1", "NotImplementedError: can't parse timestamptz with DateStyle 'German, DMY'");
    // Sessions that are there go on as they began.
    site.sql("pg1", before.step(rule, "SQL: "));
    site.sql("pg1", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'Patroni%'");
    wait_for_leader(&site, "pg1");
    check(&site).is_silent(&[rule]);
}
