//! Asks the stores that members keep their state in, with the rights and along the ways that their configuration names. Nothing is
//! written there, but for the session that ZooKeeper wants and the token that etcd gives to those who log in.

mod consul;
mod etcd2;
mod etcd3;
mod place;
mod zookeeper;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;
use tokio::task::JoinSet;

use super::http::{Reply, Url};
use super::mask;
use super::member::Member;
use super::net::{Failure, Kind, Net};
use crate::bundle::dcs::{Endpoint, Scope, Store};
use crate::bundle::{Answer, Miss};
use crate::gap::GapReason;
use crate::secret::Secret;
use place::Place;

/// What one store has answered.
#[derive(Debug, Default)]
struct Told {
    endpoints: Vec<Endpoint>,
    scopes: BTreeMap<String, Answer<Scope>>,
}

impl Told {
    /// Some servers repeat what they do not like, be it a password.
    fn hide(&mut self, secrets: &[Secret]) {
        let hide = |miss: &mut Miss| {
            for secret in secrets {
                miss.detail = miss.detail.replace(secret.reveal(), "***");
            }
        };
        for endpoint in &mut self.endpoints {
            let Endpoint { version, healthy, v2, advertised, session_ttl_min, .. } = endpoint;
            let all = [
                missing(version),
                missing(healthy),
                v2.as_mut().and_then(missing),
                advertised.as_mut().and_then(missing),
                session_ttl_min.as_mut().and_then(missing),
            ];
            all.into_iter().flatten().for_each(hide);
        }
        self.scopes.values_mut().filter_map(missing).for_each(hide);
    }
}

const fn missing<T>(answer: &mut Answer<T>) -> Option<&mut Miss> {
    match answer {
        Answer::Missing(miss) => Some(miss),
        Answer::Got(_) => None,
    }
}

/// What is known before anything is asked.
struct Asked {
    kind: &'static str,
    place: Result<Place, Miss>,
    members: BTreeSet<String>,
    scopes: BTreeSet<String>,
}

/// Asks the stores of these members, all at the same time.
pub async fn collect(members: &[Member<'_>], net: &Net) -> Vec<Store> {
    let mut running = JoinSet::new();
    for (number, asked) in stores(members).into_iter().enumerate() {
        let net = net.clone();
        running.spawn(async move { (number, ask(asked, &net).await) });
    }
    let mut found: Vec<(usize, Store)> = running.join_all().await;
    found.sort_by_key(|(number, _)| *number);
    found.into_iter().map(|(_, store)| store).collect()
}

/// Members that go the same way to a store, together; in the order of their names.
fn stores(members: &[Member<'_>]) -> Vec<Asked> {
    let mut all: Vec<Asked> = Vec::new();
    let mut members = members.to_vec();
    members.sort_by_key(|m| m.name);
    for member in members {
        let kind = member.config.dcs_kind().unwrap_or("none");
        let place = place::of(member.config).and_then(|place| reachable(place, member));
        // Whose scope is not certain is asked for nothing, and its gap stands behind an empty path.
        let scope = member.config.dcs_path().unwrap_or_default();
        let at = all.iter().position(|a| a.kind == kind && a.place == place).unwrap_or(all.len());
        if at == all.len() {
            all.push(Asked { kind, place, members: BTreeSet::new(), scopes: BTreeSet::new() });
        }
        all[at].members.insert(member.name.to_owned());
        all[at].scopes.insert(scope);
    }
    all
}

fn reachable(place: Place, member: Member<'_>) -> Result<Place, Miss> {
    match place.urls.iter().find(|url| url.is_loopback()) {
        Some(url) if !member.here => {
            let detail = format!("{url} is on the host of {}, and cannot be asked from this one", member.name);
            Err(Miss { why: GapReason::NotGiven, detail })
        }
        _ => Ok(place),
    }
}

async fn ask(asked: Asked, net: &Net) -> Store {
    let Asked { kind, place, members, mut scopes } = asked;
    let unnamed = scopes.remove("");
    let mut told = match place {
        Ok(place) => {
            let secrets = place.secrets();
            let mut told = match kind {
                "etcd3" => etcd3::ask(place, &scopes, net).await,
                "etcd" => etcd2::ask(place, &scopes, net).await,
                "consul" => consul::ask(place, &scopes, net).await,
                _ => zookeeper::ask(place, &scopes, net).await,
            };
            told.hide(&secrets);
            told
        }
        Err(miss) => {
            let scopes = scopes.into_iter().map(|scope| (scope, Answer::Missing(miss.clone()))).collect();
            Told { endpoints: Vec::new(), scopes }
        }
    };
    if unnamed {
        let words = "the configuration does not say for certain which scope and namespace it is";
        told.scopes.insert(String::new(), Answer::missing(GapReason::NotGiven, words));
    }
    Store {
        kind: kind.to_owned(),
        members: members.into_iter().collect(),
        endpoints: told.endpoints,
        scopes: told.scopes,
    }
}

/// A server of which nothing is known, all for the same reason.
fn silent(url: &Url, configured: bool, miss: &Miss) -> Endpoint {
    Endpoint {
        url: url.to_string(),
        configured,
        version: Answer::Missing(miss.clone()),
        healthy: Answer::Missing(miss.clone()),
        v2: None,
        advertised: None,
        cluster: None,
        session_ttl_min: None,
    }
}

/// A scope of these keys, with their secrets replaced.
fn scope(keys: impl IntoIterator<Item = (String, String)>) -> Scope {
    Scope { keys: keys.into_iter().map(|(key, value)| (key, mask::text(&value))).collect() }
}

/// What is said about a status that is none of those that were hoped for.
fn status(reply: &Reply, what: &str) -> Failure {
    let kind = match reply.status {
        401 | 403 => Kind::Denied,
        404 => Kind::TooOld,
        500.. => Kind::Unreachable,
        _ => Kind::Foreign,
    };
    Failure::new(kind, format!("{what}: status {}: {}", reply.status, line(&reply.text())))
}

/// The JSON of an answer that says success.
fn json(reply: &Reply, what: &str) -> Result<Json, Failure> {
    if reply.status >= 400 {
        return Err(status(reply, what));
    }
    let foreign = || Failure::new(Kind::Foreign, format!("{what}: the answer is no JSON: {}", line(&reply.text())));
    serde_json::from_slice(&reply.body).map_err(|_| foreign())
}

/// The beginning of what a server says, in one line and without secrets.
fn line(text: &str) -> String {
    let masked = mask::text(text);
    let words: Vec<&str> = masked.split_whitespace().collect();
    words.join(" ").chars().filter(|c| !c.is_control()).take(200).collect()
}

/// A path in a URL: what is neither a letter, a digit, a slash nor harmless is written with percent signs.
fn encoded(path: &str) -> String {
    let mut out = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for half in [byte >> 4, byte & 15] {
                out.push(char::from_digit(u32::from(half), 16).unwrap_or('0').to_ascii_uppercase());
            }
        }
    }
    out
}
