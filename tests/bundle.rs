//! Bundles are judged as the files and servers are that they were made of.

mod compare;
mod join;
pub(crate) mod redact;

use std::collections::BTreeMap;
use std::path::Path;

use patroni_preflight::bundle::{Answer, Bundle, FORMAT, FileText, Node};
use patroni_preflight::cli::Format;
use patroni_preflight::facts::Options;
use patroni_preflight::gap::GapReason;
use patroni_preflight::report::Style;
use patroni_preflight::rules::engine::Selection;
use patroni_preflight::rules::schema::Severity;
use patroni_preflight::rules::tally::State;
use patroni_preflight::run::{Check, Linted, check, render};

use crate::support::report;

pub(crate) fn bundle(nodes: &[(&str, &[(&str, &str)])]) -> Bundle {
    let file = |(path, text): &(&str, &str)| {
        let file = FileText { text: (*text).to_owned(), kind: None, given: None, mode: Some(0o600) };
        ((*path).to_owned(), Answer::Got(Some(file)))
    };
    let node = |(name, files): &(&str, &[(&str, &str)])| {
        let mut directories: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (dir, file) in files.iter().filter_map(|(path, _)| path.rsplit_once('/')) {
            directories.entry(dir.to_owned()).or_default().push(file.to_owned());
        }
        let directories = directories.into_iter().map(|(dir, names)| (dir, Answer::Got(Some(names)))).collect();
        ((*name).to_owned(), Node { files: files.iter().map(file).collect(), directories, ..Node::default() })
    };
    Bundle {
        format: FORMAT,
        program: String::new(),
        taken: "2026-01-31T12:00:00Z".to_owned(),
        nodes: nodes.iter().map(node).collect::<BTreeMap<_, _>>(),
        stores: Vec::new(),
        upgrade: None,
        redaction: None,
    }
}

fn judged(bundle: Bundle) -> Linted {
    let (options, selection) = (Options::default(), Selection::default());
    check(&Check { bundle, options, selection, rules: Vec::new() })
}

fn findings(linted: &Linted) -> Vec<String> {
    let report = report(linted, Format::Short);
    report.lines().filter(|l| l.contains("]: ") && !l.starts_with("not checked")).map(str::to_owned).collect()
}

#[test]
fn files_of_one_path_belong_to_their_members() {
    let main = "/etc/postgresql/16/main/postgresql.conf";
    let included = "/etc/postgresql/16/main/conf.d/a.conf";
    let main_text = "include_dir = '/etc/postgresql/16/main/conf.d'\n";
    let found = findings(&judged(bundle(&[
        ("pg1", &[(main, main_text), (included, "port = 70000\n")]),
        ("pg2", &[(main, main_text), (included, "port = 5432\nwork_mem = 1XB\n")]),
    ])));
    let places: Vec<&str> = found.iter().map(|l| l.split(": ").next().unwrap()).collect();
    assert_eq!(
        places,
        ["pg1/etc/postgresql/16/main/conf.d/a.conf:1:8", "pg2/etc/postgresql/16/main/conf.d/a.conf:2:12"],
        "{found:#?}"
    );
}

