//! Proofs of the rules about replication slots.

use crate::support::proof::prove;

#[test]
fn patroni_keeps_makes_and_drops_slots() {
    prove("slots", "patroni_keeps_makes_and_drops_slots");
}
