//! Lines of `pg_hba.conf` that do something else than they seem to.

use std::net::IpAddr;

use crate::facts::Facts;
use crate::facts::asked;
use crate::facts::gap::Gap;
use crate::parse::hba::{Address, HbaRule};
use crate::rules::report::Report;

/// `hba-line-unreachable`: an earlier line decides everything that this one would, and otherwise.
pub(in crate::rules::native) fn unreachable(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    let refusing = asked::kept_out(facts);
    for (number, file) in facts.numbered_hbas() {
        for (index, rule) in file.hba.rules.iter().enumerate() {
            let Some(hidden_by) = file.hidden_by(index) else { continue };
            let earlier = &file.hba.rules[hidden_by];
            // A line that keeps Patroni out has a finding of its own, and goes with it.
            if same_outcome(earlier, rule) || refusing.contains_key(&(number, hidden_by)) {
                continue;
            }
            report.add(
                report
                    .problem(rule.kind.span)
                    .arg("method", rule.method.value.name())
                    .arg("other", earlier.method.value.name())
                    .label(earlier.span, "this line decides"),
            );
        }
    }
    Ok(())
}

fn same_outcome(a: &HbaRule, b: &HbaRule) -> bool {
    a.method.value == b.method.value && a.settings == b.settings
}

/// `hba-mask-zero-with-address`: the address of one host, and a mask that stands for all.
pub(in crate::rules::native) fn mask_zero(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.hbas() {
        for rule in &file.hba.rules {
            let Some(address) = &rule.address else { continue };
            let Address::Range { addr, mask } = &address.value else { continue };
            if !mask.is_unspecified() || addr.is_unspecified() {
                continue;
            }
            let (family, width, every) = match addr {
                IpAddr::V4(_) => ("IPv4", 32, "0.0.0.0/0"),
                IpAddr::V6(_) => ("IPv6", 128, "::/0"),
            };
            report.add(
                report
                    .problem(address.span)
                    .arg("address", addr.to_string())
                    .arg("family", family)
                    .arg("host", format!("{addr}/{width}"))
                    .arg("every", every),
            );
        }
    }
    Ok(())
}

/// `ident-map-missing`: a line asks for a map of which no line speaks.
pub(in crate::rules::native) fn map_missing(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for member in facts.members() {
        let Ok(hba) = &member.hba else { continue };
        for rule in &facts.hbas[*hba].hba.rules {
            let Some(map) = rule.settings.as_ref().and_then(|s| s.map.as_deref()).filter(|m| !m.is_empty()) else {
                continue;
            };
            let Some(ident) = report.known(member.ident.clone()) else { continue };
            let file = &facts.idents[ident];
            // A server without one good line has no map at all, which has findings of its own.
            if !file.ident.unreadable.is_empty()
                || file.ident.is_open()
                || file.ident.lines.iter().any(|l| l.map.value == map)
            {
                continue;
            }
            let at = rule.options.iter().find(|o| o.name == "map").map_or(rule.span, |o| o.span);
            report.add(report.problem(at).arg("map", map).arg("file", file.source.name()));
        }
    }
    Ok(())
}
