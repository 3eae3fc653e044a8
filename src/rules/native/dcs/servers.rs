//! Servers of the store: whether they answer, and as Patroni needs it.

use std::collections::BTreeSet;

use crate::bundle::Answer;
use crate::bundle::dcs::{Endpoint, Store};
use crate::facts::gap::{Gap, GapReason};
use crate::facts::kept::store_of;
use crate::facts::written::Written;
use crate::facts::{Facts, LiveMember};
use crate::knowledge::patroni::Version;
use crate::parse::patroni::Item;
use crate::problem::Problem;
use crate::rules::report::Report;
use crate::source::Span;

/// Each store once, with the first member that names it. Members whose store was not asked are gaps.
fn stores<'a>(facts: &'a Facts, report: &mut Report) -> Vec<(LiveMember<'a>, &'a Written<Store>)> {
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for live in facts.live() {
        let Some(store) = report.known(store_of(facts, live.node)) else { continue };
        if seen.insert(store.members.clone()) {
            all.push((live, store));
        }
    }
    all
}

fn at(store: &Written<Store>, number: usize, part: &str) -> Span {
    store.at(&["endpoints", &number.to_string(), part])
}

/// Where a member's configuration names the store.
fn place(facts: &Facts, live: LiveMember<'_>, store: &Store) -> Option<Span> {
    Some(facts.patroni[live.member?.file].place_of(&store.kind))
}

fn with_place(problem: Problem, place: Option<Span>, text: &str) -> Problem {
    match place {
        Some(place) => problem.label(place, text),
        None => problem,
    }
}

/// Whether a server is of use: it answers, and does not say that it is ill.
fn is_well(endpoint: &Endpoint) -> bool {
    endpoint.version.got().is_some() && endpoint.healthy != Answer::Got(false)
}

/// What is wrong with a server that certainly is of no use; `None` when it may be.
fn fault(endpoint: &Endpoint) -> Option<String> {
    match (&endpoint.version, &endpoint.healthy) {
        (Answer::Missing(miss), _) if miss.why == GapReason::Closed => Some("nothing listens there".to_owned()),
        (_, Answer::Got(false)) => Some("it says that it is not healthy: its cluster has no leader".to_owned()),
        _ => None,
    }
}

/// None of the servers is of use.
pub(in crate::rules::native) fn unreachable(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for (live, store) in stores(facts, report) {
        let configured: Vec<(usize, &Endpoint)> =
            store.endpoints.iter().enumerate().filter(|(_, e)| e.configured).collect();
        if configured.is_empty() || configured.iter().any(|(_, e)| is_well(e)) {
            continue;
        }
        let faults: Vec<Option<String>> = configured.iter().map(|(_, e)| fault(e)).collect();
        let Some(faults) = faults.into_iter().collect::<Option<Vec<String>>>() else {
            let why = configured.iter().find_map(|(_, e)| e.version.as_result().err()).map(|miss| miss.why);
            let gap = Gap::new(format!("the store {}", store.kind), why.unwrap_or(GapReason::Unreachable));
            report.known::<()>(Err(gap));
            continue;
        };
        let urls: Vec<&str> = configured.iter().map(|(_, e)| e.url.as_str()).collect();
        let mut problem = report
            .problem(at(store, configured[0].0, "version"))
            .arg("kind", &*store.kind)
            .arg("urls", urls.join(", "))
            .arg("fault", &*faults[0]);
        for ((number, _), fault) in configured.iter().zip(&faults).skip(1) {
            problem = problem.label(at(store, *number, "version"), &**fault);
        }
        report.add(with_place(problem, place(facts, live, store), "named here"));
    }
    Ok(())
}

/// Some are of no use, and others are.
pub(in crate::rules::native) fn unhealthy(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for (live, store) in stores(facts, report) {
        let configured = || store.endpoints.iter().enumerate().filter(|(_, e)| e.configured);
        if !configured().any(|(_, e)| is_well(e)) {
            continue;
        }
        for (number, endpoint) in configured().filter(|(_, e)| !is_well(e)) {
            let Some(fault) = fault(endpoint) else {
                let why = endpoint.version.as_result().err().map_or(GapReason::Unreachable, |miss| miss.why);
                report.known::<()>(Err(Gap::new(format!("server {} of the store", endpoint.url), why)));
                continue;
            };
            let part = if endpoint.version.got().is_some() { "healthy" } else { "version" };
            let problem = report.problem(at(store, number, part)).arg("url", &*endpoint.url).arg("fault", fault);
            report.add(with_place(problem, place(facts, live, store), "named here"));
        }
    }
    Ok(())
}

/// etcd before the versions that Patroni's driver takes (`dcs/etcd3.py:Etcd3Client._ensure_version_prefix`).
pub(in crate::rules::native) fn version(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for (live, store) in stores(facts, report).into_iter().filter(|(_, store)| store.kind == "etcd3") {
        let file = live.member.map(|m| &facts.patroni[m.file]);
        let logs_in = file.is_some_and(|f| f.config.get("etcd3.username").is_some());
        for (number, endpoint) in store.endpoints.iter().enumerate() {
            let Some(version) = endpoint.version.got() else { continue };
            let Ok(is) = version.parse::<Version>() else { continue };
            let fault = if is < Version::new(3, 0, 4) {
                "Patroni takes 3.0.4 and later"
            } else if logs_in && is < Version::new(3, 3, 0) {
                "with a user name Patroni takes 3.3.0 and later"
            } else {
                continue;
            };
            let problem = report
                .problem(at(store, number, "version"))
                .arg("url", &*endpoint.url)
                .arg("version", &**version)
                .arg("fault", fault);
            report.add(with_place(problem, place(facts, live, store), "named here"));
        }
    }
    Ok(())
}

