//! `predict` against what really happens: settings of every member, at every moment that is spoken of, row by row; every slot; what is
//! restarted, read again and connected anew; and the line that decides each log-in.

mod cases;
mod random;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use super::predict_connections as connections;
use super::predict_slots as slots;
use super::predict_touched as touched;
use crate::support::predicted::Predicted;
use crate::support::site::{OPERATOR, Site};

/// What our own session or psql sets, whatever the server has.
const OF_SESSION: [&str; 1] = ["application_name"];

/// `predict` of all members with all ways to them, as JSON.
fn predicted(site: &Site, more: &[&str]) -> Json {
    let files: Vec<String> = site.members().iter().map(|m| format!("/etc/patroni/{m}.yml")).collect();
    let ssh: Vec<String> = site.members().iter().map(|m| format!("{m}={m}")).collect();
    let dsns: Vec<String> = site.members().iter().map(|m| format!("{m}={}", site.dsn(m, "dba", "postgres"))).collect();
    let mut args = vec!["predict", "--all", "--format", "json"];
    args.extend(files.iter().map(String::as_str));
    args.extend(ssh.iter().flat_map(|s| ["--ssh", s.as_str()]));
    args.extend(dsns.iter().flat_map(|s| ["--dsn", s.as_str()]));
    args.extend(more);
    let ran = site.preflight(&args);
    serde_json::from_str(&ran.out).unwrap_or_else(|e| panic!("{e}: {}{}", ran.out, ran.err))
}

/// A row of `pg_settings`: value, source, whether a restart is due.
type Row = (String, String, bool);

/// All rows of a server, as an operator sees them.
fn rows(site: &Site, member: &str) -> Result<BTreeMap<String, Row>, String> {
    let sql = "SELECT json_agg(json_build_array(name, setting, source, pending_restart)) FROM pg_settings";
    let text = site.login(OPERATOR, member, "dba", "postgres", sql)?;
    let all: Vec<(String, Option<String>, String, bool)> = serde_json::from_str(&text).map_err(|e| e.to_string())?;
    Ok(all.into_iter().map(|(name, value, source, due)| (name, (value.unwrap_or_default(), source, due))).collect())
}

/// What is said of the settings of a member.
fn settings<'a>(prediction: &'a Json, member: &str) -> &'a [Json] {
    let members = prediction["members"].as_array().expect("members");
    let found = members.iter().find(|m| m["name"] == member).unwrap_or_else(|| panic!("{member} in {prediction}"));
    let known = found["settings"]["known"].as_array();
    known.unwrap_or_else(|| panic!("{member}: {}", found["settings"]["not-known"]))
}

/// What was said and is not so, one line each; and of how many rows nothing definite was said.
fn differences(
    prediction: &Json,
    member: &str,
    moment: &str,
    real: &BTreeMap<String, Row>,
) -> (Vec<String>, Vec<String>) {
    let (mut wrong, mut open) = (Vec::new(), Vec::new());
    let said = settings(prediction, member);
    let by_name: BTreeMap<&str, &Json> =
        said.iter().map(|s| (s["name"].as_str().expect("a name"), &s[moment])).collect();
    for (name, (value, source, due)) in real {
        if OF_SESSION.contains(&name.as_str()) {
            continue;
        }
        let Some(said) = by_name.get(name.as_str()) else {
            wrong.push(format!("{member} {moment} {name}: not spoken of, is {value:?}"));
            continue;
        };
        let Some(known) = said.get("known") else {
            open.push(format!("{name}: {}", said["not-known"]["what"]));
            continue;
        };
        match known["value"].as_str() {
            None => open.push(format!("{name}: {}", known["without_value"])),
            Some(said) if said != value => {
                wrong.push(format!("{member} {moment} {name}: said {said:?}, is {value:?} ({source})"));
            }
            Some(_) => {}
        }
        if known["source"].as_str() != Some(source) {
            wrong
                .push(format!("{member} {moment} {name} = {value:?}: said from {}, is from {source}", known["source"]));
        }
        if known["pending_restart"].as_bool() != Some(*due) {
            wrong.push(format!("{member} {moment} {name} = {value:?}: pending_restart is {due}"));
        }
    }
    let unreal = by_name.keys().filter(|name| !real.contains_key(**name));
    wrong.extend(unreal.map(|name| format!("{member} {moment} {name}: there is no such setting")));
    (wrong, open)
}

/// Asserts that a member is as it was said to be, once what goes on has come to rest. What nothing definite was said of must be expected.
fn is_so(site: &Site, prediction: &Json, member: &str, moment: &str, expected_open: &[&str]) {
    let since = Instant::now();
    let (wrong, open) = loop {
        let found = rows(site, member).map(|real| differences(prediction, member, moment, &real));
        match found {
            Ok((wrong, open)) if wrong.is_empty() || since.elapsed() > Duration::from_secs(12) => break (wrong, open),
            Err(e) if since.elapsed() > Duration::from_secs(40) => panic!("{member} {moment}: {e}\n{}", site.logs()),
            _ => std::thread::sleep(Duration::from_millis(300)),
        }
    };
    assert!(wrong.is_empty(), "{} rows:\n{}", wrong.len(), wrong.join("\n"));
    let surprising: Vec<&String> =
        open.iter().filter(|line| !expected_open.iter().any(|name| line.starts_with(&format!("{name}:")))).collect();
    assert!(surprising.is_empty(), "{member} {moment}: nothing definite said of {surprising:?}");
}

