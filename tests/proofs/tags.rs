//! What tags keep members from.

use std::fs;

use crate::support::path;
use crate::support::patroni::{Etcd, Patroni, Site, holds};
use crate::support::proof::said;
use crate::support::proof_site::prove;

#[test]
fn nobody_is_promoted() {
    let (mut patroni, rule) = (Patroni::new(), "tag-all-nofailover");
    for is_bad in [true, false] {
        let etcd = Etcd::start();
        let site = Site::new(etcd.port);
        site.lay(rule, "bad-both");
        if !is_bad {
            site.replace("a/patroni.yml", b"tags:\n  nofailover: true\n", "");
        }
        for member in ["a", "b"] {
            let file = format!("{member}/patroni.yml");
            site.replace_all(&file, ",127.0.0.1", "");
            site.take_over(&file, 16, true);
            patroni.start(&site, member, &[&file]);
        }
        let barred = "following a different leader because I am not allowed to promote";
        if is_bad {
            patroni.expect("a", barred);
            patroni.expect("b", barred);
        } else {
            patroni.expect("a", "promoted self to leader by acquiring session lock");
        }
        assert_eq!(site.findings(rule).is_empty(), !is_bad);
        for member in ["a", "b"] {
            patroni.stop(member);
        }
    }
}

#[test]
fn a_tag_against_another() {
    prove("tags", "a_tag_against_another");
}

/// Where a standby streams from, and the slots of the leader as soon as they hold one; of the others the store knows only that they are
/// there.
fn asked_of_a_standby(
    patroni: &mut Patroni,
    site: &Site,
    slot: &str,
    leader: &str,
    standby: &str,
    others: &[&str],
) -> String {
    for (file, is_standby) in [(leader, false), (standby, true)] {
        site.take_over(file, 16, is_standby);
    }
    patroni.start(site, "leader", &[leader]);
    patroni.expect("leader", "session lock");
    for other in others {
        patroni.run(site, &[other], "trying to bootstrap");
    }
    patroni.start(site, "standby", &[standby]);
    patroni.expect("standby", "a secondary, and following a leader");
    let conninfo = patroni.eval(site, standby, "query('SHOW primary_conninfo')");
    // The leader looks for new members once in a second.
    let mut slots = String::new();
    for _ in 0..150 {
        slots = patroni.eval(
            site,
            leader,
            "query('SELECT pg_sleep(0.2)::text, array(SELECT slot_name FROM pg_replication_slots)::text')",
        );
        if holds(&slots, slot) {
            break;
        }
    }
    patroni.kill("standby");
    patroni.kill("leader");
    site.end_servers();
    format!("{conninfo} {slots}")
}

/// A round with a store of its own.
fn round(rule: &str, case: &str, files: &[&str]) -> (Etcd, Site) {
    let etcd = Etcd::start();
    let site = Site::new(etcd.port);
    site.lay(rule, case);
    for file in files {
        site.replace_all(file, ",127.0.0.1", "");
    }
    (etcd, site)
}

/// Another member of the same cluster, from the file of the only one.
fn another_member(site: &Site, case: &str) {
    let text = fs::read_to_string(path(&format!("fixtures/rules/{case}/input/patroni.yml"))).unwrap();
    let text = text.replace("192.0.2.31", "192.0.2.39").replace("bill-a", "bill-z").replace(",127.0.0.1", "");
    site.lay_text("z/patroni.yml", text.replace("  nostream: true", "  clonefrom: true").as_bytes());
}

