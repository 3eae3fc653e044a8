//! Whether hosts of members get to where Patroni connects to: to the servers and REST APIs of the others, and to the store.

use std::collections::BTreeMap;

use crate::bundle::Answer;
use crate::bundle::dcs::Endpoint;
use crate::bundle::host::{Reach, place};
use crate::facts::gap::{Fact, Gap, GapReason};
use crate::facts::kept::store_of;
use crate::facts::nodes::Node;
use crate::facts::{Cluster, Facts, Member, endpoints};
use crate::rules::native::on_host::OnHost;
use crate::rules::report::Report;
use crate::source::Span;

/// What other members connect to: the key of its address, the port where that has none, and what it is called.
const SERVICES: [(&str, i64, &str); 2] =
    [("postgresql.connect_address", 5432, "server"), ("restapi.connect_address", 8008, "REST API")];

/// A place that is not reached.
struct Lost {
    /// `192.0.2.12:5432`
    place: String,
    /// `server of pg2`
    what: String,
    fault: &'static str,
    /// What its host says of it.
    at: Span,
    /// Where the configuration names it.
    named: Span,
}

fn reach(on: &OnHost<'_>, place: &str) -> Fact<Reach> {
    match on.host.value().reach.get(place) {
        Some(answer) => Ok(*on.node.answer(&format!("a connection to {place}"), answer)?),
        None => on.gap("connections to other hosts"),
    }
}

/// What is wrong with a connection; `None` where nothing is, or cannot be. A name that stands for nothing is another fault.
const fn fault(reach: Reach, must_listen: bool) -> Option<&'static str> {
    match reach {
        Reach::Silent => Some("no answer within 2 s"),
        Reach::NoRoute => Some("no route leads there"),
        Reach::Forbidden => Some("the host itself forbids it"),
        Reach::Refused if must_listen => Some("refused, although it is listened on"),
        Reach::Open | Reach::Refused | Reach::NoName => None,
    }
}

/// Whether a server runs and listens on an address, as it says itself.
fn is_served(node: &Node, host: &str, port: i64) -> bool {
    let text = |name: &str| node.setting(name).ok().flatten().and_then(|row| row.get("setting"));
    let takes = |address: &str| matches!(address, "*" | "0.0.0.0" | "::") || address == host;
    text("port").and_then(|text| text.parse().ok()) == Some(port)
        && text("listen_addresses").is_some_and(|list| list.split(',').any(|address| takes(address.trim())))
}

/// The hosts of members that were looked at; those that were not are gaps.
fn hosts<'a>(facts: &'a Facts, report: &mut Report) -> Vec<OnHost<'a>> {
    facts.live().filter_map(|live| report.known(OnHost::of(facts, live))).collect()
}

/// Several words: `pg1`, `pg1 and pg3`.
fn list(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [some @ .., last] => format!("{} and {last}", some.join(", ")),
    }
}

