//! Members of one cluster that look for its state in different places.

use std::collections::BTreeMap;

use crate::facts::endpoints::{hosts, protocol};
use crate::facts::gap::Gap;
use crate::facts::{Cluster, Facts, Member, PatroniFile};
use crate::rules::report::Report;

/// Another kind of store. etcd's two APIs do not see each other's keys either.
pub(in crate::rules::native) fn kind(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for cluster in facts.clusters().iter().filter(|c| c.has_own_names(facts)) {
        let kinds: Vec<(&Member, &PatroniFile, &'static str)> = cluster
            .members
            .iter()
            .filter_map(|m| {
                let file = Some(&facts.patroni[m.file]).filter(|f| f.config.is_dcs_decided())?;
                Some((m, file, file.config.dcs_kind()?))
            })
            .collect();
        let mut count: BTreeMap<&str, usize> = BTreeMap::new();
        for (_, _, kind) in &kinds {
            *count.entry(kind).or_default() += 1;
        }
        let Some((most, _)) = count.iter().rev().max_by_key(|(_, n)| **n).filter(|_| count.len() > 1) else { continue };
        let model = kinds.iter().find(|(_, _, kind)| kind == most);
        for (_, file, kind) in kinds.iter().filter(|(_, _, kind)| kind != most) {
            let mut problem = report.problem(file.place_of(kind)).arg("kind", *kind).arg("other", *most);
            if let Some((member, other, _)) = model {
                problem = problem.label(other.place_of(most), format!("as in {}", member.name));
            }
            report.add(problem);
        }
    }
    Ok(())
}

/// Endpoints that are partly the same, or the same one once with TLS and once without.
pub(in crate::rules::native) fn endpoints(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for cluster in facts.clusters().iter().filter(|c| c.members.len() > 1 && c.has_own_names(facts)) {
        compare(cluster, facts, report);
    }
    Ok(())
}

type Hosts = Vec<(String, i64)>;

fn compare(cluster: &Cluster, facts: &Facts, report: &mut Report) {
    let mut known: Vec<(&Member, &PatroniFile, &str, Hosts, Option<String>)> = Vec::new();
    for member in &cluster.members {
        let file = &facts.patroni[member.file];
        if let (Some((kind, section)), Some(hosts)) = (file.config.dcs(), hosts(&file.config)) {
            known.push((member, file, kind, hosts, protocol(section)));
        }
    }
    let mut by_hosts: BTreeMap<&Hosts, usize> = BTreeMap::new();
    for (.., hosts, _) in &known {
        *by_hosts.entry(hosts).or_default() += 1;
    }
    // Of lists that are equally frequent the longest is taken for the full one.
    let Some(most) = by_hosts.iter().max_by_key(|(hosts, n)| (**n, hosts.len())).map(|(hosts, _)| (*hosts).clone())
    else {
        return;
    };
    let Some(model) = known.iter().find(|(.., hosts, _)| *hosts == most) else { return };
    for (_, file, kind, hosts, protocol) in &known {
        if *kind != model.2 {
            continue;
        }
        let shared = hosts.iter().filter(|h| most.contains(h)).count();
        let text = if shared == 0 {
            // Each member may ask its own server of the same store.
            continue;
        } else if *hosts != most {
            let show = |list: &Hosts, other: &Hosts| -> String {
                let only: Vec<String> =
                    list.iter().filter(|h| !other.contains(h)).map(|(h, p)| format!("{h}:{p}")).collect();
                only.join(", ")
            };
            match (show(hosts, &most), show(&most, hosts)) {
                (extra, missing) if extra.is_empty() => {
                    format!("{missing} is missing here, and named by other members")
                }
                (extra, missing) if missing.is_empty() => format!("{extra} is named here, and not by other members"),
                (extra, missing) => format!("{extra} is named here, and {missing} by other members"),
            }
        } else {
            match (protocol, &model.4) {
                (Some(own), Some(other)) if own != other => {
                    format!("the endpoints are spoken to over {own} here, and over {other} by other members")
                }
                _ => continue,
            }
        };
        let problem = report.problem(file.place_of(&format!("{kind}.hosts"))).arg("problem", text);
        report.add(problem.label(model.1.place_of(&format!("{kind}.hosts")), format!("as in {}", model.0.name)));
    }
}
