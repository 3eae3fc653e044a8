//! Secrets in every place that holds some, planted by hand: no output shows any, whatever else is wrong with the files.
//!
//! Every secret begins with [`MARK`]. What the program takes for a secret is not asked: one that it overlooks must not go unseen.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use patroni_preflight::bundle::{Answer, Bundle, Node};
use patroni_preflight::cli::Format;
use patroni_preflight::gap::GapReason;
use patroni_preflight::run::redact::redact;
use rayon::prelude::*;

use crate::bundle::bundle;
use crate::bundle::redact::{difference, key};
use crate::cli::run;
use crate::support::{TempDir, lint_dir, path, report, subdirs};

const MARK: &str = "Zq9";

/// The planted files by their paths.
fn planted() -> BTreeMap<String, String> {
    let root = path("fixtures/secrets");
    let mut files = BTreeMap::new();
    let mut dirs = vec![root.clone()];
    while let Some(dir) = dirs.pop() {
        dirs.extend(subdirs(&dir));
        for entry in std::fs::read_dir(&dir).unwrap() {
            let file = entry.unwrap().path();
            if file.is_file() {
                let name = file.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                files.insert(name, std::fs::read_to_string(&file).unwrap());
            }
        }
    }
    files
}

fn write(dir: &TempDir, files: &BTreeMap<String, String>) {
    for (name, text) in files {
        dir.write(name, text);
    }
}

/// What some formats show of a secret.
fn leaks(dir: &TempDir) -> Vec<String> {
    let linted = lint_dir(&dir.0, None);
    let mut found = Vec::new();
    for format in Format::all() {
        let text = report(&linted, *format);
        found.extend(text.lines().find(|l| l.contains(MARK)).map(|l| format!("{}: {l}", format.name())));
    }
    found
}

#[test]
fn planted_secrets_are_in_no_report() {
    let dir = TempDir::new("planted");
    let files = planted();
    let planted: usize = files.values().map(|t| t.matches(MARK).count()).sum();
    assert!(planted > 60, "{planted}");
    write(&dir, &files);
    assert_eq!(leaks(&dir), Vec::<String>::new());
}

/// Damages a line in one of several ways.
fn damage(line: &str, way: usize) -> String {
    let at = |i: usize| line.char_indices().nth(i).map_or(line.len(), |(b, _)| b);
    let indent = line.len() - line.trim_start().len();
    match way {
        0 => format!("\t{line}"),
        1 => format!("{}\"{}", &line[..indent], &line[indent..]),
        2 => format!("{line}'"),
        3 => line.replacen(": ", " ", 1),
        4 => line.replacen(['"', '\''], "", 1),
        5 => format!("{} {}", &line[..indent], &line[indent..]),
        6 => line.replacen(": ", ": [", 1),
        7 => format!("{line}\n{line}"),
        8 => line.replacen(": ", ": !x ", 1),
        9 => format!("{line}: x: y"),
        10 if line.contains(": ") || line.contains("phrase") => {
            format!("{}x{}", &line[..at(indent + 4)], &line[at(indent + 4)..])
        }
        _ => line.replacen('=', " = = ", 1),
    }
}
const WAYS: usize = 12;

#[test]
fn planted_secrets_are_in_no_report_of_damaged_files() {
    let files = planted();
    let mut damaged = Vec::new();
    for (name, text) in &files {
        let lines: Vec<&str> = text.lines().collect();
        for (i, line) in lines.iter().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
            // Most of all where secrets stand, and around them.
            let near = (i.saturating_sub(1)..=i + 1).any(|n| lines.get(n).is_some_and(|l| l.contains(MARK)));
            for way in (0..WAYS).filter(|_| near) {
                let mut other: Vec<String> = lines.iter().map(|l| (*l).to_owned()).collect();
                other[i] = damage(line, way);
                damaged.push((name, i + 1, way, other.join("\n") + "\n"));
            }
        }
    }
    assert!(damaged.len() > 1000, "{}", damaged.len());
    let mut wrong: Vec<String> = damaged
        .into_par_iter()
        .filter_map(|(name, line, way, text)| {
            let dir = TempDir::new("damaged");
            // Of the other files only those that lie beside it.
            let parent = |n: &str| n.rsplit_once('/').map_or(String::new(), |(d, _)| d.to_owned());
            let mut own: BTreeMap<String, String> = files.clone();
            own.retain(|n, _| parent(n) == parent(name));
            own.insert(name.clone(), text);
            write(&dir, &own);
            let leaks = leaks(&dir);
            (!leaks.is_empty()).then(|| format!("{name}:{line} way {way}\n  {}", leaks.join("\n  ")))
        })
        .collect();
    wrong.sort();
    let count = wrong.len();
    wrong.truncate(20);
    assert!(wrong.is_empty(), "{count}\n{}", wrong.join("\n"));
}

