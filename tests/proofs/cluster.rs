//! What members tell each other.

use std::fs;
use std::net::TcpStream;
use std::process::Stdio;

use super::starts::{Change, IS_UP, Start, check, mend};
use crate::support::patroni::{Etcd, Patroni, Site, holds};
use crate::support::pg::{Server, pg_command, write};
use crate::support::proof_site::prove;
use crate::support::record::{self, Stage};

#[test]
fn patroni_cannot_read_an_address() {
    check(&[
        Start {
            rule: "address-unusable",
            case: "bad-no-number",
            says: "ValueError: invalid literal for int\\(\\) with base 10: 'pg'",
            changes: &[(b":pg\n", ":5432\n"), (b":rest\n", ":8008\n")],
        },
        Start {
            rule: "listen-missing-port",
            case: "bad-restapi",
            says: r#"Invalid "restapi" config: expected <HOST>:<PORT> for "listen""#,
            changes: &[(b"  listen: 192.0.2.31\n", "  listen: 192.0.2.31:8008\n")],
        },
        Start {
            rule: "listen-missing-port",
            case: "bad-ipv6-in-brackets",
            says: "ValueError: invalid literal for int",
            changes: &[(b"'[2001:db8::31]'", "'[2001:db8::31]:5432'")],
        },
    ]);
}

/// A case, what the others are told, and what they are told once it is mended.
const PUBLISHED: &[(&str, &str, [&str; 2], Change)] = &[
    (
        "pg-connect-address-unusable",
        "bad-localhost",
        ["postgres://LocalHost:", "postgres://127.2.0.31:"],
        (b"connect_address: LocalHost", "connect_address: 192.0.2.31"),
    ),
    (
        "restapi-connect-address-unusable",
        "bad-wildcard",
        ["http://0.0.0.0:", "http://127.2.0.11:"],
        (b"connect_address: 0.0.0.0", "connect_address: 192.0.2.11"),
    ),
];

/// Patroni has told the others of itself.
const IS_KNOWN: &str = "waiting for leader to bootstrap|trying to bootstrap";

#[test]
fn others_are_told_an_address_that_leads_to_themselves() {
    let (mut patroni, etcd) = (Patroni::new(), Etcd::start());
    for (rule, case, told, change) in PUBLISHED {
        let site = Site::new(etcd.port);
        site.lay(rule, case);
        for (round, told) in told.iter().enumerate() {
            patroni.run(&site, &["patroni.yml"], IS_KNOWN);
            let said = patroni.eval(&site, "patroni.yml", "published()");
            assert!(holds(&said, told), "{rule}/{case}: {said}");
            assert_eq!(site.findings(rule).is_empty(), round == 1, "{rule}/{case}");
            if round == 0 {
                mend(&site, rule, &[*change]);
            }
        }
    }
}

#[test]
fn two_members_are_told_by_one_address() {
    let (mut patroni, etcd) = (Patroni::new(), Etcd::start());
    let rule = "duplicate-connect-address";
    let cases: [(&str, Change); 2] = [
        ("bad-copied", (b":5432\n  data_dir", ":5433\n  data_dir")),
        ("bad-second-restapi", (b":8008\n  authentication", ":8009\n  authentication")),
    ];
    for (case, change) in cases {
        let site = Site::new(etcd.port);
        site.lay(rule, case);
        for is_bad in [true, false] {
            for member in ["a", "b"] {
                patroni.run(&site, &[&format!("{member}/patroni.yml")], IS_KNOWN);
            }
            let said = patroni.eval(&site, "a/patroni.yml", "[url for m in sorted(published().values()) for url in m]");
            let urls: Vec<String> = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}"));
            let mut once = urls.clone();
            once.sort();
            once.dedup();
            assert_eq!(once.len() < urls.len(), is_bad, "{case}: {said}");
            if is_bad {
                record::note(Stage::Log, rule, format!("the members' keys in the store: {said}"));
            }
            assert_eq!(site.findings(rule).is_empty(), !is_bad, "{case}");
            if is_bad {
                site.replace("b/patroni.yml", change.0, change.1);
            }
        }
    }
}

