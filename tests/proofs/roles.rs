//! Proofs of the rules about roles.

use crate::support::proof::prove;

#[test]
fn roles_cannot_do_their_work() {
    prove("roles", "roles_cannot_do_their_work");
}
