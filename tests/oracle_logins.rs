//! Which line of `pg_hba.conf` we say decides a connection, against what real servers log about real log-ins.
//!
//! A rejection is logged without its line, so each file has at most one `reject`; a success is logged with its line from 14 on,
//! and for `trust` from 16 on.

#![expect(clippy::print_stdout, reason = "what was compared belongs into the log")]

use std::collections::BTreeMap;

use patroni_preflight::facts::gap::Fact;
use patroni_preflight::facts::hba_decision::{ClientName, Connection, Database, Decision, Surroundings, Via, decide};
use patroni_preflight::facts::ident_map::{MapQuestion, ident_maps};
use patroni_preflight::facts::roles::RoleGraph;
use patroni_preflight::parse::{hba, ident};
use patroni_preflight::source::{Origin, Reader};

use crate::support::hba_files::{Disk, Rng, seed, size};
use crate::support::hba_net::{NAMES, SOURCES, Site};

const ROLES: &str = "CREATE ROLE g_top; CREATE ROLE g_mid; CREATE ROLE \"Odd Name\" LOGIN; CREATE ROLE joe LOGIN;
    CREATE ROLE ann LOGIN NOINHERIT; CREATE ROLE app LOGIN; CREATE ROLE su SUPERUSER LOGIN; CREATE ROLE su2 SUPERUSER LOGIN;
    CREATE ROLE repl REPLICATION LOGIN; CREATE ROLE \"all\" LOGIN; GRANT g_top TO g_mid; GRANT g_mid TO ann; GRANT g_mid TO su2;
    GRANT app TO joe; CREATE ROLE root SUPERUSER LOGIN; CREATE ROLE daemon LOGIN;";
const USERS: [&str; 13] = [
    "joe",
    "ann",
    "app",
    "su",
    "su2",
    "repl",
    "all",
    "Odd Name",
    "postgres",
    "root",
    "daemon",
    "nobody_here",
    "j\u{f6}rg",
];
const DATABASES: [&str; 9] = ["postgres", "app", "joe", "replication", "all", "missing", "db12", "g_top", "j\u{f6}rg"];
/// Users of the operating system that every Debian has.
const SYSTEM: [(u32, &str); 3] = [(0, "root"), (1, "daemon"), (2, "bin")];

const ADDRESSES: [&str; 23] = [
    "all",
    "all",
    "127.0.0.1/32",
    "::1/128",
    "127.0.0.0/8",
    "samehost",
    "samenet",
    "198.18.41.0/25",
    "198.18.41.0/24",
    "198.18.0.0 255.255.0.0",
    "198.18.0.2 255.255.0.255",
    "fd18::/16",
    "fd18:41::/32",
    "10.9.8.7/32",
    "10.0.0.0/8",
    "db1.pf.test",
    ".pf.test",
    ".PF.test",
    "app.other.test",
    "localhost",
    "0.0.0.0/0",
    "::/0",
    "fd18:99::7 ffff::",
];

fn roles() -> RoleGraph {
    let mut graph = RoleGraph::default();
    for role in
        ["g_top", "g_mid", "app", "postgres", "all", "Odd Name", "joe", "ann", "su", "su2", "repl", "root", "daemon"]
    {
        graph.add(role);
    }
    for (group, member) in [("g_top", "g_mid"), ("g_mid", "ann"), ("g_mid", "su2"), ("app", "joe")] {
        graph.grant(group, member);
    }
    graph
}

fn rule(rng: &mut Rng, version: u16, may_reject: bool) -> String {
    let kinds = ["local", "local", "host", "host", "host", "hostssl", "hostnossl", "hostgssenc", "hostnogssenc"];
    let kind = rng.pick(&kinds);
    let mut databases = vec![
        "all",
        "all",
        "all",
        "postgres",
        "app,joe",
        "sameuser",
        "samerole",
        "samegroup",
        "replication",
        "\"replication\"",
        "\"all\"",
        "missing,db12",
        "+g_top",
        "replication,postgres",
        "@dbs",
    ];
    let mut users = vec![
        "all",
        "all",
        "all",
        "joe,ann",
        "+g_top",
        "+g_mid",
        "+app",
        "\"+app\"",
        "su,su2",
        "\"all\"",
        "\"Odd Name\"",
        "repl",
        "+su",
        "+nobody",
        "root,daemon",
        "@users",
        "nobody_here",
    ];
    let patterns =
        ["/^db[0-9]+$", "/o", "\"/^j\"", "/^(app|joe)$", "/^...$", "/[[:upper:]]", "/^j.rg$", "/\\mo", "/(?i)^ODD"];
    if version >= 16 {
        databases.extend(patterns);
        users.extend(patterns);
    }
    let mut methods = vec!["password", "md5", "scram-sha-256"];
    if may_reject {
        methods.push("reject");
    }
    if version >= 17 {
        methods.push("trust");
    }
    let address = if kind == "local" { "" } else { rng.pick(&ADDRESSES) };
    if kind == "local" && rng.one_in(2) {
        methods = vec!["peer", "peer map=m", "peer map=n", "peer map=none"];
    }
    format!("{kind} {} {} {address} {}", rng.pick(&databases), rng.pick(&users), rng.pick(&methods))
}