#[test]
fn the_second_of_a_name_does_not_start() {
    let (mut patroni, etcd) = (Patroni::new(), Etcd::start());
    let (site, rule) = (Site::new(etcd.port), "duplicate-member-name");
    site.lay(rule, "bad-two-addresses");
    patroni.start(&site, "a", &["a/patroni.yml"]);
    // Its member key is written before that. Both have one data directory here, which is the first one's now.
    patroni.expect("a", "trying to bootstrap");
    site.has_data.set(true);
    let taken = "Can't start; there is already a node named 'bill-a' running";
    let before = patroni.run(&site, &["b/patroni.yml"], IS_UP);
    assert!(holds(&before.log, taken) && before.ended == Some(1), "{}", before.log);
    assert!(!site.findings(rule).is_empty());
    site.replace("b/patroni.yml", b"name: bill-a", "name: bill-b");
    let after = patroni.run(&site, &["b/patroni.yml"], IS_UP);
    assert!(holds(&after.log, IS_UP), "{}", after.log);
    assert_eq!(site.findings(rule), [""; 0]);
    patroni.kill("a");
}

const LEADS: &str = "promoted self to leader by acquiring session lock";
const FOLLOWS: &str = "a secondary, and following a leader";

/// A primary and a standby of one system: the standby is promoted beside it, and joins it once the case is mended.
fn is_promoted_beside_the_primary(
    etcd: &Etcd,
    rule: &str,
    case: &str,
    [primary, standby]: [&str; 2],
    changes: &[Change],
) {
    let mut patroni = Patroni::new();
    let site = Site::new(etcd.port);
    site.lay(rule, case);
    let [primary, standby] = [primary, standby].map(|name| format!("{name}/patroni.yml"));
    site.replace_all(&primary, ",127.0.0.1", "");
    site.replace_all(&standby, ",127.0.0.1", "");
    site.take_over(&primary, 16, false);
    patroni.start(&site, "primary", &[&primary]);
    patroni.expect("primary", LEADS);
    for is_bad in [true, false] {
        site.take_over(&standby, 16, true);
        patroni.start(&site, "standby", &[&standby]);
        let said = patroni.expect("standby", &format!("{LEADS}|{FOLLOWS}"));
        assert_eq!(holds(&said.log, LEADS), is_bad, "{rule}/{case}: {}", said.log);
        assert_eq!(site.findings(rule).is_empty(), !is_bad, "{rule}/{case}");
        patroni.stop("standby");
        if is_bad {
            let still = patroni.wait("primary", FOLLOWS, 0).log;
            assert!(!holds(&still, "demot"), "{still}");
            for (from, to) in changes {
                site.replace(&standby, from, to);
            }
        }
    }
    patroni.stop("primary");
}

#[test]
fn a_standby_of_another_scope_is_promoted() {
    let changes: &[Change] = &[(b"scope: biling", "scope: billing")];
    let members = ["bill-a", "bill-c"];
    is_promoted_beside_the_primary(
        &Etcd::start(),
        "dcs-scope-namespace-inconsistent",
        "bad-slip-in-scope",
        members,
        changes,
    );
}

#[test]
fn a_standby_with_another_store_is_promoted() {
    let etcd = Etcd::start_with("http", &["--enable-v2"]);
    let changes: &[Change] = &[(b"\netcd:", "\netcd3:")];
    is_promoted_beside_the_primary(
        &etcd,
        "dcs-kind-differs-between-members",
        "bad-old-api-on-one",
        ["pg1", "pg3"],
        changes,
    );
}

#[test]
fn a_standby_cluster_without_a_source_is_an_ordinary_one() {
    let (mut patroni, rule) = (Patroni::new(), "standby-cluster-incomplete");
    for is_bad in [true, false] {
        let etcd = Etcd::start();
        let site = Site::new(etcd.port);
        site.lay(rule, "bad-slot-only");
        if !is_bad {
            site.replace(
                "patroni.yml",
                b"      primary_slot_name: dr",
                "      primary_slot_name: dr\n      host: 192.0.2.99",
            );
        }
        site.take_over("patroni.yml", 16, true);
        patroni.start(&site, "member", &["patroni.yml"]);
        let said = patroni.expect("member", &format!("{LEADS}|promoted self to a standby leader"));
        assert_eq!(holds(&said.log, LEADS), is_bad, "{}", said.log);
        assert_eq!(site.findings(rule).is_empty(), !is_bad);
        patroni.stop("member");
    }
}

