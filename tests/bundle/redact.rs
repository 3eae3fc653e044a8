//! Bundles without their secrets: the same findings, and no secret anywhere.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use patroni_preflight::bundle::sql::{Session, Table};
use patroni_preflight::bundle::{Answer, Bundle, FileText};
use patroni_preflight::cli::Format;
use patroni_preflight::facts::Options;
use patroni_preflight::gap::GapReason;
use patroni_preflight::report::Style;
use patroni_preflight::rules::engine::Selection;
use patroni_preflight::rules::schema::Severity;
use patroni_preflight::run::redact::{Key, redact};
use patroni_preflight::run::{Check, check, render};
use rayon::prelude::*;

use super::bundle;
use crate::support::cases::cases;
use crate::support::pg::env;
use crate::support::{path, subdirs};

/// A key that is the same in every run.
pub(crate) fn key() -> Key {
    Key::from_text("the key of the tests of bundles").unwrap()
}

/// The member that the files of a directory belong to.
const MEMBER: &str = "host1";

/// The files below a directory, and recorded answers of servers, as a bundle.
fn of_dir(dir: &Path, modes: &BTreeMap<String, u32>, nodes: Option<&str>) -> Bundle {
    let mut bundle = bundle(&[(MEMBER, &[])]);
    for entry in walkdir::WalkDir::new(dir) {
        let entry = entry.unwrap();
        let Ok(text) = std::fs::read_to_string(entry.path()) else { continue };
        let name = entry.path().strip_prefix(dir).unwrap().to_str().unwrap();
        let mode = modes.get(name).copied();
        let file = Answer::Got(Some(FileText { text, kind: None, given: None, mode }));
        bundle.nodes.get_mut(MEMBER).unwrap().files.insert(format!("/{name}"), file);
    }
    for (name, answers) in nodes.map(recorded).unwrap_or_default() {
        bundle.nodes.entry(name).or_default().sql = Some(Answer::Got(session(answers)));
    }
    let meant = nodes.and_then(|text| serde_yaml::from_str::<serde_json::Value>(text).ok()?.get("upgrade").cloned());
    bundle.upgrade = meant.map(|meant| serde_json::from_value(meant).unwrap());
    bundle
}

pub(super) fn session(answers: BTreeMap<String, Answer<Table>>) -> Session {
    let text = str::to_owned;
    Session { address: text("h:5432"), user: text("u"), database: text("d"), tls: None, version: 150_018, answers }
}

fn recorded(text: &str) -> BTreeMap<String, BTreeMap<String, Answer<Table>>> {
    // What hosts and stores answer is written with tags; those cases are judged without it.
    let Ok(read) = serde_yaml::from_str::<serde_json::Value>(text) else { return BTreeMap::new() };
    let answer = |value: &serde_json::Value| {
        let Some(rows) = value.as_array() else {
            return Answer::missing(serde_json::from_value::<GapReason>(value.clone()).unwrap(), "said so");
        };
        let columns: BTreeSet<String> = rows.iter().flat_map(|r| r.as_object().unwrap().keys().cloned()).collect();
        let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let row = |r: &serde_json::Value| columns.iter().map(|c| r.get(c).map(text)).collect();
        Answer::Got(Table { rows: rows.iter().map(row).collect(), columns: columns.iter().cloned().collect() })
    };
    // So is what was collected for an upgrade, but for answers of databases, which are left out.
    let nodes = read.as_object().unwrap().iter().filter(|(name, _)| *name != "upgrade");
    nodes
        .map(|(name, answers)| {
            let answers = answers.as_object().unwrap().iter().filter(|(question, _)| *question != "in_databases");
            (name.clone(), answers.map(|(q, a)| (q.clone(), answer(a))).collect())
        })
        .collect()
}

/// What is said of a bundle, for programs and for people.
pub(crate) fn said(bundle: &Bundle) -> String {
    let selection = Selection { trial: true, ..Selection::default() };
    let request = Check { bundle: bundle.clone(), options: Options::default(), selection, rules: Vec::new() };
    let judged = check(&request);
    let say = |format| render(&judged, format, Severity::Error, &Style::default()).0;
    format!("{}\n{}", say(Format::Json), say(Format::Full))
}