fn hba_text(rng: &mut Rng, version: u16) -> String {
    let mut text = String::new();
    let mut rejected = false;
    for _ in 0..4 + rng.below(14) {
        let line = rule(rng, version, !rejected);
        rejected |= line.contains("reject");
        text.push_str(&line);
        text.push_str(rng.pick(&["\n", "\n", "\n# note\n", "\n\n"]));
    }
    text
}

fn ident_text(rng: &mut Rng, version: u16) -> String {
    let mut system =
        vec!["root", "daemon", "/^(.*)$", "/^r(.*)t$", "/^(ro*)t$", "/o", "bin", "\"/^(root)\"", "/^(a)?root$"];
    system.retain(|s| !s.contains("?root") || rng.one_in(4));
    let roles =
        ["root", "daemon", "joe", "\\1", "j\\1e", "\\1t", "all", "+g_top", "+app", "/^j", "\"all\"", "\"+app\"", "su"];
    let count = rng.below(6);
    let lines: Vec<String> = (0..count)
        .map(|_| format!("{} {} {}\n", rng.pick(&["m", "m", "n"]), rng.pick(&system), rng.pick(&roles)))
        .collect();
    let mut text = lines.concat();
    if version >= 16 && rng.one_in(2) {
        text.push_str("m root +g_mid\n");
    }
    text
}

/// What the server did, from its log.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Line(u32),
    Rejected,
    NoEntry,
    /// Let in, by a line that is not named.
    Unnamed,
}

fn number_after(text: &str, mark: &str) -> Option<u32> {
    let rest = &text[text.find(mark)? + mark.len()..];
    rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok()
}

fn seen(log: &str) -> Seen {
    if log.contains("no pg_hba.conf entry for") {
        return Seen::NoEntry;
    }
    if log.contains("pg_hba.conf rejects") {
        return Seen::Rejected;
    }
    let marks = ["Connection matched pg_hba.conf line ", "/pg_hba.conf\" line ", "/pg_hba.conf:"];
    marks.into_iter().find_map(|mark| number_after(log, mark)).map_or(Seen::Unnamed, Seen::Line)
}

struct Case {
    which: usize,
    ask: serde_json::Value,
    connection: Connection,
    client_name: Option<ClientName>,
    system_user: &'static str,
}

fn case(rng: &mut Rng, has_tls: bool) -> Case {
    let user = rng.pick(&USERS).to_owned();
    let named = rng.pick(&DATABASES).to_owned();
    let replication = ["", "", "", "", "true", "database"][rng.below(6)];
    let database = if replication == "true" { Database::PhysicalReplication } else { Database::Named(named.clone()) };
    let (uid, system_user) = SYSTEM[rng.below(SYSTEM.len())];
    let mut ask =
        serde_json::json!({"user": user, "database": named, "replication": replication, "tls": false, "uid": uid});
    if rng.one_in(3) {
        let connection = Connection { via: Via::Local, database, user };
        return Case { which: 0, ask, connection, client_name: None, system_user };
    }
    let (which, source, host) = SOURCES[rng.below(SOURCES.len())];
    let tls = has_tls && rng.one_in(3);
    ask["source"] = serde_json::json!(source);
    ask["host"] = serde_json::json!(host);
    ask["tls"] = serde_json::json!(tls);
    let addr = source.parse().expect("an address");
    let name = NAMES.iter().find(|(a, _)| *a == source).map(|(_, name)| (*name).to_owned());
    let client_name = name.map(|name| ClientName { name, addresses: vec![addr] });
    let connection = Connection { via: Via::Host { addr, tls, gss: false }, database, user };
    Case { which, ask, connection, client_name, system_user }
}

