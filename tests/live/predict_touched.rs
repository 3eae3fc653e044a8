//! What `predict` says that Patroni touches, and what differs on the hosts of a site afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value as Json;

use crate::support::predicted::{Predicted, edit_all, install, text};
use crate::support::site::{Layout, Site};

/// A file as it is: its number, when it was written, what is in it.
type Listing = BTreeMap<String, (String, String)>;

/// Files of configuration: all below `config_dir`, those in the data directory that servers do not write by themselves, and the password file.
fn listing(site: &Site, member: &str) -> Listing {
    let (data, config) = (site.plan.data_dir(), site.plan.config_dir());
    // What a running server writes into its data directory.
    let own = [
        "postmaster.pid",
        "postmaster.opts",
        "current_logfiles",
        "backup_label.old",
        "backup_manifest",
        "logfile",
        "log",
    ];
    let own = own.map(|name| format!(" ! -name {name}")).concat();
    let directories = ["base", "global", "pg_*"].map(|name| format!(" -name '{name}' -prune -o"));
    let beside = if config == data { String::new() } else { format!("find {config} -type f;") };
    let text = format!(
        "{{ find {data} -mindepth 1 {} -type f{own} -print; find {data} -maxdepth 1 -name 'pg_*.conf*' -type f; {beside} ls /var/lib/postgresql/.pgpass_patroni; }} 2>/dev/null | sort -u | xargs stat -c '%n|%i %.9Y' ",
        directories.concat()
    );
    let stats = site.sh(member, &text);
    let sums = site.sh(member, &text.replace("xargs stat -c '%n|%i %.9Y'", "xargs sha256sum"));
    let sums: BTreeMap<&str, &str> =
        sums.lines().filter_map(|l| l.split_once("  ")).map(|(sum, name)| (name, sum)).collect();
    let one = |line: &str| {
        let (name, stat) = line.split_once('|')?;
        Some((name.to_owned(), (stat.to_owned(), sums.get(name).copied().unwrap_or_default().to_owned())))
    };
    stats.lines().filter_map(one).collect()
}

/// What has become of files: their names, and whether they are new, gone, or written.
fn changes(before: &Listing, after: &Listing) -> BTreeMap<String, &'static str> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let of = |name: &&String| match (before.get(*name), after.get(*name)) {
        (None, Some(_)) => Some("new"),
        (Some(_), None) => Some("gone"),
        (Some(a), Some(b)) if a != b => Some("written"),
        _ => None,
    };
    names.into_iter().filter_map(|name| Some((name.clone(), of(&name)?))).collect()
}

/// The same as it was said, of some moments; files that the data directory has before are `there`.
fn said(touched: &[Json], moments: &[&str], before: &Listing) -> BTreeMap<String, &'static str> {
    let mut there: BTreeSet<String> = before.keys().cloned().collect();
    let mut touched_names = BTreeSet::new();
    for touch in touched.iter().filter(|touch| moments.contains(&text(touch, "moment"))) {
        let (what, to) = (text(touch, "what").to_owned(), text(touch, "to").to_owned());
        match text(touch, "act") {
            "renamed" => {
                there.remove(&what);
                there.insert(to.clone());
                touched_names.extend([what, to]);
            }
            "copied" => {
                there.insert(to.clone());
                touched_names.insert(to);
            }
            "created" | "replaced" | "edited" if !what.contains("/pg_replslot/") => {
                there.insert(what.clone());
                touched_names.insert(what);
            }
            _ => {}
        }
    }
    let of = |name: &String| match (before.contains_key(name), there.contains(name)) {
        (false, _) => "new",
        (true, false) => "gone",
        (true, true) => "written",
    };
    touched_names
        .into_iter()
        .map(|name| {
            let said = of(&name);
            (name, said)
        })
        .collect()
}

