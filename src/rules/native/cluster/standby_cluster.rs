//! A cluster that follows another one (`global_config.py:GlobalConfig.is_standby_cluster`).

use crate::facts::gap::Gap;
use crate::facts::{Facts, PatroniFile};
use crate::parse::patroni::{Item, ItemValue};
use crate::rules::report::Report;

/// A section that names no source.
pub(in crate::rules::native) fn incomplete(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in &facts.patroni {
        // An empty one asks for nothing, and a value that is not known may be a source.
        let Some(section) = file.dynamic("standby_cluster").filter(|s| !s.open && !s.pairs().is_empty()) else {
            continue;
        };
        let unknown = section.pairs().iter().any(|p| matches!(p.item.value, ItemValue::Unknown));
        let asks = section.pairs().iter().any(|p| p.item.is_true());
        if asks && !unknown && file.config.is_complete() && !file.is_standby_cluster() {
            report.add(report.problem(section.key_or_value()));
        }
    }
    Ok(())
}

/// A source that is a member of the same cluster.
pub(in crate::rules::native) fn same_scope(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for cluster in &facts.clusters {
        for member in &cluster.members {
            let file = &facts.patroni[member.file];
            let Some((host, sources)) = sources(file) else { continue };
            let source = cluster.members.iter().find(|m| {
                let other = &facts.patroni[m.file].config;
                let address = other.connect_address().map(|a| (a.value.0.to_ascii_lowercase(), a.value.1));
                other.dcs_path() == file.config.dcs_path() && address.is_some_and(|a| sources.contains(&a))
            });
            let (Some(source), Some(scope)) = (source, file.config.scope()) else { continue };
            report.add(
                report
                    .problem(host.span)
                    .arg("member", source.name.as_str())
                    .arg("scope", scope.value)
                    .label(scope.span, "the scope of both"),
            );
        }
    }
    Ok(())
}

/// Hosts and ports that the section names, and the place of the hosts.
fn sources(file: &PatroniFile) -> Option<(&Item, Vec<(String, i64)>)> {
    let section = file.dynamic("standby_cluster")?;
    let host = section.get("host")?;
    let hosts: Vec<String> = host.as_str()?.split(',').map(|h| h.trim().to_ascii_lowercase()).collect();
    let ports = section.get("port").and_then(Item::as_setting).unwrap_or_else(|| "5432".to_owned());
    let ports: Vec<i64> = ports.split(',').map(|p| p.trim().parse()).collect::<Result<_, _>>().ok()?;
    // libpq takes one port for all hosts, or one for each.
    let port = |i: usize| ports.get(i).or_else(|| ports.first().filter(|_| ports.len() == 1)).copied();
    let pairs = hosts.into_iter().enumerate().filter_map(|(i, h)| Some((h, port(i)?)));
    Some((host, pairs.collect()))
}
