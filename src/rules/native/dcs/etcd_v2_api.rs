//! Section `etcd`, which speaks the old API.

use crate::bundle::Answer;
use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::facts::kept::store_of;
use crate::parse::patroni::Layer;
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for (i, file) in facts.numbered_files() {
        let config = &file.config;
        let Some(("etcd", section)) = config.dcs() else { continue };
        // That two sections stand side by side has a finding of its own.
        if !config.is_absent("etcd3") {
            continue;
        }
        // A server that was asked and answers this API is one that has it.
        let node = facts.member_of(i).and_then(|member| facts.node_of(member));
        let store = node.and_then(|node| store_of(facts, node).ok());
        let asked = store.iter().flat_map(|store| &store.value().endpoints).filter(|endpoint| endpoint.configured);
        if asked.filter_map(|endpoint| endpoint.v2.as_ref()).any(|v2| *v2 == Answer::Got(true)) {
            continue;
        }
        let mut problem = report.problem(section.key_or_value());
        for key in ["version", "protocol_version", "api_version"] {
            if let Some(item) = section.get(key) {
                problem = problem.label(item.key_or_value(), "does not choose the API; the name of the section does");
            }
        }
        let in_file = section.layer == Layer::File && section.pairs().iter().all(|p| p.item.layer == Layer::File);
        if let Some(key) = section.key_span.filter(|_| in_file) {
            problem = problem.edit(key, "etcd3");
        }
        report.add(problem);
    }
    Ok(())
}
