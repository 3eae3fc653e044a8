//! Recorded answers of PostgreSQL 15 about lists and settings inside real Patroni files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use patroni_preflight::facts::conf_check::check_assignment;
use patroni_preflight::knowledge::guc;
use patroni_preflight::knowledge::patroni::Version;
use patroni_preflight::parse::conf::{Directive, parse as parse_conf};
use patroni_preflight::parse::guc_value::parse_value;
use patroni_preflight::parse::hba::{self, Server};
use patroni_preflight::parse::patroni::{Item, Patroni};
use patroni_preflight::parse::yaml;
use patroni_preflight::source::{Source, Spanned};
use serde_json::{Value as Json, json};

use crate::oracle_conf::Disk;
use crate::support::pg::env;

/// The answers in a file of the corpus' oracle; `None`, and said so, where there is no corpus.
#[expect(clippy::print_stdout, reason = "a test that looks at nothing must say so")]
fn answers(file: &str) -> Option<(PathBuf, Vec<Json>)> {
    let root = env("PREFLIGHT_CORPUS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus"), PathBuf::from);
    let Ok(text) = std::fs::read_to_string(root.join("oracle").join(file)) else {
        println!("corpus not found: skipped {file}");
        return None;
    };
    Some((root, text.lines().map(|l| serde_json::from_str(l).unwrap()).collect()))
}

/// What stands at a path of a Patroni file.
fn inside(root: &Path, file: &str, path: &str) -> Item {
    let tree = yaml::parse(&Source::lone(file, std::fs::read(root.join(file)).unwrap())).tree;
    let config = Patroni::load_file(&tree, &[], Version::LATEST).tree;
    config.get(path).unwrap_or_else(|| panic!("{file}: nothing at {path}")).clone()
}

#[test]
fn lists_inside_patroni_files_are_read_as_the_server_reads_them() {
    let Some((root, answers)) = answers("hba_rules.jsonl") else { return };
    let mut lists = 0;
    for answer in answers {
        let origin = answer["origin"].as_str().unwrap();
        let Some((file, path)) = origin.split_once('#') else { continue };
        let list = inside(&root, file, path);
        let lines: Vec<Spanned<String>> =
            list.items().iter().filter_map(|i| i.as_str().map(|t| Spanned::new(t.to_owned(), i.span))).collect();
        let tree = hba::parse_lines(&lines, Path::new("pg_hba.conf"), &Disk::default(), &Server::packaged(15)).tree;
        // Patroni puts two lines in front; the recorded answer is about the list alone.
        let ours: Vec<Json> = hba::rows(&tree, true)
            .into_iter()
            .map(|r| {
                json!({"line_number": r.line_number - 2, "type": r.kind, "database": r.database, "user_name": r.user_name,
                    "address": r.address, "netmask": r.netmask, "auth_method": r.auth_method, "options": r.options,
                    "error": r.error})
            })
            .collect();
        let mut theirs = answer["rules"].as_array().unwrap().clone();
        for row in &mut theirs {
            // The recording server had `ssl = off`; ours does not know.
            if row["error"] == "hostssl record cannot match because SSL is disabled" {
                row["error"] = Json::Null;
            }
        }
        assert_eq!(ours, theirs, "{origin}");
        lists += 1;
    }
    println!("{lists} lists equal");
    assert!(lists >= 50);
}

#[test]
fn settings_are_refused_as_the_server_refuses_them() {
    let Some((root, answers)) = answers("file_settings.jsonl") else { return };
    let (mut seen, mut refused, mut unread) = (0, 0, 0);
    for answer in answers {
        let origin = answer["origin"].as_str().unwrap();
        let errors = answer["errors"].as_array().unwrap();
        // With an include that cannot be read the server does not come to look at names.
        if errors.iter().any(|e| e["error"] != "unrecognized configuration parameter") {
            unread += 1;
            continue;
        }
        let theirs: BTreeSet<String> = errors.iter().map(|e| e["name"].as_str().unwrap().to_owned()).collect();
        let ours: BTreeSet<String> = if let Some((file, path)) = origin.split_once('#') {
            let section = inside(&root, file, path);
            let names = section.pairs().iter().filter_map(|p| p.key.value.as_str());
            names.filter(|n| !n.contains('.') && guc::find(n, 15).is_none()).map(str::to_owned).collect()
        } else {
            let parsed = parse_conf(&Source::lone(origin, std::fs::read(root.join(origin)).unwrap()));
            let sets = parsed.tree.iter().filter_map(|d| if let Directive::Set(set) = d { Some(set) } else { None });
            sets.flat_map(|s| check_assignment(s, 15).into_iter().map(|p| (p.rule, s.name.value.clone())))
                .filter(|(rule, _)| rule != "guc-value-invalid")
                .map(|(_, name)| name)
                .collect()
        };
        assert_eq!(ours, theirs, "{origin}");
        // The server took every value that does not depend on its machine, and so do we.
        if let Some((file, path)) = origin.split_once('#') {
            for pair in inside(&root, file, path).pairs() {
                let guc = pair.key.value.as_str().and_then(|n| guc::find(n, 15));
                if let (Some(guc), Some(value)) = (guc, pair.item.as_setting()) {
                    parse_value(guc, &value, 15).unwrap_or_else(|e| panic!("{origin}: {} = {value}: {e:?}", guc.name));
                    seen += 1;
                }
            }
        }
        refused += theirs.len();
    }
    println!(
        "{seen} values taken alike, {refused} names refused alike, {unread} files with an include that is missing"
    );
    assert!(seen > 300 && refused >= 15 && unread <= 3);
}
