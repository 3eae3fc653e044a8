//! More than one store is configured.

use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::knowledge::patroni::DCS_SECTIONS;
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files() {
        // Of sections under conditions a template may write one at a time.
        let sections = DCS_SECTIONS.iter().filter_map(|s| file.config.get(s).map(|item| (*s, item)));
        let sections: Vec<_> = sections.filter(|(_, item)| !item.optional).collect();
        let [(used, first), rest @ ..] = &sections[..] else { continue };
        for (ignored, item) in rest {
            report.add(
                report
                    .problem(item.key_or_value())
                    .arg("used", *used)
                    .arg("ignored", *ignored)
                    .label(first.key_or_value(), "this one is used"),
            );
        }
    }
    Ok(())
}
