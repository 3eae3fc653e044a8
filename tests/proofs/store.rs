//! Proofs of the rules over what stores answer: keys of another life, servers that are not there, who comes first.

use super::on_site::{
    Checked, DEMOTED, check, check_of, edit, patronictl, wait_for, wait_for_demotion, wait_for_leader,
};
use crate::support::record::says;
use crate::support::site::Site;

/// Asks the JSON gateway of etcd, on a host of the site; parts of the request between `<` and `>` go in base64.
fn gateway(site: &Site, path: &str, request: &str) -> String {
    const ASK: &str = r"
import base64, re, sys, urllib.request
text = re.sub('<([^>]*)>', lambda m: base64.b64encode(m[1].encode()).decode(), sys.argv[2])
print(urllib.request.urlopen('http://10.77.0.21:2379/v3/' + sys.argv[1], text.encode(), timeout=5).read().decode())
";
    site.must("pg1", "postgres", &["python3", "-c", ASK, path, request])
}

/// Puts a key below the scope of the cluster.
fn put(site: &Site, key: &str, value: &str) {
    gateway(site, "kv/put", &format!("{{\"key\": \"</service/orders/{key}>\", \"value\": \"<{value}>\"}}"));
}

/// `patronictl remove`, as it is printed, with the answers to its questions.
fn remove(site: &Site, checked: &Checked, rule: &str) {
    // The report breaks lines where it likes.
    let block: Vec<&str> = checked.finding(rule, "").split_whitespace().collect();
    let words = block.join(" ");
    assert!(words.contains("`patronictl -c patroni.yml remove orders`"), "{words}");
    let text = "printf 'orders\\nYes I am aware\\n' | patronictl -c /etc/patroni/pg1.yml remove orders";
    site.must("pg1", "postgres", &["sh", "-c", text]);
}

fn identifier(site: &Site) -> String {
    site.sql("pg1", "SELECT system_identifier FROM pg_control_system()")
}

fn is_down(site: &Site, member: &str) -> bool {
    site.try_sql(member, "postgres", "SELECT 1").is_err()
}

