//! Our joining of files and environment against the real `patroni.config.Config`, and our small functions against Patroni's.
#![expect(clippy::print_stdout, reason = "tests say what they have looked at")]

mod generate;
mod ours;
mod peer;

use patroni_preflight::facts::patroni_keys::check_keys;
use patroni_preflight::knowledge::patroni::{Version, slot_name};
use patroni_preflight::parse::patroni::{Patroni, parse_bool, parse_int, split_host_port};
use patroni_preflight::parse::yaml;
use patroni_preflight::problem::Problem;
use patroni_preflight::source::Source;
use serde_json::{Value as Json, json};

use self::generate::Case;
use self::peer::{Peer, corpus, number};
use crate::support::record::{self, Stage};
use crate::support::rng::Rng;

const SEED: u64 = 20_261_123;

fn arg<'a>(problem: &'a Problem, name: &str) -> &'a str {
    problem.args.iter().find(|a| a.0 == name).map_or("", |a| &a.1)
}

/// What differs, for one case; `None` when nothing does.
fn difference(peer: &mut Peer, case: &Case) -> Option<String> {
    let theirs = peer.ask(&case.request());
    compare(case, &theirs)
}

fn compare(case: &Case, theirs: &Json) -> Option<String> {
    let ours = ours::answer(case);
    // A value that contains itself cannot be written out; our YAML refuses it, Python at times finds no use for it.
    if ours::contains_itself(case) {
        return None;
    }
    if theirs.get("error").is_some() || ours.get("error").is_some() {
        return (theirs.get("error") != ours.get("error")).then(|| format!("ours:   {ours}\ntheirs: {theirs}"));
    }
    for part in ["local", "effective", "with_dynamic"] {
        if ours.get(part) != theirs.get(part) {
            let show = |answer: &Json| answer.get(part).map_or_else(|| "absent".to_owned(), Json::to_string);
            return Some(format!("{part}\nours:   {}\ntheirs: {}", show(&ours), show(theirs)));
        }
    }
    None
}

/// Leaves out variables, files and lines while the difference stays.
fn shrink(peer: &mut Peer, case: &Case) -> Case {
    let mut best = case.clone();
    loop {
        let smaller = best.smaller().into_iter().find(|tried| difference(peer, tried).is_some());
        match smaller {
            Some(tried) => best = tried,
            None => return best,
        }
    }
}

fn run(count: u64, make: impl Fn(&mut Rng) -> Case) {
    run_with(&mut Peer::start(), count, make);
}

fn run_with(peer: &mut Peer, count: u64, make: impl Fn(&mut Rng) -> Case) {
    let seed = number("PREFLIGHT_SEED", SEED);
    let (mut refused, mut failures) = (0, Vec::new());
    for i in 0..count {
        let case = make(&mut Rng::new(seed.wrapping_add(i)));
        let theirs = peer.ask(&case.request());
        refused += u64::from(theirs.get("error").is_some());
        if compare(&case, &theirs).is_some() {
            let small = shrink(peer, &case);
            let what = difference(peer, &small).unwrap_or_default();
            failures.push(format!("seed {}\n{small}\n{what}\n", seed.wrapping_add(i)));
            if failures.len() >= 6 {
                break;
            }
        }
    }
    println!("{count} configurations from seed {seed}, {refused} of them refused by Patroni");
    assert!(failures.is_empty(), "{} differ:\n{}", failures.len(), failures.join("\n"));
    assert!(refused * 4 <= count * 3, "enough configurations must be readable for the comparison to mean something");
}

#[test]
fn files_are_read_as_patroni_reads_them() {
    run(number("PREFLIGHT_ORACLE_N", 120), generate::one_file);
}

#[test]
fn directories_are_joined_as_patroni_joins_them() {
    run(number("PREFLIGHT_ORACLE_N", 120), generate::directory);
}

#[test]
fn the_environment_goes_over_files_as_in_patroni() {
    run(number("PREFLIGHT_ORACLE_N", 120), generate::with_environment);
}

#[test]
fn the_environment_alone_is_a_configuration_as_in_patroni() {
    run(number("PREFLIGHT_ORACLE_N", 120), generate::environment_only);
}

