//! Asks Patroni's REST APIs, with `GET` only, as `patronictl` and other members do (`request.py:PatroniRequest`). No password is sent:
//! none of these answers wants one, and somebody else may listen there.

use std::collections::BTreeMap;

use tokio::task::JoinSet;

use super::http::{Client, Reply, Url};
use super::mask;
use super::member::Member;
use super::net::{Failure, Kind, Net, Tls, Verify};
use crate::bundle::rest::{Response, Rest};
use crate::bundle::{Answer, Miss};
use crate::gap::GapReason;
use crate::parse::patroni::{Item, Patroni, split_host_port};

/// The paths that are asked.
pub const PATHS: [&str; 5] = ["/patroni", "/cluster", "/config", "/history", "/liveness"];

/// The most characters that are kept of an answer that is not Patroni's.
const KEPT: usize = 4096;

/// Where a REST API is, and how it is asked.
struct Place {
    url: Url,
    /// As `patronictl` checks certificates.
    ctl: Tls,
    /// As other members do.
    peers: Tls,
}

/// Asks these members, all at the same time; by name.
pub async fn collect(members: &[Member<'_>], net: &Net) -> BTreeMap<String, Answer<Rest>> {
    let mut running = JoinSet::new();
    for member in members {
        let (name, place, net) = (member.name.to_owned(), of(member), net.clone());
        running.spawn(async move {
            let answer = match place {
                Ok(place) => Answer::Got(ask(&place, &net).await),
                Err(miss) => Answer::Missing(miss),
            };
            (name, answer)
        });
    }
    running.join_all().await.into_iter().collect()
}

fn miss(why: GapReason, detail: impl Into<String>) -> Miss {
    Miss { why, detail: detail.into() }
}

fn file(config: &Patroni, path: &str) -> Option<String> {
    config.get(path).and_then(Item::as_str).filter(|t| !t.is_empty()).map(str::to_owned)
}

/// The address that Patroni tells others (`api.py:RestApiServer.reload_config`).
fn of(member: &Member<'_>) -> Result<Place, Miss> {
    let config = member.config;
    if ["restapi", "ctl"].iter().any(|k| config.get(k).is_some_and(|i| !i.is_known())) {
        return Err(miss(GapReason::NotGiven, "a template decides what stands in the section `restapi` or `ctl`"));
    }
    let key = |k| config.get(k).filter(|i: &&Item| i.is_truthy()).map(|item| (k, item));
    let (key, item) = key("restapi.connect_address").or_else(|| key("restapi.listen")).ok_or_else(|| {
        miss(GapReason::NotGiven, "the configuration has neither restapi.connect_address nor restapi.listen")
    })?;
    let https = config.get("restapi.certfile").is_some_and(Item::is_truthy);
    let default = if https { 443 } else { 80 };
    let unreadable = || miss(GapReason::Unreadable, format!("{key} is no host and port"));
    let text = item.as_str().ok_or_else(unreadable)?;
    let url =
        split_host_port(text, default).and_then(|(host, port)| Url::new(https, &host, port)).ok_or_else(unreadable)?;
    let is_any = url.host == "*" || url.host.parse::<std::net::IpAddr>().is_ok_and(|a| a.is_unspecified());
    if is_any && !member.here {
        let words = format!("{key} says {text}, which leads to no certain host");
        return Err(miss(GapReason::NotGiven, words));
    }
    let url = if is_any { Url { host: "127.0.0.1".to_owned(), ..url } } else { url };
    if url.is_loopback() && !member.here {
        let words = format!("{url} is on the host of {}, and cannot be asked from this one", member.name);
        return Err(miss(GapReason::NotGiven, words));
    }
    let cert = file(config, "ctl.certfile");
    let insecure = config.get("ctl.insecure").is_some_and(Item::is_truthy);
    let unchecked = if cert.is_some() { Verify::NoName } else { Verify::Off };
    let tls = |verify| Tls {
        ca: file(config, "ctl.cacert").or_else(|| file(config, "restapi.cafile")),
        key: file(config, "ctl.keyfile").filter(|_| cert.is_some()),
        cert: cert.clone(),
        verify,
    };
    Ok(Place { url, ctl: tls(if insecure { unchecked } else { Verify::Full }), peers: tls(unchecked) })
}

async fn ask(place: &Place, net: &Net) -> Rest {
    let Place { url, ctl, peers } = place;
    let mut client = Client::new(ctl, net);
    let mut first = client.get(url, PATHS[0]).await;
    let mut untrusted = None;
    if let Some(failure) = first.as_ref().err().filter(|f| f.kind == Kind::Untrusted).cloned() {
        untrusted = Some(failure.detail);
        if ctl != peers {
            client = Client::new(peers, net);
            first = client.get(url, PATHS[0]).await;
        }
    }
    let listens = match &first {
        Ok(_) => Answer::Got(true),
        Err(failure) => listens(failure),
    };
    let mut answers = BTreeMap::new();
    match &first {
        Ok(_) => {
            let mut running = JoinSet::new();
            for path in &PATHS[1..] {
                let (client, url) = (client.clone(), url.clone());
                running.spawn(async move { ((*path).to_owned(), answer(client.get(&url, path).await)) });
            }
            answers.extend(running.join_all().await);
        }
        // The others would only say the same, each after its time.
        Err(failure) => {
            let miss = Miss::from(failure.clone());
            answers.extend(PATHS[1..].iter().map(|path| ((*path).to_owned(), Answer::Missing(miss.clone()))));
        }
    }
    answers.insert(PATHS[0].to_owned(), answer(first));
    Rest { url: url.to_string(), listens, untrusted, answers }
}

/// Whether something accepts connections there.
fn listens(failure: &Failure) -> Answer<bool> {
    match failure.kind {
        Kind::Refused => Answer::Got(false),
        Kind::Silent
        | Kind::Untrusted
        | Kind::Unwelcome
        | Kind::Tls
        | Kind::Closed
        | Kind::Foreign
        | Kind::TooLarge => Answer::Got(true),
        _ => Answer::Missing(failure.clone().into()),
    }
}

fn answer(result: Result<Reply, Failure>) -> Answer<Response> {
    result.map(|reply| response(&reply)).map_err(Miss::from).into()
}

fn response(reply: &Reply) -> Response {
    let text = reply.text();
    let is_json = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
    let kept: String = if is_json { text } else { text.chars().take(KEPT).collect() };
    Response { status: reply.status, server: reply.header("server").map(|s| mask::text(&s)), body: mask::text(&kept) }
}
