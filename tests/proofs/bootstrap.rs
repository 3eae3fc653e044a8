//! How a new cluster begins.

use super::starts::{Change, mend};
use crate::support::patroni::{Etcd, Patroni, Site, holds};
use crate::support::proof_site::prove;

#[test]
fn a_method_that_is_not_there_means_initdb() {
    let (mut patroni, rule) = (Patroni::new(), "bootstrap-method-undefined");
    for case in ["bad-no-section", "bad-no-command"] {
        for is_bad in [true, false] {
            let etcd = Etcd::start();
            let site = Site::new(etcd.port);
            site.lay(rule, case);
            if !is_bad {
                let section = "  method: pgbackrest\n  pgbackrest:\n    command: /bin/false restore\n";
                let change: Change = match case {
                    "bad-no-section" => (b"  method: pgbackrest\n", section),
                    _ => (b"  pgbackrest:\n", "  pgbackrest:\n    command: /bin/false restore\n"),
                };
                mend(&site, rule, &[change]);
            }
            let (initdb, restore) =
                ("The files belonging to this database system", "Running custom bootstrap script: /bin/false restore");
            let said = patroni.run(&site, &["patroni.yml"], &format!("{initdb}|{restore}"));
            assert!(holds(&said.log, if is_bad { initdb } else { restore }), "{case}: {}", said.log);
            assert_eq!(site.findings(rule).is_empty(), !is_bad, "{case}");
        }
    }
}

/// A case, what Patroni or initdb says, and what is written instead.
const INITDB: &[(&str, &str, Change)] = &[
    ("bad-dashes", "unrecognized option '----data-checksums'", (b"--data-checksums", "data-checksums")),
    (
        "bad-flag-with-text",
        "option '--data-checksums' doesn't allow an argument",
        (b"data-checksums: \"on\"", "data-checksums"),
    ),
    ("bad-not-in-this-version", "unrecognized option '--no-data-checksums'", (b"no-data-checksums", "data-checksums")),
    ("bad-refused", "pgdata option for initdb is not allowed", (b"pgdata: /srv/pg", "encoding: UTF8")),
    ("bad-second-flag-with-value", "Exception: ", (b"data-checksums: true", "data-checksums")),
    ("bad-two-in-one-item", "Exception: ", (b"      locale", "    - locale")),
    (
        "bad-value-missing",
        "\"--username=patroni_su\" is not a valid server encoding name",
        (b"- encoding\n", "- encoding: UTF8\n"),
    ),
];

#[test]
fn an_option_ends_the_bootstrap() {
    let (mut patroni, rule) = (Patroni::new(), "initdb-options");
    let mut wrong = Vec::new();
    for (case, says, change) in INITDB {
        let etcd = Etcd::start();
        let site = Site::new(etcd.port);
        site.lay(rule, case);
        let failed =
            "removing initialize key after failed attempt to bootstrap the cluster.*Failed to bootstrap cluster";
        let said = patroni.run(&site, &["patroni.yml"], "PatroniFatalException|creating directory");
        if !holds(&said.log, says) || !holds(&said.log, failed) || site.findings(rule).is_empty() {
            wrong.push(format!("{case}: {}", said.log));
        }
        mend(&site, rule, &[*change]);
        let said = patroni.run(&site, &["patroni.yml"], "PatroniFatalException|creating directory");
        if !holds(&said.log, "creating directory") || !site.findings(rule).is_empty() {
            wrong.push(format!("{case}, mended: {}", said.log));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn an_option_of_a_map_without_a_value_is_left_out() {
    let (mut patroni, rule) = (Patroni::new(), "initdb-options");
    for is_bad in [true, false] {
        let etcd = Etcd::start();
        let site = Site::new(etcd.port);
        site.lay(rule, "bad-map-without-value");
        if !is_bad {
            let list = "    - encoding: UTF8\n    - data-checksums\n";
            mend(&site, rule, &[(b"    encoding: UTF8\n    data_checksums:\n", list)]);
        }
        let said = patroni.run(&site, &["patroni.yml"], "Data page checksums are ...abled");
        let word = if is_bad { "disabled" } else { "enabled" };
        assert!(holds(&said.log, &format!("Data page checksums are {word}")), "{}", said.log);
        assert_eq!(site.findings(rule).is_empty(), !is_bad);
    }
}

#[test]
fn nobody_makes_the_cluster() {
    prove("bootstrap", "nobody_makes_the_cluster");
}

#[test]
fn a_replica_is_made() {
    crate::support::proof::prove("bootstrap", "a_replica_is_made");
}

/// The same section makes a new cluster, and does nothing where there is a server.
#[test]
fn initdb_does_not_run_beside_a_server() {
    let (mut patroni, rule) = (Patroni::new(), "bootstrap-section-without-effect");
    for exists in [true, false] {
        let etcd = Etcd::start();
        let site = Site::new(etcd.port);
        site.lay(rule, "bad-initdb-beside-a-server");
        if exists {
            site.take_over("patroni.yml", 16, false);
            patroni.start(&site, "member", &["patroni.yml"]);
            patroni.expect("member", "session lock");
            let checksums = patroni.eval(&site, "patroni.yml", "query('SHOW data_checksums')");
            let said = patroni.kill("member");
            site.end_servers();
            assert!(
                checksums == r#"[["off"]]"# && !holds(&said.log, "trying to bootstrap|belonging to this database"),
                "{}",
                said.log
            );
            assert!(!site.findings(rule).is_empty());
        } else {
            // What initdb makes of these options takes long, and another proof shows it.
            let said = patroni.run(&site, &["patroni.yml"], "trying to bootstrap a new cluster");
            assert!(holds(&said.log, "trying to bootstrap a new cluster"), "{}", said.log);
            site.remove("postgresql.conf");
            assert_eq!(site.findings(rule), [""; 0]);
        }
    }
}
