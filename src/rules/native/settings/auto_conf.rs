//! postgresql.auto.conf, which the server reads after what Patroni writes.

use std::collections::BTreeSet;

use crate::facts::enforced::enforced;
use crate::facts::gap::Gap;
use crate::facts::settings::equal;
use crate::facts::slot_fate::{is_logical, permanent};
use crate::facts::{Facts, PatroniFile};
use crate::knowledge::patroni::{command_line_setting, setting};
use crate::parse::conf::Located;
use crate::rules::report::Report;
use crate::source::Span;

const SYNC_NAMES: &str = "synchronous_standby_names";

/// A setting of `ALTER SYSTEM` that Patroni sets too, to something else.
pub(in crate::rules::native) fn overrides(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    let mut said = BTreeSet::new();
    for (file, located) in winners(facts) {
        let name = located.set.name.value.to_ascii_lowercase();
        let value = &located.set.value.value;
        let managed = name == SYNC_NAMES && file.is_synchronous();
        // Recovery settings are deleted there.
        if managed || setting(&name).any(|row| row.recovery) {
            continue;
        }
        let Some((theirs, at)) = written(facts, file, &name) else { continue };
        if !equal(&name, value, &theirs) && said.insert(located.set.span) {
            report.add(
                report
                    .problem(located.set.span)
                    .arg("name", name)
                    .arg("value", located.set.shown())
                    .arg("other", theirs)
                    .label(at, "this never counts"),
            );
        }
    }
    Ok(())
}

/// `synchronous_standby_names` of `ALTER SYSTEM` while Patroni chooses the synchronous standbys.
pub(in crate::rules::native) fn sync_names(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    let mut said = BTreeSet::new();
    for (file, located) in winners(facts) {
        let is_names = located.set.name.value.eq_ignore_ascii_case(SYNC_NAMES);
        if is_names && file.is_synchronous() && said.insert(located.set.span) {
            let mode = file.place_of("bootstrap.dcs.synchronous_mode");
            let problem = report.problem(located.set.span).arg("value", located.set.value.value.as_str());
            report.add(problem.label(mode, "Patroni chooses the standbys"));
        }
    }
    Ok(())
}

/// What wins in the auto.conf of members.
fn winners(facts: &Facts) -> impl Iterator<Item = (&PatroniFile, &Located)> {
    facts.members().filter_map(|m| Some((m, *m.conf.as_ref().ok()?))).flat_map(move |(member, conf)| {
        let conf = &facts.confs[conf].conf;
        let wins = |l: &&Located| l.auto && conf.effective(&l.set.name.value).is_some_and(|w| w.seq == l.seq);
        conf.assignments().iter().filter(wins).map(move |l| (&facts.patroni[member.file], l))
    })
}

/// What Patroni writes into postgresql.conf for a setting that is no option of the command line.
fn written(facts: &Facts, file: &PatroniFile, name: &str) -> Option<(String, Span)> {
    match command_line_setting(name, facts.patroni_version) {
        Some(row) if row.name.starts_with("wal_keep_") => {
            let used = enforced(file, row)?;
            Some((used.value, used.at?))
        }
        Some(_) => None,
        None => {
            // A member that may be promoted keeps logical slots (`Cluster.should_enforce_hot_standby_feedback`).
            let mut logical = permanent(file).filter(|(_, slot)| is_logical(slot));
            if let Some((_, slot)) = logical.next().filter(|_| name == "hot_standby_feedback") {
                let may_lead = file.config.get("tags.nofailover").is_none_or(|t| !t.is_true());
                return may_lead.then(|| ("on".to_owned(), slot.key_or_value()));
            }
            let item = file.written_parameter(name)?;
            Some((item.as_setting()?, item.key_or_value()))
        }
    }
}
