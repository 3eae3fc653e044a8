//! Consul has no Debian package, so a small server answers here as its documentation says (`/v1/agent/self`, `/v1/status/leader`,
//! `/v1/kv`).

use patroni_preflight::bundle::Answer;

use super::{Listener, answer, orders, said, store, why};

/// `leader` = `pg1`, `config` with a password, a key of another scope's neighbour, and a directory.
const KEYS: &str = r#"[
 {"LockIndex":0,"Key":"service/orders/","Flags":0,"Value":null,"CreateIndex":1,"ModifyIndex":1},
 {"LockIndex":1,"Key":"service/orders/leader","Flags":0,"Value":"cGcx","Session":"a","CreateIndex":1,"ModifyIndex":1},
 {"LockIndex":0,"Key":"service/orders/config","Flags":0,"Value":"eyJwb3N0Z3Jlc3FsIjp7InBhcmFtZXRlcnMiOnsicHJpbWFyeV9jb25uaW5mbyI6Imhvc3Q9YSBwYXNzd29yZD1maXh0dXJlIn19fQ==","CreateIndex":1,"ModifyIndex":1}
]"#;

fn agent(request: &str) -> String {
    let path = request.split(' ').nth(1).unwrap_or_default();
    let is_known = request.to_ascii_lowercase().contains("x-consul-token: fixture-token");
    match path {
        "/v1/agent/self" if is_known => answer(
            "200 OK",
            "",
            r#"{"Config":{"Datacenter":"dc1","NodeName":"n","Version":"1.18.1"},"DebugConfig":{"SessionTTLMin":"15s"}}"#,
        ),
        "/v1/agent/self" => answer("403 Forbidden", "", "Permission denied: token lacks 'agent:read'"),
        "/v1/status/leader" => answer("200 OK", "", "\"192.0.2.1:8300\""),
        "/v1/kv/service/orders/?recurse=true&consistent&dc=dc%201" if is_known => answer("200 OK", "", KEYS),
        "/v1/kv/service/orders/?recurse=true&consistent" if is_known => answer("404 Not Found", "", ""),
        "/v1/kv/service/orders/?recurse=true&consistent" if request.contains("filtered") => {
            answer("200 OK", "X-Consul-Results-Filtered-By-ACLs: true\r\n", "[]")
        }
        _ if request.contains("fixture-wrong") => answer("403 Forbidden", "", "ACL not found: fixture-wrong"),
        _ => answer("403 Forbidden", "", "Permission denied: token with AccessorID 'x' lacks permission 'key:read'"),
    }
}

#[test]
fn an_agent_is_asked_with_the_token() {
    let (server, requests) = Listener::http(agent);
    let section = |rest: &str| format!("consul:\n  host: 127.0.0.1:{}\n{rest}", server.port);
    let full = store(&section("  token: fixture-token\n  dc: dc 1"));
    let endpoint = &full.endpoints[0];
    assert_eq!(endpoint.version, Answer::Got("1.18.1".to_owned()));
    assert_eq!(endpoint.healthy, Answer::Got(true));
    assert_eq!(endpoint.session_ttl_min, Some(Answer::Got(15_000)));
    let keys = &orders(&full).unwrap().keys;
    assert_eq!(keys.keys().collect::<Vec<_>>(), ["config", "leader"]);
    assert_eq!(keys["leader"], "pg1");
    assert_eq!(keys["config"], r#"{"postgresql":{"parameters":{"primary_conninfo":"host=a password=***"}}}"#);
    let empty = store(&section("  token: fixture-token"));
    assert!(orders(&empty).unwrap().keys.is_empty());
    for (token, says) in [
        ("", "Denied: keys below service/orders/ are refused: Permission denied"),
        ("  token: fixture-wrong", "Denied: keys below service/orders/ are refused: ACL not found: ***"),
        ("  token: filtered", "Denied: its token may not read all keys below service/orders/"),
    ] {
        let store = store(&section(token));
        assert_eq!(store.endpoints[0].healthy, Answer::Got(true));
        assert!(why(&store.endpoints[0].version).starts_with("Denied: /v1/agent/self: status 403"), "{store:?}");
        let said = said(orders(&store).unwrap_err());
        assert!(said.starts_with(says), "{said}");
        assert!(!format!("{store:?}").contains("fixture"), "{store:?}");
    }
    assert!(requests.lock().unwrap().iter().all(|r| r.starts_with("GET ")));
}

#[test]
fn an_agent_without_a_leader_is_not_healthy() {
    let (server, _) = Listener::http(|request| {
        if request.starts_with("GET /v1/status/leader") {
            return answer("200 OK", "", "\"\"");
        }
        answer("500 Internal Server Error", "", "No cluster leader")
    });
    let store = store(&format!("consul:\n  url: http://127.0.0.1:{}", server.port));
    assert_eq!(store.endpoints[0].healthy, Answer::Got(false));
    assert_eq!(said(orders(&store).unwrap_err()), "Unreachable: /v1/kv: status 500: No cluster leader");
}
