//! Where a member finds its store, as Patroni takes it from the configuration (`dcs/etcd.py:AbstractEtcd.get_etcd_client`,
//! `dcs/consul.py:Consul.__init__`, `dcs/zookeeper.py:ZooKeeper.__init__`).

use crate::bundle::Miss;
use crate::collect::http::Url;
use crate::collect::net::{Tls, Verify};
use crate::gap::GapReason;
use crate::parse::patroni::{Item, ItemValue, Patroni, Type, split_host_port};
use crate::secret::Secret;

/// A way to a store. Members with the same one are told the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) urls: Vec<Url>,
    pub(super) tls: Tls,
    pub(super) login: Option<(String, Secret)>,
    /// Consul's token.
    pub(super) token: Option<Secret>,
    /// Consul's data centre.
    pub(super) dc: Option<String>,
    /// What stands before each path (ZooKeeper).
    pub(super) chroot: String,
    /// Scheme and data for `addauth` (ZooKeeper).
    pub(super) auth: Vec<(String, Secret)>,
}

impl Place {
    fn new(urls: Vec<Url>, tls: Tls) -> Self {
        Self { urls, tls, login: None, token: None, dc: None, chroot: String::new(), auth: Vec::new() }
    }

    /// All that is sent to servers and must not be seen. What is very short would be found everywhere.
    pub(super) fn secrets(&self) -> Vec<Secret> {
        let password = self.login.as_ref().map(|(_, password)| password);
        let digests = self.auth.iter().map(|(_, data)| data);
        let all = password.into_iter().chain(&self.token).chain(digests);
        all.filter(|secret| secret.reveal().len() >= 4).cloned().collect()
    }
}

fn miss(why: GapReason, detail: impl Into<String>) -> Miss {
    Miss { why, detail: detail.into() }
}

/// A string, also one that must not be shown.
fn text(item: &Item) -> Option<&str> {
    match &item.value {
        ItemValue::Str(text) => Some(text),
        ItemValue::Secret(secret, Type::Str) => Some(secret.reveal()),
        _ => None,
    }
}

/// A string at a key that counts: Python passes over empty ones.
fn filled(section: &Item, key: &str) -> Option<String> {
    section.get(key).and_then(text).filter(|t| !t.is_empty()).map(str::to_owned)
}

/// A scalar at a key as `str()` makes it, passwords too.
fn secret(section: &Item, key: &str) -> Option<Secret> {
    let item = section.get(key).filter(|i| i.is_truthy() && i.kind() != Type::Unknown)?;
    Some(Secret::new(text(item).map_or_else(|| item.comparable(), str::to_owned)))
}

fn port(section: &Item, default: i64) -> Result<i64, Miss> {
    match section.get("port") {
        None => Ok(default),
        Some(item) => item
            .as_setting()
            .and_then(|t| t.trim().parse().ok())
            .ok_or_else(|| miss(GapReason::Unreadable, "its `port` is no number")),
    }
}

/// Where the store of a member is; why that cannot be said.
pub(super) fn of(config: &Patroni) -> Result<Place, Miss> {
    let Some((kind, section)) = config.dcs() else {
        return Err(miss(GapReason::NotGiven, "no section of the configuration names a store"));
    };
    if !config.is_dcs_decided() || !section.is_known() {
        let words = format!("a template decides what stands in the section `{kind}`");
        return Err(miss(GapReason::NotGiven, words));
    }
    match kind {
        "etcd" | "etcd3" => etcd(section),
        "consul" => consul(section),
        "zookeeper" => zookeeper(section),
        _ => Err(miss(GapReason::NotGiven, format!("a store of the kind `{kind}` is not asked by this program"))),
    }
}

fn host_and_port(https: bool, value: &str, default: i64) -> Result<Url, Miss> {
    split_host_port(value.trim(), default).and_then(|(host, port)| Url::new(https, &host, port)).ok_or_else(|| {
        let shown = value.rsplit_once('@').map_or(value, |(_, host)| host);
        miss(GapReason::Unreadable, format!("`{shown}` is no host and port"))
    })
}

fn url(value: &str, default: u16) -> Result<(Url, Option<(String, Secret)>), Miss> {
    Url::parse(value, default).ok_or_else(|| {
        let shown = value.rsplit_once('@').map_or(value, |(_, host)| host);
        miss(GapReason::Unreadable, format!("`{shown}` is no URL"))
    })
}

