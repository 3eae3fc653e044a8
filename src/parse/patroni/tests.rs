//! Pins of what joining does; the oracle compares the whole with Patroni.

use super::*;
use crate::parse::unit::{Variable, parse_env_file};
use crate::parse::yaml::parse;
use crate::source::{Source, Spanned};

pub(super) fn load(text: &str) -> Patroni {
    Patroni::load_file(&parse(&Source::lone("p", text)).tree, &[], Version::LATEST).tree
}

fn with_env(text: &str, env: &str) -> crate::problem::Parsed<Patroni> {
    let env = parse_env_file(&Source::lone("env", env)).tree;
    Patroni::load_file(&parse(&Source::lone("p", text)).tree, &env, Version::LATEST)
}

fn rules(problems: &[crate::problem::Problem]) -> Vec<String> {
    problems.iter().map(|p| p.rule.to_string()).collect()
}

#[test]
fn values_keep_place_and_origin() {
    let text = "scope: a\nname: b\n";
    let loaded = with_env(text, "PATRONI_NAME=c\n");
    let name = loaded.tree.get("name").expect("a name");
    assert_eq!((name.as_str(), name.layer), (Some("c"), Layer::Environment));
    let scope = loaded.tree.get("scope").expect("a scope");
    assert_eq!((scope.layer, &text[scope.span.range()]), (Layer::File, "a"));
    assert_eq!(rules(&loaded.problems), ["env-overrides-file"]);
}

#[test]
fn passwords_are_out_of_sight() {
    let loaded = with_env(
        "postgresql:\n  authentication:\n    superuser: {username: u, password: hunter2}\n  recovery_conf: {primary_conninfo: 'host=a password=hunter2'}\nrestapi:\n  authentication: {username: u, password: 0123}\n",
        "PATRONI_REPLICATION_PASSWORD=hunter2\nPATRONI_CONSUL_TOKEN=hunter2\nPATRONI_ETCD3_HOSTS=a\nPATRONI_ETCD3_PASSWORD=hunter2\n",
    );
    let patroni = loaded.tree;
    assert!(!format!("{patroni:?} {:?}", loaded.problems).contains("hunter2"));
    assert_eq!(patroni.secret_spans().len(), 6);
    let Some(ItemValue::Secret(secret, Type::Int)) = patroni.get("restapi.authentication.password").map(|i| &i.value)
    else {
        panic!("a secret number");
    };
    assert_eq!(secret.reveal(), "83");
    let effective = patroni.effective(None).expect("a configuration");
    assert!(!format!("{effective:?}").contains("hunter2"));
}

#[test]
fn an_etcd_password_alone_is_not_read() {
    let loaded = with_env("etcd3: {host: 'h:1'}\n", "PATRONI_ETCD3_USERNAME=u\n");
    assert_eq!(rules(&loaded.problems), ["env-etcd-credentials-ignored"]);
    assert!(loaded.tree.get("etcd3.username").is_none());
}

#[test]
fn variables_that_nothing_reads_are_reported_with_what_was_meant() {
    let loaded = with_env(
        "scope: a\n",
        "PATRONI_TTL=30\nPATRONI_RESTAPI_LISTN=x\nPATRONI_ETCD_PORTS=1\nPATRONI_LOGLEVEL=INFO\n",
    );
    let said: Vec<(&str, &str)> = loaded
        .problems
        .iter()
        .map(|p| (&*p.rule, p.args.iter().find(|a| a.0 == "suggestion").map_or("", |a| &*a.1)))
        .collect();
    assert!(said.contains(&("env-unknown-variable", "PATRONI_RESTAPI_LISTEN")), "{said:?}");
    assert!(said.contains(&("deprecated-key", "PATRONI_LOG_LEVEL")), "{said:?}");
    assert_eq!(said.iter().filter(|s| s.0 == "env-unknown-variable").count(), 3, "{said:?}");
    assert_eq!(loaded.tree.get("log.level").and_then(Item::as_str), Some("INFO"));
}