#[test]
fn a_member_that_may_not_stream_does_not() {
    let (mut patroni, rule) = (Patroni::new(), "tag-nostream-without-restore");
    for is_bad in [true, false] {
        let (_etcd, site) = round(rule, "bad-no-archive", &["patroni.yml"]);
        if !is_bad {
            site.replace("patroni.yml", b"  nostream: true", "  clonefrom: true");
        }
        assert_eq!(site.findings(rule).is_empty(), !is_bad);
        another_member(&site, "tag-nostream-without-restore/bad-no-archive");
        let answer = asked_of_a_standby(
            &mut patroni,
            &site,
            if is_bad { "" } else { "bill_a" },
            "z/patroni.yml",
            "patroni.yml",
            &[],
        );
        assert_eq!(holds(&answer, r#"^..""\]"#), is_bad, "{answer}");
        assert_eq!(holds(&answer, "bill_a\\}"), !is_bad, "{answer}");
    }
}

#[test]
fn a_standby_of_a_standby_follows_the_leader() {
    let (mut patroni, rule) = (Patroni::new(), "cascading-standby-without-tag");
    let files = ["a/patroni.yml", "b/patroni.yml", "c/patroni.yml"];
    for is_bad in [true, false] {
        let (_etcd, site) = round(rule, "bad-chain", &files);
        if !is_bad {
            site.append(files[2], "\ntags: {replicatefrom: bill-b}\n");
        }
        assert_eq!(site.findings(rule).is_empty(), !is_bad);
        let answer = asked_of_a_standby(&mut patroni, &site, "bill_b", files[0], files[2], &files[1..2]);
        assert!(holds(&answer, if is_bad { "host=127.2.0.31 " } else { "host=127.2.0.32 " }), "{answer}");
    }
}

#[test]
fn a_member_to_replicate_from_that_is_not_there() {
    let (mut patroni, rule) = (Patroni::new(), "tag-replicatefrom-unknown");
    let files = ["a/patroni.yml", "b/patroni.yml"];
    let (_etcd, site) = round(rule, "bad-unknown", &files);
    assert_eq!(site.findings(rule).len(), 1);
    let answer = asked_of_a_standby(&mut patroni, &site, "", files[0], files[1], &[]);
    assert!(holds(&answer, "host=127.2.0.31 "), "{answer}");
    site.replace(files[1], b"replicatefrom: bill-c", "replicatefrom: bill-a");
    assert_eq!(site.findings(rule), [""; 0]);
    // In a circle nobody streams, and the leader keeps the slot all the same.
    let files = ["c/patroni.yml", "b/patroni.yml", "a/patroni.yml"];
    for is_bad in [true, false] {
        let (_etcd, site) = round(rule, "bad-circle", &files);
        if !is_bad {
            site.replace(files[1], b"replicatefrom: bill-a", "replicatefrom: bill-c");
        }
        assert_eq!(site.findings(rule).is_empty(), !is_bad);
        let answer = asked_of_a_standby(&mut patroni, &site, "bill_b", files[0], files[1], &files[2..]);
        let host = if is_bad { "host=127.2.0.31 .*bill_b" } else { "host=127.2.0.33 .*bill_b" };
        assert!(holds(&answer, host), "{answer}");
    }
}

#[test]
fn a_member_that_replicates_from_itself_fails() {
    let (mut patroni, rule) = (Patroni::new(), "tag-replicatefrom-itself");
    let files = ["a/patroni.yml", "b/patroni.yml"];
    let fails = "RecursionError: maximum recursion depth exceeded";
    for is_bad in [true, false] {
        let (_etcd, site) = round(rule, "bad-itself", &files);
        if !is_bad {
            site.replace(files[1], b"replicatefrom: bill-b", "replicatefrom: bill-a");
        }
        assert_eq!(site.findings(rule).is_empty(), !is_bad);
        for (file, is_standby) in [(files[0], false), (files[1], true)] {
            site.take_over(file, 16, is_standby);
        }
        patroni.start(&site, "leader", &[files[0]]);
        patroni.expect("leader", "session lock");
        patroni.start(&site, "standby", &[files[1]]);
        // In its first round it does not see its own key yet.
        let rounds = "(?:a secondary, and following a leader.*){2}";
        let said = patroni.expect("standby", &format!("{fails}|{rounds}"));
        assert_eq!(holds(&said.log, fails), is_bad, "{}", said.log);
        for id in ["standby", "leader"] {
            patroni.kill(id);
        }
        site.end_servers();
    }
}

/// The tag costs the primary its permanent slots, those that are there as well.
#[test]
fn a_primary_that_may_not_lead_again_drops_its_permanent_slots() {
    let case = "tag-nofailover-on-primary/bad-tag";
    let text = said(
        case,
        "pg1",
        &[
            "roles",
            "patroni start",
            "sql host=127.0.0.1 user=patroni_su password=k8Vw-superuser-2xT dbname=postgres; CREATE DATABASE orders",
            "sql host=127.0.0.1 user=patroni_su password=k8Vw-superuser-2xT dbname=orders; SELECT pg_create_logical_replication_slot('warehouse_cdc', 'pgoutput')",
            "patroni slots",
        ],
    );
    assert!(
        holds(&text, "Trying to drop unknown replication slot 'warehouse_cdc'.*Dropped replication slot"),
        "{text}"
    );
}
