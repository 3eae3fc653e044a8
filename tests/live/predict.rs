//! `predict` against what really happens: settings of every member, at every moment that is spoken of, row by row.

mod cases;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::Value as Json;

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
fn differences(prediction: &Json, member: &str, moment: &str, real: &BTreeMap<String, Row>) -> (Vec<String>, Vec<String>) {
    let (mut wrong, mut open) = (Vec::new(), Vec::new());
    let said = settings(prediction, member);
    let by_name: BTreeMap<&str, &Json> = said.iter().map(|s| (s["name"].as_str().expect("a name"), &s[moment])).collect();
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
            Some(said) if said != value => wrong.push(format!("{member} {moment} {name}: said {said:?}, is {value:?} ({source})")),
            Some(_) => {}
        }
        if known["source"].as_str() != Some(source) {
            wrong.push(format!("{member} {moment} {name} = {value:?}: said from {}, is from {source}", known["source"]));
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

/// Predicts, lets Patroni take over, restarts, starts anew, and compares every row of every member each time.
fn comes_true(site: &Site) {
    let prediction = predicted(site, &[]);
    for member in site.members() {
        is_so(site, &prediction, member, "now", &[]);
    }
    site.take_over();
    for member in site.members() {
        is_so(site, &prediction, member, "attached", &[]);
    }
    let (primary, standbys) = site.members().split_first().expect("a primary");
    for member in standbys.iter().chain([primary]) {
        let ran = site.patronictl(member, &["restart", "orders", member, "--force"]);
        assert!(ran.out.contains("Success: restart on member"), "{}{}\n{}", ran.out, ran.err, site.logs());
        is_so(site, &prediction, member, "restarted", &WORKED_OUT);
    }
    for member in standbys {
        site.stop_patroni(member);
        site.start_patroni(member);
        site.wait("all members", 30, || site.is_led_by(primary));
        is_so(site, &prediction, member, "started", &WORKED_OUT);
    }
}
