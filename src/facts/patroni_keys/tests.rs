//! Pins of single judgements; real files are in the integration tests.

use super::check_keys;
use crate::knowledge::patroni::Version;
use crate::parse::patroni::Patroni;
use crate::parse::yaml::parse;
use crate::problem::Problem;
use crate::source::Source;

/// What a healthy file needs, so that only the text under test is reported.
const REST: &str =
    "name: n\nscope: s\netcd3: {host: 'h:2379'}\nrestapi: {listen: 'h:8008', connect_address: 'h:8008'}\n";
const POSTGRESQL: &str = "postgresql:\n  listen: 'h:5432'\n  connect_address: 'h:5432'\n  data_dir: /d\n  authentication:\n    replication: {username: r}\n    superuser: {username: p}\n";

fn problems(text: &str, version: Version) -> Vec<Problem> {
    check_keys(&Patroni::load_file(&parse(&Source::lone("p", text)).tree, &[], version).tree)
}

/// Rule, path and suggestion of every problem of a file with these lines behind the `postgresql` section.
fn said(lines: &str) -> Vec<(String, String, String)> {
    let found = problems(&format!("{REST}{POSTGRESQL}{lines}"), Version::LATEST);
    found
        .iter()
        .map(|p| {
            let arg = |name| p.args.iter().find(|a| a.0 == name).map_or(String::new(), |a| a.1.clone());
            (p.rule.to_string(), arg("path"), arg("suggestion"))
        })
        .collect()
}

fn only(lines: &str, rule: &str, path: &str, suggestion: &str) {
    assert_eq!(said(lines), [(rule.to_owned(), path.to_owned(), suggestion.to_owned())], "{lines}");
}

#[test]
fn a_healthy_file_is_silent() {
    assert_eq!(said(""), []);
    assert_eq!(
        said("  parameters: {work_mem: 4MB, my.thing: 1}\ntags: {zone: a, nofailover: false}\nx-anchors: {a: 1}\n"),
        []
    );
}

#[test]
fn methods_that_a_user_has_named_are_silent() {
    let lines = "  create_replica_methods: [wal_e, basebackup]\n  wal_e: {command: x, whatever: 1}\n  basebackup: [{max-rate: 100M}]\nbootstrap:\n  method: clone\n  clone: {command: y, any: 1}\n";
    assert_eq!(said(lines), [("yaml-required-key-missing".into(), "bootstrap.dcs".into(), String::new())]);
}

#[test]
fn slips_get_the_right_name() {
    only("watchdog: {mod: off}\n", "yaml-unknown-key", "watchdog.mod", "mode");
    only("  use_pgrewind: true\n", "yaml-unknown-key", "postgresql.use_pgrewind", "use_pg_rewind");
    only("tagz: {}\n", "yaml-unknown-key", "tagz", "tags");
    only("  callbacks: {on_promote: x}\n", "callback-unknown-event", "postgresql.callbacks.on_promote", "");
    only("  zzzzz: {listen: 1, parameters: {}}\n", "yaml-unknown-key", "postgresql.zzzzz", "");
}

#[test]
fn keys_at_the_wrong_place_get_the_right_one() {
    only("ttl: 30\n", "dynamic-key-in-local-config", "ttl", "bootstrap.dcs.ttl");
    only("  use_slots: true\n", "use-slots-set-locally", "postgresql.use_slots", "bootstrap.dcs.postgresql.use_slots");
    only(
        "bootstrap: {dcs: {postgresql: {listen: a}}}\n",
        "local-only-key-in-dcs",
        "bootstrap.dcs.postgresql.listen",
        "postgresql.listen",
    );
    only("  work_mem: 4MB\n", "yaml-misplaced-key", "postgresql.work_mem", "postgresql.parameters.work_mem");
    only(
        "bootstrap: {dcs: {postgresql: {wal_level: logical}}}\n",
        "yaml-misplaced-key",
        "bootstrap.dcs.postgresql.wal_level",
        "bootstrap.dcs.postgresql.parameters.wal_level",
    );
    only("  ttl: 30\n", "yaml-misplaced-key", "postgresql.ttl", "bootstrap.dcs.ttl");
    only(
        "  restore_command: x\n",
        "yaml-misplaced-key",
        "postgresql.restore_command",
        "postgresql.recovery_conf.restore_command",
    );
}

