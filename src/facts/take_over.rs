//! What a server runs with once Patroni has taken over: its command line, `postgresql.auto.conf`, what Patroni writes, and
//! the old postgresql.conf below it.

use super::enforced::{Used, enforced};
use super::gap::{Fact, GapReason};
use super::{Gap, Member, Whole};
use crate::knowledge::patroni::command_line_setting;

/// The value of a setting and where it comes from; `None` when nothing sets it, so that the server's default holds.
///
/// # Errors
/// When it may stand in a file that was not given.
pub fn later(facts: &Whole, member: &Member, name: &str) -> Fact<Option<Used>> {
    let file = &facts.patroni[member.file];
    // `wal_keep_size` is no option of the command line: Patroni writes it.
    let row = command_line_setting(name, facts.patroni_version).filter(|r| !r.name.starts_with("wal_keep_"));
    if let Some(row) = row {
        let used = enforced(file, row);
        let derived = row.default.is_none();
        let gap = || Gap::new(format!("`bootstrap.dcs.postgresql.parameters.{name}`"), GapReason::Unreadable);
        return if used.is_some() || derived { Ok(used) } else { Err(gap().on(&member.name)) };
    }
    let old = member.conf.as_ref().ok().map(|conf| &facts.confs[*conf].conf);
    let set = old.and_then(|conf| conf.effective(name));
    let of_server = || set.map(|l| Used { value: l.set.value.value.clone(), at: Some(l.set.value.span) });
    if set.is_some_and(|l| l.auto) {
        return Ok(of_server());
    }
    if let Some(item) = file.known_parameter(name)? {
        let gap = || Gap::new(format!("`{name}`"), GapReason::Unreadable).on(&member.name);
        return item.as_setting().map(|value| Some(Used { value, at: Some(item.span) })).ok_or_else(gap);
    }
    // What a server runs with stands for files that were not given, unless its command line says it.
    let row = super::running::told(facts, member).and_then(|node| node.setting(name).ok().flatten());
    if let Some(row) = row.filter(|row| member.conf.is_err() && row.get("source") != Some("command line")) {
        let is_set = row.get("source") != Some("default");
        return Ok(is_set.then(|| Used { value: super::running::value(row), at: Some(row.at) }));
    }
    match (&member.conf, old) {
        // One gap stands for all members when nobody handed over any.
        (Err(_), _) if facts.confs.is_empty() => Err(Gap::new("`postgresql.conf`", GapReason::NotGiven)),
        (Err(gap), _) => Err(gap.clone()),
        (Ok(_), Some(conf)) if set.is_none() && !conf.outside().is_empty() => {
            let what = format!("`{}`, included by postgresql.conf", conf.outside()[0].value);
            Err(Gap::new(what, GapReason::NotGiven).on(&member.name))
        }
        (Ok(_), Some(conf)) if conf.is_unknown(name) || (set.is_none() && conf.is_open()) => {
            let what = format!("`{name}` in postgresql.conf");
            Err(Gap::new(what, GapReason::Unreadable).on(&member.name))
        }
        _ => Ok(of_server()),
    }
}
