//! Which slots we say that Patroni wants on the server of a member, against what releases of Patroni say themselves.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdout, Stdio};

use patroni_preflight::facts::Options;
use patroni_preflight::facts::slot_fate::{Wanted, Why, is_logical};
use patroni_preflight::knowledge::patroni::Version;
use patroni_preflight::run::{Lint, lint};
use serde_json::{Map, Value as Json, json};

use crate::support::rng::Rng;
use crate::support::{path, pg};

const SEED: u64 = 20_261_128;
const CASES: usize = 150;
const MEMBERS: [&str; 4] = ["pg1", "pg2", "pg-3", "Pg4"];

/// A release that answers.
struct Release {
    child: Child,
    answers: BufReader<ChildStdout>,
}

impl Release {
    fn start(version: &str) -> Self {
        let source = pg::tools().join("patroni-src").join(version);
        assert!(source.exists(), "{}: run `make setup`", source.display());
        let mut child = pg::command(pg::tools().join("py/bin/python"))
            .arg(path("tests/oracle/patroni_slots.py"))
            .arg(source)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("no Python in target/tools: run `make setup`");
        let answers = BufReader::new(child.stdout.take().expect("piped"));
        Self { child, answers }
    }

    fn ask(&mut self, asked: &Json) -> Json {
        writeln!(self.child.stdin.as_mut().expect("piped"), "{asked}").expect("the oracle ended");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("an answer");
        serde_json::from_str(&line).expect("the oracle ended")
    }
}

impl Drop for Release {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// Members with their tags, and a dynamic configuration.
struct Case {
    members: Vec<(&'static str, Map<String, Json>)>,
    config: Map<String, Json>,
}

fn tags(rng: &mut Rng, own: &str) -> Map<String, Json> {
    let mut tags = Map::new();
    let mut put = |key: &str, value: Json| drop(tags.insert(key.to_owned(), value));
    if rng.one_in(3) {
        let from = rng.pick(&["pg1", "pg2", "pg-3", "Pg4", "elsewhere"]);
        if from != own {
            put("replicatefrom", json!(from));
        }
    }
    if rng.one_in(4) {
        put("nofailover", json!(rng.one_in(2)));
    } else if rng.one_in(6) {
        put("failover_priority", json!(rng.below(2)));
    }
    if rng.one_in(5) {
        put("nostream", json!(rng.one_in(2)));
    }
    tags
}

fn case(rng: &mut Rng) -> Case {
    let count = 1 + rng.below(MEMBERS.len());
    let members = MEMBERS[..count].iter().map(|name| (*name, tags(rng, name))).collect();
    let mut slots = Map::new();
    let names = ["pg1", "pg2", "pg_3", "pg4", "cdc", "archive", "Bad-Name", "etl"];
    for _ in 0..rng.below(6) {
        let slot = match rng.below(8) {
            0 => Json::Null,
            1 => json!({}),
            2 => json!({"type": "physical", "cluster_type": rng.pick(&["primary", "standby"])}),
            3 => json!({"type": "logical", "database": "app", "plugin": "pgoutput"}),
            4 => json!({"database": "app", "plugin": "pgoutput"}),
            5 => json!({"type": "logical", "database": "app"}),
            6 => json!({"type": "other"}),
            _ => json!({"type": "physical"}),
        };
        slots.insert(rng.pick(&names).to_owned(), slot);
    }
    let mut config = Map::new();
    let mut put = |key: &str, value: Json| drop(config.insert(key.to_owned(), value));
    put(rng.pick(&["slots", "slots", "permanent_slots"]), Json::Object(slots));
    if rng.one_in(5) {
        put("member_slots_ttl", json!(rng.pick(&["0", "30min", "0s"])));
    }
    if rng.one_in(6) {
        put("postgresql", json!({"use_slots": rng.one_in(3)}));
    }
    if rng.one_in(6) {
        put("standby_cluster", json!({"host": "elsewhere", "port": 5432}));
    }
    Case { members, config }
}

/// What differs, for each member, each of them leading; how many were compared.
fn compare(case: &Case, version: Version, release: &mut Release) -> Result<usize, String> {
    let dir = tempfile::tempdir().expect("a directory");
    for (name, tags) in &case.members {
        let dcs = Json::Object(case.config.clone());
        let text = format!(
            "scope: orders\nname: {name}\nrestapi: {{listen: '10.0.0.1:8008'}}\netcd3: {{hosts: ['10.0.0.9:2379']}}\n\
             bootstrap: {{dcs: {dcs}}}\npostgresql: {{listen: '10.0.0.1:5432', data_dir: /data}}\ntags: {}\n",
            Json::Object(tags.clone())
        );
        fs::write(dir.path().join(format!("{name}.yml")), text).expect("written");
    }
    let options = Options { postgresql: Some(15), patroni: version };
    let request = Lint { paths: vec![dir.path().to_owned()], options, ..Lint::default() };
    let facts = lint(&request).expect("read").facts;
    let mut count = 0;
    let tags: Map<String, Json> =
        case.members.iter().map(|(n, t)| ((*n).to_owned(), Json::Object(t.clone()))).collect();
    for member in facts.members() {
        for (leader, _) in &case.members {
            let asked =
                json!({"members": tags, "leader": leader, "name": member.name, "config": case.config, "retained": []});
            let theirs = release.ask(&asked);
            let wanted = Wanted::with(&facts, member, *leader == member.name, Some(leader), None);
            let kind = |why: &Why<'_>| match why {
                Why::Declared(item) if is_logical(item) => "logical",
                _ => "physical",
            };
            let ours: BTreeMap<&str, &str> = wanted.slots().map(|(name, slot)| (name, kind(&slot.why))).collect();
            if theirs["slots"] != json!(ours) {
                let mut text = format!("{version}: {asked}\n");
                let _ = write!(text, "ours:   {}\ntheirs: {theirs}", json!(ours));
                return Err(text);
            }
            count += 1;
        }
    }
    Ok(count)
}

#[test]
fn slots_that_releases_want() {
    for text in ["3.0.4", "3.1.0", "3.1.1", "3.1.2", "3.2.2", "3.3.0", "3.3.11", "4.0.6", "4.0.11", "4.1.0", "4.1.5"] {
        let version: Version = text.parse().expect("a version");
        let mut release = Release::start(text);
        let mut rng = Rng::new(SEED);
        let (mut compared, mut wrong) = (0, Vec::new());
        for _ in 0..CASES {
            match compare(&case(&mut rng), version, &mut release) {
                Ok(count) => compared += count,
                Err(text) => wrong.push(text),
            }
        }
        assert!(wrong.is_empty(), "{} of {CASES} cases:\n{}", wrong.len(), wrong[..wrong.len().min(4)].join("\n"));
        println!("{text}: the slots of {compared} servers");
    }
}