#[test]
fn types_are_judged_by_what_patroni_does() {
    only("tags: {nofailover: 'false'}\n", "yaml-wrong-type", "tags.nofailover", "");
    only("tags: {nofailover: 'true'}\n", "validator-rejects-harmless-type", "tags.nofailover", "");
    only(
        "bootstrap: {dcs: {synchronous_mode_strict: 'off'}}\n",
        "validator-rejects-harmless-type",
        "bootstrap.dcs.synchronous_mode_strict",
        "",
    );
    assert_eq!(
        said("bootstrap: {dcs: {ttl: '30', synchronous_mode: quorum, failsafe_mode: 'on', member_slots_ttl: 30min}}\n"),
        []
    );
}

#[test]
fn values_out_of_bounds_are_named() {
    only("bootstrap: {dcs: {ttl: 5}}\n", "yaml-value-out-of-range", "bootstrap.dcs.ttl", "");
    only("watchdog: {mode: maybe}\n", "yaml-value-not-allowed", "watchdog.mode", "");
    only("  pg_hba: host all all all md5\n", "yaml-wrong-type", "postgresql.pg_hba", "");
}

#[test]
fn what_a_template_fills_in_has_no_type_yet() {
    assert_eq!(said("bootstrap: {dcs: {ttl: '{{ ttl }}', postgresql: {use_slots: '${SLOTS}'}}}\n"), []);
}

#[test]
fn required_keys_name_the_variable_that_could_stand_in() {
    let found = problems("scope: s\n", Version::LATEST);
    let names: Vec<_> = found.iter().map(|p| (p.rule.to_string(), p.args[1].1.clone())).collect();
    for path in ["name", "restapi", "postgresql"] {
        let is_named = |(rule, paths): &(String, String)| {
            rule == "yaml-required-key-missing" && paths.split(", ").any(|p| p == path)
        };
        assert!(names.iter().any(is_named), "{names:?}");
    }
    assert!(found.iter().any(|p| p.args.iter().any(|(n, v)| n == "variable" && v.contains("PATRONI_NAME"))));
}

#[test]
fn releases_differ() {
    let text = format!(
        "{REST}{POSTGRESQL}tags: {{sync_priority: 1}}\nbootstrap: {{dcs: {{ttl: 30}}, users: {{a: {{password: b}}}}}}\n"
    );
    let rules = |v| problems(&text, v).iter().map(|p| p.rule.to_string()).collect::<Vec<_>>();
    assert_eq!(rules(Version::LATEST), ["removed-key"]);
    assert_eq!(rules(Version::new(4, 0, 5)), ["key-needs-newer-patroni", "removed-key"]);
    let log = format!("{REST}{POSTGRESQL}log: {{type: json}}\n");
    assert_eq!(problems(&log, Version::new(3, 2, 0))[0].rule, "key-needs-newer-patroni");
}

#[test]
fn a_rename_is_offered_where_it_is_certain() {
    let found =
        problems(&format!("{REST}{POSTGRESQL}bootstrap:\n  dcs: {{master_start_timeout: 5}}\n"), Version::LATEST);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].edits[0].text, "primary_start_timeout");
    let both = "bootstrap:\n  dcs: {master_start_timeout: 5, primary_start_timeout: 6}\n";
    assert!(problems(&format!("{REST}{POSTGRESQL}{both}"), Version::LATEST)[0].edits.is_empty());
}

#[test]
fn keys_of_users_are_looked_up() {
    let text = format!("{REST}{}", POSTGRESQL.replace("{username: p}", "{username: p, sslmod: require}"));
    let found = problems(&text, Version::LATEST);
    assert_eq!((found.len(), &*found[0].rule), (1, "auth-key-unsupported"));
    assert_eq!(found[0].edits[0].text, "sslmode");
}
