//! What `predict` says of connections, and real log-ins once Patroni has taken over: the line of `pg_hba.conf` that the server logs.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value as Json;

use crate::support::predicted::{Predicted, edit_all, text};
use crate::support::site::{Layout, REPLICATION, REWIND, SUPERUSER, Site, password};

/// Each log-in has a name of its own.
static PROBES: AtomicUsize = AtomicUsize::new(0);

/// The line that decided a log-in of a member to another one, as the server logs it, with the method: `/etc/…/pg_hba.conf:5 scram-sha-256`.
fn decided(site: &Site, from: &str, connection: &Json, log: &dyn Fn() -> String) -> String {
    let (user, database) = (text(connection, "user"), text(connection, "database"));
    let place = text(connection, "place");
    let number = PROBES.fetch_add(1, Ordering::Relaxed);
    let name = format!("probe_{number}_{}", text(connection, "purpose").replace('-', "_"));
    let host =
        if place.starts_with('/') { place.to_owned() } else { place.rsplit_once(':').expect("a port").0.to_owned() };
    let replication = if database == "replication" { "replication=true dbname=postgres" } else { "" };
    let dbname = if database == "replication" { String::new() } else { format!("dbname={database}") };
    let dsn = format!(
        "host={host} port=5432 user={user} password={} {dbname} {replication} application_name={name} connect_timeout=3",
        password(user)
    );
    let sql = if database == "replication" { "IDENTIFY_SYSTEM" } else { "SELECT 1" };
    let ran = site.run_as(from, "postgres", &["psql", "-XAtq", "-d", &dsn, "-c", sql]);
    if ran.code != Some(0) {
        return ran.err.lines().find(|l| l.contains("FATAL")).unwrap_or(&ran.err).trim().to_owned();
    }
    let mut line = None;
    site.wait("a line in the log", 10, || {
        let text = log();
        // The pid of the line with our name is that of the line with the decision.
        let of_us: Vec<&str> = text.lines().collect();
        let authorized = of_us
            .iter()
            .find(|l| l.contains("connection authorized") && l.ends_with(&format!("application_name={name}")));
        let pid = authorized.and_then(|l| l.split('[').nth(1)?.split(']').next()).unwrap_or("none");
        let authenticated =
            of_us.iter().find(|l| l.contains(&format!("[{pid}]")) && l.contains("connection authenticated"));
        line = authenticated.map(|l| (*l).to_owned());
        line.is_some()
    });
    let line = line.expect("a line");
    let inside = line.rsplit_once('(').map_or("", |(_, rest)| rest.trim_end_matches(')'));
    let method = line.split("method=").nth(1).and_then(|rest| rest.split_whitespace().next()).unwrap_or_default();
    format!("{inside} {method}")
}

/// The prediction in the words of [`decided`]: a line of a list is that of the file that Patroni writes.
fn said(site: &Site, host: &str, verdict: &Json) -> String {
    let known = &verdict["known"];
    match text(known, "is") {
        "line" => {
            let at = text(known, "at");
            let mut parts = at.rsplitn(3, ':').skip(1);
            let line: usize = parts.next().and_then(|n| n.parse().ok()).expect("a line");
            // Behind the name of the member.
            let file = parts.next().and_then(|file| Some(&file[file.find('/')?..])).expect("a file");
            let (file, number) = if at.contains("/etc/patroni/") {
                let yml = site.read(host, &format!("/etc/patroni/{host}.yml"));
                let first = yml.lines().position(|l| l == "  pg_hba:").expect("a list") + 1;
                // Patroni writes two lines of its own in front.
                (format!("{}/pg_hba.conf", site.plan.config_dir()), line - first + 2)
            } else {
                (file.to_owned(), line)
            };
            format!("{file}:{number} {}", text(known, "method"))
        }
        _ => verdict.to_string(),
    }
}

/// The log of a member's server: its own, then what it writes under Patroni.
fn log(site: &Site, member: &str) -> String {
    site.sh(member, "cat /var/log/postgresql/*.log; cat /var/log/patroni/*.log 2>/dev/null || true")
}

fn of_postgresql(predicted: &Predicted, member: &str) -> Vec<Json> {
    let all = predicted.known(member, "connections").iter();
    all.filter(|c| !["rest-api", "store"].contains(&text(c, "purpose"))).cloned().collect()
}

/// Tries every connection that was said of every member. How many those were.
pub(super) fn compare(site: &Site, predicted: &Predicted, which: &str) -> usize {
    let mut tried = 0;
    for member in site.members() {
        for connection in of_postgresql(predicted, member) {
            let verdict = &connection[which];
            if which == "today" && verdict.is_null() {
                continue;
            }
            let from = text(&connection, "from").to_owned();
            let real = decided(site, &from, &connection, &|| log(site, member));
            assert_eq!(real, said(site, member, verdict), "{connection:#}");
            tried += 1;
        }
    }
    tried
}

/// What makes a server log which line decides.
pub(super) const LOGS: &str = "log_connections = on";

