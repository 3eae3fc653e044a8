//! Levels that Python's logging does not know (`log.py:PatroniLogger.reload_config`).

use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::facts::patroni_file::is_placeholder;
use crate::parse::patroni::{Item, ItemValue};
use crate::rules::report::Report;

/// `logging._nameToLevel`
const LEVELS: [&str; 8] = ["CRITICAL", "DEBUG", "ERROR", "FATAL", "INFO", "NOTSET", "WARN", "WARNING"];

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files() {
        let loggers = file.config.get("log.loggers").map_or(&[][..], Item::pairs);
        let loggers = loggers.iter().filter_map(|p| Some((format!("log.loggers.{}", p.key.value.as_str()?), &p.item)));
        let own = file.config.get("log.level").map(|item| ("log.level".to_owned(), item));
        for (path, item) in own.into_iter().chain(loggers) {
            let ItemValue::Str(level) = &item.value else { continue };
            if LEVELS.contains(&&**level) || is_placeholder(level) {
                continue;
            }
            let mut problem = report.problem(item.span).arg("path", path).arg("level", &**level);
            let upper = level.to_uppercase();
            // Only a plain word can be written over as it stands; quotes are part of the place.
            if LEVELS.contains(&upper.as_str()) && (item.span.end - item.span.start) as usize == level.len() {
                problem = problem.edit(item.span, upper);
            }
            report.add(problem);
        }
    }
    Ok(())
}
