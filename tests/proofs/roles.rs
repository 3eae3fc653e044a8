//! Proofs of the rules about roles.

use crate::support::proof::prove;

#[test]
fn roles_cannot_do_their_work() {
    prove("roles", "roles_cannot_do_their_work");
}

#[test]
fn roles_lose_what_they_have() {
    prove("roles", "roles_lose_what_they_have");
}