#[test]
fn old_layouts_become_what_patroni_makes_of_them() {
    run(number("PREFLIGHT_ORACLE_N", 120), generate::old_layout);
}

#[test]
fn the_dynamic_configuration_goes_under_the_local_one_as_in_patroni() {
    run(number("PREFLIGHT_ORACLE_N", 120), generate::with_dynamic);
}

/// The last release of each older line reads differently in places: variables, keys of users, settings.
#[test]
fn older_releases_are_read_as_they_read() {
    let count = number("PREFLIGHT_ORACLE_N", 120) / 4;
    for release in ["3.0.4", "3.1.2", "3.2.2", "3.3.11", "4.0.11"] {
        let Some(mut peer) = Peer::release(release) else {
            println!("source of Patroni {release} not found: skipped 1");
            continue;
        };
        println!("Patroni {release}:");
        for make in
            [generate::with_environment, generate::environment_only, generate::old_layout, generate::with_dynamic]
        {
            run_with(&mut peer, count, |rng| Case { release: Some(release), ..make(rng) });
        }
    }
}

#[test]
fn real_files_are_read_as_patroni_reads_them() {
    let Some(root) = corpus() else {
        println!("corpus not found: skipped 1");
        return;
    };
    let mut peer = Peer::start();
    let (mut count, mut refused, mut failures) = (0, 0, Vec::new());
    for folder in ["patroni", "templates"] {
        let mut paths: Vec<_> =
            std::fs::read_dir(root.join(folder)).expect("a folder").map(|e| e.expect("an entry").path()).collect();
        paths.sort();
        for path in paths {
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            let case = Case { files: vec![("patroni.yml".to_owned(), text)], ..Case::default() };
            count += 1;
            let theirs = peer.ask(&case.request());
            refused += usize::from(theirs.get("error").is_some());
            if let Some(what) = compare(&case, &theirs) {
                failures.push(format!("{}: {what}", path.display()));
            }
        }
    }
    println!("{count} real files, {refused} of them refused by Patroni");
    assert!(count > 0 && failures.is_empty(), "{} of {count} differ:\n{}", failures.len(), failures.join("\n"));
}

