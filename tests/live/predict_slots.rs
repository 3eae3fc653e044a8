//! What `predict` says of replication slots, and what becomes of them on a site that Patroni takes over.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::support::predicted::{Predicted, edit_all, install, text};
use crate::support::site::{Layout, Site};

/// Name and kind of each slot.
const SLOTS: &str = "SELECT slot_name, slot_type || coalesce(':' || database || ':' || plugin, '') FROM pg_replication_slots WHERE NOT temporary";

fn slots(site: &Site, member: &str) -> BTreeMap<String, String> {
    let rows = site.sql(member, SLOTS);
    rows.lines().filter_map(|row| row.split_once('|')).map(|(n, k)| (n.to_owned(), k.to_owned())).collect()
}

/// What has become of each slot, in the words of the prediction; what stays is `stays`.
fn happened(site: &Site, member: &str, before: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let (after, log) = (slots(site, member), site.patroni_log(member));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let is_dropped = |name: &str| {
        let quoted = format!("replication slot '{name}'");
        let because = format!("replication slot {name} because");
        log.lines().any(|l| {
            (l.contains("Dropped") && l.contains(&quoted))
                || (l.contains("rop") && (l.contains(&because) || l.contains(&format!("{quoted} because"))))
        })
    };
    let is_copied =
        |name: &str| log.lines().any(|l| l.contains("Copying logical slots") && l.contains(&format!("'{name}'")));
    let of = |name: &String| match (before.contains_key(name), after.contains_key(name)) {
        (true, false) => "dropped",
        (true, true) if is_dropped(name) => "remade",
        (true, true) => "stays",
        (false, _) if is_copied(name) => "copied",
        (false, _) => "created",
    };
    names.into_iter().map(|name| (name.clone(), of(name).to_owned())).collect()
}

/// The prediction in the same words.
fn said(predicted: &Predicted, member: &str) -> BTreeMap<String, String> {
    let all = predicted.known(member, "slots").iter();
    let fate = |slot: &serde_json::Value| match text(slot, "fate") {
        "kept" | "left-alone" => "stays".to_owned(),
        other => other.to_owned(),
    };
    all.filter(|slot| text(slot, "fate") != "not-made")
        .map(|slot| (text(slot, "name").to_owned(), fate(slot)))
        .collect()
}

/// Name and kind of the slots of each member.
pub(super) type Slots = Vec<BTreeMap<String, String>>;

/// The slots of all members.
pub(super) fn all_slots(site: &Site) -> Slots {
    site.members().iter().map(|member| slots(site, member)).collect()
}

/// Takes a site over, one member after the other: the first does not know the second when it looks at its slots.
pub(super) fn take_over_in_turn(site: &Site) {
    let (primary, standbys) = site.members().split_first().expect("a primary");
    site.members().iter().for_each(|member| site.leave_start_to_patroni(member));
    site.start_patroni(primary);
    site.wait("a leader", 20, || site.rest(primary, "/primary").is_some_and(|(status, _)| status == 200));
    for standby in standbys {
        site.start_patroni(standby);
        site.wait("its first rounds", 40, || {
            site.patroni_log(standby).matches("a secondary, and following a leader").count() > 1
        });
    }
    site.wait("all members", 40, || site.is_led_by(primary));
}

/// Compares what has become of all slots.
pub(super) fn have_become(site: &Site, predicted: &Predicted, before: &Slots) {
    let all = || -> Vec<_> {
        let members = site.members().iter().zip(before);
        members.map(|(member, before)| (member.clone(), happened(site, member, before))).collect()
    };
    let wanted: Vec<_> = site.members().iter().map(|m| (m.clone(), said(predicted, m))).collect();
    let since = Instant::now();
    while all() != wanted && since.elapsed() < Duration::from_secs(40) {
        std::thread::sleep(Duration::from_millis(250));
    }
    // Rounds of a second each: nothing more comes of it.
    std::thread::sleep(Duration::from_secs(4));
    for (now, wanted) in all().into_iter().zip(wanted) {
        assert_eq!(now, wanted, "{:?}\n{}", predicted.known(&now.0, "slots"), site.logs());
    }
}

/// Takes a site over and compares.
fn compare(site: &Site) -> Predicted {
    let predicted = Predicted::of(site);
    let before = all_slots(site);
    take_over_in_turn(site);
    have_become(site, &predicted, &before);
    predicted
}

fn slot<'a>(predicted: &'a Predicted, member: &str, name: &str) -> &'a serde_json::Value {
    let found = predicted.known(member, "slots").iter().find(|slot| text(slot, "name") == name);
    found.unwrap_or_else(|| panic!("{name} of {member}: {predicted:?}"))
}

