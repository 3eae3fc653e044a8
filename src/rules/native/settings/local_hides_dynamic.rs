//! What stands in the local and in the dynamic configuration: the local one counts.

use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::facts::settings::equal;
use crate::knowledge::patroni::command_line_setting;
use crate::parse::patroni::Item;
use crate::rules::report::Report;
use crate::source::Span;

/// Lists are not joined but replaced.
pub(in crate::rules::native) fn lists(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files() {
        for key in ["pg_hba", "pg_ident"] {
            let of = |section: &str| {
                let item = file.config.get(section)?.get(key)?;
                (!item.items().is_empty()).then_some(item)
            };
            let (Some(local), Some(dynamic)) = (of("postgresql"), of("bootstrap.dcs.postgresql")) else { continue };
            let problem = report.problem(local.key_or_value()).arg("key", key);
            report.add(problem.label(dynamic.key_or_value(), "this never counts here"));
        }
    }
    Ok(())
}

/// Settings with two values.
pub(in crate::rules::native) fn parameters(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files() {
        let mut found: Vec<(Span, Span, String)> = Vec::new();
        for (name, local) in file.local_parameters() {
            let Some(dynamic) = file.dynamic_parameter(name) else { continue };
            let values = local.as_setting().zip(dynamic.as_setting()).filter(|(a, b)| !equal(name, a, b));
            let Some((value, other)) = values else { continue };
            if command_line_setting(name, facts.patroni_version).is_none() {
                let what = format!("`{name}` is {value} on this member and {other} in the dynamic configuration");
                found.push((Item::key_or_value(local), dynamic.key_or_value(), what));
            }
        }
        let Some((at, hidden, what)) = found.first() else { continue };
        let what = match found.len() {
            1 => what.clone(),
            n => format!("{what}, and so are {} more", n - 1),
        };
        let problem = report.problem(*at).arg("what", what).label(*hidden, "this does not count here");
        report.add(found[1..].iter().fold(problem, |problem, (at, ..)| problem.label(*at, "")));
    }
    Ok(())
}
