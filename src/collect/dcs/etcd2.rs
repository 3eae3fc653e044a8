//! etcd through its API of version 2, which the section `etcd` stands for (`dcs/etcd.py`).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;
use tokio::task::JoinSet;

use super::place::Place;
use super::{Told, etcd3, json, line, scope, silent, status};
use crate::bundle::dcs::{Endpoint, Scope};
use crate::bundle::{Answer, Miss};
use crate::collect::http::{Client, Url};
use crate::collect::net::{Failure, Kind, Net};

pub(super) async fn ask(place: Place, scopes: &BTreeSet<String>, net: &Net) -> Told {
    let mut client = Client::new(&place.tls, net);
    if let Some((user, password)) = &place.login {
        client = client.with_basic_auth(user, password);
    }
    let mut endpoints = all(&client, &place.urls, true).await;
    let advertised: BTreeSet<Url> = endpoints
        .iter()
        .filter_map(|e| e.advertised.as_ref()?.got())
        .flatten()
        .filter_map(|text| Url::parse(text, 2379).map(|(url, _)| url))
        .filter(|url| !place.urls.contains(url))
        .collect();
    let advertised: Vec<Url> = advertised.into_iter().collect();
    endpoints.extend(all(&client, &advertised, false).await);
    let mut keys = BTreeMap::new();
    for path in scopes {
        let mut answer = Err(Miss::from(Failure::new(Kind::NotGiven, "the configuration names no server")));
        for (url, endpoint) in place.urls.iter().chain(&advertised).zip(&endpoints) {
            answer = match &endpoint.version {
                Answer::Got(_) => read(&client, url, path).await.map_err(Miss::from),
                Answer::Missing(miss) => Err(miss.clone()),
            };
            if answer.is_ok() {
                break;
            }
        }
        keys.insert(path.clone(), answer.into());
    }
    Told { endpoints, scopes: keys }
}

async fn all(client: &Client, urls: &[Url], configured: bool) -> Vec<Endpoint> {
    let mut running = JoinSet::new();
    for (number, url) in urls.iter().cloned().enumerate() {
        let client = client.clone();
        running.spawn(async move { (number, server(&client, &url, configured).await) });
    }
    let mut found = running.join_all().await;
    found.sort_by_key(|(number, _)| *number);
    found.into_iter().map(|(_, endpoint)| endpoint).collect()
}

async fn server(client: &Client, url: &Url, configured: bool) -> Endpoint {
    let versions = match client.get(url, "/version").await.and_then(|reply| json(&reply, "/version")) {
        Ok(versions) => versions,
        Err(failure) => return silent(url, configured, &failure.into()),
    };
    let version = versions["etcdserver"].as_str().map(str::to_owned).ok_or_else(|| {
        Miss::from(Failure::new(
            Kind::Foreign,
            format!("/version is not that of etcd: {}", line(&versions.to_string())),
        ))
    });
    let (healthy, machines) = tokio::join!(etcd3::healthy(client, url), client.get(url, "/v2/machines"));
    let (v2, advertised) = match machines {
        Ok(reply) if reply.status == 200 => {
            let urls: BTreeSet<String> =
                reply.text().split(',').map(|u| u.trim().to_owned()).filter(|u| !u.is_empty()).collect();
            (Answer::Got(true), Answer::Got(urls.into_iter().collect()))
        }
        Ok(reply) if reply.status == 404 => (Answer::Got(false), Answer::Missing(off().into())),
        Ok(reply) => {
            let miss = Miss::from(status(&reply, "/v2/machines"));
            (Answer::Missing(miss.clone()), Answer::Missing(miss))
        }
        Err(failure) => {
            let miss = Miss::from(failure);
            (Answer::Missing(miss.clone()), Answer::Missing(miss))
        }
    };
    Endpoint {
        url: url.to_string(),
        configured,
        version: version.into(),
        healthy: healthy.map_err(Miss::from).into(),
        v2: Some(v2),
        advertised: Some(advertised),
        cluster: None,
        session_ttl_min: None,
    }
}

fn off() -> Failure {
    Failure::new(Kind::Denied, "its API of version 2, which the section `etcd` needs, is off")
}

async fn read(client: &Client, url: &Url, path: &str) -> Result<Scope, Failure> {
    let reply = client.get(url, &format!("/v2/keys{}/?recursive=true", super::encoded(path))).await?;
    let said: Json = serde_json::from_slice(&reply.body).unwrap_or_default();
    match (reply.status, said["errorCode"].as_u64()) {
        (200, _) if said["node"].is_object() => {}
        // Key not found.
        (404, Some(100)) => return Ok(Scope::default()),
        (404, None) => return Err(off()),
        _ => return Err(status(&reply, "/v2/keys")),
    }
    let mut found = Vec::new();
    let mut open = vec![&said["node"]];
    while let Some(node) = open.pop() {
        open.extend(node["nodes"].as_array().into_iter().flatten());
        let key = node["key"].as_str().and_then(|k| k.strip_prefix(path)).map(|k| k.trim_start_matches('/'));
        if let (Some(key), Some(value)) = (key, node["value"].as_str()) {
            found.push((key.to_owned(), value.to_owned()));
        }
    }
    Ok(scope(found))
}
