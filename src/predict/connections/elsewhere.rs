//! Connections to others than PostgreSQL: the REST API of a member, and the store.

use super::{Connection, Decided, Purpose, peers};
use crate::bundle::Answer;
use crate::bundle::host::{Reach, place};
use crate::facts::endpoints;
use crate::facts::gap::{Fact, Gap, GapReason};
use crate::facts::kept::store_of;
use crate::facts::{Facts, Member};

/// What other members ask of its REST API: `GET /patroni` in a race for the leader's lock, `POST /failsafe`
/// (`ha.py:Ha.fetch_nodes_statuses`, `check_failsafe_topology`).
pub(super) fn rest_api(facts: &Facts, member: &Member) -> Vec<Connection> {
    let config = &facts.patroni[member.file].config;
    let address = config.address("restapi.connect_address", 8008).or_else(|| config.address("restapi.listen", 8008));
    let place = address.map(|a| place(&a.value.0, a.value.1));
    let tls = config.get("restapi.certfile").is_some() || !config.is_absent("restapi.certfile");
    let one = |peer: &Member| {
        let gap = || Gap::new("`restapi.connect_address`", GapReason::Unreadable).on(&member.name);
        let decided =
            place.as_deref().ok_or_else(gap).map(|place| Decided::Endpoint { seen: seen(facts, peer, place) });
        endpoint(Purpose::RestApi, peer, member.name.clone(), place.clone(), Some(tls), decided)
    };
    peers(facts, member).map(one).collect()
}

/// Its host to each server of the store.
pub(super) fn store(facts: &Facts, member: &Member) -> Vec<Connection> {
    let config = &facts.patroni[member.file].config;
    let node = facts.node_of(member);
    let asked = node.and_then(|node| store_of(facts, node).ok());
    let urls = asked.map_or(&[][..], |store| store.value().endpoints.as_slice());
    let mut found: Vec<(String, Option<bool>, Option<&'static str>)> = Vec::new();
    for url in urls {
        let (scheme, rest) = url.url.split_once("://").unwrap_or(("", &url.url));
        let answers = match &url.healthy {
            Answer::Got(true) => Some("answers"),
            Answer::Got(false) => Some("answers that it is not healthy"),
            Answer::Missing(_) => matches!(url.version, Answer::Got(_)).then_some("answers"),
        };
        let tls = (!scheme.is_empty()).then_some(scheme == "https");
        found.push((rest.split('/').next().unwrap_or(rest).to_owned(), tls, answers));
    }
    if found.is_empty() {
        let protocol = config.dcs().and_then(|(_, section)| endpoints::protocol(section));
        let tls = protocol.map(|protocol| protocol == "https");
        let hosts = endpoints::hosts(config).unwrap_or_default().into_iter();
        found.extend(hosts.map(|(host, port)| (place(&host, port), tls, None)));
    }
    if found.is_empty() {
        let kind = config.dcs_kind().unwrap_or("the store");
        let gap = Gap::new(format!("where {kind} is"), GapReason::NotGiven).on(&member.name);
        return vec![endpoint(Purpose::Store, member, kind.to_owned(), None, None, Err(gap))];
    }
    let one = |(at, tls, answers): (String, Option<bool>, Option<&str>)| {
        // What its own host has seen goes before what was seen from here.
        let own = seen(facts, member, &at);
        let said = match answers {
            Some(answers) if own == NOT_TRIED => format!("{answers} to the host that asked; {NOT_TRIED} from there"),
            Some(answers) if own == OPEN => answers.to_owned(),
            _ => own,
        };
        endpoint(Purpose::Store, member, at.clone(), Some(at), tls, Ok(Decided::Endpoint { seen: said }))
    };
    found.into_iter().map(one).collect()
}

const NOT_TRIED: &str = "not tried";
const OPEN: &str = "something listens there";

/// What came of a connection from the host of a member, in words.
fn seen(facts: &Facts, from: &Member, place: &str) -> String {
    let reach: Fact<Reach> = (|| {
        let missing = || Gap::new(format!("a connection to {place}"), GapReason::NotGiven).on(&from.name);
        let node = facts.node_of(from).ok_or_else(missing)?;
        let answer = node.host()?.value().reach.get(place).ok_or_else(missing)?;
        node.answer("a connection", answer).copied()
    })();
    match reach {
        Ok(Reach::Open) => OPEN,
        Ok(Reach::Refused) => "refused: nothing listens there now",
        Ok(Reach::Silent) => "no answer",
        Ok(Reach::NoRoute) => "no route leads there",
        Ok(Reach::Forbidden) => "the host itself forbids it",
        Ok(Reach::NoName) => "its name stands for no address",
        Err(_) => NOT_TRIED,
    }
    .to_owned()
}

fn endpoint(
    purpose: Purpose,
    from: &Member,
    to: String,
    place: Option<String>,
    tls: Option<bool>,
    decided: Fact<Decided>,
) -> Connection {
    Connection {
        purpose,
        from: from.name.clone(),
        to,
        place,
        address: None,
        user: None,
        database: None,
        tls,
        decided,
        today: None,
    }
}