#[test]
fn keys_of_another_life_stop_a_server() {
    let site = Site::of(15).start();
    let own = identifier(&site);
    put(&site, "initialize", "7000000000000000001");
    let before = check(&site);
    before.finding("dcs-initialize-mismatch", "Patroni will exit and stop this server");
    assert!(before.text.contains("\n  pg1  YES: dcs-initialize-mismatch"), "{}", before.text);
    site.start_patroni("pg1");
    wait_for(&site, "pg1", "CRITICAL: system ID mismatch, node pg1 belongs to a different cluster");
    site.wait("the server to be stopped", 20, || is_down(&site, "pg1"));
    remove(&site, &before, "dcs-initialize-mismatch");
    site.start_postgres("pg1");
    check(&site).is_silent(&["dcs-initialize-mismatch"]);
    // A history that is ahead.
    put(&site, "initialize", &own);
    put(&site, "history", r#"[[1, 67108864, "x"], [4, 83886080, "x"]]"#);
    let before = check(&site);
    before.finding("dcs-history-ahead", "ends with timeline 5, pg1 is on timeline 1");
    site.start_patroni("pg1");
    wait_for(&site, "pg1", "My timeline 1 is behind last known cluster timeline 5");
    wait_for(&site, "pg1", "promoted self to leader by acquiring session lock");
    wait_for_leader(&site, "pg1");
    site.stop_patroni("pg1");
    remove(&site, &before, "dcs-history-ahead");
    site.start_postgres("pg1");
    check(&site).is_silent(&["dcs-history-ahead"]);
    // Somebody else has the lock.
    put(&site, "initialize", &own);
    put(&site, "leader", "stranger");
    let before = check(&site);
    let is_standby = site.sql("pg1", "SELECT pg_is_in_recovery()") == "t";
    assert!(!is_standby, "the server is no primary: {}", site.logs());
    before.finding("dcs-leader-held-by-other", "stranger holds the leader lock");
    let so_far = site.patroni_log("pg1").len();
    site.start_patroni("pg1");
    site.wait("the demotion", 20, || site.patroni_log("pg1")[so_far..].contains("Demoting self (immediate-nolock)"));
    says(&site.patroni_log("pg1")[so_far..], "Demoting self (immediate-nolock)");
    site.stop_patroni("pg1");
    // As it says: another scope.
    edit(&site, "pg1", "scope: orders\n", "scope: orders2\n");
    check(&site).is_silent(&["dcs-leader-held-by-other"]);
    let so_far = site.patroni_log("pg1").len();
    site.start_patroni("pg1");
    wait_for_leader(&site, "pg1");
    assert!(!site.patroni_log("pg1")[so_far..].contains("Demoting self"), "{}", site.logs());
}

#[test]
fn a_standby_that_comes_first_is_promoted() {
    let site = Site::of(15).standbys(1).start();
    check_of(&site, &["pg2"]).finding("start-order-standby-first", "pg2 is a standby of 10.77.0.11");
    check(&site).finding("start-primary-first", "start Patroni on pg1 first, and on pg2 once pg1 leads");
    site.start_patroni("pg2");
    wait_for(&site, "pg2", "promoted self to leader by acquiring session lock");
    site.wait("the promotion", 20, || site.sql("pg2", "SELECT pg_is_in_recovery()") == "f");
    assert_eq!(site.sql("pg1", "SELECT pg_is_in_recovery()"), "f");
    check(&site).finding("two-primaries", "both run as primaries of one cluster");
    site.start_patroni("pg1");
    wait_for(&site, "pg1", "Demoting self (immediate-nolock)");
    site.wait("one primary", 30, || !check(&site).has("two-primaries"));
    drop(site);
    // The other way round, as it says.
    let site = Site::of(15).standbys(1).start();
    site.start_patroni("pg1");
    wait_for_leader(&site, "pg1");
    let after = check(&site);
    after.is_silent(&["start-order-standby-first", "start-primary-first", "two-primaries"]);
    check_of(&site, &["pg2"]).is_silent(&["start-order-standby-first"]);
    site.start_patroni("pg2");
    site.wait("the stream", 30, || site.is_led_by("pg1"));
    assert!(!site.patroni_log("pg2").contains("promoted self"), "{}", site.logs());
}

#[test]
fn a_configuration_that_is_left_counts() {
    let site = Site::of(15).start();
    let parameters = r#"{"max_connections": 70, "max_wal_senders": 12, "max_replication_slots": 12, "wal_level": "replica", "wal_keep_size": "64MB"}"#;
    let config = format!(
        r#"{{"pause": true, "ttl": 20, "loop_wait": 1, "retry_timeout": 3, "maximum_lag_on_failover": 1048576, "postgresql": {{"use_pg_rewind": true, "use_slots": true, "parameters": {parameters}}}}}"#
    );
    put(&site, "config", &config);
    let before = check(&site);
    before.finding("bootstrap-dcs-without-effect", "`postgresql.parameters.max_connections`");
    before.finding("dcs-pause-left-on", "the cluster of pg1 is paused");
    before.finding("dcs-stale-keys", "has `config`, and no Patroni of this cluster runs");
    site.start_patroni("pg1");
    wait_for(&site, "pg1", "PAUSE: ");
    wait_for(&site, "pg1", "Changed max_connections from '60' to '70'");
    patronictl(&site, "pg1", before.step("dcs-pause-left-on", "$ "));
    let so_far = site.patroni_log("pg1").len();
    site.wait("a loop", 20, || site.patroni_log("pg1")[so_far..].contains("the leader with the lock"));
    assert!(!site.patroni_log("pg1")[so_far..].contains("PAUSE"), "{}", site.logs());
    edit(&site, "pg1", "max_connections: 60", "max_connections: 70");
    check(&site).is_silent(&["bootstrap-dcs-without-effect", "dcs-pause-left-on", "dcs-stale-keys"]);
}

#[test]
fn nobody_leads_an_empty_member() {
    let site = Site::of(15).start();
    let (data, rule) = (site.plan.data_dir(), "bootstrap-initialize-without-leader");
    put(&site, "initialize", &identifier(&site));
    site.stop_postgres("pg1", "fast");
    site.must("pg1", "postgres", &["sh", "-c", &format!("mv {data} {data}.old && mkdir -m 700 {data}")]);
    let before = check(&site);
    before.finding(rule, "nobody leads it: Patroni will wait for ever");
    site.start_patroni("pg1");
    wait_for(&site, "pg1", "waiting for leader to bootstrap");
    remove(&site, &before, rule);
    wait_for(&site, "pg1", "initialized a new cluster");
    wait_for_leader(&site, "pg1");
    check(&site).is_silent(&[rule]);
}

#[test]
fn etcd_sends_members_to_themselves() {
    let site = Site::of(15).start();
    let words = site.sh("etcd1", "tr '\\0' '\\n' < /proc/$(cat /run/etcd.pid)/cmdline");
    let words: Vec<&str> = words.lines().collect();
    site.stop_etcd("etcd1");
    let mut local: Vec<String> = words.iter().map(|w| (*w).to_owned()).collect();
    let at = local.iter().position(|w| w == "--advertise-client-urls").expect("an option");
    local[at + 1] = "http://localhost:2379".to_owned();
    let text = "setsid \"$@\" >> /var/log/etcd/etcd.log 2>&1 < /dev/null & echo $! > /run/etcd.pid";
    let start = [vec!["sh", "-c", text, "sh"], local.iter().map(String::as_str).collect()].concat();
    site.must("etcd1", "root", &start);
    let mut before = check(&site);
    site.wait("etcd", 20, || {
        before = check(&site);
        before.has("dcs-advertised-urls")
    });
    before.finding("dcs-advertised-urls", "tells its clients to use http://localhost:2379");
    site.start_patroni("pg1");
    wait_for(&site, "pg1", "Selected new etcd server http://localhost:2379");
    wait_for(&site, "pg1", "EtcdConnectionFailed: No more machines in the cluster");
    site.sh("pg1", "kill -KILL $(cat /run/patroni/patroni.pid) 2> /dev/null || true");
    site.stop_etcd("etcd1");
    site.start_etcd("etcd1");
    site.wait("etcd", 20, || !check(&site).has("dcs-advertised-urls"));
    site.start_patroni("pg1");
    wait_for_leader(&site, "pg1");
    check(&site).is_silent(&["dcs-advertised-urls"]);
}

#[test]
fn etcd_lets_nobody_in() {
    let site = Site::of(15).start();
    for (path, request) in [
        ("auth/user/add", r#"{"name": "root", "password": "root-pw"}"#),
        ("auth/role/add", r#"{"name": "root"}"#),
        ("auth/user/grant", r#"{"user": "root", "role": "root"}"#),
        ("auth/user/add", r#"{"name": "patroni", "password": "etcd-pw"}"#),
        ("auth/role/add", r#"{"name": "patroni"}"#),
        ("auth/user/grant", r#"{"user": "patroni", "role": "patroni"}"#),
        ("auth/enable", "{}"),
    ] {
        gateway(&site, path, request);
    }
    check(&site).finding("dcs-etcd-auth-failed", "etcd refuses `nobody`");
    site.start_patroni("pg1");
    wait_for(&site, "pg1", "Username or password not set, authentication is not possible");
    site.kill_patroni("pg1");
    edit(&site, "pg1", "etcd3:\n", "etcd3:\n  username: patroni\n  password: another\n");
    check(&site).finding("dcs-etcd-auth-failed", "etcd refuses `patroni`");
    site.start_patroni("pg1");
    wait_for(&site, "pg1", "Etcd3 authentication failed");
    site.sh("pg1", "kill -KILL $(cat /run/patroni/patroni.pid) 2> /dev/null || true");
    edit(&site, "pg1", "  password: another\n", "  password: etcd-pw\n");
    let after = check(&site);
    after.is_silent(&["dcs-etcd-auth-failed"]);
    after.finding("dcs-etcd-permission", "`patroni` may not read /service/orders in etcd");
    site.start_patroni("pg1");
    wait_for(&site, "pg1", "permission denied");
    site.kill_patroni("pg1");
    // `etcdctl role grant-permission patroni readwrite --prefix /service/orders/`
    let login = gateway(&site, "auth/authenticate", r#"{"name": "root", "password": "root-pw"}"#);
    let token = login.split("\"token\":\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a token");
    let grant = format!(
        "printf '{{\"name\": \"patroni\", \"perm\": {{\"permType\": \"READWRITE\", \"key\": \"%s\", \"range_end\": \"%s\"}}}}' $(printf /service/orders/ | base64) $(printf /service/orders0 | base64) | curl -sSf -H 'Authorization: {token}' -d @- http://10.77.0.21:2379/v3/auth/role/grant"
    );
    site.sh("pg1", &grant);
    check(&site).is_silent(&["dcs-etcd-permission", "dcs-etcd-auth-failed"]);
    site.start_patroni("pg1");
    wait_for_leader(&site, "pg1");
}

#[test]
fn a_name_that_is_taken() {
    let site = Site::of(15).start();
    put(
        &site,
        "members/pg1",
        r#"{"api_url": "http://10.77.0.11:8008/patroni", "conn_url": "postgres://10.77.0.11:5432/postgres"}"#,
    );
    let serve = "setsid python3 -m http.server 8008 > /dev/null 2>&1 < /dev/null & echo $! > /run/other.pid";
    site.sh("pg1", serve);
    site.wait("the other", 10, || site.rest("pg1", "/").is_some());
    let before = check(&site);
    before.finding("dcs-name-already-running", "something answers there that is not this member");
    site.start_patroni("pg1");
    wait_for(&site, "pg1", "Can't start; there is already a node named 'pg1' running");
    assert!(!is_down(&site, "pg1"));
    site.sh("pg1", "kill -KILL $(cat /run/other.pid)");
    site.wait("the other to go", 10, || site.rest("pg1", "/").is_none());
    check(&site).is_silent(&["dcs-name-already-running"]);
    site.start_patroni("pg1");
    wait_for_leader(&site, "pg1");
}

#[test]
fn no_server_of_the_store_answers() {
    let site = Site::of(15).etcd(3).start();
    site.stop_etcd("etcd3");
    let before = check(&site);
    before.finding("dcs-server-unhealthy", "server http://10.77.0.23:2379 of the store cannot be used");
    before.is_silent(&["dcs-unreachable-at-start"]);
    for host in ["etcd1", "etcd2"] {
        site.stop_etcd(host);
    }
    check(&site).finding("dcs-unreachable-at-start", "none of the servers of etcd3 can be used");
    site.start_patroni("pg1");
    wait_for(&site, "pg1", "waiting on etcd");
    for host in ["etcd1", "etcd2"] {
        site.start_etcd(host);
    }
    wait_for_leader(&site, "pg1");
    check(&site).is_silent(&["dcs-unreachable-at-start"]);
    // One more is too many.
    site.stop_etcd("etcd2");
    wait_for_demotion(&site, "pg1");
    for host in ["etcd2", "etcd3"] {
        site.start_etcd(host);
    }
    wait_for_leader(&site, "pg1");
    site.wait("all servers", 20, || !check(&site).has("dcs-server-unhealthy"));
}

#[test]
fn without_the_store() {
    let site = Site::of(15).start();
    let before = check(&site);
    before.finding("failsafe-mode-off", "without the store the leader becomes read-only");
    site.start_patroni("pg1");
    wait_for_leader(&site, "pg1");
    site.stop_etcd("etcd1");
    wait_for_demotion(&site, "pg1");
    site.start_etcd("etcd1");
    wait_for_leader(&site, "pg1");
    patronictl(&site, "pg1", before.step("failsafe-mode-off", "later: "));
    check(&site).is_silent(&["failsafe-mode-off"]);
    site.wait("the members that are asked", 20, || {
        gateway(&site, "kv/range", "{\"key\": \"</service/orders/failsafe>\"}").contains("\"count\"")
    });
    let so_far = site.patroni_log("pg1").len();
    site.stop_etcd("etcd1");
    let says = |words: &str| site.patroni_log("pg1")[so_far..].contains(words);
    site.wait("the failsafe mode", 30, || says("continue to run as a leader because failsafe mode is enabled"));
    assert!(!DEMOTED.into_iter().any(says) && site.sql("pg1", "SELECT pg_is_in_recovery()") == "f", "{}", site.logs());
}

#[test]
fn the_primary_crashes() {
    let site = Site::of(15).standbys(1).start();
    for member in ["pg1", "pg2"] {
        edit(&site, member, "    ttl: 20\n", "    ttl: 20\n    primary_start_timeout: 0\n    member_slots_ttl: 0\n");
    }
    let before = check(&site);
    before.finding("primary-start-timeout-zero", "a crash of the primary fails over at once");
    before.finding("member-slots-ttl-zero", "the slot of a member goes as soon as the member is away");
    site.take_over();
    let slot = "SELECT count(*) FROM pg_replication_slots WHERE slot_name = 'pg2'";
    site.stop_patroni("pg2");
    // As when its key has lived for `ttl`.
    let forget = || gateway(&site, "kv/deleterange", "{\"key\": \"</service/orders/members/pg2>\"}");
    forget();
    site.wait("the slot to go", 30, || site.sql("pg1", slot) == "0");
    patronictl(&site, "pg1", before.step("member-slots-ttl-zero", "later: "));
    site.start_patroni("pg2");
    site.wait("the stream", 30, || site.is_led_by("pg1"));
    let so_far = site.patroni_log("pg1").len();
    let loops = || site.patroni_log("pg1")[so_far..].matches("the leader with the lock").count();
    // The leader remembers the slots of the members that it sees; it must have seen this one with the new setting.
    site.wait("a loop with both", 20, || loops() >= 2);
    site.stop_patroni("pg2");
    forget();
    site.wait("its key to go", 30, || site.cluster("pg1").len() == 1);
    let until = loops() + 4;
    site.wait("some loops", 20, || loops() > until);
    assert_eq!(site.sql("pg1", slot), "1");
    site.start_patroni("pg2");
    site.wait("the stream", 30, || site.is_led_by("pg1"));
    site.kill_postgres("pg1");
    wait_for(&site, "pg1", "Primary crashed. Failing over.");
    site.wait("the other to lead", 40, || site.is_led_by("pg2"));
    patronictl(&site, "pg2", before.step("primary-start-timeout-zero", "later: "));
    check(&site).is_silent(&["primary-start-timeout-zero", "member-slots-ttl-zero"]);
    site.wait("the setting", 20, || site.patroni_log("pg2").contains("the leader with the lock"));
    std::thread::sleep(std::time::Duration::from_secs(6));
    site.kill_postgres("pg2");
    site.wait("recovery", 40, || site.is_led_by("pg2"));
    assert!(!site.patroni_log("pg2").contains("Primary crashed. Failing over."), "{}", site.logs());
}