#[test]
fn the_whole_configuration_in_a_variable_counts_only_without_a_file() {
    let at = Source::lone("env", "").span(0, 0);
    let env = parse_env_file(&Source::lone("env", "PATRONI_CONFIGURATION='scope: a'\nPATRONI_NAME=b\n")).tree;
    let alone = Patroni::load_environment(&env, Version::LATEST, at);
    assert_eq!((alone.tree.scope().map(|s| s.value), alone.tree.name()), (Some("a"), None));
    assert_eq!(rules(&alone.problems), ["env-patroni-configuration-exclusive"]);
    let over = Patroni::load_file(&parse(&Source::lone("p", "scope: z\n")).tree, &env, Version::LATEST);
    assert_eq!((over.tree.scope().map(|s| s.value), over.tree.name().map(|n| n.value)), (Some("z"), Some("b")));
    assert_eq!(rules(&over.problems), ["env-patroni-configuration-exclusive"]);
}

#[test]
fn the_place_in_the_dcs_is_built_as_patroni_builds_it() {
    let path = |text: &str| load(&format!("{text}etcd3: {{host: 'h:1'}}\nscope: s\n")).dcs_path();
    assert_eq!(path(""), Some("/service/s".into()));
    assert_eq!(path("namespace: //a//b/\n"), Some("/a/b/s".into()));
    assert_eq!(path("namespace: /\n"), Some("/s".into()));
    assert_eq!(path("namespace: 5\n"), None);
}

#[test]
fn the_first_dcs_section_by_name_is_taken() {
    assert_eq!(load("etcd3: {host: a}\netcd: {host: b}\n").dcs_kind(), Some("etcd"));
    assert_eq!(load("zookeeper: {exhibitor: {hosts: [a], port: 1}}\nraft: {}\n").dcs_kind(), Some("exhibitor"));
    assert_eq!(load("scope: a\n").dcs_kind(), None);
}

#[test]
fn a_file_that_is_no_map_ends_patroni() {
    let parsed = Patroni::load_file(&parse(&Source::lone("p", "- a\n")).tree, &[], Version::LATEST);
    assert_eq!(rules(&parsed.problems), ["yaml-not-a-mapping"]);
    assert_eq!(parsed.tree.effective(None).expect_err("a crash").exception, "ConfigParseError");
}

#[test]
fn an_alias_bomb_is_cut_off() {
    use std::fmt::Write as _;
    let mut text = String::from("a0: &a0 [x, x]\n");
    for i in 1..40 {
        writeln!(text, "a{i}: &a{i} [*a{0}, *a{0}]", i - 1).expect("a String takes all");
    }
    text.push_str("scope: s\n");
    let begin = std::time::Instant::now();
    let parsed = Patroni::load_file(&parse(&Source::lone("p", text)).tree, &[], Version::LATEST);
    assert_eq!(rules(&parsed.problems), ["yaml-too-large-when-expanded"]);
    assert!(!parsed.tree.is_complete());
    assert!(begin.elapsed().as_secs() < 2, "{:?}", begin.elapsed());
}

#[test]
fn what_contains_itself_is_cut_off() {
    let parsed = Patroni::load_file(&parse(&Source::lone("p", "tags: &t\n  x: *t\n")).tree, &[], Version::LATEST);
    assert!(!parsed.tree.is_complete(), "the YAML parser has refused it");
    assert!(parsed.tree.effective(None).is_err());
}

#[test]
fn many_keys_are_joined_in_good_time() {
    use std::fmt::Write as _;
    let mut text = String::new();
    for i in 0..200_000 {
        writeln!(text, "k{i}: {i}").expect("a String takes all");
    }
    let tree = parse(&Source::lone("p", text)).tree;
    let begin = std::time::Instant::now();
    let name = Spanned::new("PATRONI_NAME".to_owned(), Source::lone("e", "").span(0, 0));
    let env = [Variable::new(name.clone(), name)];
    assert_eq!(Patroni::load_file(&tree, &env, Version::LATEST).tree.root().pairs().len(), 200_001);
    assert!(begin.elapsed().as_secs() < 5, "{:?}", begin.elapsed());
}