/// `peer-connectivity`
pub(in crate::rules::native) fn peers(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    let hosts = hosts(facts, report);
    let mut gaps: BTreeMap<&str, Gap> = BTreeMap::new();
    for cluster in facts.clusters() {
        let own = |on: &&OnHost<'_>| cluster.members.iter().any(|m| m.file == on.member.file);
        for peer in &cluster.members {
            // Those who do not get there, with all that they miss.
            let mut lost: BTreeMap<Vec<&str>, Vec<Lost>> = BTreeMap::new();
            for service in SERVICES {
                let mut from: Vec<(&OnHost<'_>, Lost)> = Vec::new();
                for on in hosts.iter().filter(own).filter(|on| on.member.name != peer.name) {
                    match to_peer(facts, cluster, on, peer, service) {
                        Ok(one) => from.extend(one.map(|lost| (on, lost))),
                        Err(gap) => drop(gaps.entry(&on.node.name).or_insert(gap)),
                    }
                }
                let names: Vec<&str> = from.iter().map(|(on, _)| on.node.name.as_str()).collect();
                if !names.is_empty() {
                    lost.entry(names).or_default().extend(from.into_iter().map(|(_, lost)| lost));
                }
            }
            for (names, lost) in lost {
                add(report, &names, &lost);
            }
        }
    }
    for gap in gaps.into_values() {
        report.known::<()>(Err(gap));
    }
    Ok(())
}

fn to_peer(
    facts: &Facts,
    cluster: &Cluster,
    on: &OnHost<'_>,
    peer: &Member,
    (key, default, what): (&str, i64, &str),
) -> Fact<Option<Lost>> {
    let Some(address) = facts.patroni[peer.file].config.address(key, default) else { return Ok(None) };
    let (host, port) = address.value;
    // Two members that are told to be in one place are another fault.
    let of_own = on.file.config.address(key, default).is_some_and(|own| own.value == (host.clone(), port));
    if of_own || cluster.members.len() < 2 {
        return Ok(None);
    }
    let place = place(&host, port);
    let node = facts.node_of(peer);
    let listens = match what {
        "server" => node.is_some_and(|node| is_served(node, &host, port)),
        // Nobody listens before Patroni is started.
        _ => node.and_then(|node| node.rest().ok()).is_some_and(|rest| rest.listens == Answer::Got(true)),
    };
    let fault = fault(reach(on, &place)?, listens);
    Ok(fault.map(|fault| Lost {
        at: on.host.at(&["reach", &place]),
        what: format!("{what} of {}", peer.name),
        named: address.span,
        place,
        fault,
    }))
}

/// A finding about places that the same hosts do not reach.
fn add(report: &mut Report, names: &[&str], lost: &[Lost]) {
    let mut places: Vec<(&str, String)> = Vec::new();
    for one in lost {
        if !places.iter().any(|(place, _)| *place == one.place) {
            places.push((&one.place, format!("{} ({})", one.place, one.what)));
        }
    }
    let [first, others @ ..] = lost else { return };
    let words: Vec<&str> = places.iter().map(|(_, words)| words.as_str()).collect();
    let mut problem =
        report.problem(first.at).arg("members", list(names)).arg("places", list(&words)).arg("fault", first.fault).arg(
            "socket",
            first
                .place
                .rsplit_once(':')
                .map_or_else(String::new, |(host, port)| format!("{}/{port}", host.trim_matches(['[', ']']))),
        );
    for other in others {
        problem = problem.label(other.at, if other.fault == first.fault { "" } else { other.fault });
    }
    let mut told: Vec<Span> = Vec::new();
    for one in lost {
        if !told.contains(&one.named) {
            told.push(one.named);
            problem = problem.label(one.named, "where it is told to connect to");
        }
    }
    for name in names {
        problem = problem.node(*name);
    }
    report.add(problem);
}

/// What a member's host makes of a server of the store.
enum Server {
    Fine,
    /// Nothing listens for us either: other rules say that.
    Down,
    Lost(Lost),
}

/// The servers of a member's store, as its host gets at them.
fn servers(facts: &Facts, on: &OnHost<'_>) -> Fact<Vec<Server>> {
    let Some(hosts) = endpoints::hosts(&on.file.config) else { return on.gap("the servers of the store") };
    let store = store_of(facts, on.node).ok();
    let kind = on.file.config.dcs_kind().unwrap_or_default();
    let one = |(host, port): &(String, i64)| {
        let place = place(host, *port);
        let is_own = |url: &str| url.split_once("://").map_or(url, |(_, rest)| rest).trim_end_matches('/') == place;
        let ours = store.and_then(|store| store.endpoints.iter().find(|e| is_own(&e.url)));
        let reach = reach(on, &place)?;
        let fault = match reach {
            Reach::Refused if ours.is_some_and(is_closed) => return Ok(Server::Down),
            Reach::Refused if ours.is_some_and(|e| e.version.got().is_some()) => Some("refused, although it runs"),
            Reach::Refused => Some("nothing listens there"),
            Reach::NoName => Some("its name stands for no address there"),
            other => fault(other, false),
        };
        let Some(fault) = fault else { return Ok(Server::Fine) };
        let at = on.host.at(&["reach", &place]);
        Ok(Server::Lost(Lost { at, what: kind.to_owned(), named: on.file.place_of(kind), place, fault }))
    };
    hosts.iter().map(one).collect()
}

fn is_closed(endpoint: &Endpoint) -> bool {
    endpoint.version.as_result().err().is_some_and(|miss| miss.why == GapReason::Closed)
}

/// `dcs-unreachable-from-host`: none of them; `dcs-server-not-reached`: some.
fn to_store(facts: &Facts, report: &mut Report, none: bool) {
    // Some are lost for several hosts in the same way.
    let mut lost: BTreeMap<String, (Vec<&str>, Vec<Lost>)> = BTreeMap::new();
    let hosts = hosts(facts, report);
    for on in &hosts {
        let Some(servers) = report.known(servers(facts, on)) else { continue };
        let is_fine = servers.iter().any(|server| matches!(server, Server::Fine));
        if is_fine == none {
            continue;
        }
        let of_host: Vec<Lost> =
            servers.into_iter().filter_map(|s| if let Server::Lost(lost) = s { Some(lost) } else { None }).collect();
        if of_host.is_empty() {
            continue;
        }
        let key: Vec<&str> = of_host.iter().map(|lost| lost.place.as_str()).collect();
        let (names, all) = lost.entry(key.join(" ")).or_default();
        names.push(&on.node.name);
        all.extend(of_host);
    }
    for (names, lost) in lost.into_values() {
        add(report, &names, &lost);
    }
}

/// `dcs-unreachable-from-host`
pub(in crate::rules::native) fn no_store(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    to_store(facts, report, true);
    Ok(())
}

/// `dcs-server-not-reached`
pub(in crate::rules::native) fn some_of_store(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    to_store(facts, report, false);
    Ok(())
}