/// Each member has files of the same paths, and a server that reads another file than Patroni will make it read.
#[test]
fn rules_go_by_the_hba_file_that_patroni_names_of_the_member_itself() {
    let (patroni, own, today) = ("/etc/patroni/patroni.yml", "/etc/patroni/access.conf", "/srv/pg/pg_hba.conf");
    let members = ["pg1", "pg2"].map(|name| {
        let host = name.replace("pg", "192.0.2.1");
        format!(
            "scope: a\nname: {name}\netcd3: {{host: 192.0.2.9}}\nrestapi: {{connect_address: {host}:8008}}\npostgresql:\n  \
             connect_address: {host}:5432\n  data_dir: /srv/pg\n  authentication:\n    superuser: {{username: s}}\n    \
             replication: {{username: r}}\n  parameters: {{hba_file: {own}}}\n"
        )
    });
    let (narrow, wide) = ("host all all 192.0.2.0/24 trust\n", "host replication,all all 192.0.2.0/24 trust\n");
    let mut all = bundle(&[
        ("pg1", &[(patroni, &members[0]), (own, wide), (today, narrow)]),
        ("pg2", &[(patroni, &members[1]), (own, narrow), (today, wide)]),
    ]);
    let refuses = |bundle: &Bundle| {
        let mut found = findings(&judged(bundle.clone()));
        found.retain(|line| line.contains("hba-replication-missing-for-member"));
        found
    };
    for node in all.nodes.values_mut() {
        for path in [own, today] {
            let Some(Answer::Got(Some(file))) = node.files.get_mut(path) else { unreachable!() };
            file.kind = Some("pg_hba.conf".to_owned());
        }
    }
    let found = refuses(&all);
    assert!(found.len() == 1 && found[0].starts_with("pg2/etc/patroni/access.conf:1:1: "), "{found:#?}");
    // Without it nothing is known of that member: what is read today does not stand for it.
    all.nodes.get_mut("pg2").unwrap().files.remove(own);
    assert!(refuses(&all).is_empty());
    let text = report(&judged(all), Format::Short);
    let gap = "not checked[hba-replication-missing-for-member]: `/etc/patroni/access.conf`, which the server will read, of pg2";
    assert!(text.contains(gap), "{text}");
}

#[test]
fn what_was_asked_for_and_not_had_makes_a_run_incomplete() {
    let mut bundle = bundle(&[("pg1", &[("/etc/postgresql/16/main/postgresql.conf", "port = 5432\n")])]);
    let said = |b: &Bundle| render(&judged(b.clone()), Format::Short, Severity::Error, &Style::default());
    // Nobody asked its server: that is no answer either.
    let (text, code) = said(&bundle);
    assert!(
        text.contains("not checked[slot-wal-status-lost]: the answer to `slot-wal-status-lost` of pg1 is not given")
    );
    assert_eq!(code, 3, "{text}");
    let node = bundle.nodes.get_mut("pg1").unwrap();
    let denied = Answer::missing(GapReason::Denied, "permission denied");
    node.files.insert("/etc/postgresql/16/main/pg_hba.conf".to_owned(), denied);
    node.sql = Some(Answer::missing(GapReason::Unreachable, "connection refused"));
    let (text, code) = said(&bundle);
    assert!(text.contains("pg1/etc/postgresql/16/main/pg_hba.conf (refused to us: permission denied)"), "{text}");
    assert!(text.contains("not checked[slot-wal-status-lost]: the server of pg1 is unreachable"), "{text}");
    assert_eq!(code, 3, "{text}");
}

#[test]
fn nothing_is_fine_where_nothing_was_looked_at() {
    let mut bundle = bundle(&[("pg1", &[])]);
    let told = |b: &Bundle| {
        let linted = judged(b.clone());
        let fine: Vec<String> =
            linted.outcome.checked.iter().filter(|c| c.state == State::Fine).map(|c| c.rule.clone()).collect();
        (fine, render(&linted, Format::Full, Severity::Error, &Style::default()))
    };
    assert_eq!(told(&bundle).0, Vec::<String>::new());
    bundle.nodes.get_mut("pg1").unwrap().sql =
        Some(Answer::missing(GapReason::Denied, "password authentication failed"));
    let (fine, (text, code)) = told(&bundle);
    assert_eq!((fine, code), (Vec::new(), 3));
    assert!(text.contains("the server of pg1 is refused to us (password authentication failed)"), "{text}");
}

#[test]
fn a_bundle_comes_back_from_its_file_as_it_was() {
    let one = bundle(&[("pg1", &[("/etc/patroni/patroni.yml", "scope: a\nname: pg1\n")])]);
    let text = serde_json::to_string(&one).unwrap();
    assert_eq!(serde_json::from_str::<Bundle>(&text).unwrap(), one);
    assert!(serde_json::from_str::<Bundle>(&text.replace("nodes", "node")).is_err());
    assert!(patroni_preflight::run::read_bundle(Path::new("no/such/bundle.json")).is_err());
}