#[test]
fn planted_secrets_are_in_no_file_that_is_written() {
    let dir = TempDir::new("planted-files");
    write(&dir, &planted());
    let outputs: Vec<String> =
        Format::all().iter().map(|f| format!("--output={}=out-{}", f.name(), f.name())).collect();
    let mut args = vec!["lint", "--trial"];
    args.extend(outputs.iter().map(String::as_str));
    let mut shown = vec![run(&args, &dir.0), run(&["lint", "--write-baseline", "known.json"], &dir.0)];
    shown.push(run(&["lint", "--baseline", "known.json"], &dir.0));
    shown.push(run(&["lint", "--list-files"], &dir.0));
    for format in ["text", "markdown", "json", "html"] {
        let output = run(&["predict", "--offline", "--all", "--format", format], &dir.0);
        assert!(!output.stdout.is_empty(), "{format}: {}", String::from_utf8_lossy(&output.stderr));
        shown.push(output);
    }
    for asked in ["weak-default-secrets", "postgresql.authentication.superuser.password", "primary_conninfo"] {
        shown.push(run(&["explain", asked], &dir.0));
    }
    for output in shown {
        for stream in [&output.stdout, &output.stderr] {
            let text = String::from_utf8_lossy(stream);
            assert!(!text.contains(MARK), "{text}");
        }
    }
    let written = Format::all().iter().map(|f| format!("out-{}", f.name())).chain(["known.json".to_owned()]);
    for name in written {
        let text = std::fs::read_to_string(dir.0.join(&name)).unwrap();
        assert!(!text.contains(MARK), "{name}: {text}");
    }
}