/// An old name beside the new one: whether it counts, and whether the new one still does.
#[test]
fn old_names_count_as_the_findings_say() {
    let head = "scope: a\nname: b\nrestapi: {listen: 'h:1', connect_address: 'h:1'}\n";
    let user = |name: &str| format!("{{username: {name}, password: x}}");
    let (su, re, rw) = (user("su"), user("re"), user("rw"));
    let all = format!("postgresql: {{superuser: {su}, replication: {re}, pg_rewind: {rw}");
    let documents = [
        format!("{head}{all}}}"),
        format!("{head}postgresql: {{pg_rewind: {rw}, replication: {re}}}"),
        format!("{head}postgresql: {{use_pg_rewind: true, superuser: {su}, replication: {re}}}"),
        format!("{head}postgresql: {{use_pg_rewind: true, superuser: {su}, replication: {re}, pg_rewind: {rw}}}"),
        format!("{head}{all}, authentication: {{replication: {re}}}}}"),
        format!("{head}{all}, authentication: {{superuser: {}}}}}", user("other")),
        "scope: a\npostgresql: {name: c}".to_owned(),
        format!("{head}postgresql: {{name: c, create_replica_method: [x], create_replica_methods: [y]}}"),
        format!("{head}postgresql: {{create_replica_method: [x], create_replica_methods: []}}"),
        format!("{head}restapi2: 1\nctl: {{auth: 'a:b', authentication: {{username: u, password: p}}}}"),
        format!("{head}ctl: {{auth: 'a:b'}}"),
        format!("{head}zookeeper: {{hosts: ['h:1'], exhibitor: {{hosts: [e], port: 1}}}}\nexhibitor: {{hosts: [f]}}"),
        format!("{head}etcd3: {{srv: s, discovery_srv: d, srv_domain: e}}"),
        format!("{head}etcd3: {{srv: s, discovery_srv: d}}"),
        format!("{head}etcd3: {{srv_domain: s}}"),
        format!(
            "{head}bootstrap: {{dcs: {{slots: {{a: 1}}, permanent_slots: {{b: 1}}, permanent_replication_slots: {{c: 1}}}}}}"
        ),
        format!(
            "{head}bootstrap: {{dcs: {{slots: {{a: 1}}, permanent_slots: {{b: 1}}, permanent_replication_slots: {{}}}}}}"
        ),
        format!("{head}bootstrap: {{dcs: {{slots: {{a: 1}}, permanent_slots: {{}}}}}}"),
        format!(
            "{head}bootstrap: {{dcs: {{master_start_timeout: 7, primary_start_timeout: 8, master_stop_timeout: 9}}}}"
        ),
    ];
    let (mut peer, mut asked) = (Peer::start(), 0);
    for text in documents {
        let tree = yaml::parse(&Source::lone("patroni.yml", &*text)).tree;
        let problems = check_keys(&Patroni::load_file(&tree, &[], Version::LATEST).tree);
        let hidden: Vec<&str> =
            problems.iter().filter(|p| p.rule == "old-key-hides-new").map(|p| arg(p, "path")).collect();
        let old = problems.iter().filter(|p| p.rule == "deprecated-key");
        let old = old.map(|p| (arg(p, "path"), !arg(p, "fate").contains("not read beside")));
        // An empty one is read, and says nothing.
        let says = |path: &str| !text.contains(&format!("{}: {{}}", path.rsplit('.').next().unwrap_or_default()));
        let old = old.filter(|(path, _)| says(path));
        for (path, counts) in old.chain(hidden.iter().map(|path| (*path, false))) {
            let theirs = peer.ask(&json!({"op": "counts", "text": text, "path": path}));
            assert_eq!(theirs, json!({"value": counts}), "{path} of\n{text}");
            asked += 1;
        }
        let rule = "old-key-hides-new";
        let told = hidden.first().map_or((Stage::Gone, ""), |path| (Stage::Said, *path));
        record::note(told.0, rule, told.1);
        if let (Stage::Said, path) = told {
            record::note(Stage::Log, rule, format!("Patroni's own code: `{path}` does not count"));
        }
    }
    assert!(asked > 25, "{asked}");
}

#[test]
fn small_functions_agree_with_patroni() {
    let seed = number("PREFLIGHT_SEED", SEED);
    let count = number("PREFLIGHT_ORACLE_N", 120) * 5;
    let mut peer = Peer::start();
    let mut rng = Rng::new(seed);
    for _ in 0..count {
        let name = generate::name(&mut rng);
        let theirs = peer.ask(&json!({"op": "slot_name", "args": [name]}));
        assert_eq!(json!({"value": slot_name(&name)}), theirs, "slot_name of {name:?}, seed {seed}");

        let address = generate::address(&mut rng);
        let theirs = peer.ask(&json!({"op": "split_host_port", "args": [address, 7]}));
        let ours = match split_host_port(&address, 7) {
            Some((host, port)) => json!({"value": ["l", [host, ["i", port.to_string()]]]}),
            None => json!({"value": {"error": "ValueError"}}),
        };
        assert_eq!(ours, theirs, "split_host_port of {address:?}, seed {seed}");

        let (text, unit) = generate::quantity(&mut rng);
        let theirs = peer.ask(&json!({"op": "parse_int", "args": [text, unit]}));
        let ours = parse_int(&text, unit).map_or(Json::Null, |n| json!(["i", n.to_string()]));
        assert_eq!(json!({"value": ours}), theirs, "parse_int of {text:?} in {unit:?}, seed {seed}");
        let theirs = peer.ask(&json!({"op": "parse_bool", "args": [text]}));
        assert_eq!(json!({"value": parse_bool(&text)}), theirs, "parse_bool of {text:?}, seed {seed}");
    }
    println!("{count} names, addresses and quantities from seed {seed}");
    assert_eq!(Version::LATEST, Version::new(4, 1, 5), "the oracle is Patroni 4.1.5");
}