const STARTED: &str = "SELECT pg_postmaster_start_time()";
const LOADED: &str = "SELECT pg_conf_load_time()";
const RECEIVER: &str = "SELECT pid FROM pg_stat_wal_receiver";
const TIMELINE: &str = "SELECT timeline_id FROM pg_control_checkpoint()";

/// When its server was started and has read its files, who receives WAL, and the timeline.
pub(super) type Processes = [String; 4];

/// The processes of a member.
pub(super) fn processes(site: &Site, member: &str) -> Processes {
    [STARTED, LOADED, RECEIVER, TIMELINE].map(|sql| site.sql(member, sql))
}

fn has(touched: &[Json], moments: &[&str], act: &str) -> bool {
    touched.iter().any(|touch| moments.contains(&text(touch, "moment")) && text(touch, "act") == act)
}

/// Whether it is a restart of the server before anybody asks for one.
pub(super) fn is_first_restart(touch: &Json) -> bool {
    FIRST.contains(&text(touch, "moment")) && text(touch, "act") == "restarted"
}

/// The keys below the cluster's path, and what was said of them.
fn keys(site: &Site) -> BTreeSet<String> {
    // All from the first name below the path to the name behind all of them.
    let text = "range() { printf '%s' \"$1\" | base64 -w0; }; curl -s http://127.0.0.1:2379/v3/kv/range -d \
                '{\"key\": \"'$(range /service/orders/)'\", \"range_end\": \"'$(range /service/orders0)'\", \"keys_only\": true}'";
    let said: Json = serde_json::from_str(&site.sh("etcd1", text)).expect("an answer");
    let keys = said["kvs"].as_array().cloned().unwrap_or_default();
    let decoded = |key: &Json| site.sh("etcd1", &format!("printf '%s' '{}' | base64 -d", self::text(key, "key")));
    keys.iter().map(decoded).collect()
}

const FIRST: [&str; 2] = ["attach", "first-rounds"];

/// Compares what has become of the processes of a member once Patroni has attached.
pub(super) fn are_touched(member: &str, touched: &[Json], was: &Processes, is: &Processes) {
    let restarted = has(touched, &FIRST, "restarted");
    assert_eq!(is[0] != was[0], restarted, "{member}: {was:?} {is:?} {touched:#?}");
    let is_read = has(touched, &FIRST, "reloaded") || restarted;
    assert_eq!(is[1] != was[1], is_read, "{member}: {was:?} {is:?} {touched:#?}");
    let is_anew = has(touched, &FIRST, "reconnected") || restarted;
    assert_eq!(is[2] != was[2], is_anew, "{member}: {was:?} {is:?} {touched:#?}");
    assert_eq!(is[3], was[3], "{member}: the timeline");
}

/// Takes a site over, restarts all members, and compares after each.
fn compare(site: &Site) -> Predicted {
    let predicted = Predicted::of(site);
    let before: Vec<(Listing, Processes)> =
        site.members().iter().map(|m| (listing(site, m), processes(site, m))).collect();
    assert_eq!(keys(site), BTreeSet::new());
    let (primary, standbys) = site.members().split_first().expect("a primary");
    site.start_patroni(primary);
    site.wait("a leader", 20, || site.rest(primary, "/primary").is_some_and(|(status, _)| status == 200));
    for standby in standbys {
        site.start_patroni(standby);
    }
    site.wait("all members", 40, || site.is_led_by(primary));
    std::thread::sleep(Duration::from_secs(12));
    site.wait("all members", 40, || site.is_led_by(primary));
    let mut stored = BTreeSet::new();
    let mut attached = Vec::new();
    for (member, (files, was)) in site.members().iter().zip(&before) {
        let touched = predicted.known(member, "touched");
        assert!(
            touched.iter().all(|touch| touch["in_doubt"].is_null() && touch["in-doubt"].is_null()),
            "{member}: {touched:#?}"
        );
        let after = listing(site, member);
        assert_eq!(changes(files, &after), said(touched, &FIRST, files), "{member}: {touched:#?}\n{}", site.logs());
        let is = processes(site, member);
        are_touched(member, touched, was, &is);
        stored.extend(touched.iter().filter(|t| text(t, "act") == "stored").map(|t| text(t, "what").to_owned()));
        attached.push((after, is));
    }
    assert_eq!(keys(site), stored, "{predicted:?}");
    for member in site.members() {
        let done = site.patronictl(member, &["restart", "orders", member, "--force"]);
        assert_eq!(done.code, Some(0), "{}{}", done.out, done.err);
        site.wait("all members", 40, || site.is_led_by(primary));
    }
    std::thread::sleep(Duration::from_secs(3));
    for (member, (files, was)) in site.members().iter().zip(&attached) {
        let touched = predicted.known(member, "touched");
        assert!(has(touched, &["restart"], "restarted"), "{touched:#?}");
        let after = listing(site, member);
        assert_eq!(changes(files, &after), said(touched, &["restart"], files), "{member}, restarted: {touched:#?}");
        let is = processes(site, member);
        assert!(is[0] != was[0] && is[3] == was[3], "{member}: {was:?} {is:?}");
    }
    predicted
}

