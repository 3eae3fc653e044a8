//! Credentials of which one half is missing.

use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::parse::patroni::Type;
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files().iter().filter(|f| f.config.is_complete()) {
        for section in ["restapi", "ctl"] {
            let path = format!("{section}.authentication");
            let Some(item) = file.config.get(&path).filter(|i| i.kind() == Type::Map && !i.pairs().is_empty()) else {
                continue;
            };
            let Some(missing) = ["username", "password"].into_iter().find(|key| item.get(key).is_none()) else {
                continue;
            };
            let wanted = format!("{path}.{missing}");
            if !file.is_absent(&wanted) || file.is_misspelt(&wanted) {
                continue;
            }
            report.add(report.problem(item.key_or_value()).arg("path", path).arg("missing", missing));
        }
    }
    Ok(())
}