/// How a redacted bundle is judged in another way than the raw one.
pub(crate) fn difference(name: &str, raw: &Bundle, key: &Key) -> Option<String> {
    let redacted = redact(raw, key);
    let (one, other) = (said(raw), said(&redacted));
    let file = |bundle: &Bundle, at: (&str, &str)| {
        bundle.nodes[at.0].files[at.1].got().and_then(Option::as_ref).map_or(0, |f| f.text.len())
    };
    for (member, node) in &raw.nodes {
        for path in node.files.keys() {
            let at = (member.as_str(), path.as_str());
            if file(raw, at) != file(&redacted, at) {
                return Some(format!("{name}: {path} is not as long as before"));
            }
        }
    }
    if one == other {
        return None;
    }
    let lines = one.lines().zip(other.lines()).find(|(a, b)| a != b);
    let (a, b) = lines.unwrap_or(("one is shorter", ""));
    let mut out = format!("{name}:\n  raw:      {a}\n  redacted: {b}");
    for (member, node) in &raw.nodes {
        for (path, answer) in &node.files {
            let (Some(one), Some(other)) = (answer.got(), redacted.nodes[member].files[path].got()) else { continue };
            let text = |file: &Option<FileText>| file.as_ref().map_or(String::new(), |f| f.text.clone());
            let (one, other) = (text(one), text(other));
            let changed = one.lines().zip(other.lines()).filter(|(a, b)| a != b);
            changed.take(6).for_each(|(a, b)| out.extend(["\n    ", path, ": ", a, "  -->  ", b]));
        }
    }
    Some(out)
}

fn fixtures() -> Vec<(String, Bundle)> {
    let mut all = Vec::new();
    for (_, case) in cases() {
        let read = |file: &str| std::fs::read_to_string(case.join(file)).ok();
        let modes = read("modes.txt").unwrap_or_default();
        let modes = modes.lines().filter_map(|l| {
            let (mode, file) = l.split_once(' ')?;
            Some((file.trim().to_owned(), u32::from_str_radix(mode, 8).ok()?))
        });
        let bundle = of_dir(&case.join("input"), &modes.collect(), read("nodes.yml").as_deref());
        all.push((case.display().to_string(), bundle));
    }
    let mut dirs: Vec<PathBuf> = subdirs(&path("fixtures/clusters"));
    dirs.extend(["fixtures/secrets", "fixtures/benchmark/base", "fixtures/org-rules"].map(path));
    all.extend(dirs.into_iter().map(|d| (d.display().to_string(), of_dir(&d, &BTreeMap::new(), None))));
    all
}

#[test]
fn what_is_found_in_a_bundle_without_secrets_is_what_is_found_in_it_with_them() {
    let all = fixtures();
    let key = key();
    let changed = all.par_iter().filter(|(_, raw)| redact(raw, &key).nodes != raw.nodes).count();
    assert!(all.len() > 500 && changed > 250, "{changed} of {} hold secrets", all.len());
    let wrong: Vec<String> = all.par_iter().filter_map(|(name, raw)| difference(name, raw, &key)).collect();
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
}

/// Files that people have: each by itself.
#[test]
fn what_is_found_in_files_of_a_corpus_is_found_without_their_secrets() {
    let root = env("PREFLIGHT_CORPUS").map_or_else(|| path("../shared/corpus"), PathBuf::from);
    if !root.is_dir() {
        println!("corpus not found: skipped");
        return;
    }
    let mut files = Vec::new();
    for entry in walkdir::WalkDir::new(&root) {
        let entry = entry.unwrap();
        let name = entry.path().strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        if let Ok(text) = std::fs::read_to_string(entry.path())
            && !name.starts_with("oracle")
            && !name.starts_with("logs")
        {
            files.push((name, text));
        }
    }
    assert!(files.len() > 50, "{}", files.len());
    let key = key();
    let wrong: Vec<String> = files
        .par_iter()
        .filter_map(|(name, text)| {
            let raw = bundle(&[(MEMBER, &[(&format!("/{name}"), text.as_str())])]);
            difference(name, &raw, &key)
        })
        .collect();
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
}