#[test]
fn files_of_debian_15_with_logical_slots() {
    let site = Site::of(15).standbys(2).logical().start();
    let predicted = compare(&site);
    let config = site.plan.config_dir();
    let renamed = predicted.known("pg2", "touched").iter().find(|t| text(t, "act") == "renamed").expect("renamed");
    assert_eq!(
        (text(renamed, "what"), text(renamed, "to")),
        (&*format!("{config}/postgresql.conf"), &*format!("{config}/postgresql.base.conf"))
    );
}

#[test]
fn files_of_debian_16() {
    compare(&Site::of(16).standbys(1).start());
}

#[test]
fn files_in_one_directory_with_lists() {
    for major in [16, 18] {
        let site = Site::of(major).layout(Layout::Directory).standbys(1).start();
        let hba = site.read("pg1", &format!("{}/pg_hba.conf", site.plan.config_dir()));
        let lines: Vec<&str> = hba.lines().filter(|l| !l.starts_with('#')).collect();
        let lines = format!("  - {}\n", lines.join("\n  - "));
        edit_all(
            &site,
            "  authentication:\n    superuser:",
            &format!("  pg_hba:\n{lines}  pg_ident:\n  - m root postgres\n  authentication:\n    superuser:"),
        );
        compare(&site);
    }
}

#[test]
fn a_second_attempt_finds_a_base_file() {
    let site = Site::of(15).standbys(1).start();
    for member in site.members() {
        let config = site.plan.config_dir();
        site.sh(member, &format!("cp -p {config}/postgresql.conf {config}/postgresql.base.conf"));
    }
    let predicted = compare(&site);
    assert!(!has(predicted.known("pg1", "touched"), &FIRST, "renamed"));
}

#[test]
fn a_standby_that_has_to_be_restarted() {
    let site = Site::of(15).standbys(1).start();
    let auto = format!("{}/postgresql.auto.conf", site.plan.data_dir());
    let text_before = site.read("pg2", &auto);
    site.write("pg2", &auto, format!("{text_before}recovery_target_timeline = 'current'\n"));
    site.stop_postgres("pg2", "fast");
    site.start_postgres("pg2");
    site.wait("the standby", 10, || site.sql("pg1", "SELECT count(*) FROM pg_stat_replication") == "1");
    let predicted = compare(&site);
    let restarted =
        predicted.known("pg2", "touched").iter().find(|t| text(t, "act") == "restarted").expect("restarted");
    assert_eq!(text(restarted, "moment"), "first-rounds");
}

#[test]
fn files_under_older_releases() {
    for version in ["3.0.4", "3.1.0", "3.3.11", "4.0.11"] {
        let site = Site::of(15).standbys(1).start();
        install(&site, version);
        compare(&site);
    }
}
