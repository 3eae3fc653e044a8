//! Proofs of the rules about `pg_hba.conf` and `pg_ident.conf`.

use crate::support::proof::prove;

#[test]
fn the_server_refuses_the_file() {
    prove("hba", "the_server_refuses_the_file");
}

#[test]
fn maps_are_missing() {
    prove("hba", "maps_are_missing");
}

#[test]
fn patroni_writes_the_list() {
    prove("hba", "patroni_writes_the_list");
}

#[test]
fn roles_do_not_get_in() {
    prove("hba", "roles_do_not_get_in");
}

#[test]
fn lines_count_for_nothing() {
    prove("hba", "lines_count_for_nothing");
}

#[test]
fn more_come_in_than_are_meant() {
    prove("hba", "more_come_in_than_are_meant");
}

#[test]
fn some_ways_are_closed_to_patroni() {
    prove("hba", "some_ways_are_closed_to_patroni");
}