#[test]
fn another_server_with_the_scope_of_debian_is_refused() {
    let (mut patroni, etcd) = (Patroni::new(), Etcd::start());
    let (site, rule) = (Site::new(etcd.port), "scope-from-debian-cluster-name");
    site.lay(rule, "bad-version-and-main");
    let text = fs::read_to_string(crate::support::path(
        "fixtures/rules/scope-from-debian-cluster-name/bad-version-and-main/input/patroni.yml",
    ));
    let text = text.unwrap().replace("192.0.2.31", "192.0.2.32").replace("bill-a", "bill-b");
    site.lay_text("other/patroni.yml", text.as_bytes());
    for file in ["patroni.yml", "other/patroni.yml"] {
        site.replace_all(file, ",127.0.0.1", "");
    }
    site.take_over("patroni.yml", 16, false);
    patroni.start(&site, "first", &["patroni.yml"]);
    patroni.expect("first", LEADS);
    // The data directories of another version are of another system.
    site.take_over("other/patroni.yml", 15, false);
    patroni.start(&site, "second", &["other/patroni.yml"]);
    let said = patroni.expect("second", &format!("{LEADS}|CRITICAL|following a leader"));
    assert!(
        holds(&said.log, "CRITICAL: system ID mismatch, node bill-b belongs to a different cluster"),
        "{}",
        said.log
    );
    patroni.stop("second");
    assert_eq!(site.findings(rule).len(), 2);
    for (file, scope) in [("patroni.yml", "scope: billing"), ("other/patroni.yml", "scope: orders")] {
        site.replace(file, b"scope: 16/main", scope);
    }
    patroni.start(&site, "second", &["other/patroni.yml"]);
    patroni.expect("second", LEADS);
    assert_eq!(site.findings(rule), [""; 0]);
    patroni.stop("second");
    patroni.stop("first");
}

/// What the server logs, and whether it can be reached at an address, once Patroni has started it.
fn started(patroni: &mut Patroni, site: &Site, address: &str) -> (String, bool) {
    site.take_over("patroni.yml", 16, false);
    patroni.start(site, "member", &["patroni.yml"]);
    let said = patroni.expect("member", "database system is ready to accept connections");
    let reached = TcpStream::connect(address).is_ok();
    patroni.stop("member");
    (said.log, reached)
}

#[test]
fn postgresql_takes_a_port_within_the_list_for_a_part_of_the_name() {
    let (mut patroni, etcd) = (Patroni::new(), Etcd::start());
    let (site, rule) = (Site::new(etcd.port), "listen-multiple-ports");
    site.lay(rule, "bad-same-port-twice");
    let address = format!("127.2.0.31:{}", site.port);
    let (log, reached) = started(&mut patroni, &site, &address);
    assert!(holds(&log, &format!("could not translate host name \"{address}\"")) && !reached, "{log}");
    assert!(!site.findings(rule).is_empty());
    mend(&site, rule, &[]);
    let (log, reached) = started(&mut patroni, &site, &address);
    assert!(!holds(&log, "could not translate host name") && reached, "{log}");
    assert_eq!(site.findings(rule), [""; 0]);
}

#[test]
fn the_server_does_not_listen_where_others_are_sent() {
    let (mut patroni, etcd) = (Patroni::new(), Etcd::start());
    let (site, rule) = (Site::new(etcd.port), "listen-narrower-than-connect-address");
    site.lay(rule, "bad-localhost-alone");
    let address = format!("127.2.0.31:{}", site.port);
    let (log, reached) = started(&mut patroni, &site, &address);
    assert!(!reached, "{log}");
    assert!(!site.findings(rule).is_empty());
    mend(&site, rule, &[(b"listen: localhost,", "listen: 192.0.2.31,")]);
    let (log, reached) = started(&mut patroni, &site, &address);
    assert!(reached, "{log}");
    assert_eq!(site.findings(rule), [""; 0]);
}

#[test]
fn the_rest_api_does_not_get_the_port_of_the_server() {
    let (mut patroni, etcd) = (Patroni::new(), Etcd::start());
    let server = Server::start(15, |data| {
        write(&data.join("pg_hba.conf"), "local all all trust\nhost all all all trust\n");
        "listen_addresses = '127.20.0.11'\n".to_owned()
    });
    let (site, rule) = (Site::with_port(etcd.port, server.port), "restapi-port-in-use");
    site.lay(rule, "bad-every-address");
    let said = patroni.run(&site, &["patroni.yml"], IS_UP);
    let refused = format!("Couldn't start a service on '0.0.0.0:{}', please check", server.port);
    assert!(holds(&said.log, &refused) && said.ended == Some(1), "{}", said.log);
    assert!(!site.findings(rule).is_empty());
    mend(
        &site,
        rule,
        &[(
            b"  listen: 0.0.0.0:5432\n  connect_address: 10.20.0.11:5432",
            "  listen: 0.0.0.0:8008\n  connect_address: 10.20.0.11:8008",
        )],
    );
    let said = patroni.run(&site, &["patroni.yml"], IS_UP);
    assert!(holds(&said.log, IS_UP), "{}", said.log);
    assert_eq!(site.findings(rule), [""; 0]);
}

#[test]
fn time_limits() {
    prove("cluster", "time_limits");
}

