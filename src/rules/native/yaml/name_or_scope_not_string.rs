//! `name`, `scope` or `namespace` is a number, a boolean or a date.

use super::yaml_implicit::quoted;
use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::parse::patroni::Type;
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files() {
        for key in ["name", "scope", "namespace"] {
            let Some(item) = file.config.get(key) else { continue };
            if matches!(item.kind(), Type::Bool | Type::Int | Type::Float | Type::Date | Type::Null) {
                let problem = report.problem(item.span).arg("key", key).arg("found", item.kind().name());
                report.add(quoted(facts, item, problem));
            }
        }
    }
    Ok(())
}
