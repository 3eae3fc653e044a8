//! Proofs of the rules about postgresql.conf, and what Patroni makes of settings.

use crate::support::proof::prove;

#[test]
fn the_server_refuses_its_configuration_file() {
    prove("settings", "the_server_refuses_its_configuration_file");
}

#[test]
fn patroni_starts_the_server_with_other_values() {
    prove("settings", "patroni_starts_the_server_with_other_values");
}

#[test]
fn patroni_looks_for_the_server_elsewhere() {
    prove("settings", "patroni_looks_for_the_server_elsewhere");
}

#[test]
fn what_is_set_does_not_count() {
    prove("settings", "what_is_set_does_not_count");
}

#[test]
fn the_server_is_another_one_under_patroni() {
    prove("settings", "the_server_is_another_one_under_patroni");
}
