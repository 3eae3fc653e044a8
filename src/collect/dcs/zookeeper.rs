//! ZooKeeper: a session that reads keys, and the word `srvr` for its state.

mod wire;

use std::collections::{BTreeMap, BTreeSet};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

use super::place::Place;
use super::{Told, line, scope};
use crate::bundle::Miss;
use crate::bundle::dcs::{Endpoint, Scope};
use crate::collect::http::Url;
use crate::collect::net::{Failure, Kind, Net};
use wire::Session;

/// The most keys below a scope, and how deep they may lie.
const MOST: (usize, usize) = (20_000, 8);

/// The longest answer to a word of four letters.
const LONGEST: u64 = 64 << 10;

pub(super) async fn ask(place: Place, scopes: &BTreeSet<String>, net: &Net) -> Told {
    let has_tls = place.urls.iter().any(|url| url.https);
    let tls = has_tls.then(|| place.tls.connector()).transpose();
    let mut running = JoinSet::new();
    for (number, url) in place.urls.iter().cloned().enumerate() {
        let (net, tls) = (net.clone(), tls.clone());
        running.spawn(async move { (number, server(&net, &url, tls).await) });
    }
    let mut endpoints = running.join_all().await;
    endpoints.sort_by_key(|(number, _)| *number);
    let mut keys = BTreeMap::new();
    for path in scopes {
        let mut answer = Err(Miss::from(Failure::new(Kind::NotGiven, "the configuration names no server")));
        for url in &place.urls {
            // A server that refuses the word may well answer a session, one that cannot be reached does not.
            let result = match &tls {
                Ok(tls) => read(net, url, tls.as_ref(), &place, path).await,
                Err(failure) => Err(failure.clone()),
            };
            let is_last = result.as_ref().err().is_none_or(|f| f.kind == Kind::Denied);
            answer = result.map_err(|f| Miss { detail: format!("{}: {}", shown(url), f.detail), ..Miss::from(f) });
            if is_last {
                break;
            }
        }
        keys.insert(path.clone(), answer.into());
    }
    Told { endpoints: endpoints.into_iter().map(|(_, endpoint)| endpoint).collect(), scopes: keys }
}

/// There is no protocol in the addresses of ZooKeeper.
fn shown(url: &Url) -> String {
    format!("{}{}", url.host_and_port(), if url.https { " (TLS)" } else { "" })
}

async fn server(net: &Net, url: &Url, tls: Result<Option<TlsConnector>, Failure>) -> Endpoint {
    let said = match tls {
        Ok(tls) => net.within(word(net, url, tls.as_ref())).await,
        Err(failure) => Err(failure),
    };
    let (version, healthy) = match said {
        Ok(text) => srvr(&text),
        Err(failure) => (Err(failure.clone()), Err(failure)),
    };
    Endpoint {
        url: shown(url),
        configured: true,
        version: version.map_err(Miss::from).into(),
        healthy: healthy.map_err(Miss::from).into(),
        v2: None,
        advertised: None,
        cluster: None,
        session_ttl_min: None,
    }
}

async fn word(net: &Net, url: &Url, tls: Option<&TlsConnector>) -> Result<String, Failure> {
    net.note(format!("srvr {}", shown(url)));
    let mut stream = net.dial(&url.host, url.port, tls).await?;
    stream.write_all(b"srvr").await.map_err(|e| Failure::of_io(&e))?;
    let mut bytes = Vec::new();
    match stream.take(LONGEST).read_to_end(&mut bytes).await {
        Err(error) if bytes.is_empty() => Err(Failure::of_io(&error)),
        _ => Ok(String::from_utf8_lossy(&bytes).into_owned()),
    }
}

/// Version and state out of the answer to `srvr`.
fn srvr(text: &str) -> (Result<String, Failure>, Result<bool, Failure>) {
    if text.contains("is not in the whitelist") {
        let refused = Failure::new(Kind::Denied, format!("the word srvr is not allowed there: {}", line(text)));
        return (Err(refused.clone()), Err(refused));
    }
    if text.contains("not currently serving requests") {
        let silent = Failure::new(Kind::Unreachable, line(text));
        return (Err(silent), Ok(false));
    }
    let value = |key: &str| text.lines().find_map(|l| l.strip_prefix(key)).map(str::trim);
    if let (Some(version), Some(_)) = (value("Zookeeper version:"), value("Mode:")) {
        let version = version.split([',', '-']).next().unwrap_or(version);
        return (Ok(version.to_owned()), Ok(true));
    }
    let words = if text.is_empty() { "nothing".to_owned() } else { line(text) };
    let foreign = Failure::new(Kind::Foreign, format!("what answers there is not ZooKeeper: {words}"));
    (Err(foreign.clone()), Err(foreign))
}

async fn read(net: &Net, url: &Url, tls: Option<&TlsConnector>, place: &Place, path: &str) -> Result<Scope, Failure> {
    net.note(format!("read {}{path} in ZooKeeper {}", place.chroot, shown(url)));
    net.within(async {
        let stream = net.dial(&url.host, url.port, tls).await?;
        let mut session = Session::open(stream, net.limits()).await?;
        for (scheme, data) in &place.auth {
            session.log_in(scheme, data).await?;
        }
        let keys = walk(&mut session, &format!("{}{path}", place.chroot), net.limits().body).await;
        session.close().await;
        keys.map(scope)
    })
    .await
}

/// All nodes below a path; those that have children and no text of their own are only ways.
async fn walk(session: &mut Session, base: &str, most_bytes: usize) -> Result<Vec<(String, String)>, Failure> {
    let too_large = || Failure::new(Kind::TooLarge, format!("there is too much below {base}"));
    let mut found = Vec::new();
    let mut open = vec![(String::new(), 0_usize)];
    let mut bytes = 0;
    let mut seen = 0;
    while let Some((key, depth)) = open.pop() {
        let path = format!("{base}{key}");
        // It may have gone since its parent was read.
        let Some(children) = session.children(&path).await? else { continue };
        if depth > 0 {
            let data = session.data(&path).await?.unwrap_or_default();
            bytes += data.len();
            if !data.is_empty() || children.is_empty() {
                found.push((key.trim_start_matches('/').to_owned(), String::from_utf8_lossy(&data).into_owned()));
            }
        }
        seen += 1 + children.len();
        if seen > MOST.0 || depth > MOST.1 || bytes > most_bytes {
            return Err(too_large());
        }
        open.extend(children.into_iter().map(|child| (format!("{key}/{child}"), depth + 1)));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::srvr;

    #[test]
    fn the_word_is_understood() {
        let text = "Zookeeper version: 3.8.0-11+deb12u2, built on 2023-01-01\nLatency min/avg/max: 0/0.0/0\nMode: standalone\nNode count: 5\n";
        assert_eq!(srvr(text), (Ok("3.8.0".to_owned()), Ok(true)));
        assert_eq!(srvr("This ZooKeeper instance is not currently serving requests\n").1, Ok(false));
        assert!(srvr("srvr is not executed because it is not in the whitelist.\n").0.is_err());
        assert!(srvr("").1.is_err());
    }
}
