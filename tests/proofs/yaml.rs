//! How Patroni reads its file.

use std::fs;

use super::dcs::certificate;
use super::starts::{Change, IS_UP, Start, check, mend};
use crate::support::patroni::{Etcd, Patroni, Site, holds};
use crate::support::pg::{Server, write};
use crate::support::proof_site::prove;
use crate::support::record::{self, Stage};

const STARTS: &[Start] = &[
    Start {
        rule: "yaml-parse-error",
        case: "bad-colon-in-value",
        says: "yaml.scanner.ScannerError: mapping values are not allowed here",
        changes: &[(b"pgpass: note: see the wiki", "pgpass: /srv/postgresql/pass")],
    },
    Start {
        rule: "yaml-tab-indent",
        case: "bad-whole-section",
        says: r"found character '\\t' that cannot start any token",
        changes: &[],
    },
    Start {
        rule: "yaml-unquoted-special",
        case: "bad-at",
        says: "found character '@' that cannot start any token",
        changes: &[],
    },
    Start { rule: "yaml-unquoted-star", case: "bad-listen", says: "while scanning an alias", changes: &[] },
    Start {
        rule: "file-not-utf8",
        case: "bad-latin1-password",
        says: "UnicodeDecodeError: 'utf-8' codec can't decode byte 0xfc",
        changes: &[(b"fixture-s\xfc-8Wd", "fixture-sü-8Wd")],
    },
    Start {
        rule: "yaml-too-deep",
        case: "bad-maps",
        says: "RecursionError: maximum recursion depth exceeded",
        changes: &[(b"x-deep:", "x-shallow: {}\n# x-deep:")],
    },
    Start {
        rule: "name-or-scope-not-string",
        case: "bad-name-is-octal",
        says: "AttributeError: 'int' object has no attribute 'encode'",
        changes: &[],
    },
    Start {
        rule: "name-or-scope-not-string",
        case: "bad-scope-is-a-boolean",
        says: "TypeError: sequence item 2: expected str instance, bool found",
        changes: &[],
    },
    Start {
        rule: "log-level-value",
        case: "bad-second-logger",
        says: "ValueError: Unknown level: 'verbose'",
        changes: &[(b"verbose", "DEBUG")],
    },
    Start {
        rule: "dcs-section-missing",
        case: "bad-none",
        says: "Can not find suitable configuration of distributed configuration store",
        changes: &[(b"\nbootstrap:", "\netcd3: {host: '192.0.2.41:2379'}\n\nbootstrap:")],
    },
    Start {
        rule: "yaml-required-key-missing",
        case: "bad-listen",
        says: "KeyError: 'listen'",
        changes: &[(
            b"  connect_address: 192.0.2.11:5432",
            "  listen: 192.0.2.11:5432\n  connect_address: 192.0.2.11:5432",
        )],
    },
    Start {
        rule: "yaml-required-key-missing",
        case: "bad-bootstrap-without-dcs",
        says: "KeyError: 'dcs'",
        changes: &[(b"\nbootstrap:\n", "\nbootstrap:\n  dcs: {ttl: 30}\n")],
    },
    Start {
        rule: "yaml-wrong-type",
        case: "bad-null-section",
        says: "AttributeError: 'NoneType' object has no attribute 'items'",
        changes: &[(b"    replication:", "    replication: {username: replicator, password: fixture}")],
    },
    Start {
        rule: "yaml-wrong-type",
        case: "bad-parameters-list",
        says: "postgresql.parameters is not a dictionary",
        changes: &[(b"    - work_mem=32MB", "    work_mem: 32MB")],
    },
    Start {
        rule: "yaml-wrong-type",
        case: "bad-ttl-word",
        says: "Exception when setting dynamic_configuration.*invalid literal for int\\(\\) with base 10: '30s'",
        changes: &[(b"30s", "30")],
    },
];

#[test]
fn patroni_does_not_start() {
    check(STARTS);
}

