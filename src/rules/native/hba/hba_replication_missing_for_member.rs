//! A member cannot stream from another one.

use super::peers::{self, Wanted};
use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::facts::hba_decision::Database;
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    peers::check(
        &Wanted { role: "replication", database: Database::PhysicalReplication, word: "replication" },
        facts,
        report,
    )
}
