//! Proofs of the rules about replication slots.

use patroni_preflight::rules::builtin::find;
use patroni_preflight::rules::schema::CheckSpec;

use crate::support::patroni::holds;
use crate::support::proof::{prove, said};

#[test]
fn patroni_keeps_makes_and_drops_slots() {
    prove("slots", "patroni_keeps_makes_and_drops_slots");
}

#[test]
fn slots_and_their_wal() {
    prove("slots", "slots_and_their_wal");
}

/// A slot for whose consumer the WAL is gone; that it is gone is known from the server alone.
#[test]
fn a_lost_slot_is_of_no_use() {
    let rule = find("slot-wal-status-lost").unwrap();
    let query = {
        let CheckSpec::Rows(rows) = &rule.check else { panic!("it asks a server") };
        &rows.query
    };
    let asked = format!("sql host=127.0.0.1 user=postgres; {query}");
    let wal = "DO $$BEGIN FOR i IN 1..4 LOOP PERFORM pg_logical_emit_message(false, '', 'x'); PERFORM pg_switch_wal(); END LOOP; END$$";
    let wal = format!("sql host=127.0.0.1 user=postgres; {wal}; CHECKPOINT");
    let gone = "requested WAL segment 000000010000000000000001 has already been removed";
    let stream = "BIN/psql 'host=127.0.0.1 user=postgres replication=true' -c 'START_REPLICATION SLOT s1 0/1000000'";
    let streamed = format!(
        "program for i in $(seq 100); do {stream} || true; sleep 0.1; grep -q '{gone}' /run/said/server && break; done; cat /run/said/server"
    );
    let text = said(
        "max-replication-slots-lowered/bad-permanent-slots",
        "",
        &[
            "roles",
            "today -c max_slot_wal_keep_size=16MB -c min_wal_size=32MB -c max_wal_size=48MB",
            "sql host=127.0.0.1 user=postgres; SELECT pg_create_physical_replication_slot('s1', true)",
            &asked,
            &wal,
            &asked,
            // psql leaves a stream as soon as it begins, and a server that sees this first says nothing of the WAL.
            &streamed,
            "patroni slots",
            &asked,
        ],
    );
    let steps: Vec<&str> = text.split("\n--- ").collect();
    let lost = "(^|\n)s1 physical lost";
    assert!(!holds(steps[3], lost) && holds(steps[5], lost), "{text}");
    assert!(holds(steps[6], &format!("ERROR:  {gone}")), "{text}");
    assert!(holds(steps[7], "Trying to drop replication slot 's1' with wal_status=lost"), "{text}");
    assert!(!holds(steps[8], lost), "{text}");
}
