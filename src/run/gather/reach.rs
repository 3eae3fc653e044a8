//! Where the host of a member has to get to: the servers and REST APIs of the others, and the store.

use std::collections::BTreeSet;

use super::discover::told;
use crate::bundle::host::place;
use crate::bundle::sql::Session;
use crate::facts::endpoints;
use crate::parse::patroni::Patroni;

/// Places that a member connects to, as its configuration and those of the others tell.
pub(super) fn places<'a>(own: &Patroni, others: impl Iterator<Item = &'a Patroni>) -> Vec<String> {
    let mut all = BTreeSet::new();
    let cluster = |config: &Patroni| (config.scope().map(|s| s.value.to_owned()), config.dcs_path());
    for config in others.filter(|config| cluster(config) == cluster(own)) {
        all.extend(addresses(config));
    }
    for address in addresses(own) {
        all.remove(&address);
    }
    let stores = endpoints::hosts(own).unwrap_or_default();
    all.extend(stores.into_iter().map(|(host, port)| place(&host, port)));
    all.into_iter().collect()
}

/// The ports of a member's server and of its REST API.
pub(super) fn ports(own: &Patroni) -> [Option<i64>; 2] {
    [own.connect_address(), own.address("restapi.connect_address", 8008)].map(|address| address.map(|a| a.value.1))
}

/// Places of members that the server of another one tells of, on the ports of that one: a host that is looked at alone, for a
/// bundle, knows the configuration of no other.
pub(super) fn add_told(places: &mut Vec<String>, [server, rest]: [Option<i64>; 2], session: &Session) {
    for other in told(session) {
        let address = other.address.to_string();
        for port in [other.port.map(i64::from).or(server), rest].into_iter().flatten() {
            let place = place(&address, port);
            if !places.contains(&place) {
                places.push(place);
            }
        }
    }
}

fn addresses(config: &Patroni) -> impl Iterator<Item = String> {
    let own = config.connect_address();
    let rest = config.address("restapi.connect_address", 8008);
    own.into_iter().chain(rest).map(|address| place(&address.value.0, address.value.1))
}