fn file_of(bundle: &Bundle, member: &str, path: &str) -> String {
    bundle.nodes[member].files[path].got().unwrap().as_ref().unwrap().text.clone()
}

fn value(text: &str, key: &str) -> String {
    let line = text.lines().find(|l| l.trim_start().starts_with(key)).unwrap();
    line.split_once(key).unwrap().1.to_owned()
}

#[test]
fn equal_secrets_stay_equal_however_they_are_spelled() {
    let yaml = "scope: a\nname: pg1\npostgresql:\n  authentication:\n    superuser:\n      password: \"it's \\x41b@3cd\"\n    \
                replication:\n      password: 'it''s Ab@3cd'\n    rewind:\n      password: it's Ab@3cd\nrestapi:\n  \
                authentication:\n    password: it's Ab@4cd\netcd3:\n  url: http://joe:Xy%40zw345q@h:2379\n";
    let conf = "primary_conninfo = 'host=h password=''it\\\\''s Ab@3cd'' user=u'\n#recovery it's Ab@3cd\n";
    let sql = "CREATE ROLE a PASSWORD 'it''s Ab@3cd';\nALTER ROLE b PASSWORD 'Xy@zw345q';\n";
    let files = [("/etc/patroni.yml", yaml), ("/etc/postgresql.conf", conf), ("/etc/roles.sql", sql)];
    let raw = bundle(&[("pg1", &files)]);
    let redacted = redact(&raw, &key());
    let text = file_of(&redacted, "pg1", "/etc/patroni.yml");
    let passwords: Vec<&str> = text
        .lines()
        .filter_map(|l| l.trim_start().strip_prefix("password: "))
        .map(|v| v.trim_matches(['"', '\'']))
        .collect();
    let [double, single, plain, other] = passwords[..] else { panic!("{text}") };
    assert_ne!(plain, "it's Ab@3cd");
    assert_eq!(single, plain.replace('\'', "''"));
    let code = double.split_once("\\x").map(|(_, rest)| u8::from_str_radix(&rest[..2], 16).unwrap()).unwrap();
    let read = double.replace(&double[double.find("\\x").unwrap()..][..4], &char::from(code).to_string());
    assert_eq!(read, plain);
    assert_ne!(other, plain);
    assert_eq!(other.split(' ').next(), plain.split(' ').next());
    let conf = file_of(&redacted, "pg1", "/etc/postgresql.conf");
    assert!(
        conf.contains(&plain.replace('\'', "\\\\''")) && conf.contains(&format!("#recovery {plain}")),
        "{conf} {plain}"
    );
    let sql = file_of(&redacted, "pg1", "/etc/roles.sql");
    assert!(sql.contains(&format!("'{}'", plain.replace('\'', "''"))), "{sql} {plain}");
    let of_url = value(&text, "url: http://joe:").split("@h").next().unwrap().replace("%40", "@");
    assert!(sql.contains(&format!("'{of_url}'")) && !of_url.contains("Xy"), "{sql} {of_url}");
    assert_eq!(redacted, redact(&raw, &key()));
    assert_eq!(redact(&redacted, &Key::random().unwrap()), redacted);
    assert_ne!(redact(&raw, &Key::random().unwrap()).nodes, redacted.nodes);
}

#[test]
fn types_and_what_is_no_secret_stay() {
    let yaml = "scope: a\nname: pg1\nconsul:\n  token: 12345678\nrestapi:\n  keyfile_password: null\n  authentication:\n    \
                password: no\npostgresql:\n  authentication:\n    superuser:\n      password: \"#FIXME\"\n    replication:\n      \
                password: &x !!str 20240131\n    rewind:\n      password: *x\n";
    let raw = bundle(&[("pg1", &[("/etc/patroni.yml", yaml)])]);
    let text = file_of(&redact(&raw, &key()), "pg1", "/etc/patroni.yml");
    let token: u32 = value(&text, "token: ").parse().unwrap();
    assert_ne!(token, 12_345_678);
    for kept in ["keyfile_password: null", "password: no\n", "\"#FIXME\"", "password: &x !!str ", "password: *x"] {
        assert!(text.contains(kept), "{text}");
    }
    assert!(!text.contains("20240131"), "{text}");
}