/// Slots of all kinds on the primary and on its standbys.
fn crowded(major: u16, layout: Layout) -> Site {
    let site = Site::of(major)
        .layout(layout)
        .standbys(2)
        .logical()
        .conf("max_replication_slots = 20")
        .sql("SELECT pg_create_physical_replication_slot('forgotten', true)")
        .sql("SELECT pg_create_physical_replication_slot('backup', true)")
        .sql("SELECT pg_create_physical_replication_slot('pg1', true)")
        .sql("SELECT pg_create_physical_replication_slot('pg2', true)")
        .sql("SELECT pg_create_logical_replication_slot('etl', 'pgoutput')")
        .sql("SELECT pg_create_logical_replication_slot('changed', 'pgoutput')")
        .sql("SELECT pg_create_logical_replication_slot('old_cdc', 'pgoutput')")
        .start();
    // One standby's slot is declared, the other's is not.
    edit_all(
        &site,
        "      standby_2:\n        type: physical\n",
        "      archive:\n        type: physical\n      changed:\n        type: logical\n        database: app\n        plugin: pgoutput\n",
    );
    edit_all(
        &site,
        "    slots:\n",
        "    ignore_slots:\n    - name: backup\n      type: physical\n    - database: postgres\n      plugin: pgoutput\n      name: etl\n    slots:\n",
    );
    edit_all(&site, "        max_replication_slots: 12\n", "        max_replication_slots: 20\n");
    site.sql("pg2", "SELECT pg_create_physical_replication_slot('of_standby', true)");
    site.sql("pg2", "SELECT pg_create_physical_replication_slot('pg3', true)");
    site.sql("pg3", "SELECT pg_create_physical_replication_slot('backup', true)");
    site
}

#[test]
fn slots_of_all_kinds_on_debian_15() {
    let site = crowded(15, Layout::Debian);
    let predicted = compare(&site);
    assert_eq!(text(slot(&predicted, "pg1", "standby_2"), "when"), "once its consumer disconnects");
    assert!(
        text(slot(&predicted, "pg1", "standby_2"), "because")
            .ends_with("; pg3 uses it until its Patroni has it use slot pg3")
    );
    assert_eq!(text(slot(&predicted, "pg1", "forgotten"), "when"), "in the first round of the leader");
    // A restart changes nothing of it.
    let now: Vec<_> = site.members().iter().map(|m| slots(&site, m)).collect();
    let done = site.patronictl("pg1", &["restart", "orders", "--force"]);
    assert_eq!(done.code, Some(0), "{}{}", done.out, done.err);
    site.wait("all members", 30, || site.is_led_by("pg1"));
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(site.members().iter().map(|m| slots(&site, m)).collect::<Vec<_>>(), now);
}

#[test]
fn slots_of_all_kinds_in_one_directory() {
    compare(&crowded(16, Layout::Directory));
    compare(&crowded(18, Layout::Directory));
}

#[test]
fn slots_under_older_releases() {
    for version in ["3.0.4", "3.3.11", "4.0.11"] {
        let site = crowded(15, Layout::Debian);
        install(&site, version);
        compare(&site);
    }
}

#[test]
fn members_that_differ() {
    // A cascade, and one that may not lead.
    let site = Site::of(15).standbys(2).logical().start();
    for host in ["pg3", crate::support::site::OPERATOR] {
        site.replace(host, "/etc/patroni/pg3.yml", "tags: {}", "tags: {replicatefrom: pg2, nofailover: true}");
    }
    let predicted = compare(&site);
    let names: Vec<&str> = predicted.known("pg3", "slots").iter().map(|slot| text(slot, "name")).collect();
    assert!(names.is_empty(), "{names:?}");
}

#[test]
fn slots_that_postgresql_keeps_in_step() {
    let site =
        Site::of(18).layout(Layout::Directory).standbys(1).conf("sync_replication_slots = off").logical().start();
    site.sql("pg1", "SELECT pg_create_logical_replication_slot('kept_in_step', 'pgoutput', false, false, true)");
    compare(&site);
}

#[test]
fn nothing_is_dropped_while_it_is_paused() {
    let site = Site::of(16).standbys(1).sql("SELECT pg_create_physical_replication_slot('forgotten', true)").start();
    edit_all(&site, "    ttl: 20\n", "    ttl: 20\n    pause: true\n");
    let predicted = Predicted::of(&site);
    assert_eq!(text(slot(&predicted, "pg1", "forgotten"), "when"), "once the pause ends");
    site.start_patroni("pg1");
    site.wait("a leader", 20, || site.rest("pg1", "/primary").is_some_and(|(status, _)| status == 200));
    std::thread::sleep(Duration::from_secs(3));
    assert!(slots(&site, "pg1").contains_key("forgotten"));
    let done = site.patronictl("pg1", &["resume", "orders"]);
    assert_eq!(done.code, Some(0), "{}{}", done.out, done.err);
    site.wait("the drop", 20, || !slots(&site, "pg1").contains_key("forgotten"));
}
