//! Where the cluster's store is, as Patroni's clients for etcd take it from the configuration (`dcs/etcd.py:AbstractEtcd.get_etcd_client`).

use super::patroni_file::is_placeholder;
use crate::parse::patroni::{Item, ItemValue, Patroni, Type, split_host_port};
use crate::source::Span;

/// A key that names endpoints, and what it names.
#[derive(Debug, Clone)]
pub struct Named<'a> {
    /// The name of the key that counts: of several, Patroni looks at one only.
    pub key: &'static str,
    /// Its value.
    pub item: &'a Item,
    /// Each text between commas, or each item of the list, without white space around it.
    pub entries: Vec<Entry<'a>>,
    /// Whether these are all: no template adds or fills in any, nor a key that counts before this one.
    pub is_complete: bool,
}

/// A text that names an endpoint.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    /// As it is written.
    pub text: &'a str,
    /// The value that it stands in.
    pub at: Span,
}

/// Whether SRV records name the endpoints and their protocol.
fn by_dns(section: &Item) -> bool {
    ["srv", "discovery_srv", "srv_domain"].iter().any(|k| section.get(k).is_some_and(Item::is_truthy))
}

/// What a section `etcd` or `etcd3` names. `None` when DNS decides (`srv`), or when it names nothing.
#[must_use]
pub fn named(section: &Item) -> Option<Named<'_>> {
    if by_dns(section) {
        return None;
    }
    let text = |key| section.get(key).filter(|i: &&Item| matches!(i.kind(), Type::Str | Type::Unknown));
    let (key, item) = [
        ("proxy", text("proxy")),
        ("url", text("url")),
        ("hosts", section.get("hosts")),
        ("host", section.get("host")),
    ]
    .into_iter()
    .find_map(|(key, item)| Some((key, item?)))?;
    let entries = match &item.value {
        ItemValue::Str(text) if key == "hosts" => {
            text.split(',').map(|t| Entry { text: t.trim(), at: item.span }).collect()
        }
        ItemValue::Str(text) => vec![Entry { text, at: item.span }],
        ItemValue::List(items) => {
            items.iter().filter_map(|i| Some(Entry { text: i.as_str()?.trim(), at: i.span })).collect()
        }
        _ => Vec::new(),
    };
    Some(Named { key, item, entries, is_complete: !section.open && item.is_known() })
}

/// The protocol that Patroni speaks with etcd; `None` when DNS or a template decides.
#[must_use]
pub fn protocol(section: &Item) -> Option<String> {
    if by_dns(section) {
        return None;
    }
    for key in ["proxy", "url"] {
        if let Some(url) = section.get(key).and_then(Item::as_str) {
            return url.split_once("://").map(|(scheme, _)| scheme.to_lowercase()).filter(|s| !is_placeholder(s));
        }
    }
    match section.get("protocol") {
        None if section.open => None,
        Some(item) if item.optional || item.kind() == Type::Unknown => None,
        None => Some("http".to_owned()),
        Some(item) if !item.is_truthy() => Some("http".to_owned()),
        Some(item) => item.as_str().filter(|t| !is_placeholder(t)).map(str::to_lowercase),
    }
}

/// Hosts and ports, sorted, each once. `None` when it is not certain what they are.
#[must_use]
pub fn hosts(config: &Patroni) -> Option<Vec<(String, i64)>> {
    let (kind, section) = config.dcs()?;
    let named = match kind {
        "etcd" | "etcd3" if config.is_dcs_decided() => named(section).filter(|n| n.is_complete)?,
        _ => return None,
    };
    let port = match section.get("port") {
        None => 2379,
        Some(item) => item.as_setting()?.parse().ok()?,
    };
    let mut all = Vec::new();
    for entry in named.entries.iter().filter(|e| !e.text.is_empty()) {
        if is_placeholder(entry.text) {
            return None;
        }
        let text = match named.key {
            "proxy" | "url" => {
                let rest = entry.text.split_once("://")?.1;
                let netloc = rest.split(['/', '?', '#']).next()?;
                netloc.rsplit_once('@').map_or(netloc, |(_, host)| host)
            }
            _ if entry.text.contains("://") || entry.text.contains([',', ';', ' ']) => return None,
            _ => entry.text,
        };
        all.push(split_host_port(text, port)?);
    }
    all.sort();
    all.dedup();
    Some(all).filter(|a| !a.is_empty())
}
