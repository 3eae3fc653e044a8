//! Secrets in every place that holds some, planted by hand: no output shows any, whatever else is wrong with the files.
//!
//! Every secret begins with [`MARK`]. What the program takes for a secret is not asked: one that it overlooks must not go unseen.

use std::collections::BTreeMap;

use patroni_preflight::cli::Format;
use rayon::prelude::*;

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
