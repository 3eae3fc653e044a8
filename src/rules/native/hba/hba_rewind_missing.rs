//! A member cannot rewind itself from another one.

use super::peers::{self, Wanted};
use crate::facts::gap::Gap;
use crate::facts::hba_decision::Database;
use crate::facts::{Facts, PatroniFile};
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    if facts.files().iter().any(rewinds) {
        let database = Database::Named("postgres".to_owned());
        peers::check(&Wanted { role: "rewind", database, word: "postgres" }, facts, report)?;
    }
    Ok(())
}

fn rewinds(file: &PatroniFile) -> bool {
    file.is_on("use_pg_rewind")
}