/// Patroni's own connections are among those that were said: user, database and address of each that the server has logged.
pub(super) fn are_all(site: &Site, predicted: &Predicted) {
    for member in site.members() {
        let said: BTreeSet<(String, String, String)> = of_postgresql(predicted, member)
            .iter()
            .map(|c| {
                let address = c["address"].as_str().unwrap_or("[local]");
                (text(c, "user").to_owned(), text(c, "database").to_owned(), address.to_owned())
            })
            .collect();
        let log = log(site, member);
        let mut host = std::collections::BTreeMap::new();
        for line in log.lines() {
            let pid = line.split('[').nth(1).and_then(|l| l.split(']').next()).unwrap_or_default().to_owned();
            if let Some((_, rest)) = line.split_once("connection received: host=") {
                host.insert(pid.clone(), rest.split_whitespace().next().unwrap_or_default().to_owned());
            }
            let (user, is_replication) =
                if let Some((_, rest)) = line.split_once("replication connection authorized: user=") {
                    (rest, true)
                } else if let Some((_, rest)) = line.split_once("connection authorized: user=") {
                    (rest, false)
                } else {
                    continue;
                };
            let name = user.split_whitespace().next().unwrap_or_default().to_owned();
            if ![SUPERUSER, REPLICATION, REWIND].contains(&&*name) {
                continue;
            }
            let database = user.split("database=").nth(1).and_then(|d| d.split_whitespace().next()).unwrap_or_default();
            let database = if is_replication { "replication" } else { database };
            let address = host.get(&pid).cloned().unwrap_or_default();
            let seen = (name, database.to_owned(), address);
            assert!(said.contains(&seen), "{member}: {seen:?} was not said: {said:?}\n{line}");
        }
    }
}

#[test]
fn lines_of_the_file_on_debian_15() {
    let site = Site::of(15).standbys(2).logical().conf(LOGS).start();
    let predicted = Predicted::of(&site);
    site.take_over();
    site.wait("the slot", 30, || {
        site.sql("pg3", "SELECT count(*) FROM pg_replication_slots WHERE slot_name = 'cdc'") == "1"
    });
    assert!(compare(&site, &predicted, "decided") > 3 * site.members().len());
    are_all(&site, &predicted);
    for member in site.members() {
        let stored = of_postgresql(&predicted, member);
        assert!(stored.iter().all(|c| c["decided"]["known"]["stored"] == "scram-sha-256"), "{stored:#?}");
        let others = predicted.known(member, "connections");
        let store: Vec<&Json> = others.iter().filter(|c| text(c, "purpose") == "store").collect();
        assert_eq!(store.len(), 1);
        assert_eq!(
            (text(store[0], "place"), text(&store[0]["decided"]["known"], "seen")),
            ("10.77.0.21:2379", "answers")
        );
        let rest: Vec<&str> =
            others.iter().filter(|c| text(c, "purpose") == "rest-api").map(|c| text(c, "from")).collect();
        assert_eq!(rest.len(), 2, "{rest:?}");
    }
}

#[test]
fn lines_of_a_list_in_one_directory() {
    for major in [16, 18] {
        let site = Site::of(major).layout(Layout::Directory).standbys(1).conf(LOGS).start();
        let list = "  pg_hba:\n  - local all postgres peer\n  - local all all scram-sha-256\n  - host all dba 10.77.0.9/32 scram-sha-256\n  - host replication replicator samenet scram-sha-256\n  - host all patroni_su 127.0.0.1/32 md5\n  - host all +pg_monitor samehost scram-sha-256\n  - host all all samenet scram-sha-256\n  - host all all 127.0.0.1/32 scram-sha-256\n  - host replication all 127.0.0.1/32 scram-sha-256\n";
        edit_all(&site, "  authentication:\n    superuser:", &format!("{list}  authentication:\n    superuser:"));
        let predicted = Predicted::of(&site);
        for member in site.members() {
            assert!(of_postgresql(&predicted, member).iter().all(|c| !c["today"].is_null()), "{member}");
        }
        compare(&site, &predicted, "today");
        site.take_over();
        assert!(compare(&site, &predicted, "decided") > 3 * site.members().len());
        are_all(&site, &predicted);
    }
}

#[test]
fn what_keeps_members_out_is_said() {
    let site = Site::of(16).standbys(1).conf(LOGS).start();
    let file = format!("{}/pg_hba.conf", site.plan.config_dir());
    let text_before = site.read("pg1", &file);
    // No line for the one, a refusal for the other, a role without a password.
    let kept: Vec<&str> =
        text_before.lines().filter(|l| !(l.contains("rewinder") && l.contains("10.77.0.12"))).collect();
    let kept = kept.join("\n");
    site.write("pg1", &file, format!("host replication replicator 10.77.0.12/32 reject\n{kept}\n"));
    site.reload_postgres("pg1");
    site.sql("pg1", "ALTER ROLE rewinder PASSWORD NULL");
    let predicted = Predicted::of(&site);
    let all = of_postgresql(&predicted, "pg1");
    let of = |purpose: &str| {
        all.iter().find(|c| text(c, "purpose") == purpose).unwrap_or_else(|| panic!("{purpose}: {all:#?}"))
    };
    assert_eq!(text(&of("stream")["decided"]["known"], "is"), "refused");
    assert_eq!(text(&of("rewind")["decided"]["known"], "is"), "no-line");
    let own = |purpose: &str| decided(&site, "pg2", of(purpose), &|| log(&site, "pg1"));
    assert!(own("stream").contains("pg_hba.conf rejects replication connection"), "{}", own("stream"));
    assert!(own("rewind").contains("no pg_hba.conf entry for host"), "{}", own("rewind"));
    let pg2 = of_postgresql(&predicted, "pg2");
    let rewind = pg2.iter().find(|c| text(c, "purpose") == "rewind").expect("a rewind");
    assert_eq!(rewind["decided"]["known"]["stored"], "none");
}
