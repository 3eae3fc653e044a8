//! Several bundles in one.

use std::collections::BTreeMap;

use super::dcs::{Endpoint, Store};
use super::upgrade::Upgrade;
use super::{Answer, Bundle, FORMAT, Redaction};

impl Bundle {
    /// One bundle of several, each with the name that it goes by in messages: the file that it was read from.
    ///
    /// # Errors
    /// When they cannot be one: there is none, one is of another form, two speak of one member, or their secrets were replaced
    /// under different keys.
    pub fn join(bundles: Vec<(String, Self)>) -> Result<Self, String> {
        let mut bundles = bundles.into_iter();
        let Some((first_name, mut joined)) = bundles.next() else {
            return Err("there is no bundle to judge; name one that `collect` has written".to_owned());
        };
        known_form(&first_name, &joined)?;
        let mut owner: BTreeMap<String, String> =
            joined.nodes.keys().map(|member| (member.clone(), first_name.clone())).collect();
        for (name, bundle) in bundles {
            known_form(&name, &bundle)?;
            joined.redaction = one_key(&first_name, joined.redaction, &name, bundle.redaction)?;
            joined.upgrade = one_upgrade(&first_name, joined.upgrade, &name, bundle.upgrade)?;
            for (member, node) in bundle.nodes {
                if let Some(other) = owner.insert(member.clone(), name.clone()) {
                    return Err(format!(
                        "{other} and {name} both speak of the member `{member}`, and only one of them can be true now; \
                         leave one out, or compare the two with --compare"
                    ));
                }
                joined.nodes.insert(member, node);
            }
            joined.taken = joined.taken.max(bundle.taken);
            bundle.stores.into_iter().for_each(|store| add_store(&mut joined.stores, store));
        }
        Ok(joined)
    }
}

fn known_form(name: &str, bundle: &Bundle) -> Result<(), String> {
    if bundle.format == FORMAT {
        return Ok(());
    }
    Err(format!(
        "{name}: written in form {}, this program reads form {FORMAT}; collect it again with this version",
        bundle.format
    ))
}

fn one_upgrade(
    one: &str,
    first: Option<Upgrade>,
    other: &str,
    second: Option<Upgrade>,
) -> Result<Option<Upgrade>, String> {
    match (first, second) {
        (Some(first), Some(second)) if first != second => Err(format!(
            "{one} was collected for an upgrade to PostgreSQL {} and {other} for another one, to {}, or with other directories; \
             collect both for the same",
            first.to, second.to
        )),
        (first, second) => Ok(first.or(second)),
    }
}

fn one_key(
    one: &str,
    first: Option<Redaction>,
    other: &str,
    second: Option<Redaction>,
) -> Result<Option<Redaction>, String> {
    match (first, second) {
        (None, None) => Ok(None),
        (Some(mut first), Some(second)) if first.key == second.key => {
            first.well_known.extend(second.well_known);
            Ok(Some(first))
        }
        (Some(_), Some(_)) => Err(format!(
            "{one} and {other} were collected with different keys, so the same password is another word in each of them and \
             would be taken for two; collect them with the same key file"
        )),
        (first, _) => {
            let (with, without) = if first.is_some() { (one, other) } else { (other, one) };
            Err(format!(
                "the passwords in {with} were replaced and those in {without} were not, so equal ones would be taken for \
                 different ones; collect both with the same key file"
            ))
        }
    }
}

/// Adds a store; one with the same servers is the same, whichever members name it.
fn add_store(stores: &mut Vec<Store>, new: Store) {
    let urls = |store: &Store| {
        let mut urls: Vec<String> = store.endpoints.iter().filter(|e| e.configured).map(|e| e.url.clone()).collect();
        urls.sort();
        urls
    };
    let wanted = urls(&new);
    let same = stores.iter_mut().find(|s| s.kind == new.kind && urls(s) == wanted);
    let Some(known) = same else { return stores.push(new) };
    known.members.extend(new.members);
    known.members.sort();
    known.members.dedup();
    for endpoint in new.endpoints {
        match known.endpoints.iter_mut().find(|e| e.url == endpoint.url) {
            Some(known) => better(known, endpoint),
            None => known.endpoints.push(endpoint),
        }
    }
    for (path, scope) in new.scopes {
        match known.scopes.get_mut(&path) {
            Some(known) => prefer(known, scope),
            None => {
                known.scopes.insert(path, scope);
            }
        }
    }
}

/// What one host could not have, another one may have had.
fn prefer<T>(known: &mut Answer<T>, new: Answer<T>) {
    if known.got().is_none() && new.got().is_some() {
        *known = new;
    }
}

fn prefer_one<T>(known: &mut Option<Answer<T>>, new: Option<Answer<T>>) {
    match (known.as_mut(), new) {
        (Some(known), Some(new)) => prefer(known, new),
        (None, new) => *known = new,
        (Some(_), None) => {}
    }
}

fn better(known: &mut Endpoint, new: Endpoint) {
    known.configured |= new.configured;
    prefer(&mut known.version, new.version);
    // The worst that was seen: a server that one host can reach and another one cannot is not known to be healthy.
    if known.healthy == Answer::Got(true) || new.healthy == Answer::Got(false) {
        known.healthy = new.healthy;
    }
    prefer_one(&mut known.v2, new.v2);
    prefer_one(&mut known.advertised, new.advertised);
    prefer_one(&mut known.session_ttl_min, new.session_ttl_min);
    known.cluster = known.cluster.take().or(new.cluster);
}
