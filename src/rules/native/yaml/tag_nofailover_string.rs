//! A tag that is asked for its truth holds a non-empty string.

use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::rules::report::Report;

/// Tags that Patroni uses as truth values (`tags.py:Tags`).
const TAGS: [&str; 5] = ["clonefrom", "nofailover", "noloadbalance", "nostream", "nosync"];

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files() {
        for tag in TAGS {
            let Some(item) = file.config.get(&format!("tags.{tag}")) else { continue };
            let Some(text) = item.as_str() else { continue };
            let word = text.to_ascii_lowercase();
            if !["false", "off", "no", "0", "n", "f"].contains(&word.as_str()) {
                continue;
            }
            let problem = report.problem(item.span).arg("tag", tag).arg("found", text);
            report.add(problem.edit(item.span, "false"));
        }
    }
    Ok(())
}