/// A rule of an organisation may ask for the value of any key, and put it into its message.
#[test]
fn planted_secrets_are_in_no_message_of_an_own_rule() {
    let dir = TempDir::new("planted-rules");
    write(&dir, &planted());
    let keys = [
        "restapi.authentication.password",
        "restapi.keyfile_password",
        "etcd3.password",
        "etcd3.url",
        "consul.token",
        "raft.password",
        "zookeeper.auth_data",
        "bootstrap.restore.command",
        "bootstrap.post_bootstrap",
        "postgresql.authentication.superuser.password",
        "postgresql.authentication.superuser.sslpassword",
        "postgresql.authentication",
        "postgresql.parameters.ssl_passphrase_command",
        "postgresql.parameters.archive_command",
        "postgresql.recovery_conf.restore_command",
        "postgresql.pg_hba",
    ];
    for (i, key) in keys.iter().enumerate() {
        let rule = format!(
            "id: org/ask-{i}\nsummary: asks\nseverity: warning\nneeds: [patroni.yml]\nwhy: |\n  Asked.\nreferences: []\n\
             check:\n  yaml-key:\n    path: {key}\n    not-matching: \"never\"\nmessage: \"it is {{value}}\"\nno-fix: none\n"
        );
        dir.write(&format!("own/ask-{i}.yml"), rule);
    }
    for format in Format::all() {
        let output = run(&["lint", "--rules", "own", "--format", &format.name()], &dir.0);
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(!text.contains(MARK), "{text}");
        assert!(text.contains("org/ask-"), "{text}{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// A mark that no word of ours has by chance.
const LONG_MARK: &str = "Zq9Zk7Vw3";

/// The planted files with a mark of that length, as files of a member.
fn planted_bundle(files: &BTreeMap<String, String>) -> Bundle {
    let files: Vec<(String, String)> =
        files.iter().map(|(name, text)| (format!("/{name}"), text.replace(MARK, LONG_MARK))).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    bundle(&[("pg1", &files)])
}

/// The lines of a bundle that still show a mark.
fn shown(bundle: &Bundle) -> Vec<String> {
    let files = bundle.nodes.values().flat_map(|node| &node.files);
    let mut lines = Vec::new();
    for (path, answer) in files {
        let text = answer.got().and_then(Option::as_ref).map(|f| f.text.as_str()).unwrap_or_default();
        lines.extend(text.lines().filter(|l| l.contains(LONG_MARK)).map(|l| format!("{path}: {l}")));
    }
    let all = serde_json::to_string(bundle).unwrap();
    if lines.is_empty() && all.contains(LONG_MARK) {
        let at = all.find(LONG_MARK).unwrap();
        let start = (0..at).rev().filter(|i| all.is_char_boundary(*i)).nth(60).unwrap_or(0);
        lines.push(format!("{}…", all[start..].chars().take(120).collect::<String>()));
    }
    lines
}

#[test]
fn planted_secrets_are_in_no_bundle() {
    let raw = planted_bundle(&planted());
    let redacted = redact(&raw, &key());
    assert_eq!(shown(&redacted), Vec::<String>::new());
    assert_eq!(difference("the planted files", &raw, &key()), None);
    // What is no secret is still there.
    let text = serde_json::to_string(&redacted).unwrap();
    for kept in
        ["connect_address: 10.20.0.11", "patroni_su", "/usr/local/bin/restore", "host=10.20.0.12 user=replicator"]
    {
        assert_eq!(text.contains(kept), serde_json::to_string(&raw).unwrap().contains(kept), "{kept}");
    }
}

#[test]
fn planted_secrets_are_in_no_bundle_of_damaged_files() {
    let files = planted();
    let mut damaged = Vec::new();
    for (name, text) in &files {
        let lines: Vec<&str> = text.lines().collect();
        for (i, _) in lines.iter().enumerate().filter(|(_, l)| l.contains(MARK)) {
            for way in 0..WAYS {
                let mut other: Vec<String> = lines.iter().map(|l| (*l).to_owned()).collect();
                other[i] = damage(lines[i], way);
                damaged.push((name, i + 1, way, other.join("\n") + "\n"));
            }
        }
    }
    assert!(damaged.len() > 500, "{}", damaged.len());
    let key = key();
    let mut wrong: Vec<String> = damaged
        .into_par_iter()
        .filter_map(|(name, line, way, text)| {
            let own = BTreeMap::from([(name.clone(), text)]);
            let raw = planted_bundle(&own);
            let leaks = shown(&redact(&raw, &key));
            let differs = difference("it", &raw, &key);
            let said: Vec<String> = leaks.into_iter().chain(differs).collect();
            (!said.is_empty()).then(|| format!("{name}:{line} way {way}\n  {}", said.join("\n  ")))
        })
        .collect();
    wrong.sort();
    let count = wrong.len();
    wrong.truncate(20);
    assert!(wrong.is_empty(), "{count}\n{}", wrong.join("\n"));
}

/// A secret in the ways in which others may write it.
fn spellings(secret: &str) -> Vec<String> {
    let each = |f: fn(u8) -> String| secret.bytes().map(f).collect::<String>();
    let special = |f: fn(u8) -> String| {
        secret
            .bytes()
            .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { f(b) })
            .collect::<String>()
    };
    let mut all = vec![
        secret.to_owned(),
        each(|b| format!("%{b:02X}")),
        special(|b| format!("%{b:02x}")),
        each(|b| format!("\\x{b:02x}")),
        each(|b| format!("\\u{b:04x}")),
        secret.replace('\'', "''"),
        secret.replace('"', "\\\""),
        secret.replace('\'', "\\'").replace('"', "\\\""),
        serde_json::to_string(secret).unwrap().trim_matches('"').to_owned(),
    ];
    all.extend(
        [secret.to_owned(), format!("joe:{secret}"), format!("a:{secret}"), format!("x{secret}")]
            .map(|t| BASE64.encode(t)),
    );
    all
}

fn url_with(password: &str) -> String {
    let byte = |b: u8| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") };
    format!("postgres://joe:{}@h:5432/db", password.bytes().map(byte).collect::<String>())
}

/// Everything that a bundle can hold, with secrets in it.
fn full_bundle() -> (Bundle, Vec<String>) {
    let secrets: Vec<String> = (0..40).map(|i| format!("{LONG_MARK}-{i}_\"p'x@{i}")).collect();
    let s = |i: usize| secrets[i].clone();
    let mut raw = bundle(&[(
        "pg1",
        &[(
            "/etc/patroni.yml",
            format!(
                "scope: a\nname: pg1\nrestapi:\n  authentication:\n    username: joe\n    password: '{}'\nconsul:\n  token: \"{}\"\n\
                 postgresql:\n  authentication:\n    superuser:\n      password: {}\n",
                s(0).replace('\'', "''"),
                s(1).replace('"', "\\\""),
                s(2)
            )
            .as_str(),
        ),
        ("/home/p/.pgpass", format!("h:5432:*:joe:{}\n", s(3)).as_str()),
        ("/etc/pg_service.conf", format!("[x]\nhost=h\npassword={}\n", s(4)).as_str()),
        ("/etc/key.pem", "-----BEGIN PRIVATE KEY-----\nZq9Zk7Vw3Zq9Zk7Vw3Zq9Zk7Vw3\n-----END PRIVATE KEY-----\n")],
    )]);
    let known: Vec<String> = (0..3).flat_map(|i| spellings(&secrets[i])).collect();
    let conninfo = |i: usize| format!("host=h user=u password='{}'", s(i).replace('\'', "\\'"));
    let url = |i: usize| url_with(&secrets[i]);
    let got = |value: serde_json::Value| serde_json::json!({"got": value});
    let missing =
        |i: usize| serde_json::json!({"missing": {"why": "denied", "detail": format!("refused: {}", conninfo(i))}});
    let table =
        |columns: &[&str], rows: serde_json::Value| serde_json::json!({"got": {"columns": columns, "rows": rows}});
    let node = serde_json::json!({
        "sql": got(serde_json::json!({
            "address": "h:5432", "user": "u", "database": "d", "version": 150_018,
            "answers": {
                "settings": table(&["name", "setting", "boot_val", "reset_val"], serde_json::json!([
                    ["primary_conninfo", conninfo(5), "", conninfo(6)],
                    ["ssl_passphrase_command", format!("echo {}", s(7)), null, null],
                    ["my.password", s(8), s(9), null],
                    ["archive_command", format!("PGPASSWORD={LONG_MARK}-10 cp %p x"), null, null],
                ])),
                "wal_receiver": table(&["conninfo"], serde_json::json!([[conninfo(11)]])),
                "org/own": table(&["rolname", "rolpassword", "note"], serde_json::json!([
                    ["joe", s(12), known.join(" | ")],
                    ["joe", format!("SCRAM-SHA-256$4096:{LONG_MARK}==$x{LONG_MARK}=:{LONG_MARK}="), null],
                ])),
                "roles": missing(13),
            },
        })),
        "rest": got(serde_json::json!({
            "url": "http://h:8008", "listens": missing(14), "untrusted": format!("token={LONG_MARK}-15"),
            "answers": {
                "/config": got(serde_json::json!({"status": 200, "body": serde_json::json!({
                    "postgresql": {"parameters": {"primary_conninfo": conninfo(16), "archive_command": format!("x --password={LONG_MARK}-17 %p")},
                        "authentication": {"superuser": {"password": s(18), "list": [{"token": s(19)}]}}},
                    "other": known,
                }).to_string()})),
                "/patroni": got(serde_json::json!({"status": 401, "body": format!("Authorization: Basic {}", BASE64.encode(format!("joe:{}", s(0))))})),
                "/cluster": missing(20),
            },
        })),
    });
    let node: Node = serde_json::from_value(node).unwrap();
    let first = raw.nodes.get_mut("pg1").unwrap();
    (first.sql, first.rest) = (node.sql, node.rest);
    first.files.insert("/etc/gone".to_owned(), Answer::missing(GapReason::Denied, url(21)));
    raw.stores.push(
        serde_json::from_value(serde_json::json!({
            "kind": "etcd3", "members": ["pg1"],
            "endpoints": [{"url": "http://h:2379", "configured": true, "version": missing(22), "healthy": missing(23)}],
            "scopes": {"/service/a": got(serde_json::json!({"keys": {
                "config": serde_json::json!({"restapi": {"password": s(24)}, "x": s(1)}).to_string(),
                "members/pg1": serde_json::json!({"conn_url": url(25), "api_url": "http://h:8008"}).to_string(),
                "other": format!("password: {LONG_MARK}-26"),
            }})), "/service/b": missing(27)},
        }))
        .unwrap(),
    );
    (raw, secrets)
}

/// A host with secrets wherever it has a free text.
fn full_host() -> serde_json::Value {
    let miss = |i: usize| serde_json::json!({"missing": {"why": "denied", "detail": format!("password={LONG_MARK}-host-{i}")}});
    let got = |value: serde_json::Value| serde_json::json!({"got": value});
    serde_json::json!({"host": got(serde_json::json!({
        "running": true, "uid": miss(1), "name": got("h".into()), "kernel": miss(2), "clock": miss(3), "synchronised": miss(4),
        "addresses": miss(5), "names": {"h": miss(6)}, "reverse": {"h": miss(7)}, "systemd": miss(8), "units": got(serde_json::json!({"x": miss(9)})),
        "clusters": miss(10),
        "launchers": got(serde_json::json!({"lines": [{"file": "/etc/crontab", "line": 1, "text": format!("* * * * * PGPASSWORD={LONG_MARK}-cron pg_ctl start")}],
            "containers": [{"engine": "docker", "name": "x", "file": "/x", "image": format!("https://u:{LONG_MARK}-image@h/postgres"), "starts": "always", "runs": "postgresql", "writes": ["/d"]}],
            "unread": [{"what": {"why": "denied", "detail": format!("token={LONG_MARK}-unread")}}]})),
        "processes": got(serde_json::json!([{"pid": 1, "ppid": 0, "uid": 0, "name": "patroni", "started": 1,
            "command": ["patroni", "--password", format!("{LONG_MARK}-argument"), format!("--db-password={LONG_MARK} two"), "--config", "/etc/x"],
            "cgroup": miss(11), "directory": miss(12)}])),
        "listeners": miss(13), "paths": {"/x": miss(14)},
        "data": {"/d": {"entry": miss(15), "names": miss(16), "version": miss(17), "pid_file": miss(18),
            "backup_label": got(format!("LABEL: password={LONG_MARK}-label").into()),
            "dynamic": got(serde_json::json!({"postgresql": {"parameters": {"primary_conninfo": format!("password={LONG_MARK}-dynamic")}}}).to_string().into()),
            "control": miss(19), "wal": miss(20), "tablespaces": miss(21)}},
        "filesystems": {"/d": miss(22)}, "programs": {}, "patroni": miss(23), "watchdogs": {"/dev/watchdog": miss(24)}, "access": {"u": miss(25)}, "made_at_boot": miss(26),
        "password_files": {"/x": miss(27)},
    }))})
}

#[test]
fn planted_secrets_are_in_no_place_of_a_bundle_in_no_spelling() {
    let (mut raw, secrets) = full_bundle();
    let host: Node = serde_json::from_value(full_host()).unwrap();
    raw.nodes.get_mut("pg1").unwrap().host = host.host;
    assert!(serde_json::to_string(&raw).unwrap().matches(LONG_MARK).count() > 90);
    let redacted = redact(&raw, &key());
    assert_eq!(shown(&redacted), Vec::<String>::new());
    let text = serde_json::to_string(&redacted).unwrap();
    for secret in &secrets {
        for spelled in spellings(secret) {
            let again = serde_json::to_string(&spelled).unwrap();
            assert!(!text.contains(&spelled) && !text.contains(again.trim_matches('"')), "{spelled}");
        }
    }
    // What one file says and another answer repeats is the same word in both.
    let file = redacted.nodes["pg1"].files["/etc/patroni.yml"].got().unwrap().as_ref().unwrap().text.clone();
    let word = file.lines().find_map(|l| l.trim().strip_prefix("password: ")).unwrap();
    let word = word.trim_matches('\'').replace("''", "'");
    for spelled in spellings(&word).iter().take(4) {
        assert!(text.contains(serde_json::to_string(spelled).unwrap().trim_matches('"')), "{spelled}");
    }
    assert!(text.contains(&BASE64.encode(format!("joe:{word}"))), "{word}");
    assert!(text.contains("/etc/x") && text.contains("cp %p x") && text.contains("pg_ctl start"));
}