/// Runs `n` log-ins against one server.
fn log_ins(version: u16, has_tls: bool, n: usize, seed: u64) {
    let mut rng = Rng::new(seed ^ 0x10 << 32 ^ u64::from(version));
    let mut site = Site::start(version, has_tls, ROLES);
    std::fs::write(site.dir.join("data/dbs"), "app\n\"all\" db12\n").expect("write");
    std::fs::write(site.dir.join("data/users"), "+app, su2\n").expect("write");
    let graph = roles();
    let mut tally: BTreeMap<String, usize> = BTreeMap::new();
    let mut failures = Vec::new();
    for i in 0..n {
        if i % 40 == 0 {
            let (hba, ident) = (hba_text(&mut rng, version), ident_text(&mut rng, version));
            site.reload(&hba, &ident);
        }
        let disk = Disk::default();
        let path = site.hba_path();
        let hba = hba::parse(&disk.read(&path).expect("our own file"), &disk, version).tree;
        assert!(hba.is_accepted(), "{:?}", hba.unreadable);
        // Most made-up connections fit no line. Three of four are searched until one seems to fit, with a line drawn by lot.
        let wanted = (!rng.one_in(4)).then(|| rng.below(hba.rules.len()));
        let mut tries = 0;
        let (case, ours) = loop {
            let case = case(&mut rng, has_tls);
            let around = Surroundings {
                roles: Ok(&graph),
                interfaces: Ok(&site.interfaces),
                client_name: Ok(case.client_name.clone()),
            };
            let ours = decide(&hba, &case.connection, &around).expect("no gap: all facts are known");
            tries += 1;
            let good_enough = match wanted {
                None => true,
                Some(index) => ours == Decision::Rule(index) || tries > 200 && ours != Decision::NoMatch,
            };
            if good_enough || tries > 600 {
                break (case, ours);
            }
        };
        let (accepted, log) = site.attempt(case.which, case.ask.clone());
        let theirs = seen(&log);
        let verdict = judge(&hba, ours, &theirs, accepted, version);
        let verdict = verdict.and_then(|kind| {
            let maps = maps(&site, &hba, ours, &case, &Ok(&graph));
            if maps.is_some_and(|m| m != accepted) {
                Err(format!("map: we {maps:?}, they {accepted}"))
            } else {
                Ok(kind)
            }
        });
        match verdict {
            Ok(kind) => *tally.entry(kind).or_default() += 1,
            Err(why) => failures.push(format!(
                "{why}\n  {:?}\n  we {ours:?}, they {theirs:?}\n{log}{}\n",
                case.connection,
                std::fs::read_to_string(&path).expect("our own file")
            )),
        }
    }
    let shown: String = failures.iter().take(5).map(String::as_str).collect();
    assert!(failures.is_empty(), "seed {seed}, PostgreSQL {version}: {} of {n} differ\n{shown}", failures.len());
    println!("PostgreSQL {version}: {n} log-ins, all as predicted: {tally:?}");
}

fn judge(hba: &hba::Hba, ours: Decision, theirs: &Seen, accepted: bool, version: u16) -> Result<String, String> {
    let name = |kind: &str| Ok(kind.to_owned());
    let Decision::Rule(index) = ours else {
        return if *theirs == Seen::NoEntry { name("no entry") } else { Err("we say no line fits".to_owned()) };
    };
    let rule = &hba.rules[index];
    let method = rule.method.value.name();
    match theirs {
        Seen::Line(line) if *line == rule.line => name(method),
        Seen::Rejected if method == "reject" => name(method),
        // 13 does not log by which line it let a client in.
        Seen::Unnamed if accepted && version == 13 && method == "peer" => name("peer, unnamed"),
        _ => Err(format!("we say line {}", rule.line)),
    }
}

/// For `peer`: whether the client is let in.
fn maps(site: &Site, hba: &hba::Hba, ours: Decision, case: &Case, roles: &Fact<&RoleGraph>) -> Option<bool> {
    let Decision::Rule(index) = ours else { return None };
    let rule = &hba.rules[index];
    if rule.method.value != hba::Method::Peer {
        return None;
    }
    let disk = Disk::default();
    let bytes = std::fs::read(site.dir.join("data/pg_ident.conf")).expect("our own file");
    let source = disk.sources.add(Origin::File("pg_ident.conf".into()), "pg_ident.conf", bytes);
    let parsed = ident::parse(&source, &disk, site.version).tree;
    let map = rule.settings.as_ref().and_then(|s| s.map.as_deref());
    let ask = MapQuestion { map, system_user: case.system_user, pg_user: &case.connection.user, ignore_case: false };
    // What `(a)?` takes is a gap, on purpose.
    ident_maps(&parsed, &ask, roles).ok()
}

#[test]
fn the_line_that_the_server_logs_is_the_one_we_name() {
    // A log-in costs some 30 ms: more than this would tell little and take long.
    let (seed, n) = (seed(), size(210).min(3000));
    for (version, tls, share) in
        [(15, true, 3), (17, true, 3), (18, false, 6), (16, false, 12), (14, true, 12), (13, true, 12)]
    {
        log_ins(version, tls, n / share, seed);
    }
}
