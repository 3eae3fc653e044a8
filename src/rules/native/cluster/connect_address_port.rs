//! An address for other members with another port than the one that is listened on.

use std::net::Ipv6Addr;

use crate::facts::gap::Gap;
use crate::facts::patroni_file::is_placeholder;
use crate::facts::{Facts, PatroniFile};
use crate::parse::patroni::{Item, split_host_port};
use crate::rules::report::Report;

/// The port of `PgBouncer`, and mostly of Odyssey too.
const POOLER: i64 = 6432;

/// The address that others are told with its port, and the port that is listened on, if they differ.
fn other_port<'a>(file: &'a PatroniFile, section: &str, default: i64) -> Option<(&'a Item, i64, i64)> {
    let port = |key: &str| {
        let item = file.config.get(&format!("{section}.{key}"))?;
        let text = item.as_str().filter(|t| !is_placeholder(t) && t.parse::<Ipv6Addr>().is_err())?;
        // Without a port the two are compared by other rules.
        text.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()))?;
        Some((item, split_host_port(text, default)?.1))
    };
    let ((item, told), (_, own)) = (port("connect_address")?, port("listen")?);
    (told != own).then_some((item, told, own))
}

pub(in crate::rules::native) fn differs(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files() {
        for (section, default) in [("postgresql", 5432), ("restapi", 8008)] {
            let Some((item, told, own)) = other_port(file, section, default) else { continue };
            if section == "postgresql" && told == POOLER {
                continue;
            }
            let mut problem = report
                .problem(item.span)
                .arg("section", section)
                .arg("told", told.to_string())
                .arg("own", own.to_string());
            if let Some(listen) = file.config.get(&format!("{section}.listen")) {
                problem = problem.label(listen.span, "");
            }
            report.add(problem);
        }
    }
    Ok(())
}

pub(in crate::rules::native) fn pooler(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files() {
        if let Some((item, POOLER, own)) = other_port(file, "postgresql", 5432) {
            report.add(report.problem(item.span).arg("own", own.to_string()));
        }
    }
    Ok(())
}
