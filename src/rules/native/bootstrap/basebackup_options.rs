//! Options of `pg_basebackup` that Patroni leaves out, or that end every clone.

use super::user_options::{Fault, Given, Tool, check as check_options};
use crate::facts::gap::Gap;
use crate::facts::scripts::{local_or_dynamic, replica_methods};
use crate::facts::{Facts, PatroniFile};
use crate::knowledge::guc::MAJORS;
use crate::knowledge::options::PG_BASEBACKUP;
use crate::knowledge::patroni::Version;
use crate::parse::patroni::Item;
use crate::rules::report::Report;

const REFUSED: [&str; 11] = [
    "pgdata",
    "format",
    "wal-method",
    "xlog-method",
    "gzip",
    "version",
    "dbname",
    "host",
    "port",
    "username",
    "password",
];

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for (index, file) in facts.numbered_files() {
        let Some(options) = local_or_dynamic(&file.config, "basebackup") else { continue };
        let decided = ["create_replica_methods", "create_replica_method"]
            .iter()
            .all(|key| file.known_postgresql(key).is_ok_and(|list| list.is_none_or(Item::is_known)));
        if !decided || !uses_basebackup(file) {
            continue;
        }
        let major = facts.member_of(index).and_then(|m| m.postgresql);
        let majors = major.map_or(MAJORS, |m| m..=m);
        let tool = Tool { name: "basebackup", options: PG_BASEBACKUP, refused: &REFUSED, majors };
        let (mut faults, given) = check_options(&tool, options);
        faults.extend(given.iter().filter_map(|option| compression(option, major, facts.patroni_version)));
        for fault in faults {
            report.add(report.problem(fault.at).arg("problem", fault.text));
        }
    }
    Ok(())
}

fn uses_basebackup(file: &PatroniFile) -> bool {
    let mut methods = replica_methods(&file.config).peekable();
    methods.peek().is_none() || methods.any(|m| m.as_str() == Some("basebackup"))
}

/// `compress` works since Patroni 4.1.1 with PostgreSQL 15, and on the server only.
fn compression(option: &Given<'_>, major: Option<u16>, patroni: Version) -> Option<Fault> {
    if option.name != "compress" {
        return None;
    }
    let fault = |text: &str| Some(Fault { at: option.at, text: text.to_owned() });
    if patroni < Version::new(4, 1, 1) || major.is_some_and(|m| m < 15) {
        fault("Patroni refuses `compress` (`compress option for basebackup is not allowed`)")
    } else if option.argument.is_some_and(|a| !a.trim_start_matches(['"', '\'']).starts_with("server")) {
        fault(
            "Patroni takes compression on the server only, `server-gzip` or `server-zstd` (`compress option for basebackup must use server-side compression`)",
        )
    } else {
        None
    }
}