#[test]
fn passwords_that_everybody_knows_are_still_known() {
    let yaml = |password: &str| {
        format!(
            "scope: a\nname: pg1\npostgresql:\n  authentication:\n    superuser:\n      username: p\n      password: {password}\n"
        )
    };
    let found = |password: &str| {
        let raw = bundle(&[("pg1", &[("/etc/patroni.yml", yaml(password).as_str())])]);
        let redacted = redact(&raw, &key());
        assert!(!file_of(&redacted, "pg1", "/etc/patroni.yml").contains(&format!("password: {password}\n")));
        assert_eq!(said(&redacted), said(&raw));
        said(&redacted).contains("[weak-default-secrets]: ")
    };
    assert!(found("zalando") && found("P@ssw0rd") && !found("zalandp"));
}

#[test]
fn large_files_with_many_secrets_take_no_time() {
    let lines = |count: usize, line: fn(usize) -> String| (0..count).map(line).collect::<Vec<_>>().concat();
    let hba = lines(20_000, |i| {
        format!("host all u{i} 10.0.0.0/8 ldap ldapserver=h ldapprefix=x ldapbindpasswd=secret-{}\n", i % 50)
    });
    let conf = lines(10_000, |i| format!("x.password_{i} = 'secret-{}' y\n", i % 50));
    let template = lines(5_000, |i| format!("# {{{{ a{i} }}}}\nx.token{i} = 'b{{{{ c }}}}'\n"));
    let files =
        [("/pg_hba.conf", hba.as_str()), ("/postgresql.conf", conf.as_str()), ("/b/postgresql.conf.j2", &template)];
    let raw = bundle(&[(MEMBER, &files)]);
    let since = std::time::Instant::now();
    let redacted = redact(&raw, &key());
    assert!(since.elapsed().as_secs() < 60, "{:?}", since.elapsed());
    assert!(!file_of(&redacted, MEMBER, "/pg_hba.conf").contains("secret-1"));
    assert!(!file_of(&redacted, MEMBER, "/postgresql.conf").contains("secret-1"));
}

#[test]
fn words_of_closed_sets_stay_though_they_are_passwords() {
    let text = "scope: s\nname: n\npostgresql:\n  authentication:\n    superuser: {username: a, password: no-route}\n    \
                replication: {username: b, password: podman-of-user}\n    rewind: {username: c, password: no-password}\n";
    let mut bundle = bundle(&[(MEMBER, &[("/etc/patroni.yml", text)])]);
    let host = serde_json::json!({
        "reach": {"h:5432": {"got": "no-route"}, "h:8008": {"missing": {"why": "timed-out", "detail": "no-route"}}},
        "launchers": {"got": {"lines": [], "unread": [], "containers": [
            {"engine": "podman-of-user", "name": "x", "file": "f", "image": "i", "starts": "always", "runs": "patroni"}
        ]}},
    });
    let node = bundle.nodes.get_mut(MEMBER).unwrap();
    node.host = Some(Answer::Got(serde_json::from_value(host).unwrap()));
    node.passwords = serde_json::from_value(serde_json::json!({"rewind": {"got": {"kind": "no-password"}}})).unwrap();
    let redacted = redact(&bundle, &key());
    let (one, other) = (&bundle.nodes[MEMBER], &redacted.nodes[MEMBER]);
    assert_eq!(one.passwords, other.passwords);
    let of = |node: &patroni_preflight::bundle::Node| node.host.as_ref().unwrap().got().unwrap().clone();
    let (one, other) = (of(one), of(other));
    assert_eq!(one.launchers, other.launchers);
    assert_eq!(one.reach["h:5432"], other.reach["h:5432"]);
    // In a free text it is a secret.
    assert!(format!("{:?}", one.reach["h:8008"]).contains("no-route"));
    assert!(!format!("{:?}", other.reach["h:8008"]).contains("no-route"));
}