/// Rows that a server works out when it starts with other settings than today's.
const WORKED_OUT: [&str; 4] =
    ["shared_memory_size", "shared_memory_size_in_huge_pages", "num_os_semaphores", "io_max_concurrency"];

/// What the same says from files alone: those of each member, with `postgresql.auto.conf` beside the others.
fn offline(site: &Site) -> Json {
    let dir = site.plan.config_dir();
    for member in site.members() {
        let own = format!("/srv/repository/{member}");
        let texts = site.sh(member, &format!("cd {dir} && find . -name '*.conf' -type f"));
        for file in texts.lines().map(|line| line.trim_start_matches("./")) {
            site.write(OPERATOR, &format!("{own}{dir}/{file}"), site.read(member, &format!("{dir}/{file}")));
        }
        let auto = format!("{}/postgresql.auto.conf", site.plan.data_dir());
        site.write(OPERATOR, &format!("{own}{dir}/postgresql.auto.conf"), site.read(member, &auto));
        let file = site.read(member, &format!("/etc/patroni/{member}.yml"));
        site.write(OPERATOR, &format!("{own}/patroni.yml"), file);
    }
    let ran = site.preflight(&["predict", "--offline", "--all", "--format", "json", "/srv/repository"]);
    serde_json::from_str(&ran.out).unwrap_or_else(|e| panic!("{e}: {}{}", ran.out, ran.err))
}

/// Asserts that what is said of files alone is said of the servers too, and that this is most of it.
fn files_say_the_same(site: &Site, live: &Json) {
    let from_files = offline(site);
    for member in site.members() {
        let by_name: BTreeMap<&str, &Json> =
            settings(live, member).iter().map(|s| (s["name"].as_str().expect("a name"), s)).collect();
        let (mut known, mut wrong) = (0, Vec::new());
        for row in settings(&from_files, member) {
            let name = row["name"].as_str().expect("a name");
            for moment in ["now", "attached", "restarted", "started"] {
                let Some(said) = row[moment].get("known") else { continue };
                let Some(asked) = by_name.get(name).map(|live| &live[moment]["known"]) else {
                    wrong.push(format!("{member} {name}: the server does not know it"));
                    continue;
                };
                known += 1;
                if asked.is_null() && HIDDEN.contains(&name) {
                    continue;
                }
                if ["value", "source", "pending_restart"].iter().any(|what| said[what] != asked[what]) {
                    wrong.push(format!("{member} {moment} {name}: files say {said}, the server {asked}"));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(known > 1100, "of {member} only {known} are known");
    }
}

/// What cannot be said of today: a password stands in it, or our own session hides it and the files were changed since they were read.
const HIDDEN: [&str; 8] = [
    "primary_conninfo",
    "application_name",
    "transaction_read_only",
    "default_transaction_read_only",
    "idle_in_transaction_session_timeout",
    "lock_timeout",
    "search_path",
    "statement_timeout",
];

/// What of a cluster is compared besides what always is.
#[derive(Debug, Clone, Copy)]
struct More {
    /// Files alone say what the servers say, which have read them, and what the store says.
    files_tell: bool,
    /// The servers log which line decides a log-in.
    logs_lines: bool,
}

/// Predicts, lets Patroni take over, restarts, starts anew, and compares every row of every member each time; of slots and processes what has
/// become of them once it has taken over, and in the end each log-in.
fn comes_true_with(site: &Site, more: More) {
    let prediction = predicted(site, &[]);
    let whole = Predicted::new(prediction.clone());
    if more.files_tell {
        files_say_the_same(site, &prediction);
    }
    for member in site.members() {
        is_so(site, &prediction, member, "now", &HIDDEN);
    }
    let slots = slots::all_slots(site);
    let processes: Vec<_> = site.members().iter().map(|m| touched::processes(site, m)).collect();
    slots::take_over_in_turn(site);
    for member in site.members() {
        // Where nothing is read again, what was hidden stays so; where the server is started anew, it works out some again.
        let is_started = whole.known(member, "touched").iter().any(touched::is_first_restart);
        let worked_out = if is_started { &WORKED_OUT[..] } else { &[] };
        is_so(site, &prediction, member, "attached", &[&HIDDEN[1..], worked_out].concat());
    }
    slots::have_become(site, &whole, &slots);
    for (member, was) in site.members().iter().zip(&processes) {
        let said = whole.known(member, "touched");
        assert!(said.iter().all(|touch| touch["in_doubt"].is_null()), "{member}: {said:#?}");
        touched::are_touched(member, said, was, &touched::processes(site, member));
    }
    let (primary, standbys) = site.members().split_first().expect("a primary");
    let restart = |member: &String| {
        let ran = site.patronictl(member, &["restart", "orders", member, "--force"]);
        assert!(ran.out.contains("Success: restart on member"), "{}{}\n{}", ran.out, ran.err, site.logs());
        is_so(site, &prediction, member, "restarted", &WORKED_OUT);
    };
    standbys.iter().for_each(restart);
    // As long as the primary runs with what it has, which is what pg_control says.
    for member in standbys {
        site.stop_patroni(member);
        site.start_patroni(member);
        site.wait("all members", 30, || site.is_led_by(primary));
        is_so(site, &prediction, member, "started", &WORKED_OUT);
    }
    restart(primary);
    if standbys.is_empty() {
        site.stop_patroni(primary);
        site.start_patroni(primary);
        site.wait("a leader", 30, || site.is_led_by(primary));
        is_so(site, &prediction, primary, "started", &WORKED_OUT);
    }
    if more.logs_lines {
        connections::compare(site, &whole, "decided");
        connections::are_all(site, &whole);
    }
}
