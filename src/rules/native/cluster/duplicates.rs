//! Members that cannot be told apart.

use crate::facts::gap::Gap;
use crate::facts::{Facts, PatroniFile};
use crate::parse::patroni::Item;
use crate::rules::report::Report;

/// One name for two members. Two files with one name and one address are one member written twice.
pub(in crate::rules::native) fn name(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    pairs(facts, |one, other| {
        let (Some(name), Some(same)) = (one.config.name(), other.config.name()) else { return false };
        let apart = address(one, "postgresql").zip(address(other, "postgresql")).is_some_and(|(a, b)| a.0 != b.0);
        let is_same = name.value == same.value && one.config.dcs_path() == other.config.dcs_path() && apart;
        if is_same {
            report.add(report.problem(name.span).arg("name", name.value).label(same.span, "the same name"));
        }
        is_same
    });
    Ok(())
}

/// One address for two members.
pub(in crate::rules::native) fn connect_address(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for section in ["postgresql", "restapi"] {
        pairs(facts, |one, other| {
            let (Some(name), Some(other_name)) = (one.config.name(), other.config.name()) else { return false };
            let (Some((own, at)), Some((theirs, place))) = (address(one, section), address(other, section)) else {
                return false;
            };
            // What leads each member to itself has a rule of its own.
            let local = own.0.parse::<std::net::IpAddr>().is_ok_and(|a| a.is_loopback() || a.is_unspecified())
                || ["localhost", "*"].contains(&own.0.as_str());
            let is_same = name.value != other_name.value && own == theirs && !local;
            if is_same {
                let problem = report.problem(at.span).arg("section", section).arg("member", name.value);
                let problem = problem.arg("address", format!("{}:{}", own.0, own.1)).arg("other", other_name.value);
                report.add(problem.label(place.span, "the same address"));
            }
            is_same
        });
    }
    Ok(())
}

/// Shows each member with those before it in its cluster, until one is said to be the same.
fn pairs(facts: &Facts, mut same: impl FnMut(&PatroniFile, &PatroniFile) -> bool) {
    for cluster in facts.clusters() {
        let files: Vec<&PatroniFile> = cluster.members.iter().map(|m| &facts.patroni[m.file]).collect();
        for (i, file) in files.iter().enumerate() {
            let _ = files[..i].iter().any(|before| same(file, before));
        }
    }
}

fn address<'a>(file: &'a PatroniFile, section: &str) -> Option<((String, i64), &'a Item)> {
    let path = format!("{section}.connect_address");
    let port = if section == "postgresql" { 5432 } else { 8008 };
    let found = file.config.address(&path, port)?;
    Some(((found.value.0.to_ascii_lowercase(), found.value.1), file.config.get(&path)?))
}
