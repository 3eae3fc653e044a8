//! Options of `initdb` that end a bootstrap.

use super::user_options::{Tool, check as check_options};
use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::knowledge::guc::MAJORS;
use crate::knowledge::options::INITDB;
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for (index, file) in facts.numbered_files() {
        let Some(options) = file.config.get("bootstrap.initdb") else { continue };
        if !file.config.is_decided("bootstrap.method") {
            continue;
        }
        let custom = file.config.get("bootstrap.method").and_then(|m| m.as_str()).filter(|m| *m != "initdb");
        if custom.is_some_and(|m| !file.is_absent(&format!("bootstrap.{m}.command"))) {
            continue;
        }
        let major = facts.member_of(index).and_then(|m| m.postgresql);
        let tool = Tool {
            name: "initdb",
            options: INITDB,
            refused: &["pgdata", "nosync", "pwfile", "sync-only", "version"],
            majors: major.map_or(MAJORS, |m| m..=m),
        };
        for fault in check_options(&tool, options).0 {
            report.add(report.problem(fault.at).arg("problem", fault.text));
        }
    }
    Ok(())
}