/// What a scope answers when the store refuses it to us, who logs in as Patroni does.
fn refused<'a>(store: &'a Written<Store>, is: &'a dyn Fn(&str) -> bool) -> impl Iterator<Item = (&'a str, &'a str)> {
    store.value().scopes.iter().filter_map(move |(path, answer)| match answer {
        Answer::Missing(miss) if miss.why == GapReason::Denied && is(&miss.detail) => {
            Some((path.as_str(), miss.detail.as_str()))
        }
        _ => None,
    })
}

/// etcd does not let Patroni in.
pub(in crate::rules::native) fn login(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    const WORDS: [&str; 3] = ["user name is empty", "authentication failed", "invalid auth token"];
    denied(facts, report, &|detail| WORDS.iter().any(|words| detail.contains(words)))
}

/// etcd lets Patroni in, and not at its keys.
pub(in crate::rules::native) fn permission(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    denied(facts, report, &|detail| detail.contains("permission denied"))
}

fn denied(facts: &Facts, report: &mut Report, is: &dyn Fn(&str) -> bool) -> Result<(), Gap> {
    for (live, store) in stores(facts, report).into_iter().filter(|(_, store)| store.kind.starts_with("etcd")) {
        let Some((path, detail)) = refused(store, is).next() else { continue };
        let section = &store.kind;
        let file = live.member.map(|m| &facts.patroni[m.file]);
        let user = file.and_then(|f| f.config.get(&format!("{section}.username")));
        let mut problem = report
            .problem(store.at(&["scopes", path]))
            .arg("path", path)
            .arg("said", detail)
            .arg("user", user.and_then(|u| u.as_str()).unwrap_or("nobody"));
        if let Some(user) = user {
            problem = problem.label(user.span, "Patroni logs in so");
        } else if let Some(file) = file {
            problem = problem.label(file.place_of(section), "no user name is given here");
        }
        report.add(problem);
    }
    Ok(())
}

/// etcd tells its clients to come to an address that is another machine for each of them
/// (`dcs/etcd.py:AbstractEtcdClientWithFailover._refresh_machines_cache`).
pub(in crate::rules::native) fn advertised(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    let is_local = |url: &str| {
        let host = url.split("://").nth(1).unwrap_or(url);
        ["localhost", "127.", "[::1]", "0.0.0.0"].iter().any(|start| host.starts_with(start))
    };
    for (live, store) in stores(facts, report).into_iter().filter(|(_, store)| store.kind.starts_with("etcd")) {
        let Some(member) = report.known(live.member()) else { continue };
        let file = &facts.patroni[member.file];
        let keys = ["use_proxies", "proxy"].map(|key| file.known(&format!("{}.{key}", store.kind)));
        let Some(keys) = report.known(keys.into_iter().collect::<Result<Vec<_>, _>>()) else { continue };
        // Patroni asks no server for others then.
        if keys.into_iter().flatten().any(Item::is_true) {
            continue;
        }
        if store.endpoints.iter().any(|e| e.configured && is_local(&e.url)) {
            continue;
        }
        for (number, endpoint) in store.endpoints.iter().enumerate().filter(|(_, e)| e.configured) {
            let urls = endpoint.advertised.as_ref().and_then(Answer::got);
            let Some(url) = urls.into_iter().flatten().find(|url| is_local(url)) else { continue };
            let problem = report
                .problem(at(store, number, "advertised"))
                .arg("url", &*endpoint.url)
                .arg("advertised", &**url)
                .arg("section", &*store.kind);
            report.add(with_place(problem, place(facts, live, store), "named here"));
            break;
        }
    }
    Ok(())
}

/// Consul takes no session as short as Patroni wants it (`dcs/consul.py:Consul.adjust_ttl`).
pub(in crate::rules::native) fn consul_ttl(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    use crate::facts::timeouts::Timeouts;
    for (live, store) in stores(facts, report).into_iter().filter(|(_, store)| store.kind == "consul") {
        let Some(member) = live.member else { continue };
        let Some(timeouts) = Timeouts::of(&facts.patroni[member.file]) else { continue };
        for (number, endpoint) in store.endpoints.iter().enumerate() {
            let Some(Answer::Got(least)) = &endpoint.session_ttl_min else { continue };
            // Patroni's session lives for half of the ttl, since Consul waits twice as long.
            let Ok(wanted) = u64::try_from(timeouts.ttl * 500) else { continue };
            if *least <= wanted {
                continue;
            }
            let problem = report
                .problem(at(store, number, "session_ttl_min"))
                .arg("least", (least / 1000).to_string())
                .arg("wanted", (wanted / 1000).to_string())
                .arg("ttl", (least / 500).to_string());
            report.add(with_place(problem, Some(facts.patroni[member.file].place_of("bootstrap.dcs.ttl")), "ttl"));
        }
    }
    Ok(())
}