#[test]
fn a_file_without_keys_ends_it() {
    let (mut patroni, etcd) = (Patroni::new(), Etcd::start());
    let site = Site::new(etcd.port);
    let cases = ["bad-empty", "bad-only-comments", "bad-word", "good-mapping"];
    for case in cases {
        site.lay("yaml-not-a-mapping", case);
        let said = patroni.run(&site, &["patroni.yml"], IS_UP);
        let is_bad = case.starts_with("bad");
        assert_eq!(holds(&said.log, "patroni.yml does not contain a dict"), is_bad, "{case}: {}", said.log);
        assert_eq!(said.ended == Some(1), is_bad, "{case}: {}", said.log);
        assert_eq!(site.findings("yaml-not-a-mapping").is_empty(), !is_bad, "{case}");
    }
}

#[test]
fn what_stands_for_millions_of_values_takes_all_memory() {
    let (mut patroni, etcd) = (Patroni::new(), Etcd::start());
    let mut site = Site::new(etcd.port);
    site.memory = 60 << 20;
    site.lay("yaml-too-large-when-expanded", "bad-merge-keys");
    let said = patroni.run(&site, &["patroni.yml"], IS_UP);
    assert!(holds(&said.log, "MemoryError"), "{}", said.log);
    assert!(!site.findings("yaml-too-large-when-expanded").is_empty());
    site.memory = 0;
    site.lay("yaml-too-large-when-expanded", "good-small-aliases");
    let said = patroni.run(&site, &["patroni.yml"], IS_UP);
    assert!(holds(&said.log, IS_UP), "{}", said.log);
    assert!(site.findings("yaml-too-large-when-expanded").is_empty());
}

/// A case, the password that the person had in mind who wrote it, what the server answers, the change that the fix asks for.
const LOGINS: &[(&str, &str, &str, &str, &[Change])] = &[
    ("yaml-implicit-bool", "bad-yes", "yes", "password authentication failed for user", &[]),
    ("yaml-implicit-number-or-date", "bad-octal", "0123", "password authentication failed for user", &[]),
    (
        "yaml-implicit-number-or-date",
        "bad-point-in-time",
        "2024-01-31T10:00:00",
        "password authentication failed for user",
        &[],
    ),
    ("yaml-implicit-number-or-date", "bad-float", "1.50", "password authentication failed for user", &[]),
    ("yaml-sexagesimal", "bad-time", "22:30", "password authentication failed for user", &[]),
    (
        "yaml-hash-truncated-value",
        "bad-superuser",
        "fixture 1 #rest",
        "password authentication failed for user",
        &[(b"fixture 1 #rest", "'fixture 1 #rest'")],
    ),
    ("yaml-implicit-null", "bad-superuser-password", "fixture-1", "no password supplied", &[(b"~", "fixture-1")]),
    (
        "generated-config-placeholder",
        "bad-password",
        "fixture-2",
        "password authentication failed for user",
        &[(b"'#FIXME'", "fixture-2")],
    ),
    (
        "yaml-surrogate-escape",
        "bad-pair-of-halves",
        "fixture-\u{1f600}",
        "UnicodeEncodeError: 'utf-8' codec can't encode characters",
        &[],
    ),
    (
        "sslmode-value",
        "bad-word",
        "superuser-fixture",
        "invalid sslmode value: \\\\?\"verify_full",
        &[(b"verify_full", "prefer")],
    ),
];

/// A server that asks everybody on the network for a password, and its role.
fn server() -> Server {
    let server = Server::start(16, |data| {
        write(&data.join("pg_hba.conf"), "local all postgres trust\nhost all all all scram-sha-256\n");
        "listen_addresses = '*'\n".to_owned()
    });
    server.client().query("CREATE ROLE patroni_su LOGIN SUPERUSER");
    server
}

fn site_of(server: &Server) -> Site {
    let site = Site::with_port(1, server.port);
    fs::create_dir(site.dir.join("data")).unwrap();
    crate::support::pg::give(&site.dir.join("data"));
    site
}

