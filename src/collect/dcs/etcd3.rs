//! etcd through the JSON gateway of its API v3, as Patroni's own driver speaks to it (`dcs/etcd3.py`).

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hyper::header;
use serde_json::{Value as Json, json};
use tokio::task::JoinSet;

use super::place::Place;
use super::{Told, line, scope, silent, status};
use crate::bundle::dcs::{Endpoint, Scope};
use crate::bundle::{Answer, Miss};
use crate::collect::http::{Client, Reply, Url};
use crate::collect::net::{Failure, Kind, Net};
use crate::secret::Secret;

/// A server and what is needed to ask it for keys.
struct Server {
    number: usize,
    url: Url,
    endpoint: Endpoint,
    /// The path that its API begins with, and a client that is logged in.
    ready: Result<(&'static str, Client), Miss>,
}

pub(super) async fn ask(place: Place, scopes: &BTreeSet<String>, net: &Net) -> Told {
    let client = Client::new(&place.tls, net);
    let mut servers = all(&client, &place, place.urls.clone(), true).await;
    let named: BTreeSet<&Url> = place.urls.iter().collect();
    let advertised: BTreeSet<Url> = servers
        .iter()
        .filter_map(|s| s.endpoint.advertised.as_ref()?.got())
        .flatten()
        .filter_map(|text| Url::parse(text, 2379).map(|(url, _)| url))
        .filter(|url| !named.contains(url))
        .collect();
    servers.extend(all(&client, &place, advertised.into_iter().collect(), false).await);
    let mut keys = BTreeMap::new();
    for path in scopes {
        keys.insert(path.clone(), range(&servers, path).await.into());
    }
    Told { endpoints: servers.into_iter().map(|s| s.endpoint).collect(), scopes: keys }
}

/// Asks servers, all at the same time; in the order in which they were named.
async fn all(client: &Client, place: &Place, urls: Vec<Url>, configured: bool) -> Vec<Server> {
    let mut running = JoinSet::new();
    for (number, url) in urls.into_iter().enumerate() {
        let (client, login) = (client.clone(), place.login.clone());
        running.spawn(async move { server(number, url, configured, &client, login).await });
    }
    let mut servers = running.join_all().await;
    servers.sort_by_key(|s| s.number);
    servers
}

async fn server(number: usize, url: Url, configured: bool, client: &Client, login: Option<(String, Secret)>) -> Server {
    let versions = match client.get(&url, "/version").await.and_then(|reply| super::json(&reply, "/version")) {
        Ok(versions) => versions,
        Err(failure) => {
            let miss = Miss::from(failure);
            return Server { number, endpoint: silent(&url, configured, &miss), url, ready: Err(miss) };
        }
    };
    let (healthy, v2, ready) =
        tokio::join!(healthy(client, &url), v2(client, &url), ready(client, &url, &versions, login));
    let (advertised, cluster) = match &ready {
        Ok((prefix, client)) => match members(client, &url, prefix).await {
            Ok((urls, cluster)) => (Answer::Got(urls), cluster),
            Err(miss) => (Answer::Missing(miss), None),
        },
        Err(miss) => (Answer::Missing(miss.clone()), None),
    };
    let version = versions["etcdserver"].as_str().map(str::to_owned).ok_or_else(|| {
        Miss::from(Failure::new(
            Kind::Foreign,
            format!("/version is not that of etcd: {}", line(&versions.to_string())),
        ))
    });
    let endpoint = Endpoint {
        url: url.to_string(),
        configured,
        version: version.into(),
        healthy: healthy.map_err(Miss::from).into(),
        v2: Some(v2.map_err(Miss::from).into()),
        advertised: Some(advertised),
        cluster,
        session_ttl_min: None,
    };
    Server { number, url, endpoint, ready }
}

/// `{"health": "true"}`, also with status 503; newer servers have a boolean there.
pub(super) async fn healthy(client: &Client, url: &Url) -> Result<bool, Failure> {
    let reply = client.get(url, "/health").await?;
    let said: Json = serde_json::from_slice(&reply.body).unwrap_or_default();
    match &said["health"] {
        Json::Bool(healthy) => Ok(*healthy),
        Json::String(text) => Ok(text == "true"),
        _ => Err(status(&reply, "/health")),
    }
}

/// Whether the API of version 2 answers, which servers since 3.4 have only when told so.
pub(super) async fn v2(client: &Client, url: &Url) -> Result<bool, Failure> {
    let reply = client.get(url, "/v2/machines").await?;
    match reply.status {
        200 => Ok(true),
        404 => Ok(false),
        _ => Err(status(&reply, "/v2/machines")),
    }
}

fn numbers(version: &str) -> Option<Vec<u64>> {
    version.split('.').map(|n| n.parse().ok()).collect()
}

/// The beginning of paths (`dcs/etcd3.py:Etcd3Client._ensure_version_prefix`), and whether it is a version with logins.
fn prefix(versions: &Json) -> Result<(&'static str, bool), Failure> {
    let text = |key: &str| versions[key].as_str().unwrap_or_default();
    let (server, cluster) = (text("etcdserver"), text("etcdcluster"));
    if cluster == "not_decided" {
        let words = "its cluster has not agreed on a version: it has not had a majority of its members yet";
        return Err(Failure::new(Kind::Unreachable, words));
    }
    let foreign =
        || Failure::new(Kind::Foreign, format!("/version is not that of etcd: {}", line(&versions.to_string())));
    let (server, cluster) = numbers(server).zip(numbers(cluster)).ok_or_else(foreign)?;
    if cluster < vec![3, 0] || server < vec![3, 0, 4] {
        return Err(Failure::new(Kind::TooOld, "Patroni wants etcd 3.0.4 or later for its API v3"));
    }
    let path = match cluster {
        c if c < vec![3, 3] => return Ok(("/v3alpha", false)),
        c if c < vec![3, 4] => "/v3beta",
        _ => "/v3",
    };
    Ok((path, true))
}

/// Logs in, if the configuration has a name and password.
async fn ready(
    client: &Client,
    url: &Url,
    versions: &Json,
    login: Option<(String, Secret)>,
) -> Result<(&'static str, Client), Miss> {
    let (prefix, has_logins) = prefix(versions)?;
    let Some((name, password)) = login.filter(|_| has_logins) else { return Ok((prefix, client.clone())) };
    let fields = json!({"name": name, "password": password.reveal()});
    match call(client, url, prefix, "/auth/authenticate", fields).await {
        Ok(answer) => match answer["token"].as_str() {
            Some(token) => Ok((prefix, client.clone().with_header(header::AUTHORIZATION, Secret::new(token)))),
            None => Err(Failure::new(Kind::Foreign, "the answer to the login has no token").into()),
        },
        // Patroni goes on without.
        Err(failure) if failure.detail.contains("authentication is not enabled") => Ok((prefix, client.clone())),
        Err(mut failure) => {
            failure.detail = format!("the login as `{name}` fails: {}", failure.detail);
            Err(failure.into())
        }
    }
}

async fn call(client: &Client, url: &Url, prefix: &str, method: &str, fields: Json) -> Result<Json, Failure> {
    let reply = client.post(url, &format!("{prefix}{method}"), fields.to_string()).await?;
    if reply.status < 400 {
        return super::json(&reply, method);
    }
    Err(refusal(&reply, method))
}

/// What a server says when it does not do what it was asked for (`dcs/etcd3.py:_raise_for_data`).
fn refusal(reply: &Reply, method: &str) -> Failure {
    let said: Json = serde_json::from_slice(&reply.body).unwrap_or_default();
    let inner = if said["error"].is_object() { &said["error"] } else { &said };
    let words = ["error", "message"].iter().find_map(|k| inner[*k].as_str());
    let code = ["code", "grpc_code"].iter().find_map(|k| inner[*k].as_u64());
    let Some(words) = words else {
        if reply.status == 404 {
            let words = "its JSON gateway, which Patroni needs, does not answer (is --enable-grpc-gateway off?)";
            return Failure::new(Kind::Denied, words);
        }
        return status(reply, method);
    };
    let login = ["user name is empty", "authentication failed", "invalid auth token", "permission denied"];
    let kind = match code {
        Some(7 | 16) => Kind::Denied,
        _ if login.iter().any(|l| words.contains(l)) => Kind::Denied,
        Some(4) => Kind::TimedOut,
        Some(12) => Kind::TooOld,
        _ => Kind::Unreachable,
    };
    let hint = if words.contains("user name is empty") { " (it wants a user and password)" } else { "" };
    Failure::new(kind, format!("{}{hint}", line(words)))
}

/// The URLs that clients are told, and what the cluster is called.
async fn members(client: &Client, url: &Url, prefix: &str) -> Result<(Vec<String>, Option<String>), Miss> {
    let answer = call(client, url, prefix, "/cluster/member/list", json!({})).await?;
    let members = answer["members"].as_array().map(Vec::as_slice).unwrap_or_default();
    let urls: BTreeSet<String> = members
        .iter()
        .filter_map(|m| m["clientURLs"].as_array())
        .flatten()
        .filter_map(Json::as_str)
        .map(str::to_owned)
        .collect();
    Ok((urls.into_iter().collect(), answer["header"]["cluster_id"].as_str().map(str::to_owned)))
}

/// All keys below a scope, of the first server that answers; read with a majority, as `patronictl` does.
async fn range(servers: &[Server], path: &str) -> Result<Scope, Miss> {
    let base = format!("{path}/");
    let mut last = None;
    for server in servers {
        let result = match &server.ready {
            Ok((prefix, client)) => keys(client, &server.url, prefix, &base).await.map_err(Miss::from),
            Err(miss) => Err(miss.clone()),
        };
        match result {
            Ok(keys) => return Ok(keys),
            // The first refusal says more than a later server that is down.
            Err(miss) if last.as_ref().is_none_or(|l: &Miss| rank(l) < rank(&miss)) => {
                last = Some(Miss { detail: format!("{}: {}", server.url, miss.detail), ..miss });
            }
            Err(_) => {}
        }
    }
    Err(last.unwrap_or_else(|| Failure::new(Kind::NotGiven, "the configuration names no server").into()))
}

fn rank(miss: &Miss) -> u8 {
    use crate::gap::GapReason::{Denied, Unreadable};
    match miss.why {
        Denied => 2,
        Unreadable => 1,
        _ => 0,
    }
}

async fn keys(client: &Client, url: &Url, prefix: &str, base: &str) -> Result<Scope, Failure> {
    let mut end = base.as_bytes().to_vec();
    if let Some(last) = end.last_mut() {
        *last += 1;
    }
    let fields = json!({"key": BASE64.encode(base), "range_end": BASE64.encode(end), "serializable": false});
    let answer = call(client, url, prefix, "/kv/range", fields).await.map_err(|mut failure| {
        if failure.detail.contains("permission denied") {
            failure.detail = format!("{} on keys below {base}", failure.detail);
        }
        failure
    })?;
    let mut found = Vec::new();
    for pair in answer["kvs"].as_array().map(Vec::as_slice).unwrap_or_default() {
        let text = |key: &str| {
            let bytes = BASE64.decode(pair[key].as_str().unwrap_or_default()).ok()?;
            Some(String::from_utf8_lossy(&bytes).into_owned())
        };
        let (key, value) = text("key")
            .zip(text("value"))
            .ok_or_else(|| Failure::new(Kind::Foreign, "a key or value in its answer is not base64"))?;
        if let Some(key) = key.strip_prefix(base) {
            found.push((key.to_owned(), value));
        }
    }
    Ok(scope(found))
}