fn etcd(section: &Item) -> Result<Place, Miss> {
    for key in ["srv", "discovery_srv", "srv_domain"] {
        if let Some(domain) = filled(section, key).filter(|_| section.get("proxy").is_none()) {
            let words = format!("SRV records of {domain} name its servers, which are not looked up by this program");
            return Err(miss(GapReason::NotGiven, words));
        }
    }
    let tls = Tls {
        ca: filled(section, "cacert").or_else(|| filled(section, "ca_cert")),
        cert: filled(section, "cert"),
        key: filled(section, "key"),
        verify: Verify::Full,
    };
    let login = filled(section, "username").zip(secret(section, "password"));
    let https = filled(section, "protocol").is_some_and(|p| p.eq_ignore_ascii_case("https"));
    if let Some(value) = ["proxy", "url"].iter().find_map(|k| section.get(k).and_then(text)) {
        // Name and password of the URL go over those of the section, also when it has none.
        let (url, login) = url(value, 2379)?;
        return Ok(Place { login, ..Place::new(vec![url], tls) });
    }
    let urls = if let Some(hosts) = section.get("hosts") {
        let default = port(section, 2379)?;
        let values: Vec<&str> = match text(hosts) {
            Some(list) => list.split(',').collect(),
            None => hosts.items().iter().filter_map(text).collect(),
        };
        values.into_iter().map(|value| host_and_port(https, value, default)).collect::<Result<_, _>>()?
    } else if let Some(host) = section.get("host").and_then(text) {
        let mut url = host_and_port(https, host, 2379)?;
        let port = port(section, i64::from(url.port))?;
        url.port = u16::try_from(port).map_err(|_| miss(GapReason::Unreadable, "its `port` is no port"))?;
        vec![url]
    } else {
        return Err(miss(GapReason::Unreadable, "its section names none of `hosts`, `host`, `url`, `proxy` and `srv`"));
    };
    Ok(Place { login, ..Place::new(urls, tls) })
}

fn consul(section: &Item) -> Result<Place, Miss> {
    let https = filled(section, "scheme").is_some_and(|s| s.eq_ignore_ascii_case("https"));
    let url = if let Some(value) = section.get("url").and_then(text) {
        url(value, 8500)?.0
    } else {
        let host = filled(section, "host").unwrap_or_else(|| "127.0.0.1".to_owned());
        let mut url = host_and_port(https, &host, 8500)?;
        let port = port(section, i64::from(url.port))?;
        url.port = u16::try_from(port).map_err(|_| miss(GapReason::Unreadable, "its `port` is no port"))?;
        url
    };
    let ca = filled(section, "cacert").or_else(|| filled(section, "ca_cert"));
    let verify = section.get("verify").and_then(Item::as_bool).unwrap_or(true) || ca.is_some();
    let verify = if verify { Verify::Full } else { Verify::Off };
    let tls = Tls { ca, cert: filled(section, "cert"), key: filled(section, "key"), verify };
    let mut place = Place::new(vec![url], tls);
    place.token = secret(section, "token");
    place.dc = filled(section, "dc");
    Ok(place)
}

fn zookeeper(section: &Item) -> Result<Place, Miss> {
    let hosts = section.get("hosts");
    let joined = match hosts.and_then(text) {
        Some(list) => list.to_owned(),
        None => hosts.map(Item::items).unwrap_or_default().iter().filter_map(text).collect::<Vec<_>>().join(","),
    };
    let (list, chroot) = joined.split_once('/').unwrap_or((&joined, ""));
    let https = section.get("use_ssl").is_some_and(Item::is_truthy);
    let urls: Vec<Url> = list
        .split(',')
        .map(str::trim)
        .filter(|host| !host.is_empty())
        .map(|host| host_and_port(https, host, 2181))
        .collect::<Result<_, _>>()?;
    if urls.is_empty() {
        return Err(miss(GapReason::Unreadable, "its section has no `hosts`"));
    }
    let checks = section.get("verify").is_none_or(Item::is_truthy);
    let tls = Tls {
        ca: filled(section, "cacert"),
        cert: filled(section, "cert"),
        key: filled(section, "key"),
        verify: if checks { Verify::NoName } else { Verify::Off },
    };
    let auth = section.get("auth_data").map(Item::pairs).unwrap_or_default();
    let auth = auth.iter().filter_map(|p| Some((p.key.value.as_str()?.to_owned(), Secret::new(text(&p.item)?))));
    let mut place = Place::new(urls, tls);
    place.auth = auth.collect();
    place.chroot = if chroot.is_empty() { String::new() } else { format!("/{}", chroot.trim_matches('/')) };
    Ok(place)
}