#[test]
fn patroni_cannot_log_in() {
    let (mut patroni, server) = (Patroni::new(), server());
    let mut wrong = Vec::new();
    for (rule, case, meant, says, changes) in LOGINS {
        let site = site_of(&server);
        site.lay(rule, case);
        server.client().query(&format!("ALTER ROLE patroni_su PASSWORD '{meant}'"));
        let before = patroni.eval(&site, "patroni.yml", "login()");
        if !holds(&before, says) || site.findings(rule).is_empty() {
            wrong.push(format!("{rule}/{case}: {before}, and we {:?}", site.findings(rule)));
        }
        mend(&site, rule, changes);
        let after = patroni.eval(&site, "patroni.yml", "login()");
        if after != r#"["patroni_su","clear"]"# || !site.findings(rule).is_empty() {
            wrong.push(format!("{rule}/{case}: mended, {after}, and we {:?}", site.findings(rule)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn an_option_by_another_name_is_not_passed_on() {
    let (mut patroni, server) = (Patroni::new(), server());
    let site = site_of(&server);
    let rule = "auth-key-unsupported";
    site.lay(rule, "bad-capital-letter");
    server.client().query("ALTER ROLE patroni_su PASSWORD 'fixture-su-8Wd'");
    assert_eq!(patroni.eval(&site, "patroni.yml", "login()"), r#"["patroni_su","clear"]"#);
    assert!(!site.findings(rule).is_empty());
    mend(&site, rule, &[]);
    let after = patroni.eval(&site, "patroni.yml", "login()");
    assert!(holds(&after, "server does not support SSL, but SSL was required"), "{after}");
    assert!(site.findings(rule).is_empty());
}

/// A case, what is asked of Patroni, what it says, and what it says once the file is mended.
type Value = (&'static str, &'static str, &'static str, [&'static str; 2], &'static [Change]);

const VALUES: &[Value] = &[
    (
        "dynamic-key-in-local-config",
        "bad-ttl",
        "effective()['ttl']",
        ["30", "99"],
        &[(b"billing\nttl: 99\n", "billing\n"), (b"    ttl: 30\n", "    ttl: 99\n")],
    ),
    (
        "yaml-misplaced-key",
        "bad-parameters-at-top",
        "effective()['postgresql']['parameters'].get('work_mem')",
        ["null", "\"32MB\""],
        &[(b"\nparameters:\n  work_mem", "  parameters:\n    work_mem")],
    ),
    (
        "yaml-section-not-indented",
        "bad-parameters",
        "effective()['postgresql']['parameters']['max_connections']",
        ["100", "300"],
        &[
            (b"      max_connections", "        max_connections"),
            (b"      wal_level", "        wal_level"),
            (b"      max_wal_senders", "        max_wal_senders"),
            (b"      shared_preload", "        shared_preload"),
        ],
    ),
    (
        "yaml-duplicate-key",
        "bad-second-ttl",
        "effective()['bootstrap']['dcs']['ttl']",
        ["60", "30"],
        &[(b"    ttl: 60\n", "")],
    ),
    ("tag-nofailover-string", "bad-false", "member.nofailover", ["true", "false"], &[]),
];

#[test]
fn another_value_than_the_written_one_counts() {
    let mut patroni = Patroni::new();
    for (rule, case, asked, [before, after], changes) in VALUES {
        let site = Site::new(1);
        site.lay(rule, case);
        assert_eq!(patroni.eval(&site, "patroni.yml", asked), *before, "{rule}/{case}");
        record::note(Stage::Log, rule, format!("Patroni's own code: {asked} is {before}"));
        assert!(!site.findings(rule).is_empty(), "{rule}/{case}");
        mend(&site, rule, changes);
        assert_eq!(patroni.eval(&site, "patroni.yml", asked), *after, "{rule}/{case}, mended");
        assert_eq!(site.findings(rule), [""; 0], "{rule}/{case}, mended");
    }
}

#[test]
fn a_value_within_itself_cannot_be_kept() {
    let (mut patroni, etcd) = (Patroni::new(), Etcd::start());
    let (site, rule) = (Site::new(etcd.port), "yaml-recursive-alias");
    site.lay(rule, "bad-parameters");
    site.take_over("patroni.yml", 15, false);
    patroni.start(&site, "member", &["patroni.yml"]);
    let fails = "Exception when saving file: .*patroni.dynamic.json.*ValueError: Circular reference detected";
    patroni.expect("member", fails);
    patroni.stop("member");
    assert!(!site.findings(rule).is_empty());
    site.replace("patroni.yml", b"        my.old: *settings\n", "");
    patroni.start(&site, "member", &["patroni.yml"]);
    let said = patroni.expect("member", "no action. I am .pg1., the leader with the lock");
    assert!(!holds(&said.log, fails), "{}", said.log);
    patroni.stop("member");
    assert_eq!(site.findings(rule), [""; 0]);
}

#[test]
fn a_word_that_is_none_of_those_known_means_the_default() {
    let (mut patroni, etcd) = (Patroni::new(), Etcd::start());
    let (site, rule) = (Site::new(etcd.port), "yaml-value-not-allowed");
    site.lay(rule, "bad-verify-client");
    certificate(&site, "rest");
    let file = |end: &str| site.dir.join(format!("rest.{end}")).display().to_string();
    let tls = format!("  certfile: {}\n  keyfile: {}\n  verify_client: yes-please", file("crt"), file("key"));
    site.replace("patroni.yml", b"  verify_client: yes-please", &tls);
    let fails = r#"Bad value in the "restapi.verify_client": yes-please"#;
    let said = patroni.run(&site, &["patroni.yml"], IS_UP);
    assert!(holds(&said.log, fails), "{}", said.log);
    assert!(!site.findings(rule).is_empty());
    mend(&site, rule, &[(b"yes-please", "optional")]);
    let said = patroni.run(&site, &["patroni.yml"], IS_UP);
    assert!(holds(&said.log, IS_UP) && !holds(&said.log, fails), "{}", said.log);
    assert_eq!(site.findings(rule), [""; 0]);
}

#[test]
fn a_key_that_is_not_read() {
    prove("yaml", "a_key_that_is_not_read");
}

#[test]
fn a_variable_that_does_not_count_or_counts_alone() {
    prove("yaml", "a_variable_that_does_not_count_or_counts_alone");
}

#[test]
fn another_number_than_the_written_one() {
    prove("yaml", "another_number_than_the_written_one");
}

#[test]
fn what_patroni_or_its_validator_says() {
    prove("yaml", "what_patroni_or_its_validator_says");
}

#[test]
fn a_key_under_its_old_name_is_read_as_long_as_the_new_one_is_not_there() {
    let (mut patroni, rule) = (Patroni::new(), "deprecated-key");
    let asked = "__import__('patroni.config', fromlist=['x']).Config('patroni.yml')._dynamic_configuration or (lambda g: \
                 (g.update(None, effective().dynamic_configuration), g.primary_start_timeout))(__import__('patroni.global_config', \
                 fromlist=['x']))[1]";
    let site = Site::new(1);
    site.lay(rule, "bad-master-start-timeout");
    site.replace("patroni.yml", b"master_start_timeout: 120", "master_start_timeout: 121");
    assert_eq!(patroni.eval(&site, "patroni.yml", asked), "121");
    assert!(!site.findings(rule).is_empty());
    // Beside the new name the old one does not count.
    site.replace(
        "patroni.yml",
        b"master_start_timeout: 121",
        "master_start_timeout: 121\n    primary_start_timeout: 99",
    );
    assert_eq!(patroni.eval(&site, "patroni.yml", asked), "99");
    site.replace("patroni.yml", b"    master_start_timeout: 121\n", "");
    assert_eq!(patroni.eval(&site, "patroni.yml", asked), "99");
    assert_eq!(site.findings(rule), [""; 0]);
    let mut site = Site::new(1);
    site.lay(rule, "bad-old-variable");
    assert!(!site.findings(rule).is_empty());
    for name in ["PATRONI_LOGLEVEL", "PATRONI_LOG_LEVEL"] {
        site.env = vec![(name.to_owned(), "DEBUG".to_owned())];
        assert_eq!(patroni.eval(&site, "none.yml", "config['log']['level']"), r#""DEBUG""#, "{name}");
    }
    site.write("patroni.env", "PATRONI_LOG_LEVEL=DEBUG\n");
    assert_eq!(site.findings(rule), [""; 0]);
}

#[test]
fn whoever_changes_the_first_of_two_changes_nothing() {
    let (mut patroni, rule) = (Patroni::new(), "yaml-repeated-key");
    let site = Site::new(1);
    site.lay(rule, "bad-scalar");
    let ttl = "effective()['ttl']";
    assert_eq!(patroni.eval(&site, "patroni.yml", ttl), "30");
    assert!(!site.findings(rule).is_empty());
    let twice: &[u8] = b"    ttl: 30\n    ttl: 30\n";
    site.replace("patroni.yml", twice, "    ttl: 60\n    ttl: 30\n");
    assert_eq!(patroni.eval(&site, "patroni.yml", ttl), "30");
    site.replace("patroni.yml", b"    ttl: 60\n    ttl: 30\n", "    ttl: 60\n");
    assert_eq!(patroni.eval(&site, "patroni.yml", ttl), "60");
    assert_eq!(site.findings(rule), [""; 0]);
}

/// A server that speaks TLS and has a certificate that stands for itself.
fn tls_server(version: u16, keys: &Site) -> Server {
    certificate(keys, "server");
    let server = Server::start(version, |data| {
        write(&data.join("pg_hba.conf"), "local all postgres trust\nhost all all all scram-sha-256\n");
        let at = |end: &str| keys.dir.join(format!("server.{end}")).display().to_string();
        format!("listen_addresses = '*'\nssl = on\nssl_cert_file = '{}'\nssl_key_file = '{}'\n", at("crt"), at("key"))
    });
    server.client().query("CREATE ROLE patroni_su LOGIN SUPERUSER PASSWORD 'superuser-fixture'");
    server
}

#[test]
fn patroni_cannot_log_in_with_tls() {
    let (mut patroni, keys) = (Patroni::new(), Site::new(1));
    let server = tls_server(15, &keys);
    let root = format!("sslmode: verify-full\n      sslrootcert: {}", keys.dir.join("server.crt").display());
    let cases: [(&str, &str, &str, &[u8], &str); 2] = [
        (
            "sslmode-without-root-certificate",
            "bad-verify-full",
            "root certificate file .*/.postgresql/root.crt.* does not exist",
            b"sslmode: verify-full",
            &root,
        ),
        ("sslmode-value", "bad-negotiation-before-17", "Error: ", b"      sslnegotiation: direct\n", ""),
    ];
    for (rule, case, says, from, to) in cases {
        let site = site_of(&server);
        site.lay(rule, case);
        let before = patroni.eval(&site, "patroni.yml", "login()");
        assert!(holds(&before, says), "{rule}: {before}");
        assert!(!site.findings(rule).is_empty(), "{rule}");
        site.replace("patroni.yml", from, to);
        assert_eq!(patroni.eval(&site, "patroni.yml", "login()"), r#"["patroni_su","TLS"]"#, "{rule}");
        assert_eq!(site.findings(rule), [""; 0], "{rule}");
    }
}

/// What programs of PostgreSQL get, and what Patroni's own connections do.
#[test]
fn an_option_of_a_newer_postgresql_is_left_out() {
    let (mut patroni, rule) = (Patroni::new(), "auth-key-needs-newer-postgresql");
    let asked = "(lambda pg: [pg.config.format_dsn(pg.config.replication), 'sslcrldir' in pg.connection_pool.conn_kwargs])\
                 (__import__('patroni.postgresql', fromlist=['x']).Postgresql(config['postgresql'], \
                 __import__('patroni.postgresql.mpp', fromlist=['x']).get_mpp(config)))";
    let site = Site::new(1);
    site.lay(rule, "bad-crl-directory");
    // Patroni asks the data directory for its version.
    let data = |version: u16| {
        let _ = fs::create_dir(site.dir.join("data"));
        crate::support::pg::give(&site.dir.join("data"));
        write(&site.dir.join("data/PG_VERSION"), format!("{version}\n"));
    };
    data(13);
    let before = patroni.eval(&site, "patroni.yml", asked);
    assert!(!holds(&before, "sslcrldir="), "{before}");
    assert!(!site.findings(rule).is_empty());
    site.replace_all("patroni.yml", "/pg/13/", "/pg/14/");
    data(14);
    let after = patroni.eval(&site, "patroni.yml", asked);
    assert!(holds(&after, "sslcrldir=[^ ]*/etc/patroni/crl"), "{after}");
    assert_eq!(site.findings(rule), [""; 0]);
    // Patroni's own connections of the superuser have it in any case.
    site.lay(rule, "good-own-connections");
    data(13);
    let own = patroni.eval(&site, "patroni.yml", asked);
    assert!(holds(&own, ",true]"), "{own}");
    assert_eq!(site.findings(rule), [""; 0]);
}

#[test]
fn a_callback_is_called() {
    prove("yaml", "a_callback_is_called");
}
