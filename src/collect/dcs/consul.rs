//! An agent of Consul, as `dcs/consul.py` asks it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hyper::header::HeaderName;
use serde_json::Value as Json;

use super::place::Place;
use super::{Told, json, line, scope, silent, status};
use crate::bundle::dcs::{Endpoint, Scope};
use crate::bundle::{Answer, Miss};
use crate::collect::http::{Client, Url};
use crate::collect::net::{Failure, Kind, Net};

/// What Consul takes for `session_ttl_min` when its configuration does not say (`agent/consul/config.go`), in milliseconds.
const DEFAULT_TTL_MIN: u64 = 10_000;

pub(super) async fn ask(place: Place, scopes: &BTreeSet<String>, net: &Net) -> Told {
    let mut client = Client::new(&place.tls, net);
    if let Some(token) = &place.token {
        client = client.with_header(HeaderName::from_static("x-consul-token"), token.clone());
    }
    let dc = place.dc.as_ref().map(|dc| format!("&dc={}", super::encoded(dc))).unwrap_or_default();
    let Some(url) = place.urls.first() else { return Told::default() };
    let leader = client.get(url, "/v1/status/leader").await;
    let mut keys = BTreeMap::new();
    let endpoint = match leader {
        Err(failure) => {
            let miss = Miss::from(failure);
            keys.extend(scopes.iter().map(|path| (path.clone(), Answer::Missing(miss.clone()))));
            silent(url, true, &miss)
        }
        Ok(reply) => {
            // `"10.0.0.1:8300"`, or an empty text when there is none.
            let healthy = json(&reply, "/v1/status/leader").and_then(|said| {
                let text = said.as_str().map(|leader| !leader.is_empty());
                text.ok_or_else(|| {
                    Failure::new(Kind::Foreign, format!("no leader's name: {}", line(&said.to_string())))
                })
            });
            for path in scopes {
                keys.insert(path.clone(), read(&client, url, path, &dc).await.map_err(Miss::from).into());
            }
            let (version, ttl) = about(&client, url).await;
            Endpoint {
                url: url.to_string(),
                configured: true,
                version,
                healthy: healthy.map_err(Miss::from).into(),
                v2: None,
                advertised: None,
                cluster: None,
                session_ttl_min: Some(ttl),
            }
        }
    };
    Told { endpoints: vec![endpoint], scopes: keys }
}

/// The agent's version, and the shortest time to live of a session that it takes, in milliseconds.
async fn about(client: &Client, url: &Url) -> (Answer<String>, Answer<u64>) {
    let said = match client.get(url, "/v1/agent/self").await.and_then(|reply| json(&reply, "/v1/agent/self")) {
        Ok(said) => said,
        Err(failure) => {
            let miss = Miss::from(failure);
            return (Answer::Missing(miss.clone()), Answer::Missing(miss));
        }
    };
    let without = |what: &str| Miss::from(Failure::new(Kind::Foreign, format!("/v1/agent/self does not say {what}")));
    let version = said["Config"]["Version"].as_str().map(str::to_owned).ok_or_else(|| without("its version"));
    let raw = ["Config", "DebugConfig"].iter().map(|part| &said[*part]["SessionTTLMin"]).find(|ttl| !ttl.is_null());
    let ttl = raw.map_or(Some(0), milliseconds).ok_or_else(|| without("a time in SessionTTLMin"));
    let ttl = ttl.map(|ttl| if ttl == 0 { DEFAULT_TTL_MIN } else { ttl });
    (version.into(), ttl.into())
}

/// A duration of Go: nanoseconds as a number, `1m30s` as a text.
fn milliseconds(value: &Json) -> Option<u64> {
    if let Some(nanoseconds) = value.as_u64() {
        return Some(nanoseconds / 1_000_000);
    }
    let mut rest = value.as_str()?;
    let mut sum = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, behind) = rest.split_at(digits);
        let unit = behind.find(|c: char| c.is_ascii_digit()).unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(unit);
        let seconds = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" => 1e-6,
            "ns" => 1e-9,
            "" if number == "0" => 0.0,
            _ => return None,
        };
        sum += Duration::try_from_secs_f64(number.parse::<f64>().ok()? * seconds).ok()?;
        rest = behind;
    }
    u64::try_from(sum.as_millis()).ok()
}

async fn read(client: &Client, url: &Url, path: &str, dc: &str) -> Result<Scope, Failure> {
    let base = format!("{}/", path.trim_start_matches('/'));
    let reply = client.get(url, &format!("/v1/kv/{}?recurse=true&consistent{dc}", super::encoded(&base))).await?;
    // Without rights on keys an agent shows none instead of refusing.
    if reply.header("x-consul-results-filtered-by-acls").is_some_and(|v| v == "true") {
        let words = format!("its token may not read all keys below {base}: some were left out of the answer");
        return Err(Failure::new(Kind::Denied, words));
    }
    match reply.status {
        404 if reply.body.is_empty() => return Ok(Scope::default()),
        403 => {
            let words = format!("keys below {base} are refused: {}", line(&reply.text()));
            return Err(Failure::new(Kind::Denied, words));
        }
        404 => return Err(Failure::new(Kind::Foreign, "what answers there is not Consul")),
        _ => {}
    }
    let said = json(&reply, "/v1/kv")?;
    let list = said.as_array().ok_or_else(|| status(&reply, "/v1/kv"))?;
    let mut found = Vec::new();
    for pair in list {
        let Some(key) = pair["Key"].as_str().and_then(|k| k.strip_prefix(&base)) else { continue };
        let value = BASE64
            .decode(pair["Value"].as_str().unwrap_or_default())
            .map_err(|_| Failure::new(Kind::Foreign, "a value in its answer is not base64"))?;
        if !key.is_empty() {
            found.push((key.to_owned(), String::from_utf8_lossy(&value).into_owned()));
        }
    }
    Ok(scope(found))
}

#[cfg(test)]
mod tests {
    use super::milliseconds;
    use serde_json::json;

    #[test]
    fn durations_of_go_are_read() {
        let read = |v: serde_json::Value| milliseconds(&v);
        assert_eq!(read(json!(15_000_000_000_u64)), Some(15_000));
        assert_eq!(read(json!("1m30s")), Some(90_000));
        assert_eq!(read(json!("0s")), Some(0));
        assert_eq!(read(json!("1.5s")), Some(1_500));
        assert_eq!(read(json!("soon")), None);
        assert_eq!(read(json!([])), None);
    }
}