#[test]
fn the_watchdog() {
    prove("cluster", "the_watchdog");
}

#[test]
fn how_a_cluster_begins() {
    prove("cluster", "how_a_cluster_begins");
}

#[test]
fn the_rest_api() {
    prove("cluster", "the_rest_api");
}

#[test]
fn pg_rewind_and_the_archive() {
    crate::support::proof::prove("cluster", "pg_rewind_and_the_archive");
}

/// Writes to a data directory what no other member has.
fn go_its_own_way(data: &std::path::Path, version: u16, wal_log_hints: &str) {
    let run = |program: &str, args: &[&str]| {
        let out = pg_command(version, program).args(args).stdin(Stdio::null()).output().expect(program);
        assert!(out.status.success(), "{program}: {}", String::from_utf8_lossy(&out.stderr));
    };
    let at = data.display().to_string();
    let home = data.parent().expect("a directory").display().to_string();
    let options =
        format!("-p 6001 -c listen_addresses= -c wal_log_hints={wal_log_hints} -c unix_socket_directories={home}");
    run("pg_ctl", &["-s", "-w", "-D", &at, "-l", &format!("{home}/log"), "-o", &options, "start"]);
    run(
        "psql",
        &["-qXh", &home, "-p", "6001", "-U", "postgres", "-c", "CREATE TABLE lost ()", "-c", "CHECKPOINT", "postgres"],
    );
    run("pg_ctl", &["-s", "-w", "-D", &at, "stop"]);
}

/// A case, its major, `wal_log_hints` of the former primary, the fix, and what is said before and after it.
type Diverged = (&'static str, &'static str, u16, &'static str, Change, [&'static str; 2]);

/// A former primary joins a cluster whose leader has gone on without its last changes.
#[test]
fn a_member_that_has_gone_its_own_way() {
    let mut patroni = Patroni::new();
    let forked = "new timeline 2 forked off current database system timeline 1 before current recovery point";
    let rewinds = "running pg_rewind from .*pg_rewind exit code=0";
    let removes = "reinitializing due to diverged timelines.*[Rr]emoving data directory";
    let stays = "waiting for WAL(.*no action. I am .bill-a., a secondary, and following a leader){6}";
    let cases: [Diverged; 2] = [
        ("rewind-disabled", "bad-false", 15, "on", (b"use_pg_rewind: false", "use_pg_rewind: true"), [forked, rewinds]),
        (
            "remove-data-dir-options",
            "bad-second-local",
            16,
            "off",
            (b"  remove_data_directory_on_diverged_timelines: true\n", ""),
            [removes, stays],
        ),
    ];
    for (rule, case, version, hints, change, [before, after]) in cases {
        for is_bad in [true, false] {
            let etcd = Etcd::start();
            let site = Site::new(etcd.port);
            site.lay(rule, case);
            if !is_bad {
                site.replace("patroni.yml", change.0, change.1);
            }
            assert_eq!(site.findings(rule).is_empty(), !is_bad, "{rule}/{case}");
            let text =
                fs::read_to_string(crate::support::path(&format!("fixtures/rules/{rule}/{case}/input/patroni.yml")));
            let text = text.unwrap().replace("192.0.2.11", "192.0.2.39").replace("192.0.2.31", "192.0.2.39");
            let text = text.replace("name: pg1", "name: other").replace("name: bill-a", "name: other");
            let text = text
                .replace("use_pg_rewind: false", if is_bad { "use_pg_rewind: false" } else { "use_pg_rewind: true" });
            site.lay_text("other/patroni.yml", text.as_bytes());
            for file in ["patroni.yml", "other/patroni.yml"] {
                site.replace_all(file, ",127.0.0.1", "");
                site.take_over(file, version, false);
            }
            go_its_own_way(&site.data_of("patroni.yml"), version, hints);
            patroni.start(&site, "leader", &["other/patroni.yml"]);
            patroni.expect("leader", LEADS);
            patroni.start(&site, "former", &["patroni.yml"]);
            let is = if is_bad { before } else { after };
            let said = patroni.expect("former", is);
            if is == forked {
                patroni.stop("former");
                // It has got the history of the new timeline in the meantime.
                patroni.start(&site, "former", &["patroni.yml"]);
                patroni.expect("former", "requested timeline 2 is not a child of this server's history");
            }
            patroni.kill("former");
            patroni.kill("leader");
            site.end_servers();
            // A server that is to be rewound may run for a moment.
            let is_not = if is_bad { after } else { before };
            assert!(!holds(&said.log, is_not) || is == rewinds, "{rule}, {is_bad}: {}", said.log);
        }
    }
}
